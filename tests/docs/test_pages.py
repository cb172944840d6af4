"""README and docs stay true: their snippets run, their pages are those that the code makes, their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from openai import OpenAI

import mockserver
from mockserver.cli import main as cli
from mockserver.cli.operations import markdown_page
from mockserver.operations.table import TABLE
from mockserver.scenario import named_errors
from mockserver.scenario.document import read
from mockserver.scenario.load import build
from mockserver.scenario.switches import MARK, SWITCHES
from mockserver.settings import SETTINGS

ROOT = Path(__file__).parents[2]
PAGES = [*(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")), *sorted((ROOT / "docs").glob("*.md"))]


def fences(language: str) -> list[object]:
    found = []
    for page in PAGES:
        for at, block in enumerate(re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)):
            found.append(pytest.param(block, id=f"{page.name}-{at}"))
    return found


@pytest.mark.parametrize("snippet", fences("python"))
def test_python_snippets_run(snippet: str) -> None:
    names: dict[str, object] = {"__name__": "snippet"}
    exec(compile(snippet, "snippet", "exec"), names)
    for value in names.values():
        if isinstance(value, OpenAI):
            value.close()


@pytest.mark.parametrize("snippet", fences("yaml"))
def test_yaml_snippets_are_scenarios(snippet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "tests/examples/scenarios")  # where the files are that they name
    build(read(snippet, "page").value)


def test_the_coverage_page_is_the_table() -> None:
    assert (ROOT / "docs/coverage.md").read_text() == markdown_page()


def test_the_published_schema_is_the_format() -> None:
    printed = CliRunner().invoke(cli.main, ["schema"]).stdout
    assert (ROOT / "docs/scenario.schema.json").read_text() == printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    text = (ROOT / "docs/command-line.md").read_text()
    command = cli.main.get_command(click.Context(cli.main), name)
    assert command is not None
    assert f"## `mockserver {name}" in text
    options = [one for one in command.params if isinstance(one, click.Option) and one.name not in SETTINGS]
    assert all(f"`{flag}" in text for option in options for flag in option.opts if flag.startswith("--"))


def test_every_switch_and_named_error_is_documented() -> None:
    readme, reference = (ROOT / "README.md").read_text(), (ROOT / "docs/scenarios.md").read_text()
    assert all(f"{MARK}{switch}`" in readme for switch in SWITCHES)
    assert all(f"`{name}`" in reference for name in named_errors.NAMED_ERRORS)


def test_the_version_has_its_place_in_the_changelog() -> None:
    assert f"\n## {mockserver.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_public_names_are_all_there() -> None:
    assert mockserver.__all__ == sorted(mockserver.__all__)
    assert all(getattr(mockserver, name) is not None for name in mockserver.__all__)
    with pytest.raises(AttributeError):
        mockserver.Nothing  # type: ignore[attr-defined] # noqa: B018


def test_operations_are_told_once() -> None:
    listed = [(one.method, one.path) for one in TABLE.all()]
    assert len(listed) == len(set(listed))
