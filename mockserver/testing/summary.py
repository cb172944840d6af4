"""`pytest --azure-openai-report`: what each resource of a run was asked, which rules answered, how its client behaved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mockserver.testing.evidence import counted

if TYPE_CHECKING:
    from mockserver.testing.mock import Mock

Row = dict[str, Any]


def row(place: str, mock: Mock) -> Row:
    """What the report says of one resource, in plain values that can travel between processes."""
    calls = Counter((exchange.operation or exchange.path, exchange.status) for exchange in mock)
    return {
        "place": place,
        "calls": [[operation, status, count] for (operation, status), count in calls.items()],
        "rules": dict(mock.script.uses),
        "findings": [str(finding) for finding in mock.verdict().findings],
    }


def lines(rows: Sequence[Row]) -> Iterator[str]:
    """The report."""
    for one in rows:
        yield from _about(one)
    calls = sum(count for one in rows for _, _, count in one["calls"])
    findings = sum(len(one["findings"]) for one in rows)
    yield ", ".join([counted(calls, "call"), counted(len(rows), "resource"), counted(findings, "finding")])


def _about(row: Row) -> Iterator[str]:
    yield row["place"]
    for operation, told in _by_operation(row["calls"]).items():
        yield f"  {operation}: {told}"
    if not row["calls"]:
        yield "  no calls"
    if row["rules"]:
        yield "  rules: " + ", ".join(
            f"{name} × {count}" if count else f"{name} unused" for name, count in row["rules"].items()
        )
    for finding in row["findings"]:
        yield f"  {finding}"


def _by_operation(calls: Sequence[Sequence[Any]]) -> dict[str, str]:
    told: dict[str, list[str]] = {}
    for operation, status, count in calls:
        told.setdefault(operation, []).append(f"{count} × {status}")
    return {operation: ", ".join(parts) for operation, parts in told.items()}
