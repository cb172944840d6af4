"""What stands under `respond`, and what the surfaces get of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scenario.calls import NOW, answer_to, call, script_of

from mockserver.model.reply import (
    DEFAULT_TIMING,
    Audio,
    BuiltInCall,
    Fault,
    FilterResult,
    Reasoning,
    Refusal,
    Reply,
    Text,
    Timing,
    ToolCall,
)
from mockserver.scenario.engine import Answer, Script
from mockserver.scenario.load import build, parse
from mockserver.scenario.named_errors import NAMED_ERRORS
from mockserver.state.chance import Chance


def answered(respond: Any) -> Answer:
    answer = answer_to(Script(build({"rules": [{"name": "it", "respond": respond}]}).rules))
    assert answer is not None
    assert answer.rule == "it"
    return answer


def reply(respond: Any) -> Reply:
    answer = answered(respond)
    assert answer.reply is not None
    assert (answer.error, answer.raw, answer.vectors) == (None, None, None)
    return answer.reply


@pytest.mark.parametrize(
    ("respond", "parts"),
    [
        ("hi", [Text("hi")]),
        ({"text": ""}, [Text("")]),
        ({"text": "hi", "annotations": [{"type": "url_citation"}]}, [Text("hi", [{"type": "url_citation"}])]),
        ({"json": {"é": [1.5, True, None]}}, [Text('{"é":[1.5,true,null]}')]),
        ({"json": None}, [Text("null")]),
        ({"refusal": "no"}, [Refusal("no")]),
        ({"reasoning": "hm"}, [Reasoning(("hm",), "hm")]),
        ({"reasoning": {"summary": "s", "text": "t"}}, [Reasoning(("s",), "t")]),
        ({"tool_calls": [{"name": "f"}]}, [ToolCall("f", "{}")]),
        (
            {"tool_calls": [{"name": "f", "arguments": '{"a": 1}', "id": "call_1"}]},
            [ToolCall("f", '{"a": 1}', "function", "call_1")],
        ),
        (
            {"items": [{"type": "web_search_call", "status": "completed"}]},
            [BuiltInCall({"type": "web_search_call", "status": "completed"})],
        ),
        ({"audio": {"transcript": "hi", "data": "AAAA"}}, [Audio("hi", "AAAA")]),
        (
            {"tool_calls": [{"name": "f"}], "text": "t", "refusal": "r", "items": [{"type": "mcp_call"}], "reasoning": "m"},
            [Reasoning(("m",), "m"), BuiltInCall({"type": "mcp_call"}), Text("t"), Refusal("r"), ToolCall("f", "{}")],
        ),
    ],
)
def test_parts(respond: Any, parts: Any) -> None:
    assert reply(respond).parts == parts


def test_a_fixed_answer_is_made_once() -> None:
    script = script_of("rules: [{respond: hi}]")
    assert answer_to(script) is answer_to(script)


def test_usage_and_finish_reason_are_kept() -> None:
    scripted = reply(
        {
            "text": "hi",
            "usage": {"prompt_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 1}},
            "finish_reason": "length",
        }
    )
    assert scripted.usage == {"prompt_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 1}}
    assert scripted.stop == "length"


@pytest.mark.parametrize(
    ("respond", "timing", "fault"),
    [
        ({}, DEFAULT_TIMING, None),
        ({"delay": "1.5s"}, Timing(delay=1.5), None),
        ({"delay": 2}, Timing(delay=2.0), None),
        ({"stream": {"ttft": "200ms", "tokens_per_second": 50, "jitter": 0.2}}, Timing(0.0, 0.2, 50.0, 0.2), None),
        ({"stream": {"chunk": "word"}}, Timing(chunk="word"), None),
        ({"stream": {"chunk": 7}}, Timing(chunk=7), None),
        ({"stream": {"cut_after": 3}}, DEFAULT_TIMING, Fault("cut", 3)),
        ({"stream": {"stall_after": 0}}, DEFAULT_TIMING, Fault("stall", 0)),
        ({"stream": {"garbage_after": 1}}, DEFAULT_TIMING, Fault("garbage", 1)),
        ({"stream": {"reset_after": 2, "ttft": 1}}, Timing(ttft=1.0), Fault("reset", 2)),
        ({"reset": True}, DEFAULT_TIMING, Fault("reset", 0)),
    ],
)
def test_pace_and_faults(respond: Any, timing: Timing, fault: Fault | None) -> None:
    answer = answered(respond)
    assert (answer.timing, answer.fault) == (timing, fault)
    assert (answer.reply, answer.error, answer.raw, answer.vectors) == (None, None, None, None)


def test_an_improvised_reply_takes_over_what_the_rule_says() -> None:
    answer = answered(
        {"usage": {"total_tokens": 5}, "finish_reason": "length", "content_filter": {"completion": {"hate": "low"}}}
    )
    finished = answer.finish(Reply([Text("improvised")]))
    assert finished.parts == [Text("improvised")]
    assert (finished.usage, finished.stop, finished.completion_filter) == (
        {"total_tokens": 5},
        "length",
        FilterResult({"hate": "low"}),
    )
    assert answered({}).finish(finished) is finished


@pytest.mark.parametrize(
    ("findings", "prompt", "completion"),
    [
        ("violence", FilterResult({"violence": "high"}, blocked=True), None),
        ("jailbreak", FilterResult({"jailbreak": True}, blocked=True), None),
        ({"hate": "low"}, FilterResult({"hate": "low"}), None),
        ({"prompt": {"hate": "medium"}}, FilterResult({"hate": "medium"}, blocked=True), None),
        ({"prompt": {"hate": "medium", "blocked": False}}, FilterResult({"hate": "medium"}), None),
        ({"completion": "sexual"}, None, FilterResult({"sexual": "high"}, blocked=True)),
        ({"prompt": {"failed": True}, "completion": {"failed": True}}, FilterResult(failed=True), FilterResult(failed=True)),
    ],
)
def test_content_filter(findings: Any, prompt: FilterResult | None, completion: FilterResult | None) -> None:
    answer = answered({"content_filter": findings})
    reply = answer.reply if prompt is not None and prompt.blocked else answer.overlay
    assert reply is not None
    assert (reply.prompt_filter, reply.completion_filter) == (prompt, completion)
    assert reply.stop == ("content_filter" if completion is not None and completion.blocked else None)


@pytest.mark.parametrize("name", sorted(NAMED_ERRORS))
def test_every_named_error_can_be_scripted(name: str) -> None:
    error = answered({"error": name}).error
    assert error is not None
    assert error.status >= 400
    assert error.detail


def test_a_named_error_can_be_varied() -> None:
    error = answered(
        {"error": {"name": "rate_limit", "message": "slow down", "headers": {"X-A": "b"}}, "retry_after": "1500ms"}
    ).error
    assert error is not None
    assert (error.status, error.detail["message"]) == (429, "slow down")
    assert error.headers["x-a"] == "b"
    assert error.headers["retry-after-ms"] == "1500"


def test_an_error_can_be_spelled_out() -> None:
    error = answered(
        {"error": {"status": 418, "code": "teapot", "message": "short", "type": "t", "param": "p", "retry_after": 2}}
    ).error
    assert error is not None
    assert error.status == 418
    assert error.detail == {"message": "short", "type": "t", "param": "p", "code": "teapot"}
    assert error.headers["retry-after"] == "2"


def test_an_error_is_a_new_one_each_time() -> None:
    script = script_of("rules: [{respond: {error: server_error}}]")
    first, second = answer_to(script), answer_to(script)
    assert first is not None
    assert second is not None
    assert first.error is not second.error


@pytest.mark.parametrize(
    ("respond", "status", "body", "headers"),
    [
        ({"status": 204}, 204, b"", {"content-type": "text/plain; charset=utf-8"}),
        ({"body": "oé"}, 200, "oé".encode(), {"content-type": "text/plain; charset=utf-8"}),
        (
            {"status": 502, "body": "<html>", "headers": {"Content-Type": "text/html"}},
            502,
            b"<html>",
            {"content-type": "text/html"},
        ),
        ({"body": {"a": 1}, "headers": {"X-B": "c"}}, 200, b'{"a":1}', {"content-type": "application/json", "x-b": "c"}),
    ],
)
def test_an_answer_can_be_spelled_out(respond: Any, status: int, body: bytes, headers: dict[str, str]) -> None:
    raw = answered(respond).raw
    assert raw is not None
    assert (raw.status, raw.body, raw.headers) == (status, body, headers)


@pytest.mark.parametrize(("embedding", "vectors"), [([1, 0.5], [[1.0, 0.5]]), ([[1], [2]], [[1.0], [2.0]])])
def test_vectors(embedding: Any, vectors: Any) -> None:
    script = Script(build({"rules": [{"respond": {"embedding": embedding}}]}).rules)
    answer = answer_to(script, call(operation="createEmbedding"))
    assert answer is not None
    assert answer.vectors == vectors
    assert json.dumps(answer.vectors) == json.dumps(vectors)


DEPLOYMENTS = """
deployments:
  plain: gpt-4.1
  limited: {model: gpt-4o, rpm: 6, tpm: 1000}
  busy: {error: overloaded, retry_after: 3}
  slow: {delay: 1s, stream: {tokens_per_second: 5, cut_after: 4}}
  harsh: {content_filter: violence}
  watched: {content_filter: {completion: {hate: low}}}
