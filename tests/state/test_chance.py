"""What a call draws: decided by seed, operation, path and body, and by nothing that happens in between."""

from __future__ import annotations

from collections import Counter

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver import MockServer
from mockserver.state import chance
from mockserver.state.chance import Chance, ChanceSource

CALLS = st.tuples(
    st.sampled_from(["createConversation", "createItems"]), st.sampled_from([b"", b"{}"]), st.sampled_from(["", "/a", "/b"])
)


@given(st.lists(CALLS, max_size=12))
def test_a_call_draws_the_same_whatever_came_in_between(calls: list[tuple[str, bytes, str]]) -> None:
    mixed, counts = ChanceSource("seed"), Counter[tuple[str, bytes, str]]()
    for call in calls:
        counts[call] += 1
        alone = ChanceSource("seed")
        expected = [alone.draw(*call).hex(16) for _ in range(counts[call])][-1]
        assert mixed.draw(*call).hex(16) == expected


def test_seed_operation_body_path_count_and_generation_each_make_a_difference() -> None:
    source = ChanceSource("0")
    drawn = [
        source.draw("createEval", b"{}"),
        source.draw("createEval", b"{}"),
        source.draw("createEval", b"{} "),
        source.draw("createEval", b"{}", "/evals/a"),
        source.draw("createEval", b"{}", "/evals/b"),
        source.draw("createBatch", b"{}"),
        ChanceSource("1").draw("createEval", b"{}"),
        ChanceSource("0", generation=1).draw("createEval", b"{}"),
        ChanceSource("0", generation=2).draw("createEval", b"{}"),
    ]
    assert len({stream.hex(16) for stream in drawn}) == len(drawn)


def test_the_first_generation_draws_what_it_always_drew() -> None:
    """Ids stand in users' snapshots: those of operations without path parameters stay as they were."""
    source = ChanceSource("0")
    assert [source.draw("createResponse", b'{"model": "gpt-4o"}').hex(16) for _ in range(2)] == FIRST


FIRST = ["e06c3743675fe29a", "52856a9ecb725090"]


def test_a_call_that_was_forgotten_does_not_draw_the_same_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chance, "_REMEMBERED", 4)
    source = ChanceSource("0")
    drawn = [source.draw("createEval", user.encode()).hex(16) for user in "abcabcabcdaaabbbcccdabcdefga"]
    assert len(set(drawn)) == len(drawn)


def test_how_many_calls_are_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chance, "_REMEMBERED", 4)
    source = ChanceSource("0")
    for at in range(100):
        source.draw("createEval", b"%d" % at)
    assert len(source._recent) + len(source._earlier) <= 4


def test_a_fork_does_not_depend_on_what_was_drawn_before() -> None:
    drawn, fresh = Chance("key"), Chance("key")
    drawn.bytes(1000)
    assert drawn.fork("name").hex(16) == fresh.fork("name").hex(16)
    assert fresh.fork("name").hex(16) != fresh.fork("other").hex(16)


def test_what_a_path_with_parameters_draws_does_not_depend_on_the_order_of_arrival(http: httpx2.Client) -> None:
    def request_ids(*paths: str) -> dict[str, str]:
        with MockServer() as mock:
            answers = [http.get(mock.base_url + path, headers={"api-key": mock.api_key}) for path in paths]
        return {path: answer.headers["apim-request-id"] for path, answer in zip(paths, answers, strict=True)}

    ids = request_ids("models/gpt-4o", "models/gpt-4.1")
    assert ids == request_ids("models/gpt-4.1", "models/gpt-4o")
    assert len(set(ids.values())) == 2
