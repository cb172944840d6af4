"""Azure's own library for credentials, and what the SDK does with short-lived tokens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from mockserver import MockServer
from mockserver.server.variables import for_entra

SCOPE = "https://cognitiveservices.azure.com/.default"


@pytest.fixture
def short_lived() -> Iterator[MockServer]:
    with MockServer({"resource": {"identity": {"expires_in": 60, "local_auth": False}}}) as mock:
        yield mock


@pytest.fixture
def environment(short_lived: MockServer, monkeypatch: pytest.MonkeyPatch) -> MockServer:
    for name in ("AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TOKEN_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in for_entra(short_lived.endpoint, short_lived.api_key).items():
        monkeypatch.setenv(name, value)
    return short_lived


def bearers(mock: MockServer) -> list[str]:
    return [str(exchange.headers["authorization"]) for exchange in mock.resource.journal]


class Provider:
    """A token provider as people write it where azure-identity is not to be had: it renews what is about to expire."""

    def __init__(self, http: httpx2.Client, mock: MockServer, margin: int) -> None:
        self._http, self._mock, self._margin = http, mock, margin
        self._token, self._expires = "", 0

    def __call__(self) -> str:
        if self._mock.clock.now() + self._margin >= self._expires:
            variables = for_entra(self._mock.endpoint, self._mock.api_key)
            body = self._http.get(
                variables["IDENTITY_ENDPOINT"],
                params={"api-version": "2019-08-01", "resource": SCOPE.removesuffix("/.default")},
                headers={"x-identity-header": variables["IDENTITY_HEADER"]},
            ).json()
            self._token, self._expires = body["access_token"], int(body["expires_on"])
        return self._token

    async def coroutine(self) -> str:
        return self()


def test_a_provider_renews_its_token_and_the_sdk_sends_the_new_one(http: httpx2.Client, short_lived: MockServer) -> None:
    short_lived.clock.freeze()
    client = OpenAI(base_url=short_lived.base_url, api_key=Provider(http, short_lived, 10), http_client=http, max_retries=0)
    for step in (0, 40, 15, 40):
        short_lived.clock.advance(step)
        assert client.models.list().data
    first, second, third, fourth = bearers(short_lived)
    assert first == second
    assert second != third
    assert third == fourth


def test_a_provider_that_renews_too_late_gets_401_then_succeeds(http: httpx2.Client, short_lived: MockServer) -> None:
    short_lived.clock.freeze()
    provider = Provider(http, short_lived, -5)  # it believes that its token holds longer than it does
    client = OpenAI(base_url=short_lived.base_url, api_key=provider, http_client=http, max_retries=0)
    assert client.models.list().data
    short_lived.clock.advance(61)
    with pytest.raises(Exception, match="Access token is missing, invalid"):
        client.models.list()
    short_lived.clock.advance(5)
    assert client.models.list().data


@pytest.mark.anyio
async def test_the_asynchronous_client_takes_an_asynchronous_provider(http: httpx2.Client, short_lived: MockServer) -> None:
    async with httpx2.AsyncClient(verify=False, trust_env=False, timeout=10) as transport:
        provider: Any = Provider(http, short_lived, 10).coroutine
        client = AsyncOpenAI(base_url=short_lived.base_url, api_key=provider, http_client=transport, max_retries=0)
        assert (await client.responses.create(model="gpt-4.1-nano", input="hi")).status == "completed"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_azure_identity_finds_the_route_and_refreshes_short_lived_tokens(http: httpx2.Client, environment: MockServer) -> None:
    identity = pytest.importorskip("azure.identity", reason="azure-identity is not installed")
    provider = identity.get_bearer_token_provider(identity.DefaultAzureCredential(), SCOPE)
    client = OpenAI(base_url=environment.base_url, api_key=provider, http_client=http, max_retries=0)
    for _ in range(3):
        assert client.responses.create(model="gpt-4.1-nano", input="This is a test").output_text
    # Tokens of less than four minutes are not kept: every call gets a new one.
    assert len(set(bearers(environment))) == 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_azure_identity_keeps_long_lived_tokens(http: httpx2.Client, mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = pytest.importorskip("azure.identity", reason="azure-identity is not installed")
    mock.clock.reset()  # the library compares with real time
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", mock.endpoint)
    monkeypatch.delenv("IDENTITY_ENDPOINT", raising=False)
    provider = identity.get_bearer_token_provider(identity.ManagedIdentityCredential(), SCOPE)
    client = OpenAI(base_url=mock.base_url, api_key=provider, http_client=http, max_retries=0)
    for _ in range(3):
        client.models.list()
    assert len(set(bearers(mock))) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_azure_identity_reports_an_identity_that_does_not_exist(environment: MockServer, http: httpx2.Client) -> None:
    identity = pytest.importorskip("azure.identity", reason="azure-identity is not installed")
    http.put(f"{environment.endpoint}/_mock/scenario", content="resource: {identity: {refuse: invalid_client}}")
    with pytest.raises(Exception, match="Identity not found"):
        identity.ManagedIdentityCredential().get_token(SCOPE)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_in_pytest_the_default_credential_is_led_to_the_tests_own_resource(azure_openai: Any) -> None:
    identity = pytest.importorskip("azure.identity", reason="azure-identity is not installed")
    azure_openai.when(user="hi").respond("from this test")
    client = OpenAI(api_key=identity.get_bearer_token_provider(identity.DefaultAzureCredential(), SCOPE))
    assert client.responses.create(model="gpt-4.1-nano", input="hi").output_text == "from this test"
    assert azure_openai.requests[0].headers["authorization"].startswith("Bearer eyJ")


def test_in_pytest_the_route_is_in_the_environment(azure_openai: Any, http: httpx2.Client) -> None:
    query = {"api-version": "2019-08-01", "resource": SCOPE.removesuffix("/.default")}
    header = {"x-identity-header": os.environ["IDENTITY_HEADER"]}
    token = http.get(os.environ["IDENTITY_ENDPOINT"], params=query, headers=header).json()["access_token"]
    with OpenAI(api_key=token) as client:
        assert client.models.list().data
    assert len(azure_openai.requests) == 1
