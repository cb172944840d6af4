"""A real HTTP server around the application: uvicorn on a socket that listens before anything waits for it.

Stock uvicorn looks for its stop flag ten times a second; here a stop wakes it at once. The protocol lets an answer break its own
connection, for scripted faults, and writes most headers itself: uvicorn checks each one, and Azure sends two dozen.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from mockserver.delivery import ABORT

if TYPE_CHECKING:
    from starlette.applications import Starlette

_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_RESET = struct.pack("ii", 1, 0)
_PROTOCOL_LOG = logging.getLogger("mockserver.http")
_PROTOCOL_LOG.setLevel(logging.CRITICAL)


class Corked:
    """A transport that holds what is written while it is corked, so that an answer's head and body leave as one segment."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def cork(self) -> None:
        """Hold what is written from now on."""
        self._held = []

    def splice(self, lines: list[bytes]) -> None:
        """Put header lines at the end of the head that is held."""
        if self._held:
            head = self._held[-1]
            self._held[-1:] = [head[:-2], *lines, head[-2:]]

    def uncork(self) -> None:
        """Write what was held."""
        held, self._held = self._held, None
        if held:
            self._transport.write(b"".join(held))

    def write(self, data: bytes) -> None:
        """Write, or hold."""
        if self._held is None:
            self._transport.write(data)
        else:
            self._held.append(data)

    def close(self) -> None:
        """Write what was held, and close."""
        self.uncork()
        self._transport.close()


class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """uvicorn's HTTP protocol, which sends head and body together and can break the connection on purpose."""

    def __init__(self, config: uvicorn.Config, *arguments: Any, **named: Any) -> None:
        super().__init__(config, *arguments, **named)
        self.logger = _PROTOCOL_LOG
        served: Any = config.loaded_app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            transport: Corked = self.transport

            async def sending(message: Any) -> None:
                if message["type"] == "http.response.start":
                    headers = message["headers"]
                    transport.cork()
                    await send({**message, "headers": [one for one in headers if one[0] in _FRAMING]})
                    transport.splice([b"%b: %b\r\n" % one for one in headers if one[0] not in _FRAMING])
                else:
                    await send(message)
                    transport.uncork()

            scope.setdefault("extensions", {})[ABORT] = self.break_off
            await served(scope, receive, sending)

        self.app = app

    def connection_made(self, transport: Any) -> None:
        """Begin a connection."""
        super().connection_made(Corked(transport))

    def break_off(self, reset: bool) -> None:
        """Close the connection at once: cleanly, or with a TCP reset that drops what is on its way."""
        if reset:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()
        else:
            self.transport.close()


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
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

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
