"""A small path language for JSON: `messages[0].content`, `input[-1].role`, `tools[*].name`, `metadata["a.b"]`."""

from __future__ import annotations

import json
import re
from typing import Any

Json = Any
Steps = tuple[str | int | None, ...]

_STEP = re.compile(r"""\.?([^\s.\[\]"'*$]+)|\[(-?\d{1,9})\]|\[(\*)\]|\[("(?:[^"\\]|\\.)*")\]""")


def parse_path(path: str) -> Steps:
    """The steps of a path: a key, an index (negative from the end), or None for every element.

    A leading `$` may be left out. Raises ValueError for anything that is not a path.
    """
    text = path.removeprefix("$").removeprefix(".") if path.startswith("$") else path
    steps: list[str | int | None] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (at == 0 and text.startswith(".")):
            raise ValueError(
                f"{path!r} is not a path at {text[at:][:20]!r}; write for instance messages[0].content or tools[*].name"
            )
        key, index, every, quoted = found.groups()
        steps.append(None if every else int(index) if index else json.loads(quoted) if quoted else key)
        at = found.end()
    if not steps:
        raise ValueError(f"{path!r} is not a path: it names nothing")
    return tuple(steps)


def find(document: Json, steps: Steps) -> list[Json]:
    """Every value that the path leads to, in order; [] where it leads nowhere."""
    values = [document]
    for step in steps:
        if step is None:
            values = [inner for value in values if isinstance(value, (list, dict)) for inner in _elements(value)]
        elif isinstance(step, str):
            values = [value[step] for value in values if isinstance(value, dict) and step in value]
        else:
            values = [value[step] for value in values if isinstance(value, list) and -len(value) <= step < len(value)]
    return values


def _elements(value: list[Json] | dict[str, Json]) -> list[Json]:
    return list(value.values()) if isinstance(value, dict) else value
