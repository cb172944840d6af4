"""Calls as tests read them, and assertions whose failures show the nearest call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from openai import AzureOpenAI, OpenAI, OpenAIError

from mockserver import MockServer, ScenarioError
from mockserver.testing.calls import ToolCall, ToolResult

LOOK: Any = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
CHAT_LOOK: Any = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer() as server:
        server.when(user="hello").respond("Hi there!", name="greeting")
        yield server


@pytest.fixture
def client(mock: MockServer, http: httpx2.Client) -> OpenAI:
    return OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)


def respond(client: OpenAI, text: str, **options: Any) -> Any:
    return client.responses.create(model="gpt-4o", input=text, **options)


def chat(client: OpenAI, text: str, **options: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": text}], **options)


def failure(assertion: Any, *arguments: Any, **conditions: Any) -> str:
    with pytest.raises(AssertionError) as caught:
        assertion(*arguments, **conditions)
    return str(caught.value)


# -- calls


def test_a_call_has_its_request_and_its_response(mock: MockServer, client: OpenAI) -> None:
    chat(client, "hello you", user="me", extra_headers={"X-Team": "blue"}, tools=[CHAT_LOOK])
    [call] = mock.calls()
    assert (call.number, call.operation, call.deployment, call.status) == (1, "createChatCompletion", "gpt-4o", 200)
    assert (call.rule, call.error, call.user, call.system, call.tools) == ("greeting", None, "hello you", "", ["look"])
    assert (call.headers["x-team"], call.body["user"], call.response["object"]) == ("blue", "me", "chat.completion")
    assert (call.text, call.tool_calls, call.tool_results) == ("Hi there!", [], [])
    assert (call.streamed, call.chunks, call.hung_up) == (False, [], False)
    assert call.prompt is not None
    assert call.prompt.turn == 1
    assert call.ms > 0
    assert call.at == mock.requests[0].at > 1_700_000_000
    assert repr(call) == "<call 1: createChatCompletion gpt-4o 'hello you' · rule 'greeting' · 200>"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("surface", ["responses", "chat/completions", "completions"])
def test_the_answers_text_is_the_same_on_every_surface_streamed_or_not(
    mock: MockServer, http: httpx2.Client, surface: str, stream: bool
) -> None:
    bodies = {
        "responses": {"input": "hello"},
        "chat/completions": {"messages": [{"role": "user", "content": "hello"}], "n": 2},
        "completions": {"prompt": "hello", "n": 2},
    }
    body = {"model": "gpt-35-turbo-instruct" if surface == "completions" else "gpt-4o", "stream": stream, **bodies[surface]}
    http.post(mock.base_url + surface, json=body, headers={"api-key": mock.api_key})
    [call] = mock.calls()
    assert (call.status, call.text, call.streamed, bool(call.chunks)) == (200, "Hi there!", stream, stream)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("surface", ["responses", "chat", "functions"])
def test_so_are_the_calls_of_tools(mock: MockServer, client: OpenAI, surface: str, stream: bool) -> None:
    mock.when(user="look").respond(tool_calls=[("look", {"where": "there"})])
    if surface == "responses":
        answer = respond(client, "look", tools=[LOOK], stream=stream)
    else:
        offered: Any = {"tools": [CHAT_LOOK]} if surface == "chat" else {"functions": [CHAT_LOOK["function"]]}
        answer = chat(client, "look", stream=stream, **offered)
    assert list(answer)
    [call] = mock.calls()
    assert call.tool_calls == [("look", {"where": "there"})]
    assert call.tool_calls[0] == ToolCall(name="look", arguments={"where": "there"})


def test_several_tools_and_free_text_for_a_custom_one_are_separated(mock: MockServer, client: OpenAI) -> None:
    custom: Any = {"type": "custom", "name": "shout"}
    mock.when(user="look").respond(tool_calls=[("look", {"a": 1}), ("shout", "HEY"), ("look", {"b": 2})])
    for stream in (False, True):
        list(respond(client, "look", tools=[LOOK, custom], stream=stream))
        list(chat(client, "look", tools=[CHAT_LOOK, {"type": "custom", "custom": {"name": "shout"}}], stream=stream))
    assert [call.tool_calls for call in mock.calls()] == [[("look", {"a": 1}), ("shout", "HEY"), ("look", {"b": 2})]] * 4


def test_tool_results_are_parsed_and_have_their_tools_name(mock: MockServer, client: OpenAI) -> None:
    mock.when(user="look", tool_result=False).respond(tool_calls=[("look", {})])
    first = respond(client, "look", tools=[LOOK])
    output: Any = {"type": "function_call_output", "call_id": first.output[0].call_id, "output": json.dumps({"seen": 3})}
    client.responses.create(
        model="gpt-4o", input=[output], previous_response_id=first.id, tools=[LOOK], instructions="Be brief."
    )
    call = mock.calls()[1]
    assert call.tool_results == [("look", {"seen": 3})]
    assert call.tool_results[0] == ToolResult(name="look", output={"seen": 3})
    assert (call.user, call.system) == ("look", "Be brief.")


def test_a_call_keeps_the_chain_that_it_continued(mock: MockServer, client: OpenAI) -> None:
    first = respond(client, "hello")
    respond(client, "and then?", previous_response_id=first.id)
    client.responses.delete(first.id)
    assert [call.prompt.turn for call in mock.calls("createResponse") if call.prompt is not None] == [1, 2]
    assert mock.calls(turn=2)[0].user == "and then?"


def test_a_broken_stream_has_what_had_been_sent(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="count").respond(text="one two three", stream={"reset_after": 4})
    mock.when(user="nothing").respond(text="one two three", reset=True)
    for text in ("count", "nothing"):
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], "stream": True}
        with pytest.raises(httpx2.TransportError):
            http.post(mock.base_url + "chat/completions", json=body, headers={"api-key": mock.api_key})
    assert [(call.text, len(call.chunks), call.exchange.fault) for call in mock.calls()] == [
        ("one two", 4, "reset"),
        ("", 0, "reset"),
    ]
    assert repr(mock.calls()[0]).endswith("· 200 · reset>")


@pytest.mark.parametrize(
    "body",
    [
        "data: {}",
        "data: 5\n\ndata: {",
        {"choices": 5},
        {"choices": [{"message": "x"}]},
        {"output": [5, {"type": "message", "content": [None]}]},
        [],
        "x",
        {"choices": [{"message": {"tool_calls": [None, {"function": 5}]}}]},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["application/json", "text/event-stream"])
def test_an_answer_that_a_script_spelled_out_may_be_anything(
    mock: MockServer, http: httpx2.Client, body: Any, kind: str
) -> None:
    mock.when(user="raw").respond(status=200, body=body, headers={"content-type": kind})
    http.post(mock.base_url + "responses", json={"model": "gpt-4o", "input": "raw"}, headers={"api-key": mock.api_key})
    [call] = mock.calls()
    assert (call.text, [tool for tool in call.tool_calls if tool.name]) == ("", [])


def test_a_stream_that_a_script_spelled_out_is_read_like_any(mock: MockServer, http: httpx2.Client) -> None:
    stream = 'data: {"choices":[{"delta":{"content":"Hel"}}]}\r\n\r\ndata: {"choices":[{"delta":{"content":"lo"}}]}\r\n\r\ndata: [DONE]\r\n\r\n'
    mock.when(user="raw").respond(status=200, body=stream, headers={"content-type": "text/event-stream"})
    http.post(mock.base_url + "responses", json={"model": "gpt-4o", "input": "raw"}, headers={"api-key": mock.api_key})
    assert (mock.calls()[0].text, len(mock.calls()[0].chunks)) == ("Hello", 2)


def test_calls_that_never_reach_a_model_are_there_too(mock: MockServer, http: httpx2.Client, client: OpenAI) -> None:
    client.models.list()
    http.get(mock.base_url + "models")
    http.get(mock.base_url + "nowhere", headers={"api-key": mock.api_key})
    assert [repr(call) for call in mock.calls()] == [
        "<call 1: listModels · answered · 200>",
        "<call 2: GET '/openai/v1/models' · refused · 401>",
        "<call 3: GET '/openai/v1/nowhere' · refused · 404>",
    ]
    assert (mock.calls()[0].body, mock.calls()[0].prompt, mock.calls()[0].user, mock.calls()[0].tools) == (None, None, "", [])


# -- conditions


@pytest.fixture
def recorded(mock: MockServer, client: OpenAI, http: httpx2.Client) -> MockServer:
    """1 a chat, 2 a response with tools and metadata, 3 one that failed, 4 vectors, 5 the older client's chat."""
    mock.when(user="fail").respond(error="rate_limit")
    chat(client, "hello", extra_headers={"x-team": "blue"})
    respond(client, "goodbye", tools=[LOOK], metadata={"team": "red"}, instructions="Be brief.", stream=True)
    with pytest.raises(OpenAIError):
        respond(client, "fail")
    client.embeddings.create(model="text-embedding-3-small", input="hello vectors")
    old = AzureOpenAI(azure_endpoint=mock.endpoint, api_key=mock.api_key, api_version="2024-10-21", http_client=http)
    old.chat.completions.create(model="mine", messages=[{"role": "user", "content": "old hello"}])
    return mock


