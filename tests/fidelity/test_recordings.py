"""Every recorded exchange of the inference surfaces, asked again of this server and compared.

The recordings are third-party test data and stay outside the repository; where they are absent, so is this module.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from fidelity.diff import Difference
from fidelity.play import play
from fidelity.recorded import RECORDED, Row, rows
from fidelity.rules import RULES, Rule

pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason="the recorded exchanges are kept outside this repository")
DOCUMENT = Path(__file__).parents[2] / "docs" / "fidelity.md"


@cache
def differences(row: Row) -> list[tuple[Difference, Rule | None]]:
    """What differs, and the rule that allows it."""
    return [(found, next((rule for rule in RULES if rule.covers(row, found)), None)) for found in play(row)]


def left_open(row: Row, *causes: str) -> list[str]:
    """The differences that no rule allows, and those that only rules of these causes do."""
    return [str(found) for found, rule in differences(row) if rule is None or rule.cause in causes]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_what_azure_said_is_what_this_server_says(row: Row) -> None:
    assert not left_open(row)


def newest(family: str, *, stream: bool) -> Row:
    """The last recording of a surface, of a model that is emulated."""
    told = [
        row for row in rows() if row.family == family and row.stream == stream and row.status == 200 and row.method == "POST"
    ]
    return max((row for row in told if not row.model.startswith("embed-")), key=lambda row: row.day)


@pytest.mark.parametrize(("family", "stream"), [("chat", False), ("chat", True), ("responses", False), ("responses", True)])
def test_the_newest_shapes_are_matched_without_excuse(family: str, stream: bool) -> None:
    row = newest(family, stream=stream)
    assert row.day >= "2026-06"
    assert not left_open(row, "older", "ours")


def test_every_allowed_difference_is_still_needed() -> None:
    used = {rule for row in rows() for _, rule in differences(row)}
    assert [rule.name for rule in RULES if rule not in used] == []


def test_every_allowed_difference_is_told_to_readers() -> None:
    told = DOCUMENT.read_text(encoding="utf-8")
    assert [rule.name for rule in RULES if f"| {rule.name} | {rule.reason} |" not in told] == []


def test_the_recordings_are_all_there() -> None:
    assert len(rows()) == 139
    assert {row.family for row in rows()} == {"chat", "completions", "embeddings", "responses"}
