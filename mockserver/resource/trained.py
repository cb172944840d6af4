"""The models that a resource has trained, or copied from another: kept, found, copied, forgotten.

A model's document has `id`, `model` (the snapshot that it is based on), `created` and `owner`. What it was trained on is a document of
its own (`mockserver.model.training.recall`), which its checkpoints share; a checkpoint's document is the object that callers see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.model.training.recall import LESSON, TRAINING, keep_lesson, trained_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mockserver.state.store import Key, Store

Json = Any
MODEL = "model"
JOB = "fine_tuning.job"
CHECKPOINT = "fine_tuning.job.checkpoint"
"""The kind of a job's checkpoints, which go by the names of the models that they are."""


def keep(store: Store, name: str, *, base: str, created: int, owner: str) -> None:
    """Have a model from now on."""
    store.put(MODEL, name, {"id": name, "model": base, "created": created, "owner": owner}, accepted=True)


def place(store: Store, name: str) -> Key | None:
    """The document of a trained model, or else of the checkpoint of that name; None where the resource has neither."""
    if store.get(MODEL, name) is not None:
        return MODEL, name
    found = store.find(CHECKPOINT, name)
    return (CHECKPOINT, found[-1]["id"]) if found else None


def delete(store: Store, name: str) -> bool:
    """Forget a model and what it was trained on; say whether there was one."""
    if trained_name(name) == name:
        store.delete(TRAINING, name)
    return store.delete(MODEL, name)


def copy(source: Store, target: Store, name: str, *, base: str, created: int, owner: str) -> Iterator[None]:
    """Give another resource a model or checkpoint of this one, in steps. Raises ApiError 507 where the other one's store is full."""
    training = trained_name(name)
    above = TRAINING, training
    complete = target.count(LESSON, above) == source.count(LESSON, above)  # another checkpoint of it was copied before
    lessons = () if complete else source.documents(LESSON, above)
    with target.transaction:
        target.put(TRAINING, training, {"id": training})
    for number, lesson in enumerate(lessons):
        with target.transaction:
            keep_lesson(target, training, number, lesson)
        yield
    with target.transaction:
        keep(target, name, base=base, created=created, owner=owner)
