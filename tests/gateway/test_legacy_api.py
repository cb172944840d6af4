"""The legacy API: the older client, `AzureOpenAI` with a date as its api-version, on the same engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from openai import AsyncAzureOpenAI, AzureOpenAI, NotFoundError
from support.azure_errors import assert_azure_error

from mockserver import MockServer

HI: Any = [{"role": "user", "content": "hi"}]
VERSION = "2025-04-01-preview"


@pytest.fixture
def old(mock: MockServer, http: httpx2.Client) -> AzureOpenAI:
    return AzureOpenAI(azure_endpoint=mock.endpoint, api_key=mock.api_key, api_version=VERSION, http_client=http, max_retries=0)


def test_it_calls_by_deployment_and_is_noted_in_the_journal(old: AzureOpenAI, mock: MockServer) -> None:
    mock.when(user="hi", deployment="gpt-4.1-mini").respond("Hello")
    answer = old.chat.completions.create(model="gpt-4.1-mini", messages=HI)
    assert (answer.choices[0].message.content, answer.model) == ("Hello", "gpt-4.1-mini-2025-04-14")
    exchange = mock.requests[0]
    assert (exchange.operation, exchange.deployment, exchange.legacy_api) == ("createChatCompletion", "gpt-4.1-mini", True)
    assert exchange.path == "/openai/deployments/gpt-4.1-mini/chat/completions"


def test_streams_embeddings_completions_responses_and_models_work_too(old: AzureOpenAI, mock: MockServer) -> None:
    told = [
        chunk.choices[0].delta.content or ""
        for chunk in old.chat.completions.create(model="gpt-4o", messages=HI, stream=True)
        if chunk.choices
    ]
    assert "".join(told)
    assert len(old.embeddings.create(model="text-embedding-3-small", input="x").data[0].embedding) == 1536
    assert old.completions.create(model="gpt-35-turbo-instruct", prompt="x").choices[0].text
    made = old.responses.create(model="gpt-4o", input="hi")
    assert old.responses.retrieve(made.id).output_text == made.output_text
    assert old.models.retrieve("gpt-4o").id == "gpt-4o"
    assert all(exchange.legacy_api for exchange in mock.requests)


def test_the_journal_keeps_the_old_name_too(old: AzureOpenAI, mock: MockServer, http: httpx2.Client) -> None:
    old.models.retrieve("gpt-4o")
    assert mock.requests[0].dated is True
    row = http.get(mock.endpoint + "/_mock/journal").json()["exchanges"][0]
    assert (row["legacy_api"], row["dated"]) == (True, True)


@pytest.mark.anyio
async def test_the_asynchronous_one_works(mock: MockServer) -> None:
    async with AsyncAzureOpenAI(azure_endpoint=mock.endpoint, api_key=mock.api_key, api_version=VERSION) as old:
        assert (await old.chat.completions.create(model="gpt-4o", messages=HI)).choices


def test_the_body_needs_no_model_of_its_own(http: httpx2.Client, mock: MockServer) -> None:
    url = f"{mock.endpoint}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    assert http.post(url, json={"messages": HI}, headers={"api-key": mock.api_key}).status_code == 200


@pytest.mark.parametrize("query", ["", "?api-version=v1", "?api-version=yesterday"])
def test_a_path_of_the_legacy_api_without_a_date_is_not_there(http: httpx2.Client, mock: MockServer, query: str) -> None:
    url = f"{mock.endpoint}/openai/deployments/gpt-4o/chat/completions{query}"
    answer = http.post(url, json={"messages": HI}, headers={"api-key": mock.api_key})
    assert_azure_error(answer, 404, code="404")


def test_unknown_deployments_are_told_as_ever(http: httpx2.Client) -> None:
    with MockServer(deployments={"mine": "gpt-4o"}) as mock:
        old = AzureOpenAI(
            azure_endpoint=mock.endpoint, api_key=mock.api_key, api_version=VERSION, http_client=http, max_retries=0
        )
        assert old.chat.completions.create(model="mine", messages=HI).choices
        with pytest.raises(NotFoundError) as caught:
            old.chat.completions.create(model="other", messages=HI)
        assert_azure_error(caught.value, 404, code="DeploymentNotFound")


@pytest.fixture
def switched_off() -> Iterator[MockServer]:
    with MockServer(legacy_api=False) as mock:
        yield mock


def test_the_old_way_can_be_switched_off(switched_off: MockServer, http: httpx2.Client) -> None:
    old = AzureOpenAI(
        azure_endpoint=switched_off.endpoint, api_key=switched_off.api_key, api_version=VERSION, http_client=http, max_retries=0
    )
    with pytest.raises(NotFoundError, match="Resource not found"):
        old.chat.completions.create(model="gpt-4o", messages=HI)
    assert switched_off.requests[0].legacy_api


# -- what a version does not have yet

CHAT = "deployments/gpt-4o/chat/completions"
SCHEMA: Any = {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}
TOO_EARLY: list[tuple[str, str, dict[str, Any], str]] = [
    ("responses", "2024-10-21", {"model": "gpt-4o", "input": "hi"},
     "Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and later"),
    ("deployments/o3-mini/chat/completions", "2024-10-21", {"messages": HI},
     "Model {modelName} is enabled only for api versions 2024-12-01-preview and later"),
    (CHAT, "2024-06-01", {"messages": HI, "response_format": SCHEMA},
     "response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later"),
]  # fmt: skip


def post(http: httpx2.Client, mock: MockServer, path: str, version: str, body: dict[str, Any]) -> httpx2.Response:
    return http.post(f"{mock.endpoint}/openai/{path}?api-version={version}", json=body, headers={"api-key": mock.api_key})


@pytest.mark.parametrize(("path", "version", "body", "message"), TOO_EARLY)
def test_what_came_later_is_refused_and_can_be_let_through(
    http: httpx2.Client, mock: MockServer, path: str, version: str, body: dict[str, Any], message: str
) -> None:
    answer = post(http, mock, path, version, body)
    assert answer.json() == {"error": {"code": "BadRequest", "message": message}}
    assert answer.status_code == 400
    assert post(http, mock, path, "2025-04-01-preview", body).status_code == 200
    mock.resource.allowed = frozenset(["api_versions"])
    assert post(http, mock, path, version, body).status_code == 200


@pytest.mark.parametrize(
    ("name", "value", "before", "since"),
    [
        ("max_completion_tokens", 5, "2024-08-01-preview", "2024-09-01-preview"),
        ("metadata", {"a": "b"}, "2024-10-21", "2024-12-01-preview"),
        ("prediction", {"type": "content", "content": "x"}, "2024-12-01-preview", "2025-01-01-preview"),
    ],
)
def test_a_parameter_that_came_later_is_unknown(
    http: httpx2.Client, mock: MockServer, name: str, value: Any, before: str, since: str
) -> None:
    body = {"messages": HI, name: value}
    answer = post(http, mock, CHAT, before, body)
    assert_azure_error(answer, 400, param=name, code="unknown_parameter", contains=f"Unknown parameter: '{name}'.")
    assert post(http, mock, CHAT, since, body).status_code == 200


@pytest.mark.parametrize(
    ("path", "version"),
    [(CHAT, "2022-12-01"), (CHAT, "2024-12-02"), (CHAT, "2099-01-01-preview"), ("vector_stores", "2024-04-01-preview")],
)
def test_unknown_versions_and_paths_that_came_later_are_not_there(
    http: httpx2.Client, mock: MockServer, path: str, version: str
) -> None:
    assert_azure_error(post(http, mock, path, version, {"messages": HI}), 404, code="404")


def test_old_versions_take_tools_and_stream_options_which_came_later(http: httpx2.Client, mock: MockServer) -> None:
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    body = {"messages": HI, "tools": [{"type": "function", "function": function}], "stream": True}
    body["stream_options"] = {"include_usage": True}
    assert post(http, mock, CHAT, "2023-03-15-preview", body).status_code == 200
