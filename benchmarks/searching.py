"""Vector stores: how fast texts are indexed, how soon a search is answered, and how soon a state file with them is open again."""

from __future__ import annotations

import tempfile
import time
from itertools import accumulate
from pathlib import Path
from pydoc_data.topics import topics
from random import Random

from benchmarks.budget import INDEX, REOPEN, SEARCH, Figure, Findings, median
from mockserver.resource import search
from mockserver.state.memory import MemoryStore
from mockserver.state.sqlite import SqliteStore
from mockserver.state.sqlite_file import StateFile
from mockserver.state.store import Store

_CHUNKS = 10_000
_CHUNKING = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
_CHARACTERS_A_CHUNK = 1_680  # of new text: half of one is what it shares with the one before
_CHARACTERS_A_FILE = 200_000


def vector_stores(scale: float) -> Findings:
    """Index so many times 10,000 chunks, search in them, and open them again."""
    texts = _texts(int(scale * _CHUNKS * _CHARACTERS_A_CHUNK))
    store = MemoryStore()
    megabytes_a_second, chunks = _index(store, texts)
    times = _search(store, texts)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "state"))
        in_file, _ = _fill_file(path, texts)
        reopened = _reopen(path)
    low, high = median(times), sorted(times)[len(times) * 95 // 100]
    return Findings(
        [
            Figure(INDEX, 1e3 / megabytes_a_second, f"{megabytes_a_second:.1f} MB/s, {chunks} chunks"),
            Figure(SEARCH, low * 1e3, f"in {chunks} chunks; 95 % of them below {high * 1e3:.1f} ms"),
            Figure(REOPEN, reopened * 1e3, f"{chunks} chunks"),
        ],
        [f"indexing into a state file: {in_file:.1f} MB/s"],
    )


def _texts(size: int) -> list[str]:
    """English prose of so many characters, in files: paragraphs of the language's own documentation, in ever other order."""
    random = Random(1)
    paragraphs = [part for text in topics.values() for part in text.split("\n\n") if len(part) > 40]
    files = []
    while size > 0:
        order = random.sample(paragraphs, len(paragraphs))
        lengths = accumulate(len(paragraph) + 20 for paragraph in order)
        chosen = [
            f"{paragraph} {random.randrange(1 << 40):x}"
            for paragraph, length in zip(order, lengths, strict=True)
            if length < _CHARACTERS_A_FILE
        ]
        files.append("\n\n".join(chosen))
        size -= len(files[-1])
    return files


def _index(store: Store, texts: list[str]) -> tuple[float, int]:
    """Megabytes a second, and how many chunks there are now. The first file is not counted: with it the words are learned."""
    store.put("vector_store", "vs", {"id": "vs"})
    begun = size = 0.0
    for number, text in enumerate(texts):
        if number == 1:
            begun = time.process_time()
        file = {"id": f"{number}", "vector_store_id": "vs", "chunking_strategy": _CHUNKING}
        store.put("file", f"{number}", {"id": f"{number}", "filename": f"{number}.txt"})
        store.put("vector_store.file", f"vs/{number}", file, parent=("vector_store", "vs"), names=(f"{number}",))
        search.index(store, file, text)
        size += len(text) if number else 0
    taken = time.process_time() - begun
    chunks = sum(store.count("vector_store.chunk", ("vector_store.file", f"vs/{number}")) for number in range(len(texts)))
    return size / taken / 1e6, chunks


def _search(store: Store, texts: list[str]) -> list[float]:
    """How long searches take, in seconds: questions of three to eight words that stand together in the texts."""
    random, times = Random(2), []
    for _ in range(200):
        words = random.choice(texts)[:50_000].split()
        at = random.randrange(len(words) - 8)
        query = " ".join(words[at : at + random.randrange(3, 9)])
        begun = time.process_time()
        search.search(store, ["vs"], query)
        times.append(time.process_time() - begun)
    return times


def _fill_file(path: str, texts: list[str]) -> tuple[float, int]:
    store = SqliteStore(StateFile(path), "contoso")
    with store.transaction:
        result = _index(store, texts)
    store.close()
    return result


def _reopen(path: str) -> float:
    begun = time.process_time()
    store = SqliteStore(StateFile(path), "contoso")
    found = search.search(store, ["vs"], "What does the yield statement do?")
    taken = time.process_time() - begun
    assert found.data[0].score > 0
    store.close()
    return taken
