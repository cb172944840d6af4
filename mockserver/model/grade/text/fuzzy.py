"""Fuzzy matching by rapidfuzz, which the extra `graders` installs."""

from __future__ import annotations

from mockserver.model.grade.outcome import UnavailableError


def fuzzy_match(text: str, reference: str) -> float:
    """rapidfuzz's weighted ratio of two texts, without regard to case and punctuation.

    Documented is the library; the scorer is the one of the documentation's own example. Raises UnavailableError without it.
    """
    try:
        from rapidfuzz import fuzz, utils
    except ImportError:
        message = "fuzzy_match needs rapidfuzz: pip install 'azure-openai-mockserver[graders]'"
        raise UnavailableError(message) from None
    return fuzz.WRatio(text, reference, processor=utils.default_process) / 100
