"""How a run happens: its rows are read, each is sampled and graded, and in the end the run has the sums.

All of it happens in steps, from the state that is stored, so that others are answered meanwhile, and a run that was cut off goes on.
A row that has been read waits below the run's progress until it is an output item.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mockserver.api.evals import results, schema, sources
from mockserver.api.evals.sampling import Sample, Sampler, given
from mockserver.model import grade
from mockserver.operations import graders
from mockserver.operations.grading import means_of
from mockserver.resource.evals import ENDED, EVAL, OUTPUT_ITEM, RUN, output_key
from mockserver.state import work
from mockserver.state.chance import Chance

if TYPE_CHECKING:
    from mockserver.model.grade.graders import Grader
    from mockserver.operations.call import Call, ResponseView
    from mockserver.resource.resource import Resource
    from mockserver.state.store import Document

Json = Any
Steps = Iterator[None]
PROGRESS = "eval.run.progress"
ROW = "eval.run.row"
HEADER = "x-mockserver-eval-run-id"
"""The header by which a rule, or a reader of the journal, knows the requests of a run. It never leaves this server."""
CRITERIA = tuple(kind for kind in graders.KINDS if kind != "multi")
"""The types of graders that an eval can have (spec)."""


def begin(call: Call, run: Document, names: list[str]) -> None:
    """Keep a new run, which begins to happen now; `names` are those of its testing criteria."""
    store = call.resource.store
    progress = {"id": run["id"], "parent": call.number, "due": None, "total": None, "done": 0, "sums": results.no_counts(names)}
    store.put(RUN, run["id"], run, parent=(EVAL, run["eval_id"]))
    store.put(PROGRESS, run["id"], progress, parent=(RUN, run["id"]), accepted=True)
    work.begin(call.resource, RUN, run["id"], call.now)


@work.stages(RUN, "in_progress", "completed")
def _enter(resource: Resource, run: Document, stage: str, at: float) -> Steps | None:
    if resource.store.update(PROGRESS, run["id"], {"due": int(at)}) is None:
        return None
    return _steps(resource, run["id"])


def settle(resource: Resource, run_id: str) -> None:
    """Have a run be as far as its lifecycle says. Raises Unfinished where it is not: another request may be working on it."""
    progress = resource.store.get(PROGRESS, run_id)
    if progress is not None and progress["due"] is not None:
        raise work.Unfinished(_steps(resource, run_id))


def unfinished(resource: Resource, eval_id: str) -> list[Steps]:
    """The steps of all runs of an eval that are not as far as their lifecycles say."""
    store = resource.store
    under_way = [run["id"] for run in store.documents(RUN, (EVAL, eval_id)) if run["status"] not in ENDED]
    return [_steps(resource, one) for one in under_way if (store.get(PROGRESS, one) or {}).get("due") is not None]


def cancel(resource: Resource, run_id: str, now: float) -> Document:
    """End a run where it is; what is done by then stays."""
    progress = resource.store.get(PROGRESS, run_id)
    work.stop(resource, RUN, run_id)
    changed = _end(resource, run_id, "canceled", int(now), progress["sums"] if progress is not None else {})
    assert changed is not None
    return changed


# -- steps


def _steps(resource: Resource, run_id: str) -> Steps:
    """Everything that brings a run to its end."""
    store = resource.store
    progress, run = store.get(PROGRESS, run_id), store.get(RUN, run_id)
    evaluation = store.get(EVAL, run["eval_id"]) if run is not None else None
    if progress is None or run is None or evaluation is None:
        return
    if progress["total"] is None:
        yield from _read_rows(resource, run, evaluation, progress["due"])
    judge = _Judge(resource, run, evaluation, progress["parent"])
    while (progress := store.get(PROGRESS, run_id)) is not None:
        if progress["done"] == progress["total"]:
            _end(resource, run_id, "completed", progress["due"], progress["sums"])
            return
        try:
            _process(resource, judge, progress)
        except grade.UnavailableError as error:
            _fail(resource, run_id, progress["due"], "unavailable_grader", f"mockserver: {error}")
        yield


def _read_rows(resource: Resource, run: Document, evaluation: Document, at: int) -> Steps:
    """Keep all rows of the data source. Afterwards their number is known, or the run has failed."""
    store, run_id, count = resource.store, run["id"], 0
    config = evaluation["data_source_config"]
    try:
        for count, row in enumerate(sources.rows(store, run["data_source"]["source"], config.get("metadata") or {}), 1):
            progress = store.get(PROGRESS, run_id)
            if progress is None or progress["total"] is not None:
                return  # others were faster
            wrong = schema.mistake(config["schema"]["item"], row["item"])
            if wrong is not None:
                raise sources.SourceError(f"Item {count}: {wrong}.")
            store.put(ROW, f"{run_id}/{count}", row, parent=(PROGRESS, run_id), accepted=True)
            yield
        if not count:
            raise sources.SourceError("The data source has no items.")
    except sources.SourceError as error:
        _fail(resource, run_id, at, "invalid_data_source", str(error))
    else:
        progress = store.get(PROGRESS, run_id)
        if progress is not None and progress["total"] is None:
            store.update(PROGRESS, run_id, {"total": count})


def _process(resource: Resource, judge: _Judge, progress: Document) -> None:
    """Make the next row an output item."""
    store, run_id, number = resource.store, progress["id"], progress["done"] + 1
    row = store.get(ROW, f"{run_id}/{number}")
    assert row is not None
    item, sampled, consultations = judge.item(row, number, progress["due"])
    results.add(progress["sums"], item, sampled, consultations)
    kept = {"outcome": item["status"], "item": item}
    store.put(OUTPUT_ITEM, output_key(run_id, item["id"]), kept, parent=(RUN, run_id), accepted=True)
    store.update(PROGRESS, run_id, {"done": number, "sums": progress["sums"]})
    store.delete(ROW, f"{run_id}/{number}")


def _fail(resource: Resource, run_id: str, at: int, code: str, message: str) -> None:
    progress = resource.store.get(PROGRESS, run_id)
    sums = progress["sums"] if progress is not None else {}
    _end(resource, run_id, "failed", at, sums | {"error": {"code": code, "message": message}})


def _end(resource: Resource, run_id: str, status: str, at: int, changes: Document) -> Document | None:
    run = resource.store.get(RUN, run_id)
    if run is None or run["status"] in ENDED:
        return run
    resource.store.delete(PROGRESS, run_id)
    return resource.store.update(RUN, run_id, {"status": status, "modified_at": at, **changes})


class _Judge:
    """Samples and grades the rows of one run."""

    def __init__(self, resource: Resource, run: Document, evaluation: Document, parent: int) -> None:
        self._resource, self._run, self._parent = resource, run, parent
        self._sampler = Sampler.of(run["data_source"], evaluation["data_source_config"]["schema"])
        criteria = evaluation["testing_criteria"]
        self._graders: list[tuple[str, Grader]] = [(one["type"], graders.parse(one, kinds=CRITERIA)) for one in criteria]

    def item(self, row: Document, number: int, at: int) -> tuple[Document, Document | None, list[Any]]:
        """The output item of a row, the view of what a model was sampled for it, and what graders asked. Raises UnavailableError."""
        sampler = self._sampler
        sample = given(row["sample"]) if sampler is None else sampler.sample(row["item"], self._send)
        outcomes = self._graded(row, sample, number) if sample.error is None else []
        judged = [results.result(kind, grader, outcome) for kind, grader, outcome in outcomes]
        item = results.output_item(self._run, number, at, row["item"], sample, judged)
        sampled = None if sampler is None else sample.view
        return item, sampled, [one for _, _, outcome in outcomes for one in outcome.consultations]

    def _graded(self, row: Document, sample: Sample, number: int) -> list[tuple[str, Grader, grade.Outcome]]:
        trace = Chance(f"{self._run['id']}/{number}").uuid()
        means = means_of(self._resource.settings, self._send, trace)
        return [(kind, grader, grade.run(grader, row["item"], sample.content or {}, means)) for kind, grader in self._graders]

    def _send(self, method: str, path: str, body: Json) -> ResponseView:
        """Send a request of the run's. As with batches, it does not count against the deployment's minute (inferred)."""
        return self._resource.send(method, path, body, {HEADER: self._run["id"]}, parent=self._parent, metered=False)
