"""When work advances, and what then happens."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from mockserver.state import work
from mockserver.state.memory import MemoryStore
from mockserver.state.store import NEVER, Store
from mockserver.state.work import Lifecycle, Lifecycles

STAGES = ("queued", "running", "done")
BOX = ("box", "b")


@dataclass
class Owner:
    lifecycles: Lifecycles = field(default_factory=Lifecycles)
    store: Store = field(default_factory=MemoryStore)
    log: list[tuple[str, str, float]] = field(default_factory=list)

    def begin(self, name: str, now: float = 0.0, kind: str = "job", **options: Any) -> None:
        self.store.put(kind, name, {"id": name, "status": STAGES[0]})
        work.begin(self, kind, name, now, **options)

    def status(self, name: str, kind: str = "job") -> str | None:
        document = self.store.get(kind, name)
        return document["status"] if document is not None else None


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two kinds of work that log which stages they enter."""
    monkeypatch.setattr(work, "_COURSES", {})

    @work.stages("task", *STAGES)
    @work.stages("job", *STAGES)
    def _enter(owner: Owner, document: dict[str, Any], stage: str, at: float) -> None:
        owner.log.append((document["id"], stage, at))
        kind = "job" if owner.store.get("job", document["id"]) is not None else "task"
        owner.store.update(kind, document["id"], {"status": stage})


def taking(**lifecycle: Any) -> Owner:
    return Owner(Lifecycles(Lifecycle(**lifecycle)))


# -- by polls


@pytest.mark.parametrize(
    ("polls", "expected"),
    [
        (0, ["done", "done"]),
        (1, ["running", "done", "done"]),
        (2, ["queued", "running", "done"]),
        (5, ["queued", "queued", "running", "running", "running", "done", "done"]),
    ],
)
def test_work_is_done_at_the_poll_after_as_many(polls: int, expected: list[str]) -> None:
    owner = taking(polls=polls)
    owner.begin("a")
    assert owner.status("a") == "queued"
    seen = []
    for at in range(len(expected)):
        work.poll(owner, "job", "a", float(at))
        seen.append(owner.status("a"))
    assert seen == expected
    assert [stage for _, stage, _ in owner.log] == ["running", "done"]


def test_polls_of_other_objects_and_time_do_not_matter_to_it() -> None:
    owner = taking(polls=1)
    owner.begin("a")
    owner.begin("b")
    work.poll(owner, "job", "b", 0.0)
    work.poll(owner, "job", "nowhere", 0.0)
    work.advance(owner, 1e9)
    assert (owner.status("a"), owner.status("b"), owner.store.next_due) == ("queued", "running", NEVER)


def test_a_read_of_what_the_outcome_goes_into_is_a_poll() -> None:
    owner = taking()
    owner.store.put(*BOX, {})
    owner.begin("a", into=BOX)
    owner.begin("b", into=BOX)
    owner.begin("c")
    work.poll(owner, *BOX, now=3.0)
    assert [owner.status(name) for name in "abc"] == ["done", "done", "queued"]
    assert owner.log == [("a", "running", 3.0), ("a", "done", 3.0), ("b", "running", 3.0), ("b", "done", 3.0)]


# -- by time


def test_stages_are_entered_at_the_time_at_which_they_were_due() -> None:
    owner = taking(seconds=10)
    owner.begin("a", now=100.0)
    for now in (99.0, 104.9, 105.0, 109.9):
        work.advance(owner, now)
        work.poll(owner, "job", "a", now)
    assert owner.log == [("a", "running", 105.0)]
    work.advance(owner, 5_000.0)
    assert owner.log == [("a", "running", 105.0), ("a", "done", 110.0)]
    assert owner.store.next_due == NEVER


def test_all_that_is_due_is_done_at_once_and_in_the_order_of_time() -> None:
    owner = Owner(Lifecycles(Lifecycle(seconds=10), {"task": Lifecycle(seconds=4)}))
    owner.begin("slow", now=0.0)
    owner.begin("quick", now=3.0, kind="task")
    work.advance(owner, 60.0)
    assert owner.log == [("slow", "running", 5.0), ("quick", "running", 5.0), ("quick", "done", 7.0), ("slow", "done", 10.0)]


def test_work_that_takes_no_time_is_done_at_the_next_request() -> None:
    owner = taking(seconds=0)
    owner.begin("a", now=7.0)
    assert (owner.status("a"), owner.store.next_due) == ("queued", 7.0)
    work.advance(owner, 7.0)
    assert owner.status("a") == "done"


@pytest.mark.parametrize("seconds", [0.1, 0.7, 1 / 3, 1e-9, 1e9])
def test_a_stage_is_entered_at_its_very_moment(seconds: float) -> None:
    owner = taking(seconds=seconds)
    owner.begin("a", now=1_790_000_000.1)
    while owner.store.next_due < NEVER:
        work.advance(owner, owner.store.next_due)
    assert [stage for _, stage, _ in owner.log] == ["running", "done"]


# -- ends


def test_work_can_be_finished_and_stopped() -> None:
    owner = taking(seconds=10)
    owner.begin("a")
    owner.begin("b")
    work.finish(owner, "job", "a", 1.0)
    work.stop(owner, "job", "b")
    work.advance(owner, 60.0)
    work.finish(owner, "job", "b", 60.0)
    assert owner.log == [("a", "running", 1.0), ("a", "done", 1.0)]
    assert owner.status("b") == "queued"


