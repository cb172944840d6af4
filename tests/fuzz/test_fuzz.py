"""A short run of the fuzzer, and that it finds what there is to find. `scripts/fuzz` runs it for longer."""

from __future__ import annotations

import json

import pytest

from fuzz import mutations
from fuzz.run import run
from mockserver.operations.table import TABLE


@pytest.mark.parametrize(("seed", "over_socket"), [("a", False), ("b", False), ("c", False), ("d", True), ("e", True)])
def test_no_request_breaks_the_server(seed: str, over_socket: bool) -> None:
    outcome = run(500, seed, over_socket=over_socket)
    assert [str(failure) for failure in outcome.failures] == []
    assert outcome.statuses[200] > 50
    assert outcome.statuses[400] > 50


def test_the_same_seed_fires_the_same_requests() -> None:
    assert run(150, "same").statuses == run(150, "same").statuses


def test_a_failure_is_found_and_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    operation = TABLE.by_id["createEmbedding"]
    original = operation.handler
    assert original is not None

    def fragile(call: object) -> object:
        assert "user" not in call.raw  # type: ignore[attr-defined]
        return original(call)

    object.__setattr__(operation, "handler", fragile)
    try:
        outcome = run(1_000, "fragile", most=1, only="createEmbedding")
    finally:
        object.__setattr__(operation, "handler", original)
    assert [failure.alone for failure in outcome.failures] == [True]
    assert "AssertionError" in outcome.failures[0].text
    # The path of the legacy API has the model in it.
    assert {"input", "user"} <= outcome.failures[0].shot.document.keys() <= {"model", "input", "user"}


def test_a_document_nested_deeply_is_spelled_out() -> None:
    assert json.loads(mutations.spell({"a": "nested deeply: 8"})) == {
        "a": {"items": [{"properties": {"a": {"items": [{"properties": {"a": {"type": "array"}}}]}}}]}
    }
