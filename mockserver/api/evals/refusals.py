"""Evals, runs and output items by the ids in a path, and the family's own refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockserver import errors
from mockserver.operations.objects import stored
from mockserver.resource.evals import EVAL, OUTPUT_ITEM, find_run, output_key

if TYPE_CHECKING:
    from mockserver.errors import ApiError
    from mockserver.operations.call import Call
    from mockserver.state.store import Document


def stored_eval(call: Call) -> Document:
    """The eval that the path names. Raises ApiError 404 (wording recalled)."""
    return stored(call, EVAL, "eval_id", lambda eval_id: _missing(f"Eval {eval_id}"))


def stored_run(call: Call) -> Document:
    """The run that the path names, of its eval. Raises ApiError 404 (wording inferred)."""
    run = find_run(call.resource.store, stored_eval(call)["id"], call.path["run_id"])
    if run is None:
        raise _missing(f"Eval run {call.path['run_id']}")
    return run


def stored_output_item(call: Call) -> Document:
    """The output item that the path names, of its run. Raises ApiError 404 (wording inferred)."""
    run_id, item_id = stored_run(call)["id"], call.path["output_item_id"]
    kept = call.resource.store.get(OUTPUT_ITEM, output_key(run_id, item_id))
    if kept is None:
        raise _missing(f"Output item {item_id}")
    item: Document = kept["item"]
    return item


def ended(run: Document) -> ApiError:
    """A run that cannot be cancelled any more (inferred)."""
    return errors.request_error(f"Cannot cancel a run with status '{run['status']}'.", param="run_id")


def _missing(what: str) -> ApiError:
    return errors.request_error(f"{what} not found", status=404)
