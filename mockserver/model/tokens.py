"""Exact token counts without a network: how long a text is, where a stream may be cut, and what a prompt weighs.

Nothing is loaded before the first count. Text that looks like a special token (`<|endoftext|>`) is ordinary text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from mockserver.model.vocabulary import ENCODINGS as ENCODINGS
from mockserver.model.vocabulary import LARGEST as LARGEST
from mockserver.model.vocabulary import Vocabulary, load

if TYPE_CHECKING:
    from mockserver.model.prompt import OutputFormat, Prompt, Tool

Json = Any
Value = TypeVar("Value")

_PER_MESSAGE = 3
_PER_TOOL_CALL = 10
_PRIMING = 3
_IMAGE = 85
_LONGEST_CACHED_TEXT = 1_000
_LONGEST_KEPT_WORD = 64
_MOST_KEPT_WORDS = 50_000
_DEEPEST_TYPE = 12


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
    for word in cutter.vocabulary.split(text):
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
    return sum([count(text, encoding) + extra for text, extra, _ in written(prompt)]) + _PRIMING - prompt.model.reasons


def written(prompt: Prompt) -> Iterator[tuple[str, int, str]]:
    """What the model reads, in order: texts, each with the tokens that go with it, and with what else it is told by."""
    if prompt.tools:
        yield _declare(prompt.tools), 0, "tools"
    if prompt.output.schema is not None:
        yield _show_schema(prompt.output), 0, "schema"
    if prompt.instructions:
        yield prompt.instructions, _PER_MESSAGE + 1, "instructions"
    for turn in prompt.turns:
        yield turn.text, _PER_MESSAGE + 1, turn.role
        if turn.name and turn.role != "tool":
            yield turn.name, 1, "name"
        for use in turn.tool_calls:
            yield use.name, _PER_TOOL_CALL, "call"
            yield use.arguments, 0, "arguments"
        for media in turn.media:
            yield "", _IMAGE if media.kind == "image" else 0, media.reference


def weighed(text: str, encoding: str) -> Iterator[tuple[str, int]]:
    """The words of `text`, which join to it again, each with its number of tokens."""
    cutter = _cutter(encoding)
    return ((word, cutter.counts[word]) for word in cutter.vocabulary.split(text))


def _count(text: str, encoding: str) -> int:
    cutter = _cutter(encoding)
    return sum(map(cutter.counts.__getitem__, cutter.vocabulary.split(text)))


def _pieces(text: str, encoding: str) -> list[str]:
    cutter = _cutter(encoding)
    return list(chain.from_iterable(map(cutter.pieces.__getitem__, cutter.vocabulary.split(text))))


@lru_cache(maxsize=2048)
def _cached_count(text: str, encoding: str) -> int:
    return _count(text, encoding)


@lru_cache(maxsize=512)
def _cached_pieces(text: str, encoding: str) -> tuple[str, ...]:
    return tuple(_pieces(text, encoding))


class _Known(dict[str, Value], Generic[Value]):
    """What was worked out about words already met: repeated words, most of any text, cost one look-up."""

    def __init__(self, work_out: Callable[[str], Value]) -> None:
        super().__init__()
        self._work_out: Callable[[str], Value] = work_out

    def __missing__(self, word: str) -> Value:
        value = self._work_out(word)
        if len(word) <= _LONGEST_KEPT_WORD:
            if len(self) >= _MOST_KEPT_WORDS:
                self.clear()
            self[word] = value
        return value


class _Cutter:
    """A vocabulary, and what it said of the words already met."""

    __slots__ = ("counts", "pieces", "vocabulary")

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.counts = _Known(lambda word: len(vocabulary.parts(word)))
        self.pieces = _Known(lambda word: _join_split_characters(vocabulary.parts(word)))


@cache
def _cutter(encoding: str) -> _Cutter:
    return _Cutter(load(encoding))


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
