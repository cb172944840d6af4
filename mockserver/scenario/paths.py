"""Paths into a request's body: `messages[0].content`, `input[-1].role`, `tools[*].name`, `metadata["a.b"]`.

A small language of our own. It looks like JSONPath (RFC 9535) but has neither filters nor slices nor descendants.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

Json = Any

_STEP = re.compile(r"""\.?([^\s.\[\]"'*$]+)|\[(-?\d{1,9})\]|\[(\*)\]|\[("(?:[^"\\]|\\.)*")\]""")


@dataclass(frozen=True, slots=True)
class BodyPath:
    """A parsed path. A step is a key, an index (negative from the end), or None for every element."""

    steps: tuple[str | int | None, ...]

    def find(self, document: Json) -> list[Json]:
        """Every value that the path leads to, in order; [] where it leads nowhere."""
        values = [document]
        for step in self.steps:
            if step is None:
                values = [inner for value in values if isinstance(value, (list, dict)) for inner in _elements(value)]
            elif isinstance(step, str):
                values = [value[step] for value in values if isinstance(value, dict) and step in value]
            else:
                values = [value[step] for value in values if isinstance(value, list) and -len(value) <= step < len(value)]
        return values


def parse_path(text: str) -> BodyPath:
    """Parse a path; a leading `$` may be left out. Raises ValueError for anything that is not a path."""
    rest = text.removeprefix("$").removeprefix(".") if text.startswith("$") else text
    steps: list[str | int | None] = []
    at = 0
    while at < len(rest):
        match = _STEP.match(rest, at)
        if match is None or (at == 0 and rest.startswith(".")):
            raise ValueError(
                f"{text!r} is not a path at {rest[at:][:20]!r}; write for instance messages[0].content or tools[*].name"
            )
        key, index, every, quoted = match.groups()
        steps.append(None if every else int(index) if index else json.loads(quoted) if quoted else key)
        at = match.end()
    if not steps:
        raise ValueError(f"{text!r} is not a path: it names nothing")
    return BodyPath(tuple(steps))


def _elements(value: list[Json] | dict[str, Json]) -> list[Json]:
    return list(value.values()) if isinstance(value, dict) else value
