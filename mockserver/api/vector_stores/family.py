"""What all vector store operations share: their traits, filters of lists, and how soon to poll again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.operations.table import family
from mockserver.resource.vector_stores import STATUSES

if TYPE_CHECKING:
    from mockserver.operations.call import Call

Json = Any
operation = family(style="pretty")
_IN_PROGRESS = "in_progress"
_POLL_AFTER = [(b"openai-poll-after-ms", b"10")]


def status_filter(call: Call) -> dict[str, Json]:
    """What files in a list must have: the status that `filter` names, if any. Raises ApiError 400 for one that does not exist."""
    return {"status": call.query.choice("filter", STATUSES, STATUSES[0])} if call.query.last("filter") is not None else {}


def poll_again(document: dict[str, Json]) -> list[tuple[bytes, bytes]]:
    """How soon SDKs should poll work that is not done: they wait a second where no header says less."""
    return _POLL_AFTER if document["status"] == _IN_PROGRESS else []
