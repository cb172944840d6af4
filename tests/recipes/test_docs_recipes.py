"""The page of recipes shows what the tests run, and how to install what they need."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs/recipes.md"
PROJECT = HERE.parent.parent / "pyproject.toml"
RECIPES = sorted(path for path in HERE.glob("test_*.py") if path != Path(__file__))


def sections() -> dict[str, str]:
    """The page's sections, by the name of the test file that each shows."""
    parts = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {re.findall(r"^<!-- tests/recipes/(\S+) -->$", part, re.MULTILINE)[0]: part for part in parts}


def test_the_page_shows_every_recipe_and_no_other() -> None:
    assert set(sections()) == {path.name for path in RECIPES}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_the_page_shows_the_recipe_as_it_runs(recipe: Path) -> None:
    (shown,) = re.findall(r"^```py\n(.*?)^```", sections()[recipe.name], re.MULTILINE | re.DOTALL)
    assert shown == recipe.read_text()


def packages(recipe: Path) -> str:
    """What a skipped recipe asks for, as pip takes it."""
    (found,) = set(re.findall(r"reason=[\"']an optional recipe: pip install (.+)[\"']\)", recipe.read_text()))
    return found.replace('"', "")


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_the_page_installs_what_a_skipped_recipe_asks_for(recipe: Path) -> None:
    assert f"\npip install azure-openai-mockserver {packages(recipe)} pytest\n" in sections()[recipe.name].replace('"', "")


def test_the_extras_install_what_the_recipes_ask_for() -> None:
    extras = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]
    installed = [one for name, extra in extras.items() if name.startswith("recipes") for one in extra]
    assert sorted(one.partition(">=")[0] for one in installed) == sorted(
        {name for recipe in RECIPES for name in packages(recipe).split()}
    )
