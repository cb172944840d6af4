"""The pages about pytest show the examples as they are, and name what the plugin has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mockserver.settings import SETTINGS
from mockserver.testing.options import OPTIONS

ROOT = Path(__file__).parents[2]
MIGRATIONS = sorted((ROOT / "docs").glob("migrate-from-*.md"))
PAGES = [ROOT / "docs/pytest.md", *MIGRATIONS, *sorted((ROOT / "docs").glob("how-to-*.md"))]
EXAMPLES = sorted(path for path in (ROOT / "tests/examples").rglob("*") if path.suffix in (".py", ".yaml"))


def shown() -> dict[str, str]:
    """The examples that the pages show, by path."""
    text = "\n".join(page.read_text() for page in PAGES)
    return dict(re.findall(r"^<!-- (tests/examples/\S+) -->\n```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_shown_as_it_is(example: Path) -> None:
    assert shown()[str(example.relative_to(ROOT))] == example.read_text()


@pytest.mark.parametrize("name", ["rag", "fine-tune"])
def test_a_page_about_a_task_shows_its_scenario(name: str) -> None:
    page = (ROOT / f"docs/how-to-{name}.md").read_text()
    assert "```yaml\n" + (ROOT / f"scenarios/{name}.yaml").read_text() + "```\n" in page


def test_no_page_shows_an_example_that_is_gone() -> None:
    assert set(shown()) == {str(example.relative_to(ROOT)) for example in EXAMPLES}


@pytest.mark.parametrize("page", MIGRATIONS, ids=lambda page: page.name)
def test_a_migration_page_shows_the_test_before_and_after(page: Path) -> None:
    before, after = re.findall(r"^(Before|After):\n", page.read_text(), re.MULTILINE)
    assert (before, after) == ("Before", "After")
    assert len(re.findall(r"^```py$", page.read_text(), re.MULTILINE)) == 2
    assert page.name in PAGES[0].read_text()


def test_every_option_and_ini_key_is_documented() -> None:
    text = PAGES[0].read_text()
    own = {name: option for name, option in OPTIONS.items() if name not in SETTINGS}
    assert all(f"`{name}`" in text for name in own)
    assert all(f"`azure_openai_{name}`" in text for name in ["scenario", *own] if name == "scenario" or "ini" in own[name].at)
