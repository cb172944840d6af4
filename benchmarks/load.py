"""A client in a process of its own: `python -m benchmarks.load`.

For each line `PORT CONNECTIONS COUNT REQUEST` (in hexadecimal) it sends the request so many times over kept-alive
connections; six zeros in it become the number of the request. It answers with the seconds it took, or with what went wrong.
"""

from __future__ import annotations

import asyncio
import sys
import time

from benchmarks.process import Process
from benchmarks.workload import COUNTER

_LAST_CHUNK = b"\r\n0\r\n\r\n"
_PATIENCE = 60.0


class Load(Process):
    """The client, from outside."""

    def __init__(self) -> None:
        super().__init__("benchmarks.load")

    def send(self, port: int, request: bytes, count: int, connections: int = 32) -> float:
        """Send a request so many times; return the seconds it took. Raises RuntimeError for an answer that is no whole 200."""
        self.write(f"{port} {min(connections, count)} {count} {request.hex()}")
        answer = self.line()
        if answer.startswith("failed"):
            raise RuntimeError(answer)
        return float(answer)


class Work:
    """The requests left to send, and what went wrong."""

    def __init__(self, request: bytes, count: int, connections: int) -> None:
        self.failure: str | None = None
        self.done = asyncio.Event()
        self._request, self._left, self._open = request, count, connections
        self._varies = COUNTER in request

    def next(self) -> bytes | None:
        """The next request, None where there is no more."""
        if not self._left or self.failure is not None:
            return None
        self._left -= 1
        return self._request.replace(COUNTER, b"%06d" % self._left) if self._varies else self._request

    def close(self, failure: str | None) -> None:
        """A connection has done its part, or broke."""
        self.failure = self.failure or failure
        self._open -= 1
        if not self._open or failure is not None:
            self.done.set()


class Connection(asyncio.Protocol):
    """One kept-alive connection: a request, its whole answer, the next request."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._length: int | None = None
        self._finished = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next(transport)

    def data_received(self, data: bytes) -> None:
        """Collect an answer; once it is whole, send the next request."""
        self._received += data
        if self._length is None and b"\r\n\r\n" in self._received:
            self._length = _length(bytes(self._received))
        if self._length is None:
            return
        if len(self._received) >= self._length if self._length else self._received.endswith(_LAST_CHUNK):
            assert self._transport is not None
            self._next(self._transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Finish; a connection that is lost earlier has failed."""
        self._work.close(None if self._finished else f"the connection ended with {bytes(self._received[:200])!r}")

    def _next(self, transport: asyncio.Transport) -> None:
        failed = bool(self._received) and not self._received.startswith(b"HTTP/1.1 200 ")
        request = None if failed else self._work.next()
        if request is None:
            self._finished = not failed
            transport.close()
            return
        self._received.clear()
        self._length = None
        transport.write(request)


def _length(received: bytes) -> int:
    """The length of an answer with its head, 0 where it comes in chunks."""
    head, blank, _ = received.partition(b"\r\n\r\n")
    _, named, after = head.lower().partition(b"content-length:")
    return len(head) + len(blank) + int(after.partition(b"\r\n")[0]) if named else 0


async def _send(port: int, connections: int, count: int, request: bytes) -> str:
    begun = time.perf_counter()
    work = Work(request, count, connections)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(work), "127.0.0.1", port)
    async with asyncio.timeout(_PATIENCE):
        await work.done.wait()
    return str(time.perf_counter() - begun) if work.failure is None else f"failed: {work.failure}"


def main() -> None:
    """Work off the orders."""
    while order := sys.stdin.readline():
        port, connections, count, request = order.split()
        print(asyncio.run(_send(int(port), int(connections), int(count), bytes.fromhex(request))), flush=True)


if __name__ == "__main__":
    main()
