"""The verdict on a client: every finding where it is due, and where it would be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx2
import pytest
from click.testing import CliRunner, Result
from openai import APITimeoutError, AzureOpenAI, OpenAI, OpenAIError

from mockserver import MockServer
from mockserver.cli.main import main
from mockserver.cli.report import junit_xml
from mockserver.gateway.headers import NONE, ResponseHead
from mockserver.resource.journal import Exchange, Journal
from mockserver.verdict import CODES, Finding, Verdict, judge, streams
from mockserver.verdict.attempts import group_attempts, requested_wait

HI: Any = [{"role": "user", "content": "hi"}]
CHAT = {"model": "gpt-4o", "messages": HI}
LONG = "one two three four five six seven eight"


@pytest.fixture
def mock() -> Iterator[MockServer]:
    """A server whose time is real."""
    with MockServer() as server:
        yield server


def sdk(mock: MockServer, http: httpx2.Client, **options: Any) -> OpenAI:
    return OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, **options)


def chat(client: OpenAI, text: str = "hi", **options: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}], **options)


def post(mock: MockServer, http: httpx2.Client, body: Any = CHAT, times: int = 1, **headers: str) -> None:
    """A client of one's own making: it asks, and asks again."""
    for _ in range(times):
        with suppress(httpx2.HTTPError):
            http.post(mock.base_url + "chat/completions", json=body, headers={"api-key": mock.api_key, **headers})


def exchange(number: int, now: float, **traits: Any) -> Exchange:
    """One that was answered at once, at the instant `now`; `response` are its response's headers."""
    head = ResponseHead(NONE, b"")
    head.add([(name.encode(), value.encode()) for name, value in traits.pop("response", {}).items()])
    traits = {
        "status": 500,
        "operation": "createResponse",
        "deployment": "gpt-4o",
        "request_body": b"{}",
        "headers": {},
    } | traits
    return Exchange(number, "POST", "/openai/v1/responses", head=head, begun=now, ended=now, at=now, ended_at=now, **traits)


def waiting(*waits: float, **traits: Any) -> Journal:
    """Failed attempts at one thing with these waits between them, of which the last succeeds."""
    journal, now = Journal(), 100.0
    for at, wait in enumerate((0.0, *waits)):
        now += wait
        journal.add(exchange(at + 1, now, **(traits | {"status": 200} if at == len(waits) else traits)))
    return journal


def text_of(mock: MockServer) -> str:
    """The verdict as text, without the times that it measured."""
    return re.sub(r"(after|within|stream) [\d.]+ m?s", r"\1 …", str(mock.verdict()))


# -- the verdict itself


def test_nothing_is_wrong_with_no_calls_at_all(mock: MockServer) -> None:
    assert str(mock.verdict()) == "mockserver's verdict on the client: no findings in 0 calls."
    mock.verdict().assert_ok()


def test_a_client_that_behaves_has_no_findings(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(
        {"error": "rate_limit", "retry_after": 0.01}, {"error": "overloaded", "retry_after": 0.01}, "ok"
    )
    client = sdk(mock, http)
    assert chat(client).choices[0].message.content == "ok"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chat(client, stream=True) if chunk.choices) == "ok"
    assert client.responses.create(model="gpt-4o", input="hi there").output_text == "ok"
    verdict = mock.verdict()
    assert str(verdict) == "mockserver's verdict on the client: no findings in 5 calls."
    assert (verdict.ok, verdict.codes, verdict.calls) == (True, set(), 5)
    verdict.raise_for_findings()


