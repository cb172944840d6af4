"""Vector stores, searched."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.model.search.filters import FilterError
from mockserver.model.search.ranking import Ranking
from mockserver.resource import search
from mockserver.resource.search import Hit, Hits
from mockserver.state.memory import MemoryStore
from mockserver.state.store import Store

SMALL = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}


def add(store: Store, name: str, text: str, *, into: str = "vs_1", attributes: dict[str, Any] | None = None) -> None:
    if store.get("vector_store", into) is None:
        store.put("vector_store", into, {"id": into})
    store.put("file", name, {"id": name, "filename": f"{name}.md"})
    file = {"id": name, "vector_store_id": into, "chunking_strategy": SMALL}
    if attributes is not None:
        file["attributes"] = attributes
    store.put("vector_store.file", f"{into}/{name}", file, parent=("vector_store", into), names=(name,))
    search.index(store, file, text)


@pytest.fixture
def store() -> Store:
    store = MemoryStore()
    add(store, "food", "Travis likes pizza.", attributes={"team": "red", "year": 2024})
    add(store, "cars", "Anna drives a red car.", attributes={"team": "blue", "year": 2025})
    add(store, "dogs", "Anna has two dogs, and likes them.")
    return store


def names(hits: Hits, least: float = 0.01) -> list[str]:
    return [hit.file_id for hit in hits.data if hit.score >= least]


def test_the_chunks_that_answer_a_query_come_with_what_is_known_of_their_files(store: Store) -> None:
    best = search.search(store, ["vs_1"], "Which pizza does Travis like?").data[0]
    assert best == Hit("food", "food.md", best.score, {"team": "red", "year": 2024}, "Travis likes pizza.")
    assert 0.5 < best.score < 1
    assert search.search(store, ["vs_1"], "dogs").data[0].attributes is None


def test_others_follow_with_no_score_as_many_as_are_wanted(store: Store) -> None:
    assert [(hit.file_id, hit.score > 0) for hit in search.search(store, ["vs_1"], "car").data] == [
        ("cars", True),
        ("food", False),
        ("dogs", False),
    ]
    assert len(search.search(store, ["vs_1"], "car", max_num_results=2).data) == 2
    assert [hit.score for hit in search.search(store, ["vs_1"], "zebra").data] == [0, 0, 0]
    assert [hit.score for hit in search.search(store, ["vs_1"], "?").data] == [0, 0, 0]


def test_a_threshold_leaves_out_what_is_below_it(store: Store) -> None:
    hits = search.search(store, ["vs_1"], "Anna drives", ranking=Ranking(score_threshold=0.5))
    assert names(hits) == ["cars"]
    assert search.search(store, ["vs_1"], "zebra", ranking=Ranking(score_threshold=0.01)).data == []


def test_several_queries_find_what_any_of_them_does(store: Store) -> None:
    hits = search.search(store, ["vs_1"], ["pizza", "car"])
    assert sorted(names(hits)) == ["cars", "food"]
    assert hits.queries == ["pizza", "car"]
    assert search.search(store, ["vs_1"], []).queries == []


@pytest.mark.parametrize(
    ("query", "rewritten"),
    [
        ("What is the name of Anna's dogs?", "name Anna's dogs"),
        ("Who are you?", "Who are you?"),
        ("max_chunk_size_tokens in C++", "max_chunk_size_tokens C++"),
        ("東京の天気", "東京の天気"),
        ("", ""),
    ],
)
def test_a_query_can_be_rewritten(store: Store, query: str, rewritten: str) -> None:
    assert search.search(store, ["vs_1"], query, rewrite_query=True).queries == [rewritten]
    assert search.search(store, ["vs_1"], query).queries == [query]


def test_filters_are_on_the_attributes_of_files(store: Store) -> None:
    after = {"type": "gt", "key": "year", "value": 2024}
    assert [hit.file_id for hit in search.search(store, ["vs_1"], "Anna likes", filters=after).data] == ["cars"]
    none = {"type": "eq", "key": "team", "value": "green"}
    assert search.search(store, ["vs_1"], "Anna", filters=none).data == []
    without = {"type": "ne", "key": "team", "value": "red"}
    assert names(search.search(store, ["vs_1"], "likes", filters=without)) == ["dogs"]
    with pytest.raises(FilterError):
        search.search(store, ["vs_1"], "Anna", filters={"type": "eq"})


def test_only_the_stores_that_are_named_are_searched(store: Store) -> None:
    before = search.search(store, ["vs_1"], "Anna")
    add(store, "other", "Anna Anna Anna", into="vs_2")
    assert search.search(store, ["vs_1"], "Anna") == before
    assert names(search.search(store, ["vs_2"], "Anna")) == ["other"]
    assert set(names(search.search(store, ["vs_2", "vs_1"], "Anna"))) == {"other", "cars", "dogs"}
    assert search.search(store, ["vs_3"], "Anna").data == []
    assert search.search(store, [], "Anna").data == []


def test_equal_scores_come_in_the_order_in_which_they_were_indexed(store: Store) -> None:
    for at in range(5):
        add(store, f"twin{at}", "A zebra is striped.")
    assert names(search.search(store, ["vs_1"], "zebra")) == [f"twin{at}" for at in range(5)]


def test_a_long_file_is_found_by_the_chunk_that_answers(store: Store) -> None:
    text = " ".join(f"This sentence has the number {at}, and no more." for at in range(100)) + " The secret is ultramarine."
    add(store, "long", text)
    parts = search.chunks(store, "vs_1", "long")
    assert len(parts) > 5
    assert "".join(parts) == text
    hits = search.search(store, ["vs_1"], "What is the secret?")
    assert hits.data[0].text == parts[-1]
    assert len(
        [hit for hit in search.search(store, ["vs_1"], "sentence", max_num_results=50).data if hit.file_id == "long"]
    ) == len(parts)


def test_chunks_go_with_their_file_in_the_store(store: Store) -> None:
    store.delete("vector_store.file", "vs_1/cars")
    assert names(search.search(store, ["vs_1"], "Anna")) == ["dogs"]
    assert search.chunks(store, "vs_1", "cars") == []
    store.delete("vector_store", "vs_1")
    assert search.search(store, ["vs_1"], "Anna").data == []


def test_the_very_words_can_count_alone(store: Store) -> None:
    add(store, "health", "Die Krankenversicherung zahlt.")
    like = search.search(store, ["vs_1"], "Versicherung")
    assert names(like) == ["health"]
    half = search.search(store, ["vs_1"], "Versicherung", ranking=Ranking(embedding_weight=0.5, text_weight=0.5))
    assert 0 < half.data[0].score < like.data[0].score
    assert names(search.search(store, ["vs_1"], "Versicherung", ranking=Ranking(embedding_weight=0, text_weight=1))) == []


def test_without_a_ranker_it_is_the_words_alone_that_count(store: Store) -> None:
    add(store, "often", "zebra zebra zebra")
    add(store, "once", "a zebra among many other animals")
    plain = search.search(store, ["vs_1"], "zebra", ranking=Ranking(ranker="none"), max_num_results=2).data
    ranked = search.search(store, ["vs_1"], "zebra", max_num_results=2).data
    assert plain[0].score == plain[1].score == 1
    assert 1 > ranked[0].score > ranked[1].score
    assert ranked[0].file_id == "often"


def test_a_query_of_anything_is_answered(store: Store) -> None:
    for query in ("\ud800", "\x00", '"', "a" * 100_000, "*", "~", "NOT AND", "_" * 70, "word " * 5_000, "🙂", "é\u0301"):
        assert len(search.search(store, ["vs_1"], query).data) == 3
