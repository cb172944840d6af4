"""The laws of streams that no shape can say: how events follow each other, and that they add up to the finished object."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

Json = Any


@dataclass(frozen=True)
class Event:
    """One server-sent event. `data` is None for `[DONE]`, `name` where the stream names no events."""

    name: str | None
    data: Json


def events(text: str) -> list[Event]:
    """The events of a stream; its blocks have one line of data, after that of their name."""
    return [_event(block) for block in text.removesuffix("\n\n").split("\n\n")]


def _event(block: str) -> Event:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    return Event(fields.get("event"), None if fields["data"] == "[DONE]" else json.loads(fields["data"]))


def laws(operation: str, stream: list[Event], request: dict[str, Json], *, joined: bool = False) -> list[str]:
    """The laws that a stream breaks. One that is `joined` in the middle cannot add up to its object."""
    if "/responses" in operation:
        kept = [*_named(stream), *_numbered(stream, joined), *_ended(stream), *_of_one_response(stream)]
        return [*kept, *(() if joined else _adds_up(stream))]
    return [*_closed(stream), *_chunks(stream, request)]


# -- Responses


ENDS = ("response.completed", "response.incomplete", "response.failed", "error")


def _named(stream: list[Event]) -> Iterator[str]:
    yield from (f"{one.name} carries {one.data['type']}" for one in stream if one.name != one.data["type"])


def _numbered(stream: list[Event], joined: bool) -> Iterator[str]:
    numbers = [one.data.get("sequence_number") for one in stream if one.name != "error"]
    first = numbers[0] if joined and numbers else 0
    if numbers != list(range(first, first + len(numbers))):
        yield f"the events are numbered {numbers}"


def _ended(stream: list[Event]) -> Iterator[str]:
    ends = [one.name in ENDS for one in stream]
    if ends != [False] * (len(ends) - 1) + [True]:
        yield f"the stream ends at {[one.name for one in stream if one.name in ENDS]}, and with {stream[-1].name}"


def _of_one_response(stream: list[Event]) -> Iterator[str]:
    for name in ("id", "created_at", "model"):
        found = {one.data["response"].get(name) for one in stream if "response" in one.data}
        if len(found) > 1:
            yield f"the events carry responses whose {name} differs: {sorted(map(repr, found))}"


def _adds_up(stream: list[Event]) -> Iterator[str]:
    if stream[0].name not in ("response.created", "response.queued", "error"):
        yield f"the stream begins with {stream[0].name}"
    last = stream[-1]
    yield from _parts(stream)
    for index, of_item in _by(stream, "output_index"):
        yield from _item(index, of_item, finished=last.name == "response.completed")
    if last.name in ENDS[:-1]:
        yield from _whole(stream, last)


def _by(stream: Iterable[Event], *members: str) -> list[tuple[tuple[Json, ...], list[Event]]]:
    """The events that have the first of these members, by the values of all of them, in order."""
    having = [one for one in stream if members[0] in one.data]
    keyed = sorted(having, key=lambda one: repr([one.data.get(name) for name in members]))
    return [(key, list(some)) for key, some in groupby(keyed, key=lambda one: tuple(one.data.get(name) for name in members))]


def _item(index: tuple[Json, ...], stream: list[Event], *, finished: bool) -> Iterator[str]:
    """An item is added once, before anything is sent of it, and done once, after all else."""
    kinds = [str(one.name).removeprefix("response.output_item.") for one in stream]
    if kinds.index("done") != len(kinds) - 1 if "done" in kinds else finished:
        yield f"item {index[0]} is not done once, at its end: {kinds}"
    if kinds[0] != "added" or "added" in kinds[1:]:
        yield f"item {index[0]} is not added once, at its beginning: {kinds}"
    ids = {one.data.get("item_id") or one.data["item"]["id"] for one in stream if "item_id" in one.data or "item" in one.data}
    if len(ids) != 1:
        yield f"item {index[0]} has the ids {sorted(ids)}"


_TEXTS = ("text", "arguments", "refusal", "code", "input")


def _parts(stream: list[Event]) -> Iterator[str]:
    """The deltas of a text join to what its end repeats; a part that ends has begun."""
    for (index, *_), some in _by(stream, "output_index", "content_index", "summary_index"):
        for kind in {str(one.name).rpartition(".")[0] for one in some}:
            deltas = "".join(one.data["delta"] for one in some if one.name == f"{kind}.delta")
            for end in (one.data for one in some if one.name == f"{kind}.done" and any(name in one.data for name in _TEXTS)):
                text = next(end[name] for name in _TEXTS if name in end)
                if deltas != text:
                    yield f"item {index}: {kind} joins to {deltas!r}, and ends as {text!r}"
        begun, done = (sum(str(one.name).endswith(f"_part.{end}") for one in some) for end in ("added", "done"))
        if done > begun:
            yield f"item {index}: {done} parts are done, {begun} were added"


def _whole(stream: list[Event], last: Event) -> Iterator[str]:
    """The last event carries the response with the items that were done. What is encrypted is encrypted anew."""
    response = last.data["response"]
    if f"response.{response['status']}" != last.name:
        yield f"{last.name} carries the status {response['status']}"
    done = [one.data["item"] for one in stream if one.name == "response.output_item.done"]
    if list(map(_readable, response["output"])) != list(map(_readable, done)):
        yield "the output of the last event is not that of the items"
    if last.name == "response.completed" and not isinstance(response["usage"], dict):
        yield "a completed response has no usage"


def _readable(item: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in item.items() if name != "encrypted_content"}


# -- chunks


def _closed(stream: list[Event]) -> Iterator[str]:
    if [one.data is None for one in stream] != [False] * (len(stream) - 1) + [True]:
        yield "the stream does not end with [DONE]"
    if any(one.name for one in stream):
        yield "chunks have names"


_SHARED = ("id", "created", "model", "object", "system_fingerprint", "service_tier")


def _chunks(stream: list[Event], request: dict[str, Json]) -> Iterator[str]:
    chunks = [one.data for one in stream if one.data is not None and "error" not in one.data]
    for name in _SHARED:
        # The first chunk, which is nobody's, has no id.
        found = {chunk.get(name) for chunk in chunks if chunk.get("id")}
        if len(found) > 1:
            yield f"the chunks have the {name}s {sorted(map(str, found))}"
    counted = [bool(chunk.get("usage")) for chunk in chunks]
    if (request.get("stream_options") or {}).get("include_usage"):
        if counted != [False] * (len(counted) - 1) + [True]:
            yield f"usage comes {sum(counted)} times"
    elif any(counted):
        yield "usage comes without include_usage"
    choices = sorted((one for chunk in chunks for one in chunk["choices"]), key=lambda one: int(one["index"]))
    for index, some in groupby(choices, key=lambda one: one["index"]):
        yield from _choice(index, list(some))


def _choice(index: int, choices: list[dict[str, Json]]) -> Iterator[str]:
    """A choice begins with its role and ends once."""
    if "role" not in choices[0].get("delta", {"role": ""}):
        yield f"choice {index} begins without a role"
    ends = [bool(one.get("finish_reason")) for one in choices]
    rest = choices[ends.index(True) + 1 :] if True in ends else []
    if sum(ends) != 1 or any(one.get("delta") for one in rest):
        yield f"choice {index} ends {sum(ends)} times"
