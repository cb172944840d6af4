"""The command line, in this process where it can be, as a program where it must be."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner, Result

from mockserver.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[2]


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(main, list(arguments), **options)


@contextmanager
def serving(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """The server as a program, its endpoint, and the lines that it printed at its start."""
    command = [sys.executable, "-m", "mockserver", "serve", *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | environment
    )
    try:
        lines = []
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if "Ctrl-C" in line:
                break
        found = re.search(r"https?://\S+?:\d+", "\n".join(lines))
        assert found is not None, process.stderr and process.stderr.read()
        yield process, found[0], lines
    finally:
        process.send_signal(signal.SIGINT)  # a process that is killed could not say what it has covered
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def test_serve_prints_exports_to_paste_and_stops_at_ctrl_c(http: httpx2.Client) -> None:
    with serving("--port", "0") as (process, endpoint, lines):
        assert f"  export OPENAI_BASE_URL={endpoint}/openai/v1/" in lines
        assert "  export AZURE_OPENAI_API_KEY=mock-key" in lines
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
        assert (
            http.post(endpoint + "/openai/v1/chat/completions", json=body, headers={"api-key": "mock-key"}).status_code == 200
        )
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=5)
        assert process.returncode == 0
        assert re.fullmatch(r"\d\d:\d\d:\d\d POST createChatCompletion gpt-4o · improvised · 200 · [\d.]+ ms\n", errors)


def test_serve_speaks_https_and_prints_whom_to_trust(tmp_path: Path) -> None:
    pytest.importorskip("cryptography", reason="the extra `tls` is not installed")
    with serving("--port", "0", "--tls", XDG_CACHE_HOME=str(tmp_path)) as (_, endpoint, lines):
        assert endpoint.startswith("https://127.0.0.1:")
        assert f"  export OPENAI_BASE_URL={endpoint}/openai/v1/" in lines
        trusted = tmp_path / "mockserver" / "trusted.pem"
        assert f"  export SSL_CERT_FILE={trusted}" in lines
        context = ssl.create_default_context(cafile=trusted)
        for host in ("127.0.0.1", "localhost"):
            url = f"{endpoint.replace('127.0.0.1', host)}/_mock/health"
            assert httpx2.get(url, verify=context, trust_env=False).json()["status"] == "ok"


def test_serve_takes_its_options_from_flags_before_the_environment_before_the_file(http: httpx2.Client, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("resource: {keys: [file-key], profile: 2026-03, seed: 7, region: Sweden Central}\n")
    with serving(str(file), "--key", "flag-key", MOCKSERVER_PORT="0", MOCKSERVER_PROFILE="2026-01", MOCKSERVER_STRICT="1") as (
        _,
        endpoint,
        lines,
    ):
        assert "  export OPENAI_API_KEY=flag-key" in lines
        answer = http.get(endpoint + "/openai/v1/evals", headers={"api-key": "flag-key"})
        assert answer.status_code == 400
        assert answer.headers["x-ms-region"] == "Sweden Central"
        assert http.get(endpoint + "/_mock/scenario").json()["strict"] is True


def test_serve_watches_its_files_and_keeps_the_old_ones_while_they_are_wrong(http: httpx2.Client, tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("rules: [{respond: one}]")
    with serving(str(file), "--port", "0", "--watch", "--key", "none") as (process, endpoint, lines):
        assert any("Key checks are off" in line for line in lines)
        assert process.stderr is not None

        def said() -> Any:
            body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
            return http.post(endpoint + "/openai/v1/chat/completions", json=body).json()["choices"][0]["message"]["content"]

        assert said() == "one"
        process.stderr.readline()
        file.write_text("rules: [{respnd: two}]")
        assert "cannot be used; the old one stays" in process.stderr.readline()
        assert "did you mean 'respond'" in process.stderr.readline() + process.stderr.readline()
        assert said() == "one"
        process.stderr.readline()
        file.write_text("rules: [{respond: three}, {respond: four}]")
        assert "scenario reloaded: 2 rules" in process.stderr.readline()
        assert said() == "three"


def test_a_busy_port_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("serve", "--port", str(port))
    assert result.exit_code == 1
    assert (
        result.stderr
        == f"Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another --port (0 takes a free one).\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--deployment", "x"], "'x' is not NAME=MODEL"),
        (["--deployment", "x=gpt-9"], "there is no model 'gpt-9' in the catalogue"),
        (["nowhere.yaml"], "nowhere.yaml: No such file or directory"),
        (["--profile", "1999"], "'1999' is not one of '2026-01', '2026-03'"),
        (["--port", "70000"], "70000 is not in the range"),
    ],
)
def test_serve_explains_a_wrong_option(arguments: list[str], message: str) -> None:
    result = run("serve", *arguments)
    assert result.exit_code in (1, 2)
    assert message in result.stderr


def test_check_is_content_with_the_ready_scenarios() -> None:
    result = run("check", str(ROOT / "scenarios"))
    assert result.exit_code == 0
    assert re.fullmatch(r"ok: \d+ files, \d+ rules\n", result.stdout)


def test_check_names_file_line_column_key_and_the_nearest_one(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("rules:\n  - when: {usr: x}\n    respond: y\n")
    result = run("check", str(file))
    assert result.exit_code == 1
    assert result.stderr == f"{file}:2:12: rules[0].when.usr: unknown key; did you mean 'user'?\n"


def test_check_knows_models_too(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("deployments: {mine: gpt-4oo}\n")
    result = run("check", str(file))
    assert result.exit_code == 1
    assert "there is no model 'gpt-4oo' in the catalogue; did you mean 'gpt-4o'?" in result.stderr


@pytest.fixture
def weather(tmp_path: Path) -> str:
    file = tmp_path / "s.yaml"
    file.write_text(
        "rules:\n  - {name: weather, when: {user: weather, deployment: gpt-4o}, respond: sunny}\n  - {name: bye, when: {user: bye}, respond: bye}\n"
    )
    return str(file)


def test_explain_shows_which_rule_answers_and_why_others_do_not(weather: str) -> None:
    request = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": "the weather?"}]})
    result = run("explain", weather, "-", input=request)
    assert result.exit_code == 0
    assert result.stdout == "weather: answers\nbye: does not fit\n    user: expected to contain 'bye', got 'the weather?'\n"


def test_explain_ends_with_1_where_no_rule_answers(weather: str) -> None:
    result = run("explain", weather, "-", input=json.dumps({"model": "gpt-4.1", "input": "the weather?"}))
    assert result.exit_code == 1
    assert "deployment: expected 'gpt-4o', got 'gpt-4.1'" in result.stdout


@pytest.mark.parametrize("request_body", ["{", "[]", '{"model": "gpt-4o"}', '{"model": "gpt-4o", "messages": 5}'])
def test_explain_tells_a_request_that_is_refused_anyway(weather: str, request_body: str) -> None:
    result = run("explain", weather, "-", input=request_body)
    assert result.exit_code == 1
    assert "refused before any rule is tried: 400" in result.stdout


def test_operations_is_the_coverage_table() -> None:
    text = run("operations").stdout
    assert re.search(r"^\+ POST +/chat/completions +createChatCompletion$", text, re.MULTILINE)
    assert re.search(r"^- POST +/realtime/calls +createRealtimeCall$", text, re.MULTILINE)
    assert "of 106 operations of the document are emulated" in text


def test_a_misspelt_command_gets_the_nearest_one() -> None:
    result = run("chek", "x.yaml")
    assert (result.exit_code, "No such command 'chek'. Did you mean 'check'?" in result.stderr) == (2, True)
    assert "No such command 'xyzzy'." in run("xyzzy").stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: main {name} ")


def test_help_lists_the_commands_and_imports_none_of_them() -> None:
    program = """
        import sys
        from click.testing import CliRunner
        from mockserver.cli.main import main
        for argument in ("--help", "--version"):
            assert CliRunner().invoke(main, [argument]).exit_code == 0
        print([name for name in sys.modules if name.startswith("mockserver")])
        """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    assert done.stdout == "['mockserver', 'mockserver.cli', 'mockserver.cli.main']\n"


def test_help_and_version_are_there() -> None:
    assert all(re.search(rf"^  {name} ", run("-h").stdout, re.MULTILINE) for name in COMMANDS)
    assert run("--version").stdout.startswith("mockserver, version ")
