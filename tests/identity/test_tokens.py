"""Tokens at the gateway: signatures, roles, tenants, keys that are not accepted, and tokens that mean harm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.azure_errors import assert_azure_error
from support.tokens import claims_of, foreign_token, part

from mockserver import MockServer
from mockserver.operations.access import PREFIX, ROLES, allows, data_action
from mockserver.operations.table import TABLE

FOREVER = 99_999_999_999
SERVICE = "https://cognitiveservices.azure.com"
USER = "Cognitive Services OpenAI User"


def issue(http: httpx2.Client, mock: MockServer, **wanted: Any) -> str:
    answer = http.post(f"{mock.endpoint}/_mock/identity/token", json=wanted)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def models(http: httpx2.Client, mock: MockServer, bearer: str) -> httpx2.Response:
    return http.get(mock.base_url + "models", headers={"authorization": f"Bearer {bearer}"})


def client_of(mock: MockServer, http: httpx2.Client, bearer: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=mock.base_url, api_key=bearer, http_client=http, max_retries=0)


# -- signatures


def test_a_changed_token_of_ours_is_refused(http: httpx2.Client, mock: MockServer) -> None:
    token = issue(http, mock)
    head, _, signature = token.split(".")
    forged = f"{head}.{part(claims_of(token) | {'exp': FOREVER})}.{signature}"
    assert models(http, mock, token).status_code == 200
    assert_azure_error(models(http, mock, forged), 401, contains="Access token is missing, invalid")
    assert_azure_error(models(http, mock, token[:-8] + "AAAAAAAA"), 401)


def test_the_name_of_our_key_does_not_suffice(http: httpx2.Client, mock: MockServer) -> None:
    kid = http.get(f"{mock.endpoint}/common/discovery/v2.0/keys").json()["keys"][0]["kid"]
    claims = {"aud": SERVICE, "exp": FOREVER}
    assert models(http, mock, foreign_token({"alg": "RS256", "kid": "other"}, **claims)).status_code == 200
    for algorithm in ("RS256", "HS256", "none"):
        assert models(http, mock, foreign_token({"alg": algorithm, "kid": kid}, **claims)).status_code == 401


def test_with_configured_keys_every_other_signature_is_refused(http: httpx2.Client, mock: MockServer, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(http.get(f"{mock.endpoint}/common/discovery/v2.0/keys").text)
    signed = issue(http, mock, expires_in=FOREVER // 1_000)
    with MockServer(jwks=keys) as strict:
        strict.clock.freeze(1_790_000_000)
        assert models(http, strict, signed).status_code == 200
        assert models(http, strict, foreign_token(aud=SERVICE, exp=FOREVER)).status_code == 401
        assert models(http, strict, issue(http, strict)).status_code == 200
        assert http.get(strict.base_url + "models", headers={"api-key": "mock-key"}).status_code == 200


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"keys": {}}', '{"keys": [1]}', '{"keys": []}', '{"keys": [{"kty": "EC", "kid": "x"}]}']
    + [
        json.dumps({"keys": [{"kty": "RSA", "kid": kid, "n": n, "e": "AQAB"}]})
        for kid, n in ((1, "AQAB"), ("x", "A"), ("x", "ü"))
    ],
)
def test_a_file_that_is_no_key_set_is_reported(text: str, tmp_path: Path) -> None:
    from mockserver.errors import ScenarioError

    keys = tmp_path / "keys.json"
    keys.write_text(text)
    with pytest.raises(ScenarioError, match=r"jwks: .*keys.json: "):
        MockServer(jwks=keys)
    with pytest.raises(ScenarioError, match="cannot be read"):
        MockServer(jwks=tmp_path / "absent.json")


# -- roles


def test_a_role_that_does_not_suffice_is_named_with_the_action(http: httpx2.Client, mock: MockServer) -> None:
    token = issue(http, mock, roles=["Reader"])
    with pytest.raises(openai.AuthenticationError) as refused:
        client_of(mock, http, token).responses.create(model="gpt-4.1-nano", input="hi")
    error = assert_azure_error(refused.value, 401, code="PermissionDenied")
    assert error["message"] == (
        f"The principal `{claims_of(token)['oid']}` lacks the required data action "
        "`Microsoft.CognitiveServices/accounts/OpenAI/responses/write` to perform `POST /openai/v1/responses` operation."
    )


def test_the_path_in_the_refusal_has_names_in_place_of_ids(http: httpx2.Client, mock: MockServer) -> None:
    headers = {"authorization": f"Bearer {issue(http, mock, roles=[])}"}
    answer = http.get(mock.base_url + "responses/resp_1", headers=headers)
    assert_azure_error(answer, 401, contains="to perform `GET /openai/v1/responses/{response_id}` operation.")
    legacy = f"{mock.endpoint}/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    answer = http.post(legacy, json={"messages": [{"role": "user", "content": "x"}]}, headers=headers)
    assert_azure_error(answer, 401, contains="perform `POST /openai/deployments/{deployment-id}/chat/completions` operation.")
    answer = http.get(f"{mock.endpoint}/openai/models?api-version=2024-10-21", headers=headers)
    assert_azure_error(answer, 401, contains="perform `GET /openai/models` operation.")


def test_a_scenarios_roles_are_those_of_every_token(http: httpx2.Client) -> None:
    with MockServer({"resource": {"identity": {"roles": [USER]}}}) as mock:
        for token in (issue(http, mock), foreign_token(aud=SERVICE, exp=FOREVER, roles=["Cognitive Services User"])):
            client = client_of(mock, http, token)
            assert client.responses.create(model="gpt-4.1-nano", input="hi").status == "completed"
            with pytest.raises(openai.AuthenticationError, match="files/write"):
                client.files.create(file=b"{}", purpose="assistants")
        everything = client_of(mock, http, issue(http, mock, roles=["Cognitive Services OpenAI Contributor"]))
        assert everything.files.create(file=("a.txt", b"x"), purpose="assistants").id


def test_keys_have_all_rights(http: httpx2.Client) -> None:
    with MockServer({"resource": {"identity": {"roles": []}}}) as mock:
        assert client_of(mock, http, mock.api_key).models.list().data
        assert models(http, mock, issue(http, mock)).status_code == 401


ACTIONS = {
    "createResponse": "responses/write",
    "getResponse": "responses/read",
    "deleteResponse": "responses/delete",
    "createChatCompletion": "deployments/chat/completions/action",
    "getChatCompletion": "stored-completions/read",
    "deleteChatCompletion": "stored-completions/action",
    "createEmbedding": "deployments/embeddings/action",
    "createBatch": "batch-jobs/write",
    "listBatches": "batches/read",
    "cancelBatch": "batches/cancel/action",
    "createEval": "evals/write",
    "createFineTuningJob": "fine-tunes/write",
    "createFile": "files/write",
    "createRealtimeCall": "deployments/realtime/action",
    "createVectorStore": "assistants/vector_stores/write",
}


@pytest.mark.parametrize(("name", "action"), ACTIONS.items())
def test_operations_need_their_data_action(name: str, action: str) -> None:
    operation = next(operation for operation in TABLE.all() if operation.id == name)
    assert data_action(operation) == action


def test_every_operation_has_an_action_that_full_access_covers() -> None:
    for operation in TABLE.all():
        action = data_action(operation)
        assert action.rpartition("/")[2] in ("read", "write", "delete", "action"), operation
        assert allows(["Cognitive Services OpenAI Contributor"], action)
        assert not allows(["Owner", "Contributor", "Reader"], action)
    assert PREFIX.endswith("accounts/OpenAI/")


def test_what_users_may_and_what_they_may_not() -> None:
    assert allows([USER], "evals/read")
    assert not allows([USER], "stored-completions/read")
    assert not allows([USER], "fine-tunes/write")
    assert not allows(["Cognitive Services User"], "batch-jobs/write")
    assert allows(["Owner", USER], "responses/delete")
    assert all(role.grants or not role.excludes for role in ROLES.values())


# -- keys that are not accepted


def test_without_local_auth_a_key_gets_azures_403(http: httpx2.Client) -> None:
    with MockServer({"resource": {"identity": {"local_auth": False}}}) as mock:
        with pytest.raises(openai.PermissionDeniedError) as refused:
            client_of(mock, http, mock.api_key).models.list()
        assert_azure_error(
            refused.value,
            403,
            code="AuthenticationTypeDisabled",
            message="Key based authentication is disabled for this resource.",
        )
        assert models(http, mock, issue(http, mock)).status_code == 200
        assert http.get(mock.base_url + "models", headers={"api-key": "wrong"}).status_code == 401
        assert [exchange.status for exchange in mock.resource.journal] == [403, 200, 401]


def test_where_every_credential_is_accepted_our_tokens_are_checked_all_the_same(http: httpx2.Client) -> None:
    with MockServer(key="none") as mock:
        assert models(http, mock, issue(http, mock)).status_code == 200
        assert models(http, mock, issue(http, mock, expires_in=0)).status_code == 401
        assert models(http, mock, issue(http, mock, roles=["Reader"])).status_code == 401
        assert models(http, mock, foreign_token(aud="another", exp=0)).status_code == 200
        assert models(http, mock, "eyJ..").status_code == 200


def test_where_every_credential_is_accepted_a_scenarios_identity_holds(http: httpx2.Client) -> None:
    with MockServer({"resource": {"identity": {"roles": ["Reader"], "local_auth": False}}}, key="none") as mock:
        assert models(http, mock, foreign_token(aud=SERVICE, exp=FOREVER)).status_code == 401
        assert models(http, mock, foreign_token(aud="another", exp=FOREVER)).status_code == 401
        assert models(http, mock, "any-key").status_code == 403


def test_requests_that_operations_send_need_no_role(http: httpx2.Client) -> None:
    scenario = {"resource": {"identity": {"local_auth": False, "roles": ["Cognitive Services OpenAI Contributor"]}}}
    with MockServer(scenario) as mock:
        client = client_of(mock, http, issue(http, mock))
        line = {"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": {"model": "gpt-4o", "input": "x"}}
        file = client.files.create(file=("in.jsonl", json.dumps(line).encode()), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint="/v1/responses", completion_window="24h")
        assert client.batches.retrieve(batch.id).request_counts.completed == 1  # type: ignore[union-attr]


def test_a_new_scenario_changes_who_may_call(http: httpx2.Client, mock: MockServer) -> None:
    put = http.put(f"{mock.endpoint}/_mock/scenario", content="resource: {identity: {local_auth: false}}")
    assert put.status_code == 200
    assert http.get(mock.base_url + "models", headers={"api-key": mock.api_key}).status_code == 403
    http.put(f"{mock.endpoint}/_mock/scenario", content="resource: {}")
    assert http.get(mock.base_url + "models", headers={"api-key": mock.api_key}).status_code == 200


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{tenat: x}", "identity.tenat: unknown key; did you mean 'tenant'?"),
        ("{roles: [Cognitive Services OpenAI Usr]}", "did you mean 'Cognitive Services OpenAI User'?"),
        ("{roles: Reader}", "expected a list"),
        ("{local_auth: no}", "expected true or false"),
        ("{refuse: all}", "there is no 'all'"),
        ("{expires_in: soon}", "is not a duration"),
    ],
)
def test_mistakes_of_an_identity_are_reported_with_their_line(
    http: httpx2.Client, mock: MockServer, text: str, problem: str
) -> None:
    answer = http.put(f"{mock.endpoint}/_mock/scenario", content=f"resource:\n  identity: {text}\n")
    (line,) = answer.json()["error"]["problems"]
    assert line.startswith("body:2:")
    assert problem in line


# -- a token for the asking


@pytest.mark.parametrize(
    ("wanted", "part_of_message"),
    [
        ({"role": "Reader"}, "role: "),
        ({"roles": ["Redaer"]}, "the roles are Cognitive Services OpenAI User"),
        ({"expires_in": "soon"}, "expires_in: "),
        ({"expires_in": 1e300}, "expires_in: "),
        ({"resource": "absent"}, "there is no resource 'absent'"),
        ([], "the body: "),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(http: httpx2.Client, mock: MockServer, wanted: Any, part_of_message: str) -> None:
    answer = http.post(f"{mock.endpoint}/_mock/identity/token", json=wanted)
    assert answer.status_code == 400
    assert part_of_message in answer.json()["error_description"]


def test_a_token_can_have_expired_at_birth(http: httpx2.Client, mock: MockServer) -> None:
    assert models(http, mock, issue(http, mock, expires_in=0)).status_code == 401
    assert models(http, mock, issue(http, mock, audience="https://ai.azure.com/")).status_code == 200
    assert models(http, mock, issue(http, mock, audience="https://graph.microsoft.com")).status_code == 401


# -- tokens that mean harm

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_GOOD = {"aud": SERVICE, "exp": FOREVER}


@pytest.mark.parametrize(
    "token",
    [
        foreign_token({"alg": "none"}, **_GOOD),
        foreign_token({"alg": "NoNe"}, **_GOOD),
        foreign_token({"alg": ["RS256"]}, **_GOOD),
        foreign_token({"alg": "RS256", "kid": {}}, **_GOOD),
        foreign_token({"typ": "JWT"}, **_GOOD),
        foreign_token(signature="", **_GOOD),
        foreign_token(signature="!", **_GOOD),
        foreign_token(**(_GOOD | {"exp": True})),
        foreign_token(**(_GOOD | {"exp": float("inf")})),
        foreign_token(**(_GOOD | {"nbf": "0"})),
        foreign_token(**(_GOOD | {"aud": {SERVICE: 1}})),
        foreign_token(**(_GOOD | {"filler": "x" * 40_000})),
        f"{part({'alg': 'RS256'})}.{part(json.loads('[' * 900 + ']' * 900))}.c2ln",
        "eyJ..",
        "eyJ.eyJ.eyJ",
        "eyJé.é.é",
    ],
)
def test_a_hostile_token_gets_the_token_error(http: httpx2.Client, mock: MockServer, token: str) -> None:
    answer = http.get(mock.base_url + "models", headers={"authorization": f"Bearer {token}".encode()})
    assert_azure_error(answer, 401, contains="Access token is missing, invalid")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=_JSON | st.fixed_dictionaries({"alg": _JSON, "kid": _JSON}),
    claims=st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("aud", "exp", "nbf", "tid", "oid", "roles", "mockserver_resource"), _JSON)
    ),
    signature=st.sampled_from(["c2ln", "", "AAAA", "*"]),
)
def test_no_token_breaks_the_gateway(http: httpx2.Client, mock: MockServer, head: Any, claims: Any, signature: str) -> None:
    answer = models(http, mock, f"{part(head)}.{part(claims)}.{signature}")
    assert answer.status_code in (200, 401)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(oid=_JSON)
def test_no_principal_breaks_the_refusal(http: httpx2.Client, denying: MockServer, oid: Any) -> None:
    answer = models(http, denying, foreign_token(**_GOOD, oid=oid))
    assert_azure_error(answer, 401)


@pytest.fixture(scope="module")
def denying() -> Any:
    with MockServer({"resource": {"identity": {"roles": []}}}) as mock:
        yield mock
