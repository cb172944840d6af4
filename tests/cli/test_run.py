"""`mockserver run`: a program with the mock in Azure's place. The command runs here, its program as a process."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from mockserver.cli.main import main
from mockserver.proxy import authority

pytest.importorskip("cryptography", reason="the extra `tls` is not installed")
POSIX = pytest.mark.skipif(os.name == "nt", reason="a POSIX shell's program")
CALL = """
import json, os, urllib.request as web
body = json.dumps({"model": "gpt-4o", "input": "hello"}).encode()
headers = {"api-key": os.environ["AZURE_OPENAI_API_KEY"], "content-type": "application/json"}
url = "https://YOUR-RESOURCE-NAME.openai.azure.com/openai/v1/responses"
print(json.load(web.urlopen(web.Request(url, body, headers)))["output"][0]["content"][0]["text"])
"""


@pytest.fixture(autouse=True)
def _around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another cache folder than the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "scenario.yaml"
    path.write_text(
        "rules:\n  - {name: greet, when: {user: hello}, respond: Hi there!}\n  - {name: part, when: {user: bye}, respond: Bye}\n"
    )
    return str(path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["run", *arguments])


def python(code: str) -> list[str]:
    return ["--", sys.executable, "-S", "-c", code]  # without site-packages, which take their time to look through


def test_a_program_calls_azure_and_a_summary_says_what_was_called(scenario: str, capfd: pytest.CaptureFixture[str]) -> None:
    result = run(scenario, *python(CALL))
    assert result.exit_code == 0, result.output
    assert capfd.readouterr().out == "Hi there!\n"
    assert result.stderr.splitlines() == ["mockserver: 1 call, 0 that no rule answered, 1 rule unused", "  unused: part"]


def test_a_key_that_is_written_into_the_program_opens_unless_keys_are_declared(
    scenario: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code = CALL.replace('os.environ["AZURE_OPENAI_API_KEY"]', '"a key of its own"')
    assert run(scenario, *python(code)).exit_code == 0
    refused = run(scenario, "--key", "the-only-key", *python(code))
    assert refused.exit_code == 1
    assert "1 answered with an error (--log-level info shows each)" in refused.stderr
    assert "401" in capfd.readouterr().err


def test_names_of_azures_select_the_resources_and_any_key_opens_them(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("contoso", "fabrikam"):
        (tmp_path / f"{name}.yaml").write_text(f"resource: {{name: {name}}}\nrules: [{{respond: I am {name}}}]\n")
    hosts = ("fabrikam.services.ai.azure.com", "contoso.openai.azure.com", "unknown.openai.azure.com")
    code = "\n".join(CALL.replace("YOUR-RESOURCE-NAME.openai.azure.com", host) for host in hosts)
    assert run("-q", str(tmp_path / "contoso.yaml"), str(tmp_path / "fabrikam.yaml"), *python(code)).exit_code == 0
    assert capfd.readouterr().out.splitlines() == ["I am fabrikam", "I am contoso", "I am contoso"]


@POSIX
@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 0", 0),
        ("exit 3", 3),
        ("kill -TERM $$", 143),
        ("trap 'exit 7' TERM; kill -TERM $PPID; while :; do sleep 0.02; done", 7),
    ],
)
def test_it_ends_as_the_program_ends_and_passes_signals_on(script: str, code: int) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run("--", "sh", "-c", script).exit_code == code
    assert signal.getsignal(signal.SIGTERM) is before


@POSIX
def test_an_interrupt_without_a_terminal_is_passed_on(tmp_path: Path) -> None:
    """As a program of its own, in a session without a terminal."""
    ready = tmp_path / "ready"
    script = f"trap 'exit 9' INT; touch {shlex.quote(str(ready))}; while :; do sleep 0.02; done"
    command = [sys.executable, "-m", "mockserver", "run", "-q", "--", "sh", "-c", script]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, start_new_session=True, **quiet) as process:
        while not ready.exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (9, b"")


def test_a_program_that_is_missing_or_cannot_be_run(tmp_path: Path) -> None:
    missing = run("--", "no-such-program")
    assert (missing.exit_code, missing.stderr) == (127, "There is no program 'no-such-program'.\n")
    if os.name != "nt":
        assert run("--", str(tmp_path)).exit_code == 126


def test_without_a_program_it_says_how() -> None:
    result = run()
    assert result.exit_code == 2
    assert "put the program behind --, as in `mockserver run -- python app.py`" in result.stderr


def test_other_hosts_are_refused_by_name(capfd: pytest.CaptureFixture[str]) -> None:
    result = run(*python("import urllib.request as web; web.urlopen('https://example.com/')"))
    assert result.exit_code == 1
    assert (
        "mockserver refused to connect to example.com:443, which is not Azure's; --allow-host example.com passes it on"
        in result.stderr
    )
    assert "  refused: example.com:443 (1 attempt); --allow-host example.com passes it on" in result.stderr
    assert "Tunnel connection failed: 403 Forbidden" in capfd.readouterr().err


@POSIX
def test_an_allowed_host_is_reached(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = (
            "import os, socket\n"
            "with socket.create_connection(('127.0.0.1', int(os.environ['HTTPS_PROXY'].rpartition(':')[2]))) as proxy:\n"
            f"    proxy.sendall(b'CONNECT 127.0.0.1:{listener.getsockname()[1]} HTTP/1.1\\r\\n\\r\\n')\n"
            "    print(proxy.recv(100).split()[1].decode())\n"
        )
        assert run("--allow-host", "127.0.0.1", *python(code)).exit_code == 0
    assert capfd.readouterr().out == "200\n"


def test_the_environment_is_the_childs_alone_and_foreign_credentials_are_left_out(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-real")
    monkeypatch.setenv("KEPT", "as it is")
    before = dict(os.environ)
    assert run("--quiet", *python("import os; [print(n, v, sep='=') for n, v in os.environ.items()]")).exit_code == 0
    assert dict(os.environ) == before
    lines = dict(line.split("=", 1) for line in capfd.readouterr().out.splitlines() if "=" in line)
    assert lines["KEPT"] == "as it is"
    assert "OPENAI_ORG_ID" not in lines
    assert lines["OPENAI_BASE_URL"] == f"{lines['AZURE_OPENAI_ENDPOINT']}/openai/v1/"
    assert lines["IDENTITY_ENDPOINT"] == f"{lines['AZURE_OPENAI_ENDPOINT']}/_mock/identity/app-service"
    assert lines["HTTPS_PROXY"] == lines["https_proxy"] != before.get("HTTPS_PROXY")
    assert f"-Dhttps.proxyPort={lines['HTTPS_PROXY'].rpartition(':')[2]}" in lines["JAVA_TOOL_OPTIONS"]
    trusted = {lines[name] for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")}
    assert len(trusted) == 1
    assert not Path(trusted.pop()).exists()  # it was a temporary file


def test_the_variables_of_one_client_can_be_left_out(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.example.com/v1")
    assert run("-q", "--client", "azure", *python("import os; print(*os.environ, sep='\\n')")).exit_code == 0
    names = capfd.readouterr().out.split()
    assert "AZURE_OPENAI_ENDPOINT" in names
    assert not {"OPENAI_BASE_URL", "OPENAI_API_KEY"} & set(names)


def test_the_verdict_fails_a_run_whose_program_was_content(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = CALL.replace('"gpt-4o"', '"gpt-4o-mock-filtered"').replace("print(", "try: (")
    code += "\nexcept Exception: pass\n"
    twice = code + "\n" + code.partition("url =")[2].partition("\n")[2]
    report = tmp_path / "verdict.xml"
    assert run("--quiet", *python(twice)).exit_code == 0
    judged = run("--verdict", "--junit", str(report), *python(twice))
    assert judged.exit_code == 1
    assert "error: content_filter_retried" in judged.stderr
    assert ElementTree.parse(report).getroot().attrib["failures"] == "1"
    assert run("--verdict", *python(twice + "\nraise SystemExit(4)")).exit_code == 4


def test_the_variables_can_be_printed_and_written_for_other_programs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mock.env"
    result = run("--print-env", "--shell", "bash", "--env-file", str(path), *python(f"print(open({str(path)!r}).read())"))
    assert result.exit_code == 0
    printed = [shlex.split(line.removeprefix("export "))[0] for line in result.stdout.splitlines()]
    written = [shlex.split(line)[0] for line in capfd.readouterr().out.splitlines() if line]
    assert printed == written
    assert {"HTTPS_PROXY", "OPENAI_API_KEY", "NODE_EXTRA_CA_CERTS"} <= {line.partition("=")[0] for line in written}
    assert not path.exists()  # nothing listens there any more


@POSIX
def test_without_a_program_it_serves_until_it_is_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mockserver", "run", "--print-env", "--shell", "dotenv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        endpoint = next(line for line in process.stdout if line.startswith("AZURE_OPENAI_ENDPOINT=")).strip().partition("=")[2]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{endpoint}/_mock/health", timeout=10) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "mockserver: 0 calls\n")


def test_what_cannot_be_had_is_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("--port", str(taken.getsockname()[1]), "--", "anything")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "Choose another --port" in result.stderr
    nowhere = str(tmp_path / "nowhere" / "file")
    assert run("--env-file", nowhere, "--", "anything").stderr == f"{nowhere} cannot be written: No such file or directory.\n"
    unwritten = run("--quiet", "--junit", nowhere, *python("raise SystemExit(5)"))
    assert (unwritten.exit_code, unwritten.stderr) == (5, f"{nowhere} cannot be written: No such file or directory.\n")
    monkeypatch.setitem(sys.modules, "cryptography", None)
    without = run("--", "anything")
    assert (without.exit_code, without.stderr) == (
        1,
        "TLS needs the package cryptography: pip install 'azure-openai-mockserver[tls]'\n",
    )
    assert authority.cache_folder().exists()
