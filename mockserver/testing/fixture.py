"""What the pytest plugin loads for the first test that uses `azure_openai`: a server whose resources are lent to tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import pytest

from mockserver.errors import ScenarioError
from mockserver.resource.build import build_resources, load_scenarios
from mockserver.testing import environment
from mockserver.testing.guard import Guard
from mockserver.testing.lease import Lease, Leases
from mockserver.testing.options import Keywords, OptionError, Options, of_call, of_test

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from mockserver.resource.build import Source
    from mockserver.resource.resource import Resource
    from mockserver.scenario.load import Scenario
    from mockserver.testing.mock import Mock
    from mockserver.testing.server import MockServer


class Factory:
    """Lends resources of one server: `with azure_openai_factory("scenario.yaml", strict=True) as mock: …`."""

    def __init__(self, server: MockServer, config: pytest.Config, leases: Leases) -> None:
        self._server = server
        self._config = config
        self._leases = leases
        self._default = DefaultResource(server)
        # By their files with time and size, because many tests use the same files, and reading these costs more than a test.
        self._loaded: dict[tuple[object, ...], list[Scenario]] = {}

    def __call__(self, *scenarios: Source, **options: Unpack[Keywords]) -> AbstractContextManager[Mock]:
        """A fresh resource while the context lasts, with the marker's options. Paths are relative to pytest's root folder.

        Rules may stay unused here, unless `rules_unused="fail"` is given.
        """
        with _readable_errors():
            found = of_call(self._config, scenarios, options)
        return self._lend(found)

    def for_test(self, node: pytest.Item) -> AbstractContextManager[Mock]:
        """A fresh resource with the options of this test's marker."""
        with _readable_errors():
            options = of_test(node)
        return self._lend(options, node.nodeid)

    @contextmanager
    def _lend(self, options: Options, place: str = "") -> Iterator[Mock]:
        with ExitStack() as stack:
            with _readable_errors():
                lease = self._create_lease(options, place)
            stack.callback(self._discard, lease.mock)
            stack.enter_context(environment.use_mock(lease.mock))
            stack.enter_context(self._default.use(lease.mock.resource))
            if options.guard:
                lease.guard = stack.enter_context(Guard(allow=options.allow))
            if options.intercept is not None:
                stack.enter_context(lease.mock.intercept(*options.intercept))
            self._leases.active.append(lease)
            try:
                yield lease.mock
            finally:
                failure = self._leases.end(lease)
        if failure:
            pytest.fail(failure, pytrace=False)

    def _discard(self, mock: Mock) -> None:
        self._server.discard(mock)
        self._default.retire_key(mock.api_key)

    def _create_lease(self, options: Options, place: str) -> Lease:
        """A fresh resource. Raises ScenarioError."""
        scenarios = self._scenarios(options.scenarios)
        if len(scenarios) > 1:
            names = ", ".join(scenario.name or "one without a name" for scenario in scenarios)
            raise ScenarioError([f"the scenarios describe several resources ({names}), but azure_openai is a single one"])
        mock = self._server.adopt(build_resources(scenarios, options.settings).default)
        if options.frozen is not None:
            mock.clock.freeze(options.frozen)
        if options.keys:
            self._accept_keys(mock.resource, options.keys)
        place = place or f"{mock.resource.name} of azure_openai_factory"
        return Lease(mock, options, place, frozenset(mock.script.rules if options.common else ()))

    def _scenarios(self, sources: Sequence[Source]) -> list[Scenario]:
        """Scenarios from their sources. Files are read once: resources can share rules, which never change."""
        paths = [Path(source) for source in sources if isinstance(source, (str, Path))]
        if not paths or len(paths) < len(sources):
            return load_scenarios(sources)
        from mockserver.scenario.load import files_of

        state = tuple((file.resolve(), file.stat().st_mtime_ns, file.stat().st_size) for file in files_of(paths))
        if state not in self._loaded:
            self._loaded[state] = load_scenarios(sources)
        return self._loaded[state]

    def _accept_keys(self, resource: Resource, keys: Sequence[str]) -> None:
        """Let a resource accept more keys than its own. Raises ScenarioError for a key of another resource."""
        resources = self._server.resources
        resources.remove(resource.name)
        resource.rename(resource.name, (*resource.keys, *keys))
        try:
            resources.add(resource)
        except ValueError as error:
            raise ScenarioError([str(error)]) from None


class DefaultResource:
    """The resource that answers calls without a key of their own resource: the innermost that is lent.

    It gets wrong keys, tokens, and retired keys: those of tests that have ended, which clients made then still use.
    """

    def __init__(self, server: MockServer) -> None:
        self._resources = server.resources
        self._original = server.resources.default
        self._by_key = self._resources.by_key = ResourcesByKey(self._resources.by_key)
        self._lent: list[Resource] = []

    @contextmanager
    def use(self, resource: Resource) -> Iterator[None]:
        """Make `resource` the default while the context lasts."""
        self._lent.append(resource)
        self._update()
        try:
            yield
        finally:
            self._lent.remove(resource)
            self._update()

    def retire_key(self, key: str) -> None:
        """Let the default resource accept a key whose resource is gone."""
        self._by_key.retired.add(key)

    def _update(self) -> None:
        self._by_key.default = self._lent[-1] if self._lent else None
        self._resources.default = self._by_key.default or self._original


class ResourcesByKey(dict[str | None, "Resource"]):
    """Resources by their keys; a `retired` key opens the `default` resource, if there is one.

    A mapping like the server's own, so that serving a call costs no more than one look-up.
    """

    def __init__(self, resources: Mapping[str | None, Resource]) -> None:
        super().__init__(resources)
        self.retired: set[str | None] = set()
        self.default: Resource | None = None

    def get(self, key: str | None, default: Any = None) -> Any:
        """The resource that a key opens."""
        resource = super().get(key)
        return resource or (self.default if key in self.retired else None) or default


@contextmanager
def _readable_errors() -> Iterator[None]:
    """Fail with what is wrong with the options or a scenario, without a traceback through this package."""
    try:
        yield
    except (OptionError, ScenarioError) as error:
        problems = error.problems if isinstance(error, ScenarioError) else [str(error)]
        text = "\n".join(["azure_openai cannot be set up:", *problems])
        raise pytest.fail.Exception(text, pytrace=False) from None
