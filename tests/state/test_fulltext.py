"""What documents are found by: their texts, wherever these hang, for as long as they are there."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from mockserver.errors import ApiError
from mockserver.state import fulltext
from mockserver.state.fulltext import FullText
from mockserver.state.sqlite import SqliteStore
from mockserver.state.sqlite_file import StateFile
from mockserver.state.store import Matches, Store

BOX = ("box", "b")
OTHER = ("box", "c")


@pytest.fixture
def texts(store: Store) -> Store:
    """Two boxes, of which the first has two folders with notes in them."""
    for box in (BOX, OTHER):
        store.put(*box, {})
    for folder in "fg":
        store.put("folder", folder, {}, parent=BOX)
    store.put("note", "1", {"n": 1}, parent=("folder", "f"), text="red apple tree")
    store.put("note", "2", {"n": 2}, parent=("folder", "g"), text="red pear")
    store.put("note", "3", {"n": 3}, parent=("folder", "g"), text="blue sky")
    store.put("note", "4", {"n": 4}, parent=OTHER, text="red red red")
    return store


def ids(
    store: Store, *words: str, below: tuple[tuple[str, str], ...] = (BOX,), limit: int = 10, kind: str = "note"
) -> list[str]:
    return [match.id for match in store.search(kind, dict.fromkeys(words, 1.0), below=below, limit=limit).found]


def test_texts_are_found_by_their_words_those_with_most_first(texts: Store) -> None:
    assert ids(texts, "red", "pear") == ["2", "1"]
    assert ids(texts, "red", "pear", limit=1) == ["2"]
    assert ids(texts, "sky") == ["3"]
    assert ids(texts, "green") == ids(texts) == []


def test_a_rare_word_counts_more_than_a_common_one_and_a_weight_counts_too(texts: Store) -> None:
    assert ids(texts, "red", "sky") == ["3", "1", "2"]
    found = texts.search("note", {"red": 9.0, "sky": 1.0}, below=[BOX], limit=10).found
    assert [match.id for match in found] == ["1", "2", "3"]


def test_a_match_has_the_words_of_its_text_and_the_matches_what_to_judge_them_by(texts: Store) -> None:
    matches = texts.search("note", {"sky": 1.0, "red": 1.0, "none": 1.0}, below=[BOX], limit=1)
    assert matches == Matches([("3", "blue sky")], {"sky": 1, "red": 2, "none": 0}, 3, 7)


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ((OTHER,), ["4"]),
        ((BOX, OTHER), ["1", "2", "4"]),
        ((("folder", "g"),), ["2"]),
        ((("folder", "g"), OTHER), ["2", "4"]),
        ((("folder", "f"), BOX), ["1", "2"]),
        ((("folder", "x"), ("box", "\ud800")), []),
        ((), []),
    ],
)
def test_a_search_stays_below_the_documents_that_it_is_in(
    texts: Store, below: tuple[tuple[str, str], ...], expected: list[str]
) -> None:
    assert ids(texts, "red", below=below) == expected


def test_other_kinds_and_other_trees_change_nothing(texts: Store) -> None:
    before = texts.search("note", {"red": 1.0}, below=[BOX], limit=10)
    texts.put("comment", "1", {}, parent=BOX, text="red")
    texts.put("note", "5", {}, parent=OTHER, text="red")
    assert texts.search("note", {"red": 1.0}, below=[BOX], limit=10) == before
    assert ids(texts, "red", kind="comment") == ["1"]


def test_a_document_without_a_parent_is_searched_below_itself(store: Store) -> None:
    store.put("note", "n", {}, text="red")
    assert ids(store, "red", below=(("note", "n"),)) == ["n"]


def test_a_word_with_a_star_stands_for_all_that_begin_so(texts: Store) -> None:
    assert ids(texts, "pe*") == ids(texts, "pear*") == ["2"]
    assert ids(texts, "ear*") == []
    assert texts.search("note", {"re*": 1.0}, below=[BOX], limit=10).counts == {"re*": 2}


@pytest.mark.parametrize(
    "word", ['"', "'", "a*b", "NEAR", "AND", "a:b", "(", "-", "^x", "ß", "日本", "x" * 500, "a\x00b", "\ud800"]
)
def test_any_word_can_be_searched_for(texts: Store, word: str) -> None:
    assert ids(texts, word) == []


@pytest.mark.parametrize("word", ['a"b', "it's", "a*b", "near", "a:b", "(", "-", "^x", "ß", "日本", "_", "1_x"])
def test_any_word_can_be_found(texts: Store, word: str) -> None:
    texts.put("note", "9", {}, parent=BOX, text=f"first {word}\tlast")
    assert ids(texts, word) == ids(texts, "last") == ["9"]


def test_a_document_that_is_put_again_is_found_by_its_new_text(texts: Store) -> None:
    texts.put("note", "1", {"n": 1}, text="green")
    assert ids(texts, "red") == ["2"]
    assert ids(texts, "green") == ["1"]


def test_a_document_that_is_put_again_without_a_text_or_updated_keeps_its_own(texts: Store) -> None:
    texts.put("note", "1", {"n": 9})
    texts.update("note", "2", {"n": 9})
    assert ids(texts, "red") == ["1", "2"]
    texts.put("note", "1", {"n": 9}, text="")
    assert ids(texts, "red") == ["2"]


def test_a_text_goes_with_its_document_with_what_that_hangs_below_and_with_everything(texts: Store) -> None:
    texts.delete("note", "1")
    assert ids(texts, "red") == ["2"]
    texts.delete(*BOX)
    texts.put(*BOX, {})
    assert ids(texts, "red", "blue") == []
    assert ids(texts, "red", below=(OTHER,)) == ["4"]
    texts.clear()
    texts.put(*OTHER, {})
    assert ids(texts, "red", below=(OTHER,)) == []
    assert texts.search("note", {"red": 1.0}, below=[OTHER], limit=1).texts == 0


def test_texts_take_room(make_store: Callable[..., Store]) -> None:
    store = make_store(store_bytes=20)
    store.put("note", "a", {}, text="ten bytes.")
    with pytest.raises(ApiError, match="store_bytes"):
        store.put("note", "b", {}, text="ten bytes.")
    store.put("note", "a", {}, text="")
    store.put("note", "b", {}, text="ten bytes.")


def test_common_words_beside_rarer_ones_are_left_out_where_they_would_cost_much(
    texts: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fulltext, "_MOST_ENTRIES", 2)
    assert ids(texts, "red", "sky", "pear") == ["2", "3"]
    assert ids(texts, "red", "sky") == ["3", "1", "2"]


def test_words_are_counted_anew_when_texts_change(texts: Store) -> None:
    def count() -> int:
        return texts.search("note", {"red": 1.0}, below=[BOX], limit=0).counts["red"]

    assert count() == 2
    texts.put("note", "5", {}, parent=BOX, text="red")
    assert count() == 3
    texts.delete("note", "1")
    assert count() == 2
    texts.delete("folder", "g")
    assert count() == 1


def test_counts_are_kept_within_bounds(texts: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fulltext, "_MOST_COUNTED", 2)
    for _ in range(2):
        assert ids(texts, "red", "pear", "sky") == ["2", "3", "1"]


def test_many_words_are_cut(texts: Store) -> None:
    assert ids(texts, *map(str, range(99)), "red", "sky") == ["1", "2"]


# -- without FTS5


@pytest.fixture(params=["with an index", "without one"])
def full_text(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> FullText:
    if request.param == "without one":
        monkeypatch.setattr(fulltext, "_INDEX", "CREATE VIRTUAL TABLE text_index USING no_such_module(words)")
    return fulltext.open_in_memory()


def test_a_build_without_an_index_finds_the_same(full_text: FullText) -> None:
    for number, text in enumerate(["red apple 日本", "red pear", "blue"], 1):
        full_text.put(number, 0, 0, "note", text)
    full_text.put(3, 0, 0, "note", "redder")
    hits = full_text.search("note", {"red": 1.0, "pea*": 1.0, "red*": 0.1}, [(0, 0)], 10)
    assert [hit.number for hit in hits.found] == [2, 1, 3]
    assert hits.counts == {"red": 2, "pea*": 1, "red*": 3}
    full_text.remove([2, 9])
    assert [hit.number for hit in full_text.search("note", {"red": 1.0}, [(0, 0)], 10).found] == [1]
    full_text.remove([1, 3])
    assert full_text.search("note", {"red": 1.0}, [(0, 0)], 10) == ([], {"red": 0}, 0, 0)


def test_what_is_dropped_as_a_whole_leaves_the_index_when_it_is_more_than_what_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fulltext, "_FEW_REMOVED", 1)
    connection = sqlite3.connect(":memory:")
    fulltext.create(connection)
    texts = FullText(connection)
    for number in range(10):
        texts.put(number, number % 2, number % 2, "note", "red " * (1 + number % 2))
    texts.remove(range(0, 10, 2))
    query = "SELECT rowid FROM text_index WHERE text_index MATCH '\"1_red\"'"
    assert len(connection.execute(query).fetchall()) == 5
    texts.put(10, 0, 0, "note", "red")
    assert [hit.number for hit in texts.search("note", {"red": 1.0}, [(0, 0)], 10).found] == [10]
    for number in range(20, 23):
        texts.put(number, 3, 3, "note", "red red red")
    texts.remove([*range(20, 23), 1])
    assert connection.execute(query).fetchall() == []
    assert [hit.number for hit in texts.search("note", {"red": 1.0}, [(1, 1)], 10).found] == [3, 5, 7, 9]
    connection.close()


def test_texts_survive_in_a_file_where_resources_see_only_their_own(tmp_path: Path) -> None:
    for found in ([], ["1"]):
        file = StateFile(str(tmp_path / "texts.state"))
        mine, other = SqliteStore(file, "mine"), SqliteStore(file, "other")
        assert ids(mine, "red") == found
        mine.put(*BOX, {})
        other.put(*BOX, {})
        other.put("note", "2", {}, parent=BOX, text="red")
        other.clear()
        mine.put("note", "1", {}, parent=BOX, text="red")
        assert ids(other, "red") == []
        file.close()


def test_a_text_is_taken_back_with_what_else_was_written(tmp_path: Path) -> None:
    store = SqliteStore(StateFile(str(tmp_path / "texts.state")), "mine")
    store.put(*BOX, {})
    store.put("note", "1", {}, parent=BOX, text="red")
    with suppress(ZeroDivisionError), store.transaction:
        store.put("note", "1", {}, text="green")
        store.put("note", "2", {}, parent=BOX, text="red green")
        assert store.search("note", {"green": 1.0}, below=[BOX], limit=0).counts == {"green": 2}
        raise ZeroDivisionError
    assert (ids(store, "red"), ids(store, "green")) == (["1"], [])
    assert store.search("note", {"green": 1.0}, below=[BOX], limit=0).counts == {"green": 0}
    store.close()


def test_sqlite_is_not_loaded_before_the_first_text() -> None:
    code = """
import sys
from mockserver.state.memory import MemoryStore
store = MemoryStore()
store.put("note", "a", {})
store.search("note", {"red": 1.0}, below=[("note", "a")], limit=1)
store.delete("note", "a")
store.clear()
assert "sqlite3" not in sys.modules
store.put("note", "a", {}, text="red")
assert "sqlite3" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_threads_that_put_delete_and_search_at_once_do_not_disturb_each_other(store: Store) -> None:
    for box in (BOX, OTHER):
        store.put(*box, {})

    def work(number: int) -> None:
        for at in range(20):
            with store.transaction:
                store.put("note", f"{number}", {}, parent=BOX, text=f"red {number} {at}")
            assert f"{number}" in ids(store, "red", f"{number}")
            with store.transaction:
                store.delete("note", f"{number}")

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, number) for number in range(4)]:
            done.result()
    assert ids(store, "red") == []
