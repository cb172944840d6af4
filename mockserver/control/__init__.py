"""The control API below `/_mock`: pages, health, scenario, journal, reset, state, clock, verdict. Azure has none of it.

Every call concerns one resource: that of `?resource=NAME`, or of the key that is sent, else the default one. A key is required
only where other machines can reach the server, and never for `/_mock/health`. What a page of somewhere else may have sent is
refused in any case (`gateway.origin`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import wraps
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from mockserver import __version__
from mockserver.errors import ApiError, ScenarioError, StateError
from mockserver.gateway import origin
from mockserver.gateway.auth import authorise
from mockserver.resource.build import apply_scenario
from mockserver.resource.evals import find_run
from mockserver.resource.journal import Exchange
from mockserver.resource.resource import Resource
from mockserver.resource.resources import Resources
from mockserver.state.clock import seconds
from mockserver.state.memory import MemoryStore

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mockserver.scenario.load import Scenario
    from mockserver.scenario.plan import Planned

log = logging.getLogger("mockserver")
Json = Any
Handler = Callable[[Request, Resource], Awaitable[Json]]
_FILTERS = ("operation", "deployment", "method", "path", "rule", "status", "error")


class ControlError(Exception):
    """A control call that is refused: the status, a message, and lines of detail."""

    def __init__(self, status: int, message: str, problems: list[str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.problems = status, message, problems or []


def create_control(resources: Resources, overrides: Mapping[str, Any], *, guarded: bool) -> Starlette:
    """The control API of these resources; with `guarded`, it requires a resource's key."""

    def route(path: str, method: str, handler: Handler) -> Route:
        @wraps(handler)
        async def endpoint(request: Request) -> Response:
            try:
                resource = _resource(resources, request, guarded=guarded)
                answer = await handler(request, resource)
                return answer if isinstance(answer, Response) else JSONResponse(answer)
            except ControlError as refusal:
                return _refused(refusal)
            except Exception:
                log.exception("mockserver failed to answer %s %r; please report this", method, request.url.path)
                return _refused(ControlError(500, "mockserver failed to answer; its log says more"))

        return Route(path, endpoint, methods=[method])

    async def put_scenario(request: Request, resource: Resource) -> Json:
        """Replace the scenario: rules, deployments and strictness."""
        scenario = await _scenario(request)
        with _refusing():
            apply_scenario(resource, scenario, overrides)
        return _describe(resource)

    async def health(request: Request) -> Response:
        names = [resource.name for resource in resources]
        return JSONResponse({"status": "ok", "version": __version__, "resources": names})

    async def page(request: Request) -> Response:
        from mockserver.control.page import render

        root = str(request.base_url).removesuffix("_mock/")
        return HTMLResponse(render(resources, root, guarded=guarded))

    return Starlette(
        routes=[
            Route("/", page, methods=["GET"]),
            Route("/health", health, methods=["GET"]),
            Route("/ready", health, methods=["GET"]),
            route("/scenario", "GET", get_scenario),
            route("/scenario", "PUT", put_scenario),
            route("/scenario", "POST", add_rules),
            route("/journal", "GET", get_journal),
            route("/verdict", "GET", get_verdict),
            route("/reset", "POST", reset),
            route("/state", "GET", get_state),
            route("/state", "PUT", put_state),
            route("/state", "DELETE", delete_state),
            route("/clock", "GET", get_clock),
            route("/clock", "POST", set_clock),
            route("/evals/{eval_id}/runs/{run_id}", "GET", get_report),
            Route("/{path:path}", _unknown, methods=["GET", "POST", "PUT", "DELETE", "PATCH"]),
        ],
        middleware=[Middleware(_OwnPages, resources)],
    )


class _OwnPages:
    """Lets in what no page of somewhere else can have sent."""

    def __init__(self, app: ASGIApp, resources: Resources) -> None:
        self._app, self._resources = app, resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        try:
            origin.check(Headers(scope=scope), self._resources.allowed_hosts)
        except ApiError as error:
            app = _refused(ControlError(error.status, error.detail["message"]))
        await app(scope, receive, send)


