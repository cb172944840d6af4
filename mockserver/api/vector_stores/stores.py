"""`/vector_stores` themselves. Shapes, order of keys and the 404 are recorded."""

from __future__ import annotations

from typing import Any

from mockserver.api.vector_stores.family import operation, poll_again
from mockserver.api.vector_stores.requests import CreateStoreRequest, ModifyStoreRequest, reported
from mockserver.operations import objects
from mockserver.operations.call import Call, Result
from mockserver.operations.lists import cursor, list_object
from mockserver.resource import indexing, vector_stores
from mockserver.resource.vector_stores import STATUSES, VECTOR_STORE

Json = Any


@operation("POST", "/vector_stores", "createVectorStore", body=CreateStoreRequest)
def create(call: Call) -> Result:
    """Create a store, and begin to index the files that it comes with. Raises ApiError 404 where one of them is unknown (reported)."""
    body: CreateStoreRequest = call.body
    file_ids = list(dict.fromkeys(body.file_ids or ()))
    indexing.check_files(call.resource.store, file_ids)
    document = vector_stores.keep(call.resource.store, _new(call), accepted=False)
    chunking_strategy = reported(body.chunking_strategy)
    for file_id in file_ids:
        indexing.attach(
            call.resource,
            document["id"],
            file_id,
            chunking_strategy=chunking_strategy,
            attributes=None,
            now=call.now,
            accepted=True,
        )
    return Result(vector_stores.find(call.resource.store, document["id"]))


def _new(call: Call) -> dict[str, Json]:
    body: CreateStoreRequest = call.body
    return {
        "id": call.new_id or vector_stores.new_id(call.chance),
        "object": "vector_store",
        "name": body.name,
        "status": "completed",
        "usage_bytes": 0,
        "created_at": call.created,
        "file_counts": dict.fromkeys((*STATUSES, "total"), 0),
        "metadata": body.metadata or {},
        "expires_after": _lifetime(body),
        "expires_at": None,
        "last_active_at": call.created,
    }


def _lifetime(body: CreateStoreRequest | ModifyStoreRequest) -> dict[str, Json] | None:
    lifetime = body.expires_after
    return None if lifetime is None else {"anchor": lifetime.anchor, "days": lifetime.days}


@operation("GET", "/vector_stores", "listVectorStores")
def list_stores(call: Call) -> Result:
    """List stores, newest first (recorded on the sister service). It is no poll of what is being indexed."""
    return Result(list_object(call.resource.store.page(VECTOR_STORE, cursor(call.query)), ends_first=True))


@operation("GET", "/vector_stores/{vector_store_id}", "getVectorStore")
def retrieve(call: Call) -> Result:
    """Return a store."""
    document = vector_stores.read(call.resource, call.path["vector_store_id"], call.now)
    return Result(document, headers=poll_again(document))


@operation("POST", "/vector_stores/{vector_store_id}", "modifyVectorStore", body=ModifyStoreRequest)
def modify(call: Call) -> Result:
    """Change a store's name, metadata or lifetime; null takes them away (spec)."""
    body: ModifyStoreRequest = call.body
    document = vector_stores.find(call.resource.store, call.path["vector_store_id"])
    changes = {"name": body.name, "metadata": body.metadata or {}, "expires_after": _lifetime(body)}
    changes = {name: value for name, value in changes.items() if name in body.model_fields_set}
    return Result(vector_stores.keep(call.resource.store, document | changes))


@operation("DELETE", "/vector_stores/{vector_store_id}", "deleteVectorStore")
def delete(call: Call) -> Result:
    """Delete a store. The files that were in it stay."""
    document = vector_stores.find(call.resource.store, call.path["vector_store_id"])
    call.resource.store.delete(VECTOR_STORE, document["id"])
    return Result(objects.deleted(document["id"], "vector_store.deleted"))
