"""`/completions`, the legacy ones."""

from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI

from mockserver import MockServer

MODEL = "gpt-35-turbo-instruct"


def test_a_prompt_is_completed(client: OpenAI, mock: MockServer) -> None:
    mock.when(user="Once").respond(" upon a time")
    answer = client.completions.create(model=MODEL, prompt="Once")
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == (" upon a time", "stop")
    assert answer.id.startswith("cmpl-")
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens == 4


def test_sixteen_tokens_are_the_default_limit(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond("word " * 40)
    answer = client.completions.create(model=MODEL, prompt="x")
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 16


def test_every_prompt_gets_its_choices(client: OpenAI) -> None:
    answer = client.completions.create(model=MODEL, prompt=["a", "b"], n=2, echo=True, max_tokens=2)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert [choice.text[0] for choice in answer.choices] == ["a", "a", "b", "b"]


def test_log_probabilities_line_up(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond("one two")
    logprobs = client.completions.create(model=MODEL, prompt="x", logprobs=2).choices[0].logprobs
    assert logprobs is not None
    assert "".join(logprobs.tokens or []) == "one two"
    assert logprobs.text_offset == [0, 3]
    assert all(len(top) == 2 for top in logprobs.top_logprobs or [])


def test_folding_the_stream_gives_the_object(client: OpenAI, plain: OpenAI) -> None:
    whole = client.completions.create(model=MODEL, prompt=["a", "b"], max_tokens=8)
    told = {0: "", 1: ""}
    finished = {}
    usage: Any = None
    for chunk in plain.completions.create(
        model=MODEL, prompt=["a", "b"], max_tokens=8, stream=True, stream_options={"include_usage": True}
    ):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            told[choice.index] += choice.text
            finished[choice.index] = choice.finish_reason
    assert [choice.text for choice in whole.choices] == list(told.values())
    assert [choice.finish_reason for choice in whole.choices] == list(finished.values())
    assert usage == whole.usage


def test_the_object_keeps_the_older_key_order(http: httpx2.Client, mock: MockServer) -> None:
    body = {"model": MODEL, "prompt": "x"}
    answer = http.post(mock.base_url + "completions", json=body, headers={"api-key": mock.api_key})
    assert list(answer.json()) == ["id", "object", "created", "model", "prompt_filter_results", "choices", "usage"]
    assert list(answer.json()["choices"][0]) == ["text", "index", "finish_reason", "logprobs", "content_filter_results"]


def test_what_does_not_go_together_is_refused(client: OpenAI, mock: MockServer) -> None:
    with pytest.raises(openai.BadRequestError, match="best_of must be >= n"):
        client.completions.create(model=MODEL, prompt="x", n=3, best_of=2)
    with pytest.raises(openai.BadRequestError, match="only allowed when 'stream' is enabled"):
        client.completions.create(model=MODEL, prompt="x", stream_options={"include_usage": True})
    mock.when().respond(content_filter="violence")
    with pytest.raises(openai.BadRequestError, match="content management policy"):
        client.completions.create(model=MODEL, prompt="x")


@pytest.mark.parametrize(("limit", "pieces"), [(2, ["one", " two"]), (16, ["one", " two", " three", ""])])
def test_what_the_limit_cuts_ends_in_its_last_piece(plain: OpenAI, mock: MockServer, limit: int, pieces: list[str]) -> None:
    mock.when().respond("one two three")
    stream = plain.completions.create(model=MODEL, prompt="x", max_tokens=limit, stream=True)
    told = [choice for chunk in stream for choice in chunk.choices]
    assert [choice.text for choice in told] == pieces
    assert [choice.finish_reason for choice in told[:-1]] == [None] * (len(pieces) - 1)
    assert told[-1].finish_reason == ("length" if limit == 2 else "stop")


def test_no_text_at_all_has_an_end_too(plain: OpenAI) -> None:
    stream = plain.completions.create(model=MODEL, prompt="x", max_tokens=0, stream=True)
    told = [choice for chunk in stream for choice in chunk.choices]
    assert [(choice.text, choice.finish_reason) for choice in told] == [("", "length")]
