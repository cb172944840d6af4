"""How the chat front end writes JSON: on one line, and with what HTML or JavaScript could trip over as escapes.

Recorded for another vendor's model (5 of 5 answers with a `<`); for OpenAI's models, whose answers the same front
end writes, it is inferred.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

Json = Any
_LINE_SEPARATOR, _PARAGRAPH_SEPARATOR = "\u2028".encode(), "\u2029".encode()


def document(value: Json, *, escaped: bool) -> bytes:
    """A whole body: its JSON and a newline."""
    return encode(value, escaped=escaped) + b"\n"


def event(value: Json, *, escaped: bool) -> bytes:
    """A chunk as a server-sent event."""
    return b"data: " + encode(value, escaped=escaped) + b"\n\n"


def encode(value: Json, *, escaped: bool = True) -> bytes:
    """A value as JSON; the answers of some vendors' models have no escapes."""
    return escape(to_json(value)) if escaped else to_json(value)


def characters(text: bytes) -> int:
    """How many characters UTF-8 text has."""
    return len(text) if text.isascii() else len(text.decode())


def escape(text: bytes) -> bytes:
    """JSON with the escapes."""
    text = text.replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")
    if text.isascii():
        return text
    return text.replace(_LINE_SEPARATOR, b"\\u2028").replace(_PARAGRAPH_SEPARATOR, b"\\u2029")