@pytest.mark.parametrize(
    ("conditions", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"operation": "createResponse"}, [2, 3]),
        ({"operation": ["createEmbedding", "createResponse"]}, [2, 3, 4]),
        ({"operation": "*"}, [1, 2, 3, 4, 5]),
        ({"user": "hello"}, [1, 4, 5]),
        ({"user": {"equals": "hello"}}, [1]),
        ({"user": ["goodbye", "fail"]}, [2, 3]),
        ({"system": "brief"}, [2]),
        ({"deployment": "mine"}, [5]),
        ({"tools": "look"}, [2]),
        ({"tools": False, "operation": "createResponse"}, [3]),
        ({"header": {"X-Team": "blue"}}, [1]),
        ({"metadata": {"team": True}}, [2]),
        ({"stream": True}, [2]),
        ({"turn": 1}, [1, 2, 3, 4, 5]),
        ({"turn": {"at_least": 2}}, []),
        ({"json": {"metadata.team": "red"}}, [2]),
        ({"json_": {"model": "mine"}}, [5]),
        ({"any_": [{"user": "goodbye"}, {"deployment": "mine"}]}, [2, 5]),
        ({"not_": {"operation": "createResponse"}}, [1, 4, 5]),
        ({"status": 429}, [3]),
        ({"status": [200, 429], "user": "fail"}, [3]),
        ({"rule": "greeting"}, [1, 5]),
        ({"rule": None}, [2, 4]),
        ({"rule": ["greeting", None], "operation": "createChatCompletion"}, [1, 5]),
        ({"error": "RateLimitReached"}, [3]),
        ({"error": None}, [1, 2, 4, 5]),
    ],
    ids=str,
)
def test_calls_are_found_by_the_words_of_a_scenario_and_by_how_they_ended(
    recorded: MockServer, conditions: dict[str, Any], numbers: list[int]
) -> None:
    assert [call.number for call in recorded.calls(**conditions)] == numbers


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"usr": "x"}, "there is no condition 'usr'; did you mean 'user'?"),
        ({"prompt": "x"}, "there is no condition 'prompt'; did you mean 'user'?"),
        (
            {"code": 429},
            "there is no condition 'code'; expected one of all, any, deployment, error, header, json, metadata, not, previous, rule, status, stream, system, tool_result, tools, turn, user",
        ),
        ({"state": "paid"}, "calls cannot be selected by 'state': the journal does not record the script's states"),
        ({"status": "429"}, "status must be a number such as 429, or a list of these, not '429'"),
        ({"status": []}, "status must be a number such as 429, or a list of these, not []"),
        ({"rule": 5}, "rule must be text or None, or a list of these, not 5"),
    ],
    ids=str,
)
def test_a_condition_that_does_not_exist_is_an_error_that_names_the_nearest(
    mock: MockServer, conditions: dict[str, Any], message: str
) -> None:
    for select in (mock.calls, mock.assert_called, mock.assert_not_called):
        with pytest.raises(TypeError) as caught:
            select(**conditions)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"user": 5}, "conditions: user: expected text, a list of texts, or conditions such as contains; got 5"),
        ({"user": {"contain": "x"}}, "conditions: user.contain: unknown key; did you mean 'contains'?"),
        (
            {"operation": "createRespons"},
            "conditions: operation: there is no operation 'createRespons'; did you mean 'createResponse'?",
        ),
        ({"json": {"a": object}}, "conditions: json.a: <class 'object'> is not a JSON value"),
    ],
    ids=str,
)
def test_a_value_that_does_not_fit_is_reported_as_in_a_scenario(
    mock: MockServer, conditions: dict[str, Any], message: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        mock.calls(**conditions)
    assert str(caught.value) == message


# -- assertions


def test_an_assertion_that_holds_returns_the_calls(recorded: MockServer) -> None:
    assert [call.number for call in recorded.assert_called("createResponse", times=2)] == [2, 3]
    assert [call.number for call in recorded.assert_called(user="hello")] == [1, 4, 5]
    assert recorded.assert_called(user="never", times=0) == []
    recorded.assert_not_called(user="never")


def test_a_missing_call_is_reported_with_the_nearest_field_by_field(recorded: MockServer) -> None:
    assert failure(recorded.assert_called, "createResponse", user="good morning", deployment="gpt-4.1") == (
        "expected a createResponse call with user='good morning', deployment='gpt-4.1', but there was none.\n"
        "\n"
        "The nearest is call 2: createResponse gpt-4o 'goodbye' · improvised · 200\n"
        "    deployment: expected 'gpt-4.1', got 'gpt-4o'\n"
        "    user: expected to contain 'good morning', got 'goodbye'\n"
        "\n"
        "All calls:\n"
        "    1: createChatCompletion gpt-4o 'hello' · rule 'greeting' · 200\n"
        "    2: createResponse gpt-4o 'goodbye' · improvised · 200\n"
        "    3: createResponse gpt-4o 'fail' · rule \"when(user='fail')\" · 429\n"
        "    4: createEmbedding text-embedding-3-small 'hello vectors' · improvised · 200\n"
        "    5: createChatCompletion mine 'old hello' · rule 'greeting' · 200"
    )


def test_too_few_calls_are_reported_with_those_that_match_and_the_nearest_other(recorded: MockServer) -> None:
    text = failure(recorded.assert_called, "createChatCompletion", times=3, stream=False)
    assert text.startswith(
        "expected 3 createChatCompletion calls with stream=False, but there were 2.\n"
        "\n"
        "The nearest is call 4: createEmbedding text-embedding-3-small 'hello vectors' · improvised · 200\n"
        "    operation: expected 'createChatCompletion', got 'createEmbedding'\n"
        "\n"
        "All calls:\n"
        "  > 1: createChatCompletion gpt-4o 'hello' · rule 'greeting' · 200\n"
        "    2: createResponse"
    )
    assert "\n  > 5: createChatCompletion mine" in text


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (1, "expected exactly one createResponse call, but there were 2."),
        (0, "expected no createResponse call, but there were 2."),
    ],
)
def test_too_many_calls_are_listed(recorded: MockServer, times: int, expected: str) -> None:
    first, rest = failure(recorded.assert_called, "createResponse", times=times).split("\n\n", 1)
    assert first == expected
    assert rest.startswith("All calls:\n    1: ")
    assert [line[:5] for line in rest.splitlines()[1:]] == ["    1", "  > 2", "  > 3", "    4", "    5"]