async def get_scenario(request: Request, resource: Resource) -> Json:
    """The rules in the order in which they are tried, how often each has answered, the states, and the unused rules."""
    return _describe(resource)


async def add_rules(request: Request, resource: Resource) -> Json:
    """Add rules behind those that are there, and give the resource what the body's `state` has."""
    scenario = await _scenario(request, resource.preload)
    if scenario.state:
        from mockserver.gateway.preload import give

        with _refusing():
            give(resource, scenario.state)
    for rule in scenario.rules:
        resource.script.add(rule)
    return _describe(resource)


async def get_journal(request: Request, resource: Resource) -> Json:
    """Exchanges, oldest first; filters by equality, and by the last `limit`."""
    query = dict(request.query_params)
    query.pop("resource", None)
    limit = _limit(query.pop("limit", None))
    unknown = sorted(set(query) - set(_FILTERS))
    if unknown:
        raise ControlError(400, f"unknown filter '{unknown[0]}'; the filters are {', '.join((*_FILTERS, 'limit'))}")

    def accepts(exchange: Exchange) -> bool:
        return all(str(getattr(exchange, name)) == value for name, value in query.items())

    exchanges = resource.journal.find(accepts, limit)
    return {"exchanges": [exchange.row() for exchange in exchanges], "dropped": resource.journal.dropped}


async def get_verdict(request: Request, resource: Resource) -> Json:
    """How the clients of the resource behave, judged from its journal."""
    from mockserver.verdict import judge

    return judge(resource.journal).row()


async def reset(request: Request, resource: Resource) -> Json:
    """Forget: `{"what": "all" | "journal" | "state"}`, all by default."""
    body = await _body(request)
    what = body.get("what", "all")
    if what == "all":
        resource.reset(rules=True)
    elif what == "journal":
        resource.journal.clear()
    elif what == "state":
        resource.forget()
    else:
        raise ControlError(400, f"cannot reset {what!r}; 'what' is all, journal or state")
    return {"reset": what, "resource": resource.name}


async def get_state(request: Request, resource: Resource) -> Json:
    """All that the resource remembers, as `mockserver state export` writes it."""
    from mockserver.gateway.preload import fill
    from mockserver.state.dump import dump

    fill(resource)
    return Response(b"".join(dump({resource.name: resource.store})), media_type="application/json")


async def put_state(request: Request, resource: Resource) -> Json:
    """Replace what the resource remembers by what was exported, of a resource of this name or of the only one."""
    from mockserver.state.dump import parse, restore

    with _refusing():
        found = parse(await request.body())
        entries = found.resources.get(resource.name, next(iter(found.resources.values()), []))
        if len(found.resources) > 1 and resource.name not in found.resources:
            raise ValueError(f"there are several resources in it, but no {resource.name!r}")
        # What is in memory cannot be taken back, so the documents prove first that they fit.
        restore(MemoryStore(resource.settings["store_documents"], resource.settings["store_bytes"]), entries)
        with resource.store.transaction:
            resource.store.clear()
            restore(resource.store, entries)
            resource.preload.pending = ()
        resource.renew_ids(found.generation)
    return {"documents": len(entries), "resource": resource.name}


async def delete_state(request: Request, resource: Resource) -> Json:
    """Forget what the resource remembers, but for what its scenario gives."""
    resource.forget()
    return {"reset": "state", "resource": resource.name}


async def get_clock(request: Request, resource: Resource) -> Json:
    """The resource's time in Unix seconds, and whether it stands still."""
    return {"now": resource.clock.now(), "frozen": resource.clock.frozen}


async def set_clock(request: Request, resource: Resource) -> Json:
    """`{"freeze": true | UNIX SECONDS}`, `{"resume": true}`, `{"advance": "24h"}`, in this order where several are sent."""
    body = await _body(request)
    unknown = sorted(set(body) - {"freeze", "resume", "advance"})
    if unknown or not body:
        raise ControlError(400, "send freeze (true or a time in Unix seconds), resume (true) or advance (for instance '24h')")
    clock = resource.clock
    freeze, resume, advance = (body.get(name, False) for name in ("freeze", "resume", "advance"))
    if not isinstance(resume, bool) or not isinstance(freeze, (bool, int, float)):
        raise ControlError(400, "freeze is true or a time in Unix seconds, resume is true")
    with _refusing():
        step = seconds(_duration(advance)) if "advance" in body else 0.0
        if freeze is not False:
            clock.freeze(None if freeze is True else freeze)
        if resume:
            clock.resume()
        clock.advance(step)
    return {"now": clock.now(), "frozen": clock.frozen}


