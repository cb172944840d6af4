from __future__ import annotations

import math
import struct
from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.model import embeddings

PARAPHRASES = [
    ("How do I reset my password?", "I forgot my password, how can I reset it?"),
    ("The cat sat on the mat.", "A cat was sitting on a mat"),
    ("What is the capital of France?", "Paris is the capital city of France."),
]
UNRELATED = [
    ("How do I reset my password?", "Quarterly revenue grew by ten percent in Europe."),
    ("The cat sat on the mat.", "def add(a, b): return a + b"),
    ("What is the capital of France?", "The engine needs fresh oil."),
]


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


@given(text=st.text(max_size=60), dimensions=st.integers(1, 300), native=st.sampled_from([0, 64, 1536]))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_unit_vector_of_32_bit_floats(text: str, dimensions: int, native: int) -> None:
    vector = embeddings.embed(text, dimensions, native)
    assert len(vector) == dimensions
    assert math.isclose(cosine(vector, vector), 1.0, abs_tol=1e-5)
    assert [struct.unpack("<f", struct.pack("<f", value))[0] for value in vector] == vector


@pytest.mark.parametrize("dimensions", [256, 1536, 3072])
@pytest.mark.parametrize(("one", "other"), PARAPHRASES)
def test_texts_that_share_words_lie_near_each_other(one: str, other: str, dimensions: int) -> None:
    native = max(dimensions, 1536)
    assert cosine(embeddings.embed(one, dimensions, native), embeddings.embed(other, dimensions, native)) > 0.3


@pytest.mark.parametrize("dimensions", [256, 1536, 3072])
@pytest.mark.parametrize(("one", "other"), UNRELATED)
def test_unrelated_texts_are_nearly_at_right_angles(one: str, other: str, dimensions: int) -> None:
    native = max(dimensions, 1536)
    assert abs(cosine(embeddings.embed(one, dimensions, native), embeddings.embed(other, dimensions, native))) < 0.2


def test_equal_texts_have_equal_vectors_and_case_matters_little() -> None:
    vector = embeddings.embed("Weather in Paris", 1536)
    assert embeddings.embed("Weather in Paris", 1536) == vector
    assert 0.9 < cosine(vector, embeddings.embed("weather in paris", 1536)) < 1.0


def test_tokens_have_the_vector_of_their_text() -> None:
    assert embeddings.embed([15339, 1917], 64, 1536) == embeddings.embed("hello world", 64, 1536)


def test_a_shorter_vector_is_the_full_one_cut_and_made_a_unit_again() -> None:
    full = embeddings.embed("Weather in Paris tomorrow", 1536)
    short = embeddings.embed("Weather in Paris tomorrow", 512, 1536)
    telling = [at for at, value in enumerate(full[:512]) if abs(value) > 0.05]
    ratios = [short[at] / full[at] for at in telling]
    assert len(telling) > 10
    assert max(ratios) / min(ratios) < 1.1
    assert min(ratios) > 1.0


def test_even_an_empty_text_has_no_zero_anywhere() -> None:
    assert all(embeddings.embed("", 1536))
    assert embeddings.embed("", 1536) != embeddings.embed("?!", 1536)


def test_vectors_stay_the_same_from_release_to_release_and_on_every_platform() -> None:
    vector = embeddings.embed("The weather in Paris", 6, 1536)
    assert [round(value, 5) for value in vector] == [-0.70868, -0.00695, 0.00171, -0.70544, 0.00039, -0.00827]


def test_packing_gives_little_endian_32_bit_floats() -> None:
    vector = embeddings.embed("hello", 5)
    assert list(struct.unpack("<5f", b64decode(embeddings.pack(vector)))) == vector


def test_a_vector_without_dimensions_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one dimension"):
        embeddings.embed("hello", 0)


def test_an_unknown_token_is_refused() -> None:
    with pytest.raises(ValueError, match="no token has the id"):
        embeddings.embed([10**9], 8)
