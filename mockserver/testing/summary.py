"""`pytest --azure-openai-report`: for each resource its calls, the rules that answered, and how the client behaved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mockserver.verdict.findings import quantity

if TYPE_CHECKING:
    from mockserver.testing.mock import Mock

Row = dict[str, Any]


def row_of(place: str, mock: Mock) -> Row:
    """A resource's part of the report, in plain values, which xdist can send to another process."""
    calls = Counter((exchange.operation or exchange.path, exchange.status) for exchange in mock)
    return {
        "place": place,
        "calls": [[operation, status, count] for (operation, status), count in calls.items()],
        "rules": dict(mock.script.uses),
        "findings": [str(finding) for finding in mock.verdict().findings],
    }


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """The report, line by line."""
    for row in rows:
        yield from _row_lines(row)
    calls = sum(count for row in rows for _, _, count in row["calls"])
    findings = sum(len(row["findings"]) for row in rows)
    yield ", ".join([quantity(calls, "call"), quantity(len(rows), "resource"), quantity(findings, "finding")])


def _row_lines(row: Row) -> Iterator[str]:
    yield row["place"]
    for operation, counts in _counts_by_operation(row["calls"]).items():
        yield f"  {operation}: {', '.join(counts)}"
    if not row["calls"]:
        yield "  no calls"
    if row["rules"]:
        yield "  rules: " + ", ".join(
            f"{name} × {count}" if count else f"{name} unused" for name, count in row["rules"].items()
        )
    for finding in row["findings"]:
        yield from (f"  {line}" for line in finding.splitlines())


def _counts_by_operation(calls: Sequence[Sequence[Any]]) -> dict[str, list[str]]:
    counts: dict[str, list[str]] = {}
    for operation, status, count in calls:
        counts.setdefault(operation, []).append(f"{count} × {status}")
    return counts
