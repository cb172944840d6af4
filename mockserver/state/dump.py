"""All that resources remember as one JSON document, which `mockserver state` and the control API write and read (docs/state.md)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from mockserver.errors import StateError
from mockserver.state.store import decode

if TYPE_CHECKING:
    from mockserver.state.store import Entry, Store

FORMAT = 1
_PIECE = 3 * 256 * 1024  # bytes that are base64 by themselves: a multiple of three


class DumpedEntry(BaseModel):
    """A document; `parent` is the kind and id of what it hangs below, `text` what it is found by, `content` its bytes in base64."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str = Field(min_length=1)
    id: str
    parent: list[str] | None = Field(None, min_length=2, max_length=2)
    due: float | None = None
    names: list[str] = []
    text: str | None = None
    document: dict[str, Any]
    content: str | None = None


class Dump(BaseModel):
    """What resources remember, by their names, and the highest generation of the states that it is from."""

    model_config = ConfigDict(extra="forbid", strict=True)

    mockserver_state: int
    generation: int = Field(0, ge=0)
    resources: dict[str, list[DumpedEntry]]


def dump(stores: Mapping[str, Store]) -> Iterator[bytes]:
    """The JSON document of some stores, by the names of their resources, in pieces: one line for each stored document."""
    generation = max([store.generation for store in stores.values()], default=0)
    yield b'{"mockserver_state": %d, "generation": %d, "resources": {' % (FORMAT, generation)
    for at, (name, store) in enumerate(stores.items()):
        yield b"%s\n%s: [" % (b"," if at else b"", to_json(name))
        for number, entry in enumerate(store.entries()):
            yield b",\n" if number else b"\n"
            yield from _entry(entry)
        yield b"\n]"
    yield b"\n}}\n"


def _entry(entry: Entry) -> Iterator[bytes]:
    members = {name: value for name, value in entry._asdict().items() if name != "blob" and value not in (None, ())}
    body = to_json(members)
    if entry.blob is None:
        yield body
        return
    yield body[:-1] + b',"content":"'
    with entry.blob.open() as file:
        while piece := file.read(_PIECE):
            yield b64encode(piece)
    yield b'"}'


def parse(text: bytes) -> Dump:
    """A JSON document that `dump` has written. Raises StateError with what is wrong with it."""
    try:
        found = decode(text)
    except (ValueError, RecursionError):
        raise StateError("this is not JSON") from None
    if not isinstance(found, dict) or "mockserver_state" not in found:
        raise StateError("this is not an exported state: it has no member mockserver_state")
    if found["mockserver_state"] != FORMAT:
        raise StateError(
            f"this exported state has format {found['mockserver_state']!r:.20}; this version reads format {FORMAT}"
        )
    try:
        return Dump.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise StateError(f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from None


def restore(store: Store, entries: list[DumpedEntry]) -> None:
    """Put documents into a store, all or none. Those with the same kind and id go, with all that hangs below them.

    Raises StateError for one that cannot be put, ApiError for a store that is full.
    """
    with store.transaction:
        for at, entry in enumerate(entries):
            try:
                _put(store, entry)
            except (LookupError, BadBase64) as error:
                raise StateError(f"entry {at}, the {entry.kind} {entry.id!r:.80}: {error.args[0]}") from None


def _put(store: Store, entry: DumpedEntry) -> None:
    content = b64decode(entry.content, validate=True) if entry.content is not None else None
    parent = (entry.parent[0], entry.parent[1]) if entry.parent is not None else None
    store.delete(entry.kind, entry.id)
    store.put(
        entry.kind, entry.id, entry.document, parent=parent, due=entry.due, names=entry.names, text=entry.text, content=content
    )