"""


def test_deployments_are_declared_with_model_and_limits() -> None:
    specs = parse(DEPLOYMENTS).deployments
    assert (specs["plain"].model, specs["plain"].behaviour, specs["slow"].model) == ("gpt-4.1", None, None)
    assert (specs["limited"].model, specs["limited"].rpm, specs["limited"].tpm) == ("gpt-4o", 6, 1000)


def behaved(name: str, answer: Answer | None = None) -> Answer:
    behaviour = parse(DEPLOYMENTS).deployments[name].behaviour
    assert behaviour is not None
    return behaviour.apply_to(answer, call(deployment=name), Chance("x"), NOW)


def test_a_deployment_answers_calls_that_no_rule_decides() -> None:
    busy, slow, harsh, watched = (behaved(name) for name in ("busy", "slow", "harsh", "watched"))
    assert busy.error is not None
    assert (busy.rule, busy.error.status, busy.error.headers["retry-after"]) == ("deployment busy", 503, "3")
    assert (slow.timing, slow.fault, slow.reply) == (Timing(delay=1.0, tokens_per_second=5.0), Fault("cut", 4), None)
    assert harsh.reply is not None
    assert harsh.reply.prompt_filter == FilterResult({"violence": "high"}, blocked=True)
    assert watched.finish(Reply([])).completion_filter == FilterResult({"hate": "low"})


def test_a_deployment_fills_in_what_a_rule_leaves_open() -> None:
    rule = answered("hi")
    assert behaved("busy", rule).reply == Reply([Text("hi")])
    slow = behaved("slow", rule)
    assert (slow.rule, slow.reply, slow.timing.delay, slow.fault) == ("it", Reply([Text("hi")]), 1.0, Fault("cut", 4))
    watched = behaved("watched", rule).reply
    assert watched is not None
    assert (watched.parts, watched.completion_filter) == ([Text("hi")], FilterResult({"hate": "low"}))
    assert behaved("slow", answered({"text": "hi", "delay": 2})).timing == Timing(delay=2.0)
    assert rule == answered("hi")


def test_an_error_of_a_rule_is_not_cut_by_the_deployment() -> None:
    answer = behaved("slow", answered({"error": "timeout"}))
    assert (answer.timing.delay, answer.fault) == (1.0, None)


@pytest.mark.parametrize(("name", "decides"), [("busy", True), ("harsh", True), ("slow", False), ("watched", False)])
def test_only_some_behaviours_answer_by_themselves(name: str, decides: bool) -> None:
    behaviour = parse(DEPLOYMENTS).deployments[name].behaviour
    assert behaviour is not None
    assert behaviour.decides is decides
