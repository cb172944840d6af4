"""How the chat front end writes JSON: on one line, and with what HTML or JavaScript could trip over as escapes.

Recorded for another vendor's model (5 of 5 answers with a `<`); for OpenAI's models, whose answers the same front
end writes, it is inferred.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

_LINE, _PARAGRAPH = "\u2028".encode(), "\u2029".encode()


def document(value: Any, *, escaped: bool) -> bytes:
    """A whole answer: its JSON and a newline."""
    return _json(value, escaped) + b"\n"


def event(value: Any, *, escaped: bool) -> bytes:
    """A chunk as a server-sent event."""
    return b"data: " + _json(value, escaped) + b"\n\n"


def characters(text: bytes) -> int:
    """How many characters UTF-8 text has."""
    return len(text) if text.isascii() else len(text.decode())


def _json(value: Any, escaped: bool) -> bytes:
    return escape(to_json(value)) if escaped else to_json(value)


def escape(text: bytes) -> bytes:
    """JSON with the escapes."""
    text = text.replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")
    return text if text.isascii() else text.replace(_LINE, b"\\u2028").replace(_PARAGRAPH, b"\\u2029")
