"""Containers and the files in them, which callers create and the code interpreter uses.

A container expires when nobody has used it for a while, twenty minutes unless it says otherwise: its files are gone then, and it
cannot be used any more (documented). Looking at one is a use too, alone or in a list (recorded on the sister service).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mockserver.errors import ApiError, request_error
from mockserver.resource import files
from mockserver.state import work
from mockserver.state.ids import SharedIds, timed_id

if TYPE_CHECKING:
    from mockserver.state.blobs import Content
    from mockserver.state.chance import Chance
    from mockserver.state.store import Document

Json = Any
CONTAINER = "container"
CONTAINER_FILE = "container.file"
IDLE_MINUTES = 20
FOLDER = "/mnt/data/"
MemoryLimit = Literal["1g", "4g", "16g", "64g"]


def create(
    resource: work.Owner,
    *,
    name: str,
    chance: Chance,
    now: float,
    file_ids: Sequence[str] = (),
    minutes: int = IDLE_MINUTES,
    memory_limit: MemoryLimit = "1g",
    network_policy: Document | None = None,
) -> Document:
    """Create a container with copies of the resource's files in it, and return its object.

    `network_policy` is only reported: nothing runs in a container that could call anybody. Raises ApiError 404 where one
    of the files is not there, 507 where the store is full.
    """
    for file_id in file_ids:
        files.find(resource.store, file_id)
    container: Document = {
        "id": SharedIds(chance, int(now)).new("cntr"),
        "object": "container",
        "created_at": int(now),
        "status": "running",
        "expires_after": {"anchor": "last_active_at", "minutes": minutes},
        "last_active_at": int(now),
        **({} if network_policy is None else {"network_policy": network_policy}),
        "memory_limit": memory_limit,
        "name": name,
    }
    _keep(resource, container, now, accepted=False)
    try:
        for file_id in file_ids:
            copy_file(resource, container, file_id, chance=chance, now=now)
    except ApiError:
        resource.store.delete(CONTAINER, container["id"])  # all of it or nothing
        raise
    return container


def refresh(resource: work.Owner, container: Document, now: float) -> Document:
    """Note that a container is used now, and return it; one that has expired stays as it is."""
    if container["status"] != "running":
        return container
    used = container | {"last_active_at": int(now)}
    _keep(resource, used, now, accepted=True)
    return used


def use(resource: work.Owner, container_id: str, now: float) -> Document:
    """The container, which is used now. Raises ApiError 404 where there is none, 400 where it has expired."""
    container = resource.store.get(CONTAINER, container_id)
    if container is None:
        raise missing(container_id)
    if container["status"] != "running":
        raise expired()
    return refresh(resource, container, now)


def for_tool(
    resource: work.Owner, wanted: str | Document, *, chance: Chance, now: float, earlier: Iterable[str] = ()
) -> Document:
    """The container that a code interpreter tool works in; `wanted` is what the tool has under `container`.

    With `auto` that is the last of the containers that were used `earlier` and are still running, else a new one with the tool's
    files in it (documented). Raises ApiError for a container or a file that is not there, and for an expired container.
    """
    if isinstance(wanted, str):
        return use(resource, wanted, now)
    for container_id in reversed(list(earlier)):
        container = resource.store.get(CONTAINER, container_id)
        if container is not None and container["status"] == "running":
            return refresh(resource, container, now)
    memory_limit: MemoryLimit = wanted.get("memory_limit") or "1g"
    return create(
        resource, name="auto", chance=chance, now=now, file_ids=wanted.get("file_ids") or (), memory_limit=memory_limit
    )


# -- files


def add_file(
    resource: work.Owner,
    container: Document,
    *,
    filename: str,
    content: Content,
    size: int,
    source: Literal["user", "assistant"],
    chance: Chance,
    now: float,
) -> Document:
    """Put a file into a container and return its object; `size` is in bytes.

    What a user brings gets 32 digits in front of its name (recorded on the sister service), so that two files can have the same one.
    Of a name that is a path only its last part counts. Raises ApiError 507 where the store is full.
    """
    name = filename.replace("\\", "/").rpartition("/")[2] or "file"
    file = {
        "id": timed_id("cfile", chance, int(now)),
        "object": "container.file",
        "created_at": int(now),
        "bytes": size,
        "container_id": container["id"],
        "path": FOLDER + (f"{chance.hex(32)}-{name}" if source == "user" else name),
        "source": source,
    }
    resource.store.put(CONTAINER_FILE, file["id"], file, parent=(CONTAINER, container["id"]), content=content)
    return file


def copy_file(resource: work.Owner, container: Document, file_id: str, *, chance: Chance, now: float) -> Document:
    """Copy a file of the resource into a container. Raises ApiError 404 where there is none, 507 where the store is full."""
    original, blob = files.find(resource.store, file_id), files.content(resource.store, file_id)
    with blob.open() as content:
        name, size = original["filename"], original["bytes"]
        return add_file(resource, container, filename=name, content=content, size=size, source="user", chance=chance, now=now)


# -- the end of a container


def missing(container_id: str) -> ApiError:
    """A container that is not there (reported)."""
    return request_error(f"Container with id '{container_id}' not found.", status=404)


def expired() -> ApiError:
    """A container that nobody has used for too long (reported)."""
    return request_error("Container is expired.")


@work.expiry(CONTAINER)
def _expire(resource: work.Owner, container_id: str) -> None:
    """End a container's life: it stays to say that it has expired, its files do not (documented)."""
    store = resource.store
    for file in store.documents(CONTAINER_FILE, (CONTAINER, container_id)):
        store.delete(CONTAINER_FILE, file["id"])
    store.update(CONTAINER, container_id, {"status": "expired"})


def _keep(resource: work.Owner, container: Document, now: float, *, accepted: bool) -> None:
    due = now + container["expires_after"]["minutes"] * 60.0
    resource.store.put(CONTAINER, container["id"], container, due=due, accepted=accepted)
