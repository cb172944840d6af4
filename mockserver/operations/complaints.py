"""Pydantic's findings about a body, in the service's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from mockserver import errors
from mockserver.errors import ApiError

Json = Any


def refusal(error: ValidationError, document: Json) -> ApiError:
    """The one error that the service would send for these findings."""
    findings = [(_path(finding["loc"], document, finding["type"]), finding) for finding in error.errors(include_url=False)]
    known = [pair for pair in findings if pair[1]["type"] != "extra_forbidden"] or findings
    first = known[0][0][:2]
    rivals = [pair for pair in known if pair[0][: len(first)] == first]
    shapes = [pair for pair in rivals if pair[1]["type"] not in _TYPES] or rivals
    depth = max(len(path) for path, _ in shapes)
    path, finding = next(pair for pair in shapes if len(pair[0]) == depth)
    expected = _expected([other for other_path, other in rivals if other_path == path])
    if expected:
        return errors.invalid_type(spell(path), expected, describe(finding["input"]))
    return _explain(spell(path), finding)


def spell(path: Sequence[str | int]) -> str:
    """A path as the service writes it: `messages[0].content`."""
    spelled = ""
    for step in path:
        spelled += f"[{step}]" if isinstance(step, int) else f".{step}" if spelled else step
    return spelled


def _path(location: Sequence[str | int], document: Json, kind: str) -> tuple[str | int, ...]:
    """Where the finding is. Pydantic mixes the names of union branches into a location; the document tells them apart."""
    path: list[str | int] = []
    here = document
    for at, step in enumerate(location):
        if _leads_on(here, step):
            here = here[step]
        elif kind != "missing" or at < len(location) - 1:
            continue
        path.append(step)
    return tuple(path)


def _leads_on(here: Json, step: str | int) -> bool:
    if isinstance(here, list):
        return isinstance(step, int) and step < len(here)
    return isinstance(here, dict) and step in here


_TYPES = {
    "string_type": "a string",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a decimal",
    "bool_type": "a boolean",
    "list_type": "an array of objects",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


def _expected(findings: list[Any]) -> str | None:
    kinds = [_array(finding) or _TYPES.get(finding["type"]) for finding in findings]
    if None in kinds:
        return None
    names = list(dict.fromkeys(kind for kind in kinds if kind))
    if len(names) == 1:
        return names[0]
    return "one of " + ", ".join(names[:-1]) + f" or {_bare(names[-1])}"


def _array(finding: Any) -> str | None:
    """What an array should have held, as far as the branch of a union says it."""
    if finding["type"] != "list_type":
        return None
    branch = str(finding["loc"][-1])
    content = "strings" if "list[str" in branch else "integers" if "list[int" in branch else "objects"
    return f"an array of {content}"


def _bare(name: str) -> str:
    return name.partition(" ")[2]


def describe(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int):
        return "an integer"
    if isinstance(value, float):
        return "a decimal"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


def _explain(param: str, finding: Any) -> ApiError:
    kind, context, value = finding["type"], finding.get("ctx", {}), finding["input"]
    if kind == "missing":
        return errors.missing_parameter(param)
    if kind == "extra_forbidden":
        return errors.unknown_parameter(param)
    if kind in ("literal_error", "union_tag_invalid"):
        return _choice(param, kind, context, value)
    if kind == "union_tag_not_found":
        return errors.missing_parameter(f"{param}.{context['discriminator'].strip(chr(39))}")
    if kind in ("greater_than_equal", "less_than_equal", "greater_than", "less_than"):
        return _out_of_range(param, kind, context, value)
    if kind in _LENGTHS:
        return _LENGTHS[kind](param, context, value)
    if kind == "string_pattern_mismatch":
        expected = f"Expected a string that matches the pattern '{context['pattern']}'."
        return errors.invalid_value(param, f"Invalid '{param}': string does not match pattern. {expected}")
    if kind == "value_error":
        inner = context.get("error")
        message = str(inner) if inner is not None else finding["msg"]
        return errors.invalid_value(param, message.replace("{param}", param))
    return errors.invalid_value(param, f"Invalid '{param}': {finding['msg'][0].lower()}{finding['msg'][1:]}.")


def _choice(param: str, kind: str, context: dict[str, Any], value: Json) -> ApiError:
    if kind == "literal_error":
        if not isinstance(value, str):
            return errors.invalid_type(param, "a string", describe(value))
        return errors.unsupported_choice(param, value, _quoted(context["expected"]))
    tag = context["discriminator"].strip("'")
    return errors.unsupported_choice(f"{param}.{tag}" if param else tag, str(context["tag"]), _quoted(context["expected_tags"]))


def _quoted(listed: str) -> list[str]:
    return listed.split("'")[1::2]


def _out_of_range(param: str, kind: str, context: dict[str, Any], value: Json) -> ApiError:
    bound = next(iter(context.values()))
    number = "integer" if isinstance(value, int) else "decimal"
    below = kind.startswith("greater")
    side, sign = ("below minimum", ">=") if below else ("above maximum", "<=")
    bound = int(bound) if isinstance(bound, float) and bound.is_integer() else bound
    message = f"Invalid '{param}': {number} {side} value. Expected a value {sign} {bound}, but got {value} instead."
    return errors.invalid_value(param, message, f"{number}_{'below_min' if below else 'above_max'}_value")


def _short_array(param: str, context: dict[str, Any], value: Json) -> ApiError:
    least = context["min_length"]
    if not value:
        expected = f"Expected an array with minimum length {least}, but got an empty array instead."
        return errors.invalid_value(param, f"Invalid '{param}': empty array. {expected}", "empty_array")
    expected = f"Expected an array with minimum length {least}, but got an array with length {len(value)} instead."
    return errors.invalid_value(param, f"Invalid '{param}': array too short. {expected}", "array_below_min_length")


def _long_array(param: str, context: dict[str, Any], value: Json) -> ApiError:
    most = context["max_length"]
    if isinstance(value, dict):
        expected = f"Expected an object with at most {most} properties, but got an object with {len(value)} properties instead."
        return errors.invalid_value(param, f"Invalid '{param}': too many properties. {expected}", "object_above_max_properties")
    expected = f"Expected an array with maximum length {most}, but got an array with length {len(value)} instead."
    return errors.invalid_value(param, f"Invalid '{param}': array too long. {expected}", "array_above_max_length")


def _short_string(param: str, context: dict[str, Any], value: Json) -> ApiError:
    least = context["min_length"]
    expected = f"Expected a string with minimum length {least}, but got an empty string instead."
    return errors.invalid_value(param, f"Invalid '{param}': empty string. {expected}", "empty_string")


def _long_string(param: str, context: dict[str, Any], value: Json) -> ApiError:
    most = context["max_length"]
    expected = f"Expected a string with maximum length {most}, but got a string with length {len(value)} instead."
    return errors.invalid_value(param, f"Invalid '{param}': string too long. {expected}", "string_above_max_length")


_LENGTHS = {
    "too_short": _short_array,
    "too_long": _long_array,
    "string_too_short": _short_string,
    "string_too_long": _long_string,
}
