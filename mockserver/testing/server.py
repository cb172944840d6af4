"""A mock server in this process: a real one, on a free port, in its own thread."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack, cast

from mockserver.app import create_app
from mockserver.resource.build import Source, build_resources
from mockserver.server.server import Server, listen
from mockserver.settings import Settings, check, list_settings
from mockserver.testing.mock import Mock

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.resource.resources import Resources

Function = TypeVar("Function", bound=Callable[..., Any])


class MockServer(Mock):
    """A pretend Azure OpenAI resource on a server of its own.

    >>> with MockServer() as mock:
    ...     mock.when(user="hello").respond("Hi there!")
    ...     client = OpenAI(base_url=mock.base_url, api_key=mock.api_key)

    `scenario` is a file, a folder, a mapping, or a list of these. `settings` are those of `mockserver.create_app`, and win over
    the scenario's. Raises ScenarioError for a scenario that cannot be used, StateError for a state file that cannot be used,
    TypeError for a setting that does not exist or fit; starting raises OSError for a port that is taken.
    """

    @list_settings
    def __init__(
        self,
        scenario: Source | Sequence[Source] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        **settings: Unpack[Settings],
    ) -> None:
        several = isinstance(scenario, Sequence) and not isinstance(scenario, str)
        sources: Any = scenario if several else [] if scenario is None else [scenario]
        app = create_app(*sources, **settings)
        self.resources: Resources = app.state.resources
        super().__init__(self.resources.default, app, "")
        self._host, self._port = host, port
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._adopted = 0

    def start(self) -> Self:
        """Start serving. The socket is listening when this returns. Raises RuntimeError if it has been started already."""
        if self._thread is not None:
            raise RuntimeError("this MockServer has been started already")
        self.resources.reopen()
        listener = listen(self._host, self._port)
        self._port = listener.getsockname()[1]
        server = self._server = Server(self.app)
        self._thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="mockserver", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving; open connections are cut. State files are closed until it starts again."""
        self.close()
        if self._server is not None and self._thread is not None:
            self._server.stop()
            self._thread.join()
            self._server = self._thread = None
        self.resources.close()

    @property
    def endpoint(self) -> str:
        """What `AZURE_OPENAI_ENDPOINT` is set to: scheme, host and port."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def reset(self) -> None:
        """Forget state, journal, counters and the rules added with `when`, of all resources; the scenarios' rules stay."""
        for resource in self.resources:
            resource.reset(rules=True)

    @list_settings
    def mint(self, **settings: Unpack[Settings]) -> Mock:
        """A fresh resource on this server, with its own name, key, state, script, journal, clock and seed. Its state is in memory."""
        return self.adopt(build_resources([], check(settings)).default)

    def adopt(self, resource: Resource) -> Mock:
        """Serve a resource that no server serves yet, under a new name and key."""
        number = self._adopted = self._adopted + 1
        resource.rename(f"test-{number}", [f"test-key-{number}"])
        self.resources.add(resource)
        return Mock(resource, self.app, self.endpoint)

    def discard(self, mock: Mock) -> None:
        """Stop serving a resource of `mint` or `adopt`."""
        mock.close()
        self.resources.remove(mock.resource.name)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *raised: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, *raised: object) -> None:
        self.stop()

    def __call__(self, function: Function) -> Function:
        """Serve while `function` (synchronous or asynchronous) runs, and pass it the server as its last argument.

        The signature that callers see, pytest among them, lacks that argument.
        """
        signature = inspect.signature(function)
        *others, last = signature.parameters.values()
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def served_async(*arguments: Any, **named: Any) -> Any:
                with self:
                    return await function(*arguments, **named, **{last.name: self})

            served: Any = served_async
        else:

            @wraps(function)
            def served_sync(*arguments: Any, **named: Any) -> Any:
                with self:
                    return function(*arguments, **named, **{last.name: self})

            served = served_sync
        served.__signature__ = signature.replace(parameters=others)
        return cast("Function", served)
