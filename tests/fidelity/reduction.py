"""Recorded exchanges reduced to what is compared: no text, name or id that stood in them is left."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from fidelity.diff import DATE
from fidelity.layout import Layout, layout_of
from fidelity.standins import StandIns

Json = Any
Record = dict[str, Json]
Path = tuple[str | int, ...]

_COUNTERS = re.compile(
    r"content-length|num-.*|.*-token-len|openai-processing-ms|.*-(service-time|duration)|x-ratelimit-remaining-.*|x-request-time"
)


def reduced(records: list[Record]) -> list[Record]:
    """All exchanges with one set of stand-ins; they have the members of `recorded.Row`."""
    stand_ins = StandIns()
    return [_reduced(record, stand_ins) for record in records]


def _reduced(record: Record, stand_ins: StandIns) -> Record:
    midnight = int(datetime.fromisoformat(f"{record['day'] or '2026-01-01'}T00:00:00+00:00").timestamp())
    stand_ins.begin(midnight, record["request"])
    request = {name: value for name, value in record["request_headers"].items() if name == "x-ms-client-request-id"}
    text = _stream(record["text"], stand_ins) if record["stream"] else _body(record["text"], stand_ins)
    return record | {
        "path": stand_ins.ids(re.sub(r"(?<=/deployments/)[^/]+", lambda found: stand_ins.model(found[0]), record["path"])),
        "request_headers": _headers(request, midnight, stand_ins),
        "request": _counted(stand_ins.value(record["request"]), record),
        "headers": record["headers"] and _headers(record["headers"], midnight, stand_ins),
        "text": text,
    }


def _counted(request: Json, record: Record) -> Json:
    """A request for embeddings with inputs of as many of OpenAI's tokens as it had: the server counts them."""
    answered = json.loads(record["text"]) if record["endpoint"] == "/embeddings" else {}
    if "usage" not in answered or answered["model"].startswith("embed-"):
        return request
    tokens, given = answered["usage"]["prompt_tokens"], request["input"]
    if isinstance(given, str):
        return request | {"input": " a" * tokens}
    return request | {"input": [" a" * (tokens - len(given) + 1), *(" a" for _ in given[1:])]}


# -- heads


def _headers(headers: dict[str, str], midnight: int, stand_ins: StandIns) -> dict[str, str]:
    return {name: _header(name, value, midnight, stand_ins) for name, value in headers.items()}


