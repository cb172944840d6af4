"""The life of a request, read top to bottom: where, who, may you, body, deployment, script, handler, render, journal.

Each step returns something small or raises `ApiError`; only this module renders errors, and even a 401 is journaled. Nothing
here waits or knows a socket: `respond` serves requests from outside (`gateway.asgi`) and those that operations send themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from mockserver import errors
from mockserver.errors import ApiError
from mockserver.gateway import bodies, headers, preview
from mockserver.gateway.auth import authorise
from mockserver.gateway.headers import RequestHeaders, ResponseHead
from mockserver.gateway.paths import V1, Target, check_version, locate
from mockserver.model.reply import DEFAULT_TIMING
from mockserver.operations.body import validate
from mockserver.operations.call import EMPTY, Binary, Call, Frame, ModelCall, Result
from mockserver.operations.encoding import encode, printable
from mockserver.operations.table import TABLE, Operation
from mockserver.resource.journal import Exchange
from mockserver.resource.quota import estimate
from mockserver.scenario.match import CallView
from mockserver.state import work
from mockserver.state.clock import stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mockserver.gateway.bodies import Payload
    from mockserver.model.reply import Raw
    from mockserver.resource.resource import Resource
    from mockserver.resource.resources import Resources
    from mockserver.scenario.engine import Answer
    from mockserver.state.chance import Chance
    from mockserver.state.clock import Clock

Json = Any
EVENT_STREAM = "text/event-stream; charset=utf-8"
_JSON_HEADERS = {"content-type": "application/json"}
_TURN = 0.01  # seconds that long work takes before others are answered
log = logging.getLogger("mockserver")


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
class _Progress:
    """How far a request has come: what rendering its answer needs, whichever step gives that."""

    exchange: Exchange
    resource: Resource
    operation: Operation | None = None
    call: Call | None = None
    scripted: bool = False  # whether the script has been asked


@dataclass(slots=True)
class Pending:
    """A request that needs work which takes long: take turns while there is more of it to do, then resume the request."""

    resources: Resources
    request: Request
    progress: _Progress
    steps: Iterator[None]
    failed: bool = False

    def take_turn(self) -> bool:
        """Work for some milliseconds; say whether there is more to do. What was done is durable then."""
        end = stopwatch() + _TURN
        try:
            with self.progress.resource.store.transaction:
                for _ in self.steps:
                    if stopwatch() >= end:
                        return True
        except Exception:
            _log_failure(self.request)
            self.failed = True
        return False

    def resume(self) -> Response | Pending:
        """Go on with the request."""
        if self.failed:
            return _ended(self.request, self.progress, _error_result(errors.server_error(), self.progress))
        return _attempt(self.resources, self.request, self.progress)


def respond(resources: Resources, request: Request) -> Response:
    """Answer one request, and do first all work that it needs."""
    response = begin(resources, request)
    while isinstance(response, Pending):
        while response.take_turn():
            pass
        response = response.resume()
    return response


def begin(resources: Resources, request: Request) -> Response | Pending:
    """Answer one request, or say what has to be done before. What a caller does wrong is an answer too."""
    begun = stopwatch()
    exchange = Exchange(resources.count(), request.method, request.path, request.headers, request.query, begun=begun)
    payload = request.payload
    exchange.request_body = payload if isinstance(payload, bytes) else to_json(payload.document)
    exchange.parent = request.parent
    return _attempt(resources, request, _Progress(exchange, resources.default))


def _attempt(resources: Resources, request: Request, progress: _Progress) -> Response | Pending:
    """Answer a request, or go on with it. A failure of ours is logged, and answered with a 500."""
    try:
        result = _result(resources, request, progress)
    except ApiError as error:
        result = _error_result(error, progress)
    except Exception:
        _log_failure(request)
        result = _error_result(errors.server_error(), progress)
    if isinstance(result, work.Unfinished):
        return Pending(resources, request, progress, result.steps)
    return _ended(request, progress, result)


def _ended(request: Request, progress: _Progress, result: Result) -> Response:
    exchange, payload = progress.exchange, request.payload
    if not isinstance(payload, bytes):
        payload.close()  # what a handler keeps of a file is a copy
    response = _response(request, progress, result)
    exchange.ms = (stopwatch() - exchange.begun) * 1000
    return response


def _log_failure(request: Request) -> None:
    log.exception("mockserver failed to answer %s %r; please report this", request.method, request.path)


def _result(resources: Resources, request: Request, progress: _Progress) -> Result | work.Unfinished:
    target, parameters = _route(resources, request, progress)
    # What the request changes is whole and durable before the response leaves.
    with progress.resource.store.transaction:
        try:
            call = progress.call if progress.scripted else None
            return _handle(call or _prepare(request, progress, target, parameters), progress)
        except work.Unfinished as unfinished:
            return unfinished  # and so what has been written stays


def _handle(call: Call, progress: _Progress) -> Result:
    if not progress.scripted:
        call.answer = _answer(call, progress.exchange)
        progress.scripted = True
    answer = call.answer
    if answer is not None and answer.error is not None:
        raise answer.error
    if answer is not None and answer.raw is not None and (answer.members is None or isinstance(call, ModelCall)):
        return Result(answer.raw.body, answer.raw.status, headers.encoded(answer.raw.headers))
    assert call.operation.handler is not None
    result: Result = call.operation.handler(call)
    return result if answer is None or answer.raw is None else _merged(result, answer, answer.raw)


def view(resources: Resources, request: Request) -> CallView:
    """A request as the script's rules see it. Raises ApiError where it is refused before any rule is tried."""
    exchange = Exchange(0, request.method, request.path, request.headers, request.query)
    progress = _Progress(exchange, resources.default)
    target, parameters = _route(resources, request, progress)
    return _view(_prepare(request, progress, target, parameters))


