"""`/fine_tuning/jobs/…/checkpoints/…/copy`: a checkpoint in another resource, which this server serves too.

A preview: the header is demanded before any of this. Shapes are the official document's. What has to be true of the destination is
documented, the refusals are inferred. That the caller may write to the destination is taken for granted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.fine_tuning import run
from mockserver.api.fine_tuning.family import find_job, operation, written
from mockserver.api.fine_tuning.requests import CopyRequest
from mockserver.errors import ApiError
from mockserver.model.training.recall import trained_name
from mockserver.operations.call import Call, Result
from mockserver.resource import trained
from mockserver.resource.trained import CHECKPOINT, JOB
from mockserver.state import work

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.state.store import Document

Json = Any
COPY = "fine_tuning.copy"
_PATH = "/fine_tuning/jobs/{fine_tuning_job_id}/checkpoints/{fine_tuning_checkpoint_id}/copy"
_PREVIEW = "aoai-copy-ft-checkpoints"
_ARM_ID = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.CognitiveServices/accounts/([^/]+)/?", re.IGNORECASE
)


@operation("POST", _PATH, "FineTuning_CopyCheckpoint", body=CopyRequest, preview=_PREVIEW)
def copy(call: Call) -> Result:
    """Begin to copy a checkpoint. Raises ApiError 404 for an unknown one, 400 for a destination that cannot have it."""
    body: CopyRequest = call.body
    checkpoint = _checkpoint(call)
    target = _destination(call, body)
    copy_id = f"{checkpoint['id']}/{target.name}"
    known = call.resource.store.get(COPY, copy_id)
    if known is None or known["status"] == "Failed":
        details = {"destinationResourceId": body.destinationResourceId, "region": body.region, "status": "InProgress"}
        document = {"id": copy_id, "target": target.name, "model": checkpoint["fine_tuned_model_checkpoint"], "entered": False}
        call.resource.store.put(COPY, copy_id, document | details, parent=(CHECKPOINT, checkpoint["id"]))
        work.begin(call.resource, COPY, copy_id, call.now)
    return written(_object(call, checkpoint))


@operation("GET", _PATH, "FineTuning_GetCheckpoint", preview=_PREVIEW)
def retrieve(call: Call) -> Result:
    """Return how far the copies of a checkpoint are. Raises ApiError 404 for one that is unknown, or was never copied."""
    checkpoint = _checkpoint(call)
    copies = _copies(call.resource, checkpoint)
    if not copies:
        message = f"Checkpoint {call.path['fine_tuning_checkpoint_id']} has not been copied."
        raise errors.request_error(message, param="fine_tuning_checkpoint_id", status=404)
    for document in copies:
        call.poll(COPY, document["id"])
    behind = [one for one in _copies(call.resource, checkpoint) if one["entered"] and one["status"] == "InProgress"]
    if behind:
        raise work.Unfinished(chain.from_iterable(_steps(call.resource, one["id"]) for one in behind))
    return written(_object(call, checkpoint))


def _checkpoint(call: Call) -> Document:
    """The job's checkpoint that the path names, by its id or by its model's name (both are documented)."""
    job, wanted = find_job(call), call.path["fine_tuning_checkpoint_id"]
    run.settle(call.resource, job["id"])
    for checkpoint in call.resource.store.documents(CHECKPOINT, (JOB, job["id"])):
        if wanted in (checkpoint["id"], checkpoint["fine_tuned_model_checkpoint"]):
            return checkpoint
    message = f"Could not find checkpoint: {wanted}"
    raise errors.request_error(message, param="fine_tuning_checkpoint_id", status=404)


def _copies(resource: Resource, checkpoint: Document) -> list[Document]:
    return list(resource.store.documents(COPY, (CHECKPOINT, checkpoint["id"])))


def _object(call: Call, checkpoint: Document) -> dict[str, Json]:
    members = ("destinationResourceId", "region", "status")
    return {
        "checkpointedModelName": checkpoint["fine_tuned_model_checkpoint"],
        "fineTuningJobId": checkpoint["fine_tuning_job_id"],
        "copiedAccountDetails": [{name: one[name] for name in members} for one in _copies(call.resource, checkpoint)],
    }


# -- the destination


def _destination(call: Call, body: CopyRequest) -> Resource:
    """The resource that a checkpoint is to be copied to. Raises ApiError 400."""
    found = _ARM_ID.fullmatch(body.destinationResourceId)
    if found is None:
        raise _refused("is not the resource ID of an Azure OpenAI account", body)
    target = _neighbour(call.resource, found[1])
    if target is None:
        raise _refused("was not found, or the source account has no permission to access it", body)
    if _squeezed(target.region) != _squeezed(body.region):
        raise errors.invalid_value("region", f"The destination account is in '{target.region}', not in '{body.region}'.")
    if _squeezed(target.region) == _squeezed(call.resource.region):
        raise errors.invalid_value("region", "A checkpoint is copied to another region than that of the source account.")
    if not target.store.count(JOB):
        raise _refused("must have at least one fine-tuning job", body)
    return target


def _neighbour(resource: Resource, name: str) -> Resource | None:
    return next((other for known, other in resource.neighbours.items() if known.lower() == name.lower()), None)


def _refused(what: str, body: CopyRequest) -> ApiError:
    return errors.invalid_value("destinationResourceId", f"The destination account '{body.destinationResourceId}' {what}.")


def _squeezed(region: str) -> str:
    """A region as `eastus2`, which is also written `East US 2`."""
    return region.replace(" ", "").lower()


# -- what is due


@work.stages(COPY, "InProgress", "Completed")
def _enter(resource: Resource, document: Document, stage: str, at: float) -> Iterator[None]:
    resource.store.update(COPY, document["id"], {"entered": True})
    return _steps(resource, document["id"])


def _steps(resource: Resource, copy_id: str) -> Iterator[None]:
    """Copy a model and what it recalls. It fails where the destination is gone or full."""
    document = resource.store.get(COPY, copy_id)
    if document is None or document["status"] != "InProgress":
        return  # others were faster
    status = "Completed"
    target, name = resource.neighbours.get(document["target"]), document["model"]
    try:
        if target is None:
            status = "Failed"
        else:
            base, created = trained_name(name).partition(".ft-")[0], int(target.clock.now())
            yield from trained.copy(resource.store, target.store, name, base=base, created=created, owner=target.name)
    except ApiError:
        status = "Failed"
    resource.store.update(COPY, copy_id, {"status": status})