def test_it_reads_as_text_with_advice_and_the_calls_that_show_it(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond({"error": "rate_limit", "retry_after": 5}, {"error": "bad_request"}, "ok")
    post(mock, http, times=3)
    assert text_of(mock) == (
        "mockserver's verdict on the client: 2 errors in 3 calls.\n"
        "\n"
        "error: retry_after_ignored (calls 1, 2)\n"
        "    createChatCompletion on gpt-4o was retried after …, although the response asked for a wait of 5 s (retry-after-ms: 5000).\n"
        "    Wait as long as retry-after-ms says, or else retry-after (in seconds). The SDKs do; a retry loop of your own has to.\n"
        "\n"
        "error: non_retryable_retried (calls 2, 3)\n"
        "    createChatCompletion on gpt-4o was refused (400) and retried unchanged.\n"
        "    The same request will be refused again. Retry only 408, 409, 429 and 5xx."
    )


def test_errors_fail_warnings_only_where_they_are_to() -> None:
    wrong = Verdict((Finding("no_backoff", "Too soon.", (1, 2, 3)),), calls=3)
    odd = Verdict((Finding("gave_up_early", "It stopped.", (1,)),), calls=1)
    assert (wrong.ok, odd.ok) == (False, True)
    odd.assert_ok()
    with pytest.raises(AssertionError, match=r"1 warning in 1 call\.\n\nwarning: gave_up_early \(call 1\)\n    It stopped\."):
        odd.raise_for_findings()
    with pytest.raises(AssertionError, match=r"1 error in 3 calls\.\n\nerror: no_backoff \(calls 1, 2, 3\)"):
        wrong.assert_ok()


def test_it_says_where_the_journal_was_too_short(http: httpx2.Client) -> None:
    with MockServer(journal_limit=2) as mock:
        post(mock, http, times=5)
        assert "no findings in 2 calls. (The journal had dropped 3 older calls.)" in str(mock.verdict())


def test_it_survives_the_way_through_json() -> None:
    verdict = Verdict((Finding("no_backoff", "Too soon.", (1, 2)), Finding("gave_up_early", "It stopped.", (3,))), 3, 1)
    assert Verdict.of(verdict.row()) == verdict
    assert verdict.row()["findings"][1]["severity"] == "warning"


@pytest.mark.parametrize(
    "row", [None, [], {}, {"findings": [{"code": "x"}], "calls": 1, "dropped": 0}, {"findings": 5, "calls": 1, "dropped": 0}]
)
def test_what_is_no_verdict_is_refused(row: Any) -> None:
    with pytest.raises(ValueError, match="not a verdict"):
        Verdict.of(row)


# -- Retry-After


def test_a_client_that_waits_on_the_clock_of_the_resource_has_waited(mock: MockServer, http: httpx2.Client) -> None:
    mock.clock.freeze(0)
    mock.when(user="hi").respond({"error": "rate_limit", "retry_after": 60}, "ok")
    post(mock, http)
    mock.clock.advance("60s")
    post(mock, http)
    assert mock.verdict().codes == set()


def test_a_clock_that_stands_still_does_not_accuse(http: httpx2.Client, mock: MockServer) -> None:
    mock.clock.freeze(0)
    mock.when(user="hi").respond({"error": "rate_limit", "retry_after": 0.02}, "ok")
    assert chat(sdk(mock, http)).choices[0].message.content == "ok"
    assert mock.verdict().codes == set()


@pytest.mark.parametrize(("waited", "accused"), [(0.5, True), (4.7, True), (4.9, False), (5.0, False), (60.0, False)])
def test_an_early_attempt_is_one_before_the_requested_time(waited: float, accused: bool) -> None:
    verdict = judge(waiting(waited, status=429, response={"retry-after": "5"}))
    assert verdict.codes == ({"retry_after_ignored"} if accused else set())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry-after": "3"}, 3.0),
        ({"Retry-After": "3", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "1", "retry-after-ms": "0"}, 0.0),
        ({"retry-after": "1", "retry-after-ms": "soon"}, 1.0),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "inf"}, 0.0),
        ({"retry-after": "nan"}, 0.0),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:02:00 GMT"}, 20.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
    ],
    ids=str,
)
def test_a_requested_wait_is_read_as_the_sdks_read_it(headers: dict[str, str], seconds: float) -> None:
    assert requested_wait(exchange(1, 100.0, response=headers))[0] == seconds


def test_the_worst_of_several_early_attempts_is_reported() -> None:
    verdict = judge(waiting(2.0, 0.25, 1.0, status=503, response={"retry-after": "5"}))
    assert verdict.findings[0].message == (
        "createResponse on gpt-4o was retried after 250 ms, although the response asked for a wait of 5 s (retry-after: 5); "
        "in all, 3 retries came too early."
    )
    assert verdict.findings[0].exchanges == (1, 2, 3, 4)


