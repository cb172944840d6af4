"""The files in a vector store. Shapes and order of keys are recorded, attributes are the spec's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mockserver.api.vector_stores.family import operation, poll_again, status_filter
from mockserver.api.vector_stores.requests import CreateFileRequest, UpdateAttributesRequest, reported
from mockserver.operations import objects
from mockserver.operations.call import Call, Result
from mockserver.operations.lists import cursor, list_object
from mockserver.resource import indexing, vector_stores
from mockserver.resource.vector_stores import STORE_FILE, VECTOR_STORE, store_place

Json = Any


@operation("POST", "/vector_stores/{vector_store_id}/files", "createVectorStoreFile", body=CreateFileRequest)
def create(call: Call) -> Result:
    """Put a file into a store, and begin to index it. Raises ApiError 404 where the resource does not have it (reported)."""
    body: CreateFileRequest = call.body
    vector_store_id = call.path["vector_store_id"]
    document = vector_stores.use(call.resource, vector_store_id, call.now)
    indexing.check_files(call.resource.store, [body.file_id])
    indexing.check_room(document, 1)
    file = indexing.attach(
        call.resource,
        vector_store_id,
        body.file_id,
        chunking_strategy=reported(body.chunking_strategy),
        attributes=body.attributes,
        now=call.now,
    )
    return Result(file)


@operation("GET", "/vector_stores/{vector_store_id}/files", "listVectorStoreFiles")
def list_files(call: Call) -> Result:
    """List the files in a store, newest first (recorded), by status where `filter` names one.

    It reads what is in the store, and is thereby a poll of what is being indexed: callers wait by listing, too.
    """
    place, status, vector_store_id = cursor(call.query), status_filter(call), call.path["vector_store_id"]
    vector_stores.read(call.resource, vector_store_id, call.now)
    after = place.after and store_place(vector_store_id, place.after)
    before = place.before and store_place(vector_store_id, place.before)
    parent = (VECTOR_STORE, vector_store_id)
    page = call.resource.store.page(STORE_FILE, replace(place, after=after, before=before), parent=parent, where=status)
    return Result(list_object(page, ends_first=True))


@operation("GET", "/vector_stores/{vector_store_id}/files/{file_id}", "getVectorStoreFile")
def retrieve(call: Call) -> Result:
    """Return a file in a store."""
    document = _file(call)
    return Result(document, headers=poll_again(document))


@operation(
    "POST", "/vector_stores/{vector_store_id}/files/{file_id}", "updateVectorStoreFileAttributes", body=UpdateAttributesRequest
)
def update_attributes(call: Call) -> Result:
    """Replace the attributes of a file in a store, by which searches filter."""
    body: UpdateAttributesRequest = call.body
    document = _file(call)
    place = store_place(document["vector_store_id"], document["id"])
    return Result(call.resource.store.update(STORE_FILE, place, {"attributes": body.attributes or {}}))


@operation("DELETE", "/vector_stores/{vector_store_id}/files/{file_id}", "deleteVectorStoreFile")
def delete(call: Call) -> Result:
    """Take a file out of a store. The file itself stays."""
    document = _file(call)
    vector_stores.detach(call.resource.store, document)
    return Result(objects.deleted(document["id"], "vector_store.file.deleted"))


def _file(call: Call) -> dict[str, Json]:
    vector_store_id = vector_stores.find(call.resource.store, call.path["vector_store_id"])["id"]
    return indexing.read(call.resource, vector_store_id, call.path["file_id"], call.now)
