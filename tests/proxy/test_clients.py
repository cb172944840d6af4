"""Clients in the environment of `mockserver run`, at Azure's own addresses."""

from __future__ import annotations

import asyncio
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
