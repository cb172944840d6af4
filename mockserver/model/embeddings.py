"""Embedding vectors without a model: texts that share words and parts of words have similar vectors.

Words and their trigrams are hashed into signed dimensions (feature hashing), with little weight for function words. A faint
background, which depends on the whole text, keeps every value from being zero, so that even an empty text has a vector.
"""

from __future__ import annotations

import math
import re
import sys
from array import array
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from hashlib import shake_128
from zlib import crc32

from mockserver.model import tokens

# Sizes of a vector's values before it is scaled to unit length: those of features, and the background's faint ones by byte.
_SIGNAL = 1 << 13
_WORD_WEIGHT = 4
_TRIGRAM_WEIGHT = 2
_COMMON_WEIGHT = 1
_SKETCH = 128  # dimensions at the front, which vectors keep however short they are cut
_LONGEST_CACHED_WORD = 40
_FAINT = [2 * byte - 255 for byte in range(256)]
_FUNCTION_WORDS = """
a an and are as at be by can did do does for from had has have how i if in is it its me my of on or our so that the their them
they this to was we were what when where which who why will with would you your
"""
_COMMON = frozenset(_FUNCTION_WORDS.split())
Features = tuple[tuple[int, int, int], ...]


def embed(text: str | list[int], dimensions: int, native: int = 0) -> list[float]:
    """The unit vector of a text, or of a list of token ids (cl100k_base).

    `dimensions` is its length. With a larger `native`, the model's own length, the full vector is cut and brought back to unit
    length, as the service does (docs). Values are exact 32-bit floats, so numbers and base64 agree. Raises ValueError for an
    unknown token or `dimensions` below 1.
    """
    if dimensions < 1:
        raise ValueError(f"a vector has at least one dimension, not {dimensions}")
    words = text if isinstance(text, str) else tokens.decode(text, "cl100k_base")
    background, energy = _background(dimensions)
    shift = crc32(words.encode("utf-8", "surrogatepass")) % dimensions
    faint = background[shift:] + background[:shift]
    weights = _weights(words, max(dimensions, native), dimensions)
    signal = {at: weight * _SIGNAL + _FAINT[faint[at]] for at, weight in weights.items()}
    energy += sum([value * value - _FAINT[faint[at]] ** 2 for at, value in signal.items()])
    scale = 1.0 / math.sqrt(energy)
    values = [*map(_scale(_FAINT, scale).__getitem__, faint)]
    for at, value in zip(signal, _scale(signal.values(), scale), strict=True):
        values[at] = value
    return values


def pack(vector: list[float]) -> str:
    """A vector as the service encodes it for `encoding_format` base64: little-endian 32-bit floats."""
    packed = array("f", vector)
    if sys.byteorder == "big":
        packed.byteswap()
    return b64encode(packed.tobytes()).decode("ascii")


def _scale(numbers: Iterable[int], scale: float) -> list[float]:
    return array("f", [number * scale for number in numbers]).tolist()


def _weights(text: str, full: int, kept: int) -> dict[int, int]:
    """The weights of a text's features by dimension, of the first `kept` dimensions of a `full` vector.

    Every feature has two: one anywhere, and one near the front, so that a vector that is cut keeps its meaning.
    """
    weights: dict[int, int] = {}
    sketch = min(full, _SKETCH)
    for word in re.findall(r"\w+", text.lower()):
        for anywhere, front, weight in _features(word) if len(word) <= _LONGEST_CACHED_WORD else _hash_features(word):
            at = anywhere % full
            if at < kept:
                weights[at] = weights.get(at, 0) + weight
            at = front % sketch
            if at < kept:
                weights[at] = weights.get(at, 0) + weight
    return weights


def _hash_features(word: str) -> Features:
    if word in _COMMON:
        return (_hash(word, _COMMON_WEIGHT),)
    edged = f"<{word}>"
    return (_hash(word, _WORD_WEIGHT), *[_hash(edged[at : at + 3], _TRIGRAM_WEIGHT) for at in range(len(edged) - 2)])


_features = lru_cache(maxsize=16_384)(_hash_features)  # by word: texts differ, but consist of the same words


def _hash(feature: str, weight: int) -> tuple[int, int, int]:
    hashed = crc32(feature.encode("utf-8", "surrogatepass"))
    return hashed >> 12, hashed >> 1 & 0x7FF, weight if hashed & 1 else -weight


@lru_cache(maxsize=64)  # by length: callers use few different ones, and each takes a hash of thousands of bytes
def _background(dimensions: int) -> tuple[bytes, int]:
    """The values of a vector without a text, as positions in `_FAINT`, and the sum of their squares."""
    background = shake_128(b"%d" % dimensions).digest(dimensions)
    return background, sum([_FAINT[byte] ** 2 for byte in background])
