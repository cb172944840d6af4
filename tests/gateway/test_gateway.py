"""What Azure's gateway does before a model is asked: routes, credentials, versions, preview headers, bodies, quotas."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.operations.table import TABLE

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
KEY_ERROR = (
    b'{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. Make sure to '
    b'provide a valid key for an active subscription and use a correct regional API endpoint for your resource."}}'
)


def token(**claims: Any) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2ln"


def post(http: httpx2.Client, mock: MockServer, path: str = "chat/completions", **options: Any) -> httpx2.Response:
    options.setdefault("headers", {"api-key": mock.api_key})
    options.setdefault("json", CHAT) if "content" not in options else None
    return http.post(mock.base_url + path, **options)


# -- credentials


@pytest.mark.parametrize(
    "headers",
    [
        {"api-key": "mock-key"},
        {"Authorization": "Bearer mock-key"},
        {"authorization": "bearer mock-key"},
        {"AUTHORIZATION": "BEARER   mock-key"},
        {"api-key": "wrong", "authorization": "Bearer mock-key"},
        {"api-key": "mock-key", "authorization": "Bearer wrong"},
        {"authorization": f"Bearer {token(aud='https://cognitiveservices.azure.com', exp=1_790_000_001)}"},
        {"authorization": f"Bearer {token(aud='https://ai.azure.com/', exp=1_790_000_001)}"},
        {"authorization": f"Bearer {token(aud=['x', 'https://ai.azure.com'], exp=1_790_000_001, nbf=1_790_000_000)}"},
    ],
)
def test_a_key_in_either_header_or_a_token_for_the_service_opens_the_resource(
    http: httpx2.Client, mock: MockServer, headers: Any
) -> None:
    assert post(http, mock, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"api-key": "wrong"},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic mock-key"},
        {"authorization": "mock-key"},
    ],
)
def test_a_missing_or_wrong_key_gets_the_224_bytes_and_hardly_a_header(
    http: httpx2.Client, mock: MockServer, headers: Any
) -> None:
    answer = post(http, mock, headers=headers)
    assert (answer.status_code, answer.reason_phrase, answer.content) == (401, "PermissionDenied", KEY_ERROR)
    assert sorted(answer.headers) == ["apim-request-id", "content-length", "content-type", "date"]
    assert answer.headers["content-length"] == "224"


@pytest.mark.parametrize(
    "bearer",
    [
        token(aud="https://cognitiveservices.azure.com", exp=1_789_999_999),
        token(aud="https://management.azure.com", exp=1_790_000_001),
        token(aud="https://cognitiveservices.azure.com"),
        token(aud="https://cognitiveservices.azure.com", exp=1_790_000_009, nbf=1_790_000_005),
        token(aud="https://cognitiveservices.azure.com", exp="tomorrow"),
        "eyJ.!!!.x",
        "eyJhbGciOiJub25lIn0.W10.x",
    ],
)
def test_a_token_that_does_not_hold_gets_the_token_error(http: httpx2.Client, mock: MockServer, bearer: str) -> None:
    answer = post(http, mock, headers={"authorization": f"Bearer {bearer}"})
    assert_azure_error(answer, 401, contains="Access token is missing, invalid, audience is incorrect")


def test_time_moves_a_token_past_its_expiry(http: httpx2.Client, mock: MockServer) -> None:
    headers = {"authorization": f"Bearer {token(aud='https://ai.azure.com', exp=1_790_000_060)}"}
    assert post(http, mock, headers=headers).status_code == 200
    mock.clock.advance("61s")
    assert post(http, mock, headers=headers).status_code == 401


def test_key_none_lets_everybody_in(http: httpx2.Client) -> None:
    with MockServer(key="none") as mock:
        assert post(http, mock, headers={}).status_code == 200


# -- resources


def two_resources() -> list[dict[str, Any]]:
    return [
        {"resource": {"name": "contoso", "keys": ["c-key"]}, "rules": [{"respond": "from contoso"}]},
        {"resource": {"name": "fabrikam", "keys": ["f-key", "f-key-2"]}, "rules": [{"respond": "from fabrikam"}]},
    ]


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"api-key": "c-key"}, "from contoso"),
        ({"api-key": "f-key-2"}, "from fabrikam"),
        ({"api-key": "f-key", "host": "fabrikam.openai.azure.com"}, "from fabrikam"),
        ({"api-key": "c-key", "host": "CONTOSO.services.ai.azure.com:443"}, "from contoso"),
        ({"api-key": "c-key", "host": "contoso.cognitiveservices.azure.com"}, "from contoso"),
        (
            {
                "authorization": f"Bearer {token(aud='https://ai.azure.com', exp=99_999_999_999)}",
                "host": "fabrikam.openai.azure.com",
            },
            "from fabrikam",
        ),
    ],
)
def test_a_key_or_a_host_name_chooses_the_resource(http: httpx2.Client, headers: Any, said: str) -> None:
    with MockServer(two_resources()) as mock:
        answer = post(http, mock, headers=headers)
        assert answer.json()["choices"][0]["message"]["content"] == said


def test_the_key_of_another_resource_does_not_open_a_named_host(http: httpx2.Client) -> None:
    with MockServer(two_resources()) as mock:
        answer = post(http, mock, headers={"api-key": "c-key", "host": "fabrikam.openai.azure.com"})
        assert (answer.status_code, answer.reason_phrase, answer.content) == (401, "PermissionDenied", KEY_ERROR)


def test_resources_share_neither_journal_nor_deployments(http: httpx2.Client) -> None:
    with MockServer(two_resources()) as mock:
        post(http, mock, headers={"api-key": "f-key"})
        contoso, fabrikam = mock.resources.by_name["contoso"], mock.resources.by_name["fabrikam"]
        assert (len(contoso.journal), len(fabrikam.journal)) == (0, 1)


# -- routes, methods, versions


@pytest.mark.parametrize(
    "path",
    [
        "/favicon.ico",
        "/openai",
        "/openai/v1",
        "/v1/chat/completions",
        "/openai/models",
        "/openai/deployments/x/nothing",
        "/openai/deployments/x/chat/completions",
        "/openai/v1/nothing",
        "/openai/v1/chat",
        "/openai/v1/models/a/b",
    ],
)
def test_a_path_outside_the_surface_gets_the_56_bytes(http: httpx2.Client, mock: MockServer, path: str) -> None:
    answer = http.get(mock.endpoint + path, headers={"api-key": mock.api_key})
    assert (answer.status_code, answer.content) == (404, b'{"error":{"code":"404","message": "Resource not found"}}')
    assert answer.reason_phrase == "Resource Not Found"
    assert "strict-transport-security" in answer.headers
    assert "x-ms-region" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/openai/v1//chat/completions", "//openai/v1/chat/completions", "/openai/v1/chat/completions/"]
)
def test_doubled_and_trailing_slashes_are_let_through(http: httpx2.Client, mock: MockServer, path: str) -> None:
    answer = http.post(mock.endpoint + path, json=CHAT, headers={"api-key": mock.api_key})
    assert answer.status_code == 200


def test_a_known_path_with_another_method_gets_405_and_the_methods_it_has(http: httpx2.Client, mock: MockServer) -> None:
    answer = http.put(mock.base_url + "embeddings", headers={"api-key": mock.api_key})
    assert_azure_error(answer, 405, code="405")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("query", ["", "?api-version=v1", "?api-version=preview", "?api-version="])
def test_versions_that_the_surface_has_are_taken(http: httpx2.Client, mock: MockServer, query: str) -> None:
    assert post(http, mock, f"chat/completions{query}").status_code == 200


def test_a_dated_version_is_refused(http: httpx2.Client, mock: MockServer) -> None:
    answer = post(http, mock, "chat/completions?api-version=2024-10-21")
    message = "api-version query parameter is not allowed when using /v1 path"
    assert_azure_error(answer, 400, code="BadRequest", message=message)


def test_an_operation_that_is_not_emulated_yet_says_its_name(http: httpx2.Client, mock: MockServer) -> None:
    answer = http.get(mock.base_url + "realtime/calls", headers={"api-key": mock.api_key})
    assert answer.status_code == 405
    answer = http.post(mock.base_url + "realtime/calls", headers={"api-key": mock.api_key})
    assert_azure_error(answer, 501, contains="createRealtimeCall")


# -- preview headers


@pytest.mark.parametrize(
    ("profile", "headers", "status"),
    [
        (None, {}, 400),
        (None, {"aoai-evals": "yes"}, 400),
        (None, {"AOAI-Evals": "preview"}, 200),
        ("2026-03", {}, 200),
    ],
)
def test_evals_ask_for_their_preview_header_under_the_default_profile(
    http: httpx2.Client, profile: Any, headers: Any, status: int
) -> None:
    with MockServer(profile=profile) as mock:
        answer = http.get(mock.base_url + "evals", headers={"api-key": mock.api_key, **headers})
    assert answer.status_code == status
    if status == 400:
        message = "This feature requires the 'aoai-evals' header to be set to 'preview'."
        assert_azure_error(answer, 400, param="aoai-evals", message=message)


def test_copying_a_checkpoint_asks_for_its_header_before_the_body_is_read(http: httpx2.Client) -> None:
    with MockServer(profile="2026-03") as mock:
        url = mock.base_url + "fine_tuning/jobs/ftjob-1/checkpoints/ftchkpt-1/copy"
        answer = http.post(url, content=b"{not json", headers={"api-key": mock.api_key})
        assert_azure_error(answer, 400, param="aoai-copy-ft-checkpoints")


# -- deployments and quotas


def test_any_deployment_works_until_one_is_declared(http: httpx2.Client, mock: MockServer) -> None:
    assert post(http, mock, json=CHAT | {"model": "whatever-you-like"}).json()["model"].startswith("gpt-4o-")
    with MockServer(deployments={"mine": "gpt-4.1-mini"}) as declared:
        assert post(http, declared, json=CHAT | {"model": "mine"}).json()["model"] == "gpt-4.1-mini-2025-04-14"
        answer = post(http, declared)
        assert answer.status_code == 404
        assert answer.text == (
            '{\n  "error": {\n    "type": "invalid_request_error",\n    "code": "DeploymentNotFound",\n    "message": "The API deployment for '
            "this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try "
            'again."\n  }\n}'
        )
        assert "content-type" not in answer.headers


@pytest.mark.parametrize("body", [{}, {"model": ""}, {"model": None, "messages": []}])
def test_a_body_without_a_model_is_told_so(http: httpx2.Client, mock: MockServer, body: Any) -> None:
    answer = post(http, mock, json=body)
    assert (answer.status_code, answer.text) == (400, '{\n  "error": {\n    "message": "Missed model deployment"\n  }\n}')


@pytest.mark.parametrize("name", ["gpt-4o\r\nx-evil: 1", "gpt-4o\x00", "gpt-4o\n", "模型"])
def test_no_name_breaks_or_adds_a_header(http: httpx2.Client, mock: MockServer, name: str) -> None:
    answer = post(http, mock, json=CHAT | {"model": name})
    assert answer.status_code == 200
    assert "x-evil" not in answer.headers


def test_no_deployment_has_an_endless_name(http: httpx2.Client, mock: MockServer) -> None:
    assert post(http, mock, json=CHAT | {"model": "x" * 256}).status_code == 200
    assert_azure_error(post(http, mock, json=CHAT | {"model": "x" * 257}), 404, code="DeploymentNotFound")


def test_a_model_that_cannot_do_it_is_refused_by_name(http: httpx2.Client, mock: MockServer) -> None:
    answer = post(http, mock, json=CHAT | {"model": "text-embedding-3-small"})
    assert_azure_error(answer, 400, code="OperationNotSupported")
    answer = post(http, mock, "embeddings", json={"model": "gpt-4o", "input": "x"})
    assert_azure_error(answer, 400, contains="The embeddings operation does not work with the specified model, gpt-4o.")


def test_a_declared_request_limit_holds_for_its_minute(http: httpx2.Client) -> None:
    scenario = {"deployments": {"small": {"model": "gpt-4o", "rpm": 2, "tpm": 1000}}}
    with MockServer(scenario) as mock:
        mock.clock.freeze(1_790_000_000)
        body = CHAT | {"model": "small"}
        left = [post(http, mock, json=body).headers["x-ratelimit-remaining-requests"] for _ in range(2)]
        assert left == ["1", "0"]
        refused = post(http, mock, json=body)
        assert_azure_error(refused, 429, code="RateLimitReached", contains="have exceeded the call rate limit")
        assert (refused.headers["retry-after"], refused.headers["retry-after-ms"]) == ("60", "60000")
        assert refused.headers["x-ratelimit-remaining-requests"] == "0"
        mock.clock.advance(60)
        assert post(http, mock, json=body).status_code == 200


def test_a_declared_token_limit_counts_the_prompt_and_the_answers_limit(http: httpx2.Client) -> None:
    scenario = {"deployments": {"small": {"model": "gpt-4o", "tpm": 100}}}
    with MockServer(scenario) as mock:
        body = {"model": "small", "messages": [{"role": "user", "content": "x" * 40}], "max_tokens": 50}
        answer = post(http, mock, json=body)
        assert answer.headers["x-ratelimit-remaining-tokens"] == "40"
        refused = post(http, mock, json=body)
        assert_azure_error(refused, 429, contains="token rate limit")
        assert refused.headers["x-ratelimit-type"] == "Tokens"


# -- headers and journal


def test_an_answer_carries_the_headers_of_its_family(http: httpx2.Client, mock: MockServer) -> None:
    headers = post(http, mock).headers
    wanted = {
        "content-type": "application/json",
        "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
        "x-content-type-options": "nosniff",
        "x-ms-region": "East US 2",
        "x-ms-deployment-name": "gpt-4o",
        "x-ms-served-model": "gpt-4o-2024-11-20",
        "x-ms-rai-invoked": "true",
        "x-accel-buffering": "no",
        "azureai-fe-is-streaming": "False",
        "x-ratelimit-key": "gpt-4o",
        "x-ratelimit-renewalperiod-tokens": "60",
        "x-ms-is-spilled-over": "false",
    }
    assert {name: headers[name] for name in wanted} == wanted
    assert "server" not in headers
    assert headers["apim-request-id"] != headers["x-request-id"]
    assert "x-ms-client-request-id" not in headers


def test_a_clients_request_id_is_echoed(http: httpx2.Client, mock: MockServer) -> None:
    answer = post(http, mock, headers={"api-key": mock.api_key, "x-ms-client-request-id": "mine-1"})
    assert answer.headers["x-ms-client-request-id"] == "mine-1"


def test_every_exchange_is_journaled_even_a_401(http: httpx2.Client, mock: MockServer) -> None:
    post(http, mock)
    post(http, mock, headers={})
    http.get(mock.endpoint + "/nowhere")
    assert [(one.operation, one.status, one.error) for one in mock.requests] == [
        ("createChatCompletion", 200, None),
        ("", 401, "401"),
        ("", 404, "404"),
    ]
    assert mock.requests[0].request == CHAT
    assert mock.requests[0].response["object"] == "chat.completion"


def test_a_path_cannot_forge_a_log_line_nor_drive_a_terminal(
    http: httpx2.Client, mock: MockServer, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "mockserver"):
        http.get(mock.base_url + "x%0A12:00:00 GET forged%1B[31m\N{RIGHT-TO-LEFT OVERRIDE}")
    lines = [record.getMessage() for record in caplog.records if record.name == "mockserver"]
    assert len(lines) == 1
    assert lines[0].isprintable()
    assert r"x\n12:00:00 GET forged\x1b[31m\u202e" in lines[0]


def test_a_request_is_one_tidy_log_line(http: httpx2.Client, mock: MockServer, caplog: pytest.LogCaptureFixture) -> None:
    mock.when(user="hi").respond("hello")
    with caplog.at_level(logging.INFO, "mockserver"):
        post(http, mock)
        post(http, mock, headers={})
        mock.stop()  # a line is written once its answer has left
    lines = [record.getMessage() for record in caplog.records if record.name == "mockserver"]
    assert lines[0].startswith("POST createChatCompletion gpt-4o · rule ")
    assert "· 200 ·" in lines[0]
    assert lines[1].startswith("POST /openai/v1/chat/completions · 401 · 401 ·")


# -- bodies


@pytest.mark.parametrize("content", [b"{", b"nonsense", b"\xff\xfe", b'{"model": NaN}', b'{"a": "\\ud800"}', b"[" * 5000])
def test_a_body_that_is_not_json_is_told_so(http: httpx2.Client, mock: MockServer, content: bytes) -> None:
    answer = post(http, mock, content=content)
    assert_azure_error(answer, 400, contains="We could not parse the JSON body of your request.")


@pytest.mark.parametrize(
    ("content", "got"), [(b"[]", "an array"), (b'"x"', "a string"), (b"1", "an integer"), (b"null", "null")]
)
def test_a_body_that_is_not_an_object_is_told_so(http: httpx2.Client, mock: MockServer, content: bytes, got: str) -> None:
    answer = post(http, mock, content=content)
    assert_azure_error(answer, 400, contains=f"expected an object, but got {got} instead")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
PATHS = ("chat/completions", "embeddings", "completions", "responses")


def fields(path: str) -> list[str]:
    found = TABLE.find("/" + path)
    assert found is not None
    return sorted(found[0].methods["POST"].body.model_fields)  # type: ignore[union-attr]


MODELS = {"embeddings": "text-embedding-3-small", "completions": "gpt-35-turbo-instruct"}


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_body_ends_in_a_5xx(mock: MockServer, http: httpx2.Client, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(PATHS))
    body = data.draw(st.dictionaries(st.sampled_from(fields(path)), JSON, max_size=5))
    good = {"model": MODELS.get(path, data.draw(st.sampled_from(["gpt-4o", "o4-mini", "grok-3-mini"])))}
    if data.draw(st.booleans()):
        good |= (
            {"messages": CHAT["messages"]}
            if path == "chat/completions"
            else {"input": "hi"}
            if path != "completions"
            else {"prompt": "hi"}
        )
    answer = post(http, mock, path, json=good | body)
    assert answer.status_code < 500, answer.text


def test_a_huge_body_is_answered(http: httpx2.Client, mock: MockServer) -> None:
    answer = post(http, mock, json={"model": "gpt-4.1", "messages": [{"role": "user", "content": "word " * 300_000}]})
    assert answer.status_code == 200
    assert answer.json()["usage"]["prompt_tokens"] > 300_000
