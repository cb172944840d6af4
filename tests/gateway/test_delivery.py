"""Pace and faults over a real connection."""

from __future__ import annotations

import json
import socket
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer

HI: Any = [{"role": "user", "content": "hi"}]
LONG = "one two three four five six seven eight"


def ask(http: httpx2.Client, mock: MockServer, **body: Any) -> httpx2.Response:
    body = {"model": "gpt-4o", "messages": HI} | body
    return http.post(mock.base_url + "chat/completions", json=body, headers={"api-key": mock.api_key})


def texts(sse: str) -> list[str]:
    chunks = [json.loads(line[6:]) for line in sse.splitlines() if line.startswith("data: {")]
    return [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"]]


def read_until_it_breaks(http: httpx2.Client, mock: MockServer) -> tuple[str, BaseException | None]:
    body = {"model": "gpt-4o", "messages": HI, "stream": True}
    read = ""
    try:
        with http.stream("POST", mock.base_url + "chat/completions", json=body, headers={"api-key": mock.api_key}) as answer:
            for part in answer.iter_text():
                read += part
    except httpx2.HTTPError as error:
        return read, error
    return read, None


# -- pace


def test_pauses_take_no_time_while_the_clock_stands_still_and_move_it(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text=LONG, delay="30s", stream={"ttft": "10s", "tokens_per_second": 1})
    ask(http, mock, stream=True)
    assert mock.clock.now() == pytest.approx(1_790_000_000 + 30 + 10 + 7)


def test_jitter_is_drawn_from_the_seed(http: httpx2.Client) -> None:
    def took(seed: int) -> float:
        with MockServer(seed=seed) as mock:
            mock.clock.freeze(0)
            mock.when().respond(text=LONG, stream={"tokens_per_second": 1, "jitter": 0.5})
            ask(http, mock, stream=True)
            return mock.clock.now()

    assert took(1) == took(1) != took(2)


@pytest.mark.parametrize(
    ("chunk", "wanted"),
    [("word", LONG.split()), ("char", list(LONG)), (10, [LONG[at : at + 10] for at in range(0, len(LONG), 10)])],
)
def test_a_stream_is_cut_as_the_script_says(http: httpx2.Client, mock: MockServer, chunk: Any, wanted: list[str]) -> None:
    mock.when().respond(text=LONG, stream={"chunk": chunk})
    told = [text for text in texts(ask(http, mock, stream=True).text) if text]
    assert "".join(told) == LONG
    assert [text.strip() or text for text in told] == [text.strip() or text for text in wanted]


def test_a_paced_stream_arrives_piece_by_piece(http: httpx2.Client) -> None:
    with MockServer() as mock:
        mock.when().respond(text=LONG, stream={"tokens_per_second": 500})
        body = {"model": "gpt-4o", "messages": HI, "stream": True}
        with http.stream("POST", mock.base_url + "chat/completions", json=body, headers={"api-key": mock.api_key}) as answer:
            parts = list(answer.iter_raw())
        assert len(parts) > 4
        assert texts(b"".join(parts).decode()) == ["", "one", *(" " + word for word in LONG.split()[1:]), ""]


def test_a_client_that_hangs_up_is_noticed(http: httpx2.Client) -> None:
    with MockServer() as mock:
        mock.when().respond(text=LONG * 50, stream={"tokens_per_second": 200})
        body = {"model": "gpt-4o", "messages": HI, "stream": True}
        url, headers = mock.base_url + "chat/completions", {"api-key": mock.api_key}
        with httpx2.Client(verify=False, trust_env=False) as own, own.stream("POST", url, json=body, headers=headers) as answer:
            next(answer.iter_raw())
        exchange = mock.requests[0]
        for _ in range(500):
            if exchange.hung_up:
                break
            ask(http, mock)
        assert exchange.hung_up
        assert exchange.frames is not None
        assert len(exchange.frames) < 300


def test_a_client_that_leaves_during_a_delay_is_noticed(http: httpx2.Client) -> None:
    with MockServer() as mock:
        mock.when(user="slow").respond(text=LONG, delay="30s")
        slow: Any = [{"role": "user", "content": "slow"}]
        with httpx2.Client(verify=False, trust_env=False, timeout=0.1) as impatient, pytest.raises(httpx2.ReadTimeout):
            ask(impatient, mock, messages=slow)
        for _ in range(500):
            if mock.requests[0].hung_up:
                break
            ask(http, mock)
        assert mock.requests[0].hung_up


# -- faults


def test_a_cut_stream_ends_without_its_end(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text=LONG, stream={"cut_after": 4})
    read, error = read_until_it_breaks(http, mock)
    assert isinstance(error, httpx2.RemoteProtocolError)
    assert texts(read) == ["", "one", " two"]
    assert "[DONE]" not in read
    assert (mock.requests[0].fault, len(mock.requests[0].frames or [])) == ("cut", 4)


def test_a_paced_stream_can_be_cut_too(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text=LONG, stream={"cut_after": 4, "tokens_per_second": 10})
    read, error = read_until_it_breaks(http, mock)
    assert isinstance(error, httpx2.RemoteProtocolError)
    assert texts(read) == ["", "one", " two"]


def test_the_sdk_sees_a_cut_stream_as_an_error(plain: OpenAI, mock: MockServer) -> None:
    mock.when().respond(text=LONG, stream={"cut_after": 4})
    with pytest.raises((openai.APIError, httpx2.HTTPError)):
        list(plain.chat.completions.create(model="gpt-4o", messages=HI, stream=True))


def test_a_reset_breaks_the_connection_before_any_answer(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(reset=True)
    with pytest.raises(httpx2.NetworkError):
        ask(http, mock)
    assert mock.requests[0].fault == "reset"


def test_a_stream_can_be_reset_midway(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text=LONG, stream={"reset_after": 3})
    _, error = read_until_it_breaks(http, mock)
    assert isinstance(error, httpx2.NetworkError)


def test_garbage_is_no_event(plain: OpenAI, mock: MockServer) -> None:
    mock.when().respond(text=LONG, stream={"garbage_after": 4})
    with pytest.raises(json.JSONDecodeError):
        list(plain.chat.completions.create(model="gpt-4o", messages=HI, stream=True))


def test_a_stalled_stream_says_nothing_more_and_stays_open(mock: MockServer) -> None:
    mock.when().respond(text=LONG, stream={"stall_after": 4})
    with httpx2.Client(verify=False, trust_env=False, timeout=0.2) as impatient:
        read, error = read_until_it_breaks(impatient, mock)
    assert isinstance(error, httpx2.ReadTimeout)
    assert texts(read) == ["", "one", " two"]


@pytest.mark.parametrize(
    ("fault", "broken"),
    [("cut_after", httpx2.RemoteProtocolError), ("stall_after", httpx2.ReadTimeout), ("reset_after", httpx2.NetworkError)],
)
def test_an_answer_that_is_no_stream_breaks_too(mock: MockServer, fault: str, broken: type[Exception]) -> None:
    mock.when().respond(text=LONG, stream={fault: 0})
    with httpx2.Client(verify=False, trust_env=False, timeout=0.2) as impatient, pytest.raises(broken):
        ask(impatient, mock)


def test_garbage_in_an_answer_that_is_no_stream_is_not_json(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(text=LONG, stream={"garbage_after": 0})
    answer = ask(http, mock)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


# -- deployments as switches


def test_a_deployments_name_is_a_switch(http: httpx2.Client, mock: MockServer) -> None:
    assert ask(http, mock, model="gpt-4o-mock-throttled").status_code == 429
    assert ask(http, mock, model="gpt-4o-mock-failing").status_code == 500
    assert ask(http, mock, model="gpt-4o-mock-unavailable").status_code == 503
    assert_azure_error(ask(http, mock, model="gpt-4o-mock-filtered"), 400, code="content_filter")
    assert ask(http, mock, model="gpt-4o-mock-censored").json()["choices"][0]["finish_reason"] == "content_filter"
    with pytest.raises(httpx2.NetworkError):
        ask(http, mock, model="gpt-4o-mock-reset")


def test_a_declared_deployments_behaviour_holds_for_scripted_answers_too(http: httpx2.Client) -> None:
    scenario = {
        "deployments": {"slow": {"model": "gpt-4o", "delay": "5s"}, "gpt-4o": "gpt-4o"},
        "rules": [{"respond": "hello"}],
    }
    with MockServer(scenario) as mock:
        mock.clock.freeze(0)
        assert ask(http, mock, model="slow").json()["choices"][0]["message"]["content"] == "hello"
        assert mock.clock.now() == 5
        ask(http, mock)
        assert mock.clock.now() == 5
        assert ask(http, mock, model="slow-mock-throttled").status_code == 429
        assert ask(http, mock, model="other-mock-throttled").status_code == 404


# -- scripted errors


def test_a_named_error_carries_its_headers(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond({"error": "rate_limit", "retry_after": 7}, "finally")
    refused = ask(http, mock)
    assert (refused.status_code, refused.headers["retry-after"], refused.headers["retry-after-ms"]) == (429, "7", "7000")
    error = assert_azure_error(refused, 429, contains="gpt-4o in East US 2 have exceeded the call rate limit")
    assert "for ChatCompletions_Create under" in error["message"]
    assert ask(http, mock).status_code == 200


def test_the_sdk_retries_as_the_headers_tell_it(mock: MockServer, http: httpx2.Client) -> None:
    mock.when().respond({"error": "rate_limit", "retry_after": 0.01}, "finally")
    client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=1)
    assert client.chat.completions.create(model="gpt-4o", messages=HI).choices[0].message.content == "finally"
    assert [one.status for one in mock.requests] == [429, 200]


def test_a_raw_answer_is_sent_as_it_is_written(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(status=418, body={"short": "and stout"}, headers={"x-pot": "tea"})
    answer = ask(http, mock)
    assert (answer.status_code, answer.json(), answer.headers["x-pot"]) == (418, {"short": "and stout"}, "tea")


def test_many_calls_at_once_are_all_answered(mock: MockServer) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with httpx2.Client(verify=False, trust_env=False, timeout=20) as many, ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(ask, many, mock, messages=[{"role": "user", "content": f"number {at}"}]) for at in range(100)]
        answers = [one.result() for one in asked]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 100
    assert len(mock.requests) == 100


def test_half_a_request_does_no_harm(http: httpx2.Client, mock: MockServer) -> None:
    with socket.create_connection(("127.0.0.1", httpx2.URL(mock.endpoint).port or 0)) as half:
        half.sendall(b"POST /openai/v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{")
    assert ask(http, mock).status_code == 200
