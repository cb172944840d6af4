"""How similar two texts are, from 0 to 1, by each `evaluation_metric` of a text similarity grader.

BLEU, GLEU and METEOR are nltk's, ROUGE is rouge-score's: the libraries behind Azure's own evaluators, and a recorded BLEU score
agrees to the last digit. They are written anew, since those libraries download data or take long to import; tests hold each to
figures of the originals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mockserver.model.grade.outcome import Errors, UngradedError
from mockserver.model.grade.text import bleu, meteor, rouge
from mockserver.model.grade.text.fuzzy import fuzzy_match
from mockserver.model.grade.text.vectors import cosine

LONGEST = 100_000  # characters of a text: some metrics take time with the product of both lengths
Metric = Callable[[str, str], float]


def _rouge_n(length: int) -> Metric:
    return lambda text, reference: rouge.rouge_n(text, reference, length)


METRICS: Mapping[str, Metric] = {
    "cosine": cosine,
    "fuzzy_match": fuzzy_match,
    "bleu": bleu.bleu,
    "gleu": bleu.gleu,
    "meteor": meteor.meteor,
    **{f"rouge_{length}": _rouge_n(length) for length in range(1, 6)},
    "rouge_l": rouge.rouge_l,
}
"""By name, in the order of the official document; each takes the text that is graded, and the reference."""


def similarity(metric: str, text: str, reference: str) -> float:
    """How similar a text is to a reference. Raises UngradedError for texts that are too long to compare."""
    if max(len(text), len(reference)) > LONGEST:
        raise UngradedError(f"texts of more than {LONGEST:,} characters are not compared", Errors(other_error=True))
    return METRICS[metric](text, reference)
