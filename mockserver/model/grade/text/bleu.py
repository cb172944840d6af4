"""BLEU and its sister GLEU: how many runs of one to four words of a text are in the reference too.

BLEU of one sentence is smoothed as Chen and Cherry (2014) do in their method 4. A recorded score of Azure's has these words, this
smoothing, and every digit.
"""

from __future__ import annotations

import math

from mockserver.model.grade.text.words import common, grams, words

_LENGTHS = range(1, 5)
_SMOOTHING = 5.0


def bleu(text: str, reference: str) -> float:
    """The BLEU score of a text: a geometric mean of precisions, less for a text that is shorter than the reference."""
    mine, theirs = words(text), words(reference)
    if not mine:
        return 0.0
    matches = [common(grams(mine, length), grams(theirs, length)) for length in _LENGTHS]
    if not matches[0]:
        return 0.0
    precisions = _smoothed(matches, [max(1, len(mine) - length + 1) for length in _LENGTHS], len(mine))
    brevity = 1.0 if len(mine) > len(theirs) else math.exp(1 - len(theirs) / len(mine))
    return min(1.0, brevity * math.exp(math.fsum(0.25 * math.log(one) for one in precisions if one > 0)))


def _smoothed(matches: list[int], totals: list[int], length: int) -> list[float]:
    """Precisions by the length of runs. Where nothing matches, as little as befits a text of this length, halved each time."""
    precisions, halvings = [], 1
    for matched, total in zip(matches, totals, strict=True):
        if matched == 0 and length > 1:
            precisions.append(1 / (2**halvings * _SMOOTHING / math.log(length)) / total)
            halvings += 1
        else:
            precisions.append(matched / total)
    return precisions


def gleu(text: str, reference: str) -> float:
    """Google's GLEU: the smaller of precision and recall over all runs of one to four words."""
    mine, theirs = words(text), words(reference)
    matched = sum(common(grams(mine, length), grams(theirs, length)) for length in _LENGTHS)
    totals = [sum(max(0, len(side) - length + 1) for length in _LENGTHS) for side in (mine, theirs)]
    return matched / max(totals) if max(totals) else 0.0
