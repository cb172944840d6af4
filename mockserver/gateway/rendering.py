"""Responses: what a request comes to, with its headers and its place in the journal. Errors are rendered here and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from mockserver.errors import ApiError
from mockserver.gateway import headers
from mockserver.gateway.headers import RequestHeaders, ResponseHead
from mockserver.model.reply import DEFAULT_TIMING
from mockserver.operations.call import EMPTY, Binary, Call, Frame, ModelCall, Result
from mockserver.operations.encoding import encode
from mockserver.operations.table import Operation
from mockserver.resource.journal import Exchange
from mockserver.state.clock import stopwatch

if TYPE_CHECKING:
    from mockserver.gateway.bodies import Payload
    from mockserver.resource.resource import Resource
    from mockserver.scenario.engine import Answer
    from mockserver.state.chance import Chance
    from mockserver.state.clock import Clock

Json = Any
EVENT_STREAM = "text/event-stream; charset=utf-8"


@dataclass(slots=True)
class Request:
    """A request whose body has arrived.

    `path` is the decoded path, `query` the text behind its question mark. `refusal` is an error that reading the body has
    given. A request that an operation sends itself names the `resource` that it belongs to, and the `parent` exchange.
    One that is not `metered` does not count against a deployment's minute.
    """

    method: str
    path: str
    query: str
    headers: RequestHeaders
    payload: Payload = b""
    refusal: ApiError | None = None
    resource: Resource | None = None
    parent: int | None = None
    metered: bool = True


@dataclass(slots=True)
class Response:
    """What is delivered: a `body`, or the `frames` of a stream; with the pace and the faults that the script asks for."""

    status: int
    head: ResponseHead
    body: bytes | Binary
    frames: list[Frame] | None
    exchange: Exchange
    clock: Clock
    chance: Chance
    script: Answer | None = None

    @property
    def immediate(self) -> bool:
        """Whether it is sent at once: it has no pace and no fault, and all of its content is in memory."""
        script, body = self.script, self.body
        if script is not None and not (script.timing is DEFAULT_TIMING and script.fault is None):
            return False
        return isinstance(body, bytes) or isinstance(body.content, bytes)

    @property
    def content(self) -> bytes:
        """The whole body; a stream's frames joined."""
        if self.frames is not None:
            return b"".join([frame.data for frame in self.frames])
        if isinstance(self.body, bytes):
            return self.body
        return self.body.content if isinstance(self.body.content, bytes) else b"".join(self.body.content)

    def end(self) -> None:
        """Note that it ends now, before its last byte leaves: no client can have begun to wait any earlier."""
        self.exchange.ended = stopwatch()
        self.exchange.ended_at = self.clock.now()

    def json(self) -> Json:
        """The body as JSON. Raises ValueError where it is none."""
        return from_json(self.content)

    def headers(self) -> dict[str, str]:
        """The headers by their names in lower case."""
        return {name.decode("latin-1"): value.decode("latin-1") for name, value in self.head.pairs}


@dataclass(slots=True)
class Progress:
    """How far a request has come: what rendering its answer needs, whichever step gives that."""

    exchange: Exchange
    resource: Resource
    operation: Operation | None = None
    call: Call | None = None
    scripted: bool = False  # whether the script has been asked


def draw_chance(resource: Resource, request: Request, operation_id: str, variant: str) -> Chance:
    """The chance of one request; `variant` is what its URL says beyond the operation."""
    payload = request.payload
    return resource.chance(operation_id, payload if isinstance(payload, bytes) else payload.digest, variant)


def error_result(error: ApiError, progress: Progress) -> Result:
    """An error as a result."""
    progress.exchange.error = str(error.detail.get("code") or error.detail.get("message") or error.status)
    operation = progress.operation
    family_indents = operation is not None and operation.style in ("pretty", "pretty-newline")
    indented = error.style == "pretty" or (error.style == "family" and family_indents)
    payload = error.payload if isinstance(error.payload, bytes) else to_json(error.payload, indent=2 if indented else None)
    added = headers.encoded(error.headers)
    return Result(payload, error.status, added, error.content_type, error.header_set, reason=error.reason)


def render(request: Request, progress: Progress, result: Result) -> Response:
    """The response to a result; the exchange is complete and in the journal."""
    exchange, resource, call = progress.exchange, progress.resource, progress.call
    chance = call.chance if call is not None else draw_chance(resource, request, "", f"{request.method} {request.path}")
    head = _head(request, progress, result, chance)
    body = _body(progress.operation, result, head)
    exchange.at = call.now if call is not None else resource.clock.now()
    exchange.resource, exchange.status, exchange.head = resource.name, result.status, head
    if result.frames is None:
        exchange.response_body = body if isinstance(body, bytes) else b"" if body is EMPTY else to_json(body.summary())
    else:
        exchange.frames = [frame.data for frame in result.frames]
    resource.journal.add(exchange)
    script = call.answer if call is not None else None
    return Response(result.status, head, body, result.frames, exchange, resource.clock, chance, script)


def _head(request: Request, progress: Progress, result: Result, chance: Chance) -> ResponseHead:
    """All headers of an answer but those of its body."""
    resource, call, client_id = progress.resource, progress.call, request.headers.get("x-ms-client-request-id")
    if call is None or result.header_set != "inference":
        head = headers.of_gateway(resource.region, result.header_set, chance, client_id)
    elif isinstance(call, ModelCall) and progress.exchange.deployment:
        streamed, kind = result.frames is not None, call.operation.headers
        head = headers.of_model(call.deployment, resource.region, kind, chance, client_id, streamed=streamed)
    else:
        kind = result.header_family or call.operation.headers
        head = headers.of_stored(kind, resource.name, resource.region, chance, created=call.operation.method == "POST")
    head.reason = result.reason
    if result.headers:
        head.add(result.headers)
    return head


def _body(operation: Operation | None, result: Result, head: ResponseHead) -> bytes | Binary:
    """The body as it is sent; the headers that describe it are added to `head`."""
    payload = result.payload
    if result.frames is not None:
        head.set_type(EVENT_STREAM)
        return b""
    if isinstance(payload, Binary):
        if payload.content_type is not None:
            head.set_type(payload.content_type)
        head.length = payload.size
        return payload
    style = result.style or (operation.style if operation is not None else "compact")
    body = payload if isinstance(payload, bytes) else encode(payload, style)
    if result.content_type is None:
        return body  # such answers are sent in chunks, without a length (recorded)
    if not result.headers or b"content-type" not in dict(result.headers):
        head.set_type(result.content_type)
    head.length = len(body)
    return body
