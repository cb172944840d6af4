"""Applications: the paths of login.microsoftonline.com."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.tokens import claims_of, foreign_token

from mockserver import MockServer
from mockserver.identity.requests import LOGIN_HOST

TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
FORM = {
    "client_id": "11111111-2222-4333-8444-555555555555",
    "client_secret": "anything",
    "grant_type": "client_credentials",
    "scope": "https://cognitiveservices.azure.com/.default",
    "client_info": "1",
}


def ask(http: httpx2.Client, mock: MockServer, tenant: str = TENANT, **fields: Any) -> httpx2.Response:
    form = {name: value for name, value in (FORM | fields).items() if value is not None}
    return http.post(f"{mock.endpoint}/{tenant}/oauth2/v2.0/token", data=form, headers={"host": LOGIN_HOST})


def get(http: httpx2.Client, mock: MockServer, path: str) -> Any:
    return http.get(mock.endpoint + path, headers={"host": LOGIN_HOST}).json()


def opens(http: httpx2.Client, mock: MockServer, token: str) -> bool:
    return http.get(mock.base_url + "models", headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_a_secret_gets_a_token_of_the_tenant_in_the_path(http: httpx2.Client, mock: MockServer) -> None:
    body = ask(http, mock).json()
    assert list(body) == ["token_type", "expires_in", "ext_expires_in", "access_token"]
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3_599)
    claims = claims_of(body["access_token"])
    assert (claims["tid"], claims["appid"], claims["aud"]) == (TENANT, FORM["client_id"], "https://cognitiveservices.azure.com")
    assert claims["appidacr"] == "1"
    assert opens(http, mock, body["access_token"])


def test_a_workload_identity_sends_an_assertion(http: httpx2.Client, mock: MockServer) -> None:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    answer = ask(http, mock, client_secret=None, client_assertion=foreign_token(sub="pod"), client_assertion_type=kind)
    assert claims_of(answer.json()["access_token"])["appidacr"] == "2"


def test_discovery_leads_to_the_routes(http: httpx2.Client, mock: MockServer) -> None:
    instance = get(
        http, mock, f"/common/discovery/instance?authorization_endpoint=https://{LOGIN_HOST}/{TENANT}/x&api-version=1.1"
    )
    place = f"https://{LOGIN_HOST}/{TENANT}/v2.0"
    assert instance["tenant_discovery_endpoint"] == f"{place}/.well-known/openid-configuration"
    assert LOGIN_HOST in instance["metadata"][0]["aliases"]
    found = get(http, mock, f"/{TENANT}/v2.0/.well-known/openid-configuration")
    assert found["issuer"] == place
    assert found["token_endpoint"] == f"https://{LOGIN_HOST}/{TENANT}/oauth2/v2.0/token"
    assert found["authorization_endpoint"].startswith(f"https://{LOGIN_HOST}/{TENANT}/")
    assert get(http, mock, found["jwks_uri"].removeprefix(f"https://{LOGIN_HOST}"))["keys"][0]["kty"] == "RSA"


def test_another_library_confirms_the_signature(http: httpx2.Client, mock: MockServer) -> None:
    jwt = pytest.importorskip("jwt", reason="PyJWT is not installed")
    token = ask(http, mock).json()["access_token"]
    keys = jwt.PyJWKSet.from_dict(get(http, mock, "/common/discovery/v2.0/keys"))
    key = keys[jwt.get_unverified_header(token)["kid"]]
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    assert jwt.decode(token, key, algorithms=["RS256"], audience="https://cognitiveservices.azure.com", options=options)


@pytest.mark.parametrize(
    ("fields", "status", "error", "code"),
    [
        ({"grant_type": None}, 400, "invalid_request", 900_144),
        ({"client_id": None}, 400, "invalid_request", 900_144),
        ({"scope": ""}, 400, "invalid_request", 900_144),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70_003),
        ({"client_secret": None}, 401, "invalid_client", 7_000_216),
        ({"scope": "https://cognitiveservices.azure.com"}, 400, "invalid_scope", 1_002_012),
    ],
)
def test_refusals_are_entras(
    http: httpx2.Client, mock: MockServer, fields: dict[str, Any], status: int, error: str, code: int
) -> None:
    answer = ask(http, mock, **fields)
    body = answer.json()
    assert (answer.status_code, body["error"], body["error_codes"]) == (status, error, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert body["timestamp"] == "2026-09-21 14:13:20Z"
    assert body["trace_id"] in body["error_description"]


@pytest.mark.parametrize(
    ("refuse", "status", "code"),
    [
        ("invalid_client", 401, 7_000_215),
        ("unauthorized_client", 400, 700_016),
        ("throttled", 429, 90_055),
        ("unavailable", 503, 90_033),
    ],
)
def test_a_scenario_refuses(http: httpx2.Client, refuse: str, status: int, code: int) -> None:
    with MockServer({"resource": {"identity": {"refuse": refuse}}}) as mock:
        answer = ask(http, mock)
        assert (answer.status_code, answer.json()["error_codes"]) == (status, [code])


def test_a_scenarios_tenant_is_the_only_one(http: httpx2.Client) -> None:
    with MockServer({"resource": {"identity": {"tenant": TENANT}}}) as mock:
        assert claims_of(ask(http, mock, "common").json()["access_token"])["tid"] == TENANT
        refused = ask(http, mock, "00000000-0000-0000-0000-000000000000").json()
        assert refused["error_codes"] == [90_002]
        ours = ask(http, mock).json()["access_token"]
        theirs = foreign_token(aud="https://ai.azure.com", exp=99_999_999_999, tid="another")
        assert opens(http, mock, ours)
        assert not opens(http, mock, theirs)


def test_a_token_for_something_else_is_given_and_does_not_open_the_resource(http: httpx2.Client, mock: MockServer) -> None:
    token = ask(http, mock, scope="https://management.azure.com/.default").json()["access_token"]
    assert not opens(http, mock, token)


def test_a_form_that_is_too_large_is_refused(http: httpx2.Client, mock: MockServer) -> None:
    assert ask(http, mock, client_assertion="x" * 70_000).status_code == 413


_TEXT = st.text(max_size=30) | st.sampled_from(list(FORM.values()))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.dictionaries(st.sampled_from(list(FORM)) | st.text(max_size=8), _TEXT),
    tenant=st.text("ab/%\\é.~", min_size=1, max_size=12),
)
def test_no_form_breaks_it(http: httpx2.Client, mock: MockServer, form: dict[str, str], tenant: str) -> None:
    answer = http.post(f"{mock.endpoint}/{quote(tenant, safe='')}/oauth2/v2.0/token", data=form)
    assert answer.status_code in (200, 400, 401, 404)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60), path=st.sampled_from(["common/oauth2/v2.0/token", "_mock/identity/token"]))
def test_no_bytes_break_it(http: httpx2.Client, mock: MockServer, body: bytes, path: str) -> None:
    assert http.post(f"{mock.endpoint}/{path}", content=body).status_code in (200, 400, 401)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.text("/[]@?#:.x ", max_size=30))
@example("//[")
def test_no_endpoint_breaks_discovery(http: httpx2.Client, mock: MockServer, place: str) -> None:
    query = {"authorization_endpoint": f"https:{place}", "api-version": "1.1"}
    assert http.get(f"{mock.endpoint}/common/discovery/instance", params=query).status_code in (200, 400)
