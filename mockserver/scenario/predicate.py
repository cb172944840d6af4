"""Tests of one value, and what they ask for in words: `equals`, `contains`, `matches` and the other matchers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mockserver.scenario.pattern import LOOKS_AT, compile_pattern

if TYPE_CHECKING:
    pass

Json = Any
Bare = Literal["contains", "equals"]


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()


class Value:
    """A value of a call, with its text as it is and folded, so that many rules can look at it. NOTHING is an absent value."""

    __slots__ = ("folded", "text", "value")

    def __init__(self, value: Json | _Nothing) -> None:
        self.value = value
        self.text = value if isinstance(value, str) else "" if value is NOTHING else json.dumps(value, ensure_ascii=False)
        self.folded = self.text.casefold()

    def __str__(self) -> str:
        return shown(self.value)


def shown(value: Json | _Nothing, limit: int = 80) -> str:
    """A value for a message: on one line, at most `limit` characters."""
    if not isinstance(value, (str, _Nothing)):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= limit else text[: limit - 1] + "…"
    text = repr(value[:limit] if isinstance(value, str) else value)
    return text if len(text) <= limit else text[: limit - 2] + "…'"


@dataclass(frozen=True, slots=True)
class Predicate:
    """A test of one value, what it asks for in words, and how near a failing value comes: from just above 0 to 1 (far).

    `patterns` are the regular expressions in it, whose groups a template may use.
    """

    words: str
    test: Callable[[Value], bool]
    distance: Callable[[Value], float] = lambda seen: 1.0
    patterns: tuple[re.Pattern[str], ...] = ()


def equals(operand: Json) -> Predicate:
    """The whole value is `operand`; true is not 1."""
    boolean = isinstance(operand, bool)

    def test(seen: Value) -> bool:
        return bool(seen.value == operand) and isinstance(seen.value, bool) is boolean

    return Predicate(shown(operand), test, _closeness(operand)) if isinstance(operand, str) else Predicate(shown(operand), test)


def contains(operand: str) -> Predicate:
    """`operand` stands somewhere in the text, in any case."""
    needle = operand.casefold()
    return Predicate(f"to contain {shown(operand)}", lambda seen: needle in seen.folded, _closeness(operand))


def starts_with(operand: str) -> Predicate:
    """The text begins with `operand`, in any case."""
    needle = operand.casefold()
    return Predicate(f"to start with {shown(operand)}", lambda seen: seen.folded.startswith(needle), _closeness(operand))


def ends_with(operand: str) -> Predicate:
    """The text ends with `operand`, in any case."""
    needle = operand.casefold()
    return Predicate(f"to end with {shown(operand)}", lambda seen: seen.folded.endswith(needle), _closeness(operand))


def matches(operand: str) -> Predicate:
    """The regular expression is found in the text's first 10,000 characters. Raises ValueError for an unusable one."""
    pattern = compile_pattern(operand)
    search = pattern.search

    def test(seen: Value) -> bool:
        return seen.value is not NOTHING and search(seen.text, 0, LOOKS_AT) is not None

    return Predicate(f"to match {shown(operand)}", test, patterns=(pattern,))


def at_least(operand: float) -> Predicate:
    """A number that is not below `operand`."""
    return Predicate(f"at least {operand:g}", lambda seen: _number(seen) >= operand)


def at_most(operand: float) -> Predicate:
    """A number that is not above `operand`."""
    return Predicate(f"at most {operand:g}", lambda seen: _number(seen) <= operand)


def exists(operand: bool) -> Predicate:
    """The value is there, or is not."""
    return Predicate("something" if operand else "nothing", lambda seen: (seen.value is not NOTHING) is operand)


def any_of(predicates: Sequence[Predicate]) -> Predicate:
    """At least one of `predicates` holds."""
    tests = [predicate.test for predicate in predicates]
    return Predicate(
        " or ".join(predicate.words for predicate in predicates),
        lambda seen: any(test(seen) for test in tests),
        lambda seen: min(predicate.distance(seen) for predicate in predicates),
        _patterns(predicates),
    )


def all_of(predicates: Sequence[Predicate]) -> Predicate:
    """All of `predicates` hold."""
    if len(predicates) == 1:
        return predicates[0]
    tests = [predicate.test for predicate in predicates]
    return Predicate(
        " and ".join(predicate.words for predicate in predicates),
        lambda seen: all(test(seen) for test in tests),
        lambda seen: sum(predicate.distance(seen) for predicate in predicates if not predicate.test(seen)) / len(predicates),
        _patterns(predicates),
    )


def negated(predicate: Predicate) -> Predicate:
    """`predicate` does not hold."""
    return Predicate(f"not {predicate.words}", lambda seen: not predicate.test(seen))


_OPERATORS: dict[str, Callable[[Any], Predicate]] = {
    operator.__name__: operator for operator in (equals, contains, starts_with, ends_with, matches, at_least, at_most, exists)
}


def predicate_of(matcher: Json, bare: Bare) -> Predicate:
    """The predicate that a matcher of the file stands for; `bare` is what a bare value means. A list is any of its members."""
    if isinstance(matcher, list):
        return any_of([predicate_of(member, bare) for member in matcher])
    fields = getattr(matcher, "model_fields_set", None)
    if fields is None:
        return contains(matcher) if bare == "contains" else equals(matcher)
    parts = [make(getattr(matcher, name)) for name, make in _OPERATORS.items() if name in fields]
    if "any" in fields:
        parts.append(any_of([predicate_of(member, bare) for member in matcher.any]))
    if "all" in fields:
        parts += [predicate_of(member, bare) for member in matcher.all]
    if "not_" in fields:
        parts.append(negated(predicate_of(matcher.not_, bare)))
    return all_of(parts)


def _patterns(predicates: Iterable[Predicate]) -> tuple[re.Pattern[str], ...]:
    return tuple(pattern for predicate in predicates for pattern in predicate.patterns)


def _number(seen: Value) -> float:
    """The value where it is a number, else NaN, which compares as false."""
    value = seen.value
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else float("nan")


def _closeness(operand: str) -> Callable[[Value], float]:
    """Small where most of `operand` stands in the value in one piece, so that a slip of the finger comes near."""

    def distance(seen: Value) -> float:
        from difflib import SequenceMatcher

        wanted, text = operand.casefold()[:200], seen.folded[:200]
        longest = SequenceMatcher(None, wanted, text, autojunk=False).find_longest_match().size
        return 1.0 - 0.9 * longest / max(len(wanted), 1)

    return distance
