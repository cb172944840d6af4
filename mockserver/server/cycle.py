"""One request and its answer on a connection, as an ASGI application sees them: `receive` and `send`.

An application that knows this server finds the cycle in the scope's extensions too, as a `Wire`: the connection below HTTP.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from mockserver.gateway.delivery import Message, Receive, Scope, Send
from mockserver.server.framing import FRAMING, PLAIN_TEXT, Framing, Header, header_lines, status_line

if TYPE_CHECKING:
    from mockserver.gateway.asgi import Surface
    from mockserver.server.parsing import Request
    from mockserver.server.protocol import Protocol

App = Callable[[Scope, Receive, Send], Awaitable[None]]
COLLECTED = 1024 * 1024
"""Bytes of a body that the surface is given as a whole; it reads a longer one while it comes."""
BODY_AHEAD = 64 * 1024
"""Bytes of a request's body that may wait for the application before reading pauses."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_RESET = struct.pack(
    "hh" if sys.platform == "win32" else "ii", 1, 0
)  # SO_LINGER, no seconds: closing drops what has not left, and sends a reset
_FAILURE = b"Internal Server Error"
_FAILURE_HEADERS = ((b"content-length", b"%d" % len(_FAILURE)), (b"connection", b"close"))
log = logging.getLogger("mockserver.server")


