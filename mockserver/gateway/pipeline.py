"""The life of a request, read top to bottom: where, who, may you, body, deployment, script, handler, render, journal.

Each step returns something small or raises `ApiError`, and even a 401 is journaled. Nothing
here waits or knows a socket: `respond` serves requests from outside (`gateway.asgi`) and those that operations send themselves.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mockserver import errors
from mockserver.errors import ApiError
from mockserver.gateway import bodies, headers, preview, versions
from mockserver.gateway.auth import authorise, permit
from mockserver.gateway.headers import RequestHeaders
from mockserver.gateway.paths import V1, Target, check_version, locate
from mockserver.gateway.rendering import Progress, Request, Response, draw_chance, error_result, render
from mockserver.operations.body import validate
from mockserver.operations.call import Call, ModelCall, Result
from mockserver.operations.encoding import printable
from mockserver.operations.table import TABLE, Operation
from mockserver.resource.journal import Exchange
from mockserver.resource.quota import estimate
from mockserver.scenario.match import CallView
from mockserver.state import work
from mockserver.state.clock import stopwatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mockserver.model.reply import Raw
    from mockserver.resource.resource import Resource
    from mockserver.resource.resources import Resources
    from mockserver.scenario.engine import Answer

Json = Any
STRICT = "x-mockserver-strict"
"""The header with which a client asks for strictness where it cannot set the resource's."""
_JSON_HEADERS = {"content-type": "application/json"}
_TURN = 0.01  # seconds that long work takes before others are answered
log = logging.getLogger("mockserver")


@dataclass(slots=True)
class Pending:
    """A request that needs work which takes long: take turns while there is more of it to do, then resume the request."""

    resources: Resources
    request: Request
    progress: Progress
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
            return _ended(self.request, self.progress, error_result(errors.server_error(), self.progress))
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
    return _attempt(resources, request, Progress(exchange, resources.default))


def _attempt(resources: Resources, request: Request, progress: Progress) -> Response | Pending:
    """Answer a request, or go on with it. A failure of ours is logged, and answered with a 500."""
    try:
        result = _result(resources, request, progress)
    except ApiError as error:
        result = error_result(error, progress)
    except Exception:
        _log_failure(request)
        result = error_result(errors.server_error(), progress)
    if isinstance(result, work.Unfinished):
        return Pending(resources, request, progress, result.steps)
    return _ended(request, progress, result)


def _ended(request: Request, progress: Progress, result: Result) -> Response:
    exchange, payload = progress.exchange, request.payload
    if not isinstance(payload, bytes):
        payload.close()  # what a handler keeps of a file is a copy
    response = render(request, progress, result)
    exchange.ms = (stopwatch() - exchange.begun) * 1000
    return response


def _log_failure(request: Request) -> None:
    log.exception("mockserver failed to answer %s %r; please report this", request.method, request.path)


def _result(resources: Resources, request: Request, progress: Progress) -> Result | work.Unfinished:
    target, parameters = _route(resources, request, progress)
    # What the request changes is whole and durable before the response leaves.
    with progress.resource.store.transaction:
        try:
            call = progress.call if progress.scripted else None
            return _handle(call or _prepare(request, progress, target, parameters), progress)
        except work.Unfinished as unfinished:
            return unfinished  # and so what has been written stays


def _handle(call: Call, progress: Progress) -> Result:
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
    progress = Progress(exchange, resources.default)
    target, parameters = _route(resources, request, progress)
    return _view(_prepare(request, progress, target, parameters))


def _route(resources: Resources, request: Request, progress: Progress) -> tuple[Target, dict[str, str]]:
    """Find the resource and the operation; return where the path leads, and its parameters. Raises ApiError."""
    exchange, target = progress.exchange, locate(request.path)
    found = TABLE.find(target.path) if target is not None else None
    if target is None or found is None:
        raise errors.unrouted()
    path, parameters = found
    own = request.resource
    resource, principal = (own, None) if own is not None else authorise(resources, request.headers)
    progress.resource = resource
    exchange.legacy_api = target.legacy_api
    if target.legacy_api and not resource.legacy_api:
        raise errors.unrouted()
    if request.query or target.legacy_api:
        check_version(target, request.query)
        if target.legacy_api and resource.refuses("api_versions"):
            versions.check_operation(target.path, versions.version_of(request.query))
    operation = progress.operation = path.methods.get(request.method)
    if operation is None:
        raise errors.method_not_allowed(request.method, sorted(path.methods))
    exchange.operation = operation.id
    if own is None and (principal is not None or not resource.identity.local_auth):
        permit(resource, principal, operation, target)
    if operation.preview is not None:
        preview.check(operation, request.headers, resource.profile)
    if operation.handler is None:
        raise errors.not_emulated(operation.id)
    resource.sender = resource.sender or partial(_send, resources)
    if resource.preload.pending:
        from mockserver.gateway.preload import fill  # seldom needed

        fill(resource)
    return target, parameters


def _prepare(request: Request, progress: Progress, target: Target, parameters: dict[str, str]) -> Call:
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
    chance = draw_chance(resource, request, operation.id, _variant(request, target, parameters))
    kind = Call if operation.prompt is None else ModelCall
    return kind(resource, operation, parameters, request.headers, request.query, chance, now, number)


def _variant(request: Request, target: Target, parameters: dict[str, str]) -> str:
    """What a URL says beyond its operation: mostly nothing."""
    path = target.path if parameters else target.deployment or ""
    return f"{path}?{request.query}" if request.query else path


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
    if exchange.legacy_api and call.resource.refuses("api_versions"):
        versions.check_call(body, deployment.model, versions.version_of(call.query_string))
    if operation.screen is not None:
        operation.screen(call)


def _answer(call: Call, exchange: Exchange) -> Answer | None:
    """What the script says to this call. Raises ApiError in strict mode for a call that no rule answers."""
    script, call_view = call.resource.script, _view(call)
    behaviour = call.deployment.behaviour if isinstance(call, ModelCall) else None
    refuses = behaviour is not None and behaviour.refuses
    answer = None if refuses else script.answer(call_view, call.chance, call.now)
    exchange.rule = answer.rule if answer is not None else None
    if behaviour is not None and (answer is not None or behaviour.decides or not _is_strict(call)):
        answer = behaviour.apply_to(answer, call_view, call.chance, call.now)
    if answer is None and isinstance(call, ModelCall) and _is_strict(call):
        exchange.near_misses = script.explain_near_misses(call_view)
        log.warning("no rule matches %s %s\n%s", call.operation.id, printable(exchange.deployment), exchange.near_misses)
        raise errors.unmatched(exchange.near_misses)
    return answer


def _is_strict(call: Call) -> bool:
    """Whether a call that no rule answers is refused: by the resource's setting, or because the call asks for it."""
    return call.resource.script.strict or call.headers.get(STRICT, "").lower() == "true"


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
