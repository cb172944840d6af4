"""A resource in the hands of a test: what it did with it, and what that test must fail for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mockserver.testing import evidence
from mockserver.testing.options import FAIL, Options

if TYPE_CHECKING:
    import pytest

    from mockserver.resource.journal import Exchange
    from mockserver.scenario.rule import Rule
    from mockserver.testing.guard import Guard
    from mockserver.testing.mock import Mock


@dataclass(slots=True, eq=False)
class Lease:
    """A resource lent to one test, or to several one after the other.

    `place` says whose it is. `exempt` are rules that need not answer anything. `seen` is the number of the last exchange that
    a test has been held to account for, `stopped` how many of the guard's attempts.
    """

    mock: Mock
    options: Options
    place: str
    exempt: frozenset[Rule] = frozenset()
    guard: Guard | None = None
    seen: int = 0
    stopped: int = 0

    def exchanges(self) -> list[Exchange]:
        """What happened since a test was last held to account."""
        return [exchange for exchange in self.mock if exchange.number > self.seen]

    def attempts(self) -> list[Any]:
        """What the guard stopped since then."""
        return list(self.guard.attempts[self.stopped :]) if self.guard is not None else []

    def told(self) -> str:
        """What happened, for the report of a test that failed; "" where nothing did."""
        exchanges = self.exchanges()
        last = evidence.bodies(exchanges[-1]) if exchanges else ""
        return "\n\n".join(filter(None, [evidence.attempted(self.attempts()), evidence.journal(exchanges), last]))

    def problems(self) -> list[str]:
        """What a test must fail for that did not fail by itself."""
        found = [evidence.attempted(self.attempts())]
        if self.options.unmatched == FAIL:
            found.append(evidence.unmatched(self.exchanges()))
        return [text for text in found if text]

    def unused(self) -> list[str]:
        """The same for rules that have answered nothing."""
        if self.options.rules_unused != FAIL:
            return []
        script = self.mock.script
        text = evidence.unused([rule for rule in script.rules if rule not in self.exempt], script.uses)
        return [text] if text else []

    def settle(self) -> None:
        """Take what happened so far as accounted for."""
        self.stopped += len(self.attempts())
        self.seen = max((exchange.number for exchange in self.mock), default=self.seen)


@dataclass(slots=True)
class Leases:
    """The leases of a test run, the innermost last; and for each that ended, a row of the report where it is wanted.

    `excused` says that the test at hand has failed or was skipped: nothing more is to be held against it.
    """

    reporting: bool
    active: list[Lease] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    excused: bool = False

    def note(self, report: pytest.TestReport) -> None:
        """Learn from a report how its test does, and attach what its resources saw where it failed."""
        if report.when == "teardown":
            return
        self.excused = not report.passed
        if report.failed:
            for lease in self.active:
                text = lease.told()
                if text:
                    report.sections.append((f"azure_openai journal of {lease.mock.resource.name}", text))

    def settle(self) -> str:
        """What the test that ends must fail for because of resources that others use after it; "" for nothing."""
        told = "\n\n".join(filter(None, (self._complaint(lease, lease.problems()) for lease in self.active)))
        for lease in self.active:
            lease.settle()
        return told

    def end(self, lease: Lease) -> str:
        """Take a lease back: what its test must fail for, "" for nothing."""
        self.active.remove(lease)
        if self.reporting:
            from mockserver.testing.summary import row

            self.rows.append(row(lease.place, lease.mock))
        return self._complaint(lease, [*lease.problems(), *lease.unused()])

    def _complaint(self, lease: Lease, problems: list[str]) -> str:
        if self.excused or not problems:
            return ""
        return "\n\n".join(filter(None, [*problems, evidence.journal(lease.exchanges())]))