def _route(resources: Resources, request: Request, progress: _Progress) -> tuple[Target, dict[str, str]]:
    """Find the resource and the operation; return where the path leads, and its parameters. Raises ApiError."""
    exchange, target = progress.exchange, locate(request.path)
    found = TABLE.find(target.path) if target is not None else None
    if target is None or found is None:
        raise errors.unrouted()
    path, parameters = found
    resource = progress.resource = request.resource or authorise(resources, request.headers)
    exchange.legacy_api = target.legacy_api
    if target.legacy_api and not resource.legacy_api:
        raise errors.unrouted()
    if request.query or target.legacy_api:
        check_version(target, request.query)
    operation = progress.operation = path.methods.get(request.method)
    if operation is None:
        raise errors.method_not_allowed(request.method, sorted(path.methods))
    exchange.operation = operation.id
    if operation.preview is not None:
        preview.check(operation, request.headers, resource.profile)
    if operation.handler is None:
        raise errors.not_emulated(operation.id)
    resource.sender = resource.sender or partial(_send, resources)
    if resource.preload.pending:
        from mockserver.gateway.preload import fill  # seldom needed

        fill(resource)
    return target, parameters


def _prepare(request: Request, progress: _Progress, target: Target, parameters: dict[str, str]) -> Call:
    """The call that a request makes, up to its script; before that, the resource does what is due. Raises ApiError."""
    resource, operation = progress.resource, progress.operation
    assert operation is not None
    now = resource.clock.now()
    if resource.store.next_due <= now:
        work.advance(resource, now)
    call = progress.call = _call(request, resource, operation, target, parameters, now, progress.exchange.number)
    if operation.body is not None:
        _read_body(call, request, progress.exchange, target.deployment)
    return call


def _view(call: Call) -> CallView:
    prompt, deployment = (call.prompt, call.deployment.name) if isinstance(call, ModelCall) else (None, "")
    return CallView(call.operation.id, deployment, call.raw, call.headers, prompt, call.path, call.resource.region)


def _call(
    request: Request,
    resource: Resource,
    operation: Operation,
    target: Target,
    parameters: dict[str, str],
    now: float,
    number: int,
) -> Call:
    chance = _chance(resource, request, operation.id, _variant(request, target, parameters))
    kind = Call if operation.prompt is None else ModelCall
    return kind(resource, operation, parameters, request.headers, request.query, chance, now, number)


def _variant(request: Request, target: Target, parameters: dict[str, str]) -> str:
    """What a URL says beyond its operation: mostly nothing."""
    path = target.path if parameters else target.deployment or ""
    return f"{path}?{request.query}" if request.query else path


def _chance(resource: Resource, request: Request, operation_id: str, variant: str) -> Chance:
    """The chance of one request; `variant` is what its URL says beyond the operation."""
    payload = request.payload
    return resource.chance(operation_id, payload if isinstance(payload, bytes) else payload.digest, variant)


def _read_body(call: Call, request: Request, exchange: Exchange, deployment: str | None) -> None:
    """Read, count and validate the body; `deployment` is the one that a legacy path names in place of the body."""
    if request.refusal is not None:
        raise request.refusal
    operation, payload = call.operation, request.payload
    parsed = bodies.parse(operation, request.headers, payload)
    call.raw, call.files, call.text = parsed.raw, parsed.files, parsed.text
    if deployment is not None and isinstance(call.raw, dict):
        call.raw["model"] = deployment
    assert operation.body is not None
    model_call = call if isinstance(call, ModelCall) else None
    if model_call is not None:
        _deploy(model_call, exchange, metered=request.metered)
    call.body = validate(operation.body, call.raw, strict=isinstance(payload, bytes))
    if model_call is not None:
        assert operation.prompt is not None
        model_call.prompt = exchange.prompt = operation.prompt(model_call)


