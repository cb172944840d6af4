"""Clients in the environment of `mockserver run`, at Azure's own addresses."""

from __future__ import annotations

import asyncio
import re
import shutil
import ssl
import subprocess
import sys
import textwrap

import aiohttp
import httpx
import httpx2
import pytest
import requests
from openai import OpenAI

from mockserver import MockServer
from mockserver.proxy.hosts import allowed_pattern, azure_pattern, is_allowed, is_azure
from mockserver.proxy.serving import Surroundings

URL = "https://contoso.openai.azure.com/openai/v1/responses"
BODY = {"model": "gpt-4o", "input": "hi"}
HEADERS = {"api-key": "mock-key"}


@pytest.fixture(autouse=True)
def _environment(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in around.variables("mock-key").items():
        monkeypatch.setenv(name, value)


def text(answer: dict) -> str:
    return answer["output"][0]["content"][0]["text"]


def test_requests() -> None:
    assert text(requests.post(URL, json=BODY, headers=HEADERS, timeout=5).json()) == "It is a test."


def test_httpx() -> None:
    assert text(httpx.post(URL, json=BODY, headers=HEADERS).json()) == "It is a test."


def test_httpx2() -> None:
    assert text(httpx2.post(URL, json=BODY, headers=HEADERS).json()) == "It is a test."


def test_aiohttp() -> None:
    trusting = ssl.create_default_context()  # aiohttp makes its own when it is imported, which here is before the environment

    async def call() -> dict:
        async with (
            aiohttp.ClientSession(trust_env=True) as session,
            session.post(URL, json=BODY, headers=HEADERS, ssl=trusting) as answer,
        ):
            return await answer.json()

    assert text(asyncio.run(call())) == "It is a test."


def test_a_stream_of_the_sdk(resource: MockServer) -> None:
    with OpenAI(base_url="https://YOUR-RESOURCE-NAME.services.ai.azure.com/openai/v1/") as client:
        events = list(client.responses.create(**BODY, stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "It is a test."
    assert resource.requests[0].headers["host"] == "your-resource-name.services.ai.azure.com"


def test_the_variables_alone_suffice(resource: MockServer) -> None:
    with OpenAI() as client:
        assert client.responses.create(**BODY).output_text == "It is a test."
    assert resource.requests[0].headers["host"].startswith("127.0.0.1:")


def test_a_host_that_is_refused_is_an_error_of_the_client(around: Surroundings) -> None:
    with pytest.raises(httpx2.ProxyError, match="403"):
        httpx2.get("https://example.com/")
    assert around.refused == {"example.com:443": 1}


PYTHON = """
    import os
    from openai import OpenAI

    client = OpenAI(
        api_key=os.getenv("AZURE_OPENAI_API_KEY"),
        base_url="https://YOUR-RESOURCE-NAME.openai.azure.com/openai/v1/"
    )

    response = client.responses.create(
        model="gpt-4.1-nano", # Replace with your model deployment name
        input="This is a test.",
    )

    print(response.output_text)
"""


def output_of(command: list[str], around: Surroundings) -> str:
    done = subprocess.run(command, env=around.environment("mock-key"), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_python_program_with_azures_address_in_it(around: Surroundings) -> None:
    assert output_of([sys.executable, "-c", textwrap.dedent(PYTHON)], around) == "It is a test.\n"


def test_curl(around: Surroundings) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing")
    call = ["curl", "-sS", "--fail", URL, "-H", "api-key: mock-key", "-H", "Content-Type: application/json"]
    assert '"It is a test."' in output_of([*call, "-d", '{"model": "gpt-4o", "input": "hi"}'], around)


NODE = """
const url = "https://YOUR-RESOURCE-NAME.openai.azure.com/openai/v1/responses";
const headers = { "api-key": "mock-key", "content-type": "application/json" };
const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ model: "gpt-4o", input: "hi" }) });
console.log((await answer.json()).output[0].content[0].text);
import https from "node:https";
https.get("https://contoso.services.ai.azure.com/openai/v1/models", { headers }, (answer) => console.log(answer.resume().statusCode));
await fetch("https://example.com/").catch((error) => console.log(error.message, String(error.cause)));
"""


def test_node(around: Surroundings) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is missing")
    first, *others = output_of(["node", "--input-type=module", "-e", NODE], around).splitlines()
    assert first == "It is a test."
    assert "200" in others
    (refused,) = set(others) - {"200"}
    assert "mockserver refused to connect to example.com" in refused or around.refused == {"example.com:443": 1}


def test_patterns_for_javascript_are_those_of_the_proxy() -> None:
    hosts = [
        "contoso.openai.azure.com",
        ".openai.azure.com",
        "xopenai-azure-com",
        "login.microsoftonline.com",
        "a.example.com",
        "b.c",
    ]
    assert [bool(re.fullmatch(azure_pattern(), host)) for host in hosts] == [is_azure(host) for host in hosts]
    allowed = ["*.example.com", "b.c"]
    assert [bool(re.fullmatch(allowed_pattern(allowed), host)) for host in hosts] == [
        is_allowed(host, allowed) for host in hosts
    ]


def test_a_token_of_the_managed_identity_opens_the_resource(around: Surroundings) -> None:
    found = around.variables("mock-key")
    query = {"resource": "https://cognitiveservices.azure.com", "api-version": "2019-08-01"}
    issued = requests.get(
        found["IDENTITY_ENDPOINT"],
        query,
        headers={"X-IDENTITY-HEADER": found["IDENTITY_HEADER"], "Metadata": "true"},
        timeout=5,
    )
    token = issued.json()["access_token"]
    answer = requests.post(URL, json=BODY, headers={"authorization": f"Bearer {token}"}, timeout=5)
    assert text(answer.json()) == "It is a test."


def test_a_service_principal_gets_its_token_at_entras_own_address() -> None:
    tenant = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555"
    discovered = requests.get(f"{tenant}/v2.0/.well-known/openid-configuration", timeout=5).json()
    form = {
        "client_id": "99999999-2222-3333-4444-555555555555",
        "client_secret": "mock-key",
        "grant_type": "client_credentials",
        "scope": "https://cognitiveservices.azure.com/.default",
    }
    token = requests.post(discovered["token_endpoint"], form, timeout=5).json()["access_token"]
    answer = requests.post(URL, json=BODY, headers={"authorization": f"Bearer {token}"}, timeout=5)
    assert text(answer.json()) == "It is a test."
