"""What the official document does not allow in an exchange, less the habits in which the service itself departs from it."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from fidelity.habits import STATUSES, excused
from fidelity.shapes import problems, table
from fidelity.streams import Event, events, laws

Json = Any


@cache
def _routes() -> list[tuple[str, re.Pattern[str], str]]:
    """Operations as method, pattern of the path, and name; paths without parameters first, since they could match both."""
    names = sorted(table()["operations"], key=lambda name: name.count("{"))
    split = [(name, *name.split(" ", 1)) for name in names]
    return [(method, re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), name) for name, method, path in split]


def operation(method: str, path: str) -> str | None:
    """The document's name for a request: `GET /models/{model}`; None for what it does not have."""
    bare = path.partition("?")[0]
    return next((name for verb, pattern, name in _routes() if verb == method and pattern.fullmatch(bare)), None)


def findings(method: str, path: str, status: int, content_type: str, text: str, request: Json = None) -> list[str]:
    """What an answer breaks of the document and of the laws of its kind of stream. `path` is what follows `/openai/v1`."""
    name = operation(method, path) or "GET /models"  # all errors have one shape, that of paths which do not exist too
    answers = table()["operations"][name]["responses"]
    media = content_type.partition(";")[0] or "application/json"  # which the refusal of an unknown deployment does not name
    if status >= 400:
        return _of_an_error(name, answers["default"], media, text)
    bodies = answers.get(str(STATUSES.get((name, status), status)))
    if bodies is None:
        return [f"{name}: status {status} is not documented"]
    if not (text or bodies):
        return []
    if media == "text/event-stream":
        return _of_a_stream(name, bodies, text, request, joined="starting_after" in path)
    if media not in bodies:
        return [f"{name}: {media!r} is not among {list(bodies)}"]
    return _of_a_value(name, bodies[media], json.loads(text)) if media == "application/json" else []


def _of_a_value(place: str, shape: Json, value: Json) -> list[str]:
    """Problems of a value that no habit excuses."""
    return [f"{place} {one}" for one in problems(value, shape) if not excused(place, one)]


def _of_an_error(name: str, bodies: dict[str, Json], media: str, text: str) -> list[str]:
    if media != "application/json":
        return [f"{name}: an error of type {media!r}"]
    body = json.loads(text)
    if not isinstance(body.get("error"), dict):
        return [f"{name}: no 'error' object"]
    return _of_a_value(f"{name} error", bodies["application/json"], body["error"])


def _of_a_stream(name: str, bodies: dict[str, Json], text: str, request: Json, *, joined: bool) -> list[str]:
    """`joined` is whether the stream begins in the middle."""
    stream = events(text)
    found = [one for event in stream for one in _of_an_event(name, bodies, event)]
    return found + [f"{name}: {law}" for law in laws(name, stream, request or {}, joined=joined)]


def _of_an_event(name: str, bodies: dict[str, Json], event: Event) -> list[str]:
    shape = _shape_of_an_event(bodies, event)
    return _of_a_value(f"{name} {event.name or 'chunk'}", shape, event.data) if event.data is not None else []


_AT = {"sequence_number": "integer", "output_index": "integer"}
_ITEM = {**_AT, "item_id": "string"}
_CONTENT = {**_ITEM, "content_index": "integer"}
_SUMMARY = {**_ITEM, "summary_index": "integer"}
_CLOSING: dict[str, dict[str, Json]] = {
    "response.completed": {"sequence_number": "integer", "response": "#OpenAI.Response"},
    "response.output_item.done": {**_AT, "item": "#OpenAI.OutputItem"},
    "response.content_part.done": {**_CONTENT, "part": "#OpenAI.OutputContent"},
    "response.output_text.done": {**_CONTENT, "text": "string"},
    "response.refusal.done": {**_CONTENT, "refusal": "string"},
    "response.reasoning_text.done": {**_CONTENT, "text": "string"},
    "response.reasoning_summary_part.done": {**_SUMMARY, "part": "object"},
    "response.reasoning_summary_text.done": {**_SUMMARY, "text": "string"},
    "response.function_call_arguments.done": {**_ITEM, "arguments": "string"},
    "response.mcp_call_arguments.done": {**_ITEM, "arguments": "string"},
    "response.custom_tool_call_input.done": {**_ITEM, "input": "string"},
    "response.code_interpreter_call_code.done": {**_ITEM, "code": "string"},
    "response.code_interpreter_call.completed": _ITEM,
    "response.file_search_call.completed": _ITEM,
    "response.image_generation_call.completed": _ITEM,
    "response.mcp_call.completed": _ITEM,
    "response.mcp_list_tools.completed": _ITEM,
    "response.web_search_call.completed": _ITEM,
}
"""Events that end something, which the document leaves without a name: their members in the SDK's types and on the wire."""


def _shape_of_an_event(bodies: dict[str, Json], event: Event) -> Json:
    """The document's; a chunk's stands beside that of the finished object."""
    if event.name is None:
        finished = bodies["application/json"]
        return finished[-1] if isinstance(finished, list) else finished
    described = table()["operations"]["POST /responses"]["responses"]["200"]["text/event-stream"]["events"]
    return described.get(event.name) or {"members": {"type": {"enum": [event.name]}, **_CLOSING[event.name]}}
