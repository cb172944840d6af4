"""Chunks have the tokens that they should have, and their texts make up the whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.model import tokens
from mockserver.model.search import chunks
from mockserver.model.search.chunks import ENCODING, Chunking, cut, spans

WORDS = [
    " the",
    " quick",
    "\n\n",
    "日本語",
    " über",
    "🙂",
    "a",
    " ",
    "  ",
    "\t",
    "camelCase",
    "1234567",
    "don't",
    "\r\n",
    "é",
    "x" * 40,
    "ไทย",
]
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=400).map("".join)
SMALL = st.integers(100, 160).flatmap(lambda size: st.builds(Chunking, st.just(size), st.integers(0, size // 2)))


def count(text: str) -> int:
    return tokens.count(text, ENCODING)


@settings(deadline=None)
@given(TEXTS, SMALL)
def test_chunks_without_their_overlaps_are_the_text(text: str, chunking: Chunking) -> None:
    found = spans(text, chunking)
    assert found == [] if not text else (found[0][0], found[-1][1]) == (0, len(text))
    joined, end_before = "", 0
    for start, end in found:
        assert start <= end_before < end
        joined += text[end_before:end]
        end_before = end
    assert joined == text
    assert cut(text, chunking) == [text[start:end] for start, end in found]


@pytest.mark.parametrize(("size", "overlap"), [(800, 400), (100, 0), (100, 50), (128, 1), (4_096, 2_048)])
def test_chunks_have_as_many_tokens_as_they_should(size: int, overlap: int) -> None:
    text = " ".join(f"word number {at} of these." for at in range(2_000))
    found = spans(text, Chunking(size, overlap))
    assert {count(text[start:end]) for start, end in found[:-1]} == {size}
    assert {count(text[start:end]) for (start, _), (_, end) in zip(found[1:], found, strict=False)} <= {overlap}
    assert 0 < count(text[slice(*found[-1])]) <= size
    assert len(found) == 1 + -(-(count(text) - size) // (size - overlap))


def test_a_text_of_one_chunk_has_no_second_one_of_what_it_shares() -> None:
    text = " one" * 800
    assert cut(text) == [text]
    assert [count(chunk) for chunk in cut(text + " one")] == [800, 401]
    assert cut("") == []
    assert cut(" ") == [" "]


def test_texts_without_spaces_are_cut_too() -> None:
    text = "日本語の文章には空白がありません。" * 500
    found = cut(text, Chunking(100, 0))
    assert "".join(found) == text
    assert all(97 <= count(chunk) <= 103 for chunk in found[:-1])


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"word number {at} of these." for at in range(500))
    whole = cut(text, Chunking(100, 30))
    monkeypatch.setattr(chunks, "_BLOCK", 700)
    assert cut(text, Chunking(100, 30)) == whole


def test_a_word_that_is_none_takes_no_time() -> None:
    assert len(cut("x" * 1_000_000)) == 1 + -(-(250_000 - 800) // 400)


def test_a_text_may_be_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "MOST_TOKENS", 1_000)
    with pytest.raises(ValueError, match="1000 tokens"):
        cut(" one" * 1_001)


@pytest.mark.parametrize(("size", "overlap"), [(99, 0), (4_097, 0), (100, 51), (101, 51), (800, -1), (0, 0)])
def test_sizes_have_bounds(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=f"not {size}|not {overlap}"):
        Chunking(size, overlap)
