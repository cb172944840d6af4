"""Responses as a resource keeps them, for thirty days of its clock: records by id, chains, items by id, conversations.

A record is a JSON-like dict: `response` is the finished object with everything that `include` can ask for, `input` its input
items. What a caller sees of it (`output` shows) depends on what was included and on how far background work has come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.api.responses import refusals
from mockserver.state.lifecycle import Lifecycle

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource

Json = Any
Object = dict[str, Json]
Record = dict[str, Json]
RESPONSE = "response"
CONVERSATION = "conversation"
RETENTION = 30 * 24 * 3_600.0
_STAGES = ("queued", "in_progress", "done")


def keep(resource: Resource, record: Record) -> None:
    """Keep a record for as long as the service would."""
    resource.store.put(RESPONSE, record["id"], record)


def find(resource: Resource, response_id: str, now: float) -> Record | None:
    """The record of a response, None where there is none or its time is over."""
    record: Record | None = resource.store.get(RESPONSE, response_id)
    if record is not None and record["created"] + RETENTION <= now:
        resource.store.delete(RESPONSE, response_id)
        return None
    return record


def get(resource: Resource, response_id: str, now: float) -> Record:
    """The record of a response. Raises ApiError 404 where there is none."""
    record = find(resource, response_id, now)
    if record is None:
        raise refusals.response_not_found(response_id)
    return record


def stage(resource: Resource, record: Record, now: float, *, polled: bool) -> str:
    """How far a response is: `queued`, `in_progress` or `done`; looking at it counts for lifecycles that go by looks."""
    if not record["background"] or record["finished"]:
        return "done"
    if polled:
        record["polls"] += 1
    lifecycle: Lifecycle = resource.lifecycle
    reached = lifecycle.stage(_STAGES, record["polls"], now - record["created"])
    if reached == "done":
        finish(resource, record)
    elif polled:
        keep(resource, record)
    return reached


def finish(resource: Resource, record: Record) -> None:
    """Note that a response is finished: from now on it does not change, and its conversation has its items."""
    record["finished"] = True
    keep(resource, record)
    if record["conversation"] is not None:
        _append(resource, record)


def chain(resource: Resource, response_id: str, now: float) -> list[Object]:
    """The items of a response and of all that it continues, oldest first. Raises ApiError 400 where a link is missing."""
    links: list[Record] = []
    next_id: str | None = response_id
    while next_id is not None:
        record = find(resource, next_id, now)
        if record is None:
            raise refusals.previous_response_not_found(next_id)
        links.append(record)
        next_id = record["response"]["previous_response_id"]
    return [item for record in reversed(links) for item in (*record["input"], *record["response"]["output"])]


def conversation_items(resource: Resource, conversation_id: str) -> list[Object]:
    """The items of a conversation, oldest first. Raises ApiError 404 where there is none."""
    conversation = resource.store.get(CONVERSATION, conversation_id)
    if conversation is None:
        raise refusals.conversation_not_found(conversation_id)
    items: list[Object] = conversation.get("items", [])
    return items


def _append(resource: Resource, record: Record) -> None:
    conversation = resource.store.get(CONVERSATION, record["conversation"])
    if conversation is not None:
        items = [*conversation.get("items", []), *record["input"], *record["response"]["output"]]
        resource.store.put(CONVERSATION, record["conversation"], {**conversation, "items": items})


def item(resource: Resource, item_id: str, now: float) -> Object:
    """The stored item with this id. Raises ApiError where it is not stored: 400 for one of `store: false`, else 404."""
    for holder in (*_holders(resource, item_id, now), *_conversations(resource)):
        for candidate in holder:
            if candidate.get("id") == item_id:
                return candidate
    raise refusals.item_not_found(item_id, persisted=not is_ephemeral(item_id))


def is_ephemeral(item_id: str) -> bool:
    """Whether an id says that its response was made with `store: false` (wire: `01` after sixteen digits)."""
    digits = item_id.partition("_")[2]
    return len(digits) == 50 and digits[16:18] == "01"


def _holders(resource: Resource, item_id: str, now: float) -> list[list[Object]]:
    """The item lists of responses, first of the one that shares its first digits with the id."""
    shared = item_id.partition("_")[2][:18]
    records = [record for record in resource.store.list(RESPONSE) if record["created"] + RETENTION > now]
    records.sort(key=lambda record: record["id"][5:23] != shared)
    return [part for record in records for part in (record["response"]["output"], record["input"])]


def _conversations(resource: Resource) -> list[list[Object]]:
    return [conversation.get("items", []) for conversation in resource.store.list(CONVERSATION)]
