"""Members of loose JSON objects as tables: which members an object must have, and of which kinds its members are.

Input items and tools come in some forty forms that only differ in this. What no table mentions is let through, because
clients send back objects of ours with whatever else they put into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver import errors
from mockserver.operations.complaints import describe

Json = Any
Kind = str | tuple[str, ...]
Members = Mapping[str, Kind]

_CLASSES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_NAMES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a decimal",
    "boolean": "a boolean",
    "array": "an array",
    "object": "an object",
}


def check(document: Mapping[str, Json], path: str, required: Members, optional: Members) -> None:
    """Check the members of `document`, which stands at `path` in the body, "" for the body itself.

    A kind is a JSON type (`string`), several (`string|array`) or a tuple of allowed strings. Raises ApiError 400 for a
    missing member, one of another kind, or a string that is not allowed. Optional members may be null.
    """
    for name, kind in required.items():
        if name not in document:
            raise errors.missing_parameter(joined(path, name))
        _check(document[name], joined(path, name), kind)
    for name, kind in optional.items():
        if document.get(name) is not None:
            _check(document[name], joined(path, name), kind)


def joined(path: str, name: str) -> str:
    """The path of a member of what stands at `path`."""
    return f"{path}.{name}" if path else name


def _check(value: Json, path: str, kind: Kind) -> None:
    if isinstance(kind, tuple):
        if not isinstance(value, str):
            raise errors.invalid_type(path, "a string", describe(value))
        if value not in kind:
            raise errors.unsupported_choice(path, value, list(kind))
        return
    kinds = kind.split("|")
    if not any(_is(value, one) for one in kinds):
        raise errors.invalid_type(path, _either(kinds), describe(value))


def _is(value: Json, kind: str) -> bool:
    return isinstance(value, _CLASSES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _either(kinds: list[str]) -> str:
    if len(kinds) == 1:
        return _NAMES[kinds[0]]
    return "one of " + ", ".join(_NAMES[kind] for kind in kinds[:-1]) + f" or {kinds[-1]}"


_FIRST = ("id", "type", "status")


def ordered(document: Mapping[str, Json]) -> dict[str, Json]:
    """Members as the service writes items, parts and tools: `id`, `type` and `status`, then the rest by name (wire)."""
    leading = {name: document[name] for name in _FIRST if name in document}
    return leading | {name: document[name] for name in sorted(document) if name not in leading}
