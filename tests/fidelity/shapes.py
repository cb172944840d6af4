"""Whether a JSON value has a shape of the official document.

`shapes.json` holds its operations and types, without its prose; `scripts/derive_shapes.py` makes it, and says how shapes are written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Json = Any
Kind = Literal["absent", "type", "value", "bounds", "case"]
TABLE = Path(__file__).with_name("shapes.json")


@dataclass(frozen=True)
class Problem:
    """One way in which a value has not its shape. `optional` is whether its member may be absent."""

    kind: Kind
    path: str
    text: str
    value: Json = None
    optional: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


@cache
def table() -> dict[str, Json]:
    """The official document's `operations` by `METHOD /path`, and its `types` by name."""
    found: dict[str, Json] = json.loads(TABLE.read_text(encoding="utf-8"))
    return found


def problems(value: Json, shape: Json, path: str = "$", *, optional: bool = False) -> list[Problem]:
    """All that a value breaks of its shape; of a union, what it breaks of the branch that comes nearest."""
    if isinstance(shape, list):
        return _nearest(value, shape, path, optional=optional)
    if isinstance(shape, str):
        if shape.startswith("#"):
            return problems(value, table()["types"][shape[1:]], path, optional=optional)
        shape = {"type": shape}
    if "enum" in shape:
        known = any(value == one and type(value) is type(one) for one in shape["enum"])
        return [] if known else [Problem("value", path, f"{value!r} is not one of {shape['enum']}", value, optional)]
    kind = "object" if shape.keys() & {"members", "rest", "by"} else "array" if "items" in shape else shape["type"]
    if not _is(kind, value):
        return [Problem("type", path, f"{value!r} is not of type {kind!r}", value, optional)]
    found = list(_out_of_bounds(value, shape, path))
    if kind == "object":
        return found + list(_members(value, shape, path))
    if kind == "array" and "items" in shape:
        return found + [one for at, inner in enumerate(value) for one in problems(inner, shape["items"], f"{path}[{at}]")]
    return found


_TYPES = {
    "string": str,
    "boolean": bool,
    "null": type(None),
    "object": dict,
    "array": list,
    "number": (int, float),
    "bytes": str,
}


def _is(kind: str, value: Json) -> bool:
    if kind == "any":
        return True
    if kind == "integer":
        return isinstance(value, int | float) and not isinstance(value, bool) and value == int(value)
    return isinstance(value, _TYPES[kind]) and not (kind == "number" and isinstance(value, bool))


def _out_of_bounds(value: Json, shape: dict[str, Json], path: str) -> Iterator[Problem]:
    size = value if isinstance(value, int | float) else len(value) if isinstance(value, str | list) else 0
    for name, bound in shape.items():
        short = name in ("minimum", "minLength", "minItems") and size < bound
        long = name in ("maximum", "maxLength", "maxItems") and size > bound
        if short or long or (name == "pattern" and not re.search(bound, value)):
            yield Problem("bounds", path, f"{value!r} is out of its {name} {bound!r}", value)


def _members(value: dict[str, Json], shape: dict[str, Json], path: str) -> Iterator[Problem]:
    case = _case(value, shape)
    if case is not None:
        yield from problems(value, case, path)  # whose members are all of the type's, and its own
        return
    by = shape.get("by")
    if isinstance(value.get(by), str):
        yield Problem("case", f"{path}.{by}", f"{value[by]!r} is not one of {sorted(shape['cases'])}", value[by])
    members = {name.removesuffix("?"): (inner, name.endswith("?")) for name, inner in shape.get("members", {}).items()}
    for name, (inner, optional) in members.items():
        if name in value:
            yield from problems(value[name], inner, f"{path}.{name}", optional=optional)
        elif not optional:
            yield Problem("absent", f"{path}.{name}", f"{name!r} is required and absent", value)
    if "rest" in shape:
        for name in value.keys() - members.keys():
            yield from problems(value[name], shape["rest"], f"{path}.{name}")


def _case(value: dict[str, Json], shape: dict[str, Json]) -> Json:
    """The shape for the value of the member that decides. What the wire calls `message` can be the document's `output_message`."""
    cases, decided = shape.get("cases", {}), value.get(shape.get("by"))
    if decided == "message" and "output_message" in cases and (value.get("role") == "assistant" or "message" not in cases):
        return cases["output_message"]
    return cases.get(decided) if isinstance(decided, str) else None


def _nearest(value: Json, branches: list[Json], path: str, *, optional: bool) -> list[Problem]:
    tried = [problems(value, branch, path, optional=optional) for branch in branches]
    if not all(tried):
        return []
    fitting = [found for found in tried if not any(one.path == path and one.kind != "absent" for one in found)]
    if not fitting:
        return [Problem("type", path, f"{value!r} is none of {branches}", value, optional)]
    return min(fitting, key=lambda found: (sum(_decides(one, path) for one in found), len(found)))


def _decides(problem: Problem, path: str) -> bool:
    """Whether it is about a member that says what kind of thing its object is."""
    return problem.kind in ("value", "case") and problem.path in (f"{path}.type", f"{path}.object", f"{path}.role")
