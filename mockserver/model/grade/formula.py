"""The formulas of `calculate_output`: how a multi grader makes one number of several.

Numbers, names of graders, `+ - * /`, `^` (also written `**`), parentheses and a few functions (documented). Powers bind to the
right and tighter than a sign, as in mathematics. A formula is read by a parser of its own and never by Python's: its length and
depth are bounded and all numbers are floats, so that a stranger's formula takes neither time nor memory.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

LONGEST = 4_096  # characters
DEEPEST = 32  # parentheses, signs and powers inside each other; far below Python's own limit on recursion
Values = Mapping[str, float]
_Node = Callable[[Values], float]
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|(\*\*|[-+*/^(),]))")
_ONE_ARGUMENT: Mapping[str, Callable[[float], float]] = {
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,
}
_MANY_ARGUMENTS: Mapping[str, Callable[[list[float]], float]] = {"min": min, "max": max}
FUNCTIONS = (*_MANY_ARGUMENTS, *_ONE_ARGUMENT)


class FormulaError(ValueError):
    """A text that is no formula, or a formula that has no value."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that has been read."""

    text: str
    _value: _Node = field(repr=False, compare=False)  # the same for the same text

    def value(self, values: Values) -> float:
        """Its value for the values of its names. Raises FormulaError where that is no finite number."""
        try:
            value = float(self._value(values))
        except (ArithmeticError, ValueError) as error:
            raise FormulaError(f"'{self.text:.80}' has no value: {error}") from None
        if not math.isfinite(value):
            raise FormulaError(f"'{self.text:.80}' has no finite value")
        return value


def read(text: str, names: Collection[str]) -> Formula:
    """A formula in which only these names occur. Raises FormulaError, which says what is wrong and where."""
    if len(text) > LONGEST:
        raise FormulaError(f"a formula has at most {LONGEST:,} characters")
    parser = _Parser(_tokens(text), names)
    node = parser.sum()
    if parser.kind != "end":
        parser.fail("an operator")
    return Formula(text, node)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None:
            raise FormulaError(f"unexpected '{text[at:].lstrip()[:1]}'")
        number, name, _ = match.groups()
        tokens.append(("number" if number else "name" if name else "sign", match[0].strip()))
        at = match.end()
    return [*tokens, ("end", "the end")]


class _Parser:
    """A recursive descent; chains of the same rank are loops, so that only nesting takes depth."""

    def __init__(self, tokens: list[tuple[str, str]], names: Collection[str]) -> None:
        self._tokens, self._names = tokens, names
        self._at = self._depth = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def token(self) -> str:
        return self._tokens[self._at][1]

    def fail(self, expected: str) -> NoReturn:
        raise FormulaError(f"expected {expected}, but got '{self.token}'" if self.kind != "end" else f"expected {expected}")

    def take(self, *signs: str) -> str:
        """The next token if it is one of these signs, else ""."""
        if self.kind != "sign" or self.token not in signs:
            return ""
        self._at += 1
        return self._tokens[self._at - 1][1]

    def sum(self) -> _Node:
        first, rest = self.product(), []
        while sign := self.take("+", "-"):
            rest.append((sign == "-", self.product()))
        return _sum(first, rest) if rest else first

    def product(self) -> _Node:
        first, rest = self.signed(), []
        while sign := self.take("*", "/"):
            rest.append((sign == "/", self.signed()))
        return _product(first, rest) if rest else first

    def signed(self) -> _Node:
        sign = self.take("+", "-")
        if not sign:
            return self.power()
        inner = self.nested(self.signed)
        return inner if sign == "+" else lambda values: -inner(values)

    def power(self) -> _Node:
        base = self.atom()
        if not self.take("^", "**"):
            return base
        exponent = self.nested(self.signed)
        return lambda values: _power(base(values), exponent(values))

    def atom(self) -> _Node:
        if self.take("("):
            node = self.nested(self.sum)
            self._close()
            return node
        kind, token = self.kind, self.token
        if kind not in ("number", "name"):
            self.fail("a number, a name or '('")
        self._at += 1
        if kind == "number":
            return _constant(float(token))
        return self.call(token) if self.take("(") else self.name(token)

    def name(self, name: str) -> _Node:
        if name not in self._names:
            known = ", ".join(f"'{one}'" for one in list(self._names)[:20])
            raise FormulaError(f"'{name}' is not the name of a grader; there are {known or 'none'}")
        return lambda values: values[name]

    def call(self, function: str) -> _Node:
        arguments = [self.nested(self.sum)]
        while self.take(","):
            arguments.append(self.nested(self.sum))
        self._close()
        if many := _MANY_ARGUMENTS.get(function):
            return lambda values: many([argument(values) for argument in arguments])
        one = _ONE_ARGUMENT.get(function)
        if one is None:
            raise FormulaError(f"'{function}' is not a function; there are {', '.join(FUNCTIONS)}")
        if len(arguments) != 1:
            raise FormulaError(f"'{function}' takes one argument")
        argument = arguments[0]
        return lambda values: one(argument(values))

    def nested(self, parse: Callable[[], _Node]) -> _Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise FormulaError(f"a formula is at most {DEEPEST} levels deep")
        node = parse()
        self._depth -= 1
        return node

    def _close(self) -> None:
        if not self.take(")"):
            self.fail("')'")


def _power(base: float, exponent: float) -> float:
    power = base**exponent
    if isinstance(power, complex):
        raise ValueError("it has the root of a negative number")
    return float(power)


def _constant(number: float) -> _Node:
    return lambda values: number


def _sum(first: _Node, rest: list[tuple[bool, _Node]]) -> _Node:
    def value(values: Values) -> float:
        total = first(values)
        for negative, node in rest:
            total += -node(values) if negative else node(values)
        return total

    return value


def _product(first: _Node, rest: list[tuple[bool, _Node]]) -> _Node:
    def value(values: Values) -> float:
        total = first(values)
        for divides, node in rest:
            total = total / node(values) if divides else total * node(values)
        return total

    return value
