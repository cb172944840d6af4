"""A mock server in this process: a real one, on a free port, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mockserver.app import create_app
from mockserver.config import Source
from mockserver.server import Server, listen

if TYPE_CHECKING:
    from types import TracebackType

    from mockserver.journal import Exchange
    from mockserver.resource import Resource, Resources
    from mockserver.scenario.engine import Script, When
    from mockserver.state.clock import Clock


class MockServer:
    """A pretend Azure OpenAI resource to point a client at.

    >>> with MockServer() as mock:
    ...     mock.when(user="hello").respond("Hi there!")
    ...     client = OpenAI(base_url=mock.base_url, api_key=mock.api_key)

    `scenario` is a file, a folder, a mapping, or a list of these. The other arguments win over what it says: see
    `mockserver.create_app`. Raises ScenarioError for a scenario that cannot be used, OSError for a port that is taken.
    """

    def __init__(
        self,
        scenario: Source | Sequence[Source] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        **settings: Any,
    ) -> None:
        sources = (
            []
            if scenario is None
            else [scenario]
            if isinstance(scenario, (str, Mapping)) or not isinstance(scenario, Sequence)
            else scenario
        )
        self.app = create_app(*sources, **settings)
        self.resources: Resources = self.app.state.resources
        self._host, self._port = host, port
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> MockServer:
        """Serve, from now on. The socket listens before this returns; no need to wait."""
        if self._thread is not None:
            raise RuntimeError("this MockServer has been started already")
        listener = listen(self._host, self._port)
        self._port = listener.getsockname()[1]
        server = self._server = Server(self.app)
        self._thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="mockserver", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving; open connections are cut."""
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
            self._server = self._thread = None

    @property
    def endpoint(self) -> str:
        """What `AZURE_OPENAI_ENDPOINT` is set to: scheme, host and port."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def base_url(self) -> str:
        """What an SDK takes as `base_url`, and `OPENAI_BASE_URL` as value."""
        return f"{self.endpoint}/openai/v1/"

    @property
    def resource(self) -> Resource:
        """The default resource."""
        return self.resources.default

    @property
    def api_key(self) -> str:
        """A key that opens the default resource."""
        return next(iter(self.resource.keys), "any-key")

    @property
    def script(self) -> Script:
        """What the default resource is scripted to do."""
        return self.resource.script

    @property
    def clock(self) -> Clock:
        """The default resource's time."""
        return self.resource.clock

    @property
    def requests(self) -> list[Exchange]:
        """Every exchange with the default resource so far, oldest first."""
        return list(self.resource.journal)

    def when(self, **matchers: Any) -> When:
        """Begin a rule: `mock.when(user="hello").respond("Hi!")`. The words are those of a scenario file."""
        return self.script.when(**matchers)

    def reset(self) -> None:
        """Forget state, journal, counters and the rules added with `when`; the scenario's rules stay."""
        for resource in self.resources:
            resource.reset(rules=True)

    def __enter__(self) -> MockServer:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
