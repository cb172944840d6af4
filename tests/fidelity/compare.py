"""Where an answer of this server differs from the recorded one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from fidelity import streams
from fidelity.diff import Difference, diff, headers_differ, plain
from fidelity.layout import spelling
from fidelity.recorded import Row, events

Json = Any
NOW = 1_790_000_000  # what the clock says where the recording does not
_LONGEST = 3_600  # seconds that an answer of the service may have taken


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
    if _json(reply.text) is None:
        return [*found, Difference("value", "body", reply.text, row.text)]
    if row.exact and spelling(reply.text) != spelling(row.text):
        found.append(Difference("spelling", "body", spelling(reply.text), spelling(row.text)))
    ours, theirs = json.loads(reply.text), json.loads(row.text)
    found += [] if row.status != 200 else _laws(ours, theirs)
    seconds, theirs_seconds = _times(row)
    return _unique(found + list(diff("body", plain(ours, seconds), plain(theirs, theirs_seconds))))


def _times(row: Row) -> tuple[range, range]:
    """The seconds that this server may name, whose clock stands still, and those that the service may."""
    at = row.created or NOW
    return range(at, at + 1), range(at, at + _LONGEST)


def _json(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return None


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
    """Whether the items of a response carry the response's own mark in their ids, and each has one of its own."""
    if not isinstance(body, dict) or body.get("object") != "response":
        return None
    mark, ids = body.get("id", "").partition("_")[2][:18], [item.get("id", "") for item in body.get("output", ())]
    return all(one.partition("_")[2][:18] == mark for one in ids), len(ids) == len(set(ids))


@dataclass(frozen=True)
class Run:
    """Events of one kind in a row: their kind, what they look like but for their text, and the pieces of text they bring."""

    kind: str
    shapes: list[Json]
    pieces: tuple[str, ...]

    @property
    def text(self) -> str:
        """The pieces together."""
        return "".join(self.pieces)


def _streams(row: Row, text: str) -> list[Difference]:
    seconds, theirs_seconds = _times(row)
    try:
        broken = streams.laws(f"{row.method} {row.endpoint}", streams.events(text), row.request or {})
        ours, padding = _runs(row, text, seconds), _padding(text)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        return [Difference("value", "stream", f"{error!r} in {text}", row.text)]
    theirs = _runs(row, row.text, theirs_seconds)
    found = [Difference("value", "stream.law", law) for law in broken]
    found += [] if _framed(text) == _framed(row.text) else [Difference("spelling", "stream", _framed(text), _framed(row.text))]
    if not text.endswith("\n\n"):
        found.append(Difference("spelling", "stream.end", text[-2:], "\n\n"))
    if _padding(row.text) and padding != _padding(row.text):
        found.append(Difference("value", "stream.padding", padding, _padding(row.text)))
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
    if len(ours.pieces) == 1 < len(theirs.pieces):
        yield Difference("value", f"{path}.<pieces>", 1, len(theirs.pieces))
    for told in theirs.shapes:
        yield from min((list(diff(path, mine, told)) for mine in ours.shapes), key=len)
    for mine in ours.shapes:
        yield from min((list(diff(path, mine, told)) for told in theirs.shapes), key=len)


def _runs(row: Row, text: str, times: range) -> list[Run]:
    runs: list[Run] = []
    for name, data in events(text):
        kind, shape, piece = _named_event(name, data) if row.family == "responses" else _chunk(data)
        shape = plain(shape, times)
        if not runs or runs[-1].kind != kind or not piece:
            runs.append(Run(kind, [shape], (piece,) if piece else ()))
        else:
            last = runs.pop()
            shapes = last.shapes if shape in last.shapes else [*last.shapes, shape]
            runs.append(Run(kind, shapes, (*last.pieces, piece)))
    return runs


def _named_event(name: str, data: dict[str, Json]) -> tuple[str, Json, str]:
    """What kind of event it is, the event without its piece of text, and that piece."""
    kind = name if name == data["type"] else f"{name} for {data['type']}"
    if "item" in data:
        kind = f"{kind} {data['item']['type']}"
    piece = data.get("delta")
    return kind, data | {"delta": "<text>"} if piece is not None else data, piece or ""


_TEXTS = ("content", "reasoning_content", "refusal")


def _chunk(data: dict[str, Json]) -> tuple[str, Json, str]:
    """The same of a chunk, whose kind nothing names; it is that of its first choice."""
    if "choices" not in data:
        return "error", data, ""
    if not data["choices"]:
        return ("prompt filter" if "prompt_filter_results" in data else "usage"), data, ""
    choice, *others = data["choices"]
    kind, shape, piece = _text_choice(choice) if "text" in choice else _choice(choice)
    return kind, data | {"choices": [shape, *others]}, piece


def _text_choice(choice: Json) -> tuple[str, Json, str]:
    """A choice of a legacy completion."""
    if choice["text"]:
        return "text", choice | {"text": "<text>"}, choice["text"]
    return "finish", choice, ""


def _choice(choice: Json) -> tuple[str, Json, str]:
    delta = choice.get("delta", {})
    for name in _TEXTS:
        if delta.get(name):
            return name, choice | {"delta": delta | {name: "<text>"}}, delta[name]
    if choice.get("finish_reason") is not None:
        return "finish", choice, ""
    if delta.get("tool_calls"):
        return _call(choice, delta)
    return "role" if "role" in delta or "delta" not in choice else "empty", choice, ""


def _call(choice: Json, delta: Json) -> tuple[str, Json, str]:
    call = delta["tool_calls"][0]
    if "id" in call:
        return "tool call", choice, ""
    kind = "custom" if "custom" in call else "function"
    ((name, piece),) = call[kind].items()
    return "arguments", choice | {"delta": delta | {"tool_calls": [{**call, kind: {name: "<text>"}}]}}, piece


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
