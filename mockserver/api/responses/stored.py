"""Responses as a resource keeps them, for thirty days of its clock: records by id, chains, items by id, conversations.

A record is a JSON document: `response` is the finished object with everything that `include` can ask for, `input` its input
items. What a caller sees of it (`output` decides) depends on what was included and on the `stage` of background work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.api.responses import refusals
from mockserver.state import work

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource

Json = Any
Object = dict[str, Json]
Record = dict[str, Json]
RESPONSE = "response"
CONVERSATION = "conversation"
CONVERSATION_ITEM = "conversation.item"
RETENTION = 30 * 24 * 3_600.0
STAGES = ("queued", "in_progress", "done")


def keep(resource: Resource, record: Record, now: float) -> None:
    """Keep a new record for as long as the service would, and have it done now or, at its first stage, in time."""
    names = [item["id"] for item in _items(record)]
    resource.store.put(RESPONSE, record["id"], record, due=now + RETENTION, names=names)
    if record["stage"] == STAGES[-1]:
        _append_to_conversation(resource, record)
    else:
        conversation = record["conversation"]
        work.begin(resource, RESPONSE, record["id"], now, into=(CONVERSATION, conversation) if conversation else None)


@work.stages(RESPONSE, *STAGES)
def _enter(resource: Resource, record: Record, stage: str, at: float) -> None:
    resource.store.update(RESPONSE, record["id"], {"stage": stage})
    if stage == STAGES[-1]:
        _append_to_conversation(resource, record)


def cancel(resource: Resource, record: Record, cancelled: Object) -> None:
    """End the background work on a response; `cancelled` is what it is from now on."""
    work.stop(resource, RESPONSE, record["id"])
    resource.store.update(RESPONSE, record["id"], {"response": cancelled, "stage": STAGES[-1]})


def chain(resource: Resource, response_id: str) -> list[Object]:
    """The items of a response and of all that it continues, oldest first. Raises ApiError 400 where a link is missing."""
    links: list[Record] = []
    next_id: str | None = response_id
    while next_id is not None:
        record = resource.store.get(RESPONSE, next_id)
        if record is None:
            raise refusals.previous_response_not_found(next_id)
        links.append(record)
        next_id = record["response"]["previous_response_id"]
    return [item for record in reversed(links) for item in _items(record)]


def conversation_items(resource: Resource, conversation_id: str, now: float) -> list[Object]:
    """The items of a conversation, oldest first; reading them is a poll. Raises ApiError 404 where there is none."""
    conversation = (CONVERSATION, conversation_id)
    work.poll(resource, *conversation, now)
    if resource.store.get(*conversation) is None:
        raise refusals.conversation_not_found(conversation_id)
    return list(resource.store.documents(CONVERSATION_ITEM, conversation))


def item(resource: Resource, item_id: str) -> Object:
    """The stored item with this id. Raises ApiError where it is not stored: 400 for one of `store: false`, else 404."""
    held = (item for record in resource.store.find(RESPONSE, item_id) for item in _items(record))
    for candidate in (*held, *resource.store.find(CONVERSATION_ITEM, item_id)):
        if candidate["id"] == item_id:
            return candidate
    raise refusals.item_not_found(item_id, persisted=not is_ephemeral(item_id))


def is_ephemeral(item_id: str) -> bool:
    """Whether an id says that its response was made with `store: false` (wire: `01` after sixteen digits)."""
    digits = item_id.partition("_")[2]
    return len(digits) == 50 and digits[16:18] == "01"


def _items(record: Record) -> list[Object]:
    return [*record["input"], *record["response"]["output"]]


def _append_to_conversation(resource: Resource, record: Record) -> None:
    """Give a conversation that is still there the items of a response. Of an item that it has, the first copy stays."""
    conversation, store = (CONVERSATION, record["conversation"]), resource.store
    if record["conversation"] is None or store.get(*conversation) is None:
        return
    for item in _items(record):
        place = f"{record['conversation']}/{item['id']}"  # callers may send items of one conversation to another
        if store.get(CONVERSATION_ITEM, place) is None:
            store.put(CONVERSATION_ITEM, place, item, parent=conversation, names=[item["id"]], accepted=True)
