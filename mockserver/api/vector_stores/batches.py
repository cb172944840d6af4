"""Files that are put into a store together. The order of keys is recorded on the sister service, `object` is the spec's."""

from __future__ import annotations

from collections import Counter
from typing import Any

from mockserver.api.vector_stores.family import operation, poll_again, status_filter
from mockserver.api.vector_stores.requests import CreateBatchRequest, reported
from mockserver.errors import ApiError, missing_parameter, request_error
from mockserver.operations.call import Call, Result
from mockserver.operations.lists import cursor, list_object
from mockserver.resource import indexing, vector_stores
from mockserver.resource.vector_stores import STATUSES, VECTOR_STORE
from mockserver.state.store import paged

Json = Any
Object = dict[str, Json]
BATCH = "vector_store.file_batch"
_BATCHES = "/vector_stores/{vector_store_id}/file_batches"


@operation("POST", _BATCHES, "createVectorStoreFileBatch", body=CreateBatchRequest)
def create(call: Call) -> Result:
    """Put up to 500 files into a store. Raises ApiError 404 where the resource does not have one of them."""
    body: CreateBatchRequest = call.body
    entries = {entry.file_id: entry for entry in _one_kind(body).entries()}
    document = vector_stores.use(call.resource, call.path["vector_store_id"], call.now)
    indexing.check_files(call.resource.store, entries)
    indexing.check_room(document, len(entries))
    batch = _keep(call, list(entries))
    for entry in entries.values():
        indexing.attach(
            call.resource,
            batch["vector_store_id"],
            entry.file_id,
            chunking_strategy=reported(entry.chunking_strategy),
            attributes=entry.attributes,
            now=call.now,
            accepted=True,
        )
    return Result(_batch_object(batch, _files(call, batch)))


def _one_kind(body: CreateBatchRequest) -> CreateBatchRequest:
    if body.file_ids is None and body.files is None:
        raise missing_parameter("file_ids")
    if body.file_ids is not None and body.files is not None:
        message = "Mutually exclusive parameters: 'file_ids' and 'files'. Ensure you are only providing one of them."
        raise request_error(message, param="files", code="mutually_exclusive_parameters")
    return body


def _keep(call: Call, file_ids: list[str]) -> Object:
    """Keep a new batch: it only holds what its object is made of, since its files are what has a status."""
    vector_store_id = call.path["vector_store_id"]
    batch: Object = {
        "id": f"vsfb_{call.chance.hex(32)}",
        "created_at": call.created,
        "vector_store_id": vector_store_id,
        "file_ids": file_ids,
        "cancelled": False,
    }
    call.resource.store.put(BATCH, batch["id"], batch, parent=(VECTOR_STORE, vector_store_id))
    return batch


@operation("GET", _BATCHES + "/{batch_id}", "getVectorStoreFileBatch")
def retrieve(call: Call) -> Result:
    """Return a batch; this is a poll of all its files."""
    batch = _batch(call)
    document = _batch_object(batch, _polled(call, batch))
    return Result(document, headers=poll_again(document))


@operation("POST", _BATCHES + "/{batch_id}/cancel", "cancelVectorStoreFileBatch")
def cancel(call: Call) -> Result:
    """Cancel what is not done of a batch. One that is done stays as it is (recorded on the sister service)."""
    batch = _batch(call)
    waiting = [file for file in _files(call, batch) if file["status"] == "in_progress"]
    for file in waiting:
        indexing.cancel(call.resource, file)
    if waiting:
        batch = call.resource.store.update(BATCH, batch["id"], {"cancelled": True}) or batch
    return Result(_batch_object(batch, _files(call, batch)))


@operation("GET", _BATCHES + "/{batch_id}/files", "listFilesInVectorStoreBatch")
def list_files(call: Call) -> Result:
    """List the files of a batch that are still in the store, newest first, by status where `filter` names one."""
    place, status, batch = cursor(call.query), status_filter(call), _batch(call)
    files = {file["id"]: file for file in _polled(call, batch)}
    file_ids = batch["file_ids"]
    numbers = {file_id: number for number, file_id in enumerate(file_ids)}
    # All that the batch ever had are numbered, so that a caller can go on behind one that has left the store meanwhile.
    wanted = {"vector_store_id": batch["vector_store_id"]} | status
    page = paged(len(file_ids), place, numbers.get, lambda number: files.get(file_ids[number], {}), wanted)
    return Result(list_object(page, ends_first=True))


def _batch(call: Call) -> Object:
    vector_store_id, batch_id = call.path["vector_store_id"], call.path["batch_id"]
    vector_stores.find(call.resource.store, vector_store_id)
    batch = call.resource.store.get(BATCH, batch_id)
    if batch is None or batch["vector_store_id"] != vector_store_id:
        raise _missing(vector_store_id, batch_id)
    return batch


def _missing(vector_store_id: str, batch_id: str) -> ApiError:
    """A batch that a store does not have (inferred from how its files are missed)."""
    return request_error(f"No file batch found with id '{batch_id}' in vector store '{vector_store_id}'.", status=404)


def _files(call: Call, batch: Object) -> list[Object]:
    """The files of a batch that are still in the store, in the order in which they were sent."""
    found = (indexing.in_store(call.resource.store, batch["vector_store_id"], file_id) for file_id in batch["file_ids"])
    return [file for file in found if file is not None]


def _polled(call: Call, batch: Object) -> list[Object]:
    return [indexing.read(call.resource, batch["vector_store_id"], file["id"], call.now) for file in _files(call, batch)]


def _batch_object(batch: Object, files: list[Object]) -> Object:
    counts = Counter(file["status"] for file in files)
    return {
        "id": batch["id"],
        "object": "vector_store.files_batch",
        "created_at": batch["created_at"],
        "status": _status(batch, counts, len(files)),
        "vector_store_id": batch["vector_store_id"],
        "file_counts": {status: counts[status] for status in STATUSES} | {"total": len(files)},
    }


def _status(batch: Object, counts: Counter[str], total: int) -> str:
    """A batch is failed where all its files are (reported)."""
    if batch["cancelled"]:
        return "cancelled"
    if counts["in_progress"]:
        return "in_progress"
    return "failed" if total and counts["failed"] == total else "completed"
