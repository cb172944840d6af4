"""The tokens of texts in one encoding, with caches of what repeats even where no text does: its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain
from typing import Generic, TypeVar

from mockserver.model.vocabulary import Vocabulary, load

Value = TypeVar("Value")

_LONGEST_CACHED_WORD = 64  # longer ones are seldom words, and would fill memory with what never comes again
_LONGEST_PIECE = 256  # of characters that are looked through again to find where a token in it ends
_LONGEST_WORD = 4_096
_MOST_CACHED_WORDS = 50_000
_SPACE_BEFORE_WORD = re.compile(r" (?=\S)")


class Tokenizer:
    """The tokens of one encoding.

    Three caches: the number of tokens of a word, its pieces, and the number of tokens of what stands between two spaces.
    """

    __slots__ = ("_counts", "_pieces", "_spaced_counts", "_vocabulary")

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._counts = _WordCache(lambda word: len(vocabulary.parts(word)))
        self._pieces = _WordCache(lambda word: _join_split_characters(vocabulary.parts(word)))
        self._spaced_counts = _WordCache(lambda text: self._count(f" {text}"))

    def count(self, text: str) -> int:
        """How many tokens `text` has."""
        # A token that contains a space begins with it, unless other whitespace follows. So what stands between two such spaces
        # has the same tokens in every text, and looking them up takes a third of the time of splitting a text into words.
        first, *others = _SPACE_BEFORE_WORD.split(text)
        return self._count(first) + sum(map(self._spaced_counts.__getitem__, others))

    def count_pieces(self, text: str) -> tuple[list[str], list[int]]:
        """Pieces of `text`, which join to it again, and their numbers of tokens: what stands between two spaces, or else its words.

        A word of thousands of characters is none. Counting its tokens would take seconds, so it is cut, as if four were a token.
        """
        first, *others = _SPACE_BEFORE_WORD.split(text)
        if max(map(len, (first, *others))) <= _LONGEST_PIECE:
            return [first, *[f" {one}" for one in others]], [self._count(first), *map(self._spaced_counts.__getitem__, others)]
        pieces, counts = list[str](), list[int]()
        for word in self._vocabulary.split(text):
            cut = [word] if len(word) <= _LONGEST_WORD else [word[at : at + 4] for at in range(0, len(word), 4)]
            pieces += cut
            counts += [self._counts[word]] if len(cut) == 1 else [1] * len(cut)
        return pieces, counts

    def count_words(self, text: str) -> Iterator[tuple[str, int]]:
        """The words of `text`, which join to it again, each with its number of tokens."""
        return ((word, self._counts[word]) for word in self._vocabulary.split(text))

    def split(self, text: str) -> list[str]:
        """`text` in pieces of one token each, but for characters that take several tokens: these stay whole."""
        return list(chain.from_iterable(map(self._pieces.__getitem__, self._vocabulary.split(text))))

    def truncate(self, text: str, limit: int) -> str:
        """The first `limit` tokens of `text`; a character that would be cut in two is left out."""
        end, left = 0, limit
        for word, count in self.count_words(text):
            if count > left:
                return text[:end] + _cut(self._vocabulary.parts(word), max(left, 0))
            end, left = end + len(word), left - count
        return text

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of token ids. Raises ValueError for an id that no token has."""
        return b"".join(map(self._vocabulary.token, tokens)).decode("utf-8", "replace")

    def _count(self, text: str) -> int:
        return sum(map(self._counts.__getitem__, self._vocabulary.split(text)))


@cache  # by encoding: its vocabulary and its words are the same for every caller
def load_tokenizer(encoding: str) -> Tokenizer:
    """The tokenizer of an encoding. Raises ValueError for an unknown one."""
    return Tokenizer(load(encoding))


class _WordCache(dict[str, Value], Generic[Value]):
    """What `compute` makes of words, computed once for each."""

    def __init__(self, compute: Callable[[str], Value]) -> None:
        super().__init__()
        self._compute: Callable[[str], Value] = compute

    def __missing__(self, word: str) -> Value:
        value = self._compute(word)
        if len(word) <= _LONGEST_CACHED_WORD:
            if len(self) >= _MOST_CACHED_WORDS:
                self.clear()
            self[word] = value
        return value


def _join_split_characters(parts: list[bytes]) -> tuple[str, ...]:
    joined: list[bytes] = []
    for part in parts:
        if joined and part[0] & 0xC0 == 0x80:  # it begins within a character
            joined[-1] += part
        else:
            joined.append(part)
    return tuple([part.decode("utf-8", "surrogatepass") for part in joined])


def _cut(parts: list[bytes], limit: int) -> str:
    data, size = b"".join(parts), sum(map(len, parts[:limit]))
    while size and data[size] & 0xC0 == 0x80:
        size -= 1
    return data[:size].decode("utf-8", "surrogatepass")
