"""The tutorial's program and tests pass as they are printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/tutorial.md"


def write_files(folder: Path) -> None:
    """The page's files: each block of code says in its first line where it goes, and a later one is added to an earlier one."""
    for name, block in re.findall(r"^```\w+\n# (\S+)\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        with (folder / name).open("a") as file:
            file.write(block + "\n\n")


def test_the_tests_of_the_tutorial_pass(tmp_path: Path) -> None:
    write_files(tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "2 passed" in run.stdout, run.stdout + run.stderr
    assert (tmp_path / "weather.yaml").exists()
