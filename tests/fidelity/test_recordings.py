"""Every recorded exchange of the inference surfaces and of files, sent again to this server and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fidelity.diff import Difference
from fidelity.play import play
from fidelity.recorded import Row, rows
from fidelity.rules import RULES, Rule

Json = Any
DOCUMENT = Path(__file__).parents[2] / "docs" / "fidelity.md"


@cache
def differences(row: Row) -> list[tuple[Difference, Rule | None]]:
    """What differs, and the rule that allows it."""
    return [(found, next((rule for rule in RULES if rule.covers(row, found)), None)) for found in play(row, rows())]


def left_open(row: Row, *causes: str) -> list[str]:
    """The differences that no rule allows, and those that only rules of these causes do."""
    return [str(found) for found, rule in differences(row) if rule is None or rule.cause in causes]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_azures_answer_is_this_servers_answer(row: Row) -> None:
    assert not left_open(row)


def newest(family: str, *, stream: bool) -> Row:
    """The last recording of a surface."""
    created = [row for row in rows() if row.family == family and row.status == 200 and row.method == "POST"]
    return max((row for row in created if row.stream == stream), key=lambda row: row.day)


@pytest.mark.parametrize(("family", "stream"), [("chat", False), ("chat", True), ("responses", False), ("responses", True)])
def test_the_newest_shapes_are_matched_without_excuse(family: str, stream: bool) -> None:
    row = newest(family, stream=stream)
    assert row.day >= "2026-06"
    assert not left_open(row, "older", "ours")


def test_every_allowed_difference_is_still_needed() -> None:
    used = {rule for row in rows() for _, rule in differences(row)}
    assert [rule.name for rule in RULES if rule not in used] == []


def test_every_allowed_difference_is_documented() -> None:
    page = DOCUMENT.read_text(encoding="utf-8")
    assert [rule.name for rule in RULES if f"| {rule.name} | {rule.reason} |" not in page] == []


def test_the_recordings_are_all_there() -> None:
    assert len(rows()) == 151
    assert {row.family for row in rows()} == {"chat", "completions", "embeddings", "files", "responses"}


TEXTS = (
    "content",
    "delta",
    "description",
    "input",
    "output",
    "prompt",
    "reasoning_content",
    "refusal",
    "text",
    "title",
    "user",
)


def texts(value: Json, key: str = "") -> Iterator[str]:
    """The strings of a value that a person or a model has written."""
    if isinstance(value, dict | list):
        for name, inner in value.items() if isinstance(value, dict) else ((key, one) for one in value):
            yield from texts(inner, name)
    elif isinstance(value, str) and key in TEXTS:
        yield value


def test_the_recordings_have_stand_ins_for_texts() -> None:
    found = {text for row in rows() for text in texts([row.request, row.events if row.stream else row.body])}
    pieces = re.compile(r'(t|e|x|(te?)?xt|ext)?( ?\d+)?[é🙂<>&\n"]*|text \d+[é🙂<>&\n"]*|( a)+|\{?("text": "text \d+.*"\})?')
    assert [text for text in found if not pieces.fullmatch(text)] == []
