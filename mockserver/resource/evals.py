"""Evaluations as a resource keeps them: what an eval judges by, its runs, and what came of every item of a run.

An eval and a run are the objects that callers see. An output item is kept under its run's id and its own, beside its `outcome`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mockserver.state.store import Document, Store

Json = Any
EVAL = "eval"
RUN = "eval.run"
OUTPUT_ITEM = "eval.run.output_item"
ENDED = ("completed", "failed", "canceled")
"""The statuses in which nothing of a run happens any more."""


def find_run(store: Store, eval_id: str, run_id: str) -> Document | None:
    """A run of an eval, None where the eval has no such run."""
    run = store.get(RUN, run_id)
    return run if run is not None and run["eval_id"] == eval_id else None


def output_key(run_id: str, item_id: str) -> str:
    """The id under which an output item is kept; its own counts from 1 in every run."""
    return f"{run_id}/{item_id}"


def output_items(store: Store, run_id: str) -> Iterator[Document]:
    """The output items of a run, in the order of its data source."""
    for kept in store.documents(OUTPUT_ITEM, (RUN, run_id)):
        yield kept["item"]
