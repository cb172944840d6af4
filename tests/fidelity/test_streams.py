"""The laws of streams find the streams that break them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from fidelity.streams import Event, events, laws

from mockserver import MockServer

Json = Any
Break = Callable[[list[Event]], None]
RULES = {"rules": [{"respond": {"reasoning": {"summary": "Hm."}, "text": "one two three", "usage": {"input_tokens": 3}}}]}


def stream(http: httpx2.Client, path: str, **body: Json) -> list[Event]:
    with MockServer(RULES) as mock:
        response = http.post(mock.base_url + path, headers={"api-key": mock.api_key}, json={"stream": True, **body})
    return events(response.text)


@pytest.fixture
def responses(http: httpx2.Client) -> list[Event]:
    return stream(http, "responses", model="gpt-5-mini", input="Hi")


@pytest.fixture
def chat(http: httpx2.Client) -> list[Event]:
    return stream(http, "chat/completions", model="gpt-4o", messages=[{"role": "user", "content": "Hi"}])


def at(stream: list[Event], name: str) -> Event:
    return next(one for one in stream if one.name == name)


def drop(name: str) -> Break:
    return lambda stream: stream.remove(at(stream, name))


def put(name: str, member: str, value: Json) -> Break:
    return lambda stream: at(stream, name).data.update({member: value})


def renumber(stream: list[Event]) -> None:
    for number, one in enumerate(stream):
        one.data["sequence_number"] = number


@pytest.mark.parametrize(
    ("change", "law"),
    [
        (put("response.created", "type", "response.queued"), "response.created carries response.queued"),
        (drop("response.created"), "the stream begins with response.in_progress"),
        (drop("response.completed"), "the stream ends at []"),
        (lambda stream: stream.append(stream[-2]), "the stream ends at ['response.completed'], and with"),
        (drop("response.output_item.added"), "is not added once, at its beginning"),
        (drop("response.output_item.done"), "is not done once, at its end"),
        (put("response.output_text.delta", "item_id", "msg_other"), "has the ids"),
        (put("response.output_text.delta", "delta", "another"), "joins to"),
        (put("response.output_text.done", "text", "another"), "and ends as 'another'"),
        (drop("response.content_part.added"), "1 parts are done, 0 were added"),
        (lambda stream: stream[-1].data["response"].update(status="failed"), "response.completed carries the status failed"),
        (lambda stream: stream[-1].data["response"]["output"].pop(), "the output of the last event is not that of the items"),
        (lambda stream: stream[-1].data["response"].update(usage=None), "a completed response has no usage"),
    ],
)
def test_a_broken_stream_of_a_response_is_found(responses: list[Event], change: Break, law: str) -> None:
    assert laws("POST /responses", responses, {}) == []
    change(responses)
    renumber(responses)
    assert any(law in one for one in laws("POST /responses", responses, {}))


def test_a_gap_in_the_numbers_is_found(responses: list[Event]) -> None:
    del responses[3]
    assert any("the events are numbered [0, 1, 2, 4" in one for one in laws("POST /responses", responses, {}))
    assert laws("GET /responses/{response_id}", responses[3:], {}, joined=True) == []


def only(stream: list[Event], member: str) -> Json:
    """The one choice whose delta has the member."""
    return next(
        one.data["choices"][0]
        for one in stream
        if one.data and one.data["choices"] and member in one.data["choices"][0]["delta"]
    )


@pytest.mark.parametrize(
    ("change", "law"),
    [
        (lambda stream: stream.pop(), "the stream does not end with [DONE]"),
        (lambda stream: stream.insert(0, Event("chunk", stream[0].data)), "chunks have names"),
        (lambda stream: stream[2].data.update(id="chatcmpl-other"), "the chunks have the ids"),
        (lambda stream: stream[2].data.update(usage={"total_tokens": 1}), "usage comes without include_usage"),
        (lambda stream: only(stream, "role")["delta"].pop("role"), "choice 0 begins without a role"),
        (lambda stream: stream.insert(-1, stream[-2]), "choice 0 ends 2 times"),
        (lambda stream: stream.pop(-2), "choice 0 ends 0 times"),
    ],
)
def test_a_broken_stream_of_chunks_is_found(chat: list[Event], change: Break, law: str) -> None:
    assert laws("POST /chat/completions", chat, {}) == []
    change(chat)
    assert any(law in one for one in laws("POST /chat/completions", chat, {}))


def test_usage_that_was_wanted_and_is_absent_is_found(chat: list[Event]) -> None:
    wanted = {"stream_options": {"include_usage": True}}
    assert laws("POST /chat/completions", chat, wanted) == ["usage comes 0 times"]


def test_events_are_read_with_their_names() -> None:
    text = f"event: a\ndata: {json.dumps({'type': 'a'})}\n\ndata: [DONE]\n\n"
    assert events(text) == [Event("a", {"type": "a"}), Event(None, None)]
