"""Ways to falsify an answer: functions of a reply, made from what is to change in its JSON, its events or its headers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from fidelity.compare import Reply
from fidelity.layout import layout_of

Json = Any
Mutation = Callable[[Reply], Reply]
Events = list[tuple[str, Json]]
"""The events of a stream: each one's name and data; the data of `[DONE]` is None."""


def text(change: Callable[[str], str]) -> Mutation:
    """Change the body as it is written."""
    return lambda reply: replace(reply, text=change(reply.text))


def header(name: str, value: str | None) -> Mutation:
    """Set a header, or with None leave it out."""

    def change(reply: Reply) -> Reply:
        others = {key: one for key, one in reply.headers.items() if key != name}
        return replace(reply, headers=others if value is None else others | {name: value})

    return change


def status(code: int) -> Mutation:
    """Answer with another status."""
    return lambda reply: replace(reply, status=code)


def body(change: Callable[[Json], Any]) -> Mutation:
    """Change a body's document in place; it is written as it was."""

    def altered(reply: Reply) -> Reply:
        document, layout = json.loads(reply.text), layout_of(reply.text)
        assert layout is not None
        change(document)
        return replace(reply, text=layout.write(document))

    return altered


def stream(change: Callable[[Events], Any]) -> Mutation:
    """Change a stream's events in place; they are written as they were."""

    def altered(reply: Reply) -> Reply:
        events = [_read(block) for block in reply.text.removesuffix("\n\n").split("\n\n")]
        change(events)
        return replace(reply, text="".join(_write(name, data, "\\u003c" in reply.text) for name, data in events))

    return altered


def _read(block: str) -> tuple[str, Json]:
    name, _, data = block.rpartition("data: ")
    return name, None if data == "[DONE]" else json.loads(data)


def _write(name: str, data: Json, escaped: bool) -> str:
    written = "[DONE]" if data is None else json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    if escaped:
        written = written.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
    return f"{name}data: {written}\n\n"


def put(*path: str | int, value: Json) -> Callable[[Json], None]:
    """Set what a path leads to."""

    def change(document: Json) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[Json], None]:
    """Leave out what a path leads to."""

    def change(document: Json) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return change


def each(change: Callable[[int, Json], Any]) -> Callable[[Events], None]:
    """Change the data of every event, by its number."""
    return lambda events: [change(at, data) for at, (_, data) in enumerate(events) if data is not None] and None


def first(member: str, change: Callable[[Json], Any]) -> Callable[[Events], None]:
    """Change the data of the first event in whose JSON a word stands."""
    return lambda events: change(next(data for _, data in events if data is not None and member in json.dumps(data)))


def last(member: str, change: Callable[[Json], Any]) -> Callable[[Events], None]:
    """Change the data of the last event in whose JSON a word stands."""
    return lambda events: change([data for _, data in events if data is not None and member in json.dumps(data)][-1])


def without(member: str) -> Callable[[Events], None]:
    """Leave out the first event in whose name or JSON a word stands."""

    def change(events: Events) -> None:
        events.remove(next(one for one in events if member in one[0] or member in json.dumps(one[1])))

    return change


def at_once(member: str) -> Callable[[Events], None]:
    """Bring a text that comes in pieces, below `delta` or as `member` of a choice's delta, in its first piece."""

    def change(events: Events) -> None:
        bringing = [one for one in events if _piece(one[1], member)]
        whole = "".join(_piece(data, member) for _, data in bringing)
        _set_piece(bringing[0][1], member, whole)
        events[:] = [one for one in events if one not in bringing[1:]]
        for number, (_, data) in enumerate(events):
            if data is not None and "sequence_number" in data:
                data["sequence_number"] = number

    return change


def _piece(data: Json, member: str) -> str:
    if data is None:
        return ""
    if member == "delta":
        return str(data.get("delta", ""))
    return "".join(str(_holder(choice, member).get(member) or "") for choice in data["choices"])


def _holder(choice: Json, member: str) -> Json:
    """What has a piece of the member: a choice, its delta, or the function that is called."""
    delta = choice.get("delta", choice)
    return delta["tool_calls"][0]["function"] if member == "arguments" and delta.get("tool_calls") else delta


def _set_piece(data: Json, member: str, whole: str) -> None:
    if member == "delta":
        data["obfuscation"] = "a" * (-len(whole) % 16) if "obfuscation" in data else ""
        data["delta"] = whole
    else:
        _holder(data["choices"][0], member)[member] = whole
