"""The cache of prompts that a deployment keeps: how many tokens of a prompt it has read before (docs).

From 1,024 tokens on, the tokens that two prompts share at their beginning count as cached, in steps of 128. Tools and schemas are
part of a prompt, and come first. The service may miss what it could have cached; this cache never does.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING

from mockserver.model import tokens

if TYPE_CHECKING:
    from mockserver.model.prompt import Prompt

MINIMUM_TOKENS = 1_024
STEP = 128
RETENTIONS = {"in_memory": 600.0, "in-memory": 600.0, "24h": 86_400.0}  # seconds
_MOST_ENTRIES = 16_384


class PromptCache:
    """The beginnings of the prompts that were read, each as a digest with the instant at which it expires."""

    def __init__(self) -> None:
        self._expires_at: dict[bytes, float] = {}

    def read(self, prompt: Prompt, now: float, *, key: str, retention: float) -> int:
        """How many tokens of a prompt are cached. Caches all of it for `retention` seconds from `now`.

        Prompts with another `key` are cached separately. Those of fewer than `MINIMUM_TOKENS` tokens are never cached, and
        need not be read.
        """
        cached, expires_at = 0, self._expires_at
        for size, digest in _beginnings(prompt, key):
            until = expires_at.pop(digest, now)  # and back at the end, so that the oldest entries come first
            if until > now:
                cached = size
            expires_at[digest] = max(until, now + retention)
        while len(expires_at) > _MOST_ENTRIES:
            del expires_at[next(iter(expires_at))]
        return cached

    def reset(self) -> None:
        """Forget all prompts."""
        self._expires_at.clear()


def _beginnings(prompt: Prompt, key: str) -> Iterator[tuple[int, bytes]]:
    """The beginnings of a prompt that can be cached, shortest first: the number of tokens in whole steps, and a digest."""
    digest, total, boundary = blake2b(key.encode(), digest_size=16), 0, MINIMUM_TOKENS
    words: list[str] = []
    for text, overhead, kind in tokens.segments(prompt):
        words.append(f"\x00{kind}\x00")
        total += overhead
        for word, count in tokens.count_words(text, prompt.model.encoding):
            words.append(word)
            total += count
            if total >= boundary:
                digest.update("".join(words).encode("utf-8", "surrogatepass"))
                words.clear()
                size = total // STEP * STEP
                boundary = size + STEP
                yield size, digest.digest()
