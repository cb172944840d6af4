"""The templates of graders: texts with `{{ item.… }}` and `{{ sample.… }}`, with paths into both (documented)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.model.grade.outcome import Errors, UngradedError

Json = Any
LONGEST = 1_000_000  # characters of a rendered text: a short template can repeat a long sample often
SAMPLE_VARIABLES = ("output_text", "output_json", "output_tools", "choices", "output_audio")
_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_STEP = re.compile(r"""\.([^\s.\[\]'"]+)|\[(\d{1,9})\]|\[(?:'([^']*)'|"([^"]*)")\]""")
_NAMESPACE = re.compile(r"[^\s.\[\]]*")


class TemplateError(ValueError):
    """A text whose placeholders name nothing that a template can have."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A placeholder: a namespace and the steps from there."""

    text: str
    namespace: str
    steps: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """A text in pieces: literal ones and references."""

    pieces: tuple[str | Reference, ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        """Its placeholders, in their order."""
        return tuple(piece for piece in self.pieces if isinstance(piece, Reference))

    def render(self, scope: Mapping[str, Json]) -> str:
        """The text for one item and sample. Raises UngradedError for a placeholder that leads nowhere.

        Values that are no text are written as JSON (inferred).
        """
        parts, size = [], 0
        for piece in self.pieces:
            part = piece if isinstance(piece, str) else _text(find(piece, scope))
            size += len(part)
            if size > LONGEST:
                raise UngradedError(f"a rendered template has at most {LONGEST:,} characters", Errors(other_error=True))
            parts.append(part)
        return "".join(parts)


def read(text: str) -> Template:
    """A text as a template. Raises TemplateError for a placeholder outside of the namespaces `item` and `sample`."""
    pieces: list[str | Reference] = []
    at = 0
    for match in _PLACEHOLDER.finditer(text):
        pieces += [text[at : match.start()], _reference(match[1].strip())]
        at = match.end()
    return Template(tuple(piece for piece in (*pieces, text[at:]) if piece))


def _reference(text: str) -> Reference:
    start = _NAMESPACE.match(text)
    assert start is not None
    namespace, at, steps = start[0], start.end(), list[str | int]()
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise TemplateError(f"'{{{{{text}}}}}' is not a variable")
        member, index, *quoted = step.groups()
        steps.append(int(index) if index else member or next(name for name in quoted if name is not None))
        at = step.end()
    if namespace not in ("item", "sample"):
        raise TemplateError(f"'{{{{{text}}}}}' is in an unknown namespace. Supported namespaces are 'item' and 'sample'")
    if namespace == "sample" and steps and steps[0] not in SAMPLE_VARIABLES:
        listed = ", ".join(f"'{name}'" for name in SAMPLE_VARIABLES)
        raise TemplateError(f"'{{{{{text}}}}}' is not a variable of a sample. Supported variables are {listed}")
    return Reference(text, namespace, tuple(steps))


def find(reference: Reference, scope: Mapping[str, Json]) -> Json:
    """What a placeholder names. Raises UngradedError for one that leads nowhere."""
    here = scope.get(reference.namespace)
    for depth, step in enumerate(reference.steps):
        if isinstance(here, dict) and str(step) in here:
            here = here[str(step)]
        elif isinstance(here, list) and str(step).isdecimal() and len(str(step)) < 10 and int(step) < len(here):
            here = here[int(step)]
        elif reference.namespace == "sample" and depth == 0 and step == "output_json":
            raise UngradedError("the sample is not JSON", Errors(sample_parse_error=True))
        else:
            message = f"'{{{{{reference.text}}}}}' leads nowhere"
            raise UngradedError(message, Errors(invalid_variable_error=True))
    return here


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
