"""The runs of an eval, and their output items."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mockserver import errors
from mockserver.api.evals import refusals, run, schema
from mockserver.api.evals.family import answer, operation
from mockserver.api.evals.requests import CreateRunRequest
from mockserver.api.evals.sampling import Sampler
from mockserver.operations.call import Call, Result
from mockserver.operations.lists import cursor, list_object
from mockserver.resource import files
from mockserver.resource.evals import ENDED, EVAL, OUTPUT_ITEM, RUN, output_key
from mockserver.state import work
from mockserver.state.store import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mockserver.operations.query import Query
    from mockserver.state.store import Document

Json = Any
_RUNS = "/evals/{eval_id}/runs"
_RUN = f"{_RUNS}/{{run_id}}"
_STATUSES = ("queued", "in_progress", *ENDED)
_NO_ERROR = {"code": None, "message": None, "correlation_id": None, "inner_error": None}


@operation("POST", _RUNS, "createEvalRun", body=CreateRunRequest)
def create(call: Call) -> Result:
    """Start a run. The error of a run that has only begun is an object without values (recorded)."""
    evaluation = refusals.stored_eval(call)
    _check(call, evaluation["data_source_config"]["schema"])
    document = _object(call, evaluation["id"])
    run.begin(call, document, [one["name"] for one in evaluation["testing_criteria"]])
    return answer(document | {"error": _NO_ERROR}, 201)


@operation("GET", _RUNS, "getEvalRuns")
def list_runs(call: Call) -> Result:
    """List the runs of an eval, the oldest first unless the query says otherwise (spec)."""
    query, store = call.query, call.resource.store
    key, wanted = (EVAL, refusals.stored_eval(call)["id"]), cursor(query, order="asc")
    where = _status(query, "status", _STATUSES)
    behind = run.unfinished(call.resource, key[1])
    if behind:
        raise work.Unfinished(chain.from_iterable(behind))
    return answer(list_object(store.page(RUN, wanted, parent=key, where=where), ends_first=True))


@operation("GET", _RUN, "getEvalRun")
def get(call: Call) -> Result:
    """Return a run, after what is due of it has happened."""
    run_id = refusals.stored_run(call)["id"]
    call.poll(RUN, run_id)
    run.settle(call.resource, run_id)
    return answer(refusals.stored_run(call))


@operation("POST", _RUN, "cancelEvalRun")
def cancel(call: Call) -> Result:
    """Cancel a run: what is done by then stays. Raises ApiError 400 for one that has ended otherwise."""
    document = refusals.stored_run(call)
    if document["status"] == "canceled":
        return answer(document)
    if document["status"] in ENDED:
        raise refusals.ended(document)
    return answer(run.cancel(call.resource, document["id"], call.now))


@operation("POST", f"{_RUN}/cancel", "cancelEvalRunByPath", beyond_spec=True)
def cancel_by_path(call: Call) -> Result:
    """Cancel a run at the path that the SDKs use, and the official document does not have."""
    return cancel(call)


@operation("DELETE", _RUN, "deleteEvalRun")
def delete(call: Call) -> Result:
    """Delete a run with its output items. The document calls its id `eval_run_id`, the SDKs read `run_id`."""
    run_id = refusals.stored_run(call)["id"]
    call.resource.store.delete(RUN, run_id)
    return answer({"object": "eval_run.deleted", "deleted": True, "eval_run_id": run_id, "run_id": run_id})


@operation("GET", f"{_RUN}/output_items", "getEvalRunOutputItems")
def list_output_items(call: Call) -> Result:
    """List the output items of a run, in the order of its data source unless the query says otherwise; all, or those of a status."""
    query = call.query
    run_id, wanted = refusals.stored_run(call)["id"], cursor(query, order="asc")
    where = _status(query, "outcome", ("fail", "pass"))
    run.settle(call.resource, run_id)
    after, before = (one and output_key(run_id, one) for one in (wanted.after, wanted.before))
    wanted = replace(wanted, after=after, before=before)
    found = call.resource.store.page(OUTPUT_ITEM, wanted, parent=(RUN, run_id), where=where)
    return answer(list_object(Page([one["item"] for one in found.data], found.has_more), ends_first=True))


@operation("GET", f"{_RUN}/output_items/{{output_item_id}}", "getEvalRunOutputItem")
def get_output_item(call: Call) -> Result:
    """Return an output item."""
    run.settle(call.resource, refusals.stored_run(call)["id"])
    return answer(refusals.stored_output_item(call))


def _status(query: Query, member: str, choices: Sequence[str]) -> dict[str, Json] | None:
    """What a list is narrowed to by the query's `status`, if by anything."""
    return {member: query.choice("status", choices, "")} if query.last("status") is not None else None


def _check(call: Call, known: dict[str, Json]) -> None:
    """Raise ApiError 400 for a data source that a run cannot have (wording inferred)."""
    body: CreateRunRequest = call.body
    source, path = body.data_source.source, "data_source.source"
    if source.type == "file_content":
        for at, row in enumerate(source.content):
            wrong = schema.mistake(known["item"], row.item)
            if wrong is not None:
                place = f"{path}.content[{at}].item"
                raise errors.invalid_value(place, f"Invalid '{place}': {wrong}.")
    elif source.type == "file_id":
        _check_file(call, source.id, f"{path}.id")
    Sampler.of(call.raw["data_source"], known)


def _check_file(call: Call, file_id: str, path: str) -> None:
    file = call.resource.store.get(files.FILE, file_id)
    if file is None:
        raise errors.request_error(f"No such File object: {file_id}", param=path)
    if file["purpose"] != "evals":
        message = f"File '{file_id}' has purpose '{file['purpose']}'. Expected a file with purpose 'evals'."
        raise errors.request_error(message, param=path)


def _object(call: Call, eval_id: str) -> Document:
    body: CreateRunRequest = call.body
    data_source, run_id = call.raw["data_source"], f"evalrun_{call.chance.hex(32)}"
    return {
        "object": "eval.run",
        "created_at": call.created,
        "modified_at": call.created,
        "created_by": None,
        "id": run_id,
        "eval_id": eval_id,
        "status": "in_progress",
        "model": data_source.get("model"),
        "data_source": data_source,
        "metadata": body.metadata or {},
        "properties": {},
        "name": body.name or "",
        "report_url": _report(call, eval_id, run_id),
        "result_counts": {"total": 0, "passed": 0, "failed": 0, "errored": 0},
        "per_model_usage": [],
        "per_testing_criteria_results": [],
        "error": None,
    }


def _report(call: Call, eval_id: str, run_id: str) -> str:
    """Where this server shows a run to people, at the host that was called. (The service's is a page of its portal.)"""
    host = call.headers.get("host") or f"{call.resource.name}.openai.azure.com"
    root = f"{'http' if ':' in host else 'https'}://{host}"
    return f"{root}/_mock/evals/{eval_id}/runs/{run_id}?resource={quote(call.resource.name)}"
