"""A handle on one resource: where it is, its script and clock, clients for it, and assertions on its calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from mockserver.server.variables import for_azure_openai, for_openai

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path
    from subprocess import CompletedProcess

    import httpx
    import httpx2
    from openai import AsyncOpenAI, OpenAI

    from mockserver.app import Application
    from mockserver.resource.journal import Exchange
    from mockserver.resource.preload import Given
    from mockserver.resource.resource import Resource
    from mockserver.scenario.engine import Script, When
    from mockserver.state.clock import Clock
    from mockserver.testing.calls import RecordedCall
    from mockserver.verdict import Verdict


class Mock:
    """A pretend Azure OpenAI `resource` as tests use it. `app` is the application that serves it, at `endpoint`."""

    def __init__(self, resource: Resource, app: Application, endpoint: str) -> None:
        self.resource = resource
        self.app = app
        self._endpoint = endpoint
        self._client: OpenAI | None = None
        self._async_client: AsyncOpenAI | None = None

    # -- where it is

    @property
    def endpoint(self) -> str:
        """The value of `AZURE_OPENAI_ENDPOINT`: scheme, host and port."""
        return self._endpoint

    @property
    def base_url(self) -> str:
        """The SDK's `base_url`, and the value of `OPENAI_BASE_URL`."""
        return f"{self.endpoint}/openai/v1/"

    @property
    def api_key(self) -> str:
        """A key that opens the resource."""
        return next(iter(self.resource.keys), "any-key")

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables from which SDKs read endpoint and key, with this resource's values."""
        v1, legacy = for_openai(self.endpoint, self.api_key), for_azure_openai(self.endpoint, self.api_key)
        return v1 | legacy | {"AZURE_OPENAI_BASE_URL": self.base_url}

    # -- clients

    @property
    def client(self) -> OpenAI:
        """The SDK's client for this resource. Needs the package `openai`."""
        if self._client is None:
            from openai import OpenAI

            self._client = OpenAI(base_url=self.base_url, api_key=self.api_key, http_client=self.http_client())
        return self._client

    @property
    def async_client(self) -> AsyncOpenAI:
        """The SDK's asynchronous client for this resource. Needs the package `openai`."""
        if self._async_client is None:
            from openai import AsyncOpenAI

            self._async_client = AsyncOpenAI(base_url=self.base_url, api_key=self.api_key, http_client=self.async_http_client())
        return self._async_client

    def http_client(self) -> httpx2.Client:
        """An httpx2 client that reaches the server without a socket, and streams: `OpenAI(http_client=mock.http_client())`."""
        from mockserver.testing.transport import client

        return client(self.app)

    def async_http_client(self) -> httpx2.AsyncClient:
        """The same, asynchronous."""
        from mockserver.testing.transport import async_client

        return async_client(self.app)

    def legacy_http_client(self) -> httpx.Client:
        """The same for the package httpx, which openai 2 and many other libraries use."""
        from mockserver.testing.transport import legacy_client

        return legacy_client(self.app)

    def legacy_async_http_client(self) -> httpx.AsyncClient:
        """The same for httpx, asynchronous."""
        from mockserver.testing.transport import legacy_async_client

        return legacy_async_client(self.app)

    def intercept(self, *hosts: str) -> AbstractContextManager[None]:
        """Answer this process's calls to real hosts here while the context lasts; without `hosts`, to all of Azure and OpenAI."""
        from mockserver.testing.intercept import intercepting

        return intercepting(self, hosts)

    def run(
        self,
        command: Sequence[str | PathLike[str]],
        *,
        allow_hosts: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        cwd: str | PathLike[str] | None = None,
        input: str | None = None,
        timeout: float | None = 60.0,
        check: bool = False,
    ) -> CompletedProcess[str]:
        """Run a program to its end with this mock in Azure's place, as `mockserver run` does; return its exit code and output.

        >>> done = mock.run([sys.executable, "app.py"])
        >>> done.returncode, done.stdout

        What it calls at Azure's addresses is answered here, and every host but `allow_hosts` is refused. `env` adds variables,
        `timeout` is in seconds, and the other parameters are those of `subprocess.run`, whose errors are raised. Needs the extra
        `tls`; raises TlsError without it.
        """
        from mockserver.testing.programs import run

        return run(self, command, allow_hosts=allow_hosts, env=env, cwd=cwd, input=input, timeout=timeout, check=check)

    # -- the script and time

    @property
    def script(self) -> Script:
        """The rules of the resource, and their uses."""
        return self.resource.script

    @property
    def clock(self) -> Clock:
        """The resource's time."""
        return self.resource.clock

    def when(self, *misplaced: object, **conditions: Any) -> When:
        """Begin a rule: `mock.when(user="hello").respond("Hi!")`. Conditions and responses are those of a scenario file.

        Raises TypeError for a condition that does not exist, or has no name.
        """
        if misplaced:
            raise TypeError(f"when() takes named conditions: did you mean when(user={misplaced[0]!r})?")
        return self.script.when(**conditions)

    def given(
        self,
        *,
        files: Mapping[str, str | Path | Mapping[str, Any]] | None = None,
        vector_stores: Mapping[str, Mapping[str, Any]] | None = None,
        conversations: Mapping[str, Mapping[str, Any]] | None = None,
        responses: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Given:
        """Give the resource files, vector stores, conversations and responses, in the words of a scenario's `state`.

        >>> state = mock.given(files={"handbook": Path("handbook.md")}, vector_stores={"docs": {"files": ["handbook"]}})
        >>> state.vector_stores["docs"].id

        A file is its text, a path (from the working directory), or a mapping. Return all that the resource was given, the
        scenario's included. Raises ScenarioError for what cannot be made.
        """
        __tracebackhide__ = True
        from mockserver.testing.given import give

        return give(self.resource, files, vector_stores, conversations, responses)

    def reset(self) -> None:
        """Forget state, journal, counters and the rules added with `when`; the scenario's rules stay, and what it gives is there again."""
        self.resource.reset(rules=True)

    def __repr__(self) -> str:
        calls = len(self.resource.journal)
        return f"<{type(self).__name__} {self.resource.name!r} at {self.endpoint}, {calls} {'call' if calls == 1 else 'calls'}>"

    # -- what happened

    @property
    def requests(self) -> list[Exchange]:
        """Every exchange so far, oldest first."""
        return list(self.resource.journal)

    def calls(self, operation: str | None = None, **conditions: Any) -> list[RecordedCall]:
        """The calls that match, oldest first, with their prompts, tools, headers and streamed events parsed.

        Conditions are the keys of a scenario's `when`, and `status`, `rule`, `error`. Raises TypeError for any other,
        ScenarioError for a value that a condition does not take.
        """
        __tracebackhide__ = True
        from mockserver.testing.calls import find_calls

        return find_calls(self.resource, operation, conditions)

    def assert_called(self, operation: str | None = None, *, times: int | None = None, **conditions: Any) -> list[RecordedCall]:
        """Fail unless a call matches, or exactly `times` do; return those. The failure shows the nearest call."""
        __tracebackhide__ = True
        from mockserver.testing.assertions import assert_called

        return assert_called(self.resource, operation, times, conditions)

    def assert_not_called(self, operation: str | None = None, **conditions: Any) -> None:
        """Fail if a call matches."""
        __tracebackhide__ = True
        from mockserver.testing.assertions import assert_not_called

        assert_not_called(self.resource, operation, conditions)

    def assert_all_rules_used(self) -> None:
        """Fail if a rule has never been used."""
        __tracebackhide__ = True
        from mockserver.testing.assertions import assert_all_rules_used

        assert_all_rules_used(self.resource)

    def verdict(self) -> Verdict:
        """How the client behaved: retries, backoff, truncated streams, content filters, the legacy API."""
        from mockserver.verdict import judge

        return judge(self.resource.journal)

    def close(self) -> None:
        """Close `client`. An `async_client` is left to the event loop that used it."""
        if self._client is not None:
            self._client.close()
        self._client = self._async_client = None

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.requests)
