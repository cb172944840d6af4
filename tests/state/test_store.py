"""What every store does."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable
from io import BytesIO, RawIOBase
from typing import Any

import pytest

from mockserver.errors import ApiError
from mockserver.state import memory, sqlite
from mockserver.state.store import NEVER, Cursor, Due, Store, decode

MakeStore = Callable[..., Store]
TEAM = ("team", "t")


def ids(store: Store, kind: str = "file", parent: tuple[str, str] | None = None, **cursor: Any) -> list[str]:
    return [document["id"] for document in store.page(kind, Cursor(**cursor), parent=parent).data]


def fill(store: Store, count: int, kind: str = "file", parent: tuple[str, str] | None = None) -> None:
    for at in range(count):
        store.put(kind, f"{at}", {"id": f"{at}", "odd": at % 2}, parent=parent)


# -- documents


def test_a_document_comes_out_as_it_went_in(store: Store) -> None:
    document = {
        "text": "Grüße, 世界 \u0000",
        "numbers": [1, 1.0, -0.0, 10**40, True, None],
        "empty": [{}, [], ""],
        "z": 1,
        "a": 2,
    }
    store.put("file", "a", document)
    found = store.get("file", "a")
    assert repr(found) == repr(document)
    assert store.get("file", "b") is None
    assert store.get("batch", "a") is None


def test_documents_are_kept_by_value(store: Store) -> None:
    document = {"tags": ["one"]}
    store.put("file", "a", document)
    document["tags"].append("two")
    for read in (
        lambda: store.get("file", "a"),
        lambda: store.page("file", Cursor()).data[0],
        lambda: next(store.documents("file")),
        lambda: store.update("file", "a", {}),
    ):
        found = read()
        assert found == {"tags": ["one"]}
        found["tags"].append("three")


def test_a_document_may_nest_a_little_deeper_than_a_request(store: Store) -> None:
    document: dict[str, Any] = {}
    for _ in range(220):
        document = {"in": document}
    store.put("file", "a", document)
    assert store.get("file", "a") == document


def test_a_document_that_is_put_again_keeps_its_place_and_its_parent(store: Store) -> None:
    store.put(*TEAM, {})
    fill(store, 3, parent=TEAM)
    store.put("file", "1", {"id": "1", "new": True})
    assert ids(store, parent=TEAM, order="asc") == ["0", "1", "2"]
    assert store.get("file", "1") == {"id": "1", "new": True}


def test_an_update_replaces_members_and_keeps_the_rest(store: Store) -> None:
    store.put("file", "a", {"id": "a", "status": "queued", "meta": {"x": 1}}, due=5.0, names=["n"], content=b"bytes")
    assert store.update("file", "a", {"status": "done", "meta": {}}) == {"id": "a", "status": "done", "meta": {}}
    assert store.find("file", "n") == [{"id": "a", "status": "done", "meta": {}}]
    blob = store.blob("file", "a")
    assert blob is not None
    assert (store.next_due, blob.size) == (5.0, 5)
    assert store.update("file", "b", {"status": "done"}) is None


def test_a_parent_must_be_there(store: Store) -> None:
    with pytest.raises(LookupError, match="no team 't'"):
        store.put("file", "a", {}, parent=TEAM)
    assert store.get("file", "a") is None


def test_what_is_deleted_goes_with_all_that_hangs_below_it(store: Store) -> None:
    store.put(*TEAM, {})
    store.put("team", "other", {})
    store.put("file", "a", {}, parent=TEAM, content=b"bytes")
    store.put("part", "p", {}, parent=("file", "a"), names=["n"], due=1.0)
    store.put("file", "b", {}, parent=("team", "other"))
    assert store.delete(*TEAM)
    assert [store.get(*key) for key in (TEAM, ("file", "a"), ("part", "p"))] == [None] * 3
    assert (store.blob("file", "a"), store.find("part", "n"), store.next_due) == (None, [], NEVER)
    assert store.get("file", "b") == {}
    assert not store.delete(*TEAM)


def test_a_document_that_comes_back_is_a_new_one(store: Store) -> None:
    fill(store, 3)
    store.put("part", "p", {}, parent=("file", "0"))
    store.delete("file", "0")
    store.put("file", "0", {"id": "0"})
    assert ids(store, order="asc") == ["1", "2", "0"]
    assert store.count("part", ("file", "0")) == 0


def test_documents_go_by_several_names_and_share_them(store: Store) -> None:
    store.put(*TEAM, {"id": "t"})
    store.put("file", "a", {"id": "a"}, names=["x", "y", "x"])
    store.put("file", "b", {"id": "b"}, names=["y"], parent=TEAM)
    store.put("batch", "c", {"id": "c"}, names=["y"])
    assert [found["id"] for found in store.find("file", "y")] == ["a", "b"]
    store.put("file", "a", {"id": "a"}, names=["y"])
    assert [found["id"] for found in store.find("file", "y")] == ["a", "b"]
    assert store.find("file", "x") == []


def test_clearing_forgets_everything(store: Store) -> None:
    store.put(*TEAM, {}, due=1.0, names=["n"], content=b"x")
    store.put("file", "a", {}, parent=TEAM)
    store.clear()
    assert (store.get(*TEAM), store.find("team", "n"), store.blob(*TEAM), store.pop_due(9.0)) == (None, [], None, None)
    assert (store.count("team"), store.count("file", TEAM), store.next_due) == (0, 0, NEVER)


# -- pages


def test_a_page_holds_what_hangs_directly_below_its_parent(store: Store) -> None:
    store.put(*TEAM, {})
    store.put("file", "top", {"id": "top"})
    fill(store, 3, parent=TEAM)
    store.put("file", "deep", {"id": "deep"}, parent=("file", "0"))
    assert (ids(store), ids(store, parent=TEAM)) == (["top"], ["2", "1", "0"])
    assert [found["id"] for found in store.documents("file", TEAM)] == ["0", "1", "2"]
    assert [store.count("file", parent) for parent in (None, TEAM, ("file", "0"), ("file", "x"))] == [1, 3, 1, 0]


@pytest.mark.parametrize(
    ("cursor", "expected", "more"),
    [
        ({}, "6543210", False),
        ({"limit": 7}, "6543210", False),
        ({"limit": 2}, "65", True),
        ({"limit": 2, "after": "5"}, "43", True),
        ({"limit": 2, "after": "2"}, "10", False),
        ({"after": "0"}, "", False),
        ({"limit": 2, "order": "asc", "after": "1"}, "23", True),
        ({"limit": 2, "before": "2"}, "43", True),
        ({"limit": 2, "order": "asc", "before": "2"}, "01", False),
        ({"limit": 2, "order": "asc", "before": "5"}, "34", True),
        ({"after": "5", "before": "1"}, "432", False),
        ({"limit": 2, "after": "5", "before": "1"}, "43", True),
        ({"after": "1", "before": "5"}, "", False),
    ],
)
def test_a_page_begins_at_its_cursor(store: Store, cursor: dict[str, Any], expected: str, more: bool) -> None:
    fill(store, 7)
    page = store.page("file", Cursor(**cursor))
    assert ("".join(document["id"] for document in page.data), page.has_more) == (expected, more)


def test_a_cursor_that_is_not_known_is_refused(store: Store) -> None:
    store.put(*TEAM, {})
    store.put("file", "a", {"id": "a"}, parent=TEAM)
    fill(store, 2)
    for cursor in ("a", "gone"):
        for end in ("after", "before"):
            with pytest.raises(ApiError, match=f"Invalid '{end}'") as caught:
                ids(store, **{end: cursor})
            assert (caught.value.status, caught.value.detail["param"]) == (400, end)
    assert ids(store, parent=("team", "none"), after="gone") == []


def test_a_deleted_cursor_keeps_its_place(store: Store) -> None:
    store.put(*TEAM, {})
    fill(store, 5, parent=TEAM)
    for gone in ("2", "4"):
        store.delete("file", gone)
    assert ids(store, parent=TEAM, after="2") == ["1", "0"]
    assert ids(store, parent=TEAM, after="2", order="asc") == ["3"]
    assert ids(store, parent=TEAM, before="2") == ["3"]
    assert ids(store, parent=TEAM, before="2", order="asc") == ["0", "1"]
    fill(store, 1, kind="other", parent=TEAM)
    store.put("file", "5", {"id": "5"}, parent=TEAM)
    assert ids(store, parent=TEAM, after="4", order="asc") == ["5"]
    store.put("file", "2", {"id": "2"}, parent=TEAM)
    assert ids(store, parent=TEAM, after="5", order="asc") == ["2"]


def test_the_places_of_the_last_ten_thousand_deletions_are_known(store: Store) -> None:
    with store.transaction:
        fill(store, 10_002)
        for at in range(10_001):
            store.delete("file", f"{at}")
    assert ids(store, after="1", order="asc") == ["10001"]
    with pytest.raises(ApiError):
        ids(store, after="0", order="asc")


def test_places_below_a_parent_end_with_it(store: Store) -> None:
    for _ in range(2):
        store.put(*TEAM, {})
        fill(store, 2, parent=TEAM)
        store.delete("file", "1")
        assert ids(store, parent=TEAM, after="1") == ["0"]
        store.delete(*TEAM)
    store.put(*TEAM, {})
    with pytest.raises(ApiError):
        ids(store, parent=TEAM, after="1")


def test_a_page_can_ask_for_members(store: Store) -> None:
    for at in range(6):
        store.put("file", f"{at}", {"id": f"{at}", "odd": at % 2, "meta": {"third": at % 3}})

    def found(where: dict[str, Any], **cursor: Any) -> tuple[str, bool]:
        page = store.page("file", Cursor(**cursor), where=where)
        return "".join(document["id"] for document in page.data), page.has_more

    assert found({"odd": 1}) == ("531", False)
    assert found({"odd": 1}, limit=2) == ("53", True)
    assert found({"odd": 1}, limit=2, after="4") == ("31", False)
    assert found({"odd": 1, "meta": {"third": 0}}) == ("3", False)
    assert found({"meta": {}}) == ("543210", False)
    assert found({"meta": {"fourth": 1}}) == found({"id": {"x": 1}}) == ("", False)


def test_walking_on_by_cursor_sees_each_document_once_while_others_come_and_go(store: Store) -> None:
    fill(store, 10)
    seen, after = [], None
    for step in range(4):
        page = ids(store, limit=3, after=after)
        seen += page
        after = page[-1]
        store.put("file", f"new{step}", {"id": f"new{step}"})
        store.delete("file", seen[0])
    assert seen == [f"{at}" for at in range(9, -1, -1)]


def test_a_page_reads_no_more_than_it_shows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.transaction:
        fill(store, 10_000)
    reads = []
    for backend in (memory, sqlite):
        monkeypatch.setattr(backend, "decode", lambda body: reads.append(body) or decode(body))
    assert ids(store, after="5000", limit=20) == [f"{at}" for at in range(4999, 4979, -1)]
    assert len(reads) <= 21


def test_many_documents_are_walked_through_in_little_memory(store: Store) -> None:
    with store.transaction:
        for at in range(1_000):
            store.put("file", f"{at}", {"text": "x" * 10_000})
    tracemalloc.start()
    try:
        assert sum(1 for _ in store.documents("file")) == 1_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000


def test_documents_can_be_changed_while_they_are_walked_through(store: Store) -> None:
    fill(store, 250)
    for document in store.documents("file"):
        store.put("file", f"new{document['id']}", {})
        store.delete("file", document["id"])
    assert store.count("file") == 250


def test_ids_and_names_need_not_be_proper_text(store: Store) -> None:
    for name in ("\udcff", "a\x00b", "", "ß" * 1_000):
        assert store.get("file", name) is None
        assert not store.delete("file", name)
        store.put("file", name, {"length": len(name)}, names=[name], due=1.0)
        assert store.find("file", name) == [{"length": len(name)}]
        assert store.pop_due(1.0) == Due(1.0, "file", name)


# -- what is due


def test_what_is_due_comes_out_once_and_in_the_order_of_time(store: Store) -> None:
    for name, due in (("late", 9.0), ("b", 2.0), ("a", 2.0), ("never", None), ("first", 1.0)):
        store.put("file", name, {}, due=due)
    assert store.next_due == 1.0
    popped = [store.pop_due(8.0) for _ in range(4)]
    assert popped == [Due(1.0, "file", "first"), Due(2.0, "file", "b"), Due(2.0, "file", "a"), None]
    assert store.next_due == 9.0
    assert store.get("file", "first") == {}


def test_putting_a_document_again_says_anew_when_it_is_due(store: Store) -> None:
    store.put("file", "a", {}, due=1.0)
    store.put("file", "a", {}, due=2.0)
    assert store.pop_due(1.0) is None
    store.put("file", "a", {})
    assert (store.next_due, store.pop_due(9.0)) == (NEVER, None)


# -- bytes


class Drip(RawIOBase):
    """A file that gives less than it is asked for."""

    def __init__(self, data: bytes) -> None:
        self._file = BytesIO(data)

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(min(size, 100_000))


def content_of(store: Store, kind: str, id: str) -> bytes | None:
    blob = store.blob(kind, id)
    if blob is None:
        return None
    with blob.open() as file:
        data = file.read()
    assert blob.size == len(data)
    return data


@pytest.mark.parametrize("size", [0, 1, 1_048_576, 1_048_577, 3_000_000])
def test_bytes_come_out_as_they_went_in(store: Store, size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    store.put("file", "bytes", {}, content=data)
    store.put("file", "file", {}, content=BytesIO(data))
    store.put("file", "drip", {}, content=Drip(data))
    store.put("file", "none", {})
    assert [content_of(store, "file", name) == data for name in ("bytes", "file", "drip")] == [True] * 3
    assert content_of(store, "file", "none") is None


def test_bytes_are_read_by_several_at_once_and_stay_until_they_are_replaced(store: Store) -> None:
    store.put("file", "a", {}, content=b"first" * 400_000)
    store.put("file", "a", {"new": True})
    blob = store.blob("file", "a")
    assert blob is not None
    with blob.open() as one, blob.open() as two:
        assert (one.read(5), two.read(10)) == (b"first", b"firstfirst")
    store.put("file", "a", {}, content=b"second")
    assert content_of(store, "file", "a") == b"second"


class Zeros(RawIOBase):
    """A file of many zeros that takes no memory itself."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        data = bytes(min(size, self._left))
        self._left -= len(data)
        return data


