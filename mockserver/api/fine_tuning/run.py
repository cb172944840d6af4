"""Running a job: its files are read, then it goes its course, and leaves events, checkpoints, a file of results and a model.

All of it happens in steps, from the state that is stored, so that others are answered meanwhile, and a run that was cut off goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mockserver.api.fine_tuning import reading, rewards, scripted
from mockserver.api.fine_tuning.progress import (
    ALL,
    RUN,
    add_event,
    change,
    course,
    keep,
    keep_checkpoint,
    model_name,
    report,
    step_at,
    time_of,
)
from mockserver.api.fine_tuning.results import keep_results, new_results, spool, write_results
from mockserver.model.training import hyperparameters
from mockserver.model.training.bases import base_of
from mockserver.model.training.recall import TRAINING
from mockserver.resource import trained
from mockserver.resource.trained import CHECKPOINT, JOB
from mockserver.state import work

if TYPE_CHECKING:
    from mockserver.api.fine_tuning.requests import CreateJobRequest
    from mockserver.operations.call import Call
    from mockserver.resource.resource import Resource
    from mockserver.state.store import Document, Store

Json = Any
Steps = Iterator[None]
UNFINISHED = ("pending", "running", "paused", "resuming")


def record(call: Call, job: Document, body: CreateJobRequest) -> Document:
    """What is kept of a run beside the object: how far it is to go, and how far it is."""
    method = body.method.type if body.method is not None else "supervised"
    lifecycle = call.resource.lifecycles[JOB]
    return {
        "id": job["id"],
        "method": method,
        "parent": call.number,
        "begun": call.now,
        "script": (call.answer.job if call.answer is not None else None) or {},
        "seconds": lifecycle.seconds,
        "times": {},
        "read": False,
        "tokens": 0,
        "course": None,
        "step": 0,
    }


# -- what is due


@work.stages(JOB, "pending", "running", "succeeded")
def _enter(resource: Resource, job: Document, stage: str, at: float) -> Steps | None:
    run = resource.store.get(RUN, job["id"])
    if run is None:
        return None
    if run["script"].get("hangs") == "pending" or (run["script"].get("hangs") == "running" and stage == "succeeded"):
        return None
    run["times"][stage] = at
    keep(resource.store, run)
    return steps(resource, job["id"])


def settle(resource: Resource, job_id: str) -> None:
    """Have a job be as far as its lifecycle says. Raises Unfinished where it is not."""
    run = resource.store.get(RUN, job_id)
    if run is not None and _is_behind(resource.store, run):
        raise work.Unfinished(steps(resource, job_id))


def unfinished(resource: Resource) -> list[Document]:
    """The runs that are not as far as their lifecycles say."""
    return [run for run in resource.store.find(RUN, ALL) if _is_behind(resource.store, run)]


def _is_behind(store: Store, run: Document) -> bool:
    job = store.get(JOB, run["id"])
    if job is None or job["status"] not in UNFINISHED or not run["times"]:
        return False
    return "succeeded" in run["times"] or job["status"] not in ("running", "paused")


def steps(resource: Resource, job_id: str) -> Steps:
    """Everything that brings a job to the stage that it is to be in."""
    store = resource.store
    if (run := store.get(RUN, job_id)) is None:
        return
    if not run["read"]:
        yield from _read(resource, job_id)
    run, job = store.get(RUN, job_id), store.get(JOB, job_id)
    if run is None or job is None or not run["read"]:
        return
    if job["status"] == "resuming":
        change(store, job_id, status="running")
        add_event(store, job_id, "Job resumed.", int(run["times"]["running"]))
    if "succeeded" in run["times"]:
        yield from _finish(resource, job_id)


def _read(resource: Resource, job_id: str) -> Steps:
    """Read the files of a job. Afterwards it runs, or has failed."""
    store, job, run = resource.store, resource.store.get(JOB, job_id), resource.store.get(RUN, job_id)
    if job is None or run is None:
        return
    base = base_of(job["model"])
    assert base is not None
    name = model_name(job)
    reader = reading.Reader(store, job, base, run["method"])
    yield from reader.read()
    baseline = rewards.Baseline(resource, job, base, run["parent"])
    if reader.error is None and run["method"] == "reinforcement":
        yield from baseline.measure()
    elif reader.error is None:
        yield from reader.learn(name)
    job, run = store.get(JOB, job_id), store.get(RUN, job_id)
    if job is None or job["status"] not in UNFINISHED:
        if not store.count(CHECKPOINT, (JOB, job_id)):
            store.delete(TRAINING, name)  # it was cancelled or deleted meanwhile; one that others have finished has checkpoints
        return
    if run is None or run["read"]:
        return  # others were faster
    at = int(run["times"]["running"])
    add_event(store, job_id, "Job started.", at)
    error = reader.error or baseline.error or scripted.error(run, "data_evaluation")
    if error is not None:
        fail(resource, job_id, error, at)
    else:
        _start(resource, job, run, reader, at, baseline.reward)


def _start(resource: Resource, job: Document, run: Document, reader: reading.Reader, at: int, baseline: float) -> None:
    """Have a job run, whose files have been read."""
    store, values = resource.store, hyperparameters.resolved(job["hyperparameters"], reader.examples)
    epochs, batch = values["n_epochs"], values["batch_size"]
    course = {
        "seed": job["seed"],
        "method": run["method"],
        "examples": reader.examples,
        "epochs": epochs,
        "batch": batch,
        "validated": "validation_file" in job,
        "baseline": baseline,
        "interval": values.get("eval_interval"),
    }
    for message in ("Preprocessing started.", "Training started."):
        add_event(store, job["id"], message, at)
    results = new_results(resource, job["id"], at)
    add_event(store, job["id"], f"Created results file: {results}", at)
    change(store, job["id"], status="running", hyperparameters=values, result_files=[results])
    run |= {"read": True, "tokens": reader.tokens * epochs, "course": course}
    keep(store, run)
    report(store, run, 1, at)


def fail(resource: Resource, job_id: str, error: Document, at: int) -> None:
    """End a job with an error."""
    store = resource.store
    job = change(store, job_id, status="failed", finished_at=at, error=error)
    add_event(store, job_id, error["message"], at, level="error")
    forget(store, job)
    work.stop(resource, JOB, job_id)


def forget(store: Store, job: Document) -> None:
    """Forget the run of a job that leaves no model, and what that would have recalled."""
    store.delete(RUN, job["id"])
    if not store.count(CHECKPOINT, (JOB, job["id"])):
        store.delete(TRAINING, model_name(job))


def _finish(resource: Resource, job_id: str) -> Steps:
    """The end of a job: the model, its checkpoints, and the results."""
    store, run = resource.store, resource.store.get(RUN, job_id)
    if run is not None and (error := scripted.error(run, "training")) is not None:
        report(store, run, max(1, course(run).steps // 2), None)
        fail(resource, job_id, error, int(run["times"]["succeeded"]))
        return
    with spool() as results:
        yield from write_results(store, job_id, results)
        job, run = store.get(JOB, job_id), store.get(RUN, job_id)
        if job is None or run is None or job["status"] != "running":
            return  # others were faster
        keep_results(store, job, results)
    plan, at, name = course(run), int(run["times"]["succeeded"]), model_name(job)
    report(store, run, plan.steps, None)
    if (error := scripted.error(run, "model_evaluation")) is not None:
        fail(resource, job_id, error, at)
        return
    for step in plan.checkpoints:
        checkpoint = name if step == plan.steps else f"{name}:ckpt-step-{step}"
        keep_checkpoint(store, run, checkpoint, step, time_of(run, step))
    trained.keep(store, name, base=job["model"].partition(".ft-")[0], created=at, owner=resource.name)
    for message in (
        "Job succeeded.",
        "Postprocessing started.",
        f"Completed results file: {job['result_files'][0]}",
        f"Training hours billed: {_hours(run):.3f}",
    ):
        add_event(store, job_id, message, at)
    change(store, job_id, status="succeeded", finished_at=at, trained_tokens=run["tokens"], fine_tuned_model=name)
    store.delete(RUN, job_id)


# -- what callers do to a job


def cancel(resource: Resource, job: Document, now: float) -> Document:
    """Cancel a job; return its object."""
    work.stop(resource, JOB, job["id"])
    add_event(resource.store, job["id"], "Job canceled.", int(now))
    forget(resource.store, job)
    return change(resource.store, job["id"], status="cancelled", finished_at=int(now))


def pause(resource: Resource, job: Document, now: float) -> Document:
    """Pause a running job and keep a checkpoint of where it is; return its object."""
    store, run = resource.store, resource.store.get(RUN, job["id"])
    assert run is not None
    work.stop(resource, JOB, job["id"])
    report(store, run, step_at(run, now), None)
    keep_checkpoint(store, run, f"{model_name(job)}:ckpt-step-{run['step']}", run["step"], int(now))
    add_event(store, job["id"], "Job paused.", int(now))
    return change(store, job["id"], status="paused")


def resume(resource: Resource, job: Document, now: float) -> Document:
    """Have a paused job go on, as its lifecycle says; return its object."""
    store, run = resource.store, resource.store.get(RUN, job["id"])
    assert run is not None
    keep(store, run | {"begun": now, "times": {}})
    work.begin(resource, JOB, job["id"], now)
    return change(store, job["id"], status="resuming")


def _hours(run: Document) -> float:
    """Billed are quarters of an hour that have begun (recalled: 0.250, 0.500)."""
    seconds = run["times"]["succeeded"] - run["times"]["running"]
    return float(max(1, -(-seconds // 900)) / 4)