def test_work_ends_with_what_it_is_about() -> None:
    owner = taking(seconds=10)
    owner.begin("a")
    owner.store.delete("job", "a")
    assert owner.store.next_due == NEVER
    work.advance(owner, 60.0)
    work.poll(owner, "job", "a", 60.0)
    assert owner.log == []


def test_documents_are_deleted_when_their_time_is_over() -> None:
    owner = Owner()
    owner.store.put("file", "a", {}, due=5.0)
    owner.store.put("part", "p", {}, parent=("file", "a"))
    owner.store.put("file", "b", {}, due=6.0)
    work.advance(owner, 5.0)
    assert [owner.store.get(*key) for key in (("file", "a"), ("part", "p"), ("file", "b"))] == [None, None, {}]


def test_what_was_accepted_is_carried_out_by_a_full_store() -> None:
    owner = Owner(Lifecycles(Lifecycle(seconds=1)), MemoryStore(store_documents=1))
    owner.begin("a")
    work.advance(owner, 1.0)
    assert owner.status("a") == "done"


# -- failures


class Trouble:
    """Makes entering a stage fail for as long as it is named."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stage: str | None = None
        course = work._COURSES["job"]
        monkeypatch.setitem(work._COURSES, "job", replace(course, enter=self.enter))
        self._enter = course.enter

    def enter(self, owner: Owner, document: dict[str, Any], stage: str, at: float) -> None:
        if stage == self.stage and document["id"] == "a":
            raise RuntimeError(stage)
        self._enter(owner, document, stage, at)


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Trouble:
    return Trouble(monkeypatch)


@pytest.mark.parametrize("stage", ["running", "done"])
def test_a_stage_that_cannot_be_entered_is_tried_again_and_holds_up_nothing_else(
    trouble: Trouble, stage: str, caplog: pytest.LogCaptureFixture
) -> None:
    owner = taking(seconds=10)
    owner.begin("a", now=0.0)
    owner.begin("b", now=1.0)
    trouble.stage = stage
    for _ in range(2):
        work.advance(owner, 60.0)
    assert (owner.status("a"), owner.status("b")) == (STAGES[STAGES.index(stage) - 1], "done")
    assert [record.message for record in caplog.records] == [
        "mockserver failed to go on with the job a; please report this"
    ] * 2
    trouble.stage = None
    work.advance(owner, 60.0)
    assert [entry for entry in owner.log if entry[0] == "a"] == [("a", "running", 5.0), ("a", "done", 10.0)]
    assert owner.store.next_due == NEVER


@pytest.mark.parametrize("stage", ["running", "done"])
def test_a_poll_fails_with_the_stage_that_it_should_show_and_the_next_one_tries_again(trouble: Trouble, stage: str) -> None:
    owner = taking()
    owner.begin("a")
    for enter in (lambda: work.poll(owner, "job", "a", 1.0), lambda: work.finish(owner, "job", "a", 2.0)):
        trouble.stage = stage
        with pytest.raises(RuntimeError, match=stage):
            enter()
    trouble.stage = None
    work.poll(owner, "job", "a", 3.0)
    assert [stage for _, stage, _ in owner.log] == ["running", "done"]


def test_work_whose_object_is_gone_when_it_fails_is_gone_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def enter(owner: Owner, document: dict[str, Any], stage: str, at: float) -> None:
        owner.store.delete("job", document["id"])
        raise RuntimeError

    monkeypatch.setitem(work._COURSES, "job", replace(work._COURSES["job"], enter=enter))
    owner = taking(seconds=1)
    owner.begin("a")
    work.advance(owner, 60.0)
    work.advance(owner, 60.0)
    assert (owner.store.count("job"), owner.store.next_due) == (0, NEVER)


# -- lifecycles


def test_a_kind_has_its_own_lifecycle_or_the_one_for_all() -> None:
    lifecycles = Lifecycles.of({"seconds": 5.0, "batch": {"polls": 2}, "response": {}})
    assert (lifecycles["batch"], lifecycles["response"]) == (Lifecycle(polls=2), Lifecycle())
    assert lifecycles["eval"] == Lifecycle(seconds=5.0)
    assert Lifecycles.of({})["batch"] == Lifecycles()["batch"] == Lifecycle()


def test_work_keeps_the_lifecycle_with_which_it_began() -> None:
    owner = taking(seconds=10)
    owner.begin("a")
    owner.lifecycles = Lifecycles(Lifecycle(polls=5))
    work.advance(owner, 10.0)
    assert owner.status("a") == "done"


def test_a_kind_can_end_more_than_its_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_EXPIRIES", {})

    @work.expiry("parcel")
    def _expire(owner: Owner, name: str) -> None:
        owner.store.delete("parcel", name)
        owner.log.append((name, "expired", 0.0))

    owner = Owner()
    owner.store.put("parcel", "p", {}, due=10)
    owner.store.put("letter", "p", {}, due=10)
    work.advance(owner, 10)
    assert (owner.store.get("parcel", "p"), owner.store.get("letter", "p")) == (None, None)
    assert owner.log == [("p", "expired", 0.0)]
