"""Creating responses through the SDK: text, reasoning, tools, formats, limits, and what the answer echoes."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from openai import OpenAI
from pydantic import BaseModel
from support.azure_errors import assert_azure_error

from mockserver import MockServer, ScenarioError
from mockserver.resource.vector_stores import keep

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


LOOSE: Any = {**WEATHER, "strict": False}


def post(http: httpx2.Client, mock: MockServer, body: dict[str, Any]) -> httpx2.Response:
    return http.post(f"{mock.base_url}responses", json=body, headers={"api-key": mock.api_key})


def test_a_scripted_answer_comes_as_one_message(mock: MockServer, client: OpenAI) -> None:
    mock.when(user="hello").respond("Hi there!")
    answer = client.responses.create(model="gpt-4.1-nano", input="hello")
    assert answer.output_text == "Hi there!"
    assert [item.type for item in answer.output] == ["message"]
    assert (answer.status, answer.model, answer.usage and answer.usage.output_tokens) == ("completed", "gpt-4.1-nano", 3)


def test_the_json_is_indented_ascii_in_the_order_of_the_service(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond("15\u00b0C")
    answer = post(http, mock, {"model": "gpt-5-nano", "input": "hi"})
    assert answer.headers["content-type"] == "application/json"
    assert "15\\u00b0C" in answer.text
    assert answer.text.startswith('{\n  "id": "resp_')
    assert not answer.text.endswith("\n")
    assert " ".join(answer.json()) == (
        "id object created_at status background completed_at content_filters error frequency_penalty incomplete_details "
        "instructions max_output_tokens max_tool_calls model moderation output parallel_tool_calls presence_penalty "
        "previous_response_id prompt_cache_key prompt_cache_retention reasoning safety_identifier service_tier store temperature "
        "text tool_choice tool_usage tools top_logprobs top_p truncation usage user metadata"
    )


def test_ids_of_a_response_and_its_items_share_their_beginning(client: OpenAI) -> None:
    kept = client.responses.create(model="gpt-5-nano", input="hi")
    lost = client.responses.create(model="gpt-5-nano", input="hi", store=False)
    for answer, mark in ((kept, "00"), (lost, "01")):
        digits = [part.id.partition("_")[2] for part in (answer, *answer.output)]  # type: ignore[union-attr]
        assert {len(one) for one in digits} == {50}
        assert {one[:18] for one in digits} == {digits[0][:16] + mark}
        assert {one[18:26] for one in digits} == {f"{int(answer.created_at):08x}"}


def test_a_model_that_reasons_begins_with_a_reasoning_item(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond("Four.")
    assert [item.type for item in client.responses.create(model="gpt-5-mini", input="2+2?").output] == ["reasoning", "message"]


def test_without_effort_there_is_no_reasoning_item(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond("Four.")
    answer = client.responses.create(model="gpt-5.1", input="2+2?", reasoning={"effort": "none"})
    assert [item.type for item in answer.output] == ["message"]


def test_summaries_and_encrypted_reasoning_come_only_when_asked_for(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond(text="Four.", reasoning={"summary": ["First.", "Second."], "tokens": 64})
    plain = client.responses.create(model="gpt-5-mini", input="2+2?").output[0]
    assert plain.type == "reasoning"
    assert (plain.summary, plain.encrypted_content) == ([], None)
    asked = client.responses.create(
        model="gpt-5-mini", input="2+2?", reasoning={"summary": "auto"}, include=["reasoning.encrypted_content"]
    )
    told = asked.output[0]
    assert told.type == "reasoning"
    assert [part.text for part in told.summary] == ["First.", "Second."]
    assert (told.encrypted_content or "").startswith("gAAAAA")
    assert asked.reasoning is not None
    assert asked.reasoning.summary == "detailed"
    assert asked.usage is not None
    assert asked.usage.output_tokens_details.reasoning_tokens == 64


def test_a_tool_loop_ends_once_the_result_is_given(client: OpenAI) -> None:
    first = client.responses.create(model="gpt-4.1-nano", input="Weather in Paris?", tools=[WEATHER])
    call = first.output[0]
    assert call.type == "function_call"
    assert call.name == "get_weather"
    assert isinstance(json.loads(call.arguments)["city"], str)
    result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": '{"temp": 21}'}
    last = client.responses.create(
        model="gpt-4.1-nano",
        previous_response_id=first.id,
        input=[result],
        tools=[WEATHER],
    )
    assert "21" in last.output_text


def test_output_items_can_be_sent_back_as_they_came(client: OpenAI) -> None:
    question: list[Any] = [{"role": "user", "content": "Weather in Paris?"}]
    first = client.responses.create(model="gpt-5-mini", input=question, tools=[WEATHER], store=False,
                                    include=["reasoning.encrypted_content"])  # fmt: skip
    call = first.output[-1]
    assert call.type == "function_call"
    history = question + [item.model_dump() for item in first.output]
    history.append({"type": "function_call_output", "call_id": call.call_id, "output": "rain"})
    last = client.responses.create(model="gpt-5-mini", input=history, tools=[WEATHER], store=False)
    assert "rain" in last.output_text


def test_a_function_without_strict_is_echoed_strict_and_closed(client: OpenAI) -> None:
    tool = client.responses.create(model="gpt-4.1-nano", input="hi", tools=[WEATHER]).tools[0]
    assert tool.type == "function"
    assert tool.strict is True
    assert tool.parameters is not None
    assert tool.parameters["additionalProperties"] is False
    loose = client.responses.create(model="gpt-4.1-nano", input="hi", tools=[LOOSE]).tools[0]
    assert loose.type == "function"
    assert (loose.strict, loose.parameters) == (False, WEATHER["parameters"])


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        pytest.param(
            {"type": "web_search_preview"},
            {
                "type": "web_search_preview",
                "search_content_types": ["text"],
                "search_context_size": "medium",
                "user_location": {"type": "approximate", "city": None, "country": "US", "region": None, "timezone": None},
            },
            id="web_search_preview",
        ),
        pytest.param(
            {"type": "file_search", "vector_store_ids": ["vs_1"]},
            {
                "type": "file_search",
                "filters": None,
                "max_num_results": 20,
                "ranking_options": {"ranker": "auto", "score_threshold": 0.0},
                "vector_store_ids": ["vs_1"],
            },
            id="file_search",
        ),
        pytest.param(
            {"type": "image_generation", "quality": "medium", "size": "1024x1024"},
            {
                "type": "image_generation",
                "background": "auto",
                "model": "gpt-image-1",
                "moderation": "auto",
                "n": 1,
                "output_compression": 100,
                "output_format": "png",
                "quality": "medium",
                "size": "1024x1024",
            },
            id="image_generation",
        ),
        pytest.param(
            {"type": "mcp", "server_label": "docs", "server_url": "https://x", "authorization": "secret", "headers": {"a": "b"}},
            {
                "type": "mcp",
                "allowed_tools": None,
                "headers": None,
                "require_approval": "always",
                "server_description": None,
                "server_label": "docs",
                "server_url": "https://x",
            },
            id="mcp-without-secrets",
        ),
        pytest.param(
            {"type": "custom", "name": "run"},
            {"type": "custom", "description": None, "format": {"type": "text"}, "name": "run"},
            id="custom",
        ),
    ],
)  # fmt: skip
def test_tools_are_echoed_with_their_defaults(
    http: httpx2.Client, mock: MockServer, sent: dict[str, Any], echoed: dict[str, Any]
) -> None:
    mock.when().respond("ok")
    keep(mock.resource.store, {"id": "vs_1", "status": "completed", "last_active_at": 0, "expires_after": None})
    body = {"model": "gpt-4.1-nano", "input": "hi", "tools": [sent]}
    headers = {"api-key": mock.api_key, "x-ms-oai-image-generation-deployment": "gpt-image-1"}
    tool = http.post(f"{mock.base_url}responses", json=body, headers=headers).json()["tools"][0]
    assert json.dumps(tool) == json.dumps(echoed)


def test_a_custom_tool_is_called_with_free_text(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond(tool_calls=[{"name": "run", "arguments": "print(1)", "kind": "custom"}])
    answer = client.responses.create(model="gpt-4.1-nano", input="go", tools=[{"type": "custom", "name": "run"}])
    call = answer.output[0]
    assert call.type == "custom_tool_call"
    assert (call.name, call.input, call.id and call.id[:4]) == ("run", "print(1)", "ctc_")


def test_a_namespaced_function_is_called_by_its_namespace(http: httpx2.Client, mock: MockServer) -> None:
    space = {"type": "namespace", "name": "crm", "description": "Customers.", "tools": [WEATHER]}
    choice = {"type": "function", "name": "get_weather"}
    item = post(http, mock, {"model": "gpt-4.1-nano", "input": "go", "tools": [space], "tool_choice": choice}).json()["output"][
        0
    ]
    assert (item["name"], item["namespace"]) == ("get_weather", "crm")


@pytest.mark.parametrize(
    "choice",
    [
        "none",
        "auto",
        "required",
        {"type": "function", "name": "get_weather"},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "get_weather"}]},
    ],
    ids=lambda choice: choice if isinstance(choice, str) else choice["type"],
)
def test_tool_choice_is_obeyed_and_echoed_as_sent(http: httpx2.Client, mock: MockServer, choice: Any) -> None:
    body = {"model": "gpt-4.1-nano", "input": "Weather in Paris?", "tools": [WEATHER], "tool_choice": choice}
    answer = post(http, mock, body).json()
    assert answer["tool_choice"] == choice
    assert answer["output"][0]["type"] == ("message" if choice == "none" else "function_call")


def test_parse_fills_a_pydantic_model(client: OpenAI) -> None:
    class City(BaseModel):
        name: str
        inhabitants: int

    parsed = client.responses.parse(model="gpt-4.1-nano", input="A city, please.", text_format=City)
    assert isinstance(parsed.output_parsed, City)
    assert parsed.text is not None
    assert parsed.text.format is not None
    assert parsed.text.format.type == "json_schema"


def test_json_object_mode_answers_with_an_object(client: OpenAI) -> None:
    answer = client.responses.create(model="gpt-4.1-nano", input="Give me json.", text={"format": {"type": "json_object"}})
    assert isinstance(json.loads(answer.output_text), dict)


def test_a_token_limit_leaves_the_message_incomplete(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    )
    answer = client.responses.create(model="gpt-4.1-nano", input="count", max_output_tokens=16)
    message = answer.output[0]
    assert message.type == "message"
    assert (answer.status, message.status) == ("incomplete", "incomplete")
    assert answer.incomplete_details is not None
    assert answer.incomplete_details.reason == "max_output_tokens"
    assert answer.usage is not None
    assert answer.usage.output_tokens == 16
    assert answer.completed_at is None


def test_a_limit_used_up_by_thinking_leaves_only_the_reasoning_item(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond(text="Four.", reasoning={"tokens": 192})
    answer = client.responses.create(model="gpt-5-nano", input="2+2?", max_output_tokens=100)
    assert (answer.status, [item.type for item in answer.output]) == ("incomplete", ["reasoning"])
    assert answer.usage is not None
    assert (answer.usage.output_tokens, answer.usage.output_tokens_details.reasoning_tokens) == (100, 100)


def test_log_probabilities_cover_the_text_when_asked_for(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond("Hello, world")
    silent = client.responses.create(model="gpt-4.1-nano", input="hi").output[0]
    assert silent.type == "message"
    assert silent.content[0].type == "output_text"
    assert silent.content[0].logprobs == []
    told = client.responses.create(
        model="gpt-4.1-nano", input="hi", top_logprobs=2, include=["message.output_text.logprobs"]
    ).output[0]
    assert told.type == "message"
    assert told.content[0].type == "output_text"
    entries = told.content[0].logprobs or []
    assert "".join(entry.token for entry in entries) == "Hello, world"
    assert {len(entry.top_logprobs) for entry in entries} == {2}


def test_what_was_sent_is_echoed(http: httpx2.Client, mock: MockServer) -> None:
    sent = {
        "instructions": "Be brief.",
        "max_output_tokens": 100,
        "max_tool_calls": 2,
        "metadata": {"team": "a"},
        "parallel_tool_calls": False,
        "prompt_cache_key": "key",
        "prompt_cache_retention": "24h",
        "safety_identifier": "who",
        "temperature": 0.5,
        "top_p": 0.25,
        "truncation": "auto",
        "user": "me",
    }
    answer = post(http, mock, {"model": "gpt-4.1-nano", "input": "hi", "text": {"verbosity": "medium"}, **sent}).json()
    assert {name: answer[name] for name in sent} == sent
    assert answer["text"] == {"format": {"type": "text"}, "verbosity": "medium"}


def test_parameters_set_to_null_are_left_out(http: httpx2.Client, mock: MockServer) -> None:
    names = (
        "background include instructions max_output_tokens metadata reasoning store stream temperature text tools top_p user"
    )
    answer = post(http, mock, {"model": "gpt-4.1-nano", "input": "hi"} | dict.fromkeys(names.split()))
    assert (answer.status_code, answer.json()["store"], answer.json()["metadata"]) == (200, True, {})


def test_the_priority_tier_shows_in_the_answer(client: OpenAI) -> None:
    assert client.responses.create(model="gpt-4.1-nano", input="hi").service_tier == "default"
    assert client.responses.create(model="gpt-4.1-nano", input="hi", service_tier="priority").service_tier == "priority"


def test_a_refusal_is_a_part_of_its_own(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond(refusal="I can't help with that.")
    message = client.responses.create(model="gpt-4.1-nano", input="hi").output[0]
    assert message.type == "message"
    assert message.content[0].type == "refusal"
    assert message.content[0].refusal == "I can't help with that."


def test_models_that_mark_phases_say_which_message_is_final(http: httpx2.Client, mock: MockServer) -> None:
    mock.when(user="both").respond(text="Let me look.", tool_calls=[{"name": "get_weather", "arguments": {"city": "Rome"}}])
    mock.when(user="one").respond("Done.")
    both = post(http, mock, {"model": "gpt-5.6-luna", "input": "both", "tools": [WEATHER]}).json()["output"]
    one = post(http, mock, {"model": "gpt-5.6-luna", "input": "one"}).json()["output"]
    assert [item.get("phase") for item in both] == ["commentary", None]
    assert [item["phase"] for item in one] == ["final_answer"]


def test_scripted_built_in_items_get_ids_and_what_is_missing(mock: MockServer, client: OpenAI) -> None:
    search = {"type": "file_search_call", "results": [{"file_id": "f", "filename": "a.txt", "score": 0.5, "text": "t"}]}
    mock.when().respond(items=[search, {"type": "web_search_call"}], text="Found.")
    answer = client.responses.create(model="gpt-4.1-nano", input="find it", tools=[{"type": "web_search_preview"}])
    files, web, message = answer.output
    assert files.type == "file_search_call"
    assert (files.id[:3], files.status, files.queries, files.results) == ("fs_", "completed", ["find it"], None)
    assert web.type == "web_search_call"
    assert (web.id[:3], web.status) == ("ws_", "searching")
    assert message.type == "message"
    assert answer.tool_usage is not None
    assert answer.tool_usage.web_search.num_requests == 1
    shown = client.responses.create(model="gpt-4.1-nano", input="find it", include=["file_search_call.results"]).output[0]
    assert shown.type == "file_search_call"
    assert shown.results is not None
    assert shown.results[0].filename == "a.txt"


@pytest.mark.parametrize("action", [None, {"type": "open_page", "url": "https://example.org"}])
def test_a_search_of_the_web_begins_without_what_it_looks_for(mock: MockServer, client: OpenAI, action: Any) -> None:
    mock.when().respond(items=[{"type": "web_search_call"} | ({"action": action} if action else {})], text="Found.")
    stream = client.responses.create(model="gpt-4.1-nano", input="find it", stream=True)
    begun = next(event for event in stream if event.type == "response.output_item.added")
    assert begun.item.to_dict()["action"] == {"type": "search"}


def test_built_in_calls_beyond_the_limit_are_ignored(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond(items=[{"type": "web_search_call"}] * 3, text="Found.")
    answer = client.responses.create(model="gpt-4.1-nano", input="hi", max_tool_calls=2)
    assert [item.type for item in answer.output] == ["web_search_call", "web_search_call", "message"]


def test_a_filtered_answer_is_incomplete_and_says_what_was_blocked(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="bad", content_filter={"completion": {"violence": "high"}})
    answer = post(http, mock, {"model": "gpt-4.1-nano", "input": "hi"}).json()
    assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "content_filter"})
    assert answer["output"] == []
    assert [(entry["source_type"], entry["blocked"]) for entry in answer["content_filters"]] == [
        ("prompt", False),
        ("completion", True),
    ]
    assert answer["content_filters"][1]["content_filter_results"]["violence"] == {"filtered": True, "severity": "high"}


def test_a_filtered_prompt_is_refused_with_its_findings(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(content_filter="jailbreak")
    answer = post(http, mock, {"model": "gpt-4.1-nano", "input": "evil"})
    error = assert_azure_error(answer, 400, code="content_filter", innererror={"code": "ContentFiltered"})
    assert error["content_filters"][0]["blocked"] is True
    assert error["content_filters"][0]["content_filter_results"]["jailbreak"] == {"detected": True, "filtered": True}


def test_a_turn_of_tool_results_has_no_filter_entry_for_its_prompt(http: httpx2.Client, mock: MockServer) -> None:
    history = [
        {"role": "user", "content": "Weather?"},
        {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "rain"},
    ]
    answer = post(http, mock, {"model": "gpt-4.1-nano", "input": history}).json()
    assert [entry["source_type"] for entry in answer["content_filters"]] == ["completion"]


def test_the_server_compacts_beyond_the_threshold(http: httpx2.Client, mock: MockServer) -> None:
    management = [{"type": "compaction", "compact_threshold": 1000}]
    long = post(http, mock, {"model": "gpt-4.1-nano", "input": "word " * 2000, "context_management": management}).json()
    short = post(http, mock, {"model": "gpt-4.1-nano", "input": "word", "context_management": management}).json()
    assert [item["type"] for item in long["output"]] == ["compaction", "message"]
    assert [item["type"] for item in short["output"]] == ["message"]


def test_truncation_drops_the_oldest_turns_instead_of_refusing(http: httpx2.Client, mock: MockServer) -> None:
    history = [{"role": "user", "content": "word " * 60_000} for _ in range(3)] + [{"role": "user", "content": "last"}]
    mock.when(user="last").respond("ok")
    refused = post(http, mock, {"model": "gpt-4o", "input": history})
    assert_azure_error(refused, 400, code="context_length_exceeded")
    answer = post(http, mock, {"model": "gpt-4o", "input": history, "truncation": "auto"}).json()
    assert answer["output"][0]["content"][0]["text"] == "ok"
    assert answer["usage"]["input_tokens"] <= 128_000


def test_usage_can_be_scripted_by_either_surfaces_names(http: httpx2.Client, mock: MockServer) -> None:
    mock.when(user="a").respond(text="x", usage={"prompt_tokens": 7, "completion_tokens": 0})
    mock.when(user="b").respond(text="x", usage={"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}})
    first = post(http, mock, {"model": "gpt-4.1-nano", "input": "a"}).json()["usage"]
    second = post(http, mock, {"model": "gpt-4.1-nano", "input": "b"}).json()["usage"]
    assert (first["input_tokens"], first["output_tokens"], first["total_tokens"]) == (7, 0, 7)
    assert (second["input_tokens"], second["input_tokens_details"]["cached_tokens"]) == (9, 4)


def test_the_scripted_pace_decides_when_a_stream_was_complete(http: httpx2.Client, mock: MockServer) -> None:
    mock.clock.freeze(1_800_000_000)
    mock.when().respond(text="one two three", stream={"ttft": "5s", "tokens_per_second": 1})
    whole = post(http, mock, {"model": "gpt-4.1-nano", "input": "a"}).json()
    assert whole["completed_at"] == 1_800_000_000
    streamed = post(http, mock, {"model": "gpt-4.1-nano", "input": "a", "stream": True}).text
    final = json.loads(streamed.strip().splitlines()[-1].removeprefix("data: "))["response"]
    assert final["completed_at"] == 1_800_000_008


def test_input_tokens_are_counted_without_an_answer(client: OpenAI) -> None:
    counted = client.responses.input_tokens.count(model="gpt-4o-mini", input="Tell me a joke.")
    created = client.responses.create(model="gpt-4o-mini", input="Tell me a joke.")
    assert counted.object == "response.input_tokens"
    assert created.usage is not None
    assert counted.input_tokens == created.usage.input_tokens == 12


def test_compacting_keeps_user_messages_and_can_be_continued(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    history: list[Any] = [{"role": "user", "content": "I live in Paris."}, {"role": "assistant", "content": "Noted."}]
    compacted = plain.responses.compact(model="gpt-4o-mini", input=history)
    assert (compacted.object, [item.type for item in compacted.output]) == ("response.compaction", ["message", "compaction"])
    answer = http.post(
        f"{mock.base_url}responses/compact",
        json={"model": "gpt-4o-mini", "input": history},
        headers={"api-key": mock.api_key},
    )
    items = answer.json()["output"]
    assert items[0]["content"] == [{"type": "input_text", "text": "I live in Paris."}]
    body = {"model": "gpt-4o-mini", "input": [*items, {"role": "user", "content": "Where?"}]}
    assert post(http, mock, body).json()["status"] == "completed"


@pytest.mark.parametrize("stream", [False, True])
def test_a_model_that_reasons_can_be_scripted_not_to(client: OpenAI, mock: MockServer, stream: bool) -> None:
    mock.when().respond(text="At once.", reasoning=False)
    asked: Any = {"model": "o4-mini", "input": "hi"}
    if stream:
        with client.responses.stream(**asked) as events:
            answer: Any = events.get_final_response()
    else:
        answer = client.responses.create(**asked)
    assert [item.type for item in answer.output] == ["message"]
    assert answer.usage.output_tokens_details.reasoning_tokens == 0


def test_no_thought_and_nothing_else_is_no_answer(mock: MockServer) -> None:
    with pytest.raises(ScenarioError, match=r"respond\.reasoning: without reasoning there has to be something else"):
        mock.when().respond(reasoning=False)
