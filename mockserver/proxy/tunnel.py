"""A proxy that does CONNECT and nothing else: Azure's hosts end at the mock's TLS, allowed hosts where they are, others nowhere."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections import Counter
from collections.abc import Collection
from contextlib import suppress

from mockserver.operations.encoding import printable
from mockserver.proxy.hosts import is_allowed, is_azure

log = logging.getLogger("mockserver")
_HEAD = 64 * 1024  # bytes that a request's line and headers may take
_PIECE = 64 * 1024
_CONNECT = re.compile(rb"CONNECT (\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/@]+):(\d{1,5}) HTTP/1\.[01]\r\n")
Address = tuple[str, int]
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class RefusedError(Exception):
    """A request that gets no tunnel: the status line's end, and why."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Tunnel:
    """The proxy. `mock` is where the mock does TLS; `allowed` are further hosts, as `hosts.is_allowed` takes them.

    `refused` counts the attempts to reach other hosts.
    """

    def __init__(self, mock: Address, allowed: Collection[str] = ()) -> None:
        self.refused: Counter[str] = Counter()
        self._mock, self._allowed = mock, allowed

    async def listen(self, listener: socket.socket) -> asyncio.Server:
        """Serve the connections of a listening socket."""
        return await asyncio.start_server(self._serve, sock=listener, limit=_HEAD)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = reader, writer
        try:
            far = await self._open(await _read_head(reader))
        except RefusedError as refusal:
            await _refuse(writer, refusal)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()  # the client has left
        else:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _join(client, far)

    async def _open(self, head: bytes) -> Stream:
        """The far end of a tunnel. Raises RefusedError."""
        host, port = _target(head)
        if is_azure(host):
            return await asyncio.open_connection(*self._mock)
        if not is_allowed(host, self._allowed):
            raise self._refusal(host, port)
        try:
            return await asyncio.open_connection(host, port)
        except OSError as error:
            raise RefusedError("502 Bad Gateway", f"{printable(host)}:{port} cannot be reached: {error}") from None

    def _refusal(self, host: str, port: int) -> RefusedError:
        place = printable(f"{host}:{port}")
        reason = f"refused to connect to {place}, which is not Azure's; --allow-host {printable(host)} passes it on"
        if not self.refused[place]:
            log.warning("mockserver %s", reason)
        self.refused[place] += 1
        return RefusedError("403 Forbidden", reason)


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    """A request's line and headers. Raises RefusedError for endless ones, IncompleteReadError where the client leaves."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise RefusedError("431 Request Header Fields Too Large", "the request's line and headers are too large") from None


def _target(head: bytes) -> Address:
    """The host, in lower case and without brackets or a final dot, and the port that a request wants. Raises RefusedError."""
    found = _CONNECT.match(head)
    if found is None or int(found[2]) > 65_535:
        raise RefusedError("405 Method Not Allowed", "this proxy takes CONNECT HOST:PORT only")
    return found[1].decode("latin-1").strip("[]").rstrip(".").lower(), int(found[2])


async def _refuse(writer: asyncio.StreamWriter, refusal: RefusedError) -> None:
    text = f"mockserver: {refusal.reason}\n".encode()
    head = f"HTTP/1.1 {refusal.status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {len(text)}\r\n"
    writer.write(head.encode() + b"connection: close\r\n\r\n" + text)
    with suppress(OSError):
        await writer.drain()
    writer.close()


async def _join(client: Stream, far: Stream) -> None:
    """Pass bytes on, both ways, until both ends have said all, or one is gone."""
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_pass_on(client[0], far[1]))
            group.create_task(_pass_on(far[0], client[1]))
    except* OSError:
        pass  # one end broke off, and the other learns it now
    finally:
        for _, writer in (client, far):
            writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    writer.write_eof()
