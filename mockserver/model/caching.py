"""The cache of prompts that a deployment keeps: how much of a prompt it has read before (documented).

From 1,024 tokens on, what two prompts have in common at their beginning is counted as cached, in steps of 128. Tools and schemas are
part of a prompt, and come first. The service may miss what it could have cached; this cache never does.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING

from mockserver.model import tokens

if TYPE_CHECKING:
    from mockserver.model.prompt import Prompt

LEAST = 1_024
STEP = 128
LASTS = {"in_memory": 600.0, "in-memory": 600.0, "24h": 86_400.0}
_MOST_KEPT = 16_384


class PromptCache:
    """The beginnings of prompts, by their digest, each with the instant at which it is forgotten."""

    def __init__(self) -> None:
        self._forgotten_at: dict[bytes, float] = {}

    def read(self, prompt: Prompt, now: float, *, key: str, lasts: float) -> int:
        """How many tokens of a prompt are cached; keep the whole of it for `lasts` seconds from now.

        Prompts with another `key` are cached apart. Only prompts of at least `LEAST` tokens need to be asked about.
        """
        cached, kept = 0, self._forgotten_at
        for size, digest in _beginnings(prompt, key):
            until = kept.pop(digest, now)
            if until > now:
                cached = size
            kept[digest] = max(until, now + lasts)
        while len(kept) > _MOST_KEPT:
            del kept[next(iter(kept))]
        return cached

    def reset(self) -> None:
        """Forget everything."""
        self._forgotten_at.clear()


def _beginnings(prompt: Prompt, key: str) -> Iterator[tuple[int, bytes]]:
    """The beginnings of a prompt that can be cached, shortest first: how many tokens each has, and its digest."""
    digest, read, due = blake2b(key.encode(), digest_size=16), 0, LEAST
    words: list[str] = []
    for text, extra, mark in tokens.written(prompt):
        words.append(f"\x00{mark}\x00")
        read += extra
        for word, count in tokens.weighed(text, prompt.model.encoding):
            words.append(word)
            read += count
            if read >= due:
                digest.update("".join(words).encode("utf-8", "surrogatepass"))
                words.clear()
                whole = read // STEP * STEP
                due = whole + STEP
                yield whole, digest.digest()
