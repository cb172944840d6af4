"""Attempts at one request put together: how each ended, and how long the client waited before the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange

Key = tuple[str, str, str, bytes]
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""The statuses after which the same request may succeed a moment later."""
_RETRY_COUNT = "x-stainless-retry-count"


@dataclass(slots=True)
class Attempts:
    """The exchanges in which a client tried the same request; all but the last failed.

    `overlapping` is true where the same request was under way twice at a time, so that it is unknown which attempt followed
    which.
    """

    exchanges: list[Exchange]
    overlapping: bool = False

    @property
    def last(self) -> Exchange:
        """The last attempt."""
        return self.exchanges[-1]

    def pairs(self) -> Iterator[tuple[Exchange, Exchange]]:
        """Each attempt but the last, with the one that followed."""
        return zip(self.exchanges, self.exchanges[1:], strict=False)


def group_attempts(exchanges: Iterable[Exchange]) -> list[Attempts]:
    """Attempts at the same request, in the order of their first ones.

    The SDKs number their attempts (`x-stainless-retry-count`), so these are grouped by number first; then whatever starts
    again after a failure is joined, as by a loop around a client.
    """
    groups: dict[Key, _Group] = {}
    for exchange in exchanges:
        key = (exchange.method, exchange.path, exchange.query, exchange.request_body)
        groups.setdefault(key, _Group()).add(exchange)
    joined = [attempts for group in groups.values() for attempts in _join(group.all)]
    return sorted(joined, key=lambda attempts: attempts.exchanges[0].number)


def failed(exchange: Exchange) -> bool:
    """Whether the client received an error, or no complete response."""
    return exchange.status >= 400 or exchange.fault is not None or exchange.hung_up


def connection_failed(exchange: Exchange) -> bool:
    """Whether the connection broke before any part of a stream had been sent."""
    return exchange.fault in ("cut", "stall", "reset") and not exchange.frames


def response_header(exchange: Exchange, name: str) -> str | None:
    """A header of the response by its name in lower case, None where it is absent."""
    wanted = name.encode()
    return next((value.decode("latin-1") for key, value in exchange.response_headers if key.lower() == wanted), None)


def error_code(exchange: Exchange) -> str:
    """The error's code, "" where there is none."""
    response = exchange.response
    error = response.get("error") if isinstance(response, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else ""


def target(exchange: Exchange) -> str:
    """What was called, for a message: the operation and its deployment, or method and path."""
    if not exchange.operation:
        return f"{exchange.method} {exchange.path!r:.100}"
    return f"{exchange.operation} on {exchange.deployment}" if exchange.deployment else exchange.operation


def wait_between(before: Exchange, after: Exchange) -> float:
    """Seconds from the end of one attempt to the next, on the clock that advanced further: the real one or the resource's."""
    return max(after.begun - before.ended, after.at - before.ended_at)


def requested_wait(exchange: Exchange) -> tuple[float, str]:
    """The wait that a response asks for, in seconds (0 for none), and the header that asks for it.

    As in the SDKs, `retry-after-ms` wins over `retry-after`, which is a number of seconds or a date.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = response_header(exchange, name)
        if value is None:
            continue
        number = _number(value)
        wait = number * unit if number is not None else _until(value, exchange.ended_at) if unit == 1.0 else None
        if wait is not None:
            return (wait if 0 < wait < float("inf") else 0.0), f"{name}: {value}"
    return 0.0, ""


def _number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def _until(date: str, now: float) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp() - now
    except ValueError:
        return None


class _Group:
    """Attempts with the same bytes: all of them, and those that have not succeeded yet."""

    def __init__(self) -> None:
        self.all: list[Attempts] = []
        self._unfinished: list[Attempts] = []

    def add(self, exchange: Exchange) -> None:
        """Add an exchange to the attempts that it continues: of several to those that waited longest; else begin new ones."""
        candidates = [attempts for attempts in self._unfinished if _precedes(attempts, exchange)]
        number = _retry_count(exchange)
        if number is not None:
            candidates = [attempts for attempts in candidates if _retry_count(attempts.last) == number - 1]
        attempts = min(candidates, key=lambda attempts: attempts.last.ended, default=None)
        if attempts is None:
            attempts = Attempts([])
            self.all.append(attempts)
            self._unfinished.append(attempts)
        attempts.exchanges.append(exchange)
        if not failed(exchange):
            self._unfinished.remove(attempts)


def _retry_count(exchange: Exchange) -> float | None:
    return _number(exchange.headers.get(_RETRY_COUNT, ""))


def _precedes(attempts: Attempts, exchange: Exchange) -> bool:
    # An exchange that is still under way has `ended` at 0.
    return 0.0 < attempts.last.ended <= exchange.begun


def _join(group: Sequence[Attempts]) -> list[Attempts]:
    """Join attempts that begin after others have failed, and mark those that overlap."""
    joined: list[Attempts] = []
    unfinished: list[Attempts] = []
    for attempts in group:
        before = next((one for one in reversed(unfinished) if _precedes(one, attempts.exchanges[0])), None)
        if before is not None:
            before.exchanges += attempts.exchanges
        else:
            joined.append(attempts)
            unfinished.append(attempts)
        unfinished = [one for one in unfinished if failed(one.last)]
    _mark_overlapping(joined)
    return joined


def _mark_overlapping(group: Sequence[Attempts]) -> None:
    latest: Attempts | None = None
    for attempts in group:
        if latest is not None and attempts.exchanges[0].begun < _end(latest):
            attempts.overlapping = latest.overlapping = True
        if latest is None or _end(attempts) > _end(latest):
            latest = attempts


def _end(attempts: Attempts) -> float:
    return attempts.last.ended or float("inf")
