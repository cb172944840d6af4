"""What a test gives its resource in Python, in the words of a scenario's `state`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver.gateway import preload
from mockserver.scenario import load

if TYPE_CHECKING:
    from mockserver.resource.preload import Given
    from mockserver.resource.resource import Resource

Json = Any
Objects = Mapping[str, Any] | None


def give(resource: Resource, files: Objects, vector_stores: Objects, conversations: Objects, responses: Objects) -> Given:
    """Give a resource more, and return all that it was given. Raises ScenarioError for what cannot be made."""
    __tracebackhide__ = True
    kinds = {"files": files, "vector_stores": vector_stores, "conversations": conversations, "responses": responses}
    state = {kind: _plain(objects) for kind, objects in kinds.items() if objects is not None}
    preload.give(resource, load.build({"state": state}, "given(…)", resource.preload).state)
    return resource.preload.given()


def _plain(objects: Mapping[str, Json]) -> Json:
    """The objects with paths as the file format has them."""
    return {name: _path(value) for name, value in objects.items()}


def _path(value: Json) -> Json:
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, Mapping) and isinstance(value.get("path"), Path):
        return {**value, "path": str(value["path"])}
    return value
