"""Which rule would answer a request, and why the others do not: the command `mockserver explain`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mockserver.errors import ApiError
from mockserver.gateway.bodies import parse_json
from mockserver.gateway.headers import RequestHeaders
from mockserver.gateway.paths import V1
from mockserver.gateway.pipeline import Request, view
from mockserver.operations.table import TABLE

if TYPE_CHECKING:
    from mockserver.resource.resources import Resources

Json = Any
_PARAMETER = re.compile(r"{(\w+)}")


def explain_request(resources: Resources, body: bytes, operation_id: str | None = None) -> tuple[bool, str]:
    """Whether a rule answers this body, and the whole reasoning as text. No rule is used up by it."""
    try:
        wanted = operation_id or _guess(parse_json(body))
        operation = next((operation for operation in TABLE.all() if operation.id == wanted), None)
        if operation is None:
            return False, f"There is no operation {wanted!r}; `mockserver operations` lists them."
        path = V1 + _PARAMETER.sub(r"\1", operation.path)[1:]  # any value will do: nothing is looked up
        request = Request(operation.method, path, "", RequestHeaders(()), body, resource=resources.default)
        return resources.default.script.explain_all(view(resources, request))
    except ApiError as error:
        return False, f"The request is refused before any rule is tried: {error}"


def _guess(document: Json) -> str:
    keys = set(document) if isinstance(document, dict) else set()
    if "messages" in keys:
        return "createChatCompletion"
    if "prompt" in keys and "input" not in keys:
        return "createCompletion"
    if keys <= {"model", "input", "dimensions", "encoding_format", "user"} and {"dimensions", "encoding_format"} & keys:
        return "createEmbedding"
    return "createResponse"
