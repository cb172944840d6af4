"""Graders as they are run: what a definition says, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mockserver.model.grade.formula import Formula
from mockserver.model.grade.templates import Reference, Template

Json = Any
Operation = Literal["eq", "ne", "like", "ilike"]


@dataclass(frozen=True, slots=True)
class StringCheck:
    """Compares two texts: equal, unequal, or one in the other (`ilike` without regard to case)."""

    name: str
    input: Template
    reference: Template
    operation: Operation


@dataclass(frozen=True, slots=True)
class TextSimilarity:
    """Measures how similar two texts are."""

    name: str
    input: Template
    reference: Template
    metric: str
    pass_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a model grader. Each part is a text, or the members of a media part with templates for its texts."""

    role: str
    parts: tuple[Template | Mapping[str, Json], ...]

    @property
    def references(self) -> tuple[Reference, ...]:
        """The variables that its templates name."""
        members = [member for part in self.parts for member in ([part] if isinstance(part, Template) else part.values())]
        return tuple(one for member in members if isinstance(member, Template) for one in member.references)


@dataclass(frozen=True, slots=True)
class ScoreModel:
    """Has a model give a score from `low` to `high`."""

    name: str
    model: str
    messages: tuple[Message, ...]
    low: float = 0.0
    high: float = 1.0
    sampling: Mapping[str, Json] = field(default_factory=dict)
    pass_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class LabelModel:
    """Has a model choose one of several labels, some of which pass."""

    name: str
    model: str
    messages: tuple[Message, ...]
    labels: tuple[str, ...]
    passing: frozenset[str]
    sampling: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Python:
    """Runs the function `grade(sample, item)` of a Python source."""

    name: str
    source: str
    pass_threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Has a web server of the caller's give the score."""

    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    pass_threshold: float | None = None


Single = StringCheck | TextSimilarity | ScoreModel | LabelModel | Python | Endpoint


@dataclass(frozen=True, slots=True)
class Multi:
    """Makes one reward of those of several graders."""

    name: str
    graders: Mapping[str, Single]
    formula: Formula


Grader = Single | Multi
