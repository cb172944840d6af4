"""How a client behaved, judged from the journal alone: retries, waits, broken streams, filtered prompts, the old way of calling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mockserver.verdict import addresses, retries, streams
from mockserver.verdict.attempts import grouped
from mockserver.verdict.findings import CODES, Finding, Verdict

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange, Journal
    from mockserver.verdict.attempts import Attempts

__all__ = ["CODES", "Finding", "Verdict", "grade"]

_OF_REQUESTS: tuple[Callable[[Sequence[Attempts]], list[Finding]], ...] = (
    retries.retry_after_ignored,
    retries.refused_and_repeated,
    retries.retry_storms,
    retries.no_backoff,
    retries.gave_up_early,
    streams.crashed_on_empty_choices,
)
_OF_EXCHANGES: tuple[Callable[[Sequence[Exchange]], list[Finding]], ...] = (
    streams.truncated_and_accepted,
    addresses.old_ways,
)


def grade(journal: Journal) -> Verdict:
    """The verdict on the clients of one resource.

    Requests of the same operation with the same bytes are attempts at one thing while they fail. How long a client waited
    between them is told by the real clock or by the resource's, whichever moved on more: while the resource's stands still
    the real one counts, and a test that moves the resource's on instead of waiting has waited.
    """
    exchanges = sorted(journal, key=lambda exchange: exchange.number)
    requests = grouped(exchanges)
    findings = [finding for judge in _OF_REQUESTS for finding in judge(requests)]
    findings += [finding for judge in _OF_EXCHANGES for finding in judge(exchanges)]
    findings.sort(key=lambda finding: (finding.exchanges, finding.code))
    return Verdict(tuple(findings), len(exchanges), journal.dropped)
