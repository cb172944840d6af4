"""Responses as a resource keeps them, for thirty days of its clock: records by id, chains, items by id, conversations.

A record is a JSON document: `response` is the finished object with everything that `include` can ask for. What a caller sees of
it (`output` decides) depends on what was included and on the `stage` of background work. Below it hangs a document with its input
and output items and what it continues: that is all that later turns read, and they read many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.api.responses import refusals
from mockserver.resource.conversations import CONVERSATION, RESPONSE_ITEMS, add_items
from mockserver.resource.logs import RESPONSE as RESPONSE
from mockserver.state import work

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource

Json = Any
Object = dict[str, Json]
Record = dict[str, Json]
RETENTION = 30 * 24 * 3_600.0
STAGES = ("queued", "in_progress", "done")
_SPOKEN = ("completed", "incomplete")


def keep(resource: Resource, record: Record, given: list[Object], now: float) -> None:
    """Keep a new record and its input items for as long as the service would, and have it done now or, at its first stage, in time."""
    store, response = resource.store, record["response"]
    key = (RESPONSE, record["id"])
    items = {"continues": response["previous_response_id"], "input": given, "output": response["output"]}
    names = [item["id"] for item in (*given, *response["output"])]
    store.put(*key, record, due=now + RETENTION)
    store.put(RESPONSE_ITEMS, record["id"], items, parent=key, names=names, accepted=True)
    if record["stage"] == STAGES[-1]:
        _append_to_conversation(resource, record)
    else:
        conversation = record["conversation"]
        work.begin(resource, *key, now, into=(CONVERSATION, conversation) if conversation else None)


@work.stages(RESPONSE, *STAGES)
def _enter(resource: Resource, record: Record, stage: str, at: float) -> None:
    resource.store.update(RESPONSE, record["id"], {"stage": stage})
    if stage == STAGES[-1]:
        _append_to_conversation(resource, record)


def cancel(resource: Resource, record: Record, cancelled: Object) -> None:
    """End the background work on a response; `cancelled` is what it is from now on."""
    work.stop(resource, RESPONSE, record["id"])
    resource.store.update(RESPONSE, record["id"], {"response": cancelled, "stage": STAGES[-1]})
    resource.store.update(RESPONSE_ITEMS, record["id"], {"output": cancelled["output"]})


def chain(resource: Resource, response_id: str) -> list[Object]:
    """The items of a response and of all that it continues, oldest first. Raises ApiError 400 where a link is missing."""
    links: list[Object] = []
    next_id: str | None = response_id
    while next_id is not None:
        items = resource.store.get(RESPONSE_ITEMS, next_id)
        if items is None:
            raise refusals.previous_response_not_found(next_id)
        links.append(items)
        next_id = items["continues"]
    return [item for items in reversed(links) for item in _both(items)]


def _both(items: Object) -> list[Object]:
    return [*items["input"], *items["output"]]


def _append_to_conversation(resource: Resource, record: Record) -> None:
    """Give a conversation that is still there the items of a response, unless this failed."""
    conversation_id, store = record["conversation"], resource.store
    if conversation_id is None or record["response"]["status"] not in _SPOKEN:
        return
    items = store.get(RESPONSE_ITEMS, record["id"])
    if items is not None and store.get(CONVERSATION, conversation_id) is not None:
        add_items(resource, conversation_id, _both(items), accepted=True)
