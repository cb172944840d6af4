"""Responses as streams: the order and spelling of events, what folding them gives, replay, and broken prompts."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

import httpx2
import pytest
from openai import APIError, AsyncOpenAI, BadRequestError, OpenAI

from mockserver import MockServer

Event = dict[str, Any]
WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def stream(http: httpx2.Client, mock: MockServer, **body: Any) -> list[Event]:
    """The events of a streamed creation; checks their framing."""
    sent = {"model": "gpt-4.1-nano", "input": "hi", "stream": True} | body
    return events(http.post(f"{mock.base_url}responses", json=sent, headers={"api-key": mock.api_key}))


def events(answer: httpx2.Response) -> list[Event]:
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    found = []
    for block in answer.text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    assert [event["sequence_number"] for event in found] == list(
        range(found[0]["sequence_number"], found[-1]["sequence_number"] + 1)
    )
    return found


def kinds(told: list[Event]) -> list[str]:
    """The types of events without their common prefix, repeated deltas told once."""
    return [kind for kind, _ in groupby(event["type"].removeprefix("response.") for event in told)]


TEXT = [
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
]


def test_text_streams_in_the_order_of_the_service(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond("One two three.")
    told = stream(http, mock)
    assert kinds(told) == ["created", "in_progress", *TEXT, "completed"]
    assert told[0]["sequence_number"] == 0
    assert "".join(event["delta"] for event in told if "delta" in event) == "One two three."


def test_keys_are_alphabetical_after_the_type_but_not_inside_the_response(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond("One two three.")
    told = stream(http, mock)
    for event in told:
        first, *rest = event
        assert (first, rest) == ("type", sorted(rest))
    delta = next(event for event in told if event["type"] == "response.output_text.delta")
    assert " ".join(delta) == "type content_index delta item_id logprobs obfuscation output_index sequence_number"
    assert list(told[-1]["response"])[:4] == ["id", "object", "created_at", "status"]


def test_streams_are_raw_utf_8_and_end_without_done(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond("15\u00b0C \U0001f600")
    sent = {"model": "gpt-4.1-nano", "input": "hi", "stream": True}
    answer = http.post(f"{mock.base_url}responses", json=sent, headers={"api-key": mock.api_key})
    assert "\u00b0" in answer.text
    assert "\\u" not in answer.text
    assert answer.text.endswith("\n\n")
    assert "[DONE]" not in answer.text


def test_the_first_objects_are_empty_and_the_last_is_finished(http: httpx2.Client, mock: MockServer) -> None:
    told = stream(http, mock, model="gpt-5-nano")
    for event in told[:2]:
        response = event["response"]
        assert (response["status"], response["service_tier"]) == ("in_progress", "auto")
        assert (response["output"], response["usage"], response["content_filters"], response["completed_at"]) == (
            [],
            None,
            None,
            None,
        )
    last = told[-1]["response"]
    assert (last["status"], last["service_tier"]) == ("completed", "default")
    assert [entry["source_type"] for entry in last["content_filters"]] == ["prompt", "completion"]


def test_obfuscation_pads_deltas_to_multiples_of_sixteen_characters(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(
        text="na\u00efve \U0001f600 caf\u00e9 sixteen-letters! ok",
        reasoning={"summary": "Thinking hard."},
        stream={"chunk": 16},
    )
    told = stream(http, mock, model="gpt-5-nano", reasoning={"summary": "auto"})
    deltas = [event for event in told if "delta" in event]
    assert {len(event["delta"]) % 16 == 0 for event in deltas} == {True, False}
    assert {(len(event["delta"]) + len(event["obfuscation"])) % 16 for event in deltas} == {0}
    assert all(event["obfuscation"].isalnum() or not event["obfuscation"] for event in deltas)


def test_obfuscation_can_be_turned_off(http: httpx2.Client, mock: MockServer) -> None:
    told = stream(http, mock, stream_options={"include_obfuscation": False})
    assert not any("obfuscation" in event for event in told)


def test_reasoning_summaries_stream_paragraph_by_paragraph(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="Four.", reasoning={"summary": ["First thought.", "Second thought."], "tokens": 64})
    told = stream(http, mock, model="gpt-5-mini", reasoning={"summary": "auto"}, include=["reasoning.encrypted_content"])
    paragraph = [
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
    ]
    assert kinds(told) == [
        "created",
        "in_progress",
        "output_item.added",
        *paragraph * 2,
        "output_item.done",
        *TEXT,
        "completed",
    ]
    added, done = (event["item"] for event in told if "item" in event and event["item"]["type"] == "reasoning")
    assert added["summary"] == []
    assert [part["text"] for part in done["summary"]] == ["First thought.", "Second thought."]
    final = told[-1]["response"]["output"][0]
    sealed = [added["encrypted_content"], done["encrypted_content"], final["encrypted_content"]]
    assert len(set(sealed)) == 3
    assert all(text.startswith("gAAAAA") for text in sealed)


def test_function_arguments_stream_piece_by_piece(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(tool_calls=[{"name": "get_weather", "arguments": {"city": "Paris"}}])
    told = stream(http, mock, tools=[WEATHER])
    body = ["output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"]
    assert kinds(told) == ["created", "in_progress", *body, "completed"]
    assert told[2]["item"]["arguments"] == ""
    assert told[2]["item"]["status"] == "in_progress"
    deltas = [event for event in told if "delta" in event]
    assert len(deltas) > 1
    assert "".join(event["delta"] for event in deltas) == '{"city":"Paris"}'
    assert all((len(event["delta"]) + len(event["obfuscation"])) % 16 == 0 for event in deltas)


def test_custom_input_and_refusals_have_events_of_their_own(http: httpx2.Client, mock: MockServer) -> None:
    mock.when(user="run").respond(tool_calls=[{"name": "run", "arguments": "print(1)", "kind": "custom"}])
    mock.when(user="no").respond(refusal="I can't do that.")
    told = stream(http, mock, input="run", tools=[{"type": "custom", "name": "run"}])
    assert kinds(told)[3:5] == ["custom_tool_call_input.delta", "custom_tool_call_input.done"]
    told = stream(http, mock, input="no")
    assert kinds(told)[3:6] == ["content_part.added", "refusal.delta", "refusal.done"]
    assert told[-1]["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": "I can't do that."}]


def test_annotations_are_told_after_the_text_they_belong_to(http: httpx2.Client, mock: MockServer) -> None:
    citation = {"type": "url_citation", "url": "https://x", "title": "X", "start_index": 0, "end_index": 3}
    mock.when().respond(text="See.", annotations=[citation])
    told = stream(http, mock)
    assert kinds(told)[4:6] == ["output_text.delta", "output_text.annotation.added"]
    event = next(event for event in told if "annotation" in event)
    assert list(event["annotation"]) == ["type", "end_index", "start_index", "title", "url"]
    assert told[-1]["response"]["output"][0]["content"][0]["annotations"] == [event["annotation"]]


def test_log_probabilities_come_with_every_delta_when_asked_for(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond("Hello, world")
    deltas = [event for event in stream(http, mock, top_logprobs=1) if event["type"] == "response.output_text.delta"]
    assert [event["logprobs"][0]["token"] for event in deltas] == [event["delta"] for event in deltas]
    silent = [event for event in stream(http, mock) if event["type"].startswith("response.output_text.")]
    assert {json.dumps(event["logprobs"]) for event in silent} == {"[]"}


@pytest.mark.parametrize(
    ("item", "steps"),
    [
        ({"type": "web_search_call"}, ["web_search_call.in_progress", "web_search_call.searching"]),
        (
            {"type": "web_search_call", "status": "completed"},
            ["web_search_call.in_progress", "web_search_call.searching", "web_search_call.completed"],
        ),
        (
            {"type": "file_search_call"},
            ["file_search_call.in_progress", "file_search_call.searching", "file_search_call.completed"],
        ),
        (
            {"type": "code_interpreter_call", "code": "print(1 + 1)"},
            [
                "code_interpreter_call.in_progress",
                "code_interpreter_call_code.delta",
                "code_interpreter_call_code.done",
                "code_interpreter_call.interpreting",
                "code_interpreter_call.completed",
            ],
        ),
        (
            {"type": "image_generation_call"},
            ["image_generation_call.in_progress", "image_generation_call.generating", "image_generation_call.partial_image"],
        ),
        ({"type": "mcp_list_tools"}, ["mcp_list_tools.in_progress", "mcp_list_tools.completed"]),
        ({"type": "mcp_list_tools", "error": "no route"}, ["mcp_list_tools.in_progress", "mcp_list_tools.failed"]),
        (
            {"type": "mcp_call", "arguments": "{}"},
            ["mcp_call.in_progress", "mcp_call_arguments.delta", "mcp_call_arguments.done", "mcp_call.completed"],
        ),
        (
            {"type": "mcp_call", "status": "failed"},
            ["mcp_call.in_progress", "mcp_call_arguments.delta", "mcp_call_arguments.done", "mcp_call.failed"],
        ),
        ({"type": "mcp_approval_request"}, []),
        ({"type": "computer_call"}, []),
        ({"type": "local_shell_call"}, []),
        ({"type": "shell_call"}, []),
        ({"type": "apply_patch_call"}, []),
        ({"type": "compaction"}, []),
    ],
    ids=lambda value: " ".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_built_in_tools_tell_their_steps(http: httpx2.Client, mock: MockServer, item: Event, steps: list[str]) -> None:
    mock.when().respond(items=[item])
    told = stream(http, mock)
    assert kinds(told) == ["created", "in_progress", "output_item.added", *steps, "output_item.done", "completed"]
    added, done = (event["item"] for event in told if "item" in event)
    assert (added["id"], added["type"]) == (done["id"], done["type"])
    assert told[-1]["response"]["output"] == [done]


def test_optional_results_stay_out_of_streams_too(http: httpx2.Client, mock: MockServer) -> None:
    search = {
        "type": "web_search_call",
        "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://x"}]},
    }
    mock.when().respond(items=[search])
    assert "https://x" not in json.dumps(stream(http, mock))
    assert "https://x" in json.dumps(stream(http, mock, include=["web_search_call.action.sources"]))


def test_a_limit_ends_the_stream_with_incomplete(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen more")
    told = stream(http, mock, max_output_tokens=16)
    assert kinds(told) == ["created", "in_progress", *TEXT, "incomplete"]
    assert told[-2]["item"]["status"] == "incomplete"
    assert told[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}


def test_a_filtered_answer_ends_the_stream_with_incomplete(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="bad", content_filter={"completion": "hate"})
    told = stream(http, mock)
    assert kinds(told) == ["created", "in_progress", "incomplete"]
    assert told[-1]["response"]["incomplete_details"] == {"reason": "content_filter"}


def test_a_filtered_prompt_fails_in_three_frames(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    mock.when().respond(content_filter="jailbreak")
    told = stream(http, mock)
    assert [event["type"] for event in told] == ["response.created", "response.failed", "error"]
    assert (told[1]["response"]["status"], told[1]["response"]["error"]) == ("failed", None)
    assert told[2]["error"]["code"] == "content_policy_violation"
    with pytest.raises(APIError) as caught:
        list(client.responses.create(model="gpt-4.1-nano", input="hi", stream=True))
    assert caught.value.code == "content_policy_violation"


def test_a_scripted_error_is_plain_http_even_for_a_stream(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond(error="bad_request")
    with pytest.raises(BadRequestError):
        client.responses.create(model="gpt-4.1-nano", input="hi", stream=True)


def test_folding_a_stream_gives_the_stored_response(client: OpenAI) -> None:
    with client.responses.stream(model="gpt-5-mini", input="Weather in Rome?", tools=[WEATHER]) as told:
        kinds_seen = [event.type for event in told]
        folded = told.get_final_response()
    kept = client.responses.retrieve(folded.id)
    assert kinds_seen[-1] == "response.completed"
    assert folded.to_dict(mode="json") | {"output": []} == kept.to_dict(mode="json") | {"output": []}
    assert [item.type for item in folded.output] == [item.type for item in kept.output]


def test_structured_output_parses_from_a_stream(client: OpenAI) -> None:
    from pydantic import BaseModel

    class City(BaseModel):
        name: str

    with client.responses.stream(model="gpt-4.1-nano", input="A city", text_format=City) as told:
        assert isinstance(told.get_final_response().output_parsed, City)


@pytest.mark.anyio
async def test_the_asynchronous_client_streams_the_same(mock: MockServer, async_client: AsyncOpenAI) -> None:
    mock.when().respond("One two three.")
    told = [event async for event in await async_client.responses.create(model="gpt-4.1-nano", input="hi", stream=True)]
    assert "".join(event.delta for event in told if event.type == "response.output_text.delta") == "One two three."


def test_replaying_tells_the_same_events(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="One two three.", reasoning={"summary": "Hm."}, stream={"chunk": "word"})
    told = stream(http, mock, model="gpt-5-mini", reasoning={"summary": "auto"})
    url = f"{mock.base_url}responses/{told[0]['response']['id']}"
    again = http.get(url, params={"stream": "true"}, headers={"api-key": mock.api_key})
    assert events(again) == told
    rest = http.get(url, params={"stream": "true", "starting_after": 5}, headers={"api-key": mock.api_key})
    assert events(rest) == told[6:]
    bare = http.get(url, params={"stream": "true", "include_obfuscation": "false"}, headers={"api-key": mock.api_key})
    assert [{name: event[name] for name in event if name != "obfuscation"} for event in told] == events(bare)


def test_the_sdk_resumes_a_stream_by_id(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond("One two three.")
    created = next(iter(client.responses.create(model="gpt-4.1-nano", input="hi", stream=True)))
    assert created.type == "response.created"
    with client.responses.stream(response_id=created.response.id, starting_after=3) as rest:
        first = next(iter(rest))
        final = rest.get_final_response()
    assert first.sequence_number == 4
    assert final.output_text == "One two three."
    tail = list(client.responses.retrieve(created.response.id, stream=True, starting_after=5))
    assert tail[0].sequence_number == 6
    assert tail[-1].type == "response.completed"


def test_background_streams_are_queued_first_and_not_obfuscated(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond("One two three.")
    told = stream(http, mock, background=True)
    assert kinds(told) == ["created", "queued", "in_progress", *TEXT, "completed"]
    assert [event["response"]["status"] for event in told[:3]] == ["queued", "queued", "in_progress"]
    assert not any("obfuscation" in event for event in told)
    url = f"{mock.base_url}responses/{told[0]['response']['id']}"
    rest = http.get(url, params={"stream": "true", "starting_after": 0}, headers={"api-key": mock.api_key})
    assert events(rest) == told[1:]
    assert http.get(url, headers={"api-key": mock.api_key}).json()["status"] == "completed"
