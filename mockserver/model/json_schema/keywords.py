"""Reads the keywords of one schema leniently: a keyword whose value makes no sense counts as absent."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any, TypeGuard
from urllib.parse import unquote

from mockserver.model.json_schema.hints import number_range

Json = Any
Node = dict[str, Json]

_NOTHING = object()  # where a reference points nowhere; null and false are values
LONGEST = 100_000  # characters of one string, and the largest value of any limit
_CLASSES: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}
TYPES = tuple(_CLASSES)  # from the least demanding to the most
_IMPLYING = {
    "object": ("properties", "required", "additionalProperties", "minProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


def declared_types(node: Node) -> list[str]:
    """The types of `type`, [] where it is absent or names none that exists."""
    types = node.get("type")
    return [kind for kind in (types if isinstance(types, list) else [types]) if isinstance(kind, str) and kind in TYPES]


def implied_type(node: Node, name: str = "") -> str:
    """The type of a schema that declares none, from its other keywords, else from the name of its property."""
    for kind, keywords in _IMPLYING.items():
        if any(keyword in node for keyword in keywords):
            return kind
    if re.match("(?:is|has|can|should)[_A-Z]", name):
        return "boolean"
    return "integer" if number_range(name) else "string"


def is_of_type(value: Json, kind: str) -> bool:
    """Whether a value has a type of JSON Schema; true and false are no numbers."""
    return isinstance(value, _CLASSES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def is_null(schema: Json) -> bool:
    """Whether a schema allows null only."""
    return isinstance(schema, dict) and (schema.get("type") == "null" or schema.get("const", ...) is None)


def is_number(value: Json) -> TypeGuard[int | float]:
    """Whether a value is a number of JSON, which true, NaN and the infinities are not."""
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def properties(node: Node) -> dict[str, Json]:
    """The schemas of the declared properties, by name."""
    schemas = node.get("properties")
    return schemas if isinstance(schemas, dict) else {}


def required(node: Node) -> list[str]:
    """The names of the required properties, each once."""
    keys = node.get("required")
    return list(dict.fromkeys(key for key in keys if isinstance(key, str))) if isinstance(keys, list) else []


def limit(node: Node, key: str, default: int) -> int:
    """A limit on a length or count, such as `minItems`; at most `LONGEST`."""
    value = node.get(key)
    return min(int(value), LONGEST) if is_number(value) and value >= 0 else default


def is_missing(root: Json, reference: str) -> bool:
    """Whether a reference points nowhere inside the document; those to other documents are not followed."""
    return reference.startswith("#") and _target(root, reference) is _NOTHING


def resolve(root: Json, reference: str) -> Json:
    """The value that a reference points to inside the document, {} where it points nowhere or outside."""
    found = _target(root, reference) if reference.startswith("#") else _NOTHING
    return {} if found is _NOTHING else found


def _target(root: Json, reference: str) -> Json:
    value = root
    for step in unquote(reference[1:]).split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and re.fullmatch("[0-9]{1,6}", key) and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            return _NOTHING
    return value


def copy_json(value: Json) -> Json:
    """A deep copy of a JSON value, without recursion: schemas of callers can nest deeper than Python's stack allows."""
    outer = [value]
    waiting: list[Any] = [outer]
    while waiting:
        holder = waiting.pop()
        for key, inner in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(inner, dict | list):
                holder[key] = inner.copy()
                waiting.append(holder[key])
    return outer[0]
