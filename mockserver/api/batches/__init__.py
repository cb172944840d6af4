"""`/batches`: a file of requests, each answered as a call of its own, and the answers in files again.

The object's members stand in the order of the recordings, which leave `/v1` out of the endpoint and give "" for a file that is not
there yet.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from pydantic import Field

from mockserver import errors
from mockserver.api.batches import run
from mockserver.api.batches.lines import APIS, api_of, estimate
from mockserver.api.batches.run import BATCH, CANCELLING, EXPIRY
from mockserver.operations.body import Body, FileExpiry, Metadata
from mockserver.operations.call import Call, Result
from mockserver.operations.lists import cursor, list_object
from mockserver.operations.objects import stored
from mockserver.operations.table import family
from mockserver.resource import file_limits, files
from mockserver.state import work

if TYPE_CHECKING:
    from mockserver.errors import ApiError
    from mockserver.state.store import Document

Json = Any
operation = family(style="pretty", headers="machine-learning")
_TYPE = [(b"content-type", b"application/json; charset=utf-8")]
_WINDOW = 24 * 3_600  # seconds


class CreateBatchRequest(Body):
    endpoint: str
    completion_window: str
    input_file_id: str | None = None
    metadata: Metadata | None = None
    output_expires_after: FileExpiry | None = Field(default=None)


def _missing(batch_id: str) -> ApiError:
    """A batch that is not there (inferred from the sister service's other objects)."""
    return errors.request_error(f"No batch found with id '{batch_id}'.", param="batch_id", status=404)


@operation("POST", "/batches", "createBatch", body=CreateBatchRequest)
def create(call: Call) -> Result:
    """Enqueue a batch. What is wrong with its lines is found later, when it is validated (documented)."""
    body: CreateBatchRequest = call.body
    api, file = _checked(call, body)
    batch = _object(call, body, api, file["id"])
    first, tokens = estimate(files.content(call.resource.store, file["id"]))
    deployment = call.resource.deployments.get(first or "")
    store = call.resource.store
    store.put(BATCH, batch["id"], batch)
    run.keep(call.resource, run.record(call, batch, body, api, first, tokens))
    store.put(EXPIRY, batch["id"], {}, parent=(BATCH, batch["id"]), due=float(batch["expires_at"]))
    work.begin(call.resource, BATCH, batch["id"], call.now)
    most = run.most_tokens(deployment)
    quota = [(b"deployment-enqueued-tokens", b"%d" % tokens), (b"deployment-maximum-enqueued-tokens", b"%d" % most)]
    return Result(batch, headers=[*_TYPE, *quota])


@operation("GET", "/batches", "listBatches")
def list_batches(call: Call) -> Result:
    """List batches, newest first."""
    unfinished = run.unfinished(call.resource)
    if unfinished:
        raise work.Unfinished(chain.from_iterable(unfinished))
    return Result(list_object(call.resource.store.page(BATCH, cursor(call.query))), headers=[*_TYPE])


@operation("GET", "/batches/{batch_id}", "retrieveBatch")
def retrieve(call: Call) -> Result:
    """Return a batch, after what is due of it has run. Raises ApiError 404 where there is none."""
    batch_id = call.path["batch_id"]
    call.poll(BATCH, batch_id)
    call.poll(CANCELLING, batch_id)
    run.settle(call.resource, batch_id)
    return Result(_stored(call), headers=[*_TYPE])


@operation("POST", "/batches/{batch_id}/cancel", "cancelBatch")
def cancel(call: Call) -> Result:
    """Cancel a batch: what is done by then stays, and is in its files once it is cancelled. Raises ApiError 400 for one that has ended."""
    batch = _stored(call)
    if batch["status"] == "cancelling":
        return Result(batch, headers=[*_TYPE])
    if batch["status"] not in run.CANCELLABLE:
        raise errors.request_error(f"Cannot cancel a batch with status '{batch['status']}'.", param="batch_id")
    run.validate_first(call.resource, batch["id"])
    return Result(run.cancel(call.resource, batch["id"], call.now), headers=[*_TYPE])


def _stored(call: Call) -> Document:
    return stored(call, BATCH, "batch_id", _missing)


def _checked(call: Call, body: CreateBatchRequest) -> tuple[str, Document]:
    """The operation that a batch calls and its input file. Raises ApiError 400 for one that cannot begin (texts inferred)."""
    api = api_of(body.endpoint)
    if api is None:
        raise errors.unsupported_choice("endpoint", body.endpoint, [f"/v1{known}" for known in APIS])
    if not body.input_file_id:
        raise errors.missing_parameter("input_file_id")
    if body.output_expires_after is not None:
        file_limits.check_lifetime("batch", body.output_expires_after.seconds)
    file = call.resource.store.get(files.FILE, body.input_file_id)
    if file is None:
        raise errors.request_error(f"No such File object: {body.input_file_id}", param="input_file_id")
    if file["purpose"] != "batch":
        message = f"File '{file['id']}' has purpose '{file['purpose']}'. Expected a file with purpose 'batch'."
        raise errors.request_error(message, param="input_file_id")
    return api, file


def _object(call: Call, body: CreateBatchRequest, api: str, input_file_id: str) -> dict[str, Json]:
    return {
        "cancelled_at": None,
        "cancelling_at": None,
        "completed_at": None,
        "completion_window": body.completion_window,
        "created_at": call.created,
        "error_file_id": "",
        "expired_at": None,
        "expires_at": call.created + _WINDOW,
        "failed_at": None,
        "finalizing_at": None,
        "id": f"batch_{call.chance.uuid()}",
        "in_progress_at": None,
        "input_file_id": input_file_id,
        "errors": None,
        "metadata": body.metadata,
        "object": "batch",
        "output_file_id": "",
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "status": "validating",
        "endpoint": api,
    }
