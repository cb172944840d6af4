"""Words are compared in one form, whatever they look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.model.search import words


def forms(text: str) -> list[str]:
    return [form for form in words.index(text).split() if not form.startswith("~")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cats", "cat"),
        ("policies", "policy"),
        ("boxes", "box"),
        ("classes", "class"),
        ("addresses", "address"),
        ("houses", "house"),
        ("keys", "key"),
        ("children", "child"),
        ("mice", "mouse"),
        ("indices", "index"),
        ("expires", "expire"),
        ("expired", "expire"),
        ("expiring", "expire"),
        ("stopped", "stop"),
        ("stopping", "stops"),
        ("called", "calls"),
        ("passing", "passes"),
        ("deployed", "deploys"),
        ("Verträge", "Vertrag"),
        ("Kündigungen", "Kündigung"),
        ("ROOMS", "room"),
        ("Straße", "STRASSE"),
        ("café", "cafe"),
        ("cafe\u0301", "café"),
        ("ｆｕｌｌ", "full"),
        ("ﬁle", "file"),
        ("getUserById", "get_user_by_id"),
        ("GetUserByID", "getUserById"),
        ("MAX_CHUNK_SIZE", "maxChunkSize"),
        ("HTTPServer", "http_server"),
        ("Москве", "москве"),
        ("हिन्दी", "हिन्दी"),
    ],
)
def test_what_is_the_same_has_the_same_forms(one: str, other: str) -> None:
    assert forms(one) == forms(other) != []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bus", "bu"),
        ("class", "clas"),
        ("this is", "thi"),
        ("sing", "s"),
        ("red", "r"),
        ("news", "newt"),
        ("かき", "がき"),
        ("1,5", "15"),
    ],
)
def test_what_is_not_the_same_has_others(one: str, other: str) -> None:
    assert forms(one) != forms(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The cat is on the mat.", ["cat", "mat"]),
        ("getUserById", ["get", "user", "id", "getuserbyid"]),
        ("parseHTTPResponse2", ["pars", "http", "respons", "2", "parsehttpresponse2"]),
        ("gpt-4.1-nano", ["gpt", "4", "1", "nano"]),
        ("東京都", ["東京", "京都", "都"]),
        ("GPTで翻訳", ["gpt", "で翻", "翻訳", "訳"]),
        ("서울의", ["서울", "울의", "의"]),
        ("don't", ["don"]),
        ("", []),
        ("___ \ud800 🙂", []),
    ],
)
def test_the_forms_of_a_text(text: str, expected: list[str]) -> None:
    assert forms(text) == expected


def test_long_words_are_indexed_by_their_endings_too() -> None:
    endings = [form for form in words.index("Krankenversicherung").split() if form.startswith("~")]
    assert "~versicherung" in endings
    assert min(map(len, endings)) == 5
    assert "~" not in words.index("Auto maxChunkSizeTokens 12345678901234567890 東京都東京都東京都東京都")


@pytest.mark.parametrize(
    ("query", "variant"),
    [
        ("Versicherung", "versicherung*"),
        ("Versicherung", "~versicherung"),
        ("Krankenversicherung", "versicherung"),
        ("Krankenversicherung", "kranken"),
        ("installation", "install"),
        ("Mueller", "muller"),
        ("猫", "猫*"),
        ("refunding", "refund*"),
    ],
)
def test_a_word_of_a_query_may_stand_otherwise_in_a_text(query: str, variant: str) -> None:
    variants = dict([one for term in words.query(query) for one in term.variants])
    assert 0 < variants[variant] < 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("What is the price of a car?", ["pric", "car"]),
        ("Please tell me the price", ["pric"]),
        ("Please give", ["pleas", "giv"]),
        ("show me it", ["show"]),
        ("price prices PRICE", ["pric"]),
        ("who are you", []),
        ("東京駅", ["東京", "京駅"]),
        ("猫", ["猫"]),
    ],
)
def test_the_words_of_a_query(query: str, expected: list[str]) -> None:
    assert [term.form for term in words.query(query)] == expected


@given(st.text(max_size=60))
def test_a_text_is_found_by_any_of_its_words(text: str) -> None:
    indexed = f" {words.index(text)} "
    for term in words.query(text):
        ways = [term.form, *(way for way, _ in term.variants)]
        assert any(f" {way.removesuffix('*')}" in indexed for way in ways)


@given(st.text(max_size=60))
def test_forms_are_words_that_can_be_stored(text: str) -> None:
    for form in words.index(text).split():
        assert form.isprintable()
        assert form.encode()
