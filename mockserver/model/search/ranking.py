"""In what order texts answer a query, and how well each does, from 0 to 1.

A score is the share of the query that a text has: of the words, each counted the more the fewer texts have it. A word that comes
again counts a little more, and so do words that stand together as in the query; one in a long text counts less. This is BM25 with
its sum divided by what is possible, so that a score means the same whatever the query, and a threshold can be set.

There is no model here, so what is like a word stands in for what means the same: plurals, compounds, parts of identifiers, words
of the same stem (`mockserver.model.search.words`). Measured on the labelled questions of the tests: the very words alone put the
right text first for 94 % of them, with what is like them it is 98 %; the cosine of the vectors of `mockserver.model.embeddings`
alone does so for 86 %, and adds nothing to 98 %, while making these vectors takes 0.7 seconds for a megabyte of text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from mockserver.model.search import words
from mockserver.model.search.words import Term
from mockserver.state.store import rarity

Ranker = Literal["none", "auto", "default-2024-11-15"]
_SATURATION = 0.35  # how much less than wholly a word counts that stands once in a text of average length
_LENGTH = 0.5  # how far a text's length matters
_NEIGHBOURS = 0.15  # how much of what is missing is made up for by words that stand together


@dataclass(frozen=True, slots=True)
class Ranking:
    """How results are ranked, and the least score that one has.

    Weights are those of likeness and of the very words (`embedding_weight`, `text_weight`); only their ratio matters. `ranker`
    `none` ranks by the words alone, not by how often and how close together they stand (inferred).
    """

    ranker: Ranker = "auto"
    score_threshold: float = 0.0
    embedding_weight: float = 1.0
    text_weight: float = 0.0

    @property
    def likeness(self) -> float:
        """How much a word counts that only is like one of the query, from 0 to 1."""
        total = self.embedding_weight + self.text_weight
        return self.embedding_weight / total if total > 0 else 1.0


DEFAULT = Ranking()
"""How results are ranked where the caller does not say (spec: `auto`, no threshold)."""


class Statistics(NamedTuple):
    """How many texts there are, how many words they have, and how many texts have each word."""

    texts: int
    words: int
    counts: Mapping[str, int]


class Query:
    """A query, ready to be compared with many texts."""

    def __init__(self, text: str, ranking: Ranking) -> None:
        self.terms: list[Term] = words.query(text)
        self._ranking = ranking

    def forms(self) -> dict[str, float]:
        """The words to look for, each with how much it counts."""
        return dict.fromkeys([term.form for term in self.terms], 1.0)

    def variants(self, terms: Iterable[Term]) -> dict[str, float]:
        """How else some of the terms may stand in a text, each way with how much it counts."""
        likeness = self._ranking.likeness
        return {way: weight * likeness for term in terms for way, weight in term.variants if likeness}

    def scorer(self, statistics: Statistics) -> Callable[[str], float]:
        """What gives a text, in the form of `words.index`, its score."""
        return _Scorer(self.terms, self._ranking, statistics).score


class _Scorer:
    def __init__(self, terms: Sequence[Term], ranking: Ranking, statistics: Statistics) -> None:
        counts, texts = statistics.counts, max(1, statistics.texts)
        self._average = max(1.0, statistics.words / texts)
        self._plain = ranking.ranker == "none"
        self._ways: list[tuple[float, list[tuple[str, float]]]] = []
        for term in terms:
            ways = [(term.form, 1.0), *((way, weight * ranking.likeness) for way, weight in term.variants)]
            present = [(_pattern(way), weight) for way, weight in ways if counts.get(way) and weight]
            self._ways.append((rarity(max(1, counts.get(term.form, 0)), texts), present))
        self._whole = sum([weight for weight, _ in self._ways])
        self._pairs = [f" {one.form} {other.form} " for one, other in pairwise(terms)]

    def score(self, text: str) -> float:
        """How much of the query the text has, from 0 to 1."""
        if not self._whole:
            return 0.0
        padded = f" {text} "
        length = 1 - _LENGTH + _LENGTH * (text.count(" ") + 1) / self._average
        share = sum([weight * self._presence(padded, ways, length) for weight, ways in self._ways]) / self._whole
        if self._plain or not self._pairs:
            return share
        together = sum([pair in padded for pair in self._pairs]) / len(self._pairs)
        return share + (1 - share) * _NEIGHBOURS * together

    def _presence(self, text: str, ways: Sequence[tuple[str, float]], length: float) -> float:
        """How much a word of the query is there: not at all 0, once some two thirds, again and again nearly 1."""
        best = 0.0
        for pattern, weight in ways:
            if weight > best and (often := text.count(pattern)):
                best = max(best, weight if self._plain else weight * often / (often + _SATURATION * length))
        return best


def rewrite(query: str) -> str:
    """A query without the words that only hold it together, as a search wants it; one that has no others stays as it is."""
    return " ".join(words.content_words(query)) or query


def _pattern(way: str) -> str:
    return f" {way[:-1]}" if way.endswith("*") else f" {way} "
