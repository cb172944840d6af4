"""Two schemas made one, as `allOf`, a branch beside other keywords, and a reference with siblings ask for."""

from __future__ import annotations

from mockserver.model.json_schema.keywords import Json, Node, declared_types, is_number

_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


def agree(branch: Json, rest: Node) -> bool:
    """Whether a branch's types can go with those beside it."""
    if not isinstance(branch, dict):
        return branch is True
    ours, theirs = declared_types(rest), declared_types(branch)
    return not ours or not theirs or any(kind in theirs or (kind == "integer" and "number" in theirs) for kind in ours)


def merged(first: Node, second: Json) -> Node:
    """A schema that asks what both ask, as far as keywords can be joined."""
    if not isinstance(second, dict):
        return first
    node = {**first, **second}
    apart: list[Json] = []
    for key in first:
        if key in ("$ref", "anyOf", "oneOf") and key in second:
            apart.append({key: first[key]})
        elif key in second:
            node[key] = _joined(key, first[key], second[key])
    if apart:
        node["allOf"] = [*(node.get("allOf") or []), *apart]
    return node


def _joined(key: str, first: Json, second: Json) -> Json:
    if isinstance(first, dict) and isinstance(second, dict):
        if key == "properties":
            return {**first, **{name: _both(first[name], of) if name in first else of for name, of in second.items()}}
        return _both(first, second) if key in ("items", "additionalProperties") else second
    if key in ("required", "allOf") and isinstance(first, list) and isinstance(second, list):
        return first + [one for one in second if one not in first]
    if key in ("type", "enum"):
        ours, theirs = (one if isinstance(one, list) else [one] for one in (first, second))
        return [one for one in ours if one in theirs] or second
    if key in (*_LOWER_BOUNDS, *_UPPER_BOUNDS) and is_number(first) and is_number(second):
        return max(first, second) if key in _LOWER_BOUNDS else min(first, second)
    return first if first is False else second


def _both(first: Json, second: Json) -> Json:
    return first if first == second else {"allOf": [first, second]}
