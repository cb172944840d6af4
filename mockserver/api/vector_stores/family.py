"""What all vector store operations share: their traits, how they find what a path names, and how they list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.operations.table import family

if TYPE_CHECKING:
    from mockserver.operations.call import Call
    from mockserver.state.store import Page

Json = Any
operation = family(style="pretty")
_IN_PROGRESS = "in_progress"
_POLL_AFTER = [(b"openai-poll-after-ms", b"10")]


def listed(page: Page) -> dict[str, Json]:
    """A page in the envelope of these lists, whose keys are in an order of their own (recorded)."""
    data, more = page
    ends = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": data, "first_id": ends[0], "last_id": ends[1], "has_more": more}


def status_filter(call: Call, statuses: tuple[str, ...]) -> str | None:
    """The status that files in a list must have, None for any. Raises ApiError 400 for one that does not exist."""
    return call.query.choice("filter", statuses, statuses[0]) if call.query.last("filter") is not None else None


def poll_again(document: dict[str, Json]) -> list[tuple[bytes, bytes]]:
    """How soon SDKs should poll work that is not done: they wait a second where no header says less."""
    return _POLL_AFTER if document["status"] == _IN_PROGRESS else []
