"""The image, as far as it can be tried without building one: what it copies, how it starts, how it says that it is healthy."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import httpx2

ROOT = Path(__file__).parents[2]
STEPS = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()


def step(word: str) -> str:
    return next(line.removeprefix(word).strip() for line in STEPS if line.startswith(word))


def test_it_copies_all_that_the_installation_needs() -> None:
    copied = {word for line in STEPS if line.startswith("COPY") for word in line.split()[1:-1]}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hatch = project["tool"]["hatch"]
    packages = hatch["build"]["targets"]["wheel"]["packages"]
    readme = [fragment["path"] for fragment in hatch["metadata"]["hooks"]["fancy-pypi-readme"]["fragments"]]
    licences = {path.partition("/")[0] for path in project["project"]["license-files"]}
    assert {"pyproject.toml", *readme, *licences, *packages} <= copied
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    assert {f"!{name}" for name in copied} <= set(ignored)


def test_it_is_no_root_and_has_a_place_for_scenarios() -> None:
    assert step("USER") == "mockserver"
    assert step("VOLUME") == "/scenarios"
    assert "mkdir /scenarios" in step("RUN")


def test_it_starts_without_scenarios_and_says_that_it_is_healthy(tmp_path: Path, http: httpx2.Client) -> None:
    """The start and health commands of the image, with its folder and port replaced by free ones."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    start = [str(tmp_path) if word == "/scenarios" else word for word in json.loads(step("CMD"))]
    health = json.loads(step("HEALTHCHECK").partition("CMD")[2])
    assert health[0] == "python"
    checking = [sys.executable, *(word.replace("4650", port) for word in health[1:])]
    command = [sys.executable, "-m", *json.loads(step("ENTRYPOINT")), *start]
    process = subprocess.Popen(command, env=os.environ | {"MOCKSERVER_PORT": port}, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ctrl-C" in line:
                assert "no scenario: answers are improvised" in line
                break
        subprocess.run(checking, check=True, timeout=10)
        endpoint = f"http://127.0.0.1:{port}"
        assert http.get(endpoint + "/_mock/journal").status_code == 401
        body = {"model": "gpt-4o", "input": "hi"}
        assert http.post(endpoint + "/openai/v1/responses", json=body, headers={"api-key": "mock-key"}).status_code == 200
    finally:
        process.terminate()
        process.communicate(timeout=5)
    assert subprocess.run(checking, stderr=subprocess.DEVNULL, check=False, timeout=10).returncode == 1
