"""Lists as the service pages them: `limit`, `order`, `after` and `before`, and the envelope around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mockserver import errors

Json = Any


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins and how long it is. `after` and `before` are ids of items outside the page."""

    limit: int = 20
    order: str = "desc"
    after: str | None = None
    before: str | None = None


def cursor(query: Mapping[str, Sequence[str]], *, order: str = "desc", limit: int = 20, most: int = 100) -> Cursor:
    """The cursor that a query asks for. Raises ApiError 400 for a limit or an order that does not exist."""
    asked = query.get("limit", [str(limit)])[-1]
    if not asked.lstrip("-").isdecimal():
        raise errors.invalid_type("limit", "an integer", "a string")
    number = int(asked[:20])
    if not 1 <= number <= most:
        raise _limit_error(number, most)
    wanted = query.get("order", [order])[-1]
    if wanted not in ("asc", "desc"):
        raise errors.unsupported_choice("order", wanted, ["asc", "desc"])
    return Cursor(number, wanted, _last(query, "after"), _last(query, "before"))


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


def _limit_error(number: int, most: int) -> errors.ApiError:
    side, bound, code = (
        ("below minimum", ">= 1", "integer_below_min_value")
        if number < 1
        else ("above maximum", f"<= {most}", "integer_above_max_value")
    )
    message = f"Invalid 'limit': integer {side} value. Expected a value {bound}, but got {number} instead."
    return errors.invalid_value("limit", message, code)


def _last(query: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = query.get(name)
    return values[-1] if values and values[-1] else None
