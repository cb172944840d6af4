"""Lists as the service pages them: `limit`, `order`, `after` and `before`, and the envelope around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from mockserver.operations.complaints import check_range
from mockserver.state.store import Cursor, Page, paged

if TYPE_CHECKING:
    from mockserver.operations.query import Query

Json = Any
Order = Literal["asc", "desc"]
_ORDERS: tuple[Order, ...] = ("asc", "desc")


def cursor(query: Query, *, order: Order = "desc", limit: int = 20, most: int = 100) -> Cursor:
    """The cursor that a query asks for. Raises ApiError 400 for a limit or an order that does not exist."""
    size = query.integer("limit", limit)
    check_range("limit", size, 1, most)
    return Cursor(size, query.choice("order", _ORDERS, order), query.last("after"), query.last("before"))


def list_object(page: Page, *, ends_first: bool = False) -> dict[str, Json]:
    """A page in the list envelope. Families older than responses write both `ends_first`, and `has_more` last (recorded)."""
    data, more = page
    first, last = (data[0]["id"], data[-1]["id"]) if data else (None, None)
    if ends_first:
        return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": more}
    return {"object": "list", "data": data, "first_id": first, "has_more": more, "last_id": last}


def page(newest_last: Sequence[Json], cursor: Cursor) -> dict[str, Json]:
    """One page of items that are no documents of their own, in the list envelope. Raises ApiError 400 for a cursor among none of them."""
    numbers = {item["id"]: at for at, item in enumerate(newest_last)}
    return list_object(paged(len(newest_last), cursor, numbers.get, newest_last.__getitem__))
