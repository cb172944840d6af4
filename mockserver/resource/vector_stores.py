"""The vector stores of a resource: found, counted, kept alive by their use, and expired.

A store's document is the object that callers see. Its counts change with its files, so that neither a read nor a list of stores looks
at them. The document of a file in a store is that file's object there; it hangs below the store, and its chunks below it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.state import work

if TYPE_CHECKING:
    from mockserver.errors import ApiError
    from mockserver.state.chance import Chance
    from mockserver.state.store import Document, Store

Json = Any
VECTOR_STORE = "vector_store"
STORE_FILE = "vector_store.file"
"""The kind of a file in a vector store. Such a document goes by the file's id, and is kept as `store_place` says."""

STATUSES = ("in_progress", "completed", "failed", "cancelled")
_DAY = 24 * 3_600


def store_place(vector_store_id: str, file_id: str) -> str:
    """The id under which the document of a file in a vector store is kept: the object's own is the file's, in every store."""
    return f"{vector_store_id}/{file_id}"


def new_id(chance: Chance) -> str:
    """The id of a new vector store (recorded)."""
    return f"vs_{chance.alnum(24)}"


def missing(vector_store_id: str) -> ApiError:
    """A vector store that is not there (recorded)."""
    return errors.request_error(f"No vector store found with id '{vector_store_id}'.", status=404)


def find(store: Store, vector_store_id: str) -> Document:
    """A vector store's object. Raises ApiError 404 where there is none."""
    document = store.get(VECTOR_STORE, vector_store_id)
    if document is None:
        raise missing(vector_store_id)
    return document


def read(owner: work.Owner, vector_store_id: str, now: float) -> Document:
    """A vector store's object; reading it is a poll of the files that are being indexed. Raises ApiError 404 where there is none."""
    work.poll(owner, VECTOR_STORE, vector_store_id, now)
    return find(owner.store, vector_store_id)


def use(owner: work.Owner, vector_store_id: str, now: float) -> Document:
    """A vector store that is searched, or gets files: this is the activity by which it lives on. Return its object.

    Raises ApiError 404 where there is none, 400 where it is expired (inferred).
    """
    document = read(owner, vector_store_id, now)
    if document["status"] == "expired":
        raise errors.request_error(f"The vector store with id '{vector_store_id}' is expired.")
    if document["last_active_at"] != int(now):
        document = keep(owner.store, document | {"last_active_at": int(now)})
    return document


def keep(store: Store, document: Document, *, accepted: bool = True) -> Document:
    """Keep a vector store, and have it expire as long after its last activity as it says; return its object.

    Raises ApiError 507 where the store of documents is full and this one was not `accepted` before.
    """
    lifetime = document["expires_after"]
    due = None if lifetime is None else document["last_active_at"] + lifetime["days"] * _DAY
    document = document | {"expires_at": due}
    waiting = None if document["status"] == "expired" else due
    store.put(VECTOR_STORE, document["id"], document, due=waiting, accepted=accepted)
    return document


@work.expiry(VECTOR_STORE)
def _expire(owner: work.Owner, vector_store_id: str) -> None:
    """The object of a store outlives it, with the status that says so (spec)."""
    owner.store.update(VECTOR_STORE, vector_store_id, {"status": "expired"})


def recount(store: Store, vector_store_id: str, before: Document | None, after: Document | None) -> None:
    """Correct the counts of a vector store for a file that was `before` and is `after`: None where it is not in the store."""
    document = store.get(VECTOR_STORE, vector_store_id)
    if document is None:
        return
    counts, size = document["file_counts"], document["usage_bytes"]
    for file, step in ((before, -1), (after, 1)):
        if file is not None:
            counts[file["status"]] += step
            counts["total"] += step
            size += step * file["usage_bytes"]
    status = "in_progress" if counts["in_progress"] else "completed"
    changes = {"status": status if document["status"] != "expired" else "expired", "usage_bytes": size, "file_counts": counts}
    store.update(VECTOR_STORE, vector_store_id, changes)


def detach(store: Store, document: Document) -> None:
    """Take a file out of a vector store, with its chunks; the file itself stays."""
    store.delete(STORE_FILE, store_place(document["vector_store_id"], document["id"]))
    recount(store, document["vector_store_id"], document, None)
