"""Habits of chat answers that clients trip over: what stands where, beside what everybody expects."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from openai import OpenAI

from mockserver import MockServer
from mockserver.api.chat import deltas

Json = Any
HI: Any = [{"role": "user", "content": "Hi"}]
TOOLS: Any = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
TOOL_TURN: Any = [
    *HI,
    {"role": "assistant", "tool_calls": [{"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "c", "content": "sunny"},
]
DOWN = {"error": {"code": "content_filter_error", "message": "The contents are not filtered"}}


def raw(http: httpx2.Client, mock: MockServer, family: str = "chat/completions", **body: Json) -> httpx2.Response:
    asked = {"model": "gpt-4o", **({"messages": HI} if family.startswith("chat") else {"prompt": "Hi"}), **body}
    answer = http.post(mock.base_url + family, json=asked, headers={"api-key": mock.api_key})
    assert answer.status_code == 200, answer.text
    return answer


def chunks(answer: httpx2.Response) -> list[Json]:
    blocks = answer.text.removesuffix("data: [DONE]\n\n").split("\n\n")
    return [json.loads(block.removeprefix("data: ")) for block in blocks if block]


def test_latency_is_told_inside_usage_and_beside_it_in_a_stream(http: httpx2.Client, mock: MockServer) -> None:
    usage = raw(http, mock).json()["usage"]
    assert list(usage)[2] == "latency_checkpoint"
    told = chunks(raw(http, mock, stream=True, stream_options={"include_usage": True}))[-1]
    assert "latency_checkpoint" not in told["usage"]
    assert list(told) == sorted(told)
    assert told["latency_checkpoint"].keys() == usage["latency_checkpoint"].keys()
    assert len(told["latency_checkpoint"]) == 9


def test_latency_follows_the_scripted_pace(http: httpx2.Client, mock: MockServer) -> None:
    mock.clock.freeze()
    mock.when().respond(text="one two three", stream={"ttft": "3s", "tokens_per_second": 50})
    latency = raw(http, mock).json()["usage"]["latency_checkpoint"]
    assert (latency["engine_tbt_ms"], latency["user_visible_ttft_ms"]) == (20, 3_000)
    assert latency["total_duration_ms"] == 3_000 + 3 * 20


@pytest.mark.parametrize("model", ["grok-3-mini", "MAI-DS-R1", "DeepSeek-R1"])
def test_other_vendors_tell_no_latency(http: httpx2.Client, mock: MockServer, model: str) -> None:
    assert "latency_checkpoint" not in raw(http, mock, model=model).text


@pytest.mark.parametrize("stream", [False, True])
def test_html_is_escaped_and_nothing_else(http: httpx2.Client, mock: MockServer, client: OpenAI, stream: bool) -> None:
    mock.when().respond(text="<b>Grüße & 🙂</b>", stream={"chunk": 100})
    answer = raw(http, mock, stream=stream)
    assert r"\u003cb\u003eGrüße \u0026 🙂\u003c/b\u003e" in answer.text
    assert not set("<>&") & set(answer.text)
    assert client.chat.completions.create(model="gpt-4o", messages=HI).choices[0].message.content == "<b>Grüße & 🙂</b>"


def test_a_prompt_with_an_image_has_two_filter_entries(http: httpx2.Client, mock: MockServer) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    asked = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, picture]}]
    first, second = raw(http, mock, messages=asked).json()["prompt_filter_results"]
    assert list(first) == list(second) == ["prompt_index", "content_filter_result"]
    assert (first["prompt_index"], second["prompt_index"], second["content_filter_result"]) == (1, 0, {})
    assert list(first["content_filter_result"]) == ["sexual", "violence", "hate", "self_harm", "custom_blocklists"]
    opening = chunks(raw(http, mock, messages=asked, stream=True))[0]
    assert opening["prompt_filter_results"] == [first, second]


def test_the_prompt_filter_is_silent_on_tool_turns_but_for_grok(http: httpx2.Client, mock: MockServer) -> None:
    def told(model: str) -> Json:
        return raw(http, mock, model=model, messages=TOOL_TURN, tools=TOOLS).json()["prompt_filter_results"][0][
            "content_filter_results"
        ]

    assert told("gpt-4o") == {}
    assert told("grok-3-mini").keys() == {"hate", "jailbreak", "self_harm", "sexual", "violence"}


def test_groks_calls_have_a_call_id_that_is_null(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(tool_calls=[{"name": "weather", "arguments": {}}], usage={"completion_tokens": 27, "prompt_tokens": 3})
    whole = raw(http, mock, model="grok-3-mini", tools=TOOLS).json()
    call = whole["choices"][0]["message"]["tool_calls"][0]
    assert call["function"] == {"arguments": "{}", "call_id": None, "name": "weather"}
    assert whole["usage"]["completion_tokens"] == 27
    mock.reset()
    mock.when().respond(tool_calls=[{"name": "weather", "arguments": {}}])
    assert "call_id" not in raw(http, mock, tools=TOOLS).text


def test_a_filter_that_is_down_says_so_in_the_singular(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="a b c", content_filter={"prompt": {"failed": True}, "completion": {"failed": True}})
    whole = raw(http, mock).json()
    choice = whole["choices"][0]
    assert (choice["content_filter_result"], choice["content_filter_results"]) == (DOWN, {})
    assert whole["prompt_filter_results"][0]["content_filter_results"] == {}
    choices = [chunk["choices"][0] for chunk in chunks(raw(http, mock, stream=True))[1:]]
    assert all((one["content_filter_result"], one["content_filter_results"]) == (DOWN, {}) for one in choices)
    text = raw(http, mock, "completions", model="davinci-002").json()["choices"][0]
    assert (text["content_filter_result"], text["content_filter_results"]) == (DOWN, {})


def test_every_chunk_of_a_model_that_does_not_think_names_all_detectors(http: httpx2.Client, mock: MockServer) -> None:
    def told(model: str) -> set[str]:
        pieces = chunks(raw(http, mock, model=model, stream=True))[2:-1]
        return {name for one in pieces for name in one["choices"][0]["content_filter_results"]}

    assert len(told("gpt-4.1-mini")) == 6
    assert told("gpt-5-mini") == {"protected_material_text"}


def test_deepseek_answers_as_its_own_server_does(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text="Hi there", reasoning={"text": "Hm", "tokens": 1})
    whole = raw(http, mock, model="DeepSeek-R1").json()
    assert list(whole) == ["id", "model", "choices", "usage", "created", "object", "prompt_filter_results"]
    (choice,) = whole["choices"]
    assert list(choice) == ["index", "message", "finish_reason", "content_filter_results"]
    assert choice["message"] == {"role": "assistant", "content": "Hi there", "reasoning_content": "Hm"}
    *pieces, end, usage = chunks(raw(http, mock, model="DeepSeek-R1", stream=True, stream_options={"include_usage": True}))
    deltas = [piece["choices"][0]["delta"] for piece in pieces]
    assert all(list(delta) == ["role", "content", "reasoning_content", "tool_calls"] for delta in deltas)
    assert "".join(delta["reasoning_content"] or "" for delta in deltas) == "Hm"
    assert "".join(delta["content"] or "" for delta in deltas) == "Hi there"
    assert (end["choices"][0]["finish_reason"], end["choices"][0]["matched_stop"]) == ("stop", 1)
    assert usage["usage"]["total_tokens"] == whole["usage"]["total_tokens"]


def test_deepseek_can_be_stored_streamed_and_read_by_the_sdk(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond(text="Hi there", reasoning={"text": "Hm"}, tool_calls=[{"name": "weather", "arguments": {"a": 1}}])
    kept = client.chat.completions.create(model="DeepSeek-R1", messages=HI, store=True, tools=TOOLS)
    assert client.chat.completions.retrieve(kept.id).choices[0].message.content == "Hi there"
    with client.chat.completions.stream(model="DeepSeek-R1", messages=HI) as stream:
        folded = stream.get_final_completion().choices[0]
    assert folded.message.content == kept.choices[0].message.content
    assert folded.message.tool_calls is not None
    assert folded.message.tool_calls[0].function.arguments == '{"a":1}'
    assert folded.finish_reason == kept.choices[0].finish_reason == "tool_calls"


def test_a_caller_without_an_id_of_its_own_gets_none(http: httpx2.Client, mock: MockServer) -> None:
    assert "x-ms-client-request-id" not in raw(http, mock).headers


@pytest.mark.parametrize("name", ["\x1f", "a\r\nx-new: b", "a\x00b", "\u2028é日"])
def test_no_deployments_name_spoils_the_headers(http: httpx2.Client, mock: MockServer, name: str) -> None:
    for family in ("chat/completions", "completions"):
        headers = raw(http, mock, family, model=name).headers
        assert "x-new" not in headers
        assert not [value for value in headers.values() if any(ord(letter) < 32 for letter in value)]


@pytest.mark.parametrize(
    "respond",
    [
        {"text": "plain"},
        {"text": 'a < b & c > d \u2028 – “quoted” "too" \\ \n'},
        {"text": "", "finish_reason": "length"},
        {"text": "withheld", "finish_reason": "content_filter"},
        {"text": "found", "content_filter": {"hate": "low"}},
        {"text": "counted", "usage": {"prompt_tokens": 1, "total_tokens": 4, "prompt_tokens_details": {"cached_tokens": 2}}},
        {"text": "long " * 400},
        {"refusal": "No."},
    ],
)
@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("stream", [False, True])
def test_every_answer_is_one_line_of_json_with_its_keys_in_order(
    http: httpx2.Client, mock: MockServer, respond: Any, n: int, stream: bool
) -> None:
    """Answers and chunks that are joined from parts which were spelt before read like those that are written in one go."""

    def ordered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        assert names == sorted(set(names)) or "prompt_index" in names
        return dict(pairs)

    mock.when().respond(**respond)
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "n": n, "stream": stream}
    content = http.post(mock.base_url + "chat/completions", json=body, headers={"api-key": mock.api_key}).text
    documents = [part.removeprefix("data: ") for part in content.split("\n\n")[:-2]] if stream else [content.removesuffix("\n")]
    assert documents
    for document in documents:
        plain = json.dumps(json.loads(document, object_pairs_hook=ordered), separators=(",", ":"), ensure_ascii=False)
        for character in "<>&\u2028":
            plain = plain.replace(character, f"\\u{ord(character):04x}")
        assert document == plain
    told = [json.loads(document) for document in documents]
    texts = [choice["delta"].get("content") or "" for chunk in told for choice in chunk["choices"]] if stream else []
    whole = "".join(texts) if stream else "".join(choice["message"]["content"] or "" for choice in told[0]["choices"])
    assert len(whole) == n * len(respond.get("text", ""))


@pytest.mark.parametrize("model", ["gpt-4o", "grok-3-mini"])
def test_a_script_overrides_the_details_of_usage_too(http: httpx2.Client, mock: MockServer, model: str) -> None:
    counts = {"prompt_tokens_details": {"cached_tokens": 1_024}, "completion_tokens_details": {"reasoning_tokens": 64}}
    mock.when().respond(text="hello", usage=counts)
    usage = raw(http, mock, model=model).json()["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == 1_024
    assert usage["completion_tokens_details"]["reasoning_tokens"] == 64
    assert usage["completion_tokens_details"]["audio_tokens"] == 0


def test_long_streamed_texts_are_not_kept() -> None:
    before = deltas._cached_text_deltas.cache_info().currsize
    for text in ("a word " * 2_000, "another " * 2_000):
        assert len(deltas.text_deltas(text, "stop", b"{}", "token", "o200k_base")) > 2_000
    assert deltas._cached_text_deltas.cache_info().currsize == before
