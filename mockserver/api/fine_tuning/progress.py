"""How far a job is: its object, its run beside it, its events and checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.model.training.course import Course
from mockserver.resource.trained import CHECKPOINT, JOB
from mockserver.state.chance import Chance

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.state.store import Document, Store

Json = Any
RUN = "fine_tuning.run"
EVENT = "fine_tuning.job.event"
ALL = "unfinished"  # what all runs can be found by
_ORDER = (
    "hyperparameters",
    "seed",
    "trainingType",
    "method",
    "status",
    "model",
    "fine_tuned_model",
    "training_file",
    "validation_file",
    "integrations",
    "result_files",
    "finished_at",
    "trained_tokens",
    "error",
    "suffix",
    "metadata",
    "estimated_finish",
    "id",
    "created_at",
    "object",
)
"""The members of a job in the order of the recordings, those that were never recorded among them (inferred)."""


def keep(store: Store, run: Document) -> None:
    """Store how far a run is."""
    store.put(RUN, run["id"], run, parent=(JOB, run["id"]), names=(ALL,), accepted=True)


def model_name(job: Document) -> str:
    """The name of the model that a job makes: of its base, its own id, and its suffix (documented; the suffix reported)."""
    suffix = f"-{job['suffix']}" if "suffix" in job else ""
    return f"{job['model'].partition('.ft-')[0]}.ft-{job['id'].removeprefix('ftjob-')}{suffix}"


def change(store: Store, job_id: str, **changes: Json) -> Document:
    """Change members of a job, which keeps the order of all."""
    job = (store.get(JOB, job_id) or {}) | changes
    ordered = {name: job[name] for name in _ORDER if name in job}
    store.put(JOB, job_id, ordered, accepted=True)
    return ordered


def add_event(store: Store, job_id: str, message: str, at: int, *, level: str = "info", data: Json = None) -> None:
    """Add an event to a job; `data` are metrics. Its id follows from the job and its number."""
    number = store.count(EVENT, (JOB, job_id))
    event = {
        "id": f"ftevent-{Chance(f'{job_id}/event/{number}').hex(32)}",
        "created_at": at,
        "level": level,
        "message": message,
        "type": "message" if data is None else "metrics",
        **({} if data is None else {"data": data}),
        "object": "fine_tuning.job.event",
    }
    store.put(EVENT, event["id"], event, parent=(JOB, job_id), accepted=True)


# -- the course


def course(run: Document) -> Course:
    """The course of a run whose files have been read."""
    return Course(**run["course"])


def catch_up(resource: Resource, job: Document, now: float) -> None:
    """Report the steps that a running job has taken by now."""
    run = resource.store.get(RUN, job["id"])
    if run is not None and job["status"] == "running":
        report(resource.store, run, step_at(run, now), None)


def step_at(run: Document, now: float) -> int:
    """The step that a run is in: by the clock where that decides, else the first until it is done."""
    last = course(run).steps
    if run["seconds"] is None:
        return 1
    began, end = run["times"]["running"], run["begun"] + run["seconds"]
    share = (now - began) / (end - began) if end > began else 1.0
    return max(int(run["step"]), 1, min(last - 1, int(last * share)))


def report(store: Store, run: Document, until: int, at: int | None) -> None:
    """Add the events of the steps up to `until`, at their own times or all at one."""
    plan = course(run)
    for step in plan.reported(run["step"], until):
        metrics = plan.metrics(step)
        what, value = ("mean reward", "train_mean_reward") if run["method"] == "reinforcement" else ("loss", "train_loss")
        moment = at if at is not None else time_of(run, step)
        add_event(store, run["id"], f"Step {step}: training {what}={metrics[value]}", moment, data=metrics)
    if until > run["step"]:
        run["step"] = until
        keep(store, run)


def time_of(run: Document, step: int) -> int:
    """When a step was taken: steps share the time between the beginning and the end evenly."""
    began = run["times"]["running"]
    end = run["times"].get("succeeded", run["begun"] + (run["seconds"] or 0))
    return int(began + max(0.0, end - began) * step / course(run).steps)


def keep_checkpoint(store: Store, run: Document, name: str, step: int, at: int) -> None:
    """Keep a checkpoint of a run, by the name of the model that it is."""
    checkpoint = {
        "id": f"ftchkpt-{Chance(f'{name}/checkpoint').hex(32)}",
        "created_at": at,
        "fine_tuned_model_checkpoint": name,
        "step_number": step,
        "metrics": course(run).metrics(step),
        "fine_tuning_job_id": run["id"],
        "object": CHECKPOINT,
    }
    store.put(CHECKPOINT, checkpoint["id"], checkpoint, parent=(JOB, run["id"]), names=(name,), accepted=True)
