"""How a batch runs: its file is validated, each line is sent as a request of its own, and the answers are written to files.

All of it happens in steps, from the state that is stored, so that others are answered meanwhile, and a run that was cut off goes on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

from mockserver.api.batches.lines import Checker, finding, next_line, parse, read
from mockserver.errors import ApiError
from mockserver.resource import files
from mockserver.state import work
from mockserver.state.chance import Chance

if TYPE_CHECKING:
    from mockserver.api.batches import CreateBatchRequest
    from mockserver.operations.call import Call, ResponseView
    from mockserver.resource.deployment import Deployment
    from mockserver.resource.resource import Resource
    from mockserver.state.store import Document, Store

Json = Any
Steps = Iterator[None]
Ending = Literal["completed", "cancelled", "expired"]
BATCH = "batch"
RUN = "batch.run"
LINE = "batch.line"
CANCELLING = "batch.cancelling"
EXPIRY = "batch.expiry"
CANCELLABLE = ("validating", "in_progress", "finalizing")
HEADER = "x-mockserver-batch-id"
"""The header by which a rule, or a reader of the journal, knows the requests of a batch. It never leaves this server."""
ENQUEUED_TOKENS = 24_487_000
"""How many tokens a deployment may have enqueued unless its declaration says otherwise (recorded of one deployment)."""
_ALL = "unfinished"  # what all runs can be found by
_WINDOW = "24h"
_STAGES = ("validating", "in_progress", "finalizing", "completed")
_COPIED = 200  # lines that are written to a file in one step
_SPOOLED = 1024 * 1024
_NO_TOKENS = {
    "input_tokens": 0,
    "input_tokens_details": {"cached_tokens": 0},
    "output_tokens": 0,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 0,
}


def record(call: Call, batch: Document, body: CreateBatchRequest, api: str, deployment: str | None, tokens: int) -> Document:
    """What is kept of a run beside the object: how far it is to go, how far it is, and what its files need to know."""
    expiry = body.output_expires_after
    return {
        "id": batch["id"],
        "parent": call.number,
        "api": api,
        "deployment": deployment,
        "tokens": tokens,
        "expires_after": expiry.seconds if expiry is not None else None,
        "times": {},
        "validated": False,
        "total": 0,
        "done": 0,
        "offset": 0,
        "number": 0,
        "failed": 0,
        "usage": _NO_TOKENS,
    }


def most_tokens(deployment: Deployment | None) -> int:
    """How many tokens a deployment may have enqueued."""
    return ENQUEUED_TOKENS if deployment is None or deployment.enqueued_tokens is None else deployment.enqueued_tokens


def keep(resource: Resource, run: Document) -> None:
    """Store how far a run is."""
    resource.store.put(RUN, run["id"], run, parent=(BATCH, run["id"]), names=(_ALL,), accepted=True)


# -- what is due


@work.stages(BATCH, *_STAGES)
def _enter(resource: Resource, batch: Document, stage: str, at: float) -> Steps | None:
    run = resource.store.get(RUN, batch["id"])
    if run is None:
        return None
    run["times"][stage] = int(at)
    keep(resource, run)
    return _steps(resource, batch["id"])


@work.stages(CANCELLING, "cancelling", "cancelled")
def _enter_cancelled(resource: Resource, document: Document, stage: str, at: float) -> Steps:
    return _write_files(resource, document["id"], "cancelled", int(at))


@work.expiry(EXPIRY)
def _expire(resource: Resource, batch_id: str) -> Steps | None:
    """The window closes. (The service lets a batch go on, as documented; one that a lifecycle lets take longer expires as specified.)"""
    batch = resource.store.get(BATCH, batch_id)
    resource.store.delete(EXPIRY, batch_id)
    if batch is None or batch["status"] not in CANCELLABLE:
        return None
    work.stop(resource, BATCH, batch_id)
    return _write_files(resource, batch_id, "expired", batch["expires_at"])


def settle(resource: Resource, batch_id: str) -> None:
    """Have a batch be as far as its lifecycle says. Raises Unfinished where it is not: another request may be working on it."""
    if _is_behind(resource, batch_id):
        raise work.Unfinished(_steps(resource, batch_id))
    run = resource.store.get(RUN, batch_id)
    if run is not None and _has_ended(resource.store, batch_id):
        raise work.Unfinished(_forget(resource, run))  # it was cut off after its end


def unfinished(resource: Resource) -> list[Steps]:
    """The steps of all batches that are not as far as their lifecycles say."""
    runs = resource.store.find(RUN, _ALL)
    return [_steps(resource, run["id"]) for run in runs if _is_behind(resource, run["id"])]


def validate_first(resource: Resource, batch_id: str) -> None:
    """Raise Unfinished where a batch has not been validated: only then is it known how many requests it has (recorded)."""
    run = resource.store.get(RUN, batch_id)
    if run is not None and not run["validated"]:
        raise work.Unfinished(_validate(resource, batch_id))


def cancel(resource: Resource, batch_id: str, now: float) -> Document:
    """Begin to cancel a batch; return its object."""
    store = resource.store
    work.stop(resource, BATCH, batch_id)
    store.put(CANCELLING, batch_id, {"id": batch_id}, parent=(BATCH, batch_id))
    work.begin(resource, CANCELLING, batch_id, now)
    changed = store.update(BATCH, batch_id, {"status": "cancelling", "cancelling_at": int(now)})
    assert changed is not None
    return changed


# -- steps


def _is_behind(resource: Resource, batch_id: str) -> bool:
    run = resource.store.get(RUN, batch_id)
    batch = resource.store.get(BATCH, batch_id)
    if run is None or batch is None or batch["status"] not in CANCELLABLE:
        return False
    return bool(run["times"]) and batch["status"] != _last_stage(run)


def _last_stage(run: Document) -> str:
    """The stage that a run is to be in."""
    return next((stage for stage in reversed(_STAGES) if stage in run["times"]), "validating")


def _steps(resource: Resource, batch_id: str) -> Steps:
    """Everything that brings a batch to the stage that it is to be in."""
    store = resource.store
    if (run := store.get(RUN, batch_id)) is None:
        return
    if not run["validated"]:
        yield from _validate(resource, batch_id)
    if (run := store.get(RUN, batch_id)) is None or not run["validated"]:
        return
    store.update(BATCH, batch_id, {"status": "in_progress", "in_progress_at": run["times"]["in_progress"]})
    if "finalizing" in run["times"]:
        yield from _send_all(resource, batch_id)
        if not _is_behind(resource, batch_id):
            return  # it was cancelled meanwhile
        store.update(BATCH, batch_id, {"status": "finalizing", "finalizing_at": run["times"]["finalizing"]})
    if "completed" in run["times"]:
        yield from _write_files(resource, batch_id, "completed", run["times"]["completed"])


def _validate(resource: Resource, batch_id: str) -> Steps:
    """Check all lines. Afterwards the run is validated, or the batch has failed."""
    store = resource.store
    batch = store.get(BATCH, batch_id)
    blob = store.blob(files.FILE, batch["input_file_id"]) if batch is not None else None
    checker = Checker(resource)
    for number, line in read(blob) if blob is not None else ():
        checker.add(number, line)
        yield
    run, batch = store.get(RUN, batch_id), store.get(BATCH, batch_id)
    if run is None or run["validated"] or batch is None or batch["status"] != "validating":
        return  # others were faster
    found = [finding("input_modified", param="input_file_id")] if blob is None else checker.done()
    found = found or _refused(resource, run, batch, checker)
    if found:
        at = run["times"].get("in_progress", int(resource.clock.now()))
        changes = {"status": "failed", "failed_at": at, "errors": {"object": "list", "data": found}}
        store.update(BATCH, batch_id, changes | {"output_file_id": None, "error_file_id": None})
        store.delete(RUN, batch_id)
        work.stop(resource, BATCH, batch_id)
        return
    keep(resource, run | {"validated": True, "total": checker.total, "api": checker.api, "deployment": checker.deployment})
    counts = {"total": checker.total, "completed": 0, "failed": 0}
    store.update(BATCH, batch_id, {"request_counts": counts})


def _refused(resource: Resource, run: Document, batch: Document, checker: Checker) -> list[Json]:
    """What keeps a batch from running though all of its lines are right: its window, or the tokens that are enqueued already."""
    if batch["completion_window"] != _WINDOW:
        message = f"Invalid completion_window: '{batch['completion_window']}'. The only value that is supported is '{_WINDOW}'."
        return [finding("invalid_request", param="completion_window", message=message)]
    name = checker.deployment or ""
    most = most_tokens(resource.deployments.get(name))
    if _enqueued(resource, run) > most:
        message = (
            f"Enqueued token limit reached for {name}. Limit: {most:,} enqueued tokens. Please try again once some in_progress batches "
            "have been completed."
        )
        return [finding("token_limit_exceeded", message=message)]
    return []


def _enqueued(resource: Resource, run: Document) -> int:
    """The tokens of a run, and of all that are under way on its deployment."""
    store, total = resource.store, int(run["tokens"])
    for other in store.find(RUN, _ALL):
        batch = store.get(BATCH, other["id"])
        if (
            other["validated"]
            and other["deployment"] == run["deployment"]
            and batch is not None
            and batch["status"] in CANCELLABLE
        ):
            total += int(other["tokens"])
    return total


def _send_all(resource: Resource, batch_id: str) -> Steps:
    """Send all lines that have not been sent, wherever those stand by now that others have sent."""
    store = resource.store
    batch = store.get(BATCH, batch_id)
    blob = store.blob(files.FILE, batch["input_file_id"]) if batch is not None else None
    if blob is None:
        return
    with blob.open() as file:
        while (run := _next_run(resource, batch_id)) is not None:
            if file.tell() != run["offset"]:
                file.seek(run["offset"])
            line = next_line(file)
            run["offset"], run["number"] = file.tell(), run["number"] + 1
            if line.strip():
                _send(resource, run, parse(line))
            keep(resource, run)
            yield


def _next_run(resource: Resource, batch_id: str) -> Document | None:
    """The run, None where nothing of it is left to be sent."""
    run = resource.store.get(RUN, batch_id)
    return run if run is not None and run["done"] < run["total"] and _is_behind(resource, batch_id) else None


def _send(resource: Resource, run: Document, document: Json) -> None:
    """Send a line's request, keep its answer, and count it."""
    response = resource.send("POST", run["api"], document["body"], {HEADER: run["id"]}, parent=run["parent"], metered=False)
    body, failed = _body(response), response.status >= 400
    request_id = Chance(f"{run['id']}/{run['number']}").uuid()
    answer = {"request_id": request_id, "status_code": response.status, "body": body}
    kept = {"failed": failed, "line": {"custom_id": document["custom_id"], "response": answer, "error": None}}
    resource.store.put(LINE, f"{run['id']}/{run['number']}", kept, parent=(RUN, run["id"]), accepted=True)
    run["done"] += 1
    run["failed"] += failed
    if isinstance(body, dict) and not failed:
        run["usage"] = _added(run["usage"], body.get("usage"))
    counts = {"total": run["total"], "completed": run["done"] - run["failed"], "failed": run["failed"]}
    resource.store.update(BATCH, run["id"], {"request_counts": counts})


