"""`/fine_tuning/jobs`: created, read, listed, cancelled, paused, resumed and deleted; and their events.

The object's members stand in the order of the recordings, and are absent where they have no value yet.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.fine_tuning import progress, run
from mockserver.api.fine_tuning.family import find_job, operation, page_object, unsuitable, written
from mockserver.api.fine_tuning.progress import EVENT
from mockserver.api.fine_tuning.requests import CreateJobRequest, Hyperparameters
from mockserver.api.fine_tuning.run import UNFINISHED
from mockserver.model.training import hyperparameters
from mockserver.model.training.bases import Base, Method, base_of
from mockserver.operations import graders
from mockserver.operations.call import EMPTY, Call, Result
from mockserver.operations.lists import cursor
from mockserver.resource import files, trained
from mockserver.resource.trained import JOB
from mockserver.state import work

if TYPE_CHECKING:
    from mockserver.errors import ApiError
    from mockserver.state.store import Document

Json = Any
_MOST_JOBS = 100
_ESTIMATE = 900  # seconds that a new job is thought to take (recorded)
_TRAINING_TYPES = {
    "standard": "standard",
    "1": "standard",
    "globalstandard": "globalStandard",
    "developer": "developerTier",
    "developertier": "developerTier",
}
"""How callers spell training types (documented, and in clients), and how they are reported (recorded of `standard`)."""

_GRADERS = tuple(kind for kind in graders.KINDS if kind != "label_model")  # spec, and documented for `python`


@operation("POST", "/fine_tuning/jobs", "createFineTuningJob", body=CreateJobRequest)
def create(call: Call) -> Result:
    """Enqueue a job. What is wrong in its files is found later, when it begins (documented).

    Raises ApiError 400 for a model or a file that cannot be trained on, and where the resource has as many jobs as it may have.
    """
    body: CreateJobRequest = call.body
    base = _checked(call, body)
    job = _object(call, body, base)
    store = call.resource.store
    store.put(JOB, job["id"], job)
    progress.keep(store, run.record(call, job, body))
    progress.add_event(store, job["id"], "Job enqueued. Waiting for jobs ahead to complete.", call.created)
    work.begin(call.resource, JOB, job["id"], call.now)
    result = written(job, 201)
    result.headers.append((b"location", _location(call, job["id"])))
    return result


@operation("GET", "/fine_tuning/jobs", "listPaginatedFineTuningJobs")
def list_jobs(call: Call) -> Result:
    """List jobs, newest first, by metadata where the query has some."""
    behind = [run.steps(call.resource, one["id"]) for one in run.unfinished(call.resource)]
    if behind:
        raise work.Unfinished(chain.from_iterable(behind))
    metadata = call.query.members("metadata")
    page = call.resource.store.page(JOB, cursor(call.query), where={"metadata": metadata} if metadata else None)
    return written(page_object(page))


@operation("GET", "/fine_tuning/jobs/{fine_tuning_job_id}", "retrieveFineTuningJob")
def retrieve(call: Call) -> Result:
    """Return a job, after what is due of it has run. Raises ApiError 404 where there is none."""
    job_id = call.path["fine_tuning_job_id"]
    call.poll(JOB, job_id)
    run.settle(call.resource, job_id)
    return written(find_job(call))


@operation("POST", "/fine_tuning/jobs/{fine_tuning_job_id}/cancel", "cancelFineTuningJob")
def cancel(call: Call) -> Result:
    """Cancel a job, at once (recorded). Raises ApiError 400 for one that has ended."""
    job = _settled(call)
    if job["status"] not in UNFINISHED:
        raise unsuitable(job, "cancelled")
    return written(run.cancel(call.resource, job, call.now))


@operation("POST", "/fine_tuning/jobs/{fine_tuning_job_id}/pause", "pauseFineTuningJob")
def pause(call: Call) -> Result:
    """Pause a job, which leaves a checkpoint. Raises ApiError 400 for one that is not running (documented)."""
    job = _settled(call)
    if job["status"] != "running":
        raise unsuitable(job, "paused")
    return written(run.pause(call.resource, job, call.now))


@operation("POST", "/fine_tuning/jobs/{fine_tuning_job_id}/resume", "resumeFineTuningJob")
def resume(call: Call) -> Result:
    """Go on with a paused job. Raises ApiError 400 for one that is not paused."""
    job = _settled(call)
    if job["status"] != "paused":
        raise unsuitable(job, "resumed")
    return written(run.resume(call.resource, job, call.now))


@operation("DELETE", "/fine_tuning/jobs/{fine_tuning_job_id}", "deleteFineTuningJob", beyond_spec=True)
def delete(call: Call) -> Result:
    """Delete a job with its events and checkpoints; the model stays. It is Azure's own operation (recorded)."""
    job = find_job(call)
    if job["status"] in UNFINISHED:
        run.forget(call.resource.store, job)
    call.resource.store.delete(JOB, job["id"])
    return Result(EMPTY, 204)


@operation("GET", "/fine_tuning/jobs/{fine_tuning_job_id}/events", "listFineTuningEvents")
def list_events(call: Call) -> Result:
    """List a job's events, newest first. It is no poll, but shows how far the job is by now."""
    job = _settled(call)
    progress.catch_up(call.resource, job, call.now)
    page = call.resource.store.page(EVENT, cursor(call.query), parent=(JOB, job["id"]))
    return written(page_object(page))


