"""`/evals`: what a prompt or a model is judged by, and the runs that judge it.

No exchange with a resource's own surface is recorded; those of a project's are, which has the same service behind it. Members and
their order are recorded there, values are the official document's where the two differ (`docs/fidelity.md` lists where).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.api.evals import refusals, schema
from mockserver.api.evals import runs as runs
from mockserver.api.evals.family import answer, operation
from mockserver.api.evals.requests import CreateEvalRequest, UpdateEvalRequest
from mockserver.api.evals.run import CRITERIA
from mockserver.model import grade
from mockserver.operations import graders
from mockserver.operations.call import Call, Result
from mockserver.operations.lists import cursor, list_object, page
from mockserver.operations.members import check
from mockserver.resource.evals import EVAL

if TYPE_CHECKING:
    from mockserver.state.store import Document

Json = Any


@operation("POST", "/evals", "createEval", body=CreateEvalRequest)
def create(call: Call) -> Result:
    """Create an eval. Raises ApiError 400 for criteria that cannot be: of another kind, or with variables that no item has."""
    body: CreateEvalRequest = call.body
    config = schema.described(body.data_source_config)
    criteria = [_criterion(call, document, at, config["schema"]) for at, document in enumerate(body.testing_criteria)]
    document: Document = {
        "object": "eval",
        "created_at": call.created,
        "modified_at": call.created,
        "created_by": None,
        "id": f"eval_{call.chance.hex(32)}",
        "name": body.name or "",
        "metadata": body.metadata or {},
        "properties": {},
        "data_source_config": config,
        "testing_criteria": criteria,
    }
    call.resource.store.put(EVAL, document["id"], document)
    return answer(document, 201)


@operation("GET", "/evals", "listEvals")
def list_evals(call: Call) -> Result:
    """List evals, the oldest first unless the query says otherwise, by when they were created or updated (spec)."""
    query, store = call.query, call.resource.store
    wanted = cursor(query, order="asc")
    if query.choice("order_by", ("created_at", "updated_at"), "created_at") == "created_at":
        return answer(list_object(store.page(EVAL, wanted), ends_first=True))
    listed = page(sorted(store.documents(EVAL), key=lambda one: one["modified_at"]), wanted)
    names = ("object", "data", "first_id", "last_id", "has_more")
    return answer({name: listed[name] for name in names})


@operation("GET", "/evals/{eval_id}", "getEval")
def get(call: Call) -> Result:
    """Return an eval."""
    return answer(refusals.stored_eval(call))


@operation("POST", "/evals/{eval_id}", "updateEval", body=UpdateEvalRequest)
def update(call: Call) -> Result:
    """Change an eval's name and metadata; what is left out stays."""
    document, body = refusals.stored_eval(call), call.body
    changes: Document = {"modified_at": call.created}
    if body.name is not None:
        changes["name"] = body.name
    if "metadata" in body.model_fields_set:
        changes["metadata"] = body.metadata or {}
    return answer(call.resource.store.update(EVAL, document["id"], changes))


@operation("DELETE", "/evals/{eval_id}", "deleteEval")
def delete(call: Call) -> Result:
    """Delete an eval with all of its runs, at once. (A project's goes on deleting at a `location`, so it says `false`.)"""
    eval_id = refusals.stored_eval(call)["id"]
    call.resource.store.delete(EVAL, eval_id)
    return answer({"object": "eval.deleted", "deleted": True, "eval_id": eval_id})


def _criterion(call: Call, document: dict[str, Json], at: int, known: dict[str, Json]) -> dict[str, Json]:
    """A testing criterion as the service shows it: with an id behind its type (recorded)."""
    path = f"testing_criteria[{at}]"
    grader = graders.parse(document, path, kinds=CRITERIA)
    required = {"name": "string"} | ({"pass_threshold": "number"} if document["type"] == "text_similarity" else {})
    check(document, path, required, {})
    schema.refuse_unknown(grade.references(grader), known, path)
    described = graders.described(document)
    named = {"type": described.pop("type"), "id": f"{grader.name}_{call.chance.uuid()}"}
    return named | described
