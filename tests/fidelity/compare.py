"""Where an answer of this server differs from the recorded one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from fidelity.diff import Difference, diff, headers_differ, plain
from fidelity.layout import spelling
from fidelity.recorded import Row, events

Json = Any


@dataclass(frozen=True)
class Reply:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    text: str


def compare(row: Row, reply: Reply, sent: dict[str, str]) -> list[Difference]:
    """Every difference between the recorded answer and `reply`. `sent` are the headers of the request."""
    found = [] if reply.status == row.status else [Difference("value", "status", reply.status, row.status)]
    if row.headers is not None:
        found += list(headers_differ(reply.headers, row.headers, sent))
    if found[:1] and found[0].path == "status":
        return [*found, Difference("value", "body", reply.text, row.text)]
    if row.stream:
        return _unique(found + _streams(row, reply.text))
    if row.exact and spelling(reply.text) != spelling(row.text):
        found.append(Difference("spelling", "body", spelling(reply.text), spelling(row.text)))
    ours, theirs = json.loads(reply.text), json.loads(row.text)
    found += [] if row.status != 200 else _laws(ours, theirs)
    return _unique(found + list(diff("body", plain(ours), plain(theirs))))


def _unique(found: list[Difference]) -> list[Difference]:
    seen: dict[str, Difference] = {}
    for difference in found:
        seen.setdefault(str(difference), difference)
    return list(seen.values())


def _laws(ours: Json, theirs: Json) -> list[Difference]:
    """What ids have in common."""
    mine, told = _related(ours), _related(theirs)
    return [] if mine == told else [Difference("value", "body.ids", mine, told)]


def _related(body: Json) -> Json:
    """Whether the items of a response carry the response's own mark in their ids."""
    if not isinstance(body, dict) or body.get("object") != "response":
        return None
    mark = body["id"].partition("_")[2][:18]
    return all(item["id"].partition("_")[2][:18] == mark for item in body["output"])


@dataclass(frozen=True)
class Run:
    """Events of one kind in a row: their kind, what they look like but for their text, and the text they bring."""

    kind: str
    shapes: list[Json]
    text: str


def _streams(row: Row, text: str) -> list[Difference]:
    named = row.family == "responses"
    ours, theirs = _runs(text, named=named), _runs(row.text, named=named)
    found = [] if _framed(text) == _framed(row.text) else [Difference("spelling", "stream", _framed(text), _framed(row.text))]
    if not text.endswith("\n\n"):
        found.append(Difference("spelling", "stream.end", text[-2:], "\n\n"))
    if _padding(row.text) and _padding(text) != _padding(row.text):
        found.append(Difference("value", "stream.padding", _padding(text), _padding(row.text)))
    matcher = SequenceMatcher(None, [run.kind for run in ours], [run.kind for run in theirs], autojunk=False)
    for change, a, b, c, d in matcher.get_opcodes():
        if change == "equal":
            for mine, told in zip(ours[a:b], theirs[c:d], strict=True):
                found += _runs_differ(mine, told)
            continue
        found += [Difference("added", f"stream[{run.kind}]", run.shapes[0]) for run in ours[a:b]]
        found += [Difference("absent", f"stream[{run.kind}]", theirs=run.shapes[0]) for run in theirs[c:d]]
    return found


def _runs_differ(ours: Run, theirs: Run) -> Iterator[Difference]:
    path = f"stream[{ours.kind}]"
    if ours.text != theirs.text:
        yield Difference("value", f"{path}.<text>", ours.text, theirs.text)
    for told in theirs.shapes:
        yield from min((list(diff(path, mine, told)) for mine in ours.shapes), key=len)
    for mine in ours.shapes:
        yield from min((list(diff(path, mine, told)) for told in theirs.shapes), key=len)


def _runs(text: str, *, named: bool) -> list[Run]:
    runs: list[Run] = []
    for name, data in events(text):
        kind, shape, piece = _named_event(name, data) if named else _chunk(data)
        if not runs or runs[-1].kind != kind or not piece:
            runs.append(Run(kind, [shape], piece))
        else:
            last = runs.pop()
            shapes = last.shapes if shape in last.shapes else [*last.shapes, shape]
            runs.append(Run(kind, shapes, last.text + piece))
    return runs


def _named_event(name: str, data: dict[str, Json]) -> tuple[str, Json, str]:
    kind = name if name == data["type"] else f"{name} for {data['type']}"
    if "item" in data:
        kind = f"{kind} {data['item']['type']}"
    piece = data.get("delta")
    return kind, plain(data | {"delta": "<text>"} if piece is not None else data), piece or ""


def _chunk(data: dict[str, Json]) -> tuple[str, Json, str]:
    shape = plain(data)
    if not data["choices"]:
        return ("prompt filter" if "prompt_filter_results" in data else "usage"), shape, ""
    choice = data["choices"][0]
    delta = choice.get("delta", {})
    if choice["finish_reason"] is not None:
        return "finish", shape, ""
    if delta.get("tool_calls"):
        call = delta["tool_calls"][0]
        if "id" in call:
            return "tool call", shape, ""
        return (
            "arguments",
            _with(shape, "tool_calls", [{**call, "function": {"arguments": "<text>"}}]),
            call["function"]["arguments"],
        )
    if "role" in delta or "delta" not in choice:
        return "role", shape, ""
    (name,) = delta
    return name, _with(shape, name, "<text>"), delta[name]


def _with(shape: Json, name: str, value: Json) -> Json:
    choice = shape["choices"][0]
    return {**shape, "choices": [{**choice, "delta": {**choice["delta"], name: value}}]}


def _framed(text: str) -> str:
    """How the events are written: their lines, the JSON in them, and what ends the stream."""
    blocks = text.rstrip("\n").split("\n\n")
    lines = {re.sub(r" .*", "", line) for block in blocks for line in block.split("\n")}
    done = "[DONE]" if blocks[-1] == "data: [DONE]" else "the last event"
    written = {_layout(block.rpartition("data: ")[2]) for block in blocks if block != "data: [DONE]"}
    return f"{sorted(lines)}, {sorted(written)}, ending in {done}"


def _layout(data: str) -> str:
    return spelling(data).partition(", ending")[0]


def _padding(text: str) -> Json:
    """By how much the padded length is over a multiple of 16: of deltas with their padding, or of chunks less their filter results."""
    over = set()
    for name, data in events(text):
        if "obfuscation" not in data:
            continue
        if name:
            over.add((len(data["delta"]) + len(data["obfuscation"])) % 16)
            continue
        choices = [
            {key: value for key, value in choice.items() if key != "content_filter_results"} for choice in data["choices"]
        ]
        over.add(len(json.dumps(data | {"choices": choices}, separators=(",", ":"), ensure_ascii=False)) % 16)
    return sorted(over)
