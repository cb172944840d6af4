"""The content of a recorded response: the events of a stream, the text and the tool calls, on every surface.

Of several choices the first counts. A broken stream has the content that was sent before it broke.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from mockserver.model.prompt import ToolUse

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange

Json = Any
Object = dict[str, Json]
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_ARGUMENTS = "response.function_call_arguments.delta"
_INPUT = "response.custom_tool_call_input.delta"


def events(exchange: Exchange) -> list[Object]:
    """The events of a stream as JSON, as far as they were sent, without `[DONE]` and garbage; [] for other responses."""
    if exchange.frames is not None:
        return list(_parsed(b"".join(exchange.frames)))
    types = [value for name, value in exchange.response_headers if name == b"content-type"]
    return list(_parsed(exchange.response_body)) if types and types[0].startswith(b"text/event-stream") else []


def text(exchange: Exchange) -> str:
    """The response's text, "" where there is none."""
    stream = events(exchange)
    if stream:
        return "".join(map(_text_delta, stream))
    body = exchange.response
    parts = [part for item in _items(body, "message") for part in _objects(item, "content")]
    if parts:
        return "".join(_text(part, "text") for part in parts if part.get("type") == "output_text")
    return "".join(_text(_object(choice, "message"), "content") or _text(choice, "text") for choice in _first_choices(body))


def tool_calls(exchange: Exchange) -> list[ToolUse]:
    """The calls of the caller's own tools that the response requests, in order."""
    stream = events(exchange)
    if stream:
        return _fold_tool_calls(stream)
    body = exchange.response
    messages = [_object(choice, "message") for choice in _first_choices(body)]
    calls = [_chat_call(call) for message in messages for call in _objects(message, "tool_calls")]
    calls += [_chat_call(message) for message in messages if _object(message, "function_call")]
    return calls + [_item_call(item) for item in _items(body, "function_call", "custom_tool_call")]


def _parsed(stream: bytes) -> Iterator[Object]:
    for block in _BLANK_LINE.split(stream):
        data = b"\n".join(line[5:] for line in block.splitlines() if line.startswith(b"data:"))
        try:
            event = from_json(data)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def _text_delta(event: Object) -> str:
    """The text that an event adds."""
    if event.get("type") == "response.output_text.delta":
        return _text(event, "delta")
    return "".join(_text(_object(choice, "delta"), "content") or _text(choice, "text") for choice in _first_choices(event))


def _fold_tool_calls(stream: Iterable[Object]) -> list[ToolUse]:
    """The tool calls that the events of a stream add up to."""
    calls: dict[Json, ToolUse] = {}
    for event in stream:
        kind = event.get("type")
        if kind == "response.output_item.added" and _item_call(_object(event, "item")).name:
            calls[event.get("output_index")] = _item_call(_object(event, "item"))
        elif kind in (_ARGUMENTS, _INPUT) and event.get("output_index") in calls:
            calls[event.get("output_index")].arguments += _text(event, "delta")
        for choice in _first_choices(event):
            delta = _object(choice, "delta")
            for part in _objects(delta, "tool_calls"):
                _add(calls.setdefault(part.get("index"), ToolUse("", "", "")), _chat_call(part))
            if _object(delta, "function_call"):
                _add(calls.setdefault("function_call", ToolUse("", "", "")), _chat_call(delta))
    return list(calls.values())


def _add(call: ToolUse, part: ToolUse) -> None:
    # Only a call's first part has its id and name; the arguments come in all of them.
    call.id, call.name, call.arguments = call.id or part.id, call.name or part.name, call.arguments + part.arguments


def _chat_call(call: Object) -> ToolUse:
    tool = _object(call, "function") or _object(call, "custom") or _object(call, "function_call")
    return ToolUse(_text(call, "id"), _text(tool, "name"), _text(tool, "arguments") or _text(tool, "input"))


def _item_call(item: Object) -> ToolUse:
    if item.get("type") not in ("function_call", "custom_tool_call"):
        return ToolUse("", "", "")
    return ToolUse(_text(item, "call_id"), _text(item, "name"), _text(item, "arguments") or _text(item, "input"))


# -- a script can send any JSON, so a value of an unexpected type counts as absent


def _first_choices(body: Json) -> list[Object]:
    return [choice for choice in _objects(body, "choices") if choice.get("index", 0) == 0]


def _items(body: Json, *types: str) -> list[Object]:
    return [item for item in _objects(body, "output") if item.get("type") in types]


def _objects(parent: Json, name: str) -> list[Object]:
    members = parent.get(name) if isinstance(parent, dict) else None
    return [member for member in members if isinstance(member, dict)] if isinstance(members, list) else []


def _object(parent: Object, name: str) -> Object:
    member = parent.get(name)
    return member if isinstance(member, dict) else {}


def _text(parent: Object, name: str) -> str:
    member = parent.get(name)
    return member if isinstance(member, str) else ""
