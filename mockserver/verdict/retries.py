"""Findings about retries: too early, too often, in vain, or none at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mockserver.verdict.attempts import (
    TRANSIENT,
    Attempts,
    connection_failed,
    error_code,
    failed,
    requested_wait,
    response_header,
    target,
    wait_between,
)
from mockserver.verdict.findings import Finding

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange

# A client's timer and ours do not tick alike, so a wait may be this much shorter than requested.
TOLERANCE = 0.95
# Twice the three attempts that the SDKs make, within less time than their default waits would take for as many.
STORM_ATTEMPTS, STORM_SECONDS = 6, 10.0
# A wait that is shorter was none: a loop and the network take this long by themselves.
IMMEDIATE_SECONDS = 0.02
# The longest wait between attempts that the SDKs choose themselves; always waiting this long is backoff enough.
LONGEST_BACKOFF = 8.0
# The longest wait that a response can ask the SDKs for; after a longer one they give up, rightly.
LONGEST_REQUESTED_WAIT = 120.0
_PERMANENT = frozenset({400, 401, 403, 404, 413, 422})
_FILTERED = ("content_filter", "ResponsibleAIPolicyViolation", "ContentFiltered")
# Headers that differ between attempts at the same request, or do not matter to what is requested.
_VOLATILE_HEADERS = frozenset(
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
    """Attempts that came before the time that the previous response had asked for."""
    found = []
    for attempts in _sequential(requests):
        early = [pair for pair in attempts.pairs() if wait_between(*pair) < requested_wait(pair[0])[0] * TOLERANCE]
        if early:
            before, after = min(early, key=lambda pair: wait_between(*pair))
            wait, header = requested_wait(before)
            others = f"; in all, {len(early)} retries came too early" if len(early) > 1 else ""
            message = (
                f"{target(before)} was retried {_after(wait_between(before, after))}, although the response asked for a wait of "
                f"{_duration(wait)} ({header}){others}."
            )
            found.append(Finding("retry_after_ignored", message, _numbers(early)))
    return found


def refusals_retried(requests: Sequence[Attempts]) -> list[Finding]:
    """Requests that were refused for good, or blocked by the content filter, and were sent again unchanged."""
    found = []
    for attempts in requests:
        vain = [pair for pair in attempts.pairs() if _refused_for_good(pair[0]) and _same_headers(*pair)]
        filtered = [pair for pair in vain if _is_filtered(pair[0])]
        refused = [pair for pair in vain if not _is_filtered(pair[0])]
        for kind, pairs in (("content_filter_retried", filtered), ("non_retryable_retried", refused)):
            if pairs:
                first = pairs[0][0]
                code = error_code(first)
                why = f"{first.status}, {code}" if code not in ("", str(first.status)) else str(first.status)
                message = f"{target(first)} was refused ({why}) and retried unchanged{_times(len(pairs))}."
                found.append(Finding(kind, message, _numbers(pairs)))
    return found


def retry_storm(requests: Sequence[Attempts]) -> list[Finding]:
    """Many attempts in a short time; those that waited as long as requested do not count."""
    found = []
    for attempts in _sequential(requests):
        storm: list[Exchange] = []
        worst: list[Exchange] = []
        for before, after in attempts.pairs():
            wait = requested_wait(before)[0]
            as_requested = wait > 0 and wait_between(before, after) >= wait * TOLERANCE
            on_purpose = before.hung_up and before.fault is None
            storm = [] if as_requested or on_purpose else [*(storm or [before]), after]
            while storm and _span(storm) > STORM_SECONDS:
                storm = storm[1:]
            worst = max(worst, storm, key=len)
        if len(worst) >= STORM_ATTEMPTS:
            message = f"{target(worst[0])} was attempted {len(worst)} times within {_duration(_span(worst))}."
            found.append(Finding("retry_storm", message, tuple(exchange.number for exchange in worst)))
    return found


def no_backoff(requests: Sequence[Attempts]) -> list[Finding]:
    """Retries of transient failures without a wait, or with always the same, where the responses asked for none."""
    found = []
    for attempts in _sequential(requests):
        pairs = [pair for pair in attempts.pairs() if pair[0].status in TRANSIENT and not requested_wait(pair[0])[0]]
        waits = [wait_between(*pair) for pair in pairs]
        if len(waits) >= 2 and max(waits) < IMMEDIATE_SECONDS:
            how = f"immediately{_times(len(waits))}"
        # Waits that differ by less than a quarter do not grow: the SDKs double theirs.
        elif len(waits) >= 3 and waits[0] < LONGEST_BACKOFF and max(waits) <= 1.25 * min(waits):
            how = f"{_times(len(waits)).strip()}, each time after about {_duration(sum(waits) / len(waits))}"
        else:
            continue
        message = f"{target(pairs[0][0])} failed ({_statuses(pair[0] for pair in pairs)}) and was retried {how}."
        found.append(Finding("no_backoff", message, _numbers(pairs)))
    return found


def gave_up_early(requests: Sequence[Attempts]) -> list[Finding]:
    """Transient failures that the client neither retried nor took to another deployment."""
    lone = [attempts.last for attempts in requests if len(attempts.exchanges) == 1 and _worth_retrying(attempts.last)]
    similar: dict[str, list[Exchange]] = {}
    for exchange in (attempts.exchanges[0] for attempts in requests if lone):
        similar.setdefault(_without_deployment(exchange), []).append(exchange)
    numbers: dict[str, list[int]] = {}
    for exchange in lone:
        if not any(_falls_back(exchange, other) for other in similar[_without_deployment(exchange)]):
            how = f"connection broke: {exchange.fault}" if connection_failed(exchange) else str(exchange.status)
            numbers.setdefault(f"{target(exchange)} failed ({how}) and was not retried.", []).append(exchange.number)
    return [Finding("gave_up_early", message, tuple(calls)) for message, calls in numbers.items()]


def _sequential(requests: Iterable[Attempts]) -> list[Attempts]:
    """Those whose attempts followed one another, so that the waits between them are known."""
    return [attempts for attempts in requests if not attempts.overlapping]


def _refused_for_good(exchange: Exchange) -> bool:
    if response_header(exchange, "x-should-retry") == "true" or error_code(exchange) == "unmatched_request":
        return False
    # Reading again what does not exist yet is polling; sending it again is not.
    return exchange.status in _PERMANENT and (exchange.status != 404 or exchange.method == "POST")


def _same_headers(before: Exchange, after: Exchange) -> bool:
    """Whether the headers that matter are the same: another token or preview header makes another request."""
    return _lasting_headers(before) == _lasting_headers(after)


def _lasting_headers(exchange: Exchange) -> dict[str, str]:
    return {name: value for name, value in exchange.headers.items() if name not in _VOLATILE_HEADERS}


def _is_filtered(exchange: Exchange) -> bool:
    error = exchange.response.get("error") if isinstance(exchange.response, dict) else None
    inner = error.get("innererror") if isinstance(error, dict) else None
    return error_code(exchange) in _FILTERED or (isinstance(inner, dict) and inner.get("code") in _FILTERED)


def _worth_retrying(exchange: Exchange) -> bool:
    """Whether the SDKs would retry: after a transient failure, unless the response says that it will last."""
    if response_header(exchange, "x-should-retry") == "false" or error_code(exchange) == "insufficient_quota":
        return False
    transient = exchange.status in TRANSIENT and failed(exchange)
    return (transient or connection_failed(exchange)) and requested_wait(exchange)[0] <= LONGEST_REQUESTED_WAIT


def _without_deployment(exchange: Exchange) -> str:
    """The request without its deployment: the same for two that differ in nothing else."""
    body = exchange.request
    return f"{exchange.operation} { ({**body, 'model': None} if isinstance(body, dict) else body)!r}"


def _falls_back(exchange: Exchange, other: Exchange) -> bool:
    """Whether `other` is a later call of another deployment."""
    return other.begun >= exchange.ended and other.deployment != exchange.deployment


def _numbers(pairs: Iterable[tuple[Exchange, Exchange]]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(exchange.number for pair in pairs for exchange in pair))


def _statuses(exchanges: Iterable[Exchange]) -> str:
    return ", ".join(str(status) for status in dict.fromkeys(exchange.status for exchange in exchanges))


def _span(exchanges: Sequence[Exchange]) -> float:
    """Seconds from the first to the last, on the clock that advanced further."""
    return max(exchanges[-1].begun - exchanges[0].begun, exchanges[-1].at - exchanges[0].at)


def _times(count: int) -> str:
    return f" {count} times" if count > 1 else ""


def _after(seconds: float) -> str:
    # Less than half a millisecond would be shown as "0 ms".
    return f"after {_duration(seconds)}" if seconds >= 0.0005 else "immediately"


def _duration(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
