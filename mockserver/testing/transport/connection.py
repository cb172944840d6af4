"""What passes between a client and an ASGI application in one process, whoever runs them; knows no HTTP library."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mockserver.gateway.delivery import ABORT

if TYPE_CHECKING:
    from mockserver.gateway.delivery import Receive, Scope, Send

    App = Callable[[Scope, Receive, Send], Awaitable[None]]

WINDOW = 64 * 1024
"""How many bytes an application may be ahead of its client, as over a socket."""


class BrokenError(Exception):
    """The application broke its answer off: closed the connection early, or (`reset`) cut it dead."""

    def __init__(self, message: str, *, reset: bool) -> None:
        super().__init__(message)
        self.reset = reset


class Connection:
    """One request to an application, and its answer as far as it has come.

    The application gets `receive` and `send`; the client looks at `answered` and `readable` and takes chunks. `notify` is
    called whenever there may be something new for the client. `closed` says that nothing more will come.
    """

    __slots__ = (
        "_body",
        "_chunks",
        "_complete",
        "_full",
        "_gone",
        "_held",
        "_notify",
        "_receivers",
        "_reset",
        "_taken",
        "closed",
        "headers",
        "raised",
        "scope",
        "status",
    )

    def __init__(self, scope: Scope, body: bytes, notify: Callable[[], None]) -> None:
        self.scope = scope
        scope["extensions"] = {ABORT: self.abort}
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.closed = False
        self.raised: BaseException | None = None
        self._body: bytes | None = body
        self._notify = notify
        self._chunks: deque[bytes] = deque()
        self._held = self._taken = 0
        self._complete = self._gone = self._reset = False
        self._receivers: list[asyncio.Future[None]] = []
        self._full: asyncio.Future[None] | None = None

    async def run(self, app: App) -> None:
        """Let the application answer. What it raises is kept for the client."""
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
        """The request; after it, once the client has left or has all, the news of that."""
        body, self._body = self._body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        while not (self._gone or self._complete):
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._receivers.append(waiter)
            await waiter
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        """Hand a piece of the answer over; wait while the client is too far behind."""
        if self._gone or self._complete:
            await asyncio.sleep(0)  # one that does not listen can still be cancelled
            return
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message.get("headers", [])
        elif message["type"] == "http.response.body":
            self._keep(message.get("body", b""))
            if not message.get("more_body", False):
                self._complete = True
                self._wake()
        self._notify()
        while self._held > WINDOW and not (self._gone or self._complete):
            self._full = asyncio.get_running_loop().create_future()
            await self._full

    def abort(self, reset: bool) -> None:
        """Break the connection, as the extension `mockserver.abort` asks."""
        self._reset = reset
        self.closed = self._gone = True
        self._wake()
        self._notify()

    def _keep(self, chunk: bytes) -> None:
        if chunk and self.scope["method"] != "HEAD":
            self._chunks.append(chunk)
            self._held += len(chunk)

    # -- the client's side

    def answered(self) -> bool:
        """Whether there is a status, or will never be one."""
        return self.status is not None or self.closed

    def readable(self) -> bool:
        """Whether `take` has something to say."""
        return bool(self._chunks) or self._complete or self.closed

    def take(self) -> bytes | None:
        """The next chunk, None after the last. Raises BrokenError, or what the application raised."""
        if self._chunks:
            chunk = self._chunks.popleft()
            self._held -= len(chunk)
            self._taken += len(chunk)
            if self._full is not None and self._held <= WINDOW:
                self._settle(self._full)
            return chunk
        if self._complete:
            return None
        raise self.failure()

    def failure(self) -> BaseException:
        """Why there is no more to come."""
        if self.raised is not None:
            return self.raised
        if self._reset:
            return BrokenError("[Errno 104] Connection reset by peer", reset=True)
        if self.status is None:
            return BrokenError("Server disconnected without sending a response.", reset=False)
        length = next((value.decode() for name, value in self.headers if name.lower() == b"content-length"), None)
        how = "incomplete chunked read" if length is None else f"received {self._taken} bytes, expected {length}"
        return BrokenError(f"peer closed connection without sending complete message body ({how})", reset=False)

    def leave(self) -> None:
        """Tell the application that its client has gone."""
        self._gone = True
        self._wake()

    def _wake(self) -> None:
        for waiter in self._receivers:
            self._settle(waiter)
        self._receivers.clear()
        if self._full is not None:
            self._settle(self._full)

    @staticmethod
    def _settle(waiter: asyncio.Future[None]) -> None:
        if not waiter.done():
            waiter.set_result(None)