def _deploy(call: ModelCall, exchange: Exchange, *, metered: bool) -> None:
    """Find the deployment that serves the call and count the call against its quota."""
    operation, body = call.operation, call.raw
    name = operation.deployment(body, call.path)
    if not isinstance(body, dict) or not (name is None or isinstance(name, str)):
        return  # the body's model says what is wrong
    if not name:
        raise errors.model_missing()
    exchange.deployment = name
    deployment = call.deployment = call.resource.deployment(name, operation.model_kind)
    exhausted = deployment.quota.take(call.now, estimate(body)) if metered else None
    if exhausted is not None:
        unit, wait = exhausted
        model, region = deployment.model.name, call.resource.region
        raise errors.rate_limited(name, model, region, operation.quota_name, wait, unit=unit)
    if deployment.model.kind != operation.model_kind:
        raise errors.operation_not_supported(operation.capability, deployment.model.name)


def _answer(call: Call, exchange: Exchange) -> Answer | None:
    """What the script says to this call. Raises ApiError in strict mode for a call that no rule answers."""
    script, call_view = call.resource.script, _view(call)
    behaviour = call.deployment.behaviour if isinstance(call, ModelCall) else None
    refuses = behaviour is not None and behaviour.refuses
    answer = None if refuses else script.answer(call_view, call.chance, call.now)
    exchange.rule = answer.rule if answer is not None else None
    if behaviour is not None and (answer is not None or behaviour.decides or not script.strict):
        answer = behaviour.apply_to(answer, call_view, call.chance, call.now)
    if answer is None and script.strict and isinstance(call, ModelCall):
        exchange.near_misses = script.explain_near_misses(call_view)
        log.warning("no rule matches %s %s\n%s", call.operation.id, printable(exchange.deployment), exchange.near_misses)
        raise errors.unmatched(exchange.near_misses)
    return answer


def _merged(result: Result, answer: Answer, raw: Raw) -> Result:
    """A handler's object with the members that the script gives it, objects inside it merged likewise; and its headers.

    Where the handler returns no object, the script's takes its place.
    """
    if not isinstance(result.payload, dict):
        return Result(raw.body, raw.status, headers.encoded(raw.headers))
    result.payload = _merge(result.payload, answer.members)
    result.headers += [pair for pair in headers.encoded(raw.headers) if pair[0] != b"content-type"]
    return result


def _merge(document: Json, members: Json) -> Json:
    if not (isinstance(document, dict) and isinstance(members, dict)):
        return members
    return {**document, **{name: _merge(document.get(name), value) for name, value in members.items()}}


# -- requests that operations send themselves

_DEEPEST = 8  # inside each other: a batch's line is one deep, and what it calls is another
_depth: ContextVar[int] = ContextVar("depth", default=0)


def _send(
    resources: Resources,
    resource: Resource,
    method: str,
    path: str,
    body: Json,
    named: Mapping[str, str],
    parent: int | None,
    metered: bool,
) -> Response:
    """Answer a request of the resource's own; `path` is below the surface's root, with a query where it has one.

    Raises ApiError 400 where requests that were sent so send further ones, and those too, without an end.
    """
    depth = _depth.get()
    if depth >= _DEEPEST:
        raise errors.nested_too_deeply(_DEEPEST)
    payload = b"" if body is None else to_json(body)
    path, _, query = path.partition("?")
    target = V1 + path.removeprefix("/v1").removeprefix("/")
    sent = RequestHeaders(headers.encoded({**({} if body is None else _JSON_HEADERS), **named}))
    token = _depth.set(depth + 1)
    try:
        request = Request(method, target, query, sent, payload, resource=resource, parent=parent, metered=metered)
        return respond(resources, request)
    finally:
        _depth.reset(token)


# -- rendering


def _error_result(error: ApiError, progress: _Progress) -> Result:
    """An error as a result."""
    progress.exchange.error = str(error.detail.get("code") or error.detail.get("message") or error.status)
    operation = progress.operation
    family_indents = operation is not None and operation.style in ("pretty", "pretty-newline")
    indented = error.style == "pretty" or (error.style == "family" and family_indents)
    payload = error.payload if isinstance(error.payload, bytes) else to_json(error.payload, indent=2 if indented else None)
    added = headers.encoded(error.headers)
    return Result(payload, error.status, added, error.content_type, error.header_set, reason=error.reason)


def _response(request: Request, progress: _Progress, result: Result) -> Response:
    """The response to a result; the exchange is complete and in the journal."""
    exchange, resource, call = progress.exchange, progress.resource, progress.call
    chance = call.chance if call is not None else _chance(resource, request, "", f"{request.method} {request.path}")
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


def _head(request: Request, progress: _Progress, result: Result, chance: Chance) -> ResponseHead:
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