def test_an_unwanted_call_is_marked_among_all(recorded: MockServer) -> None:
    assert failure(recorded.assert_not_called, user="goodbye").startswith(
        "expected no call with user='goodbye', but there was one.\n\nAll calls:\n    1: createChatCompletion gpt-4o 'hello'"
    )


def test_no_calls_at_all_are_reported_as_such(mock: MockServer) -> None:
    assert failure(mock.assert_called, "createResponse") == (
        "expected a createResponse call, but there was none.\n"
        "\n"
        "This resource has received no calls. Does the client use its URL and key?"
    )


def test_of_many_calls_the_last_are_listed(mock: MockServer, client: OpenAI) -> None:
    for number in range(25):
        respond(client, f"hello {number}")
    text = failure(mock.assert_called, user="goodbye")
    assert "The last 20 of 25 calls:\n    6: createResponse gpt-4o 'hello 5'" in text
    assert text.count("\n    ") == 20 + 1


def test_how_a_call_ended_is_among_the_differences(recorded: MockServer) -> None:
    text = failure(
        recorded.assert_called, user={"equals": "fail"}, tools=False, status=500, rule=None, error=[None, "RateLimitreached"]
    )
    assert (
        "The nearest is call 3: createResponse gpt-4o 'fail' · rule \"when(user='fail')\" · 429\n"
        "    status: expected 500, got 429\n"
        "    rule: expected nothing, got \"when(user='fail')\"\n"
        "    error: expected nothing or 'RateLimitreached', got 'RateLimitReached'\n"
    ) in text


