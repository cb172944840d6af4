"""The section `state` of a scenario: what is wrong with it is reported with its place; paths stay in the scenario's folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver import MockServer
from mockserver.errors import ScenarioError
from mockserver.resource.build import build_resources, load_scenarios
from mockserver.scenario.load import build, load, parse
from mockserver.scenario.sources import below


def problems(source: str) -> list[str]:
    with pytest.raises(ScenarioError) as raised:
        parse(source, "s.yaml")
    return raised.value.problems


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ("{fils: {}}", "s.yaml:1:9: state.fils: unknown key; did you mean 'files'?"),
        ("{files: {a: {}}}", "s.yaml:1:20: state.files.a.text: is missing; give a file text or a path"),
        ("{files: {a: ''}}", "s.yaml:1:20: state.files.a: must not be empty"),
        ("{files: {a: {text: x, path: y}}}", "s.yaml:1:30: state.files.a.path: a file has text or a path, not both"),
        (
            "{files: {a: {text: x, purpose: assistant}}}",
            "s.yaml:1:39: state.files.a.purpose: there is no 'assistant'; did you mean 'assistants'?",
        ),
        (
            "{files: {a: {text: x, id: a b}}}",
            "s.yaml:1:34: state.files.a.id: 'a b' does not have the form ^(assistant|file)-[A-Za-z0-9_-]{1,64}$",
        ),
        ("{files: {a: {path: a.md}}}", "s.yaml:1:27: state.files.a.path: is for scenarios in files; give the file's text"),
        (
            "{files: {handbook: x}, vector_stores: {docs: {files: [handbok]}}}",
            "s.yaml:1:62: state.vector_stores.docs.files[0]: there is no 'handbok' under state.files; did you mean 'handbook'?",
        ),
        (
            "{vector_stores: {docs: {files: [{file: handbook}]}}}",
            "s.yaml:1:47: state.vector_stores.docs.files[0].file: there is no 'handbook' under state.files; it is empty",
        ),
        (
            "{vector_stores: {docs: {expires_after: 36h}}}",
            "s.yaml:1:32: state.vector_stores.docs.expires_after: must be whole days, from 1d to 365d",
        ),
        (
            "{vector_stores: {docs: {chunks: {max_chunk_size_tokens: 100, chunk_overlap_tokens: 51}}}}",
            "s.yaml:1:69: state.vector_stores.docs.chunks.chunk_overlap_tokens: must be at most half of max_chunk_size_tokens",
        ),
        (
            "{vector_stores: {docs: {chunks: {max_chunk_size_tokens: 99, chunk_overlap_tokens: 5}}}}",
            "s.yaml:1:64: state.vector_stores.docs.chunks.max_chunk_size_tokens: must be at least 100, got 99",
        ),
        (
            "{conversations: {c: {items: [{role: user, content: hi}, {type: massage}]}}}",
            "s.yaml:1:36: state.conversations.c.items: Invalid value: 'massage'. Supported values are: 'message', 'reasoning'",
        ),
        ("{responses: {r: {respond: hi}}}", "s.yaml:1:24: state.responses.r.input: is missing"),
        (
            "{responses: {r: {input: hi, respond: {error: overloaded}}}}",
            "s.yaml:1:46: state.responses.r.respond.error: belongs to a call, and a stored response is none",
        ),
        (
            "{responses: {r: {input: hi, respond: '{{ user'}}}",
            "s.yaml:1:45: state.responses.r.respond: ",
        ),
        (
            "{responses: {b: {input: hi, previous_response: a}, a: {input: hi}}}",
            "s.yaml:1:55: state.responses.b.previous_response: 'a' under state.responses has to stand above this",
        ),
        (
            "{responses: {r: {input: hi, conversation: c, previous_response: r}}}",
            "s.yaml:1:36: state.responses.r.conversation: a response continues a response or a conversation, not both",
        ),
        (
            "{files: {a: {text: x, id: file-1}, b: {text: x, id: file-1}}}",
            "s.yaml:1:46: state.files.b: has the id of 'a'",
        ),
    ],
)
def test_what_is_wrong_is_reported_with_its_place(state: str, problem: str) -> None:
    found = problems(f"state: {state}\n")
    assert len(found) == 1
    assert found[0].startswith(problem)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (
            {"state": {"files": {"a": {"text": "x", "purpose": "batch"}}}},
            "state.files.a: fileName contains an invalid filename: wrong suffix.",
        ),
        (
            {"state": {"files": {"a": {"text": "x", "expires_after": "1m"}}}},
            "state.files.a: Invalid 'expires_after.seconds': integer below minimum value. Expected a value >= 3600, but got 60",
        ),
        (
            {"deployments": {"chat": "gpt-4o"}, "state": {"responses": {"a": {"input": "x", "model": "chatt"}}}},
            "state.responses.a: there is no deployment 'chatt'; did you mean 'chat'?",
        ),
        (
            {"deployments": {"v": "text-embedding-3-small"}, "state": {"responses": {"a": {"input": "x", "model": "v"}}}},
            "state.responses.a: the deployment 'v' serves text-embedding-3-small, which makes no responses",
        ),
        (
            {"deployments": {"v": "text-embedding-3-small"}, "state": {"responses": {"a": {"input": "x"}}}},
            "state.responses.a: no deployment can chat, so none can have made a response",
        ),
    ],
)
def test_what_the_service_would_refuse_is_refused_when_the_resource_is_built(document: dict[str, Any], problem: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        build_resources([build(document)], {})
    assert len(raised.value.problems) == 1
    assert raised.value.problems[0].startswith(f"<dict>: {problem}")


# -- paths


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scenario's folder, beside which there is a secret."""
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "scenarios"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "handbook.md").write_text("Refunds take 14 days.")
    (folder / "empty.md").write_text("")
    (folder / "out").symlink_to(tmp_path)
    (folder / "secret").symlink_to(tmp_path / "secret.txt")
    (folder / "inside.md").symlink_to(folder / "docs" / "handbook.md")
    os.mkfifo(folder / "pipe")
    return folder


