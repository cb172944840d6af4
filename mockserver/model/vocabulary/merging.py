"""Splits a word into tokens, by byte-pair encoding."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import heappop, heappush

from mockserver.model.vocabulary.table import UNKNOWN


def merge(word: bytes, ranks: Mapping[bytes, int]) -> list[bytes]:
    """The tokens of a word: neighbours of lowest rank are joined, leftmost first, until none can be joined.

    Linked parts, with the joins waiting by rank, keep a word of a megabyte from taking time by the square of its length. A rank
    belongs to one string of bytes, so a join never makes another one of its own rank.
    """
    size = len(word)
    ends, befores = list(range(1, size + 1)), list(range(-1, size - 1))
    pairs, waiting, queue = [UNKNOWN] * size, dict[int, list[int]](), list[int]()

    def offer(start: int, end: int) -> None:
        rank = pairs[start] = ranks[word[start:end]]
        if rank in waiting:
            waiting[rank].append(start)
        elif rank != UNKNOWN:
            waiting[rank] = [start]
            heappush(queue, rank)

    for start in range(size - 1):
        offer(start, start + 2)
    while queue:
        rank = heappop(queue)
        starts = waiting.pop(rank)
        starts.sort(reverse=True)
        while starts and (not queue or rank < queue[0]):
            start = starts.pop()
            if pairs[start] != rank:
                continue
            middle = ends[start]
            end = ends[start] = ends[middle]
            pairs[start] = pairs[middle] = UNKNOWN
            if end < size:
                befores[end] = start
                offer(start, ends[end])
            if start:
                offer(befores[start], end)
        if starts:
            waiting[rank] = starts
            heappush(queue, rank)
    return _walk(word, ends)


def _walk(word: bytes, ends: list[int]) -> list[bytes]:
    parts, start = [], 0
    while start < len(word):
        parts.append(word[start : ends[start]])
        start = ends[start]
    return parts