def test_used_rules_are_fine(mock: MockServer, client: OpenAI) -> None:
    respond(client, "hello")
    mock.assert_all_rules_used()


def test_unused_rules_are_reported_with_the_nearest_call(http: httpx2.Client) -> None:
    rules = [
        {"name": "greeting", "when": {"user": "hello"}, "respond": "Hi!"},
        {"name": "farewell", "when": {"user": "goodbye", "deployment": "gpt-4o"}, "respond": "Bye!"},
        {"name": "second", "when": {"user": "hello"}, "respond": "Hi again!"},
        {"name": "paid", "when": {"user": "hello", "state": "paid"}, "respond": "Thanks!"},
    ]
    with MockServer({"rules": rules}) as mock:
        client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http)
        respond(client, "hello, good man")
        assert failure(mock.assert_all_rules_used) == (
            "3 of 4 rules were never used.\n"
            "\n"
            "  farewell (rules[1])\n"
            "    The nearest is call 1: createResponse gpt-4o 'hello, good man' · rule 'greeting' · 200\n"
            "        user: expected to contain 'goodbye', got 'hello, good man'\n"
            "\n"
            "  second (rules[2])\n"
            "    Call 1 matches it, but the outcome was: rule 'greeting'.\n"
            "\n"
            "  paid (rules[3])\n"
            "    Call 1 matches it (apart from its state), but the outcome was: rule 'greeting'.\n"
            "\n"
            "All calls:\n"
            "    1: createResponse gpt-4o 'hello, good man' · rule 'greeting' · 200"
        )


def test_unused_rules_without_any_call_are_reported_too(mock: MockServer) -> None:
    assert failure(mock.assert_all_rules_used) == (
        "the only rule was never used.\n"
        "\n"
        "  greeting (when(user='hello'))\n"
        "\n"
        "This resource has received no calls. Does the client use its URL and key?"
    )


@pytest.mark.parametrize("conditions", [{}, {"usr": "x"}, {"user": {"contain": "x"}}, {"status": "429"}], ids=str)
def test_the_traceback_of_a_failure_ends_in_the_test(mock: MockServer, conditions: dict[str, Any]) -> None:
    with pytest.raises((AssertionError, TypeError, ScenarioError)) as caught:
        mock.assert_called(**conditions)
    assert all(entry.ishidden(caught) for entry in caught.traceback[1:])


def test_so_does_that_of_unused_rules(mock: MockServer) -> None:
    with pytest.raises(AssertionError) as caught:
        mock.assert_all_rules_used()
    assert all(entry.ishidden(caught) for entry in caught.traceback[1:])
