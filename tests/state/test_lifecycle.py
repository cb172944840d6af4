"""How long work takes."""

from __future__ import annotations

import pytest

from mockserver.state.lifecycle import Lifecycle

STAGES = ("queued", "in_progress", "done")


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        (0, ["queued", "done", "done"]),
        (1, ["queued", "in_progress", "done"]),
        (2, ["queued", "queued", "in_progress", "done"]),
        (5, ["queued", "queued", "queued", "in_progress", "in_progress", "in_progress", "done"]),
    ],
)
def test_work_is_done_at_the_look_after_the_last_poll(polls: int, expected: list[str]) -> None:
    assert [Lifecycle(polls=polls).stage(STAGES, looks, 0.0) for looks in range(len(expected))] == expected


def test_time_alone_moves_work_that_takes_time() -> None:
    lifecycle = Lifecycle(seconds=10)
    assert [lifecycle.stage(STAGES, 99, at) for at in (-5.0, 0.0, 4.9, 5.0, 9.9, 10.0, 1e9)] == [
        "queued",
        "queued",
        "queued",
        "in_progress",
        "in_progress",
        "done",
        "done",
    ]
    assert Lifecycle(seconds=0).stage(STAGES, 0, 0.0) == "done"
