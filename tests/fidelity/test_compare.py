"""The comparison understands what no checked-in recording shows: answers of this server, taken for recordings, are answered the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fidelity.compare import Reply, compare
from fidelity.diff import headers_differ
from fidelity.material import records
from fidelity.play import answer, play
from fidelity.recorded import Row
from fidelity.reduction import reduced

from mockserver import MockServer

Json = Any
HI = [{"role": "user", "content": "Hi"}]
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}]
CUSTOM = [{"type": "custom", "custom": {"name": "sql"}}]
CALL = {"name": "weather", "arguments": "{}", "id": "call_12345678"}
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
GROK = {"model": "grok-3-mini", "messages": HI}
INSTRUCT = {"model": "gpt-35-turbo-instruct", "prompt": "Hi"}


def taken(http: httpx2.Client, endpoint: str, request: Json, respond: Json = None) -> Row:
    """This server's answer as if it had been recorded."""
    rules = [] if respond is None else [{"respond": respond}]
    with MockServer({"resource": {"region": "West Europe"}, "rules": rules}) as mock:
        mock.clock.freeze(1_788_000_000)
        reply = http.post(f"{mock.endpoint}/openai/v1{endpoint}", json=request, headers={"api-key": mock.api_key})
    head = {name.lower(): value for name, value in reply.headers.items()}
    stream = "event-stream" in head.get("content-type", "")
    path = f"/openai/v1{endpoint}"
    return Row("ours", "2026-09-01", "POST", endpoint, path, stream, {}, request, reply.status_code, head, reply.text, True)


STREAMS: tuple[tuple[str, str, Json, Json], ...] = (
    ("Grok thinks", "/chat/completions", GROK | USAGE, {"reasoning": {"text": "They greet me"}, "text": "Hi there"}),
    (
        "Grok calls a tool",
        "/chat/completions",
        {**GROK, **USAGE, "tools": TOOLS},
        {"tool_calls": [CALL, CALL | {"id": "call_87654321"}]},
    ),
    (
        "DeepSeek",
        "/chat/completions",
        {**GROK, **USAGE, "model": "DeepSeek-R1"},
        {"reasoning": {"text": "Hm, well"}, "text": "Hi there"},
    ),
    ("a completion", "/completions", INSTRUCT | USAGE, {"text": "one two three"}),
    ("a completion that is cut", "/completions", {**INSTRUCT, **USAGE, "max_tokens": 2}, {"text": "one two three"}),
)
REFUSALS: tuple[tuple[str, str, Json], ...] = (
    ("an unsupported parameter", "/chat/completions", {"model": "o3-mini", "messages": HI, "max_tokens": 5}),
    ("a value out of range", "/responses", {"model": "gpt-5-mini", "input": "Hi", "max_output_tokens": 1}),
    ("a wrong input", "/embeddings", {"model": "text-embedding-3-small", "input": []}),
    ("a single text for Cohere", "/embeddings", {"model": "Cohere-embed-v3-english", "input": "Hi"}),
    ("an unknown parameter", "/completions", INSTRUCT | {"colour": "red"}),
)


@pytest.mark.parametrize(("name", "endpoint", "request_body", "respond"), STREAMS, ids=[one[0] for one in STREAMS])
def test_a_stream_is_played_again(http: httpx2.Client, name: str, endpoint: str, request_body: Json, respond: Json) -> None:
    row = taken(http, endpoint, request_body, respond)
    assert row.stream
    assert play(row, (row,)) == []


@pytest.mark.parametrize(("name", "endpoint", "request_body"), REFUSALS, ids=[one[0] for one in REFUSALS])
def test_a_refusal_is_played_again(http: httpx2.Client, name: str, endpoint: str, request_body: Json) -> None:
    row = taken(http, endpoint, request_body)
    assert row.status in (400, 422)
    assert play(row, (row,)) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda text: text.replace('"role":"assistant"', '"role":"user"', 1), "role"),
        (lambda text: text.replace('"finish_reason":"stop"', '"finish_reason":null'), "finish"),
        (lambda text: text.replace("_sidecar", "", 2), "stream"),
        (lambda text: "{}", "stream"),
        (lambda text: "data: {}\n\ndata: [DONE]\n\n", "stream"),
        (lambda text: "", "stream"),
    ],
)
def test_what_is_wrong_in_a_stream_of_groks_is_found(http: httpx2.Client, change: Any, found: str) -> None:
    row = taken(http, *STREAMS[0][1:])
    reply, sent = answer(row, (row,))
    assert change(reply.text) != reply.text
    assert any(found in one.path for one in compare(row, replace(reply, text=change(reply.text)), sent))


def test_bytes_that_are_no_json_are_a_difference(http: httpx2.Client) -> None:
    row = taken(http, *REFUSALS[0][1:])
    reply, sent = answer(row, (row,))
    assert compare(row, replace(reply, text="<html>"), sent)[-1].path == "body"
    assert compare(row, Reply(500, {}, ""), sent)[0].path == "status"


def test_a_date_that_a_recorder_masked_is_left_alone(http: httpx2.Client, tmp_path: Path) -> None:
    row = taken(http, "/chat/completions", {"model": "gpt-4o", "messages": HI}, {"text": "Hi there"})
    raw = {
        "id": "masked",
        "provider": "azure-v1",
        "surface": "resource",
        "endpoint": row.endpoint,
        "stream": False,
        "method": "POST",
        "path": row.path,
        "request_body": row.request,
        "status": 200,
        "response_headers": row.headers and {**row.headers, "date": "REDACTED"},
        "response_body": row.body,
        "response_body_raw": row.text,
    }
    material = tmp_path / "recorded.jsonl"
    material.write_text(json.dumps(raw) + "\n", encoding="utf-8")
    (record,) = reduced(records(material))
    assert record["day"] == "2026-08-29"
    assert record["headers"]["date"] == "REDACTED"
    masked = Row(**record)
    assert [str(one) for one in play(masked, (masked,)) if one.path != "header.date"] == []


@pytest.mark.parametrize(
    "session",
    ["d20260330170902-0e618f32", "d20260330170902-0e618f323d34", "d20260330170902-0e618f323d34ab12", "d156-20241010120317"],
)
def test_sessions_come_in_several_lengths(session: str) -> None:
    ours, theirs = ({"azureml-model-session": one} for one in ("d20260330170902-aaaaaaaaaaaa", session))
    assert list(headers_differ(ours, theirs, {})) == []
    assert list(headers_differ({"azureml-model-session": session + "x"}, theirs, {})) != []
