"""The life of a request, read top to bottom: where, who, may you, body, script, handler, render, journal.

Each step returns something small or raises `ApiError`; only this module renders errors, and even a 401 is journaled.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mockserver import errors
from mockserver.errors import ApiError
from mockserver.gateway import headers, preview
from mockserver.gateway.auth import authorise
from mockserver.gateway.bodies import Reading, checked
from mockserver.gateway.delivery import Delivery, Message, Receive, Scope, Send
from mockserver.gateway.headers import RequestHeaders
from mockserver.gateway.paths import Place, check_version, locate
from mockserver.operations.call import Call, Result
from mockserver.operations.encoding import encode
from mockserver.operations.table import TABLE, Operation
from mockserver.resource.journal import Exchange
from mockserver.scenario.match import CallView
from mockserver.state.clock import stopwatch

if TYPE_CHECKING:
    from mockserver.gateway.headers import ResponseHead
    from mockserver.model.prompt import Prompt
    from mockserver.resource.resource import Resource
    from mockserver.resource.resources import Resources
    from mockserver.scenario.engine import Answer
    from mockserver.state.chance import Chance

Json = Any
BODY_LIMIT = 512 * 1024 * 1024
EVENT_STREAM = "text/event-stream; charset=utf-8"
log = logging.getLogger("mockserver")


@dataclass(slots=True)
class Request:
    """A request as it came in; `place` is None outside the surface."""

    method: str
    place: Place | None
    query: str
    headers: RequestHeaders
    body: bytes = b""


@dataclass(slots=True)
class Trail:
    """How far a request came: what an answer needs, whoever gives it."""

    resource: Resource
    operation: Operation | None = None
    call: Call | None = None

    @property
    def pace(self) -> Answer | None:
        """Where the script decides how fast, and how badly, the answer is delivered."""
        return self.call.answer if self.call is not None else None


async def handle(resources: Resources, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request over ASGI."""
    begun = stopwatch()
    request = _request(scope)
    exchange = Exchange(resources.count(), request.method, scope["path"], request.headers, request.query, begun=begun)
    trail = Trail(resources.default)
    try:
        message = await receive()
        whole = message["type"] == "http.request" and not message.get("more_body")
        request.body = exchange.request_body = bytes(message.get("body", b"")) if whole else await _read_on(message, receive)
        result = answer(resources, request, trail, exchange)
    except ClientGoneError:
        return
    except ApiError as error:
        result = _told(error, trail, exchange)
    except Exception:
        log.exception("mockserver failed to answer %s %s; please report this", request.method, scope["path"])
        result = _told(errors.server_error(), trail, exchange)
    chance = trail.call.chance if trail.call is not None else resources.default.chance("", request.body)
    head = _head(result, trail, request, chance)
    _note(exchange, trail, result, head)
    exchange.ms = (stopwatch() - begun) * 1000
    try:
        await Delivery(scope, receive, send, trail.resource.clock, chance, exchange, trail.pace).deliver(
            result.status, head, result
        )
    finally:
        if log.isEnabledFor(logging.INFO):
            log.info("%s", _line(exchange))


def answer(resources: Resources, request: Request, trail: Trail, exchange: Exchange) -> Result:
    """What the surface answers. Raises ApiError; `trail` and `exchange` then tell how far the request came."""
    place = request.place
    found = TABLE.find(place.path) if place is not None else None
    if place is None or found is None:
        raise errors.unrouted()
    path, parameters = found
    resource = trail.resource = authorise(resources, request.headers)
    exchange.dated = place.dated
    if place.dated and not resource.dated:
        raise errors.unrouted()
    if request.query or place.dated:
        check_version(place, request.query)
    operation = trail.operation = path.methods.get(request.method)
    if operation is None:
        raise errors.method_not_allowed(request.method, sorted(path.methods))
    exchange.operation = operation.id
    if operation.preview is not None:
        preview.check(operation, request.headers, resource.profile)
    if operation.handler is None:
        raise errors.not_emulated(operation.id)
    chance = resource.chance(operation.id, request.body, place.path if parameters else "")
    call = trail.call = Call(resource, operation, parameters, request.headers, request.query, chance, resource.clock.now())
    if operation.body is not None:
        reading = resource.readings.read(operation, place.deployment, request.body)
        call.raw = reading.raw
        if operation.inference:
            _deploy(call, exchange, reading.weight)
        call.body = checked(reading, operation)
        if operation.prompt is not None:
            call.prompt = call.asked = exchange.prompt = _prompt(call, reading)
    call.answer = _script(call, exchange)
    if call.answer is not None and call.answer.raw is not None:
        raw = call.answer.raw
        return Result(raw.body, raw.status, headers.encoded(raw.headers))
    result: Result = operation.handler(call)
    return result


class ClientGoneError(Exception):
    """The client left before its request was read."""


async def _read_on(message: Message, receive: Receive) -> bytes:
    """A body that comes in parts, of which `message` is the first."""
    parts, size = [], 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        part = message.get("body", b"")
        size += len(part)
        if size <= BODY_LIMIT:
            parts.append(part)
        if not message.get("more_body"):
            break
        message = await receive()
    if size > BODY_LIMIT:
        raise errors.body_too_large(BODY_LIMIT)
    return b"".join(parts)


