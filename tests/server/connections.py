"""Connections for the tests of the protocol: one in memory, whose every byte and turn is seen, and a server on a socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from mockserver.server.protocol import Protocol
from mockserver.server.server import Server, listen

App = Callable[[Any, Any, Any], Awaitable[None]]
HIGH_WATER = 64 * 1024


class Memory(asyncio.Transport):
    """A transport whose client is the test: it sees what is `written`, and whether it may `read` and has been `closed`."""

    def __init__(self, *, buffers: bool = False) -> None:
        super().__init__({"peername": ("127.0.0.1", 50_000), "sockname": ("127.0.0.1", 80)})
        self.written: list[bytes] = []
        self.reads, self.closed, self.ended = True, False, False
        self.protocol: Any = None
        self._buffers, self._held = buffers, 0

    def write(self, data: Any) -> None:
        assert not self.closed
        assert not self.ended
        self.written.append(bytes(data))
        self._held += len(data)
        if self._buffers and self._held > HIGH_WATER:
            self.protocol.pause_writing()

    def drain(self) -> None:
        """The client reads all that was written."""
        self._held = 0
        self.protocol.resume_writing()

    def pause_reading(self) -> None:
        assert self.reads
        self.reads = False

    def resume_reading(self) -> None:
        assert not self.reads
        self.reads = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)

    abort = close

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol


class Client:
    """A connection to an application, in memory."""

    def __init__(self, app: App, *, buffers: bool = False, **config: Any) -> None:
        self.state, self.wire = ServerState(), Memory(buffers=buffers)
        settings: Any = {"ws": "none", "lifespan": "off", "log_config": None, "timeout_keep_alive": 240} | config
        self.config = uvicorn.Config(app, **settings)
        self.config.load()
        self.protocol = self.wire.protocol = Protocol(self.config, self.state, {})
        self.protocol.connection_made(self.wire)

    async def send(self, *pieces: bytes) -> None:
        """Send bytes, each piece as if it had come alone, and let the server do what it can."""
        for piece in pieces:
            self.wire.protocol.data_received(piece)
            await settle()

    async def leave(self) -> None:
        """Close the connection."""
        self.wire.close()
        await settle()

    @property
    def received(self) -> bytes:
        """All that was written."""
        return b"".join(self.wire.written)


async def settle() -> None:
    """Let everything run that does not wait for the outside."""
    for _ in range(12):
        await asyncio.sleep(0)


async def exchange(app: App, *pieces: bytes, **config: Any) -> bytes:
    """What a connection brings back for these bytes."""
    client = Client(app, **config)
    await client.send(*pieces)
    received = client.received
    await client.leave()
    return received


@contextmanager
def serving(app: Any, *, loop: str = "asyncio", debug: bool = False) -> Iterator[tuple[Server, int]]:
    """A server on a free port, in a thread, which must have ended afterwards."""

    class Debugged(Server):
        async def main_loop(self) -> None:
            asyncio.get_running_loop().set_debug(debug)
            await super().main_loop()

    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    server = Debugged(app, loop=loop)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield server, port
    finally:
        server.stop()
        thread.join(timeout=10)
        assert not thread.is_alive()


def connect(port: int) -> socket.socket:
    """A client's socket."""
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def read_all(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    return b"".join(iter(lambda: connection.recv(1 << 20), b""))
