"""The same body again: what was read from it is kept, and nothing else is."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.state import chance

HI: Any = [{"role": "user", "content": "hi"}]
CHAT: Any = {"model": "chat", "messages": HI}


def ask(http: httpx2.Client, mock: MockServer, body: Any, path: str = "chat/completions") -> httpx2.Response:
    return http.post(mock.base_url + path, json=body, headers={"api-key": mock.api_key})


def test_a_deployment_that_serves_another_model_by_now_answers_as_that_one(http: httpx2.Client) -> None:
    with MockServer({"deployments": {"chat": "gpt-4o"}}) as mock:
        before = [ask(http, mock, CHAT).json()["model"] for _ in range(3)]
        changed = http.put(mock.endpoint + "/_mock/scenario", json={"deployments": {"chat": "grok-3-mini"}})
        assert changed.status_code == 200
        after = [ask(http, mock, CHAT).json()["model"] for _ in range(3)]
    assert before == ["gpt-4o-2024-11-20"] * 3
    assert after == ["grok-3-mini-high"] * 3


def test_each_answer_has_an_id_of_its_own_and_counts_the_same(http: httpx2.Client, mock: MockServer) -> None:
    answers = [ask(http, mock, CHAT).json() for _ in range(4)]
    assert len({answer["id"] for answer in answers}) == 4
    assert {answer["usage"]["prompt_tokens"] for answer in answers} == {8}


def test_every_call_takes_its_share_of_the_quota(http: httpx2.Client) -> None:
    with MockServer({"deployments": {"chat": {"model": "gpt-4o", "tpm": 100}}}) as mock:
        answers = [ask(http, mock, CHAT | {"max_tokens": 30}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


def test_a_mistake_is_told_every_time(http: httpx2.Client, mock: MockServer) -> None:
    answers = [ask(http, mock, CHAT | {"temperature": 3}) for _ in range(3)]
    assert len(answers) == 3
    for answer in answers:
        assert_azure_error(answer, 400, param="temperature")


def test_a_chain_of_responses_is_looked_up_anew(client: OpenAI, mock: MockServer) -> None:
    mock.when().respond("turn {{ turn }}")
    first = client.responses.create(model="gpt-4o", input="hi")
    asked: Any = {"model": "gpt-4o", "input": "on", "previous_response_id": first.id}
    assert [client.responses.create(**asked).output_text for _ in range(3)] == ["turn 2"] * 3
    client.responses.delete(first.id)
    with pytest.raises(Exception, match="not found"):
        client.responses.create(**asked)


def test_stored_completions_do_not_share_what_can_be_changed(client: OpenAI, mock: MockServer) -> None:
    asked: Any = {"model": "gpt-4o", "messages": HI, "store": True, "metadata": {"n": "1"}}
    ids = [client.chat.completions.create(**asked).id for _ in range(3)]
    client.chat.completions.update(ids[1], metadata={"n": "2"})
    assert [client.chat.completions.retrieve(one).to_dict()["metadata"] for one in ids] == [{"n": "1"}, {"n": "2"}, {"n": "1"}]


def test_an_older_clients_path_names_the_deployment_each_time(http: httpx2.Client, mock: MockServer) -> None:
    def served(deployment: str) -> str:
        url = f"{mock.endpoint}/openai/deployments/{deployment}/chat/completions?api-version=2024-10-21"
        model: str = http.post(url, json={"messages": HI}, headers={"api-key": mock.api_key}).json()["model"]
        return model

    assert [served("gpt-4o"), served("gpt-4o"), served("grok-3-mini"), served("gpt-4o")] == [
        "gpt-4o-2024-11-20",
        "gpt-4o-2024-11-20",
        "grok-3-mini-high",
        "gpt-4o-2024-11-20",
    ]


def test_a_body_that_was_forgotten_does_not_draw_its_ids_again(
    http: httpx2.Client, mock: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chance, "_REMEMBERED", 4)
    ids = [ask(http, mock, CHAT | {"user": user}).json()["id"] for user in "abcabcabcaabbcc"]
    assert len(set(ids)) == len(ids)


def test_stored_input_items_have_ids_of_their_own_each_time(client: OpenAI) -> None:
    asked: Any = {
        "model": "gpt-4o",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "5"},
        ],
    }
    listed = [list(client.responses.input_items.list(client.responses.create(**asked).id)) for _ in range(4)]
    assert len({item.id for items in listed for item in items}) == 4 * 3
    told = [[item.to_dict() | {"id": ""} for item in items] for items in listed]
    assert told == [told[0]] * 4
