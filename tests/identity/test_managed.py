"""Managed identities: the routes of App Service and of virtual machines."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from support.tokens import claims_of, foreign_token

from mockserver import MockServer
from mockserver.app import application
from mockserver.resource.build import build_resources, load_scenarios

NOW = 1_790_000_000
SERVICE = "https://cognitiveservices.azure.com"
APP_SERVICE = "/_mock/identity/app-service"
IMDS = "/metadata/identity/oauth2/token"


def app_service(http: httpx2.Client, mock: MockServer, header: str | None = "x", **query: str) -> httpx2.Response:
    query = {"api-version": "2019-08-01", "resource": SERVICE} | query
    headers = {} if header is None else {"X-IDENTITY-HEADER": header}
    return http.get(mock.endpoint + APP_SERVICE, params=query, headers=headers)


def imds(http: httpx2.Client, mock: MockServer, path: str = IMDS, metadata: str = "true", **query: str) -> httpx2.Response:
    query = {"api-version": "2018-02-01", "resource": SERVICE} | query
    return http.get(mock.endpoint + path, params=query, headers={"Metadata": metadata})


def chat(http: httpx2.Client, endpoint: str, token: str) -> httpx2.Response:
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
    return http.post(f"{endpoint}/openai/v1/chat/completions", json=body, headers={"authorization": f"Bearer {token}"})


def test_app_service_gives_a_token_that_opens_the_resource(http: httpx2.Client, mock: MockServer) -> None:
    answer = app_service(http, mock)
    body = answer.json()
    assert answer.status_code == 200
    assert list(body) == ["access_token", "expires_on", "resource", "token_type", "client_id"]
    assert (body["expires_on"], body["resource"], body["token_type"]) == (str(NOW + 86_399), SERVICE, "Bearer")
    assert chat(http, mock.endpoint, body["access_token"]).status_code == 200


def test_a_token_has_entras_claims(http: httpx2.Client, mock: MockServer) -> None:
    claims = claims_of(app_service(http, mock, client_id="11111111-2222-4333-8444-555555555555").json()["access_token"])
    assert (claims["aud"], claims["iat"], claims["nbf"], claims["exp"]) == (SERVICE, NOW, NOW, NOW + 86_399)
    assert claims["appid"] == "11111111-2222-4333-8444-555555555555"
    assert claims["iss"] == f"https://sts.windows.net/{claims['tid']}/"
    assert claims["oid"] == claims["sub"]
    assert (claims["ver"], claims["idtyp"]) == ("1.0", "app")


def test_ids_stay_and_tokens_differ(http: httpx2.Client, mock: MockServer) -> None:
    first, second, other = (
        claims_of(app_service(http, mock, client_id=name).json()["access_token"]) for name in ("one", "one", "two")
    )
    assert first["oid"] == second["oid"] != other["oid"]
    assert first["uti"] != second["uti"]


@pytest.mark.parametrize("path", [IMDS, IMDS + "/"])
def test_a_virtual_machine_gets_a_token(http: httpx2.Client, mock: MockServer, path: str) -> None:
    body = imds(http, mock, path).json()
    assert (body["expires_in"], body["expires_on"], body["not_before"]) == ("86399", str(NOW + 86_399), str(NOW))
    assert chat(http, mock.endpoint, body["access_token"]).status_code == 200


def test_what_app_service_refuses(http: httpx2.Client, mock: MockServer) -> None:
    assert app_service(http, mock, header=None).status_code == 401
    assert app_service(http, mock, **{"api-version": "2017-09-01"}).json()["statusCode"] == 400
    assert app_service(http, mock, resource="").status_code == 400


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"metadata": "false"}, "Required metadata header not specified"),
        ({"api-version": ""}, "Required parameter api-version not specified"),
        ({"resource": ""}, "Required audience parameter not specified"),
    ],
)
def test_what_a_virtual_machine_refuses(http: httpx2.Client, mock: MockServer, changes: Any, description: str) -> None:
    answer = imds(http, mock, **changes)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request", "error_description": description})


@pytest.mark.parametrize(
    ("refuse", "status"), [("invalid_client", 400), ("unauthorized_client", 400), ("throttled", 429), ("unavailable", 503)]
)
def test_a_scenario_lets_token_requests_fail(http: httpx2.Client, refuse: str, status: int) -> None:
    with MockServer({"resource": {"identity": {"refuse": refuse}}}) as mock:
        assert app_service(http, mock).status_code == status
        assert imds(http, mock).status_code == status


def test_a_token_expires_by_the_resources_clock(http: httpx2.Client) -> None:
    with MockServer({"resource": {"identity": {"expires_in": "5m"}}}) as mock:
        mock.clock.freeze(NOW)
        token = app_service(http, mock).json()["access_token"]
        mock.clock.advance(299)
        assert chat(http, mock.endpoint, token).status_code == 200
        mock.clock.advance(1)
        assert chat(http, mock.endpoint, token).status_code == 401


def test_a_key_as_identity_header_selects_its_resource(http: httpx2.Client) -> None:
    scenarios = [{"resource": {"name": name, "keys": [f"{name}-key"]}, "rules": [{"respond": name}]} for name in ("one", "two")]
    with MockServer(scenarios) as mock:
        for header, owner in (("one-key", "one"), ("two-key", "two"), ("anything", "one")):
            token = app_service(http, mock, header).json()["access_token"]
            assert chat(http, mock.endpoint, token).json()["choices"][0]["message"]["content"] == owner


@pytest.mark.anyio
async def test_other_machines_need_a_key() -> None:
    resources = build_resources(load_scenarios([]), {})
    transport = httpx2.ASGITransport(application(resources, {}, guarded=True))
    async with httpx2.AsyncClient(transport=transport, base_url="http://10.1.2.3:4650") as http:
        query = {"api-version": "2019-08-01", "resource": SERVICE}
        for header, status in (("guess", 401), ("mock-key", 200)):
            answer = await http.get(APP_SERVICE, params=query, headers={"x-identity-header": header})
            assert answer.status_code == status
        assert (await http.get(IMDS, params=query, headers={"metadata": "true"})).status_code == 401
        assert (await http.post("/_mock/identity/token", json={})).status_code == 401
        assert (await http.post("/_mock/identity/token", json={}, headers={"api-key": "mock-key"})).status_code == 200
        form = {"grant_type": "client_credentials", "client_id": "app", "scope": f"{SERVICE}/.default"}
        for secret, status in (("guess", 401), ("mock-key", 200)):
            answer = await http.post("/common/oauth2/v2.0/token", data=form | {"client_secret": secret})
            assert answer.status_code == status


@pytest.mark.anyio
async def test_other_machines_need_no_key_where_nobody_does() -> None:
    resources = build_resources(load_scenarios([]), {"keys": ("none",)})
    transport = httpx2.ASGITransport(application(resources, {}, guarded=True))
    async with httpx2.AsyncClient(transport=transport, base_url="http://10.1.2.3:4650") as http:
        query = {"api-version": "2018-02-01", "resource": SERVICE}
        assert (await http.get(IMDS, params=query, headers={"metadata": "true"})).status_code == 200


@pytest.mark.anyio
async def test_a_token_does_not_open_the_control_api_to_other_machines() -> None:
    resources = build_resources(load_scenarios([]), {})
    transport = httpx2.ASGITransport(application(resources, {}, guarded=True))
    async with httpx2.AsyncClient(transport=transport, base_url="http://10.1.2.3:4650") as http:
        for bearer, status in ((foreign_token(aud=SERVICE, exp=99_999_999_999), 401), ("mock-key", 200)):
            answer = await http.get("/_mock/journal", headers={"authorization": f"Bearer {bearer}"})
            assert answer.status_code == status


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"host": "evil.example"}])
def test_a_page_of_somewhere_else_gets_no_token(http: httpx2.Client, mock: MockServer, headers: dict[str, str]) -> None:
    answer = http.get(
        mock.endpoint + APP_SERVICE,
        params={"api-version": "2019-08-01", "resource": SERVICE},
        headers={"x-identity-header": "mock-key", **headers},
    )
    assert answer.status_code == 403


def test_without_the_extra_the_answer_says_what_to_install(
    http: httpx2.Client, mock: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ImportError

    monkeypatch.setattr("mockserver.identity.issuer.signing_key", missing)
    answer = app_service(http, mock)
    assert answer.status_code == 501
    assert "pip install 'azure-openai-mockserver[tls]'" in answer.json()["error_description"]
