"""`/chat/completions` as the real SDK and raw HTTP see it."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel
from support.azure_errors import assert_azure_error

from mockserver import MockServer

HI: Any = [{"role": "user", "content": "hi"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["C", "F"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


def raw(http: httpx2.Client, mock: MockServer, **body: Any) -> httpx2.Response:
    body = {"model": "gpt-4o", "messages": HI} | body
    return http.post(mock.base_url + "chat/completions", json=body, headers={"api-key": mock.api_key})


def events(answer: httpx2.Response) -> list[Any]:
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    blocks = answer.text.split("\n\n")
    assert blocks[-1] == ""
    assert blocks[-2] == "data: [DONE]"
    return [json.loads(block.removeprefix("data: ")) for block in blocks[:-2]]


# -- the object


def test_a_scripted_answer_comes_back(client: OpenAI, mock: MockServer) -> None:
    mock.when(user="hi").respond("Hello there!")
    answer = client.chat.completions.create(model="gpt-4o", messages=HI)
    assert answer.choices[0].message.content == "Hello there!"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "gpt-4o-2024-11-20"
    assert answer.created == 1_790_000_000
    assert answer.id.startswith("chatcmpl-")
    assert len(answer.id) == len("chatcmpl-") + 29


def test_the_object_is_one_line_with_alphabetical_keys(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond("Olá!")
    answer = raw(http, mock, model="gpt-5-mini")
    assert answer.content.endswith(b"}\n")
    assert answer.content.count(b"\n") == 1
    assert b'": ' not in answer.content
    assert "Olá!" in answer.text
    whole = answer.json()
    assert list(whole) == sorted(whole)
    assert list(whole["choices"][0]) == ["content_filter_results", "finish_reason", "index", "logprobs", "message"]
    assert list(whole["choices"][0]["message"]) == ["annotations", "content", "refusal", "role"]
    assert list(whole["prompt_filter_results"][0]) == ["prompt_index", "content_filter_results"]
    assert whole["system_fingerprint"] is None
    assert whole["usage"]["completion_tokens_details"]["reasoning_tokens"] >= 0


def test_usage_counts_exactly(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond("Hello there, how are you?")
    usage = client.chat.completions.create(model="gpt-4o", messages=HI).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (8, 7, 15)


def test_each_choice_has_its_index(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="gpt-4o", messages=HI, n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in answer.choices}) > 1


def test_an_unscripted_call_is_answered_the_same_again_but_under_a_new_id(client: OpenAI) -> None:
    first, second = (client.chat.completions.create(model="gpt-4o", messages=HI) for _ in range(2))
    assert first.choices[0].message.content == second.choices[0].message.content
    assert first.id != second.id


def test_same_seed_same_bytes_and_another_seed_another_answer(http: httpx2.Client) -> None:
    def told(seed: int) -> list[bytes]:
        with MockServer(seed=seed) as mock:
            mock.clock.freeze(1_790_000_000)
            return [raw(http, mock, stream=stream).content for stream in (False, True, False)]

    assert told(1) == told(1)
    assert told(1)[0] != told(2)[0]


def test_a_stop_sequence_ends_the_answer_before_it(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond("one, two; three")
    answer = client.chat.completions.create(model="gpt-4o", messages=HI, stop=[";", ","])
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("one", "stop")


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_a_token_limit_cuts_the_answer(client: OpenAI, mock: MockServer, limit: str) -> None:
    mock.when().respond("one two three four five")
    answer = client.chat.completions.create(model="gpt-4o", messages=HI, **{limit: 2})  # type: ignore[call-overload]
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("one two", "length")
    assert answer.usage.completion_tokens == 2


def test_thinking_uses_the_limit_up_first(client: OpenAI) -> None:
    answer = client.chat.completions.create(model="o4-mini", messages=HI, max_completion_tokens=10)
    assert answer.choices[0].finish_reason == "length"
    assert answer.choices[0].message.content == ""
    assert answer.usage is not None
    assert answer.usage.completion_tokens_details is not None
    assert answer.usage.completion_tokens_details.reasoning_tokens == 10


def test_log_probabilities_cover_the_answer(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond("Hello there")
    choice = client.chat.completions.create(model="gpt-4o", messages=HI, logprobs=True, top_logprobs=2).choices[0]
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert "".join(entry.token for entry in choice.logprobs.content) == "Hello there"
    assert all(len(entry.top_logprobs) == 2 and entry.logprob <= 0 for entry in choice.logprobs.content)


def test_a_refusal_takes_the_place_of_content(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond(refusal="I can't help with that.")
    message = client.chat.completions.create(model="gpt-4o", messages=HI).choices[0].message
    assert (message.content, message.refusal) == (None, "I can't help with that.")


def test_a_prediction_is_told_apart_into_accepted_and_rejected(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond("one two three")
    usage = client.chat.completions.create(
        model="gpt-4o", messages=HI, prediction={"type": "content", "content": "one two four"}
    ).usage
    assert usage is not None
    assert usage.completion_tokens_details is not None
    details = usage.completion_tokens_details
    assert (details.accepted_prediction_tokens, details.rejected_prediction_tokens) == (2, 1)


def test_audio_is_answered_where_it_is_asked_for(client: OpenAI) -> None:
    message = (
        client.chat.completions.create(
            model="gpt-4o-audio-preview", messages=HI, modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}
        )
        .choices[0]
        .message
    )
    assert message.audio is not None
    assert message.audio.transcript
    assert message.content is None


# -- tools


def test_a_tool_loop_ends_by_itself(client: OpenAI) -> None:
    messages: list[Any] = [{"role": "user", "content": "weather in Paris, in F?"}]
    first = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER])
    assert first.choices[0].finish_reason == "tool_calls"
    assert first.choices[0].message.content is None
    call = first.choices[0].message.tool_calls[0]  # type: ignore[index]
    assert call.id.startswith("call_")
    assert set(json.loads(call.function.arguments)) == {"city", "unit"}  # type: ignore[union-attr]
    messages += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": '{"temp": 21}'}]
    second = client.chat.completions.create(model="gpt-4o", messages=messages, tools=[WEATHER])
    assert second.choices[0].finish_reason == "stop"
    assert second.choices[0].message.content


def test_several_scripted_calls_stream_with_their_own_index(plain: OpenAI, mock: MockServer) -> None:
    mock.when().respond(tool_calls=[("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})])
    with plain.chat.completions.stream(model="gpt-4o", messages=HI, tools=[WEATHER]) as stream:
        final = stream.get_final_completion()
    calls = final.choices[0].message.tool_calls
    assert calls is not None
    assert [json.loads(call.function.arguments)["city"] for call in calls] == ["Paris", "Rome"]  # type: ignore[union-attr]
    assert len({call.id for call in calls}) == 2


def test_a_named_choice_forces_that_tool(client: OpenAI) -> None:
    other = {"type": "function", "function": {"name": "other", "parameters": {"type": "object", "properties": {}}}}
    answer = client.chat.completions.create(
        model="gpt-4o", messages=HI, tools=[WEATHER, other], tool_choice={"type": "function", "function": {"name": "other"}}
    )
    assert answer.choices[0].message.tool_calls[0].function.name == "other"  # type: ignore[index,union-attr]


def test_a_custom_tool_gets_free_text(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond(tool_calls=[{"name": "shell", "kind": "custom", "arguments": "ls -l"}])
    tool: Any = {"type": "custom", "custom": {"name": "shell"}}
    call = client.chat.completions.create(model="gpt-4.1", messages=HI, tools=[tool]).choices[0].message.tool_calls[0]  # type: ignore[index]
    assert (call.type, call.custom.input) == ("custom", "ls -l")  # type: ignore[union-attr]


def test_legacy_functions_are_answered_the_legacy_way(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4o", messages=HI, functions=[{"name": "f", "parameters": {"type": "object", "properties": {}}}]
    )
    assert answer.choices[0].finish_reason == "function_call"
    assert answer.choices[0].message.function_call is not None
    assert answer.choices[0].message.function_call.name == "f"


# -- structured output


class Invoice(BaseModel):
    number: str
    lines: list[str]
    paid: bool


def test_parse_gives_an_object_of_the_schema_for_free(client: OpenAI) -> None:
    parsed = client.chat.completions.parse(model="gpt-4o", messages=HI, response_format=Invoice).choices[0].message.parsed
    assert isinstance(parsed, Invoice)


def test_json_mode_gives_json_and_asks_for_the_word(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "answer in JSON"}], response_format={"type": "json_object"}
    )
    assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)
    with pytest.raises(openai.BadRequestError, match="must contain the word 'json'"):
        client.chat.completions.create(model="gpt-4o", messages=HI, response_format={"type": "json_object"})


# -- the stream


def test_the_stream_opens_with_a_chunk_that_has_no_choices(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond("Hello")
    chunks = events(raw(http, mock, stream=True, model="gpt-5-mini"))
    assert {**chunks[0], "prompt_filter_results": ...} == {
        "choices": [],
        "created": 0,
        "id": "",
        "model": "",
        "object": "",
        "prompt_filter_results": ...,
    }
    assert chunks[1]["choices"][0]["delta"] == {"content": "", "refusal": None, "role": "assistant"}
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[1:]] == [None, None, "stop"]
    assert all("usage" not in chunk for chunk in chunks)
    assert list(chunks[1]) == [
        "choices", "created", "id", "model", "obfuscation", "object", "service_tier", "system_fingerprint",
    ]  # fmt: skip


def test_usage_comes_last_where_it_is_asked_for(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond("Hello")
    chunks = events(raw(http, mock, stream=True, stream_options={"include_usage": True}))
    assert "usage" not in chunks[0]
    assert all(chunk["usage"] is None for chunk in chunks[1:-1])
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 9


def test_chunks_are_padded_to_one_over_a_multiple_of_sixteen(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond("Não há números — só “palavras”.")
    for chunk in events(raw(http, mock, stream=True))[1:]:
        for choice in chunk["choices"]:
            del choice["content_filter_results"]
        assert len(json.dumps(chunk, separators=(",", ":"), ensure_ascii=False)) % 16 == 1


def test_padding_can_be_turned_off(http: httpx2.Client, mock: MockServer) -> None:
    chunks = events(raw(http, mock, stream=True, stream_options={"include_obfuscation": False}))
    assert all("obfuscation" not in chunk for chunk in chunks)


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"n": 2},
        {"tools": [WEATHER]},
        {"logprobs": True, "top_logprobs": 1},
        {"model": "o4-mini"},
        {"functions": [{"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}]},
    ],
)
def test_folding_the_stream_gives_the_object(http: httpx2.Client, mock: MockServer, plain: OpenAI, extra: Any) -> None:
    whole = raw(http, mock, **extra).json()
    with plain.chat.completions.stream(**({"model": "gpt-4o", "messages": HI} | extra)) as stream:
        folded = stream.get_final_completion().model_dump(mode="json", by_alias=True)
    for choice, other in zip(whole["choices"], folded["choices"], strict=True):
        assert choice["finish_reason"] == other["finish_reason"]
        for name in ("content", "refusal", "role"):
            assert choice["message"].get(name) == other["message"].get(name) or not choice["message"].get(name)
        calls = zip(choice["message"].get("tool_calls") or [], other["message"].get("tool_calls") or [], strict=True)
        assert all(one["function"]["arguments"] == two["function"]["arguments"] for one, two in calls)
        if choice["logprobs"]:
            assert [entry["token"] for entry in choice["logprobs"]["content"]] == [
                entry["token"] for entry in other["logprobs"]["content"]
            ]


@pytest.mark.anyio
async def test_the_asynchronous_client_streams_too(async_client: AsyncOpenAI, mock: MockServer) -> None:
    mock.when().respond("Hello there")
    stream = await async_client.chat.completions.create(model="gpt-4o", messages=HI, stream=True)
    texts = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(texts) == "Hello there"


# -- other vendors' models


def test_grok_speaks_its_dialect(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="Hi", reasoning={"text": "They greet me."})
    whole = raw(http, mock, model="grok-3-mini", max_tokens=100).json()
    assert whole["id"].endswith("_sidecar")
    assert whole["choices"][0]["message"]["reasoning_content"] == "They greet me."
    assert whole["usage"]["prompt_tokens_details"]["text_tokens"] == whole["usage"]["prompt_tokens"]
    assert "service_tier" not in whole


def test_a_model_without_filters_shows_none(http: httpx2.Client, mock: MockServer) -> None:
    whole = raw(http, mock, model="MAI-DS-R1").json()
    assert "prompt_filter_results" not in whole
    assert list(whole) == ["id", "object", "created", "model", "choices", "usage"]
    chunks = events(raw(http, mock, model="MAI-DS-R1", stream=True))
    assert chunks[0]["choices"]


# -- the content filter


def test_a_filtered_prompt_is_refused_streamed_or_not(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond(content_filter={"prompt": {"violence": "medium"}})
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="gpt-4o", messages=HI, stream=stream)
        inner = assert_azure_error(caught.value, 400, code="content_filter")["innererror"]
        assert inner["code"] == "ResponsibleAIPolicyViolation"
        assert inner["content_filter_result"]["violence"] == {"filtered": True, "severity": "medium"}


def test_a_filtered_answer_is_withheld(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond(text="something bad", content_filter={"completion": {"hate": "high"}})
    choice = client.chat.completions.create(model="gpt-4o", messages=HI).choices[0]
    assert choice.finish_reason == "content_filter"
    assert not choice.message.content
    assert choice.content_filter_results["hate"] == {"filtered": True, "severity": "high"}  # type: ignore[attr-defined]


# -- refusals


@pytest.mark.parametrize(
    ("body", "message", "param", "code"),
    [
        ({"messages": None}, "Invalid type for 'messages': expected an array of objects, but got null instead.", "messages", "invalid_type"),
        ({"messages": []}, "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.", "messages", "empty_array"),
        ({"messages": [{"role": "user"}]}, "Missing required parameter: 'messages[0].content'.", "messages[0].content", "missing_required_parameter"),
        ({"messages": [{"content": "x"}]}, "Missing required parameter: 'messages[0].role'.", "messages[0].role", "missing_required_parameter"),
        ({"messages": [{"role": "king", "content": "x"}]}, "Invalid value: 'king'. Supported values are: 'system', 'developer', 'user', 'assistant', 'tool', and 'function'.", "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user", "content": {}}]}, "Invalid type for 'messages[0].content': expected one of a string or array of objects, but got an object instead.", "messages[0].content", "invalid_type"),
        ({"messages": [{"role": "user", "content": [{"type": "x"}]}]}, "Invalid value: 'x'. Supported values are: 'text', 'image_url', 'input_audio', and 'file'.", "messages[0].content[0].type", "invalid_value"),
        ({"temperature": "hot"}, "Invalid type for 'temperature': expected a decimal, but got a string instead.", "temperature", "invalid_type"),
        ({"temperature": -1.0}, "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1.0 instead.", "temperature", "decimal_below_min_value"),
        ({"max_tokens": -1}, "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got -1 instead.", "max_tokens", "integer_below_min_value"),
        ({"max_tokens": 10**6}, "max_tokens is too large: 1000000. This model supports at most 16384 completion tokens, whereas you provided 1000000.", "max_tokens", "invalid_value"),
        ({"n": 129}, "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 129 instead.", "n", "integer_above_max_value"),
        ({"foo": 1}, "Unknown parameter: 'foo'.", "foo", "unknown_parameter"),
        ({"data_sources": [{"type": "azure_search", "parameters": {}}]}, "Unknown parameter: 'data_sources'.", "data_sources", "unknown_parameter"),
        ({"stop": ["a"] * 5}, "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length 5 instead.", "stop", "array_above_max_length"),
        ({"reasoning_effort": "high"}, "Unsupported parameter: 'reasoning_effort' is not supported with this model.", "reasoning_effort", "unsupported_parameter"),
        ({"stream_options": {}}, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options", None),
        ({"model": "o4-mini", "max_tokens": 5}, "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter"),
        ({"model": "o4-mini", "temperature": 0.2}, "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.", "temperature", "unsupported_value"),
        ({"model": "gpt-5-mini", "stop": "x"}, "Unsupported parameter: 'stop' is not supported with this model.", "stop", "unsupported_parameter"),
        ({"model": "o4-mini", "reasoning_effort": "minimal"}, "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: 'low', 'medium', and 'high'.", "reasoning_effort", "unsupported_value"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", "tools[0].function.name", "invalid_value"),
        ({"tools": [{"type": "function", "function": {"name": "f", "strict": True, "parameters": {"type": "object", "properties": {}}}}]}, "Invalid schema for function 'f': In context=(), 'additionalProperties' is required to be supplied and to be false.", "tools[0].function.parameters", "invalid_function_parameters"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "c"}]}, "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.", "messages.[0].role", None),
        ({"metadata": {"k": "v" * 513}}, "Invalid 'metadata.k': string too long. Expected a string with maximum length 512, but got a string with length 513 instead.", "metadata.k", "string_above_max_length"),
        ({"user_security_context": {"source_ip": 1}}, "Invalid type for 'user_security_context.source_ip': expected a string, but got an integer instead.", "user_security_context.source_ip", "invalid_type"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_named_in_the_services_words(
    http: httpx2.Client, mock: MockServer, body: Any, message: str, param: str, code: str | None
) -> None:
    answer = raw(http, mock, **body)
    assert_azure_error(answer, 400, message=message, type="invalid_request_error", param=param, code=code)


def test_a_prompt_beyond_the_window_is_refused(http: httpx2.Client, mock: MockServer) -> None:
    answer = raw(http, mock, model="gpt-4", messages=[{"role": "user", "content": "word " * 9_000}])
    assert_azure_error(answer, 400, code="context_length_exceeded", param="messages")
