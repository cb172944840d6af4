"""Fuzzy matching by rapidfuzz, which the extra `graders` installs."""

from __future__ import annotations

from mockserver.model.grade.outcome import Errors, UnavailableError, UngradedError

LONGEST = 10_000  # characters of a text; where one is much longer than the other, time grows with the product of both


def fuzzy_match(text: str, reference: str) -> float:
    """rapidfuzz's weighted ratio of two texts, without regard to case and punctuation.

    Documented is the library; the scorer is the one of the documentation's own example. Raises UnavailableError without it, and
    UngradedError for texts that are too long.
    """
    try:
        from rapidfuzz import fuzz, utils
    except ImportError:
        message = "fuzzy_match needs rapidfuzz: pip install 'azure-openai-mockserver[graders]'"
        raise UnavailableError(message) from None
    if max(len(text), len(reference)) > LONGEST:
        raise UngradedError(f"texts of more than {LONGEST:,} characters are not compared so", Errors(other_error=True))
    return fuzz.WRatio(text, reference, processor=utils.default_process) / 100
