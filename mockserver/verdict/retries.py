"""Judgements on how a client tries again: too early, too often, in vain, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mockserver.verdict.attempts import (
    PASSING,
    Attempts,
    answered,
    broken,
    code,
    demanded,
    failed,
    named,
    waited,
)
from mockserver.verdict.findings import Finding

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange

SLACK = 0.95
STORM, WITHIN = 6, 10.0
AT_ONCE = 0.02
LONG_ENOUGH = 8.0
LONGEST_WAIT = 120.0
_FOR_GOOD = frozenset({400, 401, 403, 404, 413, 422})
_FILTERED = ("content_filter", "ResponsibleAIPolicyViolation", "ContentFiltered")
# What differs from attempt to attempt of the same request, or says nothing about what is asked for.
_PASSING_HEADERS = frozenset(
    {
        "baggage",
        "date",
        "idempotency-key",
        "request-id",
        "traceparent",
        "tracestate",
        "x-client-request-id",
        "x-correlation-id",
        "x-ms-client-request-id",
        "x-request-id",
        "x-stainless-read-timeout",
        "x-stainless-retry-count",
        "x-stainless-timeout",
    }
)


def retry_after_ignored(requests: Sequence[Attempts]) -> list[Finding]:
    """Attempts that came before the time that the answer to the one before had told."""
    found = []
    for attempts in _told_apart(requests):
        early = [pair for pair in attempts.pairs() if waited(*pair) < demanded(pair[0])[0] * SLACK]
        if early:
            before, after = min(early, key=lambda pair: waited(*pair))
            wait, header = demanded(before)
            again = f"; so it did {len(early)} times" if len(early) > 1 else ""
            message = (
                f"{named(before)} was told to wait {_duration(wait)} ({header}) and came again "
                f"{_after(waited(before, after))}{again}."
            )
            found.append(Finding("retry_after_ignored", message, _numbers(early)))
    return found


def refused_and_repeated(requests: Sequence[Attempts]) -> list[Finding]:
    """Requests that were refused for good, or withheld by the content filter, and came again unchanged."""
    found = []
    for attempts in requests:
        vain = [pair for pair in attempts.pairs() if _for_good(pair[0]) and _unchanged(*pair)]
        filtered = [pair for pair in vain if _is_filtered(pair[0])]
        refused = [pair for pair in vain if not _is_filtered(pair[0])]
        for finding, pairs in (("content_filter_retried", filtered), ("non_retryable_retried", refused)):
            if pairs:
                first = pairs[0][0]
                why = f"{first.status}, {code(first)}" if code(first) not in ("", str(first.status)) else str(first.status)
                message = f"{named(first)} was refused ({why}) and came again unchanged{_times(len(pairs))}."
                found.append(Finding(finding, message, _numbers(pairs)))
    return found


def retry_storms(requests: Sequence[Attempts]) -> list[Finding]:
    """Many attempts in a short time; those that waited as long as they were told do not count."""
    found = []
    for attempts in _told_apart(requests):
        storm: list[Exchange] = []
        worst: list[Exchange] = []
        for before, after in attempts.pairs():
            wait = demanded(before)[0]
            as_told = wait > 0 and waited(before, after) >= wait * SLACK
            on_purpose = before.hung_up and before.fault is None
            storm = [] if as_told or on_purpose else [*(storm or [before]), after]
            while storm and _span(storm) > WITHIN:
                storm = storm[1:]
            worst = max(worst, storm, key=len)
        if len(worst) >= STORM:
            message = f"{named(worst[0])} was tried {len(worst)} times within {_duration(_span(worst))}."
            found.append(Finding("retry_storm", message, tuple(one.number for one in worst)))
    return found


def no_backoff(requests: Sequence[Attempts]) -> list[Finding]:
    """Attempts after passing failures without a wait, or with always the same, where the answers demanded none."""
    found = []
    for attempts in _told_apart(requests):
        pairs = [pair for pair in attempts.pairs() if pair[0].status in PASSING and not demanded(pair[0])[0]]
        waits = [waited(*pair) for pair in pairs]
        if len(waits) >= 2 and max(waits) < AT_ONCE:
            how = f"at once{_times(len(waits))}"
        elif len(waits) >= 3 and waits[0] < LONG_ENOUGH and max(waits) <= 1.25 * min(waits):
            how = f"{_times(len(waits)).strip()}, always after about {_duration(sum(waits) / len(waits))}"
        else:
            continue
        message = f"{named(pairs[0][0])} failed ({_statuses(pair[0] for pair in pairs)}) and came again {how}."
        found.append(Finding("no_backoff", message, _numbers(pairs)))
    return found


def gave_up_early(requests: Sequence[Attempts]) -> list[Finding]:
    """Passing failures after which nothing was tried: neither the same again, nor another deployment."""
    lone = [attempts.last for attempts in requests if len(attempts.exchanges) == 1 and _passes(attempts.last)]
    asked: dict[str, list[Exchange]] = {}
    for one in (attempts.exchanges[0] for attempts in requests if lone):
        asked.setdefault(_wish(one), []).append(one)
    alike: dict[str, list[int]] = {}
    for one in lone:
        if not any(_falls_back(one, other) for other in asked[_wish(one)]):
            how = f"the connection broke, {one.fault}" if broken(one) else str(one.status)
            alike.setdefault(f"{named(one)} failed ({how})", []).append(one.number)
    return [Finding("gave_up_early", f"{what} and was not tried again.", tuple(numbers)) for what, numbers in alike.items()]


def _told_apart(requests: Iterable[Attempts]) -> list[Attempts]:
    """Those whose attempts surely follow one another, so that the time between them is known."""
    return [attempts for attempts in requests if not attempts.crowded]


def _for_good(exchange: Exchange) -> bool:
    if answered(exchange, "x-should-retry") == "true" or code(exchange) == "unmatched_request":
        return False
    # Asking again for what is not there yet is polling; sending it again is not.
    return exchange.status in _FOR_GOOD and (exchange.status != 404 or exchange.method == "POST")


def _unchanged(before: Exchange, after: Exchange) -> bool:
    """Whether the headers are the same too: another token or preview header makes another request."""

    def kept(exchange: Exchange) -> dict[str, str]:
        return {name: value for name, value in exchange.headers.items() if name not in _PASSING_HEADERS}

    return kept(before) == kept(after)


def _is_filtered(exchange: Exchange) -> bool:
    error = exchange.response.get("error") if isinstance(exchange.response, dict) else None
    inner = error.get("innererror") if isinstance(error, dict) else None
    return code(exchange) in _FILTERED or (isinstance(inner, dict) and inner.get("code") in _FILTERED)


def _passes(exchange: Exchange) -> bool:
    """Whether the SDKs would try again: what fails for the moment, unless the answer says that it lasts."""
    if answered(exchange, "x-should-retry") == "false" or code(exchange) == "insufficient_quota":
        return False
    passing = exchange.status in PASSING and failed(exchange)
    return (passing or broken(exchange)) and demanded(exchange)[0] <= LONGEST_WAIT


def _wish(exchange: Exchange) -> str:
    """What is asked for, whichever deployment it is asked of."""
    body = exchange.request
    return f"{exchange.operation} { ({**body, 'model': None} if isinstance(body, dict) else body)!r}"


def _falls_back(one: Exchange, other: Exchange) -> bool:
    """Whether another deployment is asked afterwards."""
    return other.begun >= one.ended and other.deployment != one.deployment


def _numbers(pairs: Iterable[tuple[Exchange, Exchange]]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(one.number for pair in pairs for one in pair))


def _statuses(exchanges: Iterable[Exchange]) -> str:
    return ", ".join(str(status) for status in dict.fromkeys(one.status for one in exchanges))


def _span(exchanges: Sequence[Exchange]) -> float:
    """Seconds from the first to the last, by the clock that moved on more."""
    return max(exchanges[-1].begun - exchanges[0].begun, exchanges[-1].at - exchanges[0].at)


def _times(count: int) -> str:
    return f" {count} times" if count > 1 else ""


def _after(seconds: float) -> str:
    return f"after {_duration(seconds)}" if seconds >= 0.0005 else "at once"


def _duration(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
