"""A real HTTP server around the application: uvicorn on a socket that listens before anything waits for it.

uvicorn runs the loop, keeps the date, and does TLS; our own protocol speaks HTTP (`protocol.py`). Stock uvicorn looks for its
stop flag ten times a second, and waits for clients; here a stop wakes it at once, and waits for nobody.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn

try:
    from mockserver.server.protocol import Protocol
except ImportError:  # httptools is for CPython only; uvicorn's own protocol does all but faults on the wire
    Protocol = "auto"  # type: ignore[assignment, misc]

if TYPE_CHECKING:
    import ssl

    from starlette.applications import Starlette

_TURNS = 4  # that the event loop takes from accepting a connection until the server knows of it, and one more


class Server(uvicorn.Server):
    """uvicorn with our protocol, which stops at once."""

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
        self.companions: Sequence[Callable[[], Awaitable[asyncio.Server]]] = ()  # that start and stop with this one
        self._stopping = False  # in place of `should_exit`, at which older versions leave the sockets open if they never served
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Stop serving, from any thread or a signal's handler."""
        self._stopping = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has stopped already, and its loop is closed
                self._loop.call_soon_threadsafe(self._stop.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve these sockets, and what the companions serve."""
        await super().startup(sockets)
        for companion in self.companions:
            self.servers.append(await companion())

    async def serve_tls(self, listener: socket.socket, context: ssl.SSLContext) -> asyncio.Server:
        """Serve the same application over TLS too, as a companion."""
        factory: Any = self.config.http_protocol_class
        make = partial(factory, config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return await asyncio.get_running_loop().create_server(make, sock=listener, ssl=context)

    async def main_loop(self) -> None:
        """Keep the date header fresh until the stop."""
        self._loop = asyncio.get_running_loop()
        while not self._stopping:
            await self.on_tick(0)
            if self.each_second is not None:
                self.each_second()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), timeout=1.0)

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
        """Ctrl-C and SIGTERM stop at once. They are not raised again afterwards, as uvicorn does with those it handles itself."""
        self.stop()


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


def run(server: Server, listener: socket.socket, context: ssl.SSLContext | None = None) -> None:
    """Serve until the stop, in this thread; over TLS with a `context`."""
    if context is not None:
        server.companions = [partial(server.serve_tls, listener, context)]
    server.run(sockets=[listener] if context is None else [])