# -- what is refused for good


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_what_is_refused_for_good_is_not_to_be_repeated(mock: MockServer, http: httpx2.Client, status: int) -> None:
    mock.when(user="hi").respond(error={"status": status, "code": "no", "message": "No."})
    post(mock, http, times=3)
    assert mock.verdict().codes == {"non_retryable_retried"}
    message = f"createChatCompletion on gpt-4o was refused ({status}, no) and retried unchanged 2 times."
    assert mock.verdict().findings[0].message == message


def test_the_sdk_does_not_repeat_what_is_refused(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(error="bad_request")
    with pytest.raises(OpenAIError):
        chat(sdk(mock, http))
    assert mock.verdict().findings == ()


def test_another_token_makes_another_request(mock: MockServer, http: httpx2.Client) -> None:
    post(mock, http, **{"api-key": "expired"})
    post(mock, http)
    assert mock.verdict().codes == set()


def test_so_does_a_corrected_body(mock: MockServer, http: httpx2.Client) -> None:
    post(mock, http, body={"model": "gpt-4o"})
    post(mock, http)
    assert mock.verdict().codes == set()


def test_a_new_identifier_of_the_request_does_not(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(error="bad_request")
    for number in range(2):
        post(mock, http, **{"x-ms-client-request-id": str(number)})
    assert mock.verdict().codes == {"non_retryable_retried"}


def test_looking_again_for_what_is_not_there_yet_is_fine(mock: MockServer, http: httpx2.Client) -> None:
    for _ in range(2):
        with pytest.raises(OpenAIError):
            sdk(mock, http).responses.retrieve("resp_unknown")
    assert mock.verdict().codes == set()


def test_the_server_may_ask_to_be_tried_again(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(
        {"error": {"status": 400, "headers": {"x-should-retry": "true", "retry-after-ms": "10"}}}, "ok"
    )
    assert chat(sdk(mock, http)).choices[0].message.content == "ok"
    assert mock.verdict().codes == set()


def test_a_call_that_the_script_does_not_know_is_not_the_clients_fault(http: httpx2.Client) -> None:
    with MockServer(strict=True) as mock:
        post(mock, http, times=2)
        assert mock.verdict().codes == set()


def test_a_filtered_prompt_is_not_to_be_repeated(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(error="content_filter")
    post(mock, http, times=2)
    assert mock.verdict().codes == {"content_filter_retried"}
    assert "was refused (400, content_filter) and retried unchanged." in mock.verdict().findings[0].message


def test_a_filtered_prompt_may_be_put_in_other_words(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(error="content_filter")
    post(mock, http)
    post(mock, http, body=CHAT | {"messages": [{"role": "user", "content": "good day"}]})
    assert mock.verdict().codes == set()


# -- too often, too evenly


def test_many_attempts_in_a_short_time_are_a_storm(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(error="server_error")
    post(mock, http, times=6)
    assert "retry_storm" in mock.verdict().codes
    assert "createChatCompletion on gpt-4o was attempted 6 times within …." in text_of(mock)


def test_attempts_that_wait_as_requested_are_none(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(*[{"error": "rate_limit", "retry_after": 0.01}] * 6, "ok")
    assert chat(sdk(mock, http, max_retries=6)).choices[0].message.content == "ok"
    assert mock.verdict().codes == set()


@pytest.mark.parametrize(
    ("waits", "codes"),
    [
        ([0.001, 0.004], ["no_backoff"]),
        ([1, 1.01, 0.99], ["no_backoff"]),
        ([0.375, 0.75], []),
        ([0.5, 0.75, 2.0, 3.0, 8.0, 6.0], []),
        ([0.5, 0.4], []),
        ([0.9, 0.1, 2.5, 0.3], []),
        ([0.01, 0.02, 0.04], []),
        ([10, 10, 10, 10], []),
        ([0.5, 0.5, 0.5, 0.5], ["no_backoff"]),
        ([1, 1, 1, 1, 1], ["no_backoff", "retry_storm"]),
        ([0.1, 0.2, 0.4, 0.8, 1.6], ["retry_storm"]),
        ([0.001], []),
    ],
    ids=str,
)
def test_waits_are_to_grow_where_no_other_is_requested(waits: list[float], codes: list[str]) -> None:
    assert sorted(judge(waiting(*waits)).codes) == codes


def test_always_the_same_wait_is_reported() -> None:
    assert judge(waiting(0.5, 0.5, 0.5)).findings[0].message == (
        "createResponse on gpt-4o failed (500) and was retried 3 times, each time after about 500 ms."
    )
    assert judge(waiting(0.0, 0.0, status=503)).findings[0].message == (
        "createResponse on gpt-4o failed (503) and was retried immediately 2 times."
    )


def test_streams_left_on_purpose_are_no_storm() -> None:
    assert judge(waiting(*[0.01] * 8, status=200, hung_up=True)).codes == set()


def test_independent_calls_with_the_same_words_are_not_taken_for_attempts(mock: MockServer, http: httpx2.Client) -> None:
    post(mock, http, times=10)
    assert mock.verdict().codes == set()


def test_parallel_attempts_at_the_same_are_not_judged_by_their_waits() -> None:
    journal, retried = Journal(), {"x-stainless-retry-count": "1"}
    for number in (0, 1):
        journal.add(
            exchange(
                number + 1, 100.0 + number, status=429, response={"retry-after": "5"}, headers={"x-stainless-retry-count": "0"}
            )
        )
    for number in (0, 1):
        journal.add(exchange(number + 3, 105.0 + number, status=200, headers=retried))
    assert [[one.number for one in attempts.exchanges] for attempts in group_attempts(journal)] == [[1, 3], [2, 4]]
    assert judge(journal).codes == set()


def test_a_loop_around_the_sdk_is_seen(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond({"error": "rate_limit", "retry_after": 5}, {"error": "rate_limit", "retry_after": 5}, "ok")
    client = sdk(mock, http, max_retries=0)
    for _ in range(2):
        with pytest.raises(OpenAIError):
            chat(client)
    chat(client)
    assert mock.verdict().codes == {"retry_after_ignored"}
    assert mock.verdict().findings[0].exchanges == (1, 2, 3)


# -- giving up


@pytest.mark.parametrize("error", ["rate_limit", "server_error", "unavailable", "timeout", "gateway_timeout"])
def test_a_passing_failure_is_worth_another_attempt(mock: MockServer, http: httpx2.Client, error: str) -> None:
    mock.when(user="hi").respond({"error": error, "retry_after": 0.01}, {"error": error, "retry_after": 0.01}, "ok")
    with pytest.raises(OpenAIError):
        chat(sdk(mock, http, max_retries=0))
    verdict = mock.verdict()
    assert (verdict.codes, verdict.ok) == ({"gave_up_early"}, True)
    assert chat(sdk(mock, http, max_retries=1), "hi there")
    assert mock.verdict().findings == verdict.findings


@pytest.mark.parametrize("answer", [{"reset": True}, {"text": "ok", "stream": {"cut_after": 0}}], ids=str)
def test_so_is_a_broken_connection(mock: MockServer, http: httpx2.Client, answer: dict[str, Any]) -> None:
    mock.when(user="hi").respond(answer)
    post(mock, http)
    kind = "reset" if "reset" in answer else "cut"
    assert [finding.message for finding in mock.verdict().findings] == [
        f"createChatCompletion on gpt-4o failed (connection broke: {kind}) and was not retried."
    ]


def test_the_same_failure_of_many_calls_is_reported_once(mock: MockServer, http: httpx2.Client) -> None:
    mock.when().respond(error="unavailable")
    for text in ("one", "two", "three"):
        post(mock, http, body=CHAT | {"messages": [{"role": "user", "content": text}]})
    assert [finding.exchanges for finding in mock.verdict().findings] == [(1, 2, 3)]


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "quota_exhausted"},
        {"error": {"name": "unavailable", "headers": {"x-should-retry": "false"}}},
        {"error": "rate_limit", "retry_after": 600},
        {"error": "conflict"},
    ],
    ids=str,
)
def test_giving_up_is_right_where_it_will_not_pass(mock: MockServer, http: httpx2.Client, answer: dict[str, Any]) -> None:
    mock.when(user="hi").respond(answer)
    with pytest.raises(OpenAIError):
        chat(sdk(mock, http, max_retries=0))
    assert mock.verdict().codes == set()


def test_another_deployment_is_another_attempt(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(deployment="gpt-4o").respond(error="unavailable")
    post(mock, http)
    post(mock, http, body=CHAT | {"model": "gpt-4.1-mini"})
    assert mock.verdict().codes == set()


# -- streams


def read(mock: MockServer, http: httpx2.Client, path: str = "chat/completions", body: Any = CHAT) -> str:
    """A client that takes what it gets of a stream."""
    text = ""
    with (
        suppress(httpx2.HTTPError),
        http.stream("POST", mock.base_url + path, json={**body, "stream": True}, headers={"api-key": mock.api_key}) as answer,
    ):
        for line in answer.iter_lines():
            text += line + "\n"
    return text


@pytest.mark.parametrize("fault", ["cut_after", "garbage_after", "reset_after"])
def test_going_on_from_a_truncated_text_is_an_error(mock: MockServer, http: httpx2.Client, fault: str) -> None:
    mock.when(user="hi").respond(text=LONG, stream={fault: 5, "tokens_per_second": 5000})
    read(mock, http)
    text = mock.calls()[0].text
    assert LONG.startswith(text)
    assert len(text) < len(LONG)
    talk = [*HI, {"role": "assistant", "content": text}, {"role": "user", "content": "go on"}]
    post(mock, http, body=CHAT | {"messages": talk})
    assert mock.verdict().codes == {"truncated_stream_accepted"}
    kind = fault.partition("_")[0]
    assert mock.verdict().findings[0].message == (
        f"A stream of createChatCompletion on gpt-4o broke off after 5 events ({kind}), and a later request continued from what "
        "had arrived."
    )
    assert mock.verdict().findings[0].exchanges == (1, 2)


def test_asking_again_after_a_truncated_stream_is_fine(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond({"text": LONG, "stream": {"cut_after": 5}}, LONG)
    read(mock, http)
    read(mock, http)
    talk = [*HI, {"role": "assistant", "content": LONG}, {"role": "user", "content": "go on"}]
    post(mock, http, body=CHAT | {"messages": talk})
    assert mock.verdict().codes == set()


def test_the_same_words_in_another_conversation_are_not_taken_for_it(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(text=LONG, stream={"cut_after": 3})
    read(mock, http)
    assert mock.calls()[0].text == "one"
    talk = [
        {"role": "user", "content": "how many?"},
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": "go on"},
    ]
    post(mock, http, body=CHAT | {"messages": talk})
    assert mock.verdict().codes == set()


def test_going_on_from_a_truncated_tool_call_is_an_error(mock: MockServer, http: httpx2.Client) -> None:
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
    mock.when(tool_result=False).respond(
        tool_calls=[("look", {"where": "at the very end of the garden"})], stream={"cut_after": 4}
    )
    read(mock, http, body=CHAT | {"tools": [tool]})
    call = {
        "id": mock.calls()[0].chunks[1]["choices"][0]["delta"]["tool_calls"][0]["id"],
        "type": "function",
        "function": {"name": "look", "arguments": "{}"},
    }
    talk = [*HI, {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": call["id"], "content": "x"}]
    post(mock, http, body=CHAT | {"messages": talk, "tools": [tool]})
    assert mock.verdict().codes == {"truncated_stream_accepted"}


def test_going_on_from_a_truncated_response_is_an_error(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(text=LONG, stream={"cut_after": 6})
    read(mock, http, "responses", {"model": "gpt-4o", "input": "hi"})
    truncated = mock.calls()[0].chunks[0]["response"]["id"]
    sdk(mock, http).responses.create(model="gpt-4o", input="go on", previous_response_id=truncated)
    assert mock.verdict().codes == {"truncated_stream_accepted"}


def wait_for_hang_up(mock: MockServer, http: httpx2.Client, number: int = 0) -> Exchange:
    """The exchange, once the server has noticed that the client is gone."""
    found = mock.requests[number]
    for _ in range(5_000):
        if found.hung_up:
            break
        http.get(mock.endpoint + "/_mock/health")
    return found


def test_a_client_that_fails_over_the_chunk_without_choices_is_seen(
    mock: MockServer, http: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "CRASH_SECONDS", 10.0)  # on a busy machine leaving takes its time
    mock.when(user="hi").respond(text=LONG, stream={"ttft": "300ms"})
    with pytest.raises(IndexError), chat(sdk(mock, http), stream=True) as stream:
        assert [chunk.choices[0].delta for chunk in stream]
    assert wait_for_hang_up(mock, http).hung_up
    assert mock.verdict().codes == {"empty_choices_crash"}
    assert (
        "The client of createChatCompletion on gpt-4o left the stream … after its first chunk, which has no choices."
        in text_of(mock)
    )


def test_a_client_that_has_heard_enough_is_not_taken_for_one(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(text=LONG * 20, stream={"tokens_per_second": 400})
    with chat(sdk(mock, http), stream=True) as stream:
        next(chunk for chunk in stream if chunk.choices and chunk.choices[0].delta.content)
    assert wait_for_hang_up(mock, http).hung_up
    assert mock.verdict().codes == set()


def test_nor_one_whose_patience_ends(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(text=LONG, stream={"ttft": "300ms"})
    with (
        pytest.raises((APITimeoutError, httpx2.ReadTimeout)),
        chat(sdk(mock, http, timeout=0.12, max_retries=0), stream=True) as stream,
    ):
        list(stream)
    assert wait_for_hang_up(mock, http).hung_up
    assert mock.verdict().codes == set()


def test_nor_one_that_reads_another_to_the_end(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond({"text": LONG, "stream": {"ttft": "300ms"}}, LONG)
    client = sdk(mock, http)
    with chat(client, stream=True) as stream:
        next(iter(stream))
    assert wait_for_hang_up(mock, http).hung_up
    assert list(chat(client, stream=True))
    assert mock.verdict().codes == set()


# -- the legacy API


def test_the_older_client_is_reported_by_operation_and_version(mock: MockServer, http: httpx2.Client) -> None:
    old = AzureOpenAI(azure_endpoint=mock.endpoint, api_key=mock.api_key, api_version="2024-10-21", http_client=http)
    for text in ("hi", "there"):
        old.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}])
    old.models.list()
    verdict = mock.verdict()
    assert verdict.ok
    assert [(finding.code, finding.message, finding.exchanges) for finding in verdict.findings] == [
        (
            "deprecated_api",
            "createChatCompletion on gpt-4o was called at a path outside v1 (/openai/deployments/gpt-4o/chat/completions) with api-version=2024-10-21.",
            (1, 2),
        ),
        ("deprecated_api", "listModels was called at a path outside v1 (/openai/models) with api-version=2024-10-21.", (3,)),
    ]


def test_so_is_a_dated_version_on_a_v1_path(mock: MockServer, http: httpx2.Client) -> None:
    http.get(mock.base_url + "models?api-version=2024-10-21", headers={"api-key": mock.api_key})
    assert [finding.message for finding in mock.verdict().findings] == [
        "GET '/openai/v1/models' was called at its v1 path with api-version=2024-10-21, which belongs to the legacy API."
    ]


@pytest.mark.parametrize("query", ["", "?api-version=v1", "?api-version=preview"])
def test_the_versions_of_v1_are_fine(mock: MockServer, http: httpx2.Client, query: str) -> None:
    http.get(mock.base_url + "models" + query, headers={"api-key": mock.api_key})
    assert mock.verdict().codes == set()


def test_a_path_of_the_legacy_api_is_noticed_where_it_is_refused_too(http: httpx2.Client) -> None:
    with MockServer(legacy_api=False) as mock:
        http.get(mock.endpoint + "/openai/deployments/gpt-4o/nothing", headers={"api-key": mock.api_key})
        assert mock.verdict().codes == {"deprecated_api"}


# -- over HTTP, and on the command line


def report(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", *arguments])


def test_the_control_api_reports_it(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(error="bad_request")
    post(mock, http, times=2)
    row = http.get(mock.endpoint + "/_mock/verdict").json()
    assert (row["ok"], row["calls"], row["dropped"]) == (False, 2, 0)
    assert row["findings"][0]["code"] == "non_retryable_retried"
    assert Verdict.of(row) == mock.verdict()


def test_the_report_ends_with_1_where_a_client_errs(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(error="bad_request")
    post(mock, http)
    assert (report("--url", mock.endpoint).exit_code, report("--url", mock.base_url).exit_code) == (0, 0)
    post(mock, http)
    result = report("--url", mock.endpoint)
    assert result.exit_code == 1
    assert result.stdout == f"{mock.verdict()}\n"


def test_warnings_do_not_fail_the_report(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(error="unavailable")
    post(mock, http)
    result = report("--url", mock.endpoint)
    assert (result.exit_code, "warning: gave_up_early" in result.stdout) == (0, True)


def test_the_report_is_of_the_resource_that_is_named_or_whose_key_is_sent(http: httpx2.Client) -> None:
    names = ("contoso", "fabrikam")
    with MockServer([{"resource": {"name": name, "keys": [name + "-key"]}} for name in names]) as mock:
        http.post(mock.base_url + "chat/completions", json=CHAT, headers={"api-key": "fabrikam-key"})
        reports = [
            report("--url", mock.endpoint, *more).stdout for more in ((), ("--resource", "fabrikam"), ("--key", "fabrikam-key"))
        ]
        assert [text.split(" in ")[1] for text in reports] == ["0 calls.\n", "1 call.\n", "1 call.\n"]
        unknown = report("--url", mock.endpoint, "--resource", "nobody")
        assert unknown.exit_code == 2
        assert unknown.stderr == f"{mock.endpoint} answered 404: there is no resource 'nobody'; there are contoso, fabrikam\n"


def test_the_report_is_written_for_continuous_integration(mock: MockServer, http: httpx2.Client, tmp_path: Path) -> None:
    mock.when(user="hi").respond({"error": "bad_request"}, {"error": "unavailable"})
    post(mock, http, times=2)
    post(mock, http, body=CHAT | {"messages": [{"role": "user", "content": "hi again"}]})
    file = tmp_path / "verdict.xml"
    assert report("--url", mock.endpoint, "--junit", str(file)).exit_code == 1
    root = ElementTree.parse(file).getroot()
    suite = root[0]
    assert (root.tag, suite.attrib["tests"], suite.attrib["failures"]) == ("testsuites", str(len(CODES)), "1")
    cases = {case.attrib["name"].partition(":")[0]: case for case in suite.iter("testcase")}
    failure = cases["non_retryable_retried"].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "createChatCompletion on gpt-4o was refused (400) and retried unchanged."
    warning = cases["gave_up_early"].find("system-out")
    assert warning is not None
    assert "warning: gave_up_early (call 3)" in str(warning.text)
    assert not list(cases["retry_storm"])


def test_the_written_report_is_xml_whatever_was_called() -> None:
    verdict = Verdict((Finding("deprecated_api", "a\x00b\x1b[0m\ufffe <&> ü \U0001f600", (1,)),), 1)
    text = ElementTree.fromstring(junit_xml(verdict)).findtext(".//testcase/system-out")
    assert text is not None
    assert "a\ufffdb\ufffd[0m\ufffd <&> ü \U0001f600" in text


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.1:1", "http://127.0.0.1:1 cannot be reached: "),
        ("file:///etc/hostname", "'file:///etc/hostname' is not a URL such as http://127.0.0.1:4650"),
        ("127.0.0.1:4650", "'127.0.0.1:4650' is not a URL such as"),
        ("http://127.0.0.1:port", "http://127.0.0.1:port returned nothing that can be read: "),
    ],
)
def test_the_report_ends_with_2_where_there_is_no_verdict(url: str, message: str) -> None:
    result = report("--url", url)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1


def test_a_report_that_cannot_be_written_is_one_clear_line(mock: MockServer, tmp_path: Path) -> None:
    result = report("--url", mock.endpoint, "--junit", str(tmp_path / "nowhere" / "x.xml"))
    assert result.exit_code == 2
    assert "No such file or directory" in result.stderr


def test_every_code_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/verdict.md").read_text()
    assert all(f"| `{code}` | {CODES[code].severity} |" in page for code in CODES)