class Cycle:
    """One request and its answer. `surface` is what answers it where that can be done at once, None for any other application.

    `begun`: an application is at it. `whole`: all of the request is here. `complete`: all of the answer is out. `gone`: nobody
    waits for it any more. `keep_alive`: the connection outlives it.
    """

    __slots__ = (
        "_connection",
        "_continues",
        "_framing",
        "_held",
        "_news",
        "_parts",
        "_raw",
        "_readable",
        "_size",
        "begun",
        "complete",
        "gone",
        "keep_alive",
        "request",
        "surface",
        "whole",
    )

    def __init__(self, connection: Protocol, request: Request, surface: Surface | None) -> None:
        self.request, self.surface = request, surface
        self.keep_alive = request.keep_alive
        self.begun = self.whole = self.complete = self.gone = False
        self._connection = connection
        self._continues = request.expects_continue  # the client has not been told to go on
        self._parts: list[bytes] = []  # of the body: what the application has not taken yet
        self._size = 0
        self._readable = False  # whether there is something to take, be it only the body's end
        self._news: asyncio.Event | None = None
        self._framing: Framing | None = None  # None until the answer starts
        self._held: list[bytes] = []  # the answer's head, which leaves together with what follows it
        self._raw = False  # whether bytes were written past HTTP: no rule holds for this answer any more

    # -- the client's side

    @property
    def ready(self) -> bool:
        """Whether somebody should begin with the answer."""
        if self.begun or self.surface is None or self.whole:
            return not self.begun
        return self._size > COLLECTED or self._continues

    @property
    def behind(self) -> bool:
        """Whether the application should take some of the body before more is read."""
        return self._size > BODY_AHEAD and self.begun and not self.whole

    @property
    def started(self) -> bool:
        """Whether some of the answer is out, or about to be."""
        return self._framing is not None or self._raw

    def feed(self, part: bytes) -> None:
        """Take in a piece of the body. After the answer it is read for nobody."""
        if not (self.complete or self.gone):
            self._parts.append(part)
            self._size += len(part)
            self._readable = True
            self._wake()

    def feed_end(self) -> None:
        """The body is whole."""
        self.whole = self._readable = True
        self._wake()

    def leave(self) -> None:
        """Nobody waits for the answer any more."""
        self.gone = True
        self._wake()

    # -- the application's side

    async def run(self, app: App, scope: Scope) -> None:
        """Let an application answer, until it returns or fails."""
        try:
            await app(scope, self.receive, self.send)
            if not (self.complete or self.gone or self._raw):
                raise RuntimeError("the application returned before its answer was complete")
        except Exception:
            self.fail()
        finally:
            self._end()

    def take(self) -> bytes:
        """What has come of the body since the last time."""
        body = b"".join(self._parts)
        self._parts.clear()
        self._size, self._readable = 0, False
        return body

    async def receive(self) -> Message:
        """The next piece of the request; after the last, the news that the client has left, or has its answer."""
        if self._continues and not (self._readable or self.gone or self.started):
            self._continues = False
            self._write([_CONTINUE])
        while not (self._readable or self.complete or self.gone):
            await self._wait()
        if self.complete or self.gone:
            return {"type": "http.disconnect"}
        body = self.take()
        self._connection.regulate()
        return {"type": "http.request", "body": body, "more_body": not self.whole}

    async def send(self, message: Message) -> None:
        """Send a piece of the answer, as soon as the client has read enough of what went before. One who has left gets nothing.

        Raises RuntimeError for a message out of turn, ValueError for an answer that would break the rules of HTTP.
        """
        if self.gone or not self._connection.writable.is_set():
            await self._connection.drain()
        if self.gone:
            return
        kind = message["type"]
        if kind == "http.response.start" and self._framing is None:
            headers = [(name.lower(), value) for name, value in message.get("headers", ())]
            framing = [header for header in headers if header[0] in FRAMING]
            lines = header_lines([header for header in headers if header[0] not in FRAMING])
            self._start(message["status"], framing, lines, message.get("reason"))
            self._connection.loop.call_soon(self._flush)  # by then the body's first piece may be there too
        elif kind == "http.response.body" and self._framing is not None and not self.complete:
            self._continue(self._framing, message.get("body", b""), last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"{kind} was sent out of turn")

    def answer(self, status: int, framing: Iterable[Header], lines: bytes, body: bytes, reason: str | None = None) -> None:
        """Send a whole answer: its headers are those of `framing.FRAMING` and, ready-made, the lines of all others."""
        self._continue(self._start(status, framing, lines, reason), body, last=True)

    def fail(self) -> None:
        """Log the exception that is being handled. A client that still waits gets a 500, or too late for that, a closed connection."""
        log.exception("%s %r failed", self.request.method, self.request.path)
        if not (self.started or self.gone):
            self.answer(500, _FAILURE_HEADERS, PLAIN_TEXT, _FAILURE)
        elif not self.complete:
            self.close()

    # -- the application's side, past HTTP: the Wire

    def write(self, data: bytes) -> None:
        """Send bytes as they are. Once the application returns, its answer is complete, whatever it promised."""
        self._raw = True
        self._flush()
        self._write([data])

    def close(self) -> None:
        """Close the connection once what was written has left."""
        self._flush()
        self.leave()
        self._connection.transport.close()

    def reset(self) -> None:
        """Cut the connection dead: a TCP reset, which drops what is still on its way."""
        self.leave()
        transport = self._connection.transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()

    # -- inside

    def _start(self, status: int, framing: Iterable[Header], lines: bytes, reason: str | None) -> Framing:
        request = self.request
        if self._continues and not self.whole:
            self.keep_alive = False  # whether its body will come after all, nobody knows
        found = self._framing = Framing(
            status, framing, method=request.method, version=request.version, keep_alive=self.keep_alive
        )
        self.keep_alive = found.keep_alive
        self._held = [status_line(status, reason), self._connection.default_lines, *found.lines, lines, b"\r\n"]
        return found

    def _continue(self, framing: Framing, part: bytes, *, last: bool) -> None:
        self._held += framing.body(part, last=last)
        self._flush()
        if last:
            self._finish()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, []
            self._write(held)

    def _write(self, parts: list[bytes]) -> None:
        transport = self._connection.transport
        if not transport.is_closing():  # asyncio warns of writes to a client that has left
            transport.write(b"".join(parts))

    def _finish(self) -> None:
        self.complete = True
        self._wake()
        if not self.keep_alive:
            self._connection.transport.close()
        self._connection.finished()

    def _end(self) -> None:
        """The application is through; what it left open ends here."""
        if self.complete or self.gone:
            return
        if self._raw:
            self._finish()
        else:
            self.close()

    async def _wait(self) -> None:
        if self._news is None:
            self._news = asyncio.Event()
        self._news.clear()
        await self._news.wait()

    def _wake(self) -> None:
        if self._news is not None:
            self._news.set()
