"""Vector stores, searched: the texts of their files cut into chunks, and the chunks that answer a query.

A chunk is a document below that of its file in the store (`vector_store.file`), and goes with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mockserver.model.search import words
from mockserver.model.search.chunks import Chunking, cut
from mockserver.model.search.filters import Filter, compile_filter
from mockserver.model.search.ranking import DEFAULT, Query, Ranking, Statistics, rewrite
from mockserver.resource import files
from mockserver.resource.vector_stores import STORE_FILE, VECTOR_STORE, store_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mockserver.state.store import Document, Key, Store

Json = Any
CHUNK = "vector_store.chunk"
_CANDIDATES = 40  # texts that are compared with the query; results are the best of them
_FEW = 200  # texts that have a word: one that more have is found often enough, and is not looked for in other forms


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that answers a query: the file that it is of, the file's attributes in the store, and a score from 0 to 1."""

    file_id: str
    filename: str
    score: float
    attributes: dict[str, Json] | None
    text: str


@dataclass(frozen=True, slots=True)
class Hits:
    """The results of a search, best first, and the queries as they were searched for (`search_query`)."""

    queries: list[str]
    data: list[Hit]


def index(store: Store, file: Document, text: str) -> None:
    """Cut the text of a vector store's file into chunks and keep them; `file` is its object in the store.

    Its `chunking_strategy` is the static one. Raises ValueError for a text that has too many tokens.
    """
    sizes = file["chunking_strategy"]["static"]
    chunking = Chunking(sizes["max_chunk_size_tokens"], sizes["chunk_overlap_tokens"])
    place = store_place(file["vector_store_id"], file["id"])
    for number, chunk in enumerate(cut(text, chunking)):
        document = {"file_id": file["id"], "vector_store_id": file["vector_store_id"], "text": chunk}
        forms = words.index(chunk)
        store.put(CHUNK, f"{place}/{number}", document, parent=(STORE_FILE, place), text=forms, accepted=True)


def chunks(store: Store, vector_store_id: str, file_id: str) -> list[str]:
    """The chunks of a file in a vector store, in their order."""
    place = store_place(vector_store_id, file_id)
    return [document["text"] for document in store.documents(CHUNK, (STORE_FILE, place))]


def search(
    store: Store,
    vector_store_ids: Sequence[str],
    queries: str | Sequence[str],
    *,
    max_num_results: int = 10,
    filters: Json = None,
    ranking: Ranking = DEFAULT,
    rewrite_query: bool = False,
) -> Hits:
    """The chunks of vector stores that answer any of the queries best.

    `filters` is a filter on attributes as callers write it, None for all files. Where fewer chunks have words of a query than
    results are wanted, others follow with a score of 0, since a search by vectors always finds something. Equal scores come in
    the order in which they were indexed. Raises FilterError for a filter that is none.
    """
    queries = [queries] if isinstance(queries, str) else list(queries)
    searched = [rewrite(query) for query in queries] if rewrite_query else queries
    below = _below(store, vector_store_ids, None if filters is None else compile_filter(filters))
    scores: dict[str, float] = {}
    for query in searched:
        for place, score in _scores(store, Query(query, ranking), below, max_num_results):
            scores[place] = max(score, scores.get(place, 0.0))
    _fill(store, below, scores, max_num_results)
    best = sorted(scores, key=lambda place: -scores[place])[:max_num_results]
    hits = [_hit(store, place, scores[place]) for place in best if scores[place] >= ranking.score_threshold]
    return Hits(searched, [hit for hit in hits if hit is not None])


def _below(store: Store, vector_store_ids: Sequence[str], accepts: Filter | None) -> list[Key]:
    """What to search below: the stores, or those of their files that a filter takes."""
    if accepts is None:
        return [(VECTOR_STORE, vector_store_id) for vector_store_id in vector_store_ids]
    return [
        (STORE_FILE, store_place(vector_store_id, file["id"]))
        for vector_store_id in vector_store_ids
        for file in store.documents(STORE_FILE, (VECTOR_STORE, vector_store_id))
        if accepts(file.get("attributes") or {})
    ]


def _scores(store: Store, query: Query, below: Sequence[Key], limit: int) -> Iterator[tuple[str, float]]:
    """The chunks that have words of a query, each with its score."""
    counts = store.search(CHUNK, query.forms(), below=below, limit=0).counts
    rare = [term for term in query.terms if counts.get(term.form, 0) <= _FEW]
    matches = store.search(CHUNK, query.forms() | query.variants(rare), below=below, limit=max(limit, _CANDIDATES))
    score = query.scorer(Statistics(matches.texts, matches.words, matches.counts))
    return ((match.id, score(match.text)) for match in matches.found)


def _fill(store: Store, below: Sequence[Key], scores: dict[str, float], limit: int) -> None:
    """Let other chunks follow where there are too few."""
    for place in _places(store, below):
        if len(scores) >= limit:
            return
        scores.setdefault(place, 0.0)


def _places(store: Store, below: Sequence[Key]) -> Iterator[str]:
    for key in below:
        found = store.documents(STORE_FILE, key) if key[0] == VECTOR_STORE else filter(None, [store.get(*key)])
        for file in found:
            place = store_place(file["vector_store_id"], file["id"])
            for number in range(store.count(CHUNK, (STORE_FILE, place))):
                yield f"{place}/{number}"


def _hit(store: Store, place: str, score: float) -> Hit | None:
    chunk = store.get(CHUNK, place)
    if chunk is None:  # deleted just now by another thread's client
        return None
    file_id = chunk["file_id"]
    in_store = store.get(STORE_FILE, store_place(chunk["vector_store_id"], file_id)) or {}
    file = store.get(files.FILE, file_id) or {}
    return Hit(file_id, file.get("filename", ""), round(score, 4), in_store.get("attributes"), chunk["text"])