def _body(response: ResponseView) -> Json:
    try:
        return response.json()
    except ValueError:
        return response.content.decode("utf-8", "replace")


def _added(total: Document, usage: Json) -> Document:
    """The tokens of one more answer, which chat and responses name differently."""
    if not isinstance(usage, dict):
        return total
    chat = "prompt_tokens" in usage
    given, taken = ("prompt", "completion") if chat else ("input", "output")
    cached = (usage.get(f"{given}_tokens_details") or {}).get("cached_tokens", 0)
    reasoning = (usage.get(f"{taken}_tokens_details") or {}).get("reasoning_tokens", 0)
    return {
        "input_tokens": total["input_tokens"] + usage.get(f"{given}_tokens", 0),
        "input_tokens_details": {"cached_tokens": total["input_tokens_details"]["cached_tokens"] + cached},
        "output_tokens": total["output_tokens"] + usage.get(f"{taken}_tokens", 0),
        "output_tokens_details": {"reasoning_tokens": total["output_tokens_details"]["reasoning_tokens"] + reasoning},
        "total_tokens": total["total_tokens"] + usage.get("total_tokens", 0),
    }


# -- files


def _write_files(resource: Resource, batch_id: str, ending: Ending, at: int) -> Steps:
    """Write what a run has answered so far to its files, and end it. A completed batch has both files, be one empty (documented)."""
    store = resource.store
    run = store.get(RUN, batch_id)
    if run is None:
        return
    with _spool() as answered, _spool() as failed:
        for number, kept in enumerate(store.documents(LINE, (RUN, batch_id))):
            line = json.dumps(kept["line"], ensure_ascii=False).encode("utf-8", "surrogatepass")
            (failed if kept["failed"] else answered).write(line + b"\n")
            if number % _COPIED == 0:
                yield
        if _has_ended(store, batch_id):
            return  # others were faster
        output_file_id = _keep_file(resource, run, "output", answered, at, ending)
        yield  # the id follows from the batch: who does this once more writes the same file
        if _has_ended(store, batch_id):
            return
        error_file_id = _keep_file(resource, run, "error", failed, at, ending)
        yield
    if _has_ended(store, batch_id):
        return
    changes = {"status": ending, f"{ending}_at": at, "output_file_id": output_file_id, "error_file_id": error_file_id}
    if run["validated"]:
        changes["usage"] = run["usage"]
    store.update(BATCH, batch_id, changes)
    store.delete(EXPIRY, batch_id)
    yield from _forget(resource, run)


