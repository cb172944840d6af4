"""Calls to an application as httpx and httpx2 want their transports: the two packages share one shape."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mockserver.testing.transport.connection import BrokenError
from mockserver.testing.transport.joined import JoinedCall
from mockserver.testing.transport.pulled import Loops, PulledCall

if TYPE_CHECKING:
    from mockserver.gateway.delivery import Scope
    from mockserver.testing.transport.connection import App

    Rewrite = Callable[[Scope], None]


def scope_of(request: Any) -> Scope:
    """The ASGI scope of a request."""
    url = request.url
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    if "host" not in request.headers:
        headers.insert(0, (b"host", url.netloc))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 0),
        "server": (url.host, url.port or (443 if url.scheme == "https" else 80)),
    }


def _read_timeout(request: Any) -> float | None:
    timeout: float | None = request.extensions.get("timeout", {}).get("read")
    return timeout


@contextmanager
def _translated(library: ModuleType, leave: Callable[[], None]) -> Iterator[None]:
    """Where an answer ends early: leave, and tell faults in the library's words, as over a socket."""
    try:
        yield
    except BrokenError as error:
        leave()
        raise (library.ReadError if error.reset else library.RemoteProtocolError)(str(error)) from None
    except TimeoutError:
        leave()
        raise library.ReadTimeout("The read operation timed out") from None
    except BaseException:
        leave()
        raise


class PulledBody:
    """The body of an answer to a synchronous client, chunk by chunk as the application sends it."""

    def __init__(self, library: ModuleType, call: PulledCall, timeout: float | None) -> None:
        self._library, self._call, self._timeout = library, call, timeout

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with _translated(self._library, self._call.drop):
                chunk = self._call.read(self._timeout)
            if chunk is None:
                break
            yield chunk

    def close(self) -> None:
        """Leave; an application that has not ended hears of it."""
        self._call.close()


class PulledTransport:
    """Answers a synchronous client's requests from an application. `rewrite` may change a request's scope."""

    library: ModuleType
    body: type[PulledBody]

    def __init__(self, app: App, rewrite: Rewrite | None = None) -> None:
        self._app, self._rewrite = app, rewrite
        self._loops = Loops()
        self._open: set[PulledCall] = set()

    def handle_request(self, request: Any) -> Any:
        """Answer one request: its head now, its body as it is read."""
        scope, body, timeout = scope_of(request), b"".join(request.stream), _read_timeout(request)
        if self._rewrite is not None:
            self._rewrite(scope)
        call = PulledCall(self._loops, self._app, scope, body)
        with _translated(self.library, call.drop):
            call.head(timeout)
        if call.running:
            self._open = {one for one in self._open if one.running} | {call}
        answer = call.connection
        return self.library.Response(answer.status, headers=answer.headers, stream=self.body(self.library, call, timeout))

    def close(self) -> None:
        """Leave all calls that have not ended."""
        calls, self._open = self._open, set()
        for call in calls:
            call.close()
        self._loops.close()


class JoinedBody:
    """The body of an answer to an asynchronous client, chunk by chunk as the application sends it."""

    def __init__(self, library: ModuleType, call: JoinedCall, timeout: float | None) -> None:
        self._library, self._call, self._timeout = library, call, timeout

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            with _translated(self._library, self._call.drop):
                chunk = await self._call.read(self._timeout)
            if chunk is None:
                break
            yield chunk

    async def aclose(self) -> None:
        """Leave; an application that has not ended hears of it."""
        if self._call.running:
            await self._call.close()


class JoinedTransport:
    """Answers an asynchronous client's requests from an application. `rewrite` may change a request's scope."""

    library: ModuleType
    body: type[JoinedBody]

    def __init__(self, app: App, rewrite: Rewrite | None = None) -> None:
        self._app, self._rewrite = app, rewrite
        self._open: set[JoinedCall] = set()

    async def handle_async_request(self, request: Any) -> Any:
        """Answer one request: its head now, its body as it is read."""
        scope, timeout = scope_of(request), _read_timeout(request)
        body = b"".join([part async for part in request.stream])
        if self._rewrite is not None:
            self._rewrite(scope)
        call = JoinedCall(self._app, scope, body)
        self._open = {one for one in self._open if one.running} | {call}
        with _translated(self.library, call.drop):
            await call.head(timeout)
        answer = call.connection
        return self.library.Response(answer.status, headers=answer.headers, stream=self.body(self.library, call, timeout))

    async def aclose(self) -> None:
        """Leave all calls that have not ended."""
        calls, self._open = self._open, set()
        for call in calls:
            if call.running:
                await call.close()