def _settled(call: Call) -> Document:
    """The job that the path names, as far as its lifecycle says. Raises ApiError 404, and Unfinished."""
    job = find_job(call)
    run.settle(call.resource, job["id"])
    return job


# -- what a job is made of


def _checked(call: Call, body: CreateJobRequest) -> Base:
    """The model that is trained. Raises ApiError 400."""
    store, base = call.resource.store, base_of(body.model)
    if base is None or (".ft-" in body.model and trained.place(store, body.model) is None):
        raise errors.gateway_error(400, "invalidPayload", "The specified base model does not support fine-tuning.")
    method = _method(body)
    if method not in base.methods:
        message = f"The specified base model does not support fine-tuning with the method '{method}'."
        raise errors.gateway_error(400, "invalidPayload", message)
    if body.method is not None and method == "reinforcement" and body.method.reinforcement is None:
        raise errors.missing_parameter("method.reinforcement")
    if body.method is not None and body.method.reinforcement is not None:
        graders.parse(body.method.reinforcement.grader, "method.reinforcement.grader", kinds=_GRADERS)
    if method == "reinforcement" and body.validation_file is None:
        raise errors.missing_parameter("validation_file")
    _training_type(body.trainingType)
    _check_file(call, "training_file", body.training_file)
    if body.validation_file is not None:
        _check_file(call, "validation_file", body.validation_file)
    if store.count(JOB) >= _MOST_JOBS:
        raise _exhausted()
    return base


def _check_file(call: Call, param: str, file_id: str) -> None:
    """Raise ApiError 400 for a file that is not there (recorded on the sister service), or not to be trained on (inferred)."""
    file = call.resource.store.get(files.FILE, file_id)
    if file is None:
        raise errors.request_error(f"invalid {param}: {file_id}", param=param)
    if file["purpose"] != "fine-tune":
        message = f"File '{file_id}' has purpose '{file['purpose']}'. Expected a file with purpose 'fine-tune'."
        raise errors.request_error(message, param=param)


def _exhausted() -> ApiError:
    """More jobs than a resource may have (the number is documented, the text inferred)."""
    message = f"The resource has reached its limit of {_MOST_JOBS} fine-tuning jobs. Delete jobs that are no longer needed."
    return errors.request_error(message, code="quotaExceeded")


def _method(body: CreateJobRequest) -> Method:
    return body.method.type if body.method is not None else "supervised"


def _wanted(body: CreateJobRequest) -> dict[str, Json]:
    """The hyperparameters of the method, else those in their old place."""
    settings = getattr(body.method, body.method.type) if body.method is not None else None
    chosen: Hyperparameters | None = settings.hyperparameters if settings is not None else None
    chosen = chosen or body.hyperparameters
    return chosen.model_dump(exclude_unset=True) if chosen is not None else {}


def _training_type(wanted: str | int | None) -> str | None:
    """The training type as it is reported. Raises ApiError 400 for one that does not exist."""
    if wanted is None:
        return None
    known = _TRAINING_TYPES.get(str(wanted).lower())
    if known is None:
        raise errors.unsupported_choice("trainingType", str(wanted), ["Standard", "GlobalStandard", "Developer"])
    return known


def _reported_method(body: CreateJobRequest, raw: Json) -> Json:
    """The method as jobs report it: its type (recorded), and of reinforcement the grader and the format (inferred)."""
    if body.method is None:
        return None
    if body.method.type != "reinforcement":
        return {"type": body.method.type}
    settings = raw["method"]["reinforcement"]
    kept = {name: settings[name] for name in ("grader", "response_format") if settings.get(name) is not None}
    return {"type": "reinforcement", "reinforcement": kept}


def _object(call: Call, body: CreateJobRequest, base: Base) -> dict[str, Json]:
    seconds = call.resource.lifecycles[JOB].seconds
    members = {
        "hyperparameters": hyperparameters.initial(_wanted(body)),
        "seed": body.seed if body.seed is not None else call.chance.fork("seed").below(2**31),
        "trainingType": _training_type(body.trainingType),
        "method": _reported_method(body, call.raw),
        "status": "pending",
        "model": body.model if ".ft-" in body.model else base.name,
        "training_file": body.training_file,
        "validation_file": body.validation_file,
        "integrations": call.raw.get("integrations") or None,
        "suffix": body.suffix,
        "metadata": body.metadata,
        "estimated_finish": int(call.now + (_ESTIMATE if seconds is None else seconds)),
        # Another resource may train the same on the same: its model has to have another name, since models are copied.
        "id": f"ftjob-{call.chance.fork(call.resource.name).hex(32)}",
        "created_at": call.created,
        "object": "fine_tuning.job",
    }
    return {name: value for name, value in members.items() if value is not None}


def _location(call: Call, job_id: str) -> bytes:
    """Where a new job is, as the service says it: without `/jobs` (recorded)."""
    version = call.query.last("api-version") or ""
    path = (
        f"/openai/fine_tuning/{job_id}?api-version={version}" if version[:1].isdigit() else f"/openai/v1/fine_tuning/{job_id}"
    )
    host = call.headers.get("host", "")
    return f"{'http' if ':' in host else 'https'}://{host}{path}".encode("latin-1", "replace")
