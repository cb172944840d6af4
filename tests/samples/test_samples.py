"""The samples of Azure's v1 page, run as they are written: only the environment says where the resource is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from mockserver import MockServer

Json = Any
SAMPLES = Path(__file__).parent
NODE_FOLDER = Path(tempfile.gettempdir()) / "mockserver-test-node"


@pytest.fixture(scope="module")
def resource() -> Iterator[MockServer]:
    with MockServer({"rules": [{"respond": {"text": "It is a test."}}]}) as mock:
        yield mock


def run(command: list[str], mock: MockServer, **variables: str) -> str:
    """What a sample prints."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "TEMP", "TMP", "PYTHONPATH") if name in os.environ
    }
    told = {"AZURE_OPENAI_ENDPOINT": mock.endpoint, "AZURE_OPENAI_API_KEY": mock.api_key, "NO_PROXY": "*"}
    done = subprocess.run(command, env=kept | (variables or told), capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def said(answer: Json) -> str:
    """The words of a response or a chat completion."""
    if answer["object"] == "chat.completion":
        return str(answer["choices"][0]["message"]["content"])
    return str(answer["output"][-1]["content"][0]["text"])


def test_python_with_a_key(resource: MockServer) -> None:
    response = json.loads(run([sys.executable, str(SAMPLES / "key.py")], resource))
    assert (response["model"], response["status"]) == ("gpt-4.1-nano", "completed")
    assert said(response) == "It is a test."


def test_python_with_nothing_but_the_environment(resource: MockServer) -> None:
    where = {"OPENAI_BASE_URL": resource.base_url, "OPENAI_API_KEY": resource.api_key, "NO_PROXY": "*"}
    response = json.loads(run([sys.executable, str(SAMPLES / "environment.py")], resource, **where))
    assert (response["model"], said(response)) == ("gpt-4o", "It is a test.")


def test_python_with_models_of_other_vendors(resource: MockServer) -> None:
    lines = run([sys.executable, str(SAMPLES / "other_models.py")], resource).splitlines()
    told = [json.loads(line) for line in lines]
    assert [one["model"] for one in told] == ["MAI-DS-R1", "grok-3-mini-high"]
    assert [said(one) for one in told] == ["It is a test."] * 2


def node_packages() -> Path:
    """A folder with npm's openai in it; installed once, and only where MOCKSERVER_TEST_NODE is set."""
    if shutil.which("node") is None:
        pytest.skip("node is missing")
    found = [folder for folder in (NODE_FOLDER, *SAMPLES.parents) if (folder / "node_modules" / "openai").is_dir()]
    if found:
        return found[0]
    if not os.environ.get("MOCKSERVER_TEST_NODE"):
        pytest.skip("npm's openai is not installed; MOCKSERVER_TEST_NODE=1 installs it into a temporary folder")
    NODE_FOLDER.mkdir(exist_ok=True)
    command = [shutil.which("npm") or "npm", "install", "--prefix", str(NODE_FOLDER), "--no-audit", "--no-fund", "openai"]
    installed = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if installed.returncode:
        pytest.skip(f"npm's openai cannot be installed: {installed.stderr[-200:]}")
    return NODE_FOLDER


def test_javascript(resource: MockServer) -> None:
    folder = node_packages()
    sample = Path(shutil.copy(SAMPLES / "responses.mjs", folder)) if folder == NODE_FOLDER else SAMPLES / "responses.mjs"
    response, completion, streamed = map(json.loads, run(["node", str(sample)], resource).splitlines())
    assert [said(response), said(completion), streamed] == ["It is a test."] * 3


def test_rest_with_curl(resource: MockServer) -> None:
    if shutil.which("curl") is None or shutil.which("sh") is None:
        pytest.skip("curl or sh is missing; the same calls are made without them below")
    where = {"AZURE_OPENAI_ENDPOINT": resource.endpoint, "AZURE_OPENAI_API_KEY": resource.api_key}
    printed = run(["sh", str(SAMPLES / "rest.sh")], resource, **where, AZURE_OPENAI_AUTH_TOKEN=resource.api_key, NO_PROXY="*")
    decoder, told, at = json.JSONDecoder(), [], 0
    while at < len(printed.rstrip()):
        answer, at = decoder.raw_decode(printed, at)
        told.append(answer)
        at += len(printed[at:]) - len(printed[at:].lstrip())
    assert [one["model"] for one in told] == ["gpt-4.1-nano", "gpt-4o", "MAI-DS-R1", "grok-3-mini-high"]
    assert [said(one) for one in told] == ["It is a test."] * 4


@pytest.mark.parametrize("header", ["api-key", "authorization"])
@pytest.mark.parametrize("model", ["gpt-4.1-nano", "gpt-4o", "MAI-DS-R1", "grok-3-mini"])
def test_rest_without_curl(resource: MockServer, model: str, header: str) -> None:
    family = "responses" if model.startswith("gpt") else "chat/completions"
    asked = {"input": "This is a test"} if family == "responses" else {"messages": [{"role": "user", "content": "Hello"}]}
    key = resource.api_key if header == "api-key" else f"Bearer {resource.api_key}"
    body = json.dumps({"model": model, **asked}).encode()
    request = Request(resource.base_url + family, body, {"content-type": "application/json", header: key})
    with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
        assert said(json.load(answer)) == "It is a test."
