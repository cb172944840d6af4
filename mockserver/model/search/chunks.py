"""Cuts a text into chunks of a number of tokens, each of which begins with the end of the one before (spec)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from mockserver.model import tokens

SIZES = range(100, 4_097)
MOST_TOKENS = 5_000_000  # of a file (docs)
ENCODING = "cl100k_base"  # of the models that the service embeds chunks with
_BLOCK = 1 << 18  # characters


@dataclass(frozen=True, slots=True)
class Chunking:
    """How many tokens a chunk has, and how many of them it shares with the one before: at most half.

    Raises ValueError for sizes that the service does not take (spec: 100 to 4096).
    """

    size: int = 800
    overlap: int = 400

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise ValueError(f"a chunk has {SIZES[0]} to {SIZES[-1]} tokens, not {self.size}")
        if not 0 <= self.overlap <= self.size // 2:
            raise ValueError(f"chunks of {self.size} tokens overlap by 0 to {self.size // 2}, not {self.overlap}")


DEFAULT = Chunking()
"""What the service takes where it may choose (spec)."""


def cut(text: str, chunking: Chunking = DEFAULT) -> list[str]:
    """`text` in chunks. Without what each shares with the one before, they join to it again.

    A character that takes several tokens stays whole, so a chunk may have a token or two more or less there. Raises ValueError
    for a text of more than `MOST_TOKENS`.
    """
    return [text[start:end] for start, end in spans(text, chunking)]


def spans(text: str, chunking: Chunking = DEFAULT) -> list[tuple[int, int]]:
    """Where the chunks of `text` begin and end, in characters. Raises ValueError for a text of more than `MOST_TOKENS`."""
    step = chunking.size - chunking.overlap
    starts, ends = _Marks(0, step), _Marks(chunking.size, step)
    at = total = 0
    for pieces, counts in _measured(text):
        for marks in (starts, ends):
            marks.extend(pieces, counts, total, at)
        at, total = at + sum(map(len, pieces)), total + counts[-1]
        if total > MOST_TOKENS:
            raise ValueError(f"a text can have {MOST_TOKENS} tokens at most")
    # A chunk begins where the one before has not reached the end.
    found = starts.offsets[: 1 + len([end for end in ends.offsets if end < len(text)])] if text else []
    return [*zip(found, [*ends.offsets, len(text)], strict=False)]


class _Marks:
    """Where in a text its `first` token ends, in characters, and each that comes `step` tokens after the last one."""

    def __init__(self, first: int, step: int) -> None:
        self.offsets: list[int] = []
        self._next, self._step = first, step

    def extend(self, pieces: Sequence[str], counts: Sequence[int], before: int, at: int) -> None:
        """Go on with the next pieces; `counts` are their tokens, added up. `before` tokens and `at` characters went before them."""
        number = 0
        while self._next - before <= counts[-1]:
            wanted = self._next - before
            after = bisect_left(counts, wanted, number)
            at += sum(map(len, pieces[number:after]))
            number = after
            left = wanted - (counts[number - 1] if number else 0)
            self.offsets.append(at + len(tokens.truncate(pieces[number], left, ENCODING)))
            self._next += self._step


def _measured(text: str) -> Iterator[tuple[list[str], list[int]]]:
    """The pieces of `text`, in blocks that take little memory, with their tokens added up from the block's begin on."""
    start = 0
    while start < len(text):
        space = text.find(" ", start + _BLOCK)
        end = space if start + _BLOCK < space < start + 2 * _BLOCK else start + _BLOCK
        pieces, counts = tokens.pieces(text[start:end], ENCODING)
        yield pieces, [*accumulate(counts)]
        start = end
