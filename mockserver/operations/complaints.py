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
    # Unknown members count only where nothing else is wrong; of what a union's branches find, the deepest finding counts, and
    # one about a value more than one about a type, since the latter may only say that another branch was meant.
    known = [pair for pair in findings if pair[1]["type"] != "extra_forbidden"] or findings
    first = known[0][0][:2]
    rivals = [pair for pair in known if pair[0][: len(first)] == first]
    values = [pair for pair in rivals if pair[1]["type"] not in _TYPES] or rivals
    depth = max(len(path) for path, _ in values)
    path, finding = next(pair for pair in values if len(pair[0]) == depth)
    expected = _expected([other for other_path, other in rivals if other_path == path])
    if expected:
        return errors.invalid_type(parameter(path), expected, describe(finding["input"]))
    return _complaint(parameter(path), finding)


def parameter(path: Sequence[str | int]) -> str:
    """A path as the service's `param` writes it: `messages[0].content`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


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
    "int_parsing": "an integer",  # these are of forms, whose fields are texts
    "int_parsing_size": "an integer",
    "float_type": "a decimal",
    "float_parsing": "a decimal",
    "bool_type": "a boolean",
    "bool_parsing": "a boolean",
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


def _complaint(param: str, finding: Any) -> ApiError:
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
    if kind in ("too_short", "too_long", "string_too_short", "string_too_long"):
        return _wrong_length(param, kind, context, value)
    if kind == "string_pattern_mismatch":
        return mismatched_string(param, context["pattern"])
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
    return below_minimum(param, value, bound) if kind.startswith("greater") else above_maximum(param, value, bound)


def _wrong_length(param: str, kind: str, context: dict[str, Any], value: Json) -> ApiError:
    if kind == "string_too_short":
        return empty_string(param, context["min_length"])
    if kind == "string_too_long":
        return long_string(param, context["max_length"], len(value))
    if kind == "too_short":
        return short_array(param, context["min_length"], len(value))
    if isinstance(value, dict):
        return large_object(param, context["max_length"], len(value))
    return long_array(param, context["max_length"], len(value))


# -- limits, for values that no model of a body describes


def check_range(param: str, value: float | None, least: float, most: float) -> None:
    """Raise ApiError 400 where a number is below `least` or above `most`; None is let through."""
    if value is not None and value < least:
        raise below_minimum(param, value, least)
    if value is not None and value > most:
        raise above_maximum(param, value, most)


def below_minimum(param: str, value: float, least: float) -> ApiError:
    """A number that is too small. A bound that is a decimal says that the parameter is one (recorded on the sister service)."""
    number = _number(least)
    message = f"Invalid '{param}': {number} below minimum value. Expected a value >= {_plain(least)}, but got {value} instead."
    return errors.invalid_value(param, message, f"{number}_below_min_value")


def above_maximum(param: str, value: float, most: float) -> ApiError:
    """A number that is too large; see `below_minimum`."""
    number = _number(most)
    message = f"Invalid '{param}': {number} above maximum value. Expected a value <= {_plain(most)}, but got {value} instead."
    return errors.invalid_value(param, message, f"{number}_above_max_value")


def empty_string(param: str, least: int = 1) -> ApiError:
    """A string without a character."""
    expected = f"Expected a string with minimum length {least}, but got an empty string instead."
    return errors.invalid_value(param, f"Invalid '{param}': empty string. {expected}", "empty_string")


def long_string(param: str, most: int, length: int) -> ApiError:
    """A string that is too long."""
    expected = f"Expected a string with maximum length {most}, but got a string with length {length} instead."
    return errors.invalid_value(param, f"Invalid '{param}': string too long. {expected}", "string_above_max_length")


def mismatched_string(param: str, pattern: str) -> ApiError:
    """A string that does not match its pattern."""
    expected = f"Expected a string that matches the pattern '{pattern}'."
    return errors.invalid_value(param, f"Invalid '{param}': string does not match pattern. {expected}")


def short_array(param: str, least: int, length: int) -> ApiError:
    """An array with too few elements."""
    if not length:
        expected = f"Expected an array with minimum length {least}, but got an empty array instead."
        return errors.invalid_value(param, f"Invalid '{param}': empty array. {expected}", "empty_array")
    expected = f"Expected an array with minimum length {least}, but got an array with length {length} instead."
    return errors.invalid_value(param, f"Invalid '{param}': array too short. {expected}", "array_below_min_length")


def long_array(param: str, most: int, length: int) -> ApiError:
    """An array with too many elements."""
    expected = f"Expected an array with maximum length {most}, but got an array with length {length} instead."
    return errors.invalid_value(param, f"Invalid '{param}': array too long. {expected}", "array_above_max_length")


def large_object(param: str, most: int, length: int) -> ApiError:
    """An object with too many members."""
    expected = f"Expected an object with at most {most} properties, but got an object with {length} properties instead."
    return errors.invalid_value(param, f"Invalid '{param}': too many properties. {expected}", "object_above_max_properties")


def _number(bound: float) -> str:
    return "integer" if isinstance(bound, int) else "decimal"


def _plain(bound: float) -> float:
    """A bound as messages write it: whole decimals without their zero."""
    return int(bound) if isinstance(bound, float) and bound.is_integer() else bound