def test_large_content_costs_little_memory(store: Store) -> None:
    tracemalloc.start()
    try:
        store.put("file", "a", {}, content=Zeros(64 * 1024 * 1024))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 1024 * 1024
    blob = store.blob("file", "a")
    assert blob is not None
    assert blob.size == 64 * 1024 * 1024


def test_temporary_files_go_with_their_documents_and_with_the_store() -> None:
    store = memory.MemoryStore()
    for name in "abc":
        store.put("file", name, {}, content=Zeros(2_000_000))
    blob = store.blob("file", "a")
    assert blob is not None
    with blob.open() as file:
        folder = os.path.dirname(file.name)
    assert len(os.listdir(folder)) == 3
    store.delete("file", "a")
    assert len(os.listdir(folder)) == 2
    store.clear()
    assert os.listdir(folder) == []
    store.put("file", "a", {}, content=Zeros(2_000_000))
    del store, blob
    assert not os.path.exists(folder)


# -- limits


def test_a_store_that_is_full_refuses_and_says_how_to_go_on(make_store: MakeStore) -> None:
    store = make_store(store_documents=1_000)
    fill(store, 1_000)
    with pytest.raises(ApiError, match="at most 1,000 documents") as caught:
        store.put("batch", "b", {})
    assert caught.value.status == 507
    assert caught.value.detail["code"] == "store_full"
    assert "raise the setting `store_documents`" in caught.value.detail["message"]
    store.put("file", "0", {"replaced": True})
    store.put("batch", "b", {}, parent=("file", "1"), accepted=True)
    assert store.count("file") == 1_000
    store.delete("file", "1")
    store.put("batch", "b", {})


def test_bytes_are_bounded_with_those_of_blobs(make_store: MakeStore) -> None:
    store = make_store(store_bytes=1_000)
    store.put("file", "a", {}, content=bytes(800))
    for content in (bytes(197), Zeros(197), Zeros(5_000_000)):
        with pytest.raises(ApiError, match="`store_bytes`"):
            store.put("file", "b", {}, content=content)
    with pytest.raises(ApiError, match="at most 1,000 bytes"):
        store.put("file", "b", {"text": "x" * 200})
    assert store.get("file", "b") is None
    with pytest.raises(ApiError):
        store.put("file", "a", {"text": "x" * 200})
    store.put("file", "b", {}, content=bytes(196))
    with pytest.raises(ApiError):
        store.put("file", "b", {}, content=bytes(197))
    assert content_of(store, "file", "b") == bytes(196)
    store.put("file", "a", {}, content=bytes(700))
    store.put("file", "c", {}, content=bytes(98))
    store.update("file", "c", {"grown": True})
    store.put("file", "d", {}, content=bytes(500), accepted=True)
    store.delete("file", "d")
    store.delete("file", "c")
    store.put("file", "c", {}, content=bytes(98))
