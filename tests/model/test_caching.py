"""Cached tokens: what a deployment has read of a prompt before."""

from __future__ import annotations

from typing import Any

import pytest
from openai import OpenAI

from mockserver import MockServer

MANUAL = "You are a careful assistant who answers in one sentence. " * 130


def chat(client: OpenAI, question: str, *, system: str = MANUAL, **extra: Any) -> int:
    messages: Any = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    usage = client.chat.completions.create(**({"model": "gpt-4o", "messages": messages} | extra)).usage
    assert usage is not None
    assert usage.prompt_tokens_details is not None
    return usage.prompt_tokens_details.cached_tokens or 0


def respond(client: OpenAI, question: str, **extra: Any) -> int:
    usage = client.responses.create(**({"model": "gpt-4o", "instructions": MANUAL, "input": question} | extra)).usage
    assert usage is not None
    return usage.input_tokens_details.cached_tokens


@pytest.mark.parametrize("ask", [chat, respond])
def test_a_long_prompt_is_cached_once_it_was_read(client: OpenAI, ask: Any) -> None:
    assert [ask(client, "one"), ask(client, "two"), ask(client, "three")] == [0, 1_408, 1_408]


def test_only_what_prompts_have_in_common_at_their_beginning_counts(client: OpenAI) -> None:
    chat(client, "one")
    assert chat(client, "one", system="No. " + MANUAL) == 0
    assert chat(client, "one", system=MANUAL[: len(MANUAL) * 9 // 10] + "Or in two. " * 100) == 1_280
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
    assert chat(client, "one", tools=[tool]) == 0


def test_a_prompt_below_1024_tokens_is_not_cached(client: OpenAI) -> None:
    short = "word " * 1_000
    assert [chat(client, "one", system=short) for _ in range(3)] == [0, 0, 0]


def test_a_conversation_finds_its_turns_again(client: OpenAI) -> None:
    first = client.responses.create(model="gpt-4o", instructions=MANUAL, input="begin " * 200)
    again: Any = {"previous_response_id": first.id, "instructions": MANUAL}
    assert respond(client, "go on", **again) > 1_500


def test_keys_and_deployments_are_cached_apart(client: OpenAI) -> None:
    chat(client, "one")
    assert chat(client, "one", prompt_cache_key="mine") == 0
    assert chat(client, "one", prompt_cache_key="mine") == 1_408
    assert chat(client, "one", model="gpt-4.1") == 0


def test_what_nobody_asks_for_is_forgotten(client: OpenAI, mock: MockServer) -> None:
    chat(client, "one")
    mock.clock.advance("9m")
    assert chat(client, "one") == 1_408
    mock.clock.advance("9m")
    assert chat(client, "one", prompt_cache_retention="24h") == 1_408
    mock.clock.advance("23h")
    assert chat(client, "one") == 1_408
    mock.clock.advance("2h")
    assert chat(client, "one") == 0


def test_a_reset_forgets_too(client: OpenAI, mock: MockServer) -> None:
    chat(client, "one")
    mock.reset()
    assert chat(client, "one") == 0


def test_models_without_a_cache_have_none(plain: OpenAI) -> None:
    assert [chat(plain, "one", model="gpt-4-turbo") for _ in range(2)] == [0, 0]


def test_a_script_has_the_last_word(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond(text="hello", usage={"prompt_tokens_details": {"cached_tokens": 7}})
    assert [chat(client, "one"), chat(client, "two")] == [7, 7]
