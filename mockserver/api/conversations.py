"""`/conversations` and their items, which responses read and add to.

Shapes are recorded on Azure's project route and on the sister service; the order of keys is the sister service's, since the project
route writes everything anew. No operation with a body takes more than 20 items (spec).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from mockserver.errors import ApiError, request_error
from mockserver.operations import objects
from mockserver.operations.body import Body, Metadata
from mockserver.operations.call import Call, Result
from mockserver.operations.lists import cursor, list_object
from mockserver.operations.sealing import Seal
from mockserver.operations.table import family
from mockserver.operations.visible import INCLUDES, hide_images, reveal
from mockserver.resource.conversations import (
    CONVERSATION,
    add_items,
    conversation_item,
    conversation_not_found,
    conversation_page,
    delete_conversation_item,
    new_items,
    read_conversation,
)
from mockserver.state.ids import SharedIds
from mockserver.state.store import Page

Json = Any
Object = dict[str, Json]
Items = Annotated[list[Object], Field(max_length=20)]
operation = family(style="pretty")


class CreateRequest(Body):
    """The body of createConversation."""

    metadata: Metadata | None = None
    items: Items | None = None


class UpdateRequest(Body):
    """The body of updateConversation."""

    metadata: Metadata | None


class ItemsRequest(Body):
    """The body of createConversationItems."""

    items: Items


@operation("POST", "/conversations", "createConversation", body=CreateRequest)
def create(call: Call) -> Result:
    """Begin a conversation, with up to 20 items in it. The response does not list them (recorded)."""
    body: CreateRequest = call.body
    conversation: Object = {
        "id": call.new_id or SharedIds(call.chance, call.created).new("conv"),
        "object": "conversation",
        "created_at": call.created,
        "metadata": body.metadata or {},
    }
    items = new_items(call.resource, body.items, call.chance, conversation)
    call.resource.store.put(CONVERSATION, conversation["id"], conversation)
    add_items(call.resource, conversation["id"], items, accepted=True)
    return Result(conversation)


@operation("GET", "/conversations/{conversation_id}", "retrieveConversation")
def retrieve(call: Call) -> Result:
    """Return a conversation."""
    return Result(read_conversation(call.resource, call.path["conversation_id"], call.now))


@operation("POST", "/conversations/{conversation_id}", "updateConversation", body=UpdateRequest)
def update(call: Call) -> Result:
    """Replace a conversation's metadata (recorded)."""
    conversation_id = _conversation(call)["id"]
    return Result(call.resource.store.update(CONVERSATION, conversation_id, {"metadata": call.body.metadata or {}}))


@operation("DELETE", "/conversations/{conversation_id}", "deleteConversation")
def delete(call: Call) -> Result:
    """Delete a conversation. The responses that belonged to it stay (spec: items are not deleted)."""
    conversation_id = _conversation(call)["id"]
    call.resource.store.delete(CONVERSATION, conversation_id)
    return Result(objects.deleted(conversation_id, "conversation.deleted"))


@operation("GET", "/conversations/{conversation_id}/items", "listConversationItems")
def list_items(call: Call) -> Result:
    """List the items of a conversation, newest first (recorded)."""
    conversation, include, wanted = _conversation(call), _include(call), cursor(call.query)
    data, more = conversation_page(call.resource, conversation["id"], wanted)
    return Result(list_object(Page(_visible(data, include, conversation, call.resource.seal), more)))


@operation("POST", "/conversations/{conversation_id}/items", "createConversationItems", body=ItemsRequest)
def create_items(call: Call) -> Result:
    """Add up to 20 items to a conversation, and list them in their order (recorded)."""
    conversation, include = _conversation(call), _include(call)
    items = new_items(call.resource, call.body.items, call.chance, conversation)
    add_items(call.resource, conversation["id"], items)
    return Result(list_object(Page(_visible(items, include, conversation, call.resource.seal), has_more=False)))


@operation("GET", "/conversations/{conversation_id}/items/{item_id}", "retrieveConversationItem")
def retrieve_item(call: Call) -> Result:
    """Return an item of a conversation."""
    conversation, include = _conversation(call), _include(call)
    return Result(_visible([_item(call)], include, conversation, call.resource.seal)[0])


@operation("DELETE", "/conversations/{conversation_id}/items/{item_id}", "deleteConversationItem")
def delete_item(call: Call) -> Result:
    """Take an item out of a conversation, and return the conversation (recorded)."""
    conversation = _conversation(call)
    delete_conversation_item(call.resource, conversation["id"], _item(call)["id"])
    return Result(conversation)


def _conversation(call: Call) -> Object:
    return objects.stored(call, CONVERSATION, "conversation_id", conversation_not_found)


def _item(call: Call) -> Object:
    conversation_id, item_id = call.path["conversation_id"], call.path["item_id"]
    item = conversation_item(call.resource, conversation_id, item_id)
    if item is None:
        raise _item_not_found(conversation_id, item_id)
    return item


def _include(call: Call) -> list[str]:
    return call.query.choices("include", INCLUDES)


def _visible(items: list[Object], include: list[str], conversation: Object, seal: Seal) -> list[Object]:
    revealed = reveal(items, include, conversation["created_at"], seal)
    return [hide_images(item, include) for item in revealed]


def _item_not_found(conversation_id: str, item_id: str) -> ApiError:
    """A conversation without such an item (recalled)."""
    message = f"Item with id '{item_id}' not found in conversation '{conversation_id}'."
    return request_error(message, status=404)
