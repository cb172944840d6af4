"""Questions find the documents that answer them: the right one first in 90 %, among the first three in 97 %."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.model.search import ranking
from mockserver.model.search.ranking import Ranking
from mockserver.resource import search
from mockserver.state.memory import MemoryStore
from mockserver.state.store import Store

LABELLED: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("labelled.yaml").read_text(encoding="utf-8"))
DOCUMENTS: dict[str, str] = LABELLED["documents"]
QUESTIONS: list[dict[str, str]] = LABELLED["questions"]
HELD_OUT = QUESTIONS[2::3]
TUNED = [question for question in QUESTIONS if question not in HELD_OUT]
CHUNKING = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}


@dataclass
class Ranks:
    """The place of the right document for each question, from 0 on."""

    by_question: dict[str, int]

    def within(self, places: int) -> float:
        return sum(rank < places for rank in self.by_question.values()) / len(self.by_question)


@pytest.fixture(scope="module")
def store() -> Store:
    store = MemoryStore()
    store.put("vector_store", "vs", {"id": "vs"})
    for name, text in DOCUMENTS.items():
        store.put("file", name, {"id": name, "filename": f"{name}.txt"})
        file = {"id": name, "vector_store_id": "vs", "chunking_strategy": CHUNKING}
        store.put("vector_store.file", f"vs/{name}", file, parent=("vector_store", "vs"), names=(name,))
        search.index(store, file, text)
    return store


def ranks(store: Store, questions: list[dict[str, str]], ranking: Ranking = ranking.DEFAULT, **options: Any) -> Ranks:
    found = {}
    for question in questions:
        data = search.search(store, ["vs"], question["ask"], ranking=ranking, max_num_results=50, **options).data
        found[question["ask"]] = [hit.file_id for hit in data].index(question["answer"])
    return Ranks(found)


def test_there_are_enough_of_them() -> None:
    assert len(DOCUMENTS) >= 30
    assert len(TUNED) >= 50
    assert len(HELD_OUT) >= 25
    assert {question["answer"] for question in QUESTIONS} == set(DOCUMENTS)


def test_the_right_document_is_first_or_nearly_so(store: Store) -> None:
    found = ranks(store, QUESTIONS)
    late = {question: rank for question, rank in found.by_question.items() if rank}
    assert found.within(1) >= 0.97, late
    assert found.within(3) >= 0.98, late


def test_it_is_so_for_the_questions_that_rankings_are_not_tuned_to(store: Store) -> None:
    found = ranks(store, HELD_OUT)
    assert (found.within(1), found.within(3)) >= (0.96, 0.96)


def test_what_is_like_a_word_helps(store: Store) -> None:
    words_alone = Ranking(embedding_weight=0, text_weight=1)
    assert ranks(store, QUESTIONS, words_alone).within(1) < ranks(store, QUESTIONS).within(1)


def test_rewritten_queries_find_no_less(store: Store) -> None:
    assert ranks(store, QUESTIONS, rewrite_query=True).within(3) >= 0.97


def test_scores_are_between_0_and_1_and_the_same_each_time(store: Store) -> None:
    for question in QUESTIONS:
        hits = search.search(store, ["vs"], question["ask"], max_num_results=50)
        scores = [hit.score for hit in hits.data]
        assert scores == sorted(scores, reverse=True)
        assert 0 <= min(scores) <= max(scores) < 1
        assert search.search(store, ["vs"], question["ask"], max_num_results=50) == hits