def _header(name: str, value: str, midnight: int, stand_ins: StandIns) -> str:
    """Constants stay, and what recorders put in the place of values."""
    if name == "date" and DATE.fullmatch(value):
        return datetime.fromtimestamp(midnight, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    if name == "x-ms-region" and not value.endswith("-XXX"):
        return "West Europe"
    if name in ("x-ms-deployment-name", "x-ratelimit-key"):
        return stand_ins.model(value)
    if name == "azureml-model-session" and not value.endswith("-XXX"):
        return re.sub(r"\d", "0", value)
    return re.sub(r"\d+", "1", value) if _COUNTERS.fullmatch(name) else stand_ins.ids(value)


# -- bodies


def _layout(text: str) -> Layout:
    layout = layout_of(text)
    assert layout is not None, f"written in some other way: {text[:80]!r}"
    return layout


def _body(text: str, stand_ins: StandIns) -> str:
    return _layout(text).write(stand_ins.value(json.loads(text)))


class _Event:
    """One event of a stream, which may bring a piece of a text."""

    def __init__(self, block: str) -> None:
        self.head, _, json_text = block.rpartition("data: ")
        self.data: Json = None if json_text == "[DONE]" else json.loads(json_text)
        self.layout = None if self.data is None else _layout(json_text)
        self.path = _piece(self.data)
        self.padding = self._length() % 16

    @property
    def piece(self) -> str:
        found: str = _at(self.data, self.path)[self.path[-1]] if self.path else ""
        return found

    @piece.setter
    def piece(self, text: str) -> None:
        _at(self.data, self.path)[self.path[-1]] = text

    def run(self) -> Json:
        """Equal for events in a row whose pieces make one text; None for an event that stands alone."""
        data = self.data or {}
        return self.path and (self.path, data.get("item_id"), data.get("content_index"), data.get("type"))

    def skeleton(self) -> str:
        """All but the piece, the padding and the number."""
        kept = {name: value for name, value in self.data.items() if name not in ("obfuscation", "sequence_number")}
        kept = json.loads(json.dumps(kept))
        _at(kept, self.path)[self.path[-1]] = ""
        return json.dumps(kept)

    def pad(self) -> None:
        """Make the padded length what it was, as a remainder of 16."""
        if self.data is not None and "obfuscation" in self.data:
            self.data["obfuscation"] = ""
            self.data["obfuscation"] = "a" * ((self.padding - self._length()) % 16)

    def _length(self) -> int:
        """What padding levels: a delta, or a chunk without its filter results."""
        if self.data is None or "choices" not in self.data:
            return len((self.data or {}).get("delta", "")) + len((self.data or {}).get("obfuscation", ""))
        bare = [
            {name: value for name, value in one.items() if name != "content_filter_results"} for one in self.data["choices"]
        ]
        return len(json.dumps(self.data | {"choices": bare}, separators=(",", ":"), ensure_ascii=False))

    def __str__(self) -> str:
        return f"{self.head}data: {self.layout.write(self.data) if self.layout else '[DONE]'}"


def _at(data: Json, path: Path) -> Json:
    """What the last step of a path leads from."""
    for step in path[:-1]:
        data = data[step]
    return data


def _piece(data: Json) -> Path:
    """Where an event has a piece of a text; empty if it has none."""
    if isinstance(data, dict) and isinstance(data.get("delta"), str):
        return ("delta",)
    for at, choice in enumerate((data or {}).get("choices", ())):
        delta = choice.get("delta", {})
        if choice.get("text"):
            return ("choices", at, "text")
        for name in ("content", "reasoning_content", "refusal"):
            if delta.get(name):
                return ("choices", at, "delta", name)
        if delta.get("tool_calls") and "id" not in delta["tool_calls"][0]:
            return ("choices", at, "delta", "tool_calls", 0, "function", "arguments")
    return ()


def _stream(text: str, stand_ins: StandIns) -> str:
    """Of the events in a row that bring one text in pieces, one of every shape is left, and at least two."""
    ending = text[len(text.rstrip("\n")) :]
    events = [_Event(block) for block in text.rstrip("\n").split("\n\n")]
    left: list[_Event] = []
    for run, grouped in groupby(events, key=_Event.run):
        some = list(grouped)
        left += _joined(some, stand_ins) if run else some
    for number, event in enumerate(left):
        _settle(event, number, stand_ins)
    return "\n\n".join(map(str, left)) + ending


def _joined(run: list[_Event], stand_ins: StandIns) -> list[_Event]:
    arguments = run[0].path[-1] == "arguments" or "arguments" in str(run[0].data.get("type"))
    text = stand_ins.string("".join(event.piece for event in run), "arguments" if arguments else "text")
    left = list({event.skeleton(): event for event in reversed(run)}.values())[::-1]
    if left == run[:1] and len(run) > 1:
        left = run[:2]  # that a text came in pieces stays
    for at, event in enumerate(left):
        event.piece = text[at:] if event is left[-1] else text[at : at + 1]
    return left


def _settle(event: _Event, number: int, stand_ins: StandIns) -> None:
    """Put stand-ins into an event, all but its piece, which is one."""
    if event.data is None:
        return
    piece = event.piece
    if event.path:
        event.piece = ""
    event.data = stand_ins.value(event.data)
    if event.path:
        event.piece = piece
    if "sequence_number" in event.data:
        event.data["sequence_number"] = number
    event.pad()
