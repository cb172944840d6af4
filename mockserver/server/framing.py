"""How an answer is laid out on the wire: its status line, its headers, and where its body ends. It knows no connection."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus

Header = tuple[bytes, bytes]
FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
"""The headers that say where an answer ends, and what becomes of its connection then."""
PLAIN_TEXT = b"content-type: text/plain; charset=utf-8\r\n"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_CLOSE = b"connection: close\r\n"
_WITHOUT_BODY = frozenset({*range(100, 200), 204, 304})


@lru_cache(maxsize=256)
def status_line(status: int, reason: str | None = None) -> bytes:
    """The first line of an answer, with the usual reason where none is given."""
    return f"HTTP/1.1 {status} {_PHRASES.get(status, '') if reason is None else reason}\r\n".encode("latin-1")


def header_lines(headers: Iterable[Header]) -> bytes:
    """Headers as lines. Raises ValueError for one with a line break, which would begin another header, or a NUL."""
    lines = [b"%b: %b\r\n" % header for header in headers]
    text = b"".join(lines)
    if not text.count(b"\n") == text.count(b"\r") == len(lines) or b"\0" in text:
        raise ValueError("a response header has a line break or a NUL in it")
    return text


class Framing:
    """Where one answer's body ends: after a length, with a last chunk, or with the connection.

    `headers` are those of the answer that are in FRAMING; `lines` are all that go over the wire, the ones that were missing
    too. Raises ValueError for a content-length that is no number.
    """

    __slots__ = ("_bodiless", "_chunked", "_left", "keep_alive", "lines")

    def __init__(self, status: int, headers: Iterable[Header], *, method: str, version: str, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.lines: list[bytes] = []
        self._bodiless = method == "HEAD" or status in _WITHOUT_BODY
        self._chunked = False
        self._left: int | None = None  # bytes of the body, None where they are not counted
        for name, value in headers:
            self._obey(name, value)
            self.lines.append(b"%b: %b\r\n" % (name, value))
        if self._left is None and not (self._chunked or self._bodiless):
            self._leave_open(version)
        if not self.keep_alive and _CLOSE not in self.lines:
            self.lines.append(_CLOSE)

    def body(self, part: bytes, *, last: bool) -> list[bytes]:
        """A piece of the body as it goes over the wire. Raises ValueError where the body is not as long as announced."""
        if self._bodiless:
            return []
        if self._chunked:
            chunk = [b"%x\r\n" % len(part), part, b"\r\n"] if part else []
            return [*chunk, b"0\r\n\r\n"] if last else chunk
        if self._left is not None:
            self._left -= len(part)
            if self._left < 0 or (last and self._left):
                raise ValueError("the body is not as long as its content-length")
        return [part]

    def _obey(self, name: bytes, value: bytes) -> None:
        if name == b"transfer-encoding":
            self._chunked = value.lower() == b"chunked"
        elif name == b"connection":
            self.keep_alive = self.keep_alive and b"close" not in value.lower()
        elif self._left is None:  # of two lengths, the first
            self._left = int(value)

    def _leave_open(self, version: str) -> None:
        """The length is not known yet."""
        if version == "1.0":
            self.keep_alive = False  # it knows no chunks: the connection's end is the body's
        else:
            self._chunked = True
            self.lines.append(b"transfer-encoding: chunked\r\n")
