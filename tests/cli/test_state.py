"""The command `mockserver state`."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner, Result
from openai import OpenAI

from mockserver import MockServer
from mockserver.cli.main import main
from mockserver.state.sqlite import SqliteStore
from mockserver.state.sqlite_file import StateFile

MODEL = "gpt-4.1-nano"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A state file with two resources."""
    path = str(tmp_path / "my.state")
    file = StateFile(path)
    one, two = (SqliteStore(file, name) for name in ("one", "two"))
    one.put("file", "a", {"id": "a"}, content=b"bytes")
    one.put("part", "p", {}, parent=("file", "a"))
    two.put("file", "a", {"id": "a", "of": "two"})
    file.close()
    return path


def state(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["state", *arguments])


def documents(path: str, name: str) -> list[str]:
    file = StateFile(path)
    found = [entry.id for entry in SqliteStore(file, name).entries()]
    file.close()
    return found


def test_a_state_is_exported_and_imported_into_a_new_file(path: str, tmp_path: Path) -> None:
    exported, new = str(tmp_path / "state.json"), str(tmp_path / "new.state")
    result = state("export", exported, "--state", path)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "exported 3 documents of 2 resources\n")
    result = state("import", exported, "--state", new)
    assert (result.exit_code, result.stderr) == (0, "imported 3 documents of 2 resources\n")
    assert (documents(new, "one"), documents(new, "two")) == (["a", "p"], ["a"])


def test_a_state_is_imported_into_one_that_holds_something(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCKSERVER_STATE", path)
    (tmp_path / "state.json").write_text(
        '{"mockserver_state": 1, "resources": {"one": [{"kind": "file", "id": "a", "document": {}},'
        '{"kind": "file", "id": "b", "document": {}}], "three": []}}'
    )
    assert state("import", str(tmp_path / "state.json")).stderr == "imported 2 documents of 2 resources\n"
    assert (documents(path, "one"), documents(path, "two")) == (["a", "b"], ["a"])


def test_the_standard_streams_can_be_used(path: str, tmp_path: Path) -> None:
    exported = state("export", "-", "--state", path).stdout
    assert list(json.loads(exported)["resources"]) == ["one", "two"]
    result = CliRunner().invoke(main, ["state", "import", "-", "--state", str(tmp_path / "new")], input=exported)
    assert result.stderr == "imported 3 documents of 2 resources\n"


def test_a_state_is_cleared(path: str) -> None:
    assert state("clear", "--state", path).stderr == "cleared 3 documents of 2 resources\n"
    assert documents(path, "one") == []


def test_an_imported_state_is_served_and_gives_new_ids(tmp_path: Path, http: httpx2.Client) -> None:
    old, new, exported = (str(tmp_path / name) for name in ("old.state", "new.state", "state.json"))
    ids = []
    for path in (old, old, new):
        with MockServer(state=path) as mock:
            client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)
            assert all(client.responses.retrieve(name).id == name for name in ids)
            ids.append(client.responses.create(model=MODEL, input="hi").id)
        state("export", exported, "--state", old)
        state("import", exported, "--state", new)
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export", "x.json", "--state", "gone.state"), "gone.state: there is no such state file"),
        (("clear", "--state", "gone.state"), "gone.state: there is no such state file"),
        (("export", "nowhere/x.json", "--state", "my.state"), "nowhere/x.json: No such file or directory"),
        (("import", "gone.json", "--state", "my.state"), "gone.json: No such file or directory"),
        (("import", "text.json", "--state", "new.state"), "text.json: this is not JSON"),
        (("import", "text.json", "--state", "text.json"), "text.json: this is not JSON"),
        (
            ("import", "bad.json", "--state", "my.state"),
            "bad.json: entry 1, the file 'b': there is no x 'y' for a file to hang",
        ),
        (("export", "-", "--state", "text.json"), "text.json: this state file is none of mockserver's"),
        (("export", "-"), "Missing option '--state'"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.json").write_text("no JSON")
    entries = [{"kind": "file", "id": "new", "document": {}}, {"kind": "file", "id": "b", "parent": ["x", "y"], "document": {}}]
    Path("bad.json").write_text(json.dumps({"mockserver_state": 1, "resources": {"one": entries}}))
    result = state(*arguments)
    assert result.exit_code in (1, 2)
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output
    assert not Path("new.state").exists()
    assert (documents(path, "one"), documents(path, "two")) == (["a", "p"], ["a"]), "nothing was changed"


def test_a_file_that_is_served_is_left_alone(path: str) -> None:
    with MockServer(state=path):
        result = state("clear", "--state", path)
    assert (result.exit_code, result.stderr) == (1, f"{path}: this state file is in use by another server\n")
