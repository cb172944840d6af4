from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.model import prose, tokens, vocabulary
from mockserver.model.logprobs import make_logprobs
from mockserver.state.chance import Chance

SENTENCE = re.compile(r"[A-Z][a-z ]+\.")


def test_words_are_as_many_as_asked_for() -> None:
    words = prose.write_words(7, Chance("seed")).split(" ")
    assert len(words) == 7
    assert set(words) <= set(prose.WORDS)
    assert prose.write_words(0, Chance("seed")) == ""


@given(key=st.binary(max_size=8))
@settings(max_examples=40, deadline=None)
def test_a_sentence_has_a_capital_and_a_full_stop(key: bytes) -> None:
    assert SENTENCE.fullmatch(prose.write_sentence(Chance(key)))


def test_the_same_chance_says_the_same() -> None:
    assert prose.write_answer("Tell me about rivers", Chance("a")) == prose.write_answer("Tell me about rivers", Chance("a"))
    assert len({prose.write_answer("Tell me about rivers", Chance(f"{seed}")) for seed in range(20)}) > 15


@pytest.mark.parametrize(
    ("prompt", "about"),
    [
        ("What is the weather in Paris?", "the weather in Paris"),
        ("Tell me about tides.", "tides"),
        ("Hello there! Could you please tell me about the tides in May?", "the tides in May"),
        ("I have a garden. The soil is dry.\nWhat are good plants for it?", "good plants for it"),
        ("Write me 2 haikus. Only include the haikus.", "2 haikus"),
        ("Explain quantum computing in simple terms.", "quantum computing in simple terms"),
        ("What is the weather in Paris today, on visit 7?", "the weather in Paris today"),
        ("Why is the sky blue?", '"Why is the sky blue?"'),
        ("My brother has a canary", "brother and canary"),
        ("Compare " + "the river and the mountain and " * 9 + "Oslo", "Compare and mountain"),
    ],
)
def test_an_answer_takes_up_a_clause_of_the_question_else_telling_words(prompt: str, about: str) -> None:
    for seed in range(5):
        text = prose.write_answer(prompt, Chance(f"{seed}"))
        assert f" {about}: the " in text
        assert text.endswith(".")


@pytest.mark.parametrize("prompt", ["", "Say hi", "12 + 30?", "x" * 5_000, "What should I do with this?"])
def test_an_answer_to_a_prompt_without_telling_words_is_plain_prose(prompt: str) -> None:
    for seed in range(5):
        text = prose.write_answer(prompt, Chance(f"{seed}"))
        assert 1 <= len(SENTENCE.findall(text)) <= 3
        assert ":" not in text


def test_default_prose_is_made_of_words_that_are_tokens() -> None:
    for encoding in tokens.ENCODINGS:
        loaded = vocabulary.load(encoding)
        text = " ".join([prose.write_answer("", Chance(f"{seed}")) for seed in range(200)])
        assert all(loaded.parts(word) == [word.encode()] for word in loaded.split(text))


@given(text=st.text(max_size=40), top=st.integers(0, 20), key=st.binary(max_size=4))
@settings(max_examples=60, deadline=None)
def test_log_probabilities_cover_the_text_and_rank_the_token_among_its_rivals(text: str, top: int, key: bytes) -> None:
    entries = make_logprobs(text, top, Chance(key))
    assert "".join(entry["token"] for entry in entries) == text
    for entry in entries:
        rivals = entry["top_logprobs"]
        likelihoods = [rival["logprob"] for rival in rivals]
        assert len(rivals) == top
        assert likelihoods == sorted(likelihoods, reverse=True)
        assert entry["token"] in [rival["token"] for rival in rivals] or top == 0
        assert len({rival["token"] for rival in rivals}) == top
        assert all(one["logprob"] <= 0 for one in [entry, *rivals])
        assert bytes(entry["bytes"]).decode("utf-8", "surrogatepass") == entry["token"]
        assert sum(math.exp(likelihood) for likelihood in likelihoods) <= 1 + 1e-6


def test_log_probabilities_come_in_the_order_of_their_surface() -> None:
    chat, responses = make_logprobs("Hi", 1, Chance("a"))[0], make_logprobs("Hi", 1, Chance("a"), order="responses")[0]
    assert list(chat) == ["bytes", "logprob", "token", "top_logprobs"]
    assert list(chat["top_logprobs"][0]) == ["bytes", "logprob", "token"]
    assert list(responses) == ["token", "bytes", "logprob", "top_logprobs"]
    assert list(responses["top_logprobs"][0]) == ["token", "bytes", "logprob"]
    assert chat == responses


def test_rivals_are_spaced_and_capitalised_like_the_token() -> None:
    entries = make_logprobs("Hello world", 3, Chance("a"))
    assert all(rival["token"][0].isupper() for rival in entries[0]["top_logprobs"])
    assert all(rival["token"][0] == " " for rival in entries[1]["top_logprobs"])
