"""How the chat front end writes JSON: on one line, and with what HTML or JavaScript could trip over as escapes.

Recorded for another vendor's model (5 of 5 answers with a `<`, wire §3.1); for OpenAI's models, whose answers the same front
end writes, it is inferred.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

_ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)


def document(value: Any, *, escaped: bool) -> bytes:
    """A whole answer: its JSON and a newline."""
    return _json(value, escaped) + b"\n"


def event(value: Any, *, escaped: bool) -> bytes:
    """A chunk as a server-sent event."""
    return b"data: " + _json(value, escaped) + b"\n\n"


def _json(value: Any, escaped: bool) -> bytes:
    text = to_json(value)
    if escaped:
        for plain, escape in _ESCAPES:
            text = text.replace(plain, escape)
    return text
