"""Merges two schemas, for `allOf`, for a branch with keywords beside it, and for a reference with siblings."""

from __future__ import annotations

from mockserver.model.json_schema.keywords import Json, Node, declared_types, is_number

_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


def types_agree(branch: Json, rest: Node) -> bool:
    """Whether some type is allowed by a branch and by the keywords beside it."""
    if not isinstance(branch, dict):
        return branch is True
    ours, theirs = declared_types(rest), declared_types(branch)
    return not ours or not theirs or any(kind in theirs or (kind == "integer" and "number" in theirs) for kind in ours)


def merge(first: Node, second: Json) -> Node:
    """A schema with the demands of both, as far as their keywords can be combined."""
    if not isinstance(second, dict):
        return first
    node = {**first, **second}
    separate: list[Json] = []  # what cannot be one keyword becomes a member of `allOf`
    for key in first:
        if key in ("$ref", "anyOf", "oneOf") and key in second:
            separate.append({key: first[key]})
        elif key in second:
            node[key] = _combine(key, first[key], second[key])
    if separate:
        node["allOf"] = [*(node.get("allOf") or []), *separate]
    return node


def _combine(key: str, first: Json, second: Json) -> Json:
    if isinstance(first, dict) and isinstance(second, dict):
        if key == "properties":
            shared = {name: _both(first[name], schema) for name, schema in second.items() if name in first}
            return {**first, **second, **shared}
        return _both(first, second) if key in ("items", "additionalProperties") else second
    if key in ("required", "allOf") and isinstance(first, list) and isinstance(second, list):
        return first + [value for value in second if value not in first]
    if key in ("type", "enum"):
        ours, theirs = (value if isinstance(value, list) else [value] for value in (first, second))
        return [value for value in ours if value in theirs] or second
    if key in (*_LOWER_BOUNDS, *_UPPER_BOUNDS) and is_number(first) and is_number(second):
        return max(first, second) if key in _LOWER_BOUNDS else min(first, second)
    return first if first is False else second


def _both(first: Json, second: Json) -> Json:
    return first if first == second else {"allOf": [first, second]}