def scenario(folder: Path, path: str) -> Path:
    file = folder / "s.yaml"
    file.write_text(f"state:\n  files:\n    a: {{path: {path}}}\n")
    return file


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("missing.md", "cannot be read: No such file or directory"),
        ("docs", "is not a file"),
        ("pipe", "is not a file"),
        ("../secret.txt", "must stay below the scenario's folder: an absolute path, or one with '..', does not"),
        ("docs/../../secret.txt", "must stay below the scenario's folder: an absolute path, or one with '..', does not"),
        ("/etc/passwd", "must stay below the scenario's folder: an absolute path, or one with '..', does not"),
        ("secret", "leads out of the scenario's folder"),
        ("out/secret.txt", "leads out of the scenario's folder"),
        ("empty.md", "has 0 bytes; a file has at least one, and at most 536,870,912"),
        (r'"a\0b"', "embedded null"),
    ],
)
def test_a_path_that_leads_to_no_file_of_the_folder_is_refused(folder: Path, path: str, problem: str) -> None:
    file = scenario(folder, path)
    with pytest.raises(ScenarioError) as raised:
        load([file])
    (line,) = raised.value.problems
    assert line.startswith(f"{file}:3:15: state.files.a.path: ")
    assert problem in line


@pytest.mark.parametrize("path", ["docs/handbook.md", "inside.md", "./docs/handbook.md"])
def test_a_path_below_the_folder_is_read(folder: Path, path: str) -> None:
    with MockServer(scenario(folder, path)) as mock:
        (file,) = mock.client.files.list()
        assert mock.client.files.content(file.id).text == "Refunds take 14 days."
        assert file.filename == Path(path).name


def test_a_file_that_is_too_large_is_refused(folder: Path) -> None:
    with (folder / "large.md").open("wb") as file:
        file.truncate(512 * 1024 * 1024 + 1)
    with pytest.raises(ScenarioError, match="has 536,870,913 bytes"):
        load([scenario(folder, "large.md")])


@settings(deadline=None)
@given(parts=st.lists(st.sampled_from(["..", ".", "docs", "out", "secret", "secret.txt", "handbook.md", "/", "~"]), min_size=1))
def test_no_path_leads_out_of_the_folder(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    outside = tmp_path_factory.getbasetemp() / "paths"
    folder = outside / "scenarios"
    if not folder.exists():
        (folder / "docs").mkdir(parents=True)
        (folder / "docs" / "handbook.md").write_text("Refunds take 14 days.")
        (outside / "secret.txt").write_text("secret")
        (folder / "out").symlink_to(outside)
        (folder / "secret").symlink_to(outside / "secret.txt")
    try:
        source = below(folder)("/".join(parts))
    except ValueError:
        return
    with source.open() as content:
        assert content.read() == b"Refunds take 14 days."


# -- several files


def test_files_of_one_resource_share_their_names(tmp_path: Path) -> None:
    (tmp_path / "1.yaml").write_text("state: {vector_stores: {docs: {files: [handbook]}}}")
    (tmp_path / "2.yaml").write_text("state: {files: {handbook: The text.}}")
    (merged,) = load_scenarios([tmp_path])
    assert [one.name for one in merged.state] == ["handbook", "docs"]
    (tmp_path / "3.yaml").write_text("state: {files: {handbook: Another text.}}")
    with pytest.raises(ScenarioError, match=r"3.yaml:1:27: state.files.handbook: the resource has another one of this name"):
        load_scenarios([tmp_path])
