"""Stored objects as every family treats them: found by the id in the path, or refused; and what is sent once one is deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.errors import ApiError
    from mockserver.operations.call import Call
    from mockserver.state.store import Document

Json = Any


def stored(call: Call, kind: str, parameter: str, missing: Callable[[str], ApiError]) -> Document:
    """The document of a kind whose id is a parameter of the path. Raises what `missing` makes of the id where there is none."""
    document = call.resource.store.get(kind, call.path[parameter])
    if document is None:
        raise missing(call.path[parameter])
    return document


def deleted(id: str, object: str) -> dict[str, Json]:
    """What deleting an object returns; `object` is its type, for instance `response.deleted`."""
    return {"id": id, "object": object, "deleted": True}
