"""The files that input items refer to by id: the resource must have them, and they must be files of tools (reported)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mockserver.api.responses import refusals
from mockserver.resource.files import refuse_unknown

if TYPE_CHECKING:
    from mockserver.state.store import Store

Json = Any
Object = dict[str, Json]
_BY_FILE = ("input_file", "input_image")


def refuse_unknown_files(store: Store, items: Sequence[Object]) -> None:
    """Raise ApiError 400 for the first id that is no tool's file, else for all those that the resource does not have."""
    references = dict(_references(items))
    for path, file_id in references.items():
        if not file_id.startswith("assistant"):
            raise refusals.malformed_file(path, file_id)
    refuse_unknown(store, references.values())


def _references(items: Sequence[Object]) -> Iterator[tuple[str, str]]:
    """Where the request names a file, and its id."""
    for at, item in enumerate(items):
        for member in ("content", "output"):
            parts = item.get(member)
            for number, part in enumerate(parts if isinstance(parts, list) else ()):
                if isinstance(part, dict) and part.get("type") in _BY_FILE and isinstance(part.get("file_id"), str):
                    yield f"input[{at}].{member}[{number}].file_id", part["file_id"]
