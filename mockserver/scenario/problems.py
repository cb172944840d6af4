"""Messages for what is wrong with a scenario, in its own terms: the place, the key, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

from mockserver.scenario.document import Document
from mockserver.scenario.predicate import abbreviate
from mockserver.scenario.values import suggestion

Json = Any
Location = tuple[str | int, ...]
_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "none_required": "null",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_LIMITS = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le"), "greater_than": ("more than", "gt")}


def problems(document: Document, error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One line for each of pydantic's errors, in the order of the file."""
    lines = [_problem(document, detail, model) for detail in error.errors(include_url=False)]
    return [line for _, line in sorted(lines, key=lambda positioned: positioned[0])]


def _problem(document: Document, detail: Mapping[str, Any], model: type[BaseModel]) -> tuple[tuple[int, int], str]:
    location: Location = detail["loc"]
    at_key = detail["type"] in ("extra_forbidden", "at_key") or location[-1:] == ("[key]",)
    path = [item for item in location if not _is_tag(item)]
    if detail["type"] == "at_key":
        path.append(detail["ctx"]["key"])
    line = document.problem(path, _message(detail, model), at_key=at_key)
    return document.position(path, at_key=at_key), line


def _is_tag(item: str | int) -> bool:
    return isinstance(item, str) and (item == "[key]" or (item[:1] == "<" and item[-1:] == ">"))


def _message(detail: Mapping[str, Any], model: type[BaseModel]) -> str:
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "extra_forbidden":
        return f"unknown key; {suggestion(str(detail['loc'][-1]), _keys_around(detail['loc'], model))}"
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        valid = _literals(detail["loc"], model)
        return (
            f"there is no {abbreviate(value)}; {suggestion(str(value), valid)}" if valid else f"expected {context['expected']}"
        )
    if kind in _TYPES:
        return f"expected {_TYPES[kind]}, got {_describe(value)}" + ("; put it in quotes" if _is_unquoted(kind, value) else "")
    if kind == "expected":
        return f"{detail['msg']}; got {_describe(value)}"
    if kind in _LIMITS:
        words, limit = _LIMITS[kind]
        return f"must be {words} {context[limit]:g}, got {abbreviate(value)}"
    if kind in ("too_short", "string_too_short"):
        return "must not be empty"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return f"{abbreviate(value)} does not have the form {context['pattern']}"
    message: str = detail["msg"]
    return message[:1].lower() + message[1:]


def _describe(value: Json) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list" if value else "an empty list"
    if value is None or isinstance(value, (str, bool, int, float)):
        return abbreviate(value)
    return f"a {type(value).__name__}"


def _is_unquoted(kind: str, value: Json) -> bool:
    return kind == "string_type" and isinstance(value, (bool, int, float))


def _keys_around(location: Location, model: type[BaseModel]) -> list[str]:
    """The keys that are valid in the section that holds the last item of `location`."""
    section = _walk(model, location[:-1])
    if not (isinstance(section, type) and issubclass(section, BaseModel)):
        return []
    return [field.alias or name for name, field in section.model_fields.items()]


def _literals(location: Location, model: type[BaseModel]) -> list[str]:
    """The texts that are valid at `location`, [] where it does not take a choice of texts."""
    return [choice for choice in get_args(_walk(model, location)) if isinstance(choice, str)]


def _walk(annotation: Any, location: Location) -> Any:
    """The type that validates the value at `location`, which has the tags of unions between keys and indices."""
    for item in location:
        annotation = _step(_bare(annotation), item)
    return _bare(annotation)


def _step(annotation: Any, item: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        return next((field.annotation for name, field in fields.items() if (field.alias or name) == item), None)
    members = get_args(annotation)
    if _is_union(annotation):
        return next(
            (member for member in members if any(isinstance(mark, Tag) and mark.tag == item for mark in get_args(member)[1:])),
            None,
        )
    return members[-1] if members and get_origin(annotation) in (list, dict) else None


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _is_union(annotation: Any) -> bool:
    import types

    return get_origin(annotation) in (Union, types.UnionType)
