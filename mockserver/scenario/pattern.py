"""Regular expressions that are safe to run on whatever a client sends."""

from __future__ import annotations

import re

SEARCH_LIMIT = 10_000  # characters of a text; beyond that even harmless expressions take noticeable time


def compile_pattern(text: str) -> re.Pattern[str]:
    """A regular expression for `search` in the first `SEARCH_LIMIT` characters of a text.

    Raises ValueError for an invalid one, and for one whose nested repeats can take a time that doubles with every character.
    """
    from mockserver.scenario.backtracking import is_explosive  # few scenarios have expressions

    try:
        pattern = re.compile(text)
        explosive = is_explosive(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    if explosive:
        raise ValueError(
            f"{text!r} nests repeats so that matching may never end; begin or end the outer group with a fixed character"
        )
    return pattern
