"""A project to begin with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from mockserver.cli.init import FILES
from mockserver.cli.main import main


def init(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["init", *arguments])


def test_the_project_passes_its_own_tests(tmp_path: Path) -> None:
    assert init(str(tmp_path / "new")).exit_code == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(command, cwd=tmp_path / "new", capture_output=True, text=True, env=environment, check=False)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_the_scenario_is_valid_and_the_workflow_is_yaml(tmp_path: Path) -> None:
    init(str(tmp_path))
    assert CliRunner().invoke(main, ["check", str(tmp_path / "scenario.yaml")]).exit_code == 0
    workflow = yaml.safe_load((tmp_path / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["test"]["steps"][-1] == {"run": "pytest"}


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "test_app.py").write_text("mine", encoding="utf-8")
    result = init(str(tmp_path))
    assert f"{tmp_path / 'test_app.py'} is there already" in result.output
    assert (tmp_path / "test_app.py").read_text(encoding="utf-8") == "mine"
    assert all((tmp_path / name).exists() for name in FILES)


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / ".github").write_text("a file", encoding="utf-8")
    result = init(str(tmp_path))
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith(f"Cannot write {tmp_path / '.github/workflows/test.yml'}: ")


@pytest.mark.parametrize("name", FILES)
def test_files_end_in_one_newline(name: str) -> None:
    assert FILES[name].endswith("\n")
    assert not FILES[name].endswith("\n\n")
