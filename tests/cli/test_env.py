"""The variables that lead programs to a server, and lists for people and programs."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import httpx2
import pytest
from click.testing import CliRunner
from openai import AzureOpenAI, OpenAI

from mockserver import MockServer
from mockserver.cli.main import main

HOSTILE = 'it\'s a "key" with $HOME, `id` and \\'


def output_of(*arguments: str, **variables: str | None) -> str:
    result = CliRunner(env=variables).invoke(main, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def variables_of(text: str) -> dict[str, str]:
    """What a POSIX shell makes of export lines."""
    words = [shlex.split(line.removeprefix("export ")) for line in text.splitlines()]
    return dict(word.split("=", 1) for (word,) in words)


def test_the_client_openai_works_with_what_is_printed(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables_of(output_of("env", "--endpoint", mock.endpoint + "/", "--shell", "bash")).items():
        monkeypatch.setenv(name, value)
    with OpenAI(max_retries=0) as client:
        assert client.models.list().data


def test_the_client_azure_openai_works_with_what_is_printed(mock: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    printed = output_of("env", "--client", "azure", "--endpoint", mock.endpoint, "--shell", "bash")
    for name, value in variables_of(printed).items():
        monkeypatch.setenv(name, value)
    with AzureOpenAI(max_retries=0) as client:
        assert client.responses.create(model="gpt-4o", input="hi").output_text


def test_the_variables_of_one_client_are_not_those_of_the_other() -> None:
    openai, azure = (variables_of(output_of("env", "--client", client, "--shell", "bash")) for client in ("openai", "azure"))
    assert not openai.keys() & azure.keys()
    assert openai["OPENAI_BASE_URL"] == "http://127.0.0.1:4650/openai/v1/"
    assert azure["OPENAI_API_VERSION"] == "2025-04-01-preview"


def test_a_program_with_a_managed_identity_is_led_to_both(mock: MockServer, http: httpx2.Client) -> None:
    printed = variables_of(output_of("env", "--client", "entra", "--endpoint", mock.endpoint, "--shell", "bash"))
    query = {"api-version": "2019-08-01", "resource": "https://ai.azure.com"}
    header = {"x-identity-header": printed["IDENTITY_HEADER"]}
    token = http.get(printed["IDENTITY_ENDPOINT"], params=query, headers=header).json()["access_token"]
    client = OpenAI(base_url=printed["OPENAI_BASE_URL"], api_key=token, http_client=http, max_retries=0)
    assert client.models.list().data


def test_bash_reads_any_key_as_it_is() -> None:
    script = output_of("env", "--key", HOSTILE, "--shell", "bash") + 'printf %s "$OPENAI_API_KEY"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout == HOSTILE


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("fish", "set -gx OPENAI_API_KEY 'it\\'s a \"key\" with $HOME, `id` and \\\\'"),
        ("pwsh", "$env:OPENAI_API_KEY = 'it''s a \"key\" with $HOME, `id` and \\'"),
        ("dotenv", f"OPENAI_API_KEY={shlex.quote(HOSTILE)}"),
    ],
)
def test_other_shells_have_their_own_quotes(shell: str, line: str) -> None:
    assert line in output_of("env", "--key", HOSTILE, "--shell", shell).splitlines()


@pytest.mark.parametrize(("shell", "begins"), [("/usr/bin/fish", "set -gx "), ("/bin/zsh", "export "), ("", "export ")])
def test_the_syntax_is_that_of_the_shell_that_runs_it(shell: str, begins: str) -> None:
    assert output_of("env", SHELL=shell).startswith(begins)


def test_models_are_found_by_a_part_of_their_name() -> None:
    lines = output_of("models", "GPT-5.6").splitlines()
    assert [line.split()[0] for line in lines] == ["model", "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna"]
    assert "1,050,000" in lines[1]
    assert lines[1].endswith("max")
    assert output_of("models", "nothing-like-it").splitlines() == [
        lines[0].split("  ")[0] + "  kind  context  reasoning efforts"
    ]


def test_models_as_json_have_every_trait() -> None:
    small = json.loads(output_of("models", "embedding-3-small", "--json"))
    assert [(one["name"], one["dimensions"], one["kind"]) for one in small] == [("text-embedding-3-small", 1_536, "embedding")]


def test_operations_fit_a_terminal_of_eighty_columns() -> None:
    lines = output_of("operations", COLUMNS="80").splitlines()
    assert [line for line in lines if len(line) > 80 and len(line.split()) > 3] == []  # some paths alone are longer
    assert "+ POST   /chat/completions                        createChatCompletion" in lines


def test_operations_stand_in_one_line_where_there_is_room() -> None:
    lines = output_of("operations", COLUMNS="200").splitlines()
    rows = [line for line in lines if line[2:8].strip().isupper()]
    assert len({line.rindex(" ") for line in rows}) == 1


def test_missing_operations_are_those_that_answer_501() -> None:
    rows = json.loads(output_of("operations", "--missing", "--json"))
    assert all(row["state"] == "not yet" for row in rows)
    everything = json.loads(output_of("operations", "--json"))
    assert {"method", "path", "operation", "state", "preview_header"} == everything[0].keys()
    assert len(rows) == sum(row["state"] == "not yet" for row in everything)


def test_help_has_examples() -> None:
    for command in ("env", "models"):
        assert "Examples:" in output_of(command, "--help")


def test_the_module_runs_as_a_program() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "mockserver", "env", "--shell", "dotenv"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("OPENAI_BASE_URL=http://127.0.0.1:4650/openai/v1/")
