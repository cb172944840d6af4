"""Scenarios for commands: loaded and built, or what is wrong with them and the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from mockserver.errors import ScenarioError, StateError

if TYPE_CHECKING:
    from mockserver.resource.resources import Resources
    from mockserver.scenario.load import Scenario


def load(paths: Sequence[str], overrides: Mapping[str, Any], *, surviving: bool = False) -> tuple[list[Scenario], Resources]:
    """The scenarios in these files and folders, and the resources that they make (see `build_resources`).

    Exits with 1 where they cannot be used.
    """
    from mockserver.resource.build import build_resources, load_scenarios

    try:
        scenarios = load_scenarios([Path(path) for path in paths])
        return scenarios, build_resources(scenarios, overrides, surviving=surviving)
    except ScenarioError as error:
        fail("\n".join(error.problems))
    except StateError as error:
        fail(str(error))


def fail(message: str, status: int = 1) -> NoReturn:
    """Print a message as an error and exit."""
    click.echo(message, err=True)
    raise SystemExit(status)


def counted(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
