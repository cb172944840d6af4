"""What holds for any request: no failure of ours, the same bytes for the same requests, streams that fold to the object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.api.responses.requests import ResponseRequest
from mockserver.api.responses.tools import FORMS as TOOLS
from mockserver.operations.items import FORMS as ITEMS
from mockserver.operations.visible import INCLUDES
from mockserver.scenario.values import ITEM_TYPES

Json = Any
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
OF_KIND = {
    "string": st.sampled_from(["c1", "x", "", "always", "resp_1", "data:image/png;base64,AA"]),
    "integer": st.integers(-2, 60),
    "boolean": st.booleans(),
    "array": st.lists(
        st.fixed_dictionaries({}, optional={"type": st.sampled_from(["input_text", "function"]), "text": st.text(max_size=3)}),
        max_size=2,
    )
    | st.lists(json_values, max_size=2),
    "object": st.dictionaries(st.sampled_from(["type", "image_url", "file_id", "query"]), json_values, max_size=2),
}


def a_value(kind: str | tuple[str, ...]) -> st.SearchStrategy[Json]:
    """Mostly a value of this kind, sometimes any."""
    right = st.sampled_from(kind) if isinstance(kind, tuple) else st.one_of([OF_KIND[one] for one in kind.split("|")])
    return right | right | right | json_values


def documents(forms: dict[str, Any]) -> st.SearchStrategy[Json]:
    """Mostly well-formed items or tools of any type."""
    return st.sampled_from(sorted(forms)).flatmap(
        lambda kind: st.fixed_dictionaries(
            {"type": st.just(kind), **{name: a_value(of) for name, of in forms[kind].required.items()}},
            optional={name: a_value(of) for name, of in forms[kind].optional.items() if name not in forms[kind].required},
        )
    )


messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "developer"]), "content": st.text(max_size=5) | OF_KIND["array"]}
)
items = documents(ITEMS) | messages
tools = documents(TOOLS)
bodies = st.builds(
    lambda rest, given, offered: {"model": "gpt-5-mini", **rest, **given, **offered},
    st.dictionaries(st.sampled_from(sorted(ResponseRequest.model_fields)), json_values, max_size=1),
    st.fixed_dictionaries({"input": st.text(max_size=9) | st.lists(items, max_size=3)}),
    st.fixed_dictionaries(
        {},
        optional={
            "tools": st.lists(tools, max_size=2),
            "tool_choice": st.sampled_from(["required", "auto"]),
            "stream": st.booleans(),
        },
    ),
)
queries = st.dictionaries(
    st.sampled_from(["stream", "starting_after", "include[]", "limit", "order", "after", "before", "include_obfuscation"]),
    st.text(max_size=5) | st.sampled_from(["true", "1", "-1", "asc"]),
    max_size=3,
)
letters = st.characters(
    codec="utf-8", categories=["L", "N", "P", "Z", "So"], exclude_characters="{"
)  # of which templates are made
words = st.text(letters, min_size=1, max_size=40)


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as mock:
        yield mock


def post(http: httpx2.Client, mock: MockServer, body: Json, path: str = "responses") -> httpx2.Response:
    headers = {"api-key": mock.api_key, "x-ms-oai-image-generation-deployment": "gpt-image-1"}
    return http.post(f"{mock.base_url}{path}", content=json.dumps(body).encode(), headers=headers)


@settings(max_examples=20, deadline=None)
@given(body=bodies, path=st.sampled_from(["responses"] * 4 + ["responses/compact", "responses/input_tokens"]))
def test_any_body_is_answered_or_refused(http: httpx2.Client, server: MockServer, body: Json, path: str) -> None:
    answer = post(http, server, body, path)
    assert answer.status_code in (200, 400, 404), answer.text
    if answer.status_code != 200:
        assert_azure_error(answer, answer.status_code)


@settings(max_examples=30, deadline=None)
@given(given=st.lists(items, max_size=3))
def test_a_conversation_of_any_items_can_be_listed_and_answered(http: httpx2.Client, server: MockServer, given: Json) -> None:
    created = post(http, server, {"items": given}, "conversations")
    assert created.status_code in (200, 400, 404), created.text
    if created.status_code != 200:
        assert_azure_error(created, created.status_code)
        return
    conversation = created.json()["id"]
    every = {"include[]": list(INCLUDES), "limit": "100"}
    listed = http.get(f"{server.base_url}conversations/{conversation}/items", params=every, headers={"api-key": server.api_key})
    assert listed.status_code == 200, listed.text
    assert len(listed.json()["data"]) <= len(given)
    answer = post(http, server, {"model": "gpt-5-mini", "input": "x", "conversation": conversation})
    assert answer.status_code in (200, 400, 404), answer.text


@settings(max_examples=20, deadline=None)
@given(tool=tools, text=words)
def test_any_tool_can_be_demanded(http: httpx2.Client, server: MockServer, tool: Json, text: str) -> None:
    answer = post(http, server, {"model": "gpt-4o", "input": text, "tools": [tool], "tool_choice": "required", "stream": True})
    assert answer.status_code in (200, 400, 404), answer.text


@settings(max_examples=10, deadline=None)
@given(path=st.text("abcresp_0123456789", max_size=9), query=queries)
def test_any_query_is_answered_or_refused(http: httpx2.Client, server: MockServer, path: str, query: dict[str, str]) -> None:
    kept = post(http, server, {"model": "gpt-4o", "input": "x", "stream": True}).text.partition('"id":"')[2].partition('"')[0]
    for url in (f"responses/{kept}", f"responses/{kept}/input_items", f"responses/{path}/input_items"):
        answer = http.get(server.base_url + url, params=query, headers={"api-key": server.api_key})
        assert answer.status_code in (200, 400, 404, 405), answer.text


def fold(events: list[Json]) -> Json:
    """The response that a stream tells, put together from its deltas alone; only the frame comes from the last event."""
    output: dict[int, Json] = {}
    for event in events:
        at, kind = event.get("output_index"), event["type"]
        if kind == "response.output_item.added":
            output[at] = event["item"]
        elif kind == "response.content_part.added":
            output[at]["content"].append(event["part"])
        elif kind == "response.output_text.delta":
            part = output[at]["content"][event["content_index"]]
            part["text"] += event["delta"]
            part["logprobs"] += event["logprobs"]
        elif kind == "response.refusal.delta":
            output[at]["content"][event["content_index"]]["refusal"] += event["delta"]
        elif kind == "response.output_text.annotation.added":
            output[at]["content"][event["content_index"]]["annotations"].append(event["annotation"])
        elif kind == "response.function_call_arguments.delta":
            output[at]["arguments"] += event["delta"]
        elif kind == "response.custom_tool_call_input.delta":
            output[at]["input"] += event["delta"]
        elif kind == "response.reasoning_summary_part.added":
            output[at]["summary"].append(event["part"])
        elif kind == "response.reasoning_summary_text.delta":
            output[at]["summary"][event["summary_index"]]["text"] += event["delta"]
        elif kind == "response.code_interpreter_call_code.delta":
            output[at]["code"] += event["delta"]
        elif kind == "response.mcp_call_arguments.delta":
            output[at]["arguments"] += event["delta"]
        elif kind == "response.image_generation_call.partial_image":
            output[at]["result"] = event["partial_image_b64"]
        elif kind == "response.output_item.done":
            output[at] = completed(output[at], event["item"])
    return {**events[-1]["response"], "output": [output[at] for at in sorted(output)]}


TOLD = {  # the members that events of their own bring; the others come with the whole item
    "message": {"content"},
    "reasoning": {"summary"},
    "function_call": {"arguments"},
    "custom_tool_call": {"input"},
    "code_interpreter_call": {"code"},
    "mcp_call": {"arguments"},
    "image_generation_call": {"result"},
}


def completed(item: Json, done: Json) -> Json:
    """The finished item, with what its deltas added up to."""
    assert (item["id"], item["type"]) == (done["id"], done["type"])
    return {**done, **{name: item[name] for name in TOLD.get(item["type"], ())}}


@settings(max_examples=12, deadline=None)
@given(
    text=words,
    refusal=st.none() | words,
    summary=st.lists(words, max_size=2),
    calls=st.lists(st.tuples(st.sampled_from(["function", "custom"]), words), max_size=2),
    chunk=st.sampled_from(["token", "word", "char", 5]),
    limit=st.none() | st.integers(16, 30),
)
def test_a_stream_folds_to_the_stored_object(
    http: httpx2.Client,
    server: MockServer,
    text: str,
    refusal: str | None,
    summary: list[str],
    calls: list[Json],
    chunk: Any,
    limit: Any,
) -> None:
    server.reset()
    said: dict[str, Any] = {"refusal": refusal} if refusal is not None else {"text": text}
    if calls:
        said["tool_calls"] = [{"name": kind, "arguments": words, "kind": kind} for kind, words in calls]
    if summary:
        said["reasoning"] = {"summary": summary, "tokens": 3}
    server.when().respond(**said, stream={"chunk": chunk})
    body = {"model": "gpt-5-mini", "input": "hi", "stream": True, "max_output_tokens": limit, "reasoning": {"summary": "auto"}}
    answer = post(http, server, body)
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n") if line.startswith("data: ")]
    kept = http.get(f"{server.base_url}responses/{events[0]['response']['id']}", headers={"api-key": server.api_key}).json()
    assert fold(events) == events[-1]["response"] == kept


CALLS: dict[str, dict[str, st.SearchStrategy[Json]]] = {
    "web_search_call": {"status": st.sampled_from(["completed", "searching", "failed"]), "action": st.just({"type": "open_page", "url": "https://x"})},
    "file_search_call": {"queries": st.lists(words, max_size=2), "status": st.sampled_from(["completed", "incomplete", "failed"])},
    "code_interpreter_call": {"code": words, "outputs": st.just([{"type": "logs", "logs": "x"}]), "files": st.dictionaries(words, words, max_size=2)},
    "image_generation_call": {"size": st.sampled_from(["1024x1024", "1024x1536"]), "output_format": st.sampled_from(["png", "jpeg", "webp"]),
                              "result": st.sampled_from(["AAAA", "iVBO"]), "status": st.sampled_from(["completed", "generating"])},
    "mcp_list_tools": {"error": st.none() | words, "tools": st.just([{"name": "n", "input_schema": {}}])},
    "mcp_call": {"arguments": words, "output": st.none() | words, "error": st.none() | words},
    "mcp_approval_request": {"arguments": words, "name": words},
    "computer_call": {"action": st.just({"type": "wait"}), "pending_safety_checks": st.just([{"id": "cu_sc_1"}])},
    "local_shell_call": {"status": st.sampled_from(["completed", "incomplete"])},
    "shell_call": {"action": st.just({"commands": ["ls"]})},
    "shell_call_output": {"output": st.just([{"stdout": "", "stderr": "", "outcome": {"type": "timeout"}}])},
    "apply_patch_call": {"operation": st.just({"type": "delete_file", "path": "x"})},
    "apply_patch_call_output": {"output": words},
    "compaction": {},
}  # fmt: skip
calls_of_tools = st.sampled_from(sorted(CALLS)).flatmap(
    lambda kind: st.fixed_dictionaries({"type": st.just(kind)}, optional=CALLS[kind])
)


def test_every_item_that_can_be_scripted_is_tried() -> None:
    assert set(CALLS) == set(ITEM_TYPES)


@settings(max_examples=30, deadline=None)
@given(
    items=st.lists(calls_of_tools, min_size=1, max_size=3),
    include=st.lists(st.sampled_from(INCLUDES), max_size=3, unique=True),
    partial=st.integers(0, 3),
    text=words,
)
def test_a_stream_of_any_calls_folds_to_the_stored_object(
    http: httpx2.Client, server: MockServer, items: list[Json], include: list[str], partial: int, text: str
) -> None:
    server.reset()
    server.when().respond(items=items, text=text)
    tools = [
        {"type": "image_generation", "partial_images": partial},
        {"type": "code_interpreter", "container": {"type": "auto"}},
    ]
    body = {"model": "gpt-4o", "input": "hi", "stream": True, "include": include, "tools": tools}
    headers = {"api-key": server.api_key, "x-ms-oai-image-generation-deployment": "gpt-image-1"}
    answer = http.post(f"{server.base_url}responses", content=json.dumps(body).encode(), headers=headers)
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.split("\n") if line.startswith("data: ")]
    kept = http.get(
        f"{server.base_url}responses/{events[0]['response']['id']}", params={"include[]": include}, headers=headers
    ).json()
    assert fold(events) == events[-1]["response"] == kept
    assert [item["type"] for item in kept["output"]] == [*[item["type"] for item in items], "message"]


@settings(max_examples=4, deadline=None)
@given(bodies=st.lists(bodies, min_size=1, max_size=4), seed=st.integers(0, 3))
def test_the_same_requests_give_the_same_bytes(http: httpx2.Client, bodies: list[Json], seed: int) -> None:
    told = []
    for _ in range(2):
        with MockServer(seed=seed) as mock:
            mock.clock.freeze(1_790_000_000)
            told.append([post(http, mock, body).content for body in bodies])
    assert told[0] == told[1]


def test_another_seed_gives_other_ids(http: httpx2.Client) -> None:
    told = set()
    for seed in range(3):
        with MockServer(seed=seed) as mock:
            told.add(post(http, mock, {"model": "gpt-4o", "input": "hi"}).json()["id"])
    assert len(told) == 3


def test_asking_twice_gives_other_ids_but_the_same_words(http: httpx2.Client, mock: MockServer) -> None:
    first, second = (post(http, mock, {"model": "gpt-4o", "input": "hi"}).json() for _ in range(2))
    assert first["id"] != second["id"]
    assert first["output"][0]["content"] == second["output"][0]["content"]
