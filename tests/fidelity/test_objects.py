"""What this server says about stored objects has the shapes that were recorded, most of them on the sister service."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fidelity.objects import Recorded, differences, nameless, recorded, shape_of
from support.examples import EXAMPLES, ONE_POLL, Caller, body, make, perform

from mockserver import MockServer
from mockserver.operations.table import TABLE, Operation

Json = Any
OPERATIONS = {(one.method, nameless(one.path)): one for one in TABLE.all() if one.emulated}
ALLOWED = {
    r"\.(additionalParameters|method|trainingType) is absent": "A fine-tuning job has no `additionalParameters` (recorded of the project "
    "route), and its `method` and `trainingType` only where they were sent (inferred).",
    r"\.data_source\.source\.content\[\]\.((query|context|ground_truth|response) is absent|item is added)": "The rows of a run of an "
    "eval stay as they were sent (spec; a project moves each item up, recorded).",
    r"\.(run_id|location) is absent": "An eval is deleted at once (spec; a project goes on deleting at a `location`, recorded).",
    r"\.object is added": "Lists of output items say that they are lists (spec; a project's do not, recorded).",
    r"\.data\[\]\.status is '(pass|fail)', not 'completed'": "An output item's `status` is `pass`, `fail` or `error` (spec, the last "
    "inferred; a project says `completed`, recorded).",
    r".*\.memory_limit is added": "Containers have had a `memory_limit` since these recordings (spec).",
    r".status is 'completed', not 'in_progress'": "Of two vector stores the recorded ones have files (recorded).",
}
"""Differences that are right as they are, and why."""


def answer(http: httpx2.Client, row: Recorded, operation: Operation) -> httpx2.Response:
    """What this server answers to such a request, about objects that are made for it."""
    with MockServer({"resource": ONE_POLL} if row.path.endswith("/resume") else None) as mock:
        owner = Caller(http, mock.base_url, mock.api_key)
        ids = make(owner, operation.path) or {}
        inside = EXAMPLES.get(next((path for path in EXAMPLES if path.startswith(operation.path + "/{")), ""))
        if operation.method == "GET" and inside is not None and row.shape["data"]:
            inside(owner, dict(ids))
        options = body(owner, operation, ids)
        if row.status == 404:
            ids = dict.fromkeys(ids, "gone")
        return perform(owner, operation, ids, options)


def found(http: httpx2.Client, row: Recorded) -> list[str]:
    response = answer(http, row, OPERATIONS[row.method, row.path])
    assert response.status_code == row.status, response.text
    if row.content_type is not None and row.ordered:
        assert response.headers["content-type"] == row.content_type
    if not response.content or (row.content_type is not None and not row.content_type.startswith("application/json")):
        return []
    mine = shape_of(json.loads(response.text))
    if isinstance(mine, dict) and isinstance(row.shape, dict) and row.shape.get("data") == []:
        mine["data"] = []  # an empty page says nothing about what else could be in it
    return differences(mine, row.shape, ordered=row.ordered)


@pytest.mark.parametrize("row", recorded(), ids=lambda row: f"{row.id} {row.method} {row.path}")
def test_a_stored_object_has_its_recorded_shape(http: httpx2.Client, row: Recorded) -> None:
    assert [one for one in found(http, row) if not any(re.fullmatch(pattern, one) for pattern in ALLOWED)] == []


def test_every_allowed_difference_is_needed_and_documented(http: httpx2.Client) -> None:
    every = [one for row in recorded() for one in found(http, row)]
    assert [pattern for pattern in ALLOWED if not any(re.fullmatch(pattern, one) for one in every)] == []
    page = (Path(__file__).parents[2] / "docs" / "fidelity.md").read_text(encoding="utf-8")
    assert [why for why in ALLOWED.values() if f"- {why}" not in page] == []


def test_the_recorded_shapes_are_all_there() -> None:
    assert {row.path.split("/")[1] for row in recorded()} == {
        "chat",
        "containers",
        "conversations",
        "evals",
        "fine_tuning",
        "vector_stores",
    }
    assert len(recorded()) >= 20


def test_shapes_that_differ_are_found() -> None:
    theirs = shape_of({"id": "x", "object": "list", "data": [{"n": 1, "metadata": {"a": "b"}}], "gone": True, "none": None})
    ours = shape_of({"object": "page", "id": 1, "data": [{"n": "1", "metadata": {}}], "new": 0.5, "none": "some"})
    assert differences(ours, theirs, ordered=True) == [
        ".gone is absent",
        ".new is added",
        " is in the order ['object', 'id', 'data', 'none'], not ['id', 'object', 'data', 'none']",
        ".id is number, not string",
        ".object is 'page', not 'list'",
        ".data[].n is string, not number",
    ]
    assert not differences({"a": 1, "b": 2}, {"b": 2, "a": 1}, ordered=False)
