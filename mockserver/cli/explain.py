"""Which rule would answer a request, and why the others do not: the command `mockserver explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.errors import ApiError
from mockserver.gateway.bodies import parse
from mockserver.operations.body import validate
from mockserver.operations.call import Call
from mockserver.operations.table import TABLE
from mockserver.scenario.match import CallView

if TYPE_CHECKING:
    from mockserver.resource.resources import Resources

Json = Any


def explain_request(resources: Resources, body: bytes, operation_id: str | None = None) -> tuple[bool, str]:
    """Whether a rule answers this body, and the whole reasoning as text. Nothing is counted or changed."""
    try:
        document = parse(body)
        view = _view(resources, document, operation_id or _guess(document))
    except ApiError as error:
        return False, f"The request is refused before any rule is tried: {error}"
    except KeyError as error:
        return False, f"There is no operation {error}; `mockserver operations` lists them."
    return resources.default.script.explain_all(view)


def _guess(document: Json) -> str:
    keys = set(document) if isinstance(document, dict) else set()
    if "messages" in keys:
        return "createChatCompletion"
    if "prompt" in keys and "input" not in keys:
        return "createCompletion"
    if keys <= {"model", "input", "dimensions", "encoding_format", "user"} and {"dimensions", "encoding_format"} & keys:
        return "createEmbedding"
    return "createResponse"


def _view(resources: Resources, document: Json, operation_id: str) -> CallView:
    known = {operation.id: operation for operation in TABLE.all()}
    operation = known[operation_id]
    resource = resources.default
    call = Call(resource, operation, {}, {}, "", resource.chance(operation.id, b""), resource.clock.now(), document)
    name = document.get("model", "") if isinstance(document, dict) else ""
    if operation.inference and isinstance(name, str) and name:
        call.deployment = call.served_by = resource.deployment(name, operation.kind)
    if operation.body is not None:
        call.body = validate(operation.body, document)
    if operation.prompt is not None and call.deployment is not None:
        call.prompt = call.asked = operation.prompt(call)
    return CallView(operation.id, name if isinstance(name, str) else "", document, {}, call.prompt, {})
