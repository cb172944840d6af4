"""Streams of Grok's models: what they leave out, and what comes whole (recorded from October 2025 to March 2026)."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from mockserver import MockServer

Json = Any
HI: Any = [{"role": "user", "content": "Hi"}]
TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
CALL = {"name": "weather", "arguments": {"city": "Florence & <Rome>"}}
USAGE = {"stream_options": {"include_usage": True}}


def chunks(http: httpx2.Client, mock: MockServer, **body: Json) -> list[Json]:
    asked = {"model": "grok-3-mini", "messages": HI, "stream": True, **body}
    answer = http.post(mock.base_url + "chat/completions", json=asked, headers={"api-key": mock.api_key})
    assert answer.text.endswith("data: [DONE]\n\n")
    return [json.loads(block.removeprefix("data: ")) for block in answer.text.split("\n\n")[:-2]]


def choices(stream: list[Json]) -> list[Json]:
    return [choice for chunk in stream for choice in chunk["choices"]]


def test_the_role_rides_on_the_first_piece(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="Hi there", reasoning={"text": "They greet"})
    deltas = [choice["delta"] for choice in choices(chunks(http, mock))]
    assert deltas == [
        {"reasoning_content": "They", "role": "assistant"},
        {"reasoning_content": " greet"},
        {"content": "Hi"},
        {"content": " there"},
        {},
    ]


def test_what_has_no_value_is_left_out(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="Hi there")
    opening, *stream = chunks(http, mock)
    assert list(opening) == ["choices", "created", "id", "model", "object", "prompt_filter_results"]
    assert {tuple(chunk) for chunk in stream} == {("choices", "created", "id", "model", "object", "system_fingerprint")}
    assert [list(choice) for choice in choices(stream)] == [
        ["content_filter_results", "delta", "index"],
        ["content_filter_results", "delta", "index"],
        ["content_filter_results", "delta", "finish_reason", "index"],
    ]


def test_only_pieces_of_text_are_judged(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="Hi", reasoning={"text": "Hm"})
    thought, text, end = choices(chunks(http, mock))
    assert (thought["content_filter_results"], end["content_filter_results"]) == ({}, {})
    assert list(text["content_filter_results"]) == ["hate", "self_harm", "sexual", "violence"]


def test_a_tool_call_comes_whole(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(tool_calls=[CALL, CALL])
    first, second, end = choices(chunks(http, mock, tools=TOOLS))
    assert list(first["delta"]) == ["role", "tool_calls"]
    assert list(second["delta"]) == ["tool_calls"]
    (call,) = second["delta"]["tool_calls"]
    assert list(call) == ["function", "id", "index", "type"]
    assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("weather", CALL["arguments"])
    assert list(call["function"]) == ["arguments", "name"]
    assert call["index"] == 1
    assert call["id"].startswith("call_")
    assert call["id"].removeprefix("call_").isdigit()
    assert end["finish_reason"] == "tool_calls"


def test_usage_comes_in_a_chunk_of_its_own_and_is_absent_before(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="Hi", reasoning={"text": "Hm"})
    *stream, last = chunks(http, mock, **USAGE)
    assert not any("usage" in chunk for chunk in stream)
    assert last["choices"] == []
    assert list(last)[-2:] == ["system_fingerprint", "usage"]
    assert list(last["usage"]) == [
        "completion_tokens",
        "completion_tokens_details",
        "num_sources_used",
        "prompt_tokens",
        "prompt_tokens_details",
        "total_tokens",
    ]


@pytest.mark.parametrize("effort", ["low", "high"])
def test_an_effort_is_taken_on_both_surfaces(client: OpenAI, effort: Any) -> None:
    answer = client.chat.completions.create(model="grok-3-mini", messages=HI, reasoning_effort=effort)
    assert answer.choices[0].message.content
    response = client.responses.create(model="grok-3-mini", input="Hi", reasoning={"effort": effort})
    assert response.reasoning is not None
    assert response.reasoning.effort == effort


@pytest.mark.parametrize(("n", "text"), [(1, ""), (2, "one two"), (1, "<b> & \u2028 é")])
def test_folding_the_stream_gives_the_texts(plain: OpenAI, mock: MockServer, n: int, text: str) -> None:
    mock.when().respond(text=text)
    told: dict[int, str] = {}
    roles: dict[int, list[str | None]] = {}
    for chunk in plain.chat.completions.create(model="grok-3-mini", messages=HI, n=n, stream=True):
        for choice in chunk.choices:
            told[choice.index] = told.get(choice.index, "") + (choice.delta.content or "")
            roles.setdefault(choice.index, []).append(choice.delta.role)
    assert told == dict.fromkeys(range(n), text)
    assert all(each[0] == "assistant" and not any(each[1:]) for each in roles.values())


def test_log_probabilities_come_where_they_are_wanted(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="one two")
    first, second, end = choices(chunks(http, mock, logprobs=True))
    assert [one["logprobs"]["content"][0]["token"] for one in (first, second)] == ["one", " two"]
    assert "logprobs" not in end


def test_a_withheld_answer_says_so_at_its_end(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="bad", content_filter={"completion": {"violence": "high"}})
    end = choices(chunks(http, mock))[-1]
    assert end["finish_reason"] == "content_filter"
    assert end["content_filter_results"]["violence"] == {"filtered": True, "severity": "high"}


@pytest.mark.anyio
async def test_the_asynchronous_client_streams_too(async_client: AsyncOpenAI, mock: MockServer) -> None:
    mock.when().respond(tool_calls=[CALL])
    async with async_client.chat.completions.stream(model="grok-3-mini", messages=HI, tools=TOOLS) as stream:
        completion = await stream.get_final_completion()
    (call,) = completion.choices[0].message.tool_calls or []
    assert json.loads(call.function.arguments) == CALL["arguments"]
