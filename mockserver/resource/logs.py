"""What models have answered and a resource has kept: chat completions and responses, for whoever reads them later.

Their own families write them, evals read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.resource.conversations import RESPONSE_ITEMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mockserver.state.store import Document, Store

Json = Any
COMPLETION = "chat.completion"
COMPLETION_MESSAGE = "chat.completion.message"
RESPONSE = "response"


def completions(store: Store) -> Iterator[Document]:
    """The stored completions, oldest first."""
    return store.documents(COMPLETION)


def completion_messages(store: Store, completion_id: str) -> list[Document]:
    """The messages that a stored completion answers, as chat takes them."""
    found = store.documents(COMPLETION_MESSAGE, (COMPLETION, completion_id))
    return [{"role": one["role"], "content": one["content_parts"] or one["content"]} for one in found]


def responses(store: Store) -> Iterator[Document]:
    """The finished responses that are stored, oldest first."""
    for record in store.documents(RESPONSE):
        if record["stage"] == "done":
            yield record["response"]


def response_input(store: Store, response_id: str) -> list[Json]:
    """The input items of a stored response."""
    items = store.get(RESPONSE_ITEMS, response_id)
    return items["input"] if items is not None else []
