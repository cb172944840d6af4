"""Numbers within the limits of their schema. They are computed as fractions, so that `multipleOf: 0.1` means a tenth."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from mockserver.model.json_schema.hints import number_range
from mockserver.model.json_schema.keywords import Json, Node, is_number
from mockserver.state.chance import Chance


def make_number(node: Node, name: str, whole: bool, chance: Chance) -> int | float:
    """A number that its schema allows, in a range that suits its name; a near one where no number is allowed."""
    low, high = _range(node, name)
    whole = whole or _too_fine_for_floats(low, high)
    multiple = _exact(node.get("multipleOf"))
    multiple = multiple if multiple is not None and multiple > 0 else None
    step = _step(multiple, whole, high - low)
    first, last = ceil(low / step), floor(high / step)
    first += first * step == _exact(node.get("exclusiveMinimum"))
    last -= last * step == _exact(node.get("exclusiveMaximum"))
    if first > last:
        return _plain((low + high) / 2 if low < high else low, whole)
    for _ in range(20):
        value = _plain(step * (first + chance.below(last - first + 1)), whole)
        if multiple is None or _divides(node["multipleOf"], value):
            break
    return value


def number_fits(node: Node, value: int | float, whole: bool) -> bool:
    """Whether a number keeps to all limits of its schema."""
    exact, multiple = _exact(value), _exact(node.get("multipleOf"))
    if exact is None or (whole and exact.denominator != 1):
        return False
    if (
        multiple is not None
        and multiple > 0
        and ((exact / multiple).denominator != 1 or not _divides(node["multipleOf"], value))
    ):
        return False
    low, high = _exact(node.get("minimum")), _exact(node.get("maximum"))
    above, below = _exact(node.get("exclusiveMinimum")), _exact(node.get("exclusiveMaximum"))
    return (
        (low is None or low <= exact)
        and (high is None or exact <= high)
        and (above is None or above < exact)
        and (below is None or exact < below)
    )


def _range(node: Node, name: str) -> tuple[Fraction, Fraction]:
    """The lowest and highest number: the schema's bounds, else what the name suggests, else a range of a hundred."""
    lows = [low for key in ("minimum", "exclusiveMinimum") if (low := _exact(node.get(key))) is not None]
    highs = [high for key in ("maximum", "exclusiveMaximum") if (high := _exact(node.get(key))) is not None]
    usual_low, usual_high = map(Fraction, number_range(name) or (1, 100))
    if lows and highs:
        return max(lows), min(highs)
    if lows:
        low = max(lows)
        return (max(low, usual_low), usual_high) if low < usual_high else (low, low + 100)
    if highs:
        high = min(highs)
        return (usual_low, min(high, usual_high)) if high > usual_low else (high - 100, high)
    return usual_low, usual_high


def _too_fine_for_floats(low: Fraction, high: Fraction) -> bool:
    """Whether floats are so far apart between these bounds that one may be rounded out of them; whole numbers are exact."""
    largest = max(abs(low), abs(high))
    return largest > 2**53 and (high - low) * 2**40 < largest


def _step(multiple: Fraction | None, whole: bool, span: Fraction) -> Fraction:
    """The distance between the numbers to choose from: a hundredth, or less where the range is narrow."""
    if whole:
        return Fraction(multiple.numerator if multiple else 1)
    step = multiple or Fraction(1, 100)
    while multiple is None and 0 < span < 10 * step:
        step /= 10
    return step


def _exact(value: Json) -> Fraction | None:
    """A number exactly as it is written, None for anything else."""
    if not is_number(value):
        return None
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def _plain(value: Fraction, whole: bool) -> int | float:
    try:
        return ceil(value) if whole else float(value)
    except OverflowError:
        return ceil(value)


def _divides(multiple: int | float, value: int | float) -> bool:
    """Whether validators that divide floats take `value` for a multiple too. Those that overflow cannot object."""
    try:
        return (value / multiple) % 1 == 0
    except OverflowError:
        return True
