"""Transports as httpx and httpx2 define them; the two packages share one interface."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mockserver.testing.transport.async_call import AsyncCall
from mockserver.testing.transport.connection import ConnectionBrokenError
from mockserver.testing.transport.sync_call import LoopPool, SyncCall

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
def _library_errors(library: ModuleType, abandon: Callable[[], None]) -> Iterator[None]:
    """Where a response ends early: abandon the call, and raise faults as the library's own errors, as over a socket."""
    try:
        yield
    except ConnectionBrokenError as error:
        abandon()
        raise (library.ReadError if error.reset else library.RemoteProtocolError)(str(error)) from None
    except TimeoutError:
        abandon()
        raise library.ReadTimeout("The read operation timed out") from None
    except BaseException:
        abandon()
        raise


class SyncBody:
    """The body of a response to a synchronous client, chunk by chunk as the application sends it."""

    def __init__(self, library: ModuleType, call: SyncCall, timeout: float | None) -> None:
        self._library, self._call, self._timeout = library, call, timeout

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with _library_errors(self._library, self._call.abandon):
                chunk = self._call.read(self._timeout)
            if chunk is None:
                break
            yield chunk

    def close(self) -> None:
        """Leave; an application that has not ended is notified."""
        self._call.close()


class SyncTransport:
    """Answers a synchronous client's requests from an application. `rewrite` may change a request's scope."""

    library: ModuleType
    body: type[SyncBody]

    def __init__(self, app: App, rewrite: Rewrite | None = None) -> None:
        self._app, self._rewrite = app, rewrite
        self._pool = LoopPool()
        self._open: set[SyncCall] = set()

    def handle_request(self, request: Any) -> Any:
        """Answer one request: the head now, the body as it is read."""
        scope, body, timeout = scope_of(request), b"".join(request.stream), _read_timeout(request)
        if self._rewrite is not None:
            self._rewrite(scope)
        call = SyncCall(self._pool, self._app, scope, body)
        with _library_errors(self.library, call.abandon):
            call.wait_for_head(timeout)
        if call.running:
            self._open = {one for one in self._open if one.running} | {call}
        stream = self.body(self.library, call, timeout)
        return self.library.Response(call.connection.status, headers=call.connection.headers, stream=stream)

    def close(self) -> None:
        """Leave all calls that have not ended, also those whose responses nobody closed."""
        calls, self._open = self._open, set()
        for call in calls:
            call.close()
        self._pool.close()


class AsyncBody:
    """The body of a response to an asynchronous client, chunk by chunk as the application sends it."""

    def __init__(self, library: ModuleType, call: AsyncCall, timeout: float | None) -> None:
        self._library, self._call, self._timeout = library, call, timeout

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            with _library_errors(self._library, self._call.abandon):
                chunk = await self._call.read(self._timeout)
            if chunk is None:
                break
            yield chunk

    async def aclose(self) -> None:
        """Leave; an application that has not ended is notified."""
        if self._call.running:
            await self._call.close()


class AsyncTransport:
    """Answers an asynchronous client's requests from an application. `rewrite` may change a request's scope."""

    library: ModuleType
    body: type[AsyncBody]

    def __init__(self, app: App, rewrite: Rewrite | None = None) -> None:
        self._app, self._rewrite = app, rewrite
        self._open: set[AsyncCall] = set()

    async def handle_async_request(self, request: Any) -> Any:
        """Answer one request: the head now, the body as it is read."""
        scope, timeout = scope_of(request), _read_timeout(request)
        body = b"".join([part async for part in request.stream])
        if self._rewrite is not None:
            self._rewrite(scope)
        call = AsyncCall(self._app, scope, body)
        self._open = {one for one in self._open if one.running} | {call}
        with _library_errors(self.library, call.abandon):
            await call.wait_for_head(timeout)
        stream = self.body(self.library, call, timeout)
        return self.library.Response(call.connection.status, headers=call.connection.headers, stream=stream)

    async def aclose(self) -> None:
        """Leave all calls that have not ended, also those whose responses nobody closed."""
        calls, self._open = self._open, set()
        for call in calls:
            if call.running:
                await call.close()
