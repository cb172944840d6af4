"""Lists as the service pages them: `limit`, `order`, `after` and `before`, and the envelope around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mockserver.operations.complaints import check_range

if TYPE_CHECKING:
    from mockserver.operations.query import Query

Json = Any
Order = Literal["asc", "desc"]
_ORDERS: tuple[Order, ...] = ("asc", "desc")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins and how long it is. `after` and `before` are ids of items outside the page."""

    limit: int = 20
    order: str = "desc"
    after: str | None = None
    before: str | None = None


def cursor(query: Query, *, order: Order = "desc", limit: int = 20, most: int = 100) -> Cursor:
    """The cursor that a query asks for. Raises ApiError 400 for a limit or an order that does not exist."""
    size = query.integer("limit", limit)
    check_range("limit", size, 1, most)
    return Cursor(size, query.choice("order", _ORDERS, order), query.last("after"), query.last("before"))


def page(newest_last: Sequence[Json], cursor: Cursor) -> dict[str, Json]:
    """One page of `newest_last` (dicts with an `id`) in the list envelope. An id that is not there begins at the start."""
    items = list(newest_last) if cursor.order == "asc" else list(reversed(newest_last))
    places = {item["id"]: at for at, item in enumerate(items)}
    start = places.get(cursor.after, -1) + 1
    end = places.get(cursor.before, len(items))
    window = items[start:end]
    if cursor.before is not None and cursor.after is None:
        data, more = window[-cursor.limit :], len(window) > cursor.limit
    else:
        data, more = window[: cursor.limit], len(window) > cursor.limit
    ends = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    return {"object": "list", "data": data, "first_id": ends[0], "has_more": more, "last_id": ends[1]}
