"""JSON as each family writes it, and server-sent events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from mockserver.operations.table import JsonStyle

Json = Any


def encode(document: Json, style: JsonStyle) -> bytes:
    """A JSON body as its family writes it (recorded).

    Chat: one line and a newline. Responses and stored objects: indented by two spaces, ASCII only, no newline at the end.
    Embeddings and files of tools: the same with a newline. Files of jobs: one line without a newline (inferred).
    """
    if style == "minified":
        return to_json(document)
    if style == "compact":
        return to_json(document) + b"\n"
    pretty = to_json(document, indent=2, ensure_ascii=True)
    return pretty + b"\n" if style == "pretty-newline" else pretty


def data_event(document: Json) -> bytes:
    """A chat-style event: `data: {json}`."""
    return b"data: " + to_json(document) + b"\n\n"


def named_event(name: str, document: Json) -> bytes:
    """A Responses-style event: `event: name` and `data: {json}`."""
    return b"event: " + name.encode() + b"\ndata: " + to_json(document) + b"\n\n"


def printable(text: str) -> str:
    """A client's text for a line of the log, with escapes for what is no character that prints.

    A line break would forge an entry, and control characters drive a terminal.
    """
    return text if text.isprintable() else "".join([char if char.isprintable() else ascii(char)[1:-1] for char in text])
