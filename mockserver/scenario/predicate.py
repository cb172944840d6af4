"""Tests of one value, each with a description for messages: `equals`, `contains`, `matches` and the other matchers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mockserver.scenario.pattern import SEARCH_LIMIT, compile_pattern

if TYPE_CHECKING:
    from mockserver.model.bounded_regex import BoundedPattern

Json = Any
BareMeaning = Literal["contains", "equals"]


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()


class Value:
    """A value of a call as JSON, as text and as casefolded text, which many rules compare. NOTHING is an absent value."""

    __slots__ = ("folded", "json", "text")

    def __init__(self, value: Json | _Nothing) -> None:
        self.json = value
        self.text = value if isinstance(value, str) else "" if value is NOTHING else json.dumps(value, ensure_ascii=False)
        self.folded = self.text.casefold()

    def __str__(self) -> str:
        return abbreviate(self.json)


def abbreviate(value: Json | _Nothing, limit: int = 80) -> str:
    """The value as a message quotes it: on one line, in at most `limit` characters."""
    if not isinstance(value, (str, _Nothing)):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= limit else text[: limit - 1] + "…"
    text = repr(value[:limit] if isinstance(value, str) else value)
    return text if len(text) <= limit else text[: limit - 2] + "…'"


@dataclass(frozen=True, slots=True)
class Predicate:
    """A test of one value. `expected` describes a passing value for messages.

    `distance` is how far off a failing value is, above 0 (near) and at most 1. `patterns` are the regular expressions in
    the test, whose groups a template may use.
    """

    expected: str
    test: Callable[[Value], bool]
    distance: Callable[[Value], float] = lambda value: 1.0
    patterns: tuple[re.Pattern[str] | BoundedPattern, ...] = ()


def equals(operand: Json) -> Predicate:
    """The value is `operand`, of the same type: true is not 1."""
    boolean = isinstance(operand, bool)

    def test(value: Value) -> bool:
        return bool(value.json == operand) and isinstance(value.json, bool) is boolean

    return (
        Predicate(abbreviate(operand), test, _closeness(operand))
        if isinstance(operand, str)
        else Predicate(abbreviate(operand), test)
    )


def contains(operand: str) -> Predicate:
    """The text contains `operand`, in any case."""
    needle = operand.casefold()
    return Predicate(f"to contain {abbreviate(operand)}", lambda value: needle in value.folded, _closeness(operand))


def starts_with(operand: str) -> Predicate:
    """The text begins with `operand`, in any case."""
    needle = operand.casefold()
    return Predicate(f"to start with {abbreviate(operand)}", lambda value: value.folded.startswith(needle), _closeness(operand))


def ends_with(operand: str) -> Predicate:
    """The text ends with `operand`, in any case."""
    needle = operand.casefold()
    return Predicate(f"to end with {abbreviate(operand)}", lambda value: value.folded.endswith(needle), _closeness(operand))


def matches(operand: str) -> Predicate:
    """The regular expression matches somewhere in the text's first 10,000 characters. Raises ValueError for an unusable one."""
    pattern = compile_pattern(operand)
    search = pattern.search

    def test(value: Value) -> bool:
        return value.json is not NOTHING and search(value.text, 0, SEARCH_LIMIT) is not None

    return Predicate(f"to match {abbreviate(operand)}", test, patterns=(pattern,))


def at_least(operand: float) -> Predicate:
    """A number that is not below `operand`."""
    return Predicate(f"at least {operand:g}", lambda value: _number(value) >= operand)


def at_most(operand: float) -> Predicate:
    """A number that is not above `operand`."""
    return Predicate(f"at most {operand:g}", lambda value: _number(value) <= operand)


def exists(operand: bool) -> Predicate:
    """The value is present, or with False absent."""
    return Predicate("something" if operand else "nothing", lambda value: (value.json is not NOTHING) is operand)


def any_of(predicates: Sequence[Predicate]) -> Predicate:
    """At least one of `predicates` holds."""
    tests = [predicate.test for predicate in predicates]
    return Predicate(
        " or ".join(predicate.expected for predicate in predicates),
        lambda value: any(test(value) for test in tests),
        lambda value: min(predicate.distance(value) for predicate in predicates),
        _patterns(predicates),
    )


def all_of(predicates: Sequence[Predicate]) -> Predicate:
    """All of `predicates` hold."""
    if len(predicates) == 1:
        return predicates[0]
    tests = [predicate.test for predicate in predicates]
    return Predicate(
        " and ".join(predicate.expected for predicate in predicates),
        lambda value: all(test(value) for test in tests),
        lambda value: sum(predicate.distance(value) for predicate in predicates if not predicate.test(value)) / len(predicates),
        _patterns(predicates),
    )


def negated(predicate: Predicate) -> Predicate:
    """`predicate` does not hold."""
    return Predicate(f"not {predicate.expected}", lambda value: not predicate.test(value))


_OPERATORS: dict[str, Callable[[Any], Predicate]] = {
    operator.__name__: operator for operator in (equals, contains, starts_with, ends_with, matches, at_least, at_most, exists)
}


def compile_matcher(matcher: Json, bare: BareMeaning) -> Predicate:
    """The predicate for a matcher of the file. `bare` is what a bare value means; a list matches where one member does."""
    if isinstance(matcher, list):
        return any_of([compile_matcher(member, bare) for member in matcher])
    fields = getattr(matcher, "model_fields_set", None)
    if fields is None:
        return contains(matcher) if bare == "contains" else equals(matcher)
    parts = [make(getattr(matcher, name)) for name, make in _OPERATORS.items() if name in fields]
    if "any" in fields:
        parts.append(any_of([compile_matcher(member, bare) for member in matcher.any]))
    if "all" in fields:
        parts += [compile_matcher(member, bare) for member in matcher.all]
    if "not_" in fields:
        parts.append(negated(compile_matcher(matcher.not_, bare)))
    return all_of(parts)


def _patterns(predicates: Iterable[Predicate]) -> tuple[re.Pattern[str] | BoundedPattern, ...]:
    return tuple(pattern for predicate in predicates for pattern in predicate.patterns)


def _number(value: Value) -> float:
    """The value where it is a number, else NaN, which compares as false."""
    number = value.json
    return number if isinstance(number, (int, float)) and not isinstance(number, bool) else float("nan")


def _closeness(operand: str) -> Callable[[Value], float]:
    """A distance that is small where the value contains most of `operand` in one piece, so that a typing error comes near."""

    def distance(value: Value) -> float:
        from difflib import SequenceMatcher

        expected, text = operand.casefold()[:200], value.folded[:200]  # the search takes quadratic time
        longest = SequenceMatcher(None, expected, text, autojunk=False).find_longest_match().size
        return 1.0 - 0.9 * longest / max(len(expected), 1)  # never 0, which would mean that it passes

    return distance
