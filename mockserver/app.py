"""The ASGI application: Starlette, the surface below `/openai/v1`, and the control API below `/_mock`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from mockserver.gateway.asgi import Surface
from mockserver.gateway.delivery import Receive, Scope, Send
from mockserver.gateway.paths import ROOT
from mockserver.resource.resources import Resources
from mockserver.resource.settings import Settings, Source, build_resources, load_scenarios


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

    def __init__(self, resources: Resources, settings: Settings, *, guarded: bool) -> None:
        self._resources, self._settings, self._guarded = resources, settings, guarded
        self._app: Starlette | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._app is None:
            from mockserver.control import create_control

            self._app = create_control(self._resources, self._settings, guarded=self._guarded)
        await self._app(scope, receive, send)


def create_app(
    *scenarios: Source,
    key: str | None = None,
    keys: Sequence[str] | None = None,
    deployments: Mapping[str, str] | None = None,
    strict: bool | None = None,
    profile: str | None = None,
    seed: int | str | None = None,
    region: str | None = None,
    dated: bool | None = None,
    journal_limit: int = 1_000,
) -> Application:
    """The application for these scenarios (files, folders, or mappings of the same shape).

    `key` or `keys` open the first resource; `key="none"` turns key checks off. `deployments` maps names to models. With
    `strict`, a call that no rule answers fails. `seed` decides ids, words and vectors. `dated=False` turns
    the older client's dated paths off. Raises ScenarioError.
    """
    given = keys if keys is not None else None if key is None else () if key == "none" else (key,)
    settings = Settings(
        keys=None if given is None else tuple(given),
        deployments=dict(deployments or {}),
        strict=strict,
        profile=profile,
        seed=seed,
        region=region,
        dated=dated,
        journal_limit=journal_limit,
    )
    return application(build_resources(load_scenarios(scenarios), settings), settings)


def application(resources: Resources, settings: Settings, *, guarded: bool = False) -> Application:
    """The application that serves these resources. With `guarded`, the control API asks for a resource's key too."""
    surface = Surface(resources)
    control = Mount("/_mock", app=Control(resources, settings, guarded=guarded))
    app = Application(routes=[control, Route("/{path:path}", endpoint=surface)])
    app.surface = surface
    app.state.resources = resources
    return app
