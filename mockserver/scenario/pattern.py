"""Regular expressions that are safe to run on whatever a client sends."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.model.bounded_regex import BoundedPattern

SEARCH_LIMIT = 10_000  # characters of a text; beyond that even harmless expressions take noticeable time


def compile_pattern(text: str) -> re.Pattern[str] | BoundedPattern:
    """A regular expression for `search` in the first `SEARCH_LIMIT` characters of a text.

    Python's own, where that takes no longer than the square of the text; else one that means the same and does not. Raises
    ValueError for an invalid one, and for one that holds what only Python's own can match and takes too long.
    """
    from mockserver.model import regex  # few scenarios have expressions
    from mockserver.model.bounded_regex import searcher

    try:
        pattern = re.compile(text)
        alternatives = regex.read(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    try:
        return searcher(pattern, alternatives, SEARCH_LIMIT, SEARCH_LIMIT)
    except ValueError as error:
        raise ValueError(
            f"{text!r} can take too long: it repeats what can match a text in several ways, and has {error}"
        ) from None