def _has_ended(store: Store, batch_id: str) -> bool:
    """Whether a batch's files are written: what is kept of its run may go at any time, or be gone."""
    batch = store.get(BATCH, batch_id)
    return batch is None or batch["status"] not in (*CANCELLABLE, "cancelling")


def _forget(resource: Resource, run: Document) -> Steps:
    """Delete what was kept of a run that has ended, some lines at a time."""
    for number in range(1, run["number"] + 1):
        resource.store.delete(LINE, f"{run['id']}/{number}")
        if number % _COPIED == 0:
            yield
    resource.store.delete(RUN, run["id"])


def _spool() -> BinaryIO:
    return cast("BinaryIO", SpooledTemporaryFile(_SPOOLED))


def _keep_file(resource: Resource, run: Document, name: str, content: BinaryIO, at: int, ending: Ending) -> str | None:
    """Keep one of a batch's files; return its id, None where a batch that was cut off has nothing for it (recorded)."""
    size = content.tell()
    content.seek(0)
    if not size and ending != "completed":
        return None
    filename = f"{run['id']}_{name}.jsonl"
    try:
        file = files.add(
            resource,
            filename=filename,
            purpose="batch_output",
            content=content,
            size=size,
            chance=Chance(f"{run['id']}/{filename}"),
            now=at,
            expires_after=run["expires_after"],
        )
    except ApiError:
        return None  # the store is full: there is no room for what was asked
    return str(file["id"])
