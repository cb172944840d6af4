"""The ASGI application: Starlette, the surface below `/openai/v1`, and the control API below `/_mock`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Unpack

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from mockserver.gateway.asgi import Surface
from mockserver.gateway.delivery import Receive, Scope, Send
from mockserver.gateway.paths import ROOT
from mockserver.resource.build import Source, build_resources, load_scenarios
from mockserver.resource.resources import Resources
from mockserver.settings import Settings, check, list_settings

IDENTITY_PATHS = (
    "/_mock/identity/{path:path}",
    "/metadata/identity/oauth2/{path:path}",
    "/common/discovery/instance",
    "/{tenant}/v2.0/.well-known/openid-configuration",
    "/{tenant}/discovery/v2.0/keys",
    "/{tenant}/oauth2/v2.0/token",
)
"""The paths of `mockserver.identity`, here so that it is imported only when one of them is called."""


class Application(Starlette):
    """Starlette, with a straight way to the surface: its pipeline needs none of the framework's error handling."""

    surface: Surface

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run the application's lifespan."""
        if scope["type"] == "http" and scope["path"].startswith(ROOT):
            await self.surface(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


class Control:
    """The control API, imported on the first request to it."""

    def __init__(self, resources: Resources, overrides: Mapping[str, Any], *, guarded: bool) -> None:
        self._resources, self._overrides, self._guarded = resources, overrides, guarded
        self._app: Starlette | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._app is None:
            from mockserver.control import create_control

            self._app = create_control(self._resources, self._overrides, guarded=self._guarded)
        await self._app(scope, receive, send)


class Identity:
    """The routes that give tokens, imported on the first request to them."""

    def __init__(self, resources: Resources, *, guarded: bool) -> None:
        self._resources, self._guarded = resources, guarded
        self._app: Starlette | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._app is None:
            from mockserver.identity import create_identity

            self._app = create_identity(self._resources, guarded=self._guarded)
        await self._app(scope, receive, send)


class Alias:
    """Answers a path at the root as the control API answers the same path below `/_mock`: for browsers, and for probes."""

    def __init__(self, control: Control, path: str) -> None:
        self._control, self._path = control, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._control({**scope, "path": f"/_mock{self._path}", "root_path": "/_mock"}, receive, send)


@list_settings
def create_app(*scenarios: Source, **settings: Unpack[Settings]) -> Application:
    """The application for these scenarios (files, folders, or mappings of the same shape).

    The settings win over what the scenarios say; `mockserver.settings.Settings` lists them. Raises ScenarioError for scenarios
    that cannot be used, StateError for a state file that cannot be used, TypeError for a setting that does not exist or does not
    fit. A state file is closed at the end of the application's lifespan, or with the application.
    """
    overrides = check(settings)
    return application(build_resources(load_scenarios(scenarios), overrides, surviving=True), overrides)


def application(resources: Resources, overrides: Mapping[str, Any], *, guarded: bool = False) -> Application:
    """The application that serves these resources. With `guarded`, the control API requires a resource's key too.

    `overrides` are the settings that win over a scenario's, as `settings.check` returns them.
    """
    surface = Surface(resources)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            resources.close()

    control = Control(resources, overrides, guarded=guarded)
    aliases = [Route(path, endpoint=Alias(control, path), methods=["GET"]) for path in ("/", "/health", "/ready")]
    identity = Identity(resources, guarded=guarded)
    tokens = [Route(path, endpoint=identity) for path in IDENTITY_PATHS]
    app = Application(
        routes=[*tokens, Mount("/_mock", app=control), *aliases, Route("/{path:path}", endpoint=surface)], lifespan=lifespan
    )
    app.surface = surface
    app.state.resources = resources
    return app
