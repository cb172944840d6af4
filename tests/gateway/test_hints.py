"""The log says why a request was refused, and what to change."""

from __future__ import annotations

import logging

import httpx2
import pytest
from openai import AzureOpenAI, NotFoundError, OpenAI

from mockserver import MockServer
from mockserver.gateway.hints import hint

KEY = {"api-key": "mock-key"}
CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


def advice(mock: MockServer) -> str | None:
    """The hint for the last request."""
    return hint(mock.requests[-1], mock.resources)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/v1/chat/completions", "/openai/v1/chat/completions"),
        ("/chat/completions", "/openai/v1/chat/completions"),
        ("/openai/v1/openai/v1/responses", "/openai/v1/responses"),
        ("/openai/v1/v1/embeddings", "/openai/v1/embeddings"),
        ("/api/projects/mine/v1/responses/resp_1/input_items", "/openai/v1/responses/resp_1/input_items"),
    ],
)
def test_a_wrong_prefix_is_named_with_the_right_one(mock: MockServer, http: httpx2.Client, path: str, wanted: str) -> None:
    assert http.post(mock.endpoint + path, json=CHAT, headers=KEY).status_code == 404
    assert advice(mock) == f"did you mean {wanted}? The base URL of v1 ends in /openai/v1/"


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/openai/v1/nothing", "/openai/v1/responses/a/b/c/d", "/wp-login.php"])
def test_a_path_that_is_like_nothing_gets_no_hint(mock: MockServer, http: httpx2.Client, path: str) -> None:
    http.post(mock.endpoint + path, headers=KEY)
    assert advice(mock) is None


def test_a_legacy_path_without_its_version_is_explained(mock: MockServer, http: httpx2.Client) -> None:
    assert http.post(f"{mock.endpoint}/openai/deployments/a/chat/completions", json=CHAT, headers=KEY).status_code == 404
    assert "needs ?api-version=" in advice(mock)


def test_the_older_client_with_a_base_url_of_v1_is_explained(mock: MockServer) -> None:
    with (
        AzureOpenAI(
            base_url=mock.base_url + "deployments/gpt-4o", api_key="mock-key", api_version="v1", max_retries=0
        ) as client,
        pytest.raises(NotFoundError),
    ):
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
    assert "unset OPENAI_BASE_URL" in advice(mock)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "the request has no key; send mock-key as api-key, or as Authorization: Bearer"),
        ({"api-key": "theirs"}, "the key is not one of the resource 'mockserver': mock-key"),
        ({"authorization": "Bearer theirs"}, "the key is not one of the resource 'mockserver': mock-key"),
        (
            {"authorization": "Bearer eyJh.eyJh.c2ln"},
            "the token is for another audience or of another tenant, has expired, is not valid yet, or its signature is wrong",
        ),
    ],
)
def test_credentials_that_do_not_fit_are_explained(
    mock: MockServer, http: httpx2.Client, headers: dict[str, str], expected: str
) -> None:
    assert http.post(mock.base_url + "chat/completions", json=CHAT, headers=headers).status_code == 401
    assert advice(mock) == expected


def test_an_undeclared_deployment_is_shown_those_that_are_declared(http: httpx2.Client) -> None:
    deployments = {f"d{number}": {"model": "gpt-4o"} for number in range(10)}
    with MockServer({"deployments": deployments}) as mock:
        assert http.post(mock.base_url + "chat/completions", json=CHAT, headers=KEY).status_code == 404
    assert advice(mock) == "there is no deployment 'gpt-4o'; declared are d0, d1, d2, d3, d4, d5, d6, d7 and 2 more"


def test_an_error_that_a_rule_asks_for_needs_no_hint(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond(error="deployment_not_found")
    assert http.post(mock.base_url + "chat/completions", json=CHAT, headers=KEY).status_code == 404
    assert advice(mock) is None


def test_an_object_that_is_not_there_needs_no_hint(mock: MockServer, client: OpenAI) -> None:
    with pytest.raises(NotFoundError):
        client.responses.retrieve("resp_none")
    assert advice(mock) is None


def test_an_operation_that_is_not_emulated_is_not_tried_again() -> None:
    with MockServer() as server, OpenAI(base_url=server.base_url, api_key="mock-key", max_retries=3) as patient:
        with pytest.raises(Exception, match="does not emulate"):
            patient.post("/realtime/calls", cast_to=object, body={})
        assert [exchange.status for exchange in server.requests] == [501]


def test_the_log_has_the_hint_below_the_line_of_the_request(http: httpx2.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mockserver")
    with MockServer() as mock:
        http.post(mock.endpoint + "/v1/responses", json=CHAT, headers=KEY)
    line, below = caplog.records[-1].getMessage().splitlines()
    assert line.startswith("POST /v1/responses · 404 · 404 · ")
    assert below == "           did you mean /openai/v1/responses? The base URL of v1 ends in /openai/v1/"


def test_a_refused_role_and_a_refused_kind_of_credential_are_explained(http: httpx2.Client) -> None:
    with MockServer({"resource": {"identity": {"roles": [], "local_auth": False}}}) as mock:
        token = http.post(f"{mock.endpoint}/_mock/identity/token", json={}).json()["access_token"]
        for headers, words in (({"authorization": f"Bearer {token}"}, "mockserver token --role"), (KEY, "local_auth: false")):
            http.get(mock.base_url + "models", headers=headers)
            assert words in advice(mock)
