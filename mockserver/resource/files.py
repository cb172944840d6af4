"""The files of a resource, which every family shares: batches read and write them, stores index them, fine-tuning trains on them.

A file's document is the object that callers see, its content the blob beside it. Two services keep files on Azure, and each writes
the object in its own way (recorded): one has what assistants and tools use, the other what jobs read and write.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from mockserver import errors
from mockserver.resource.vector_stores import STORE_FILE, detach
from mockserver.state import work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mockserver.errors import ApiError
    from mockserver.state.blobs import Blob, Content
    from mockserver.state.chance import Chance
    from mockserver.state.store import Document, Store

Json = Any
Purpose = Literal["assistants", "assistants_output", "batch", "batch_output", "evals", "fine-tune", "fine-tune-results"]
FILE = "file"
_OF_TOOLS = ("assistants", "assistants_output")
_OF_JOBS = re.compile("file-[0-9a-f]{32}")


def is_of_jobs(file_id: str) -> bool:
    """Whether an id is one of the service that keeps what jobs read and write; its answers differ from the other's."""
    return _OF_JOBS.fullmatch(file_id) is not None


def add(
    resource: work.Owner,
    *,
    filename: str,
    purpose: Purpose,
    content: Content,
    size: int,
    chance: Chance,
    now: float,
    expires_after: int | None = None,
    accepted: bool = False,
    file_id: str | None = None,
) -> Document:
    """Keep a new file and return its object. `size` is the content's in bytes, `expires_after` in seconds; without
    `file_id` an id is drawn.

    A file to train on is first `pending` and enters its other stages by the resource's lifecycle; others are `processed` at once
    (recorded). Raises ApiError 507 where the store is full, unless the content was `accepted` before, in parts.
    """
    expires_at = None if expires_after is None else int(now) + expires_after
    write = _of_tools if purpose in _OF_TOOLS else _of_jobs
    document = write(file_id or new_id(purpose, chance), filename, purpose, size, int(now), expires_at)
    resource.store.put(FILE, document["id"], document, due=expires_at, content=content, accepted=accepted)
    if document["status"] == "pending":
        work.begin(resource, FILE, document["id"], now)
    return document


def new_id(purpose: Purpose, chance: Chance) -> str:
    """The id of a new file, in the form of the service that keeps such files (recorded)."""
    return f"assistant-{chance.alnum(22)}" if purpose in _OF_TOOLS else f"file-{chance.hex(32)}"


def find(store: Store, file_id: str) -> Document:
    """A file's object. Raises ApiError 404 where there is none."""
    document = store.get(FILE, file_id)
    if document is None:
        raise missing(file_id)
    return document


def content(store: Store, file_id: str) -> Blob:
    """What is in a file. Raises ApiError 404 where there is none."""
    blob = store.blob(FILE, file_id)
    if blob is None:
        raise missing(file_id)
    return blob


def delete(store: Store, file_id: str) -> bool:
    """Forget a file, which also leaves the vector stores that it is in; say whether there was one."""
    for document in store.find(STORE_FILE, file_id):
        detach(store, document)
    return store.delete(FILE, file_id)


def missing(file_id: str) -> ApiError:
    """A file that is not there (recorded on the sister service)."""
    return errors.request_error(f"No such File object: {file_id}", param="id", status=404)


def refuse_unknown(store: Store, file_ids: Iterable[str]) -> None:
    """Raise ApiError 400 for those files that a prompt refers to and that are not there, or not any more (reported in October 2026)."""
    unknown = [file_id for file_id in dict.fromkeys(file_ids) if store.get(FILE, file_id) is None]
    if unknown:
        raise errors.request_error(f"Files [{', '.join(unknown)}] were not found due to ownership verification failure.")


@work.stages(FILE, "pending", "running", "processed")
def _enter(resource: work.Owner, document: Document, stage: str, at: float) -> None:
    resource.store.update(FILE, document["id"], {"status": stage})


@work.expiry(FILE)
def _expire(resource: work.Owner, file_id: str) -> None:
    delete(resource.store, file_id)


def _of_tools(file_id: str, filename: str, purpose: str, size: int, created: int, expires_at: int | None) -> Document:
    return {
        "object": "file",
        "id": file_id,
        "purpose": purpose,
        "filename": filename,
        "bytes": size,
        "created_at": created,
        "expires_at": expires_at,
        "status": "processed",
        "status_details": None,
    }


def _of_jobs(file_id: str, filename: str, purpose: str, size: int, created: int, expires_at: int | None) -> Document:
    return {
        "status": "pending" if purpose == "fine-tune" else "processed",
        "bytes": size,
        "purpose": purpose,
        "filename": filename,
        **({} if expires_at is None else {"expires_at": expires_at}),
        "id": file_id,
        "created_at": created,
        "object": "file",
    }
