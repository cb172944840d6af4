"""A real HTTP server around the application: uvicorn on a socket that listens before anything waits for it.

Stock uvicorn looks for its stop flag ten times a second; here a stop wakes it at once. The protocol lets an answer break its own
connection, for scripted faults, and most headers are written as they were spelt when the answer was made: uvicorn spells and
checks each one anew, and Azure sends two dozen.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from mockserver.gateway.delivery import ABORT, SPLICE
from mockserver.gateway.paths import ROOT

if TYPE_CHECKING:
    from starlette.applications import Starlette

_TURNS = 4  # that the event loop takes from accepting a connection until the server knows of it, and one more
_RESET = struct.pack("ii", 1, 0)
_PROTOCOL_LOG = logging.getLogger("mockserver.http")
_PROTOCOL_LOG.setLevel(logging.CRITICAL)


class Corked:
    """A transport that can hold an answer's head until its body follows, so that both leave as one segment."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing
        self._lines: bytes | None = None
        self._reason: str | None = None
        self._head: bytes | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def splice(self, lines: bytes, reason: str | None) -> None:
        """Put header lines at the end of the head that is written next, and a reason into it; hold it until something follows."""
        self._lines, self._reason = lines, reason

    def write(self, data: bytes) -> None:
        """Write; a head that was held goes first."""
        if self._lines is not None:
            if self._reason is not None:
                version, status, _ = data.split(b" ", 2)
                data = b"%b %b %b\r\n%b" % (version, status, self._reason.encode(), data.partition(b"\r\n")[2])
            self._head, self._lines = b"".join((data[:-2], self._lines, b"\r\n")), None
            return
        if self._head is not None:
            data, self._head = self._head + data, None
        if not self.is_closing():  # asyncio would complain of every write to a client that has left
            self._transport.write(data)

    def close(self) -> None:
        """Write what was held, and close."""
        if self._head is not None:
            self.write(b"")
        self._transport.close()


class Idling:
    """The event loop as a connection sees it, with one timer for all the times that it is idle.

    uvicorn sets a timer after every answer, and cancels it when the next request comes; nearly none ever fires.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: float | None = None
        self._expire: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def call_later(self, delay: float, callback: Callable[[], None]) -> Idling:
        """The connection is idle from now on."""
        self._due, self._expire = self._loop.time() + delay, callback
        if self._timer is None:
            self._timer = self._loop.call_at(self._due, self._check)
        return self

    def cancel(self) -> None:
        """It is not idle any more."""
        self._due = None

    def close(self) -> None:
        """It is gone."""
        self._due = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        self._timer = None
        if self._due is None or self._expire is None:
            return
        if self._due <= self._loop.time():
            self._expire()
        else:
            self._timer = self._loop.call_at(self._due, self._check)


class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's HTTP protocol, which sends head and body together and can break the connection on purpose.

    A request to the surface is answered in place, for most answers never wait; a task is made only for one that does.
    """

    app: Any

    def __init__(self, config: uvicorn.Config, *arguments: Any, **named: Any) -> None:
        super().__init__(config, *arguments, **named)
        self.logger = _PROTOCOL_LOG
        self.loop: Any = Idling(self.loop)
        self._reading = False
        self._next: tuple[Any, Any] | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin a connection."""
        corked, served = Corked(transport), self.app
        extensions = {ABORT: self.break_off, SPLICE: corked.splice}

        def app(scope: Any, receive: Any, send: Any) -> Any:
            scope["extensions"] = extensions
            return served(scope, receive, send)

        self.app = app
        super().connection_made(corked)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        super().connection_lost(exc)
        self.loop.close()

    def data_received(self, data: bytes) -> None:
        """Take in bytes, and answer the request that they begin."""
        self._reading = True
        try:
            super().data_received(data)
        finally:
            self._reading = False
        if self._next is not None:
            begun, self._next = self._next, None
            self._answer(*begun)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        if self._reading and cycle.scope["path"].startswith(ROOT):
            self._next = (cycle, app)
        else:
            super()._start_asgi_task(cycle, app)

    def _answer(self, cycle: Any, app: Any) -> None:
        answering = cycle.run_asgi(app)
        try:
            waits_for = answering.send(None)
        except StopIteration:
            return
        task = self.loop.create_task(_Resumed(answering, waits_for))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def break_off(self, reset: bool) -> None:
        """Close the connection at once: cleanly, or with a TCP reset that drops what is on its way."""
        if reset:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()
        else:
            self.transport.close()


class _Resumed(Coroutine[Any, Any, None]):
    """The rest of a coroutine that was stepped once, and then waited for something."""

    def __init__(self, begun: Coroutine[Any, Any, None], waits_for: Any) -> None:
        self._begun, self._waits_for = begun, waits_for

    def send(self, value: Any) -> Any:
        """Go on; the first time, only tell what it waits for."""
        waits_for, self._waits_for = self._waits_for, None
        return self._begun.send(value) if waits_for is None else waits_for

    def throw(self, *raised: Any) -> Any:
        """Raise something where it waits, even before it went on."""
        self._waits_for = None
        return self._begun.throw(*raised)

    def close(self) -> None:
        """End it."""
        self._begun.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._begun.__await__()


class Server(uvicorn.Server):
    """uvicorn that stops as soon as it is told to."""

    def __init__(self, app: Starlette, *, loop: Any = "asyncio") -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=Protocol,
                loop=loop,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=2_048,
                timeout_keep_alive=240,  # as Azure's load balancers; a short one races with the client's next request
                timeout_graceful_shutdown=0,
            )
        )
        self.each_second: Callable[[], None] | None = None
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Stop serving, from any thread."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    async def main_loop(self) -> None:
        """Keep the date header fresh until told to stop."""
        self._loop = asyncio.get_running_loop()
        while not self.should_exit:
            await self.on_tick(0)
            if self.each_second is not None:
                self.each_second()
            try:
                await asyncio.wait_for(self._stop.wait(), timeout=1.0)
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close sockets and connections without waiting for clients."""
        loop = asyncio.get_running_loop()
        if isinstance(loop, asyncio.SelectorEventLoop):
            # asyncio forgets to close what it has accepted for a server that is closed by then.
            for listener in [one for server in self.servers for one in server.sockets]:
                loop.remove_reader(listener.fileno())
            for _ in range(_TURNS):
                await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        for _ in range(_TURNS):
            for connection in list(self.server_state.connections):
                connection.transport.abort()
            tasks = list(self.server_state.tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(asyncio.sleep(0), *tasks, return_exceptions=True)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Ctrl-C and SIGTERM stop at once."""
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """As uvicorn does, but without raising the signal again once the server has stopped."""
        with super().capture_signals():
            yield
            self._captured_signals.clear()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError where the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only for sockets that say they are TCP; with it, small events wait for each other.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2_048)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def run(server: Server, listener: socket.socket) -> None:
    """Serve until told to stop, in this thread."""
    server.run(sockets=[listener])