async def get_report(request: Request, resource: Resource) -> Json:
    """The page that the `report_url` of a run of an eval leads to: its results as a table."""
    from mockserver.control.report import render

    run = find_run(resource.store, request.path_params["eval_id"], request.path_params["run_id"])
    if run is None:
        raise ControlError(404, f"the resource '{resource.name}' has no such run of an eval")
    return HTMLResponse(render(resource, run))


def _duration(value: Json) -> float | str:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("advance is a duration, for instance '24h' or a number of seconds")
    return value


def _describe(resource: Resource) -> Json:
    script = resource.script
    uses = script.uses
    return {
        "resource": resource.name,
        "strict": script.strict,
        "deployments": {one.name: one.model.name for one in resource.deployments.values()},
        "rules": [{"name": rule.name, "place": rule.place, "uses": uses[rule.name]} for rule in script.rules],
        "states": dict(script.states),
        "state": _given(resource),
        "unused": script.unused(),
    }


def _given(resource: Resource) -> Json:
    """The ids of what the resource was given, by kind and name; without the kinds of which there is nothing."""
    kinds = asdict(resource.preload.given())
    return {kind: {name: entry.id for name, entry in entries.items()} for kind, entries in kinds.items() if entries}


def _resource(resources: Resources, request: Request, *, guarded: bool) -> Resource:
    """The resource that a call concerns. Raises ControlError."""
    allowed = _authorised(resources, request) if guarded else None
    name = request.query_params.get("resource")
    if name is None:
        return allowed or resources.by_key.get(request.headers.get("api-key"), resources.default)
    resource = resources.by_name.get(name)
    if resource is None:
        raise ControlError(404, f"there is no resource '{name}'; there are {', '.join(resources.by_name)}")
    if allowed not in (None, resource):
        raise ControlError(401, f"this key does not open the resource '{name}'")
    return resource


def _authorised(resources: Resources, request: Request) -> Resource:
    # The host name is left out: here, the key alone selects the resource.
    headers = {name: value for name, value in request.headers.items() if name != "host"}
    message = "the control API requires a key when other machines can reach the server"
    try:
        resource, principal = authorise(resources, headers)
    except ApiError as error:
        raise ControlError(error.status, message) from None
    if principal is not None:  # a token does not suffice: anybody can write one that is judged by its claims alone
        raise ControlError(401, message)
    return resource


async def _scenario(request: Request, known: Iterable[Planned] = ()) -> Scenario:
    from mockserver.scenario import load

    text = (await request.body()).decode("utf-8", "replace")
    with _refusing():
        return load.parse(text, "body", known)


async def _body(request: Request) -> dict[str, Json]:
    raw = await request.body()
    if not raw:
        return {}
    try:
        body = from_json(raw, allow_inf_nan=False)  # which refuses deep nesting, where Python's own reader breaks off
    except ValueError:
        raise ControlError(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise ControlError(400, "the body is not a JSON object")
    return body


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn the errors of a step into a refusal."""
    try:
        yield
    except ScenarioError as error:
        raise ControlError(400, "the scenario cannot be used; the old one stays", error.problems) from None
    except ApiError as error:
        raise ControlError(error.status, error.detail["message"]) from None
    except (StateError, ValueError, TypeError) as error:
        raise ControlError(400, str(error)) from None


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text[:9]) == 0:
        raise ControlError(400, "limit is a whole number above 0")
    return int(text[:9])


def _refused(refusal: ControlError) -> JSONResponse:
    return JSONResponse({"error": {"message": refusal.message, "problems": refusal.problems}}, refusal.status)


async def _unknown(request: Request) -> Response:
    known = "health, scenario, journal, reset, state, clock, verdict, evals/…/runs/…"
    return _refused(ControlError(404, f"there is no {request.method} {request.url.path}; the control API has {known}"))
