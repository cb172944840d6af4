"""What a scenario gives its resource before the first call, as data: a plan for each object, whose references are names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mockserver.scenario.sources import Source

if TYPE_CHECKING:
    from mockserver.scenario.step import Step

Json = Any
Kind = Literal["files", "vector_stores", "conversations", "responses"]
KINDS: tuple[Kind, ...] = ("files", "vector_stores", "conversations", "responses")


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to another object of the plan, by its name; with what it is written (`place`), and what belongs to it."""

    kind: Kind
    name: str
    place: str
    attributes: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """An object that a resource is to have. `body` is what it is created with, without what it refers to.

    `place` is where it is written, for messages. `id` None has one made. `source` is a file's content, `step` what a response says.
    """

    kind: Kind
    name: str
    place: str
    id: str | None
    body: Mapping[str, Json]
    links: tuple[Link, ...] = ()
    source: Source = field(default_factory=Source)
    step: Step | None = None
