"""Bytes into requests: httptools' parser, with limits, and with an eye on what HTTP/1.1 must not let pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import unquote

import httptools

from mockserver.server.framing import Header, header_lines

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's line and headers, and of whatever else is neither a head nor a body: trailers, chunk extensions."""
HEADERS_LIMIT = 200
BAD_REQUEST, TOO_LARGE = 400, 431
_VERSIONS = ("1.1", "1.0")


@dataclass(slots=True)
class Request:
    """A request's head: the path without escapes and with them, header names in lower case, the version 1.0 or 1.1.

    `keep_alive`: its connection may serve another. `expects_continue`: its body comes once the server agrees.
    """

    method: str
    path: str
    raw_path: bytes
    query: bytes
    headers: list[Header]
    version: str
    keep_alive: bool
    expects_continue: bool


class Body(Protocol):
    """Takes a request's body in."""

    def feed(self, part: bytes) -> None:
        """A piece of it has come."""

    def feed_end(self) -> None:
        """All of it has come."""


class RefusedError(Exception):
    """What came is no request that could be served. Nothing that follows it on its connection can be read."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class UpgradeError(Exception):
    """The client wants to go on in another protocol, a websocket; `received` is its request, and what came behind it."""

    def __init__(self, received: bytes) -> None:
        super().__init__("websocket")
        self.received = received


class Parser:
    """Reads one connection. `begin` is called with each request's head, and returns what takes its body.

    `upgrades` says whether requests for a websocket are raised as UpgradeError; if not, they are requests like any other.
    """

    def __init__(self, begin: Callable[[Request], Body], *, upgrades: bool) -> None:
        self._begin, self._upgrades = begin, upgrades
        self._parser = httptools.HttpRequestParser(self)
        self._body: Body | None = None  # which is being read
        self._url, self._headers, self._size = b"", list[Header](), 0
        self._unspent = 0  # bytes since the last head was complete, or the last piece of a body
        self._status = BAD_REQUEST  # of what is wrong, if something is

    def feed(self, data: bytes) -> None:
        """Take bytes in. Raises RefusedError or UpgradeError, and must not be called again after that."""
        self._unspent += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as stop:
            self._upgrade(data[stop.args[0] :])
        except httptools.HttpParserError as error:
            raise RefusedError(self._status) from error
        if self._unspent > HEAD_LIMIT:
            raise RefusedError(TOO_LARGE)

    def close(self) -> None:
        """Let go of the parser under this one, which refers back to it."""
        del self._parser

    # -- called by httptools; what they raise stops it

    def on_message_begin(self) -> None:
        """A request begins."""
        self._url, self._headers, self._size = b"", [], 0

    def on_url(self, part: bytes) -> None:
        """A piece of the request's target."""
        self._url += part
        self._size += len(part)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header; after a chunked body, a trailer."""
        self._headers.append((name.lower(), value))
        self._size += len(name) + len(value)

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._unspent = 0
        if self._size > HEAD_LIMIT or len(self._headers) > HEADERS_LIMIT:
            self._status = TOO_LARGE
            raise ValueError("the head is too large")
        if not self._parser.should_upgrade():  # such a head is looked at by `_upgrade`, once the parser has stopped behind it
            self._body = self._begin(self._request())
            self._headers = []  # trailers are not headers

    def on_body(self, part: bytes) -> None:
        """A piece of a body."""
        self._unspent = 0
        if self._body is not None:
            self._body.feed(part)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._unspent = 0
        if self._body is not None:
            self._body.feed_end()
            self._body = None

    def _request(self) -> Request:
        version, fields = self._parser.get_http_version(), dict(self._headers)
        if version not in _VERSIONS:
            raise ValueError("a version of HTTP that nobody speaks here")
        current = version == "1.1"
        path, query = _split(self._url)
        return Request(
            method=self._parser.get_method().decode(),
            path=unquote(path.decode("ascii")) if b"%" in path else path.decode("ascii"),
            raw_path=path,
            query=query,
            headers=self._headers,
            version=version,
            keep_alive=current and self._parser.should_keep_alive(),
            expects_continue=current and fields.get(b"expect", b"").lower() == b"100-continue",
        )

    def _upgrade(self, rest: bytes) -> None:
        """Raise UpgradeError for a websocket that can be served; read any other request again, less its wish.

        Java's client asks for HTTP/2 with its first request, whatever that is, and httptools skips the body of such a one.
        """
        wish = dict(self._headers).get(b"upgrade", b"")
        if not wish:
            raise RefusedError(BAD_REQUEST)  # CONNECT
        serve = self._upgrades and wish.lower() == b"websocket"
        kept = [header for header in self._headers if serve or header[0] != b"upgrade"]
        received = b"%b %b HTTP/1.1\r\n%b\r\n%b" % (self._parser.get_method(), self._url, header_lines(kept), rest)
        if serve:
            raise UpgradeError(received)
        self._parser = httptools.HttpRequestParser(self)
        self.feed(received)


def _split(target: bytes) -> tuple[bytes, bytes]:
    """A request target's path and query. Raises HttpParserInvalidURLError for one that has neither."""
    if target.startswith(b"/") and b"#" not in target:
        path, _, query = target.partition(b"?")
        return path, query
    url = httptools.parse_url(target)
    return url.path or b"/", url.query or b""
