"""Makes what a resource is given, by the handlers that callers reach, but without a call: no rule, no quota, no journal entry."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from mockserver.errors import ApiError, ScenarioError
from mockserver.operations.body import validate
from mockserver.operations.call import Call, ModelCall, UploadedFile
from mockserver.operations.encoding import printable
from mockserver.operations.table import TABLE
from mockserver.resource.conversations import CONVERSATION
from mockserver.resource.files import FILE
from mockserver.resource.planning import check, model_of
from mockserver.resource.vector_stores import STORE_FILE, VECTOR_STORE, store_place
from mockserver.scenario.match import CallView
from mockserver.scenario.template import Moment
from mockserver.state import work

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mockserver.resource.resource import Resource
    from mockserver.scenario.plan import Kind, Planned
    from mockserver.scenario.step import Step

Json = Any
_STORED: Mapping[Kind, str] = {
    "files": FILE,
    "vector_stores": VECTOR_STORE,
    "conversations": CONVERSATION,
    "responses": "response",
}
_MOST_ITEMS = 20  # in one request
log = logging.getLogger("mockserver")


def fill(resource: Resource) -> None:
    """Make what is pending and not there yet. What cannot be made is logged and left out: it must not hold up callers."""
    with resource.store.transaction:
        for planned in resource.preload.pending:
            problem = _make(resource, planned)
            if problem:
                log.error("%s", printable(problem))
        resource.preload.pending = ()


def give(resource: Resource, planned: Sequence[Planned]) -> None:
    """Give a resource more, now. Raises ScenarioError for what cannot be made; then it is given none of that."""
    problems = check(planned, resource.models)
    if problems:
        raise ScenarioError(problems)
    fill(resource)
    resource.preload.add(planned)
    with resource.store.transaction:
        new = [one for one in planned if not _is_there(resource, one)]
        problems = [problem for one in new if (problem := _make(resource, one))]
        for one in new if problems else ():
            resource.store.delete(_STORED[one.kind], resource.preload.id_of(one))
        resource.preload.pending = ()
    if problems:
        resource.preload.remove(planned)
        raise ScenarioError(problems)


def _is_there(resource: Resource, planned: Planned) -> bool:
    return resource.store.get(_STORED[planned.kind], resource.preload.id_of(planned)) is not None


def _make(resource: Resource, planned: Planned) -> str:
    """Make an object, unless it is there; return why it cannot be made, "" where it can."""
    if _is_there(resource, planned):
        return ""
    try:
        _MAKERS[planned.kind](resource, planned, resource.preload.id_of(planned))
    except ApiError as error:
        return f"{planned.place}: {error.detail['message']}"
    except OSError as error:
        return f"{planned.place}: cannot be read: {error.strerror or error}"
    except ValueError as error:
        return f"{planned.place}: {error}"
    except KeyError as error:  # another scenario has taken the place of the one that had it
        return f"{planned.place}: there is no {error} any more"
    return ""


def _make_file(resource: Resource, planned: Planned, file_id: str) -> None:
    name = planned.body["file"]
    with closing(planned.source.open()) as content:
        upload = UploadedFile(name, "application/octet-stream", content, planned.source.size, "")
        _perform(resource, planned, "/files", planned.body, new_id=file_id, files={"file": [upload]})
    work.finish(resource, FILE, file_id, resource.clock.now())


def _make_vector_store(resource: Resource, planned: Planned, vector_store_id: str) -> None:
    files = [(resource.preload.id(link.kind, link.name), link.attributes) for link in planned.links]
    _perform(resource, planned, "/vector_stores", planned.body, new_id=vector_store_id)
    chunking_strategy = planned.body.get("chunking_strategy")
    for file_id, attributes in files:
        body = {"file_id": file_id, "attributes": attributes, "chunking_strategy": chunking_strategy}
        _perform(resource, planned, f"/vector_stores/{vector_store_id}/files", body)
        work.finish(resource, STORE_FILE, store_place(vector_store_id, file_id), resource.clock.now())


def _make_conversation(resource: Resource, planned: Planned, conversation_id: str) -> None:
    items = planned.body["items"]
    body = {"items": items[:_MOST_ITEMS], "metadata": planned.body["metadata"]}
    _perform(resource, planned, "/conversations", body, new_id=conversation_id)
    for at in range(_MOST_ITEMS, len(items), _MOST_ITEMS):
        more = {"items": items[at : at + _MOST_ITEMS]}
        _perform(resource, planned, f"/conversations/{conversation_id}/items", more, fork=f"{at}")


def _make_response(resource: Resource, planned: Planned, response_id: str) -> None:
    body = {**planned.body, "model": model_of(planned, resource.models)}
    for link in planned.links:
        member = "conversation" if link.kind == "conversations" else "previous_response_id"
        body[member] = resource.preload.id(link.kind, link.name)
    _perform(resource, planned, "/responses", body, new_id=response_id, step=planned.step)


_MAKERS: Mapping[Kind, Callable[[Resource, Planned, str], None]] = {
    "files": _make_file,
    "vector_stores": _make_vector_store,
    "conversations": _make_conversation,
    "responses": _make_response,
}


def _perform(
    resource: Resource,
    planned: Planned,
    path: str,
    document: Mapping[str, Json],
    *,
    new_id: str | None = None,
    files: Mapping[str, list[UploadedFile]] | None = None,
    step: Step | None = None,
    fork: str = "",
) -> None:
    """Have the handler of `POST path` do its work. Raises ApiError where it refuses."""
    found = TABLE.find(path)
    assert found is not None
    operation = found[0].methods["POST"]
    kind = Call if operation.prompt is None else ModelCall
    chance = resource.preload.chance(planned).fork(f"{path}{fork}")
    call = kind(resource, operation, found[1], {}, "", chance, resource.clock.now(), 0, dict(document), new_id=new_id)
    call.files = files or {}
    if isinstance(call, ModelCall):
        call.deployment = resource.deployment(document["model"])
    assert operation.body is not None
    assert operation.handler is not None
    call.body = validate(operation.body, call.raw)
    if isinstance(call, ModelCall):
        _prompt(call, step)
    operation.handler(call)


def _prompt(call: ModelCall, step: Step | None) -> None:
    """Give a call its prompt, and what the scenario has it answered with."""
    assert call.operation.prompt is not None
    call.prompt = call.operation.prompt(call)
    if step is not None:
        view = CallView(
            call.operation.id, call.deployment.name, call.raw, call.headers, call.prompt, call.path, call.resource.region
        )
        call.answer = step.ready or step.make(Moment(view, call.chance, call.now))
