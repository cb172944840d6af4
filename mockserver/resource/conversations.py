"""The items that a resource keeps: those of stored responses, and those of conversations, which responses read and add to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mockserver.errors import ApiError, request_error
from mockserver.operations.items import identify, normalise
from mockserver.state import work
from mockserver.state.ids import SharedIds

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.state.chance import Chance
    from mockserver.state.store import Cursor, Document, Page

Json = Any
Object = dict[str, Json]
CONVERSATION = "conversation"
CONVERSATION_ITEM = "conversation.item"
RESPONSE_ITEMS = "response.items"
"""A document below each stored response: its `input`, its `output`, and the id of the response that it `continues`."""


def conversation_not_found(conversation_id: str) -> ApiError:
    """A conversation that is not stored (recalled)."""
    return request_error(f"Conversation with id '{conversation_id}' not found.", status=404)


def item_not_found(item_id: str, *, persisted: bool) -> ApiError:
    """An item that an input names and that is not stored (reported: 400 for items of `store: false`, 404 for others)."""
    if persisted:
        return request_error(f"Item with id '{item_id}' not found.", param="input", status=404)
    message = (
        f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false. Try again with `store` set to "
        "true, or remove this item from your input."
    )
    return request_error(message, param="input")


def is_ephemeral(item_id: str) -> bool:
    """Whether an id says that its response was made with `store: false` (wire: `01` after sixteen digits)."""
    digits = item_id.partition("_")[2]
    return len(digits) == 50 and digits[16:18] == "01"


def find_item(resource: Resource, item_id: str) -> Object:
    """The stored item with this id. Raises ApiError where it is not stored: 400 for one of `store: false`, else 404."""
    for candidate in _candidates(resource, item_id):
        if candidate["id"] == item_id:
            return candidate
    raise item_not_found(item_id, persisted=not is_ephemeral(item_id))


def _candidates(resource: Resource, item_id: str) -> Iterator[Object]:
    for items in resource.store.find(RESPONSE_ITEMS, item_id):
        yield from items["input"]
        yield from items["output"]
    yield from resource.store.find(CONVERSATION_ITEM, item_id)


def read_conversation(resource: Resource, conversation_id: str, now: float) -> Document:
    """The conversation; reading it is a poll of the work whose outcome goes into it. Raises ApiError 404 where there is none."""
    work.poll(resource, CONVERSATION, conversation_id, now)
    conversation = resource.store.get(CONVERSATION, conversation_id)
    if conversation is None:
        raise conversation_not_found(conversation_id)
    return conversation


def conversation_items(resource: Resource, conversation_id: str, now: float) -> list[Object]:
    """All items of a conversation, oldest first. Raises ApiError 404 where there is none."""
    read_conversation(resource, conversation_id, now)
    return list(resource.store.documents(CONVERSATION_ITEM, (CONVERSATION, conversation_id)))


def conversation_page(resource: Resource, conversation_id: str, cursor: Cursor) -> Page:
    """One page of a conversation's items. A cursor names items by their own ids."""
    after = cursor.after and _place(conversation_id, cursor.after)
    before = cursor.before and _place(conversation_id, cursor.before)
    placed = replace(cursor, after=after, before=before)
    return resource.store.page(CONVERSATION_ITEM, placed, parent=(CONVERSATION, conversation_id))


def conversation_item(resource: Resource, conversation_id: str, item_id: str) -> Object | None:
    """An item of a conversation, None where it has none with this id."""
    return resource.store.get(CONVERSATION_ITEM, _place(conversation_id, item_id))


def delete_conversation_item(resource: Resource, conversation_id: str, item_id: str) -> bool:
    """Take an item out of a conversation; say whether it was there. The response that it came from keeps its own copy."""
    return resource.store.delete(CONVERSATION_ITEM, _place(conversation_id, item_id))


def new_items(resource: Resource, items: list[Object] | None, chance: Chance, conversation: Object) -> list[Object]:
    """Items of a body as a conversation keeps them, all with ids, which end like the conversation's own (recorded on the sister service).

    Raises ApiError for items that are wrong, or refer to items that are not stored.
    """
    checked = resource.refuses("item_ids")
    normal = normalise(items, lambda item_id: find_item(resource, item_id), "items", check_ids=checked)
    return identify(normal, SharedIds(chance, conversation["created_at"], conversation["id"]))


def add_items(resource: Resource, conversation_id: str, items: Iterable[Object], *, accepted: bool = False) -> None:
    """Put items behind those of a conversation that is stored. Of an item that it has, the first copy stays.

    A full store refuses all of them or, where they are part of something that was `accepted` before, none.
    """
    for item in items:
        place = _place(conversation_id, item["id"])
        if resource.store.get(CONVERSATION_ITEM, place) is None:
            resource.store.put(
                CONVERSATION_ITEM,
                place,
                item,
                parent=(CONVERSATION, conversation_id),
                names=[item["id"]],
                accepted=accepted,
            )
            accepted = True


def _place(conversation_id: str, item_id: str) -> str:
    """Where an item is kept: callers may send items of one conversation to another, so its id alone does not tell."""
    return f"{conversation_id}/{item_id}"
