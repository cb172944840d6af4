"""The files in a vector store: added, indexed by the resource's lifecycle, cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.model.extract import UnreadableError, extract_text
from mockserver.model.extract.unreadable import too_large
from mockserver.resource import files, search
from mockserver.resource.vector_stores import STORE_FILE, VECTOR_STORE, detach, recount, store_place
from mockserver.state import work

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mockserver.errors import ApiError
    from mockserver.state.store import Document, Store

Json = Any
MOST_FILES = 10_000
_VECTOR = 1_024
"""Bytes of a chunk's vector: recorded files of one chunk have their own bytes in a store, and 1,024 more."""


def check_files(store: Store, file_ids: Iterable[str]) -> None:
    """Raise ApiError 404 where the resource does not have all of these files (reported)."""
    unknown = [file_id for file_id in dict.fromkeys(file_ids) if store.get(files.FILE, file_id) is None]
    if unknown:
        raise errors.request_error(f"Files [{', '.join(unknown)}] were not found", status=404)


def check_room(document: Document, more: int) -> None:
    """Raise ApiError 400 where a vector store cannot have as many `more` files (documented; the words are inferred)."""
    if document["file_counts"]["total"] + more > MOST_FILES:
        message = f"The vector store '{document['id']}' cannot have more than {MOST_FILES} files."
        raise errors.request_error(message)


def attach(
    owner: work.Owner,
    vector_store_id: str,
    file_id: str,
    *,
    chunking_strategy: Json,
    attributes: Mapping[str, Json] | None,
    now: float,
    accepted: bool = False,
) -> Document:
    """Put a file into a vector store, and begin to index it; return its object there. One that is in it is indexed anew (inferred).

    `chunking_strategy` is the static one. Without `attributes` the object has none (recorded). Raises ApiError 507 where the store of
    documents is full and this one was not `accepted` before.
    """
    before = in_store(owner.store, vector_store_id, file_id)
    if before is not None:
        detach(owner.store, before)
    document: Document = {
        "id": file_id,
        "object": "vector_store.file",
        "usage_bytes": 0,
        "created_at": int(now),
        "vector_store_id": vector_store_id,
        "status": "in_progress",
        "last_error": None,
        "chunking_strategy": chunking_strategy,
        **({} if attributes is None else {"attributes": dict(attributes)}),
    }
    place, accepted = store_place(vector_store_id, file_id), accepted or before is not None
    owner.store.put(STORE_FILE, place, document, parent=(VECTOR_STORE, vector_store_id), names=(file_id,), accepted=accepted)
    recount(owner.store, vector_store_id, None, document)
    work.begin(owner, STORE_FILE, place, now, into=(VECTOR_STORE, vector_store_id))
    return document


def in_store(store: Store, vector_store_id: str, file_id: str) -> Document | None:
    """A file's object in a vector store, None where it is not in it."""
    return store.get(STORE_FILE, store_place(vector_store_id, file_id))


def read(owner: work.Owner, vector_store_id: str, file_id: str, now: float) -> Document:
    """A file's object in a vector store; reading it is a poll. Raises ApiError 404 where it is not in it."""
    work.poll(owner, STORE_FILE, store_place(vector_store_id, file_id), now)
    document = in_store(owner.store, vector_store_id, file_id)
    if document is None:
        raise missing(vector_store_id, file_id)
    return document


def cancel(owner: work.Owner, document: Document) -> None:
    """End the indexing of a file, unless it is done."""
    if document["status"] == "in_progress":
        work.stop(owner, STORE_FILE, store_place(document["vector_store_id"], document["id"]))
        _change(owner.store, document, {"status": "cancelled"})


def missing(vector_store_id: str, file_id: str) -> ApiError:
    """A file that is not in a vector store (reported on the sister service)."""
    return errors.request_error(f"No file found with id '{file_id}' in vector store '{vector_store_id}'.", status=404)


def text(store: Store, file_id: str) -> str:
    """What is written in a file. Raises UnreadableError for one without a text, or of a type that the service does not read."""
    with files.content(store, file_id).open() as content:
        return extract_text(files.find(store, file_id)["filename"], content)


@work.stages(STORE_FILE, "in_progress", "completed")
def _enter(owner: work.Owner, document: Document, stage: str, at: float) -> None:
    """Index a file. One that cannot be read is failed, and says why (spec)."""
    try:
        usage = _index(owner.store, document)
    except UnreadableError as error:
        _change(owner.store, document, {"status": "failed", "last_error": {"code": error.code, "message": error.message}})
    else:
        _change(owner.store, document, {"usage_bytes": usage, "status": "completed"})


def _index(store: Store, document: Document) -> int:
    """Make chunks of a file, and return how many bytes it has in its store from now on. Raises UnreadableError."""
    written = text(store, document["id"])
    try:
        search.index(store, document, written)
    except ValueError:
        raise too_large() from None
    place = store_place(document["vector_store_id"], document["id"])
    return len(written.encode()) + _VECTOR * store.count(search.CHUNK, (STORE_FILE, place))


def _change(store: Store, document: Document, changes: Document) -> None:
    vector_store_id = document["vector_store_id"]
    after = store.update(STORE_FILE, store_place(vector_store_id, document["id"]), changes)
    recount(store, vector_store_id, document, after)
