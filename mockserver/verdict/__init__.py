"""How a client behaved, judged from the journal alone: retries, waits, broken streams, filtered prompts, the legacy API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mockserver.verdict import addresses, retries, streams
from mockserver.verdict.attempts import group_attempts
from mockserver.verdict.findings import CODES, Finding, Verdict

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange, Journal
    from mockserver.verdict.attempts import Attempts

__all__ = ["CODES", "Finding", "Verdict", "judge"]

_ON_ATTEMPTS: tuple[Callable[[Sequence[Attempts]], list[Finding]], ...] = (
    retries.retry_after_ignored,
    retries.refusals_retried,
    retries.retry_storm,
    retries.no_backoff,
    retries.gave_up_early,
    streams.empty_choices_crash,
)
_ON_EXCHANGES: tuple[Callable[[Sequence[Exchange]], list[Finding]], ...] = (
    streams.truncated_stream_accepted,
    addresses.deprecated_api,
)


def judge(journal: Journal) -> Verdict:
    """The verdict on the clients of one resource.

    While they fail, requests of the same operation with the same bytes are attempts at one thing. The wait between two of
    them is measured on the real clock and on the resource's, and the longer one counts: a test may freeze the resource's
    clock and wait for real, or advance that clock instead of waiting.
    """
    exchanges = sorted(journal, key=lambda exchange: exchange.number)
    attempts = group_attempts(exchanges)
    findings = [finding for find in _ON_ATTEMPTS for finding in find(attempts)]
    findings += [finding for find in _ON_EXCHANGES for finding in find(exchanges)]
    findings.sort(key=lambda finding: (finding.exchanges, finding.code))
    return Verdict(tuple(findings), len(exchanges), journal.dropped)
