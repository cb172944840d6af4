"""Exchanges put together that are attempts at one thing, how they ended, and how long the client waited between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange

Json = Any
Key = tuple[str, str, str, bytes]
PASSING = frozenset({408, 429, 500, 502, 503, 504})
_RETRY_COUNT = "x-stainless-retry-count"


@dataclass(slots=True)
class Attempts:
    """One thing that a client wanted: the exchanges in which it tried, each but the last of which failed.

    `crowded` says that the same was asked for twice at a time, so that nobody can tell which attempt followed which.
    """

    exchanges: list[Exchange]
    crowded: bool = False

    @property
    def last(self) -> Exchange:
        """The last attempt."""
        return self.exchanges[-1]

    def pairs(self) -> Iterator[tuple[Exchange, Exchange]]:
        """Each attempt but the last, with the one that followed."""
        return zip(self.exchanges, self.exchanges[1:], strict=False)


def grouped(exchanges: Iterable[Exchange]) -> list[Attempts]:
    """Attempts at one thing, in the order of their first ones.

    The SDKs number theirs (`x-stainless-retry-count`), so those are joined by number; then what begins again after a failure,
    as a loop around a client does.
    """
    alike: dict[Key, _Chains] = {}
    for exchange in exchanges:
        key = (exchange.method, exchange.path, exchange.query, exchange.request_body)
        alike.setdefault(key, _Chains()).add(exchange)
    joined = [attempts for chains in alike.values() for attempts in _joined(chains.all)]
    return sorted(joined, key=lambda attempts: attempts.exchanges[0].number)


def failed(exchange: Exchange) -> bool:
    """Whether the client got no whole answer, or an error."""
    return exchange.status >= 400 or exchange.fault is not None or exchange.hung_up


def broken(exchange: Exchange) -> bool:
    """Whether the connection failed before any part of a stream had come."""
    return exchange.fault in ("cut", "stall", "reset") and not exchange.frames


def answered(exchange: Exchange, name: str) -> str | None:
    """A header of the answer by its name in lower case, None where it is absent."""
    wanted = name.encode()
    return next((value.decode("latin-1") for key, value in exchange.response_headers if key.lower() == wanted), None)


def code(exchange: Exchange) -> str:
    """The error's code, "" where there is none."""
    answer = exchange.response
    error = answer.get("error") if isinstance(answer, dict) else None
    found = error.get("code") if isinstance(error, dict) else None
    return found if isinstance(found, str) else ""


def named(exchange: Exchange) -> str:
    """What was called, for a message: the operation and its deployment, or method and path."""
    if not exchange.operation:
        return f"{exchange.method} {exchange.path!r:.100}"
    return f"{exchange.operation} on {exchange.deployment}" if exchange.deployment else exchange.operation


def waited(before: Exchange, after: Exchange) -> float:
    """Seconds from the end of one attempt to the next, by the real clock or by the resource's, whichever moved on more."""
    return max(after.begun - before.ended, after.at - before.ended_at)


def demanded(exchange: Exchange) -> tuple[float, str]:
    """The wait that an answer asks for, in seconds (0 for none), and its header.

    `retry-after-ms` decides where it is there, as in the SDKs; `retry-after` is a number of seconds or a date.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = answered(exchange, name)
        if value is None:
            continue
        wait = _number(value)
        wait = wait * unit if wait is not None else _until(value, exchange.ended_at) if unit == 1.0 else None
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


class _Chains:
    """Attempts with the same bytes: all of them, and those that have not succeeded yet."""

    def __init__(self) -> None:
        self.all: list[Attempts] = []
        self._open: list[Attempts] = []

    def add(self, exchange: Exchange) -> None:
        """Add an exchange to the chain that it goes on, of several to the one that has waited longest, else begin one."""
        waiting = [chain for chain in self._open if _precedes(chain, exchange)]
        number = _number(exchange.headers.get(_RETRY_COUNT, ""))
        if number is not None:
            waiting = [chain for chain in waiting if _number(chain.last.headers.get(_RETRY_COUNT, "")) == number - 1]
        chain = min(waiting, key=lambda chain: chain.last.ended, default=None)
        if chain is None:
            chain = Attempts([])
            self.all.append(chain)
            self._open.append(chain)
        chain.exchanges.append(exchange)
        if not failed(exchange):
            self._open.remove(chain)


def _precedes(chain: Attempts, exchange: Exchange) -> bool:
    return 0.0 < chain.last.ended <= exchange.begun


def _joined(chains: Sequence[Attempts]) -> list[Attempts]:
    """Chains of which one begins after another had failed become one; those that overlap are marked."""
    found: list[Attempts] = []
    unfinished: list[Attempts] = []
    for chain in chains:
        before = next((one for one in reversed(unfinished) if _precedes(one, chain.exchanges[0])), None)
        if before is not None:
            before.exchanges += chain.exchanges
        else:
            found.append(chain)
            unfinished.append(chain)
        unfinished = [one for one in unfinished if failed(one.last)]
    _mark_crowded(found)
    return found


def _mark_crowded(found: Sequence[Attempts]) -> None:
    longest: Attempts | None = None
    for one in found:
        if longest is not None and one.exchanges[0].begun < _end(longest):
            one.crowded = longest.crowded = True
        if longest is None or _end(one) > _end(longest):
            longest = one


def _end(attempts: Attempts) -> float:
    return attempts.last.ended or float("inf")
