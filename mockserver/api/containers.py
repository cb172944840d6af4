"""`/containers` and the files in them. Shapes and the order of keys are recorded on the sister service."""

from __future__ import annotations

from mimetypes import MimeTypes
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import Field

from mockserver import errors
from mockserver.errors import ApiError, request_error
from mockserver.operations import objects
from mockserver.operations.body import Body, Part
from mockserver.operations.call import EMPTY, Binary, Call, Result
from mockserver.operations.lists import cursor, list_object
from mockserver.operations.table import family
from mockserver.resource import containers
from mockserver.resource.containers import CONTAINER, CONTAINER_FILE, IDLE_MINUTES, MemoryLimit
from mockserver.state.store import Page

Json = Any
Object = dict[str, Json]
operation = family(style="pretty")
_TYPES = MimeTypes()  # of Python's own table: the system's would differ from machine to machine


class ExpiresAfter(Part):
    """For how many minutes a container may be idle."""

    anchor: Literal["last_active_at"]
    minutes: Annotated[int, Field(ge=1, lt=2**31)]


class NoNetwork(Part):
    """What runs in a container reaches nobody."""

    type: Literal["disabled"]


class Allowlist(Part):
    """What runs in a container reaches these domains. Secrets for them may come along, and are never shown."""

    type: Literal["allowlist"]
    allowed_domains: Annotated[list[str], Field(min_length=1)]


class CreateRequest(Body):
    """The body of createContainer. There are no `skills` here, which Microsoft's newer page has too: they are refused."""

    name: str
    file_ids: list[str] | None = None
    expires_after: ExpiresAfter | None = None
    memory_limit: MemoryLimit | None = None
    network_policy: Annotated[NoNetwork | Allowlist, Field(discriminator="type")] | None = None


class FileRequest(Body):
    """The body of createContainerFile: a form with `file`, or the id of a file to copy; of both, `file` counts."""

    file: Json = None
    file_id: str | None = None


@operation("GET", "/containers", "listContainers")
def list_containers(call: Call) -> Result:
    """List containers, newest first, by name where the query has one. Those that are listed count as used (recorded)."""
    name, wanted = call.query.last("name"), cursor(call.query)
    data, more = call.resource.store.page(CONTAINER, wanted, where=None if name is None else {"name": name})
    return Result(list_object(Page([containers.refresh(call.resource, one, call.now) for one in data], more)))


@operation("POST", "/containers", "createContainer", body=CreateRequest)
def create(call: Call) -> Result:
    """Create a container, with copies of files in it."""
    body: CreateRequest = call.body
    policy = body.network_policy
    container = containers.create(
        call.resource,
        name=body.name,
        chance=call.chance,
        now=call.now,
        file_ids=body.file_ids or (),
        minutes=IDLE_MINUTES if body.expires_after is None else body.expires_after.minutes,
        memory_limit=body.memory_limit or "1g",
        network_policy=None if policy is None else policy.model_dump(include={"type", "allowed_domains"}),
    )
    return Result(container)


@operation("GET", "/containers/{container_id}", "retrieveContainer")
def retrieve(call: Call) -> Result:
    """Return a container, which counts as used (recorded); one that has expired says so."""
    return Result(containers.refresh(call.resource, _container(call), call.now))


@operation("DELETE", "/containers/{container_id}", "deleteContainer")
def delete(call: Call) -> Result:
    """Delete a container and the files in it."""
    container_id = _container(call)["id"]
    call.resource.store.delete(CONTAINER, container_id)
    return _deleted(call, container_id, "container.deleted")


@operation("GET", "/containers/{container_id}/files", "listContainerFiles")
def list_files(call: Call) -> Result:
    """List the files in a container, newest first (recorded)."""
    wanted, container = cursor(call.query), _used(call)
    return Result(list_object(call.resource.store.page(CONTAINER_FILE, wanted, parent=(CONTAINER, container["id"]))))


@operation(
    "POST",
    "/containers/{container_id}/files",
    "createContainerFile",
    body=FileRequest,
    content=("multipart/form-data", "application/json"),
)
def create_file(call: Call) -> Result:
    """Put a file into a container: one that is uploaded, or a copy of one that the resource has."""
    container, body, uploaded = _used(call), call.body, call.files.get("file")
    if uploaded:
        file = containers.add_file(
            call.resource,
            container,
            filename=uploaded[0].filename,
            content=uploaded[0].content,
            size=uploaded[0].size,
            source="user",
            chance=call.chance,
            now=call.now,
        )
    elif body.file_id is not None:
        file = containers.copy_file(call.resource, container, body.file_id, chance=call.chance, now=call.now)
    else:
        raise errors.missing_parameter("file")
    return Result(file)


@operation("GET", "/containers/{container_id}/files/{file_id}", "retrieveContainerFile")
def retrieve_file(call: Call) -> Result:
    """Return what a container's file is called, how large it is and where it stands."""
    return Result(_file(call))


@operation("DELETE", "/containers/{container_id}/files/{file_id}", "deleteContainerFile")
def delete_file(call: Call) -> Result:
    """Delete a file in a container; the file that it is a copy of stays."""
    file_id = _file(call)["id"]
    call.resource.store.delete(CONTAINER_FILE, file_id)
    return _deleted(call, file_id, "container.file.deleted")


@operation("GET", "/containers/{container_id}/files/{file_id}/content", "retrieveContainerFileContent")
def retrieve_content(call: Call) -> Result:
    """Return a file's bytes, with a type by its name and a name to save it by (recorded on the sister service)."""
    file = _file(call)
    blob = call.resource.store.blob(CONTAINER_FILE, file["id"])
    assert blob is not None
    name = file["path"].removeprefix(containers.FOLDER)
    return Result(Binary.of(blob, _content_type(name)), headers=[(b"content-disposition", _disposition(name))])


def _container(call: Call) -> Object:
    return objects.stored(call, CONTAINER, "container_id", containers.missing)


def _used(call: Call) -> Object:
    return containers.use(call.resource, call.path["container_id"], call.now)


def _file(call: Call) -> Object:
    """The file that the path names, in a container that is used now."""
    container, file_id = _used(call), call.path["file_id"]
    file = call.resource.store.get(CONTAINER_FILE, file_id)
    if file is None or file["container_id"] != container["id"]:
        raise _file_missing(file_id)
    return file


def _deleted(call: Call, id: str, object: str) -> Result:
    """What a deletion returns: an object (spec of 2025; recorded on the sister service), by the newest document nothing (spec)."""
    return Result(EMPTY if call.resource.profile == "2026-03" else objects.deleted(id, object))


def _content_type(name: str) -> str:
    kind = _TYPES.guess_type(name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _disposition(name: str) -> bytes:
    """The header that names a download, once without what not every client can read."""
    _, dot, ending = name.rpartition(".")
    plain = f"file.{ending}" if dot and ending.isascii() and ending.isalnum() else "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}".encode()


def _file_missing(file_id: str) -> ApiError:
    """A container without such a file (inferred from that of a container)."""
    return request_error(f"Container file with id '{file_id}' not found.", status=404)
