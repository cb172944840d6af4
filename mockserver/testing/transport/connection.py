"""What passes between a client and an ASGI application in one process. It knows no HTTP library, and runs neither of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mockserver.gateway.delivery import WIRE

if TYPE_CHECKING:
    from mockserver.gateway.delivery import Receive, Scope, Send

    App = Callable[[Scope, Receive, Send], Awaitable[None]]

WINDOW = 64 * 1024
"""How many bytes an application may be ahead of its client: as the buffers of a socket let it be."""


class ConnectionBrokenError(Exception):
    """The application broke its response off: it closed the connection early, or reset it (`reset`)."""

    def __init__(self, message: str, *, reset: bool) -> None:
        super().__init__(message)
        self.reset = reset


class Connection:
    """One request to an application, and the response as far as it has come.

    The application gets `receive` and `send`; the client waits for `head_ready` and `chunk_ready` and takes chunks. `notify` is
    called whenever there may be something new for the client. `closed` says that nothing more will come.
    """

    __slots__ = (
        "_body",
        "_buffered",
        "_chunks",
        "_client_left",
        "_complete",
        "_drained",
        "_notify",
        "_read",
        "_receivers",
        "_reset",
        "closed",
        "headers",
        "raised",
        "scope",
        "status",
    )

    def __init__(self, scope: Scope, body: bytes, notify: Callable[[], None]) -> None:
        self.scope = scope
        scope["extensions"] = {WIRE: self}
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.closed = False
        self.raised: BaseException | None = None
        self._body: bytes | None = body
        self._notify = notify
        self._chunks: deque[bytes] = deque()
        self._buffered = self._read = 0
        self._complete = self._client_left = self._reset = False
        self._receivers: list[asyncio.Future[None]] = []
        self._drained: asyncio.Future[None] | None = None

    async def run(self, app: App) -> None:
        """Run the application. What it raises is kept for the client."""
        try:
            await app(self.scope, self.receive, self.send)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            self.raised = error
        finally:
            self.closed = True
            self._notify()

    # -- the application's side

    async def receive(self) -> dict[str, Any]:
        """The request; after that, once the client has left or has received everything, a disconnect."""
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        while not (self._client_left or self._complete):
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._receivers.append(waiter)
            await waiter
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Take a part of the response; wait while the client is too far behind."""
        if self._client_left or self._complete:
            await asyncio.sleep(0)  # an application that never calls `receive` can still be cancelled here
            return
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message.get("headers", [])
        elif message["type"] == "http.response.body":
            self._buffer(message.get("body", b""))
            if not message.get("more_body", False):
                self._complete = True
                self._wake()
        self._notify()
        while self._buffered > WINDOW and not (self._client_left or self._complete):
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def write(self, data: bytes) -> None:
        """Raise RuntimeError: there is no wire in one process, and no client that would parse its bytes."""
        raise RuntimeError("bytes past HTTP need a socket; an in-process transport has none")

    def close(self) -> None:
        """Break the answer off, as a connection that is closed too early."""
        self._break_off(reset=False)

    def reset(self) -> None:
        """Break the answer off, as a connection that is cut dead."""
        self._break_off(reset=True)

    def _break_off(self, *, reset: bool) -> None:
        self._reset = reset
        self.closed = self._client_left = True
        self._wake()
        self._notify()

    def _buffer(self, chunk: bytes) -> None:
        if chunk and self.scope["method"] != "HEAD":
            self._chunks.append(chunk)
            self._buffered += len(chunk)

    # -- the client's side

    def head_ready(self) -> bool:
        """Whether there is a status, or will never be one."""
        return self.status is not None or self.closed

    def chunk_ready(self) -> bool:
        """Whether `next_chunk` can return or raise."""
        return bool(self._chunks) or self._complete or self.closed

    def next_chunk(self) -> bytes | None:
        """The next chunk, None after the last. Raises ConnectionBrokenError, or what the application raised."""
        if self._chunks:
            chunk = self._chunks.popleft()
            self._buffered -= len(chunk)
            self._read += len(chunk)
            if self._drained is not None and self._buffered <= WINDOW:
                _resolve(self._drained)
            return chunk
        if self._complete:
            return None
        raise self.failure()

    def failure(self) -> BaseException:
        """Why nothing more will come, in the words of the HTTP libraries."""
        if self.raised is not None:
            return self.raised
        if self._reset:
            return ConnectionBrokenError("[Errno 104] Connection reset by peer", reset=True)
        if self.status is None:
            return ConnectionBrokenError("Server disconnected without sending a response.", reset=False)
        length = next((value.decode() for name, value in self.headers if name.lower() == b"content-length"), None)
        how = "incomplete chunked read" if length is None else f"received {self._read} bytes, expected {length}"
        return ConnectionBrokenError(f"peer closed connection without sending complete message body ({how})", reset=False)

    def disconnect(self) -> None:
        """Leave: the application's `receive` returns a disconnect."""
        self._client_left = True
        self._wake()

    def _wake(self) -> None:
        for waiter in self._receivers:
            _resolve(waiter)
        self._receivers.clear()
        if self._drained is not None:
            _resolve(self._drained)


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
