"""ROUGE: runs of words, or the longest common subsequence, as the F-measure of precision and recall."""

from __future__ import annotations

from mockserver.model.grade.text.words import common, grams, plain_words


def rouge_n(text: str, reference: str, length: int) -> float:
    """How many runs of `length` words two texts share."""
    mine, theirs = grams(plain_words(text), length), grams(plain_words(reference), length)
    return _f_measure(common(mine, theirs), mine.total(), theirs.total())


def rouge_l(text: str, reference: str) -> float:
    """How long the longest subsequence of words is that two texts share."""
    mine, theirs = plain_words(text), plain_words(reference)
    return _f_measure(_common_subsequence(mine, theirs), len(mine), len(theirs))


def _f_measure(matched: int, mine: int, theirs: int) -> float:
    if not matched:
        return 0.0
    precision, recall = matched / mine, matched / theirs
    return 2 * precision * recall / (precision + recall)


def _common_subsequence(one: list[str], other: list[str]) -> int:
    """The length of the longest common subsequence, by Hyyrö's bits: a whole number holds a row of the usual table."""
    places: dict[str, int] = {}
    for at, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << at
    everything = (1 << len(one)) - 1
    row = everything
    for word in other:
        matched = row & places.get(word, 0)
        row = (row + matched | row - matched) & everything
    return len(one) - row.bit_count()
