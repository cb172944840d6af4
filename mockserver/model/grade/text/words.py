"""Words and their sequences, as the metrics count them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

# Words keep hyphens and apostrophes inside, numbers their points and commas; every other sign is a word of its own, and so are
# the endings of contractions (`do n't`, `it 's`): the Penn treebank's rules, as far as they concern prose.
_WORD = re.compile(
    r"\d+(?:[.,:]\d+)+(?!\w)"
    r"|\w+(?=n't\b)|n't\b|'(?:s|m|d|re|ve|ll)\b"
    r"|(?:[A-Za-z]\.){2,}"
    r"|\w+(?:[-/.&]\w+)*"
    r"|\.{2,}|--+|[^\w\s]",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[a-z0-9]+")
Grams = Counter[tuple[str, ...]]


def words(text: str) -> list[str]:
    """The words and signs of a text, as BLEU, GLEU and METEOR count them."""
    return _WORD.findall(text)


def plain_words(text: str) -> list[str]:
    """The words of a text as ROUGE counts them: in lower case, of Latin letters and digits only."""
    return _PLAIN.findall(text.lower())


def grams(sequence: Sequence[str], length: int) -> Grams:
    """How often each run of `length` words occurs in a sequence."""
    return Counter(zip(*[sequence[start:] for start in range(length)], strict=False))


def common(one: Grams, other: Grams) -> int:
    """How many runs two sequences have in common, each as often as it is in both."""
    return (one & other).total()