def _request(scope: Scope) -> Request:
    return Request(
        scope["method"], locate(scope["path"]), scope["query_string"].decode("latin-1"), RequestHeaders(scope["headers"])
    )


def _prompt(call: Call, reading: Reading) -> Prompt:
    """The prompt that a body stands for. It is kept where it depends on nothing but the body and the model."""
    operation, known = call.operation, reading.prompt
    if known is not None and known.model is call.served_by.model:
        return known
    assert operation.prompt is not None
    prompt = operation.prompt(call)
    if not operation.prompt_reads_store:
        reading.prompt = prompt
    return prompt


def _deploy(call: Call, exchange: Exchange, weight: int) -> None:
    """Find the deployment that the body names and count the call against its quota."""
    document = call.raw
    name = document.get("model") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not (name is None or isinstance(name, str)):
        return
    if not name:
        raise errors.model_missing()
    exchange.deployment = name
    kind = call.operation.kind
    deployment = call.deployment = call.served_by = call.resource.deployment(name, kind)
    refused = deployment.quota.take(call.now, weight)
    if refused is not None:
        unit, wait = refused
        gateway = call.operation.quota_name
        raise errors.rate_limited(name, deployment.model.name, call.resource.region, gateway, wait, unit=unit)
    if deployment.model.kind != kind:
        raise errors.operation_not_supported(call.operation.capability, deployment.model.name)


def _script(call: Call, exchange: Exchange) -> Answer | None:
    """What the script says to this call. Raises the error that it scripts, and in strict mode one for a call it does not know."""
    resource, operation = call.resource, call.operation
    view = CallView(operation.id, exchange.deployment, call.raw, call.headers, call.prompt, call.path, resource.region)
    behaviour = call.deployment.behaviour if call.deployment is not None else None
    refused = behaviour is not None and behaviour.refuses
    found = None if refused else resource.script.answer(view, call.chance, call.now)
    exchange.rule = found.rule if found is not None else None
    if behaviour is not None and (found is not None or behaviour.decides or not resource.script.strict):
        found = behaviour.applied(found, view, call.chance, call.now)
    if found is None and resource.script.strict and call.prompt is not None:
        exchange.near_misses = resource.script.explain_near_misses(view)
        log.warning("no rule matches %s %s\n%s", operation.id, exchange.deployment, exchange.near_misses)
        raise errors.unmatched(exchange.near_misses)
    if found is not None and found.error is not None:
        call.answer = found
        raise found.error
    return found


def _told(error: ApiError, trail: Trail, exchange: Exchange) -> Result:
    """An error as an answer."""
    exchange.error = str(error.detail.get("code") or error.detail.get("message") or error.status)
    pretty = error.style == "pretty" or (
        error.style == "family" and trail.operation is not None and trail.operation.style != "compact"
    )
    payload = error.payload if isinstance(error.payload, bytes) else to_json(error.payload, indent=2 if pretty else None)
    told = headers.encoded(error.headers)
    return Result(payload, error.status, told, error.content_type, error.header_set, reason=error.reason)


def _head(result: Result, trail: Trail, request: Request, chance: Chance) -> ResponseHead:
    """All headers of an answer. Its payload is encoded on the way."""
    call, operation = trail.call, trail.operation
    client_id = request.headers.get("x-ms-client-request-id")
    if call is None or operation is None or result.header_set != "inference":
        head = headers.of_gateway(trail.resource.headers, result.header_set, chance, client_id)
    elif call.deployment is not None:
        head = headers.of_model(call.deployment, operation.headers, chance, client_id, streamed=result.frames is not None)
    else:
        head = headers.of_stored(trail.resource.store_headers, chance)
    head.reason = result.reason
    if result.headers:
        head.add(result.headers)
    if result.frames is not None:
        head.type(EVENT_STREAM)
        return head
    if not isinstance(result.payload, bytes):
        result.payload = encode(result.payload, operation.style if operation is not None else "compact")
    if result.content_type is None:
        return head  # such answers are sent in chunks, without a length (recorded)
    if not (result.headers and any(name == b"content-type" for name, _ in result.headers)):
        head.type(result.content_type)
    head.length = len(result.payload)
    return head


def _note(exchange: Exchange, trail: Trail, result: Result, head: ResponseHead) -> None:
    exchange.at = trail.call.now if trail.call is not None else trail.resource.clock.now()
    exchange.resource = trail.resource.name
    exchange.status = result.status
    exchange.head = head
    if result.frames is None:
        exchange.response_body = result.payload
    else:
        exchange.frames = [frame.data for frame in result.frames]
    trail.resource.journal.add(exchange)


def _line(exchange: Exchange) -> str:
    """One tidy line: method, operation or path, deployment, what answered, status, milliseconds."""
    who = (exchange.rule and f"rule {exchange.rule!r}") or exchange.error or "improvised"
    asked = exchange.operation or exchange.path
    flag = f" [{exchange.fault}]" if exchange.fault else " [client hung up]" if exchange.hung_up else ""
    deployment = f" {exchange.deployment}" if exchange.deployment else ""
    return f"{exchange.method} {asked}{deployment} · {who} · {exchange.status} · {exchange.ms:.1f} ms{flag}"
