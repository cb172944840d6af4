"""Cosine similarity of two texts' vectors."""

from __future__ import annotations

import math

from mockserver.model import embeddings

_DIMENSIONS = 3_072  # of text-embedding-3-large, which the service compares by (documented)


def cosine(text: str, reference: str) -> float:
    """The cosine of the vectors that `/embeddings` has for the two texts, 0 where they point away from each other."""
    one, other = embeddings.embed(text, _DIMENSIONS), embeddings.embed(reference, _DIMENSIONS)
    product = math.fsum(left * right for left, right in zip(one, other, strict=True))
    return min(1.0, max(0.0, product))
