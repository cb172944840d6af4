"""Endpoint graders: what they send, to whom, and which answers are scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from mockserver import MockServer
from mockserver.model.grade import Means, Outcome, UnavailableError, endpoints, run
from mockserver.model.grade.graders import Endpoint

Json = Any
GRADER = Endpoint("mine", "https://grader.example/grade?x=1", {"Authorization": "Bearer abc"})


def _nobody(_: Any) -> Any:
    raise AssertionError("no model is asked")


def grade(reply: bytes | Exception, sent: list[Json] | None = None, item: Json = None) -> Outcome:
    def post(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
        if sent is not None:
            sent.append((url, dict(headers), json.loads(body)))
        if isinstance(reply, Exception):
            raise reply
        return reply

    means = Means(_nobody, hosts=("other.example", "grader.example"), post=post, trace="trace_1")
    return run(GRADER, item or {"answer": "Paris"}, {"output_text": "Rome"}, means)


def test_the_endpoint_gets_the_sample_and_the_item_and_gives_the_score() -> None:
    sent: list[Json] = []
    assert grade(b'{"score": 8.5}', sent).reward == 8.5
    headers = {"Content-Type": "application/json", "Authorization": "Bearer abc"}
    body = {"sample": {"output_text": "Rome"}, "item": {"answer": "Paris"}, "trace_id": "trace_1"}
    assert sent == [("https://grader.example/grade?x=1", headers, body)]


@pytest.mark.parametrize(
    "reply",
    [
        *(
            b"",
            b"8",
            b"[8]",
            b"{}",
            b'{"score": "8"}',
            b'{"score": true}',
            b'{"score": null}',
            b'{"score": NaN}',
            b'{"score": 1e999}',
        ),
        *(b'{"score": [1]}', b"\xff", OSError("refused"), TimeoutError("timed out"), ValueError("not a header")),
    ],
)
def test_what_is_no_score_is_an_unresponsive_reward(reply: bytes | Exception) -> None:
    outcome = grade(reply)
    assert (outcome.reward, outcome.errors.unresponsive_reward_error) == (0, True)


def test_a_body_beyond_the_documented_size_is_not_sent() -> None:
    sent: list[Json] = []
    outcome = grade(b'{"score": 1}', sent, {"long": "x" * endpoints.LONGEST})
    assert (outcome.reward, outcome.errors.other_error, sent) == (0, True, [])


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/", "https://grader.example.evil.example/", "https://grader.example@evil.example/", "https://[::1]/"],
)
def test_no_other_host_is_called(url: str) -> None:
    def post(*_: Any) -> bytes:
        raise AssertionError("nothing is sent")

    with pytest.raises(UnavailableError, match="grader_hosts"):
        run(Endpoint("mine", url), {}, {}, Means(_nobody, hosts=("grader.example",), post=post))


def test_a_body_goes_over_the_network_and_an_answer_comes_back() -> None:
    rule = {"when": {"operation": "createChatCompletion"}, "respond": {"body": {"score": 0.25}, "status": 200}}
    with MockServer({"rules": [rule]}) as mock:
        body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]}).encode()
        headers = {"api-key": mock.api_key, "Content-Type": "application/json"}
        assert json.loads(endpoints.post(mock.base_url + "chat/completions", headers, body)) == {"score": 0.25}
        with pytest.raises(OSError, match="401"):
            endpoints.post(mock.base_url + "chat/completions", {}, body)


def test_no_redirect_is_followed() -> None:
    answer = {"status": 307, "headers": {"location": "https://evil.example/"}, "body": {}}
    with MockServer({"rules": [{"respond": answer}]}) as mock:
        body = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}]}).encode()
        headers = {"api-key": mock.api_key, "Content-Type": "application/json"}
        with pytest.raises(OSError, match="307"):
            endpoints.post(mock.base_url + "chat/completions", headers, body)
