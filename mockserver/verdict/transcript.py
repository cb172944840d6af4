"""What a recorded answer says: the events of a stream, and the text and tool calls of chat, text completions and responses.

Of several choices it is the first that speaks. A stream that broke says what had been sent by then.
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
    """A stream's events as JSON, as far as they were sent; [] for other answers. `[DONE]` and garbage are left out."""
    if exchange.frames is not None:
        return list(_parsed(b"".join(exchange.frames)))
    types = [value for name, value in exchange.response_headers if name == b"content-type"]
    return list(_parsed(exchange.response_body)) if types and types[0].startswith(b"text/event-stream") else []


def text(exchange: Exchange) -> str:
    """The answer's text, "" where there is none."""
    told = events(exchange)
    if told:
        return "".join(map(_piece, told))
    answer = exchange.response
    spoken = [part for item in _items(answer, "message") for part in _objects(item, "content")]
    if spoken:
        return "".join(_text(part, "text") for part in spoken if part.get("type") == "output_text")
    return "".join(_text(_object(choice, "message"), "content") or _text(choice, "text") for choice in _first(answer))


def tool_calls(exchange: Exchange) -> list[ToolUse]:
    """The calls of the caller's own tools that the answer asks for, in order."""
    told = events(exchange)
    if told:
        return _folded(told)
    answer = exchange.response
    messages = [_object(choice, "message") for choice in _first(answer)]
    calls = [_chat_call(call) for message in messages for call in _objects(message, "tool_calls")]
    calls += [_chat_call(message) for message in messages if _object(message, "function_call")]
    return calls + [_item_call(item) for item in _items(answer, "function_call", "custom_tool_call")]


def _parsed(stream: bytes) -> Iterator[Object]:
    for block in _BLANK_LINE.split(stream):
        data = b"\n".join(line[5:] for line in block.splitlines() if line.startswith(b"data:"))
        try:
            event = from_json(data)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def _piece(event: Object) -> str:
    """The text that one event adds."""
    if event.get("type") == "response.output_text.delta":
        return _text(event, "delta")
    return "".join(_text(_object(choice, "delta"), "content") or _text(choice, "text") for choice in _first(event))


def _folded(told: Iterable[Object]) -> list[ToolUse]:
    """The tool calls that a stream tells piece by piece."""
    calls: dict[Json, ToolUse] = {}
    for event in told:
        kind = event.get("type")
        if kind == "response.output_item.added" and _item_call(_object(event, "item")).name:
            calls[event.get("output_index")] = _item_call(_object(event, "item"))
        elif kind in (_ARGUMENTS, _INPUT) and event.get("output_index") in calls:
            calls[event.get("output_index")].arguments += _text(event, "delta")
        for choice in _first(event):
            delta = _object(choice, "delta")
            for piece in _objects(delta, "tool_calls"):
                _add(calls.setdefault(piece.get("index"), ToolUse("", "", "")), _chat_call(piece))
            if _object(delta, "function_call"):
                _add(calls.setdefault("function_call", ToolUse("", "", "")), _chat_call(delta))
    return list(calls.values())


def _add(call: ToolUse, piece: ToolUse) -> None:
    call.id, call.name, call.arguments = call.id or piece.id, call.name or piece.name, call.arguments + piece.arguments


def _chat_call(call: Object) -> ToolUse:
    said = _object(call, "function") or _object(call, "custom") or _object(call, "function_call")
    return ToolUse(_text(call, "id"), _text(said, "name"), _text(said, "arguments") or _text(said, "input"))


def _item_call(item: Object) -> ToolUse:
    if item.get("type") not in ("function_call", "custom_tool_call"):
        return ToolUse("", "", "")
    return ToolUse(_text(item, "call_id"), _text(item, "name"), _text(item, "arguments") or _text(item, "input"))


# -- a script may have written any JSON: whatever has not the expected type is as good as absent


def _first(answer: Json) -> list[Object]:
    return [choice for choice in _objects(answer, "choices") if choice.get("index", 0) == 0]


def _items(answer: Json, *types: str) -> list[Object]:
    return [item for item in _objects(answer, "output") if item.get("type") in types]


def _objects(holder: Json, name: str) -> list[Object]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _object(holder: Object, name: str) -> Object:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _text(holder: Object, name: str) -> str:
    found = holder.get(name)
    return found if isinstance(found, str) else ""
