"""What the pytest plugin loads when a test asks for `azure_openai`: a server's resources, lent to a test, a class, a module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mockserver.errors import ScenarioError
from mockserver.resource.settings import Settings, build_resources, load_scenarios
from mockserver.testing import environment
from mockserver.testing.guard import Guard
from mockserver.testing.lease import Lease, Leases
from mockserver.testing.options import OptionError, Options, of_call, of_test

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from mockserver.resource.resource import Resource
    from mockserver.resource.settings import Source
    from mockserver.scenario.load import Scenario
    from mockserver.testing.mock import Mock
    from mockserver.testing.server import MockServer


class Factory:
    """Lends resources of one server: `with azure_openai_factory("scenario.yaml", strict=True) as mock: …`."""

    def __init__(self, server: MockServer, config: pytest.Config, leases: Leases) -> None:
        self._server = server
        self._config = config
        self._leases = leases
        self._front = Front(server)
        self._loaded: dict[tuple[object, ...], list[Scenario]] = {}

    def __call__(self, *scenarios: Source, **options: Any) -> AbstractContextManager[Mock]:
        """A fresh resource while the context lasts, with the marker's options. Paths are relative to pytest's root folder.

        Rules that answer nothing are fine here, unless `rules_unused="fail"` says otherwise.
        """
        with _told():
            said = of_call(self._config, scenarios, options)
        return self._lent(said)

    def for_test(self, node: pytest.Item) -> AbstractContextManager[Mock]:
        """A fresh resource as this test's marker wants it."""
        with _told():
            said = of_test(node)
        return self._lent(said, node.nodeid)

    @contextmanager
    def _lent(self, options: Options, place: str = "") -> Iterator[Mock]:
        with ExitStack() as stack:
            with _told():
                lease = self._lease(options, place)
            stack.callback(self._take_back, lease.mock)
            stack.enter_context(environment.pointed(lease.mock))
            stack.enter_context(self._front.taken(lease.mock.resource))
            if options.guard:
                lease.guard = stack.enter_context(Guard(allow=options.allow))
            if options.intercept is not None:
                stack.enter_context(lease.mock.intercept(*options.intercept))
            self._leases.active.append(lease)
            try:
                yield lease.mock
            finally:
                complaint = self._leases.end(lease)
        if complaint:
            pytest.fail(complaint, pytrace=False)

    def _take_back(self, mock: Mock) -> None:
        self._server.discard(mock)
        self._front.orphan(mock.api_key)

    def _lease(self, options: Options, place: str) -> Lease:
        """A fresh resource. Raises ScenarioError."""
        scenarios = self._scenarios(options.scenarios)
        if len(scenarios) > 1:
            names = ", ".join(scenario.name or "one without a name" for scenario in scenarios)
            raise ScenarioError([f"the scenarios are about several resources ({names}); azure_openai is one"])
        settings = Settings(
            keys=() if options.key == "none" else None,
            deployments=options.deployments,
            strict=options.strict,
            profile=options.profile,
            seed=options.seed,
            region=options.region,
            dated=options.dated,
            journal_limit=options.journal_limit,
        )
        mock = self._server.adopt(build_resources(scenarios, settings).default)
        if options.frozen is not None:
            mock.clock.freeze(options.frozen)
        if options.accepted:
            self._admit(mock.resource, options.accepted)
        place = place or f"{mock.resource.name} of azure_openai_factory"
        return Lease(mock, options, place, frozenset(mock.script.rules if options.common else ()))

    def _scenarios(self, sources: Sequence[Source]) -> list[Scenario]:
        """Scenarios from their sources. Files are read once; scripts can share their rules, which never change."""
        paths = [Path(source) for source in sources if isinstance(source, (str, Path))]
        if not paths or len(paths) < len(sources):
            return load_scenarios(sources)
        from mockserver.scenario.load import files_of

        state = tuple((file.resolve(), file.stat().st_mtime_ns, file.stat().st_size) for file in files_of(paths))
        if state not in self._loaded:
            self._loaded[state] = load_scenarios(sources)
        return self._loaded[state]

    def _admit(self, resource: Resource, keys: Sequence[str]) -> None:
        """Have a resource accept more keys than its own. Raises ScenarioError for a key that another one has."""
        resources = self._server.resources
        resources.remove(resource.name)
        resource.rename(resource.name, (*resource.keys, *keys))
        try:
            resources.add(resource)
        except ValueError as error:
            raise ScenarioError([str(error)]) from None


class Front:
    """Which resource answers whoever has no other's key: the innermost that is lent.

    It gets the wrong keys, the tokens, and the orphans: keys of tests that are over, which clients made then go on using.
    """

    def __init__(self, server: MockServer) -> None:
        self._resources = server.resources
        self._behind = server.resources.default
        self._keys = self._resources.by_key = Keys(self._resources.by_key)
        self._lent: list[Resource] = []

    @contextmanager
    def taken(self, resource: Resource) -> Iterator[None]:
        """Put `resource` in front."""
        self._lent.append(resource)
        self._face()
        try:
            yield
        finally:
            self._lent.remove(resource)
            self._face()

    def orphan(self, key: str) -> None:
        """Lead a key whose resource is gone to the resource in front."""
        self._keys.orphans.add(key)

    def _face(self) -> None:
        self._keys.front = self._lent[-1] if self._lent else None
        self._resources.default = self._keys.front or self._behind


class Keys(dict[str | None, "Resource"]):
    """Resources by their keys; the orphans among the keys open the one in `front`, if any."""

    def __init__(self, keys: Mapping[str | None, Resource]) -> None:
        super().__init__(keys)
        self.orphans: set[str | None] = set()
        self.front: Resource | None = None

    def get(self, key: str | None, default: Any = None) -> Any:
        """The resource that a key opens."""
        found = super().get(key)
        return found or (self.front if key in self.orphans else None) or default


@contextmanager
def _told() -> Iterator[None]:
    """Fail with what is wrong, instead of with a traceback through this package."""
    try:
        yield
    except (OptionError, ScenarioError) as error:
        problems = error.problems if isinstance(error, ScenarioError) else [str(error)]
        text = "\n".join(["azure_openai cannot be set up:", *problems])
        raise pytest.fail.Exception(text, pytrace=False) from None
