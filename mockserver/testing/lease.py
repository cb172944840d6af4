"""A resource lent to a test: what the test did with it, and what it must fail for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mockserver.testing import evidence
from mockserver.testing.options import FAIL, Options

if TYPE_CHECKING:
    import pytest

    from mockserver.resource.journal import Exchange
    from mockserver.scenario.rule import Rule
    from mockserver.testing.guard import Attempt, Guard
    from mockserver.testing.mock import Mock


@dataclass(slots=True, eq=False)
class Lease:
    """A resource lent to one test, or to several in turn.

    `place` names the borrower. `exempt` are rules that may stay unused. The exchanges up to number `checked_exchange`, and the
    first `checked_attempts` of the guard's attempts, belong to tests that have ended.
    """

    mock: Mock
    options: Options
    place: str
    exempt: frozenset[Rule] = frozenset()
    guard: Guard | None = None
    checked_exchange: int = 0
    checked_attempts: int = 0

    def exchanges(self) -> list[Exchange]:
        """The exchanges of the current test."""
        return [exchange for exchange in self.mock if exchange.number > self.checked_exchange]

    def attempts(self) -> list[Attempt]:
        """The calls of the current test that the guard blocked."""
        return self.guard.attempts[self.checked_attempts :] if self.guard is not None else []

    def report(self) -> str:
        """What happened, for the report of a failed test; "" if nothing did."""
        exchanges = self.exchanges()
        last = evidence.bodies(exchanges[-1]) if exchanges else ""
        return "\n\n".join(filter(None, [evidence.blocked(self.attempts()), evidence.journal(exchanges), last]))

    def problems(self) -> list[str]:
        """What the current test must fail for if it has passed so far."""
        found = [evidence.blocked(self.attempts())]
        if self.options.unmatched == FAIL:
            found.append(evidence.unmatched(self.exchanges()))
        return [text for text in found if text]

    def unused(self) -> list[str]:
        """The same for rules that were never used, once the lease ends."""
        if self.options.rules_unused != FAIL:
            return []
        script = self.mock.script
        text = evidence.unused([rule for rule in script.rules if rule not in self.exempt], script.uses)
        return [text] if text else []

    def end_test(self) -> None:
        """Attribute what happened so far to the current test; what follows belongs to the next."""
        self.checked_attempts += len(self.attempts())
        self.checked_exchange = max((exchange.number for exchange in self.mock), default=self.checked_exchange)


@dataclass(slots=True)
class Leases:
    """The leases of a test run, the innermost last; and with `reporting`, a row of the report for each that has ended.

    `excused` is true once the current test has failed or was skipped: it need not fail for anything else.
    """

    reporting: bool
    active: list[Lease] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    excused: bool = False

    def add_evidence(self, report: pytest.TestReport) -> None:
        """Attach to the report of a failed test what happened, and note that it is excused from here on."""
        if report.when == "teardown":
            return
        self.excused = not report.passed
        if report.failed:
            for lease in self.active:
                text = lease.report()
                if text:
                    report.sections.append((f"azure_openai journal of {lease.mock.resource.name}", text))

    def end_test(self) -> str:
        """What the test that ends must fail for, concerning resources that others use after it; "" for nothing."""
        failure = "\n\n".join(filter(None, (self._failure(lease, lease.problems()) for lease in self.active)))
        for lease in self.active:
            lease.end_test()
        return failure

    def end(self, lease: Lease) -> str:
        """End a lease. Returns what its test must fail for, "" for nothing."""
        self.active.remove(lease)
        if self.reporting:
            from mockserver.testing.summary import row_of

            self.rows.append(row_of(lease.place, lease.mock))
        return self._failure(lease, [*lease.problems(), *lease.unused()])

    def _failure(self, lease: Lease, problems: list[str]) -> str:
        if self.excused or not problems:
            return ""
        return "\n\n".join(filter(None, [*problems, evidence.journal(lease.exchanges())]))
