"""The comparison sees what is wrong: this server's answers are falsified in many ways, and each one is found."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from fidelity import mutate
from fidelity.compare import NOW, Reply, compare
from fidelity.mutate import Mutation, at_once, body, drop, each, first, header, last, put, status, stream, text, without
from fidelity.play import answer
from fidelity.recorded import Row, rows
from fidelity.rules import RULES

Json = Any
HARM = {"filtered": False, "severity": "high"}

CHAT = "ad-0830b5"
CHAT_STREAM = "ad-a2b879"
CHAT_TOOL = "av-3b4806"
CHAT_TOOL_STREAM = "av-ba28cb"
RESPONSE = "av-abc510"
RESPONSE_STREAM = "av-bc7de9"
RESPONSE_PIECES = "av-4662b9"
EMBEDDING = "ad-3fa289"
COHERE = "av-95063b"
COMPLETION = "ad-886745"
FILTERED = "ad-725ed2"
UNROUTED = "ad-7c0995"
GONE = "ad-037282"
NEWEST = "av-b74a61"
FILE = "av-35e521"


def _day(name: str) -> int:
    return _row(name).created or NOW


@cache
def _row(name: str) -> Row:
    return next(row for row in rows() if row.id == name)


def _renumber(number: Any) -> Mutation:
    return stream(each(lambda at, data: data.update(sequence_number=number(at))))


def _swap(events: mutate.Events) -> None:
    texts = [
        at for at, (_, data) in enumerate(events) if data and data["choices"] and data["choices"][0]["delta"].get("content")
    ]
    one, other = texts[:2]
    events[one], events[other] = events[other], events[one]


def _other_id(at: int, data: Json) -> None:
    if data["id"]:
        data["id"] = f"chatcmpl-{at:029}"


def _reorder(document: Json) -> None:
    members = list(document.items())
    document.clear()
    document.update(reversed(members))


_AT_ITEM = ("response", "output", 0)
_FILTERS = ("response", "content_filters")
_DELTA = "response.output_text.delta"
_PIECE = '"content": "'
MUTATIONS: tuple[tuple[str, str, Mutation], ...] = (
    # -- streams of a response
    ("numbers that stand still", RESPONSE_STREAM, _renumber(lambda at: 0)),
    ("numbers that go backwards", RESPONSE_STREAM, _renumber(lambda at: 99 - at)),
    ("numbers with a gap", RESPONSE_STREAM, _renumber(lambda at: at + (at > 3))),
    ("a negative number", RESPONSE_STREAM, _renumber(lambda at: at - 1)),
    ("an item_id of no item", RESPONSE_STREAM, stream(first(_DELTA, put("item_id", value="msg_" + "0" * 50)))),
    ("the index of another item", RESPONSE_STREAM, stream(first(_DELTA, put("output_index", value=7)))),
    ("the text in one delta", RESPONSE_PIECES, stream(at_once("delta"))),
    ("nothing encrypted", RESPONSE_STREAM, stream(last("encrypted_content", put(*_AT_ITEM, "encrypted_content", value="")))),
    (
        "something that is not encrypted",
        RESPONSE_STREAM,
        stream(last("encrypted_content", put(*_AT_ITEM, "encrypted_content", value="Hm"))),
    ),
    ("an item that was not added", RESPONSE_STREAM, stream(without("response.output_item.added"))),
    ("a part that was not done", RESPONSE_STREAM, stream(without("response.content_part.done"))),
    ("no end", RESPONSE_STREAM, stream(lambda events: events.pop())),
    (
        "a name that is not the type",
        RESPONSE_STREAM,
        text(lambda one: one.replace("event: response.created", "event: response.queued")),
    ),
    (
        "another response at the end",
        RESPONSE_STREAM,
        stream(last("response.completed", put("response", "id", value="resp_" + "0" * 50))),
    ),
    ("a time that is wrong", RESPONSE_STREAM, stream(last("response.completed", put("response", "created_at", value=1)))),
    (
        "a wrong time in every event",
        RESPONSE_STREAM,
        text(lambda one: one.replace(f'"created_at":{_day(RESPONSE_STREAM)}', f'"created_at":{_day(RESPONSE_STREAM) + 1}')),
    ),
    ("no padding", RESPONSE_STREAM, stream(first(_DELTA, drop("obfuscation")))),
    (
        "padding of another length",
        RESPONSE_STREAM,
        stream(first(_DELTA, lambda data: data.update(obfuscation=data["obfuscation"] + "a"))),
    ),
    (
        "padding with signs",
        RESPONSE_STREAM,
        stream(first(_DELTA, lambda data: data.update(obfuscation="-" * len(data["obfuscation"])))),
    ),
    ("keys in another order", RESPONSE_STREAM, stream(first(_DELTA, _reorder))),
    ("no filter results", RESPONSE_STREAM, stream(last("response.completed", put(*_FILTERS, value=[])))),
    ("filter results that are null", RESPONSE_STREAM, stream(last("response.completed", put(*_FILTERS, value=None)))),
    (
        "a verdict at the end",
        RESPONSE_STREAM,
        stream(last("response.completed", put(*_FILTERS, 0, "content_filter_results", "hate", value=HARM))),
    ),
    ("a blocked entry", RESPONSE_STREAM, stream(last("response.completed", put(*_FILTERS, 0, "blocked", value=True)))),
    ("another usage", RESPONSE_STREAM, stream(last("response.completed", put("response", "usage", "input_tokens", value=1)))),
    # -- streams of chunks
    ("an id for each chunk", CHAT_STREAM, stream(each(_other_id))),
    ("a time that differs in one chunk", CHAT_STREAM, stream(first(_PIECE, put("created", value=NOW)))),
    ("a time in milliseconds", CHAT_STREAM, stream(each(lambda at, data: data.update(created=data["created"] * 1000)))),
    ("a fingerprint that differs", CHAT_STREAM, stream(first(_PIECE, put("system_fingerprint", value="fp_0123456789")))),
    ("a model that differs", CHAT_STREAM, stream(first(_PIECE, put("model", value="gpt-4o")))),
    ("the text in one chunk", CHAT_STREAM, stream(at_once("content"))),
    ("the text in another order", CHAT_STREAM, stream(_swap)),
    (
        "a verdict in a chunk",
        CHAT_STREAM,
        stream(first("text", put("choices", 0, "content_filter_results", value={"hate": HARM}))),
    ),
    (
        "a filtered chunk",
        CHAT_STREAM,
        stream(
            first(
                "text",
                put(
                    "choices",
                    0,
                    "content_filter_results",
                    value={"protected_material_text": {"detected": True, "filtered": True}},
                ),
            )
        ),
    ),
    (
        "a category that is none",
        CHAT_STREAM,
        stream(first("text", put("choices", 0, "content_filter_results", value={"hate": "safe"}))),
    ),
    ("no [DONE]", CHAT_STREAM, text(lambda one: one.removesuffix("data: [DONE]\n\n"))),
    ("no role", CHAT_STREAM, stream(without('"role"'))),
    ("no end of the choice", CHAT_STREAM, stream(without('"finish_reason": "stop"'))),
    (
        "another reason for the end",
        CHAT_STREAM,
        stream(first('"finish_reason": "stop"', put("choices", 0, "finish_reason", value="length"))),
    ),
    ("no usage", CHAT_STREAM, stream(without("prompt_tokens"))),
    ("no verdict on the prompt", CHAT_STREAM, stream(without("prompt_filter_results"))),
    (
        "a verdict on the prompt",
        CHAT_STREAM,
        stream(first("prompt_filter_results", put("prompt_filter_results", 0, "content_filter_results", "hate", value=HARM))),
    ),
    ("a negative latency", CHAT_STREAM, stream(last("engine_tbt_ms", put("latency_checkpoint", "engine_tbt_ms", value=-1)))),
    ("arguments in one chunk", CHAT_TOOL_STREAM, stream(at_once("arguments"))),
    (
        "an event over two lines",
        CHAT_STREAM,
        text(lambda one: one.replace('"object":"chat.completion.chunk"', '"object":\n"chat.completion.chunk"', 1)),
    ),
    # -- whole answers
    ("an id of another form", CHAT, body(put("id", value="chatcmpl-1"))),
    ("a time of yesterday", CHAT, body(lambda one: one.update(created=one["created"] - 86_400))),
    ("a verdict on the answer", CHAT, body(put("choices", 0, "content_filter_results", "violence", value=HARM))),
    ("no log probabilities", CHAT, body(drop("choices", 0, "logprobs"))),
    ("a member of our own", CHAT, body(put("mock", value=True))),
    ("a number as a decimal", CHAT, body(lambda one: one["usage"].update(total_tokens=float(one["usage"]["total_tokens"])))),
    ("no newline at the end", CHAT, text(lambda one: one.rstrip("\n"))),
    ("an indented body", CHAT, text(lambda one: json.dumps(json.loads(one), indent=2) + "\n")),
    ("no JSON", CHAT, text(lambda one: one[:-9])),
    ("another status", CHAT, status(201)),
    ("a header less", CHAT, header("x-ms-region", None)),
    ("a header more", CHAT, header("server", "uvicorn")),
    ("a count that is negative", CHAT_STREAM, header("x-ratelimit-remaining-tokens", "-3")),
    ("a date of another form", CHAT, header("date", "2026-01-22T00:00:00Z")),
    ("a session of another form", CHAT_STREAM, header("azureml-model-session", "session")),
    ("another content type", CHAT, header("content-type", "text/plain")),
    ("altered arguments", CHAT_TOOL, body(put("choices", 0, "message", "tool_calls", 0, "function", "arguments", value="{}"))),
    ("content beside a call", CHAT_TOOL, body(put("choices", 0, "message", "content", value=""))),
    ("nothing encrypted in an item", RESPONSE, body(put("output", 0, "encrypted_content", value=""))),
    ("two items with one id", RESPONSE, body(lambda one: one["output"][-1].update(id=one["output"][0]["id"]))),
    ("completed before it was created", RESPONSE, body(lambda one: one.update(completed_at=one["created_at"] - 1))),
    ("an empty list of filter results", RESPONSE, body(put("content_filters", value=[]))),
    ("another vector", EMBEDDING, body(put("data", 0, "embedding", value="AAAAPw=="))),
    ("an index that is wrong", EMBEDDING, body(put("data", 0, "index", value=1))),
    ("a vector of Cohere's in OpenAI's order", COHERE, body(lambda one: _reorder(one["data"][0]))),
    ("an answer of Cohere's without an id", COHERE, body(drop("id"))),
    ("Cohere's model by another name", COHERE, body(put("model", value="Cohere-embed-v3-english"))),
    ("quotas in Cohere's headers", COHERE, header("x-ratelimit-remaining-tokens", "1")),
    ("another text", COMPLETION, body(put("choices", 0, "text", value="Hm"))),
    (
        "another finding",
        FILTERED,
        body(put("error", "innererror", "content_filter_result", "violence", "severity", value="high")),
    ),
    ("another code", FILTERED, body(put("error", "code", value=None))),
    ("another message", UNROUTED, text(lambda one: one.replace("Resource", "resource"))),
    ("another message about an id", GONE, body(put("error", "message", value="Response with id 'resp_1' is gone."))),
    ("an entry without its offsets", NEWEST, body(drop("content_filters", 0, "content_filter_offsets", "check_offset"))),
    ("an entry about something else", NEWEST, body(put("content_filters", 0, "source_type", value="image"))),
    ("a retention that is none", NEWEST, body(put("prompt_cache_retention", value="1h"))),
    ("a code in place of a null", GONE, body(put("error", "code", value="not_found"))),
    ("another purpose", FILE, body(put("purpose", value="batch"))),
)


@cache
def _answer(name: str) -> tuple[Reply, dict[str, str]]:
    return answer(_row(name), rows())


def open_differences(row: Row, reply: Reply, sent: dict[str, str]) -> list[str]:
    return [str(found) for found in compare(row, reply, sent) if not any(rule.covers(row, found) for rule in RULES)]


@pytest.mark.parametrize("base", sorted({base for _, base, _ in MUTATIONS}))
def test_nothing_is_found_in_an_answer_as_it_is(base: str) -> None:
    assert open_differences(_row(base), *_answer(base)) == []


@pytest.mark.parametrize(("name", "base", "mutation"), MUTATIONS, ids=[name for name, _, _ in MUTATIONS])
def test_what_is_wrong_is_found(name: str, base: str, mutation: Mutation) -> None:
    reply, sent = _answer(base)
    altered = mutation(reply)
    assert altered != reply
    assert open_differences(_row(base), altered, sent) != []
