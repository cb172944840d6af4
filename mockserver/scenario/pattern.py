"""Regular expressions that are safe to run on whatever a client sends."""

from __future__ import annotations

import re
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

LOOKS_AT = 10_000
_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT)
_CHARACTERS = (codes.LITERAL, codes.NOT_LITERAL, codes.IN, codes.ANY)


def compile_pattern(text: str) -> re.Pattern[str]:
    """A regular expression for `search` in the first `LOOKS_AT` characters of a text.

    Raises ValueError where it is not one, or where its nested repeats can take a time that doubles with every character:
    a repeat inside a repeat is let through only where a fixed character begins or ends each round.
    """
    try:
        tree = parser.parse(text)
        explosive = _explosive(tree)
        pattern = re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from None
    if explosive:
        raise ValueError(
            f"{text!r} nests repeats so that matching may never end; begin or end the outer group with a fixed character"
        )
    return pattern


def _explosive(tree: Any) -> bool:
    for code, argument in tree:
        if code in _REPEATS and argument[1] is codes.MAXREPEAT:
            body = argument[2]
            if _endless(body) and not (_fixed(body, 0) or _fixed(body, -1)):
                return True
        if any(_explosive(inner) for inner in _inside(code, argument)):
            return True
    return False


def _endless(tree: Any) -> bool:
    """Whether an unbounded repeat stands anywhere inside, where matching can come back to it."""
    for code, argument in tree:
        if code in _REPEATS and argument[1] is codes.MAXREPEAT:
            return True
        if code is not codes.ATOMIC_GROUP and any(map(_endless, _inside(code, argument))):
            return True
    return False


def _fixed(tree: Any, end: int) -> bool:
    """Whether the first (0) or last (-1) thing of a sequence is exactly one character."""
    if not len(tree):
        return False
    code, argument = tree[end]
    if code is codes.SUBPATTERN or code is codes.BRANCH:
        return all(_fixed(inner, end) for inner in _inside(code, argument))
    return code in _CHARACTERS


def _inside(code: Any, argument: Any) -> list[Any]:
    """The sequences that an element of a parsed expression is made of."""
    if code in (*_REPEATS, codes.POSSESSIVE_REPEAT):
        return [argument[2]]
    if code is codes.BRANCH:
        return list(argument[1])
    if code is codes.SUBPATTERN:
        return [argument[3]]
    if code is codes.ATOMIC_GROUP:
        return [argument]
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return [argument[1]]
    if code is codes.GROUPREF_EXISTS:
        return [inner for inner in argument[1:] if inner is not None]
    return []
