"""The schema of an eval's data: which variables its templates can name, and whether an item fits it.

Of an item are checked the members that are required and the types of those that it has; what is deeper is the graders' matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mockserver import errors

if TYPE_CHECKING:
    from mockserver.api.evals.requests import CustomConfig, LogsConfig
    from mockserver.model.grade.templates import Reference

Json = Any
_SAMPLE = {"type": "object", "properties": {"output_text": {"type": "string"}}}
_OPEN = ("$ref", "allOf", "anyOf", "oneOf", "patternProperties")
"""Keywords behind which anything can be."""
_CLASSES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_SCALARS = ("string", "integer", "number", "boolean", "null")


def described(config: CustomConfig | LogsConfig) -> dict[str, Json]:
    """A data source configuration as the service shows it: with the schema of what templates can name (recorded for `custom`)."""
    if config.type == "custom":
        schema = {"item": config.item_schema} | ({"sample": _SAMPLE} if config.include_sample_schema else {})
        return {
            "type": "custom",
            "item_schema": {},
            "include_sample_schema": bool(config.include_sample_schema),
            "schema": schema,
        }
    return {"type": config.type, "metadata": config.metadata or {}, "schema": {"item": {"type": "object"}, "sample": _SAMPLE}}


def refuse_unknown(references: Iterable[Reference], schema: Mapping[str, Json], path: str) -> None:
    """Raise ApiError 400 for a placeholder, in what stands at `path`, that names nothing of the schema (wording inferred)."""
    for reference in references:
        space, text = reference.namespace, f"'{{{{{reference.text}}}}}'"
        if space not in schema:
            hint = "set 'include_sample_schema' to use samples" if space == "sample" else "only items are there"
            raise errors.invalid_value(path, f"Invalid '{path}': {text} is not in the schema of the data source; {hint}.")
        if space == "item" and not leads(schema["item"], reference.steps):
            raise errors.invalid_value(path, f"Invalid '{path}': {text} names no field of the item schema.")


def leads(schema: Json, steps: Iterable[str | int]) -> bool:
    """Whether something can be at the end of these steps, as far as a JSON Schema says."""
    for step in steps:
        if not isinstance(schema, dict) or any(keyword in schema for keyword in _OPEN):
            return True
        properties, name = schema.get("properties"), str(step)
        if isinstance(properties, dict) and name in properties:
            schema = properties[name]
        elif schema.get("type") == "array":
            if not name.isdecimal():
                return False
            schema = schema.get("items")
        else:
            return not _closed(schema)
    return True


def _closed(schema: dict[str, Json]) -> bool:
    """Whether an object has no other members than those that are described, or the value has none at all."""
    kind = schema.get("type")
    if isinstance(kind, str) and kind in _SCALARS:
        return True
    return schema.get("additionalProperties") is False or (
        isinstance(schema.get("properties"), dict) and not schema.get("additionalProperties")
    )


def mistake(schema: Mapping[str, Json], item: Mapping[str, Json]) -> str | None:
    """What is wrong with an item, None where it fits its schema."""
    required, properties = schema.get("required"), schema.get("properties")
    for name in required if isinstance(required, list) else ():
        if isinstance(name, str) and name not in item:
            return f"'{name}' is required by the item schema"
    for name, described in properties.items() if isinstance(properties, dict) else ():
        kind = described.get("type") if isinstance(described, dict) else None
        if name in item and isinstance(kind, str) and kind in _CLASSES and not _is(item[name], kind):
            return f"'{name}' is not of type '{kind}', as the item schema has it"
    return None


def _is(value: Json, kind: str) -> bool:
    return isinstance(value, _CLASSES[kind]) and (kind == "boolean" or not isinstance(value, bool))
