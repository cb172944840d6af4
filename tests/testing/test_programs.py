"""`Mock.run`: programs of a test, with the mock in Azure's place."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mockserver import MockServer
from mockserver.proxy.authority import TlsError

pytest.importorskip("cryptography", reason="the extra `tls` is not installed")
CALL = """
import json, os, sys, urllib.request as web
body = json.dumps({"model": "gpt-4o", "input": sys.stdin.read() or "hi"}).encode()
headers = {"api-key": os.environ.get("KEY", "mock-key"), "content-type": "application/json"}
url = "https://YOUR-RESOURCE-NAME.openai.azure.com/openai/v1/responses"
print(json.load(web.urlopen(web.Request(url, body, headers)))["output"][0]["content"][0]["text"], os.getcwd())
"""
PROGRAM = [sys.executable, "-S", "-c", CALL]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_program_gets_input_a_folder_and_variables(tmp_path: Path) -> None:
    mock = MockServer(key="of-the-program")  # which need not have been started
    mock.when(user="ünïcode").respond("É")
    done = mock.run(PROGRAM, input="ünïcode", cwd=tmp_path, env={"KEY": "of-the-program", "PYTHONUTF8": "1"})
    assert (done.returncode, done.stdout) == (0, f"É {tmp_path}\n")


def test_a_resource_of_its_own_is_selected_by_its_key(mock: MockServer) -> None:
    minted = mock.mint()
    minted.when().respond("minted")
    assert minted.run(PROGRAM, env={"KEY": minted.api_key}).stdout.startswith("minted ")
    assert (len(minted.requests), len(mock.requests)) == (1, 0)


def test_a_program_that_fails_or_does_not_end_is_reported_as_subprocess_does(mock: MockServer) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        mock.run([sys.executable, "-S", "-c", "import sys; sys.exit('no')"], check=True)
    assert (failed.value.returncode, failed.value.stderr) == (1, "no\n")
    with pytest.raises(subprocess.TimeoutExpired):
        mock.run([sys.executable, "-S", "-c", "import time; time.sleep(60)"], timeout=0.2)


def test_without_the_extra_a_line_says_so(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(TlsError, match="pip install"):
        mock.run(["anything"])
