"""How the chat front end writes JSON: on one line, and with what HTML or JavaScript could trip over as escapes.

Recorded for another vendor's model (5 of 5 answers with a `<`); for OpenAI's models, whose answers the same front
end writes, it is inferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic_core import to_json

Json = Any
_LINE, _PARAGRAPH = "\u2028".encode(), "\u2029".encode()


class Encoded(dict[str, Json]):
    """An object that is told again and again: its JSON, with the escapes, is written once. Nobody changes it."""

    __slots__ = ("json",)

    def __init__(self, value: Mapping[str, Json]) -> None:
        super().__init__(value)
        self.json = escape(to_json(value))


def document(whole: dict[str, Json], *, escaped: bool) -> bytes:
    """A whole answer: its JSON and a newline."""
    if not escaped:
        return to_json(whole) + b"\n"
    if "service_tier" not in whole:
        return escape(to_json(whole)) + b"\n"
    choices, filters = _members(whole["choices"]), _members(whole["prompt_filter_results"])
    settled = _settled(whole["model"], filters, whole["service_tier"], whole["system_fingerprint"])
    opening = b'{"choices":[%b],"created":%d,"id":"%b",' % (choices, whole["created"], whole["id"].encode())
    return b'%b%b"usage":%b}\n' % (opening, settled, to_json(whole["usage"]))


@lru_cache(maxsize=256)
def _settled(model: str, filters: bytes, tier: str, fingerprint: str | None) -> bytes:
    """The members of an answer that hardly ever change."""
    told = {"model": model, "object": "chat.completion", "prompt_filter_results": 0}
    front = to_json(told)[1:-2] + b"[%b]," % filters
    return front + to_json({"service_tier": tier, "system_fingerprint": fingerprint})[1:-1] + b","


def _members(objects: list[dict[str, Json]]) -> bytes:
    first = objects[0]
    if len(objects) == 1 and type(first) is Encoded:
        return first.json
    return b",".join([one.json if type(one) is Encoded else escape(to_json(one)) for one in objects])


def event(value: Json, *, escaped: bool) -> bytes:
    """A chunk as a server-sent event."""
    return b"data: " + (escape(to_json(value)) if escaped else to_json(value)) + b"\n\n"


def characters(text: bytes) -> int:
    """How many characters UTF-8 text has."""
    return len(text) if text.isascii() else len(text.decode())


def escape(text: bytes) -> bytes:
    """JSON with the escapes."""
    text = text.replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")
    return text if text.isascii() else text.replace(_LINE, b"\\u2028").replace(_PARAGRAPH, b"\\u2029")
