"""Words and their sequences, as the metrics count them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

# What stands apart from the words around it, by the rules of the Penn treebank. Everything else sticks to its word: hyphens,
# slashes, the points and commas inside of numbers, the period of an abbreviation.
_APART = re.compile(
    r"\.{2,}|--|[;@#$%&?!*()\[\]{}<>«»“”‘’„\u2012-\u2015]|`+|[:,](?!\d)"
    r"|\"|''|'(?=[\s,;:?!)\]}>\"]|$)|(?<!\w)'(?=\w)(?!'(?i:re|ve|ll|m|t|s|d|n)\b)"
    r"|(?i:'(?:s|m|d|ll|re|ve)|(?<=\w)n't)(?=[^\w'-]|$)"  # it 's, do n't
    r"|(?i:(?<=\bcan)not\b|(?<=\bgon)na\b|(?<=\bgot)ta\b|(?<=\bgim)me\b|(?<=\blem)me\b)"
    r"|(?<=[^.\s])\.(?=[\])}>\"'»”’\s]*$)"  # the end of the text
    r"|(?<=[^.\s])(?<!\b[A-Z])(?<!\b(?:[MD]r|Ms|St|vs))(?<!\bMrs)(?<!\bProf)(?<!\.[a-z])\.(?=[\])}>\"'»”’]*\s+[^\sa-z])"  # of a sentence
)
_PLAIN = re.compile(r"[a-z0-9]+")
_OPENING = frozenset(" \t\n([{<")  # before a quotation mark that opens
Grams = Counter[tuple[str, ...]]


def words(text: str) -> list[str]:
    """The words and signs of a text, as BLEU, GLEU and METEOR count them."""
    return [*_pieces(text)]


def _pieces(text: str) -> Iterator[str]:
    at = 0
    for sign in _APART.finditer(text):
        yield from text[at : sign.start()].split()
        yield _quotation_mark(text, sign.start()) if sign[0] in ('"', "''") else sign[0]
        at = sign.end()
    yield from text[at:].split()


def _quotation_mark(text: str, at: int) -> str:
    """Marks that open are not those that close."""
    return "``" if at == 0 or text[at - 1] in _OPENING else "''"


def plain_words(text: str) -> list[str]:
    """The words of a text as ROUGE counts them: in lower case, of Latin letters and digits only."""
    return _PLAIN.findall(text.lower())


def grams(sequence: Sequence[str], length: int) -> Grams:
    """How often each run of `length` words occurs in a sequence."""
    return Counter(zip(*[sequence[start:] for start in range(length)], strict=False))


def common(one: Grams, other: Grams) -> int:
    """How many runs two sequences have in common, each as often as it is in both."""
    return (one & other).total()
