"""METEOR: words that two texts share, by spelling or by stem, and in how few pieces.

The parameters are nltk's. The service also matches synonyms of WordNet, a dictionary of 10 MB that is not part of this package:
where only a synonym matches, this score is lower.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from mockserver.model.grade.text.stems import stem
from mockserver.model.grade.text.words import words

_ALPHA, _BETA, _GAMMA = 0.9, 3.0, 0.5
_Pairs = list[tuple[int, int]]
_STAGES: tuple[Callable[[str], str], ...] = (lambda word: word, stem)


def meteor(text: str, reference: str) -> float:
    """The METEOR score of a text: mostly recall, less for words that stand in another order."""
    mine, theirs = ([word.lower() for word in words(side)] for side in (text, reference))
    pairs = _align(mine, theirs)
    if not pairs:
        return 0.0
    precision, recall = len(pairs) / len(mine), len(pairs) / len(theirs)
    mean = precision * recall / (_ALPHA * precision + (1 - _ALPHA) * recall)
    penalty = _GAMMA * math.pow(_chunks(pairs) / len(pairs), _BETA)
    return (1 - penalty) * mean


def _align(mine: Sequence[str], theirs: Sequence[str]) -> _Pairs:
    """The positions of words that match, each used once: same spelling before same stem, and the last before the first."""
    pairs: _Pairs = []
    left, right = list(range(len(mine))), list(range(len(theirs)))
    for form in _STAGES:
        places: dict[str, list[int]] = {}
        for at in right:
            places.setdefault(form(theirs[at]), []).append(at)
        found = [(at, free.pop()) for at in reversed(left) if (free := places.get(form(mine[at])))]
        pairs += found
        left = sorted(set(left) - {at for at, _ in found})
        right = sorted(set(right) - {at for _, at in found})
    return sorted(pairs)


def _chunks(pairs: _Pairs) -> int:
    """In how many pieces the matching words stand next to each other in both texts."""
    return 1 + sum(after != (before[0] + 1, before[1] + 1) for before, after in pairwise(pairs))
