"""Filters on the attributes of files: comparisons, and combinations of filters (spec)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import ge, gt, le, lt
from typing import Any

Json = Any
Value = str | bool | int | float
Filter = Callable[[Mapping[str, Json]], bool]

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
_COMPARISONS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin")
_COMBINATIONS: dict[str, Callable[[Any], bool]] = {"and": all, "or": any}


class FilterError(ValueError):
    """A filter that is none. `path` leads to what is wrong, for instance `filters[0].value`; it is empty for the filter itself."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message


def compile_filter(document: Json, path: str = "") -> Filter:
    """The filter that a JSON document describes, as a function of a file's attributes. Raises FilterError.

    Values of different kinds are never equal, and neither is before the other; texts come in the order of their characters. A
    file without the attribute has a value that is unequal to all, and before and after none (inferred).
    """
    if not isinstance(document, dict):
        raise FilterError(path, "a filter is an object")
    if document.get("type") in tuple(_COMBINATIONS):
        return _combination(document, path)
    if document.get("type") in _COMPARISONS:
        return _comparison(document, path)
    known = ", ".join([*_COMPARISONS, *_COMBINATIONS])
    raise FilterError(_join(path, "type"), f"a filter has one of these types: {known}")


def _combination(document: Mapping[str, Json], path: str) -> Filter:
    filters = document.get("filters")
    path = _join(path, "filters")
    if not isinstance(filters, list):
        raise FilterError(path, "what is combined is a list of filters")
    parts = [compile_filter(one, f"{path}[{at}]") for at, one in enumerate(filters)]
    return partial(_combine, _COMBINATIONS[document["type"]], parts)


def _combine(combination: Callable[[Any], bool], parts: Sequence[Filter], attributes: Mapping[str, Json]) -> bool:
    return combination(part(attributes) for part in parts)


def _comparison(document: Mapping[str, Json], path: str) -> Filter:
    key, operator, value = document.get("key"), document["type"], document.get("value")
    if not isinstance(key, str):
        raise FilterError(_join(path, "key"), "the key of an attribute is a string")
    if operator in ("in", "nin"):
        if not isinstance(value, list) or not all(isinstance(one, Value) for one in value):
            raise FilterError(_join(path, "value"), f"{operator} takes a list of strings and numbers")
        return partial(_is_member, key, value, operator == "in")
    if not isinstance(value, Value):
        raise FilterError(_join(path, "value"), f"{operator} takes a string, a number or a boolean")
    if operator in _ORDERS:
        return partial(_is_ordered, key, value, _ORDERS[operator])
    return partial(_is_member, key, [value], operator == "eq")


def _is_member(key: str, values: Sequence[Value], wanted: bool, attributes: Mapping[str, Json]) -> bool:
    value = attributes.get(key)
    return any(value == one and _kind(value) is _kind(one) for one in values) is wanted


def _is_ordered(key: str, value: Value, order: Callable[[Any, Any], bool], attributes: Mapping[str, Json]) -> bool:
    found = attributes.get(key)
    return _kind(found) is _kind(value) and order(found, value)


def _kind(value: Json) -> type:
    """Numbers are of one kind, whole or not; but a boolean is no number here, as it is in Python."""
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _join(path: str, member: str) -> str:
    return f"{path}.{member}" if path else member
