"""How much a template may use: its loops, the sizes of its values and the work of its operations, all of them bounded.

A scenario can come from a stranger, and a template sees what a client sends. Whatever a template builds is weighed, values that
stand in it several times as often as they stand there; what could grow without being built piece by piece is refused by what it
is given.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import isgenerator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.state.chance import Chance

LONGEST = 1_000_000  # characters of a text, items of a list
MOST_ROUNDS = 100_000  # of all loops together
MOST_WORK = 5 * LONGEST  # characters and items of all values that are built or read, together
_OF_VALUE = 20  # times the work of a character is that of a value, roughly
_MOST_BITS = 4_096  # of a whole number
_LONGEST_SET = 100  # characters to strip, each of which is compared with each of a text
_CODECS = ("utf-8", "utf8", "ascii", "latin-1")  # others take a time that grows with the square of a text
_DIRECTIVE = re.compile(r"%(?:\([^)]*\))?[-#0 +]*([0-9*]*)(?:\.([0-9*]*))?")


class LimitError(Exception):
    """A template used more than its limits allow, or its value is none that an answer can hold."""


class Limits:
    """The limits and the chance of one rendering. A template's context has it as `_limits`."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        self._rounds, self._work = MOST_ROUNDS, MOST_WORK

    def rounds(self, values: Iterable[Any], cost: int = 0) -> Iterator[Any]:
        """Yield the values; each round costs so much work. Raises LimitError once all loops have gone round too often."""
        for value in values:
            self._rounds -= 1
            if self._rounds < 0:
                raise LimitError(f"its loops went round more than {MOST_ROUNDS:,} times")
            self.spend(cost)
            yield value

    def spend(self, work: int) -> None:
        """Count work: characters and items that are built or read. Raises LimitError where it is too much."""
        self._work -= work
        if self._work < 0:
            raise LimitError(f"its values grew beyond {MOST_WORK:,} characters and items in all")

    def weighed(self, value: Any) -> Any:
        """The value, a generator as its list, after its weight is counted. Raises LimitError."""
        if isgenerator(value):
            value = list(self.rounds(value))
        waiting = [value]
        while waiting:
            inner = waiting.pop()
            self.spend(_size(inner))
            if isinstance(inner, dict):
                waiting += inner
                waiting += inner.values()
            elif isinstance(inner, (list, tuple, set, frozenset)):
                waiting += inner
        return value

    def check_call(self, function: Any, arguments: Iterable[Any]) -> None:
        """Refuse a method of a built-in type whose arguments say that it takes long or that its result is large."""
        owner, name, given = getattr(function, "__self__", None), getattr(function, "__name__", ""), list(arguments)
        self.weighed(given)
        if isinstance(owner, (str, bytes, int)):
            for number in given:
                check_size(number)
        if isinstance(owner, (str, bytes, list, tuple, Mapping)):
            self.spend(len(owner))
        if isinstance(owner, (str, bytes)) and name in _GROWTH:
            check_size(_GROWTH[name](owner, *given))


def _size(value: Any) -> int:
    """How much one value weighs, without those inside it. Raises LimitError for one that is too large by itself."""
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise LimitError("a number is too large")
    if not isinstance(value, (str, bytes, list, tuple, set, frozenset, dict)):
        return _OF_VALUE
    if len(value) > LONGEST:
        raise LimitError(f"a text or list grew beyond {LONGEST:,}")
    return _OF_VALUE + len(value)


def check_size(number: Any) -> Any:
    """The same number. Raises LimitError for one that is too large to be the size of anything."""
    if isinstance(number, int) and abs(number) > LONGEST:
        raise LimitError(f"a text or list grew beyond {LONGEST:,}")
    return number


# -- operators: by what they are given, how large their results are


def calculate(sign: str, left: Any, right: Any) -> Any:
    """A binary operator's result. Raises LimitError."""
    _size(left)
    _size(right)
    if sign == "*":
        for sequence, times in ((left, right), (right, left)):
            if isinstance(sequence, (str, bytes, list, tuple)) and isinstance(times, int):
                check_size(len(sequence) * times)
    elif sign == "**" and isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > _MOST_BITS:
        raise LimitError("a power is too large")
    elif sign == "%" and isinstance(left, str):
        return percent(left, right)
    return _OPERATORS[sign](left, right)


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
}
OPERATORS = frozenset(_OPERATORS)


def percent(text: str, values: Any) -> str:
    """`text % values`. Raises LimitError where the text asks for a long result: by widths, or by values that it names often."""
    sizes = [size for directive in _DIRECTIVE.finditer(text) for size in directive.groups() if size]
    if any("*" in size for size in sizes):
        raise LimitError("a width cannot be a value here")
    check_size(sum(int(size[:9]) for size in sizes))
    check_size(text.count("%") * longest_text(values))
    result: str = text % values
    return result


def longest_text(values: Any) -> int:
    """How long the longest of several values is as a text, at most."""
    several = values.values() if isinstance(values, Mapping) else values if isinstance(values, (list, tuple)) else (values,)
    return max((len(value) for value in several if isinstance(value, (str, bytes, list, tuple, Mapping))), default=0)


# -- methods of texts: how long their results are


def _replaced(owner: Any, old: Any, new: Any, *_: Any) -> int:
    return len(owner) + int(owner.count(old)) * len(new)


def _joined(owner: Any, pieces: Any) -> int:
    return len(owner) * len(pieces) if isinstance(pieces, (str, list, tuple, Mapping)) else LONGEST + 1


def _translated(owner: Any, table: Any, *_: Any) -> int:
    return len(owner) * max(1, longest_text(table))


def _expanded(owner: Any, width: int = 8) -> int:
    return len(owner) + len(owner) * abs(width)


def _stripped(owner: Any, characters: Any = None) -> int:
    return 0 if characters is None or len(characters) <= _LONGEST_SET else LONGEST + 1


def _coded(owner: Any, codec: str = "utf-8", *_: Any) -> int:
    return 0 if codec.lower() in _CODECS else LONGEST + 1


_GROWTH: dict[str, Callable[..., int]] = {
    "replace": _replaced,
    "join": _joined,
    "translate": _translated,
    "expandtabs": _expanded,
    "strip": _stripped,
    "lstrip": _stripped,
    "rstrip": _stripped,
    "encode": _coded,
    "decode": _coded,
    "striptags": lambda owner: LONGEST + 1,  # its time grows with the square of the text
}
