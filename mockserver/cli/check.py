"""The command `mockserver check`."""

from __future__ import annotations

import click

from mockserver.cli.loading import counted, load


@click.command("check")
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...", type=click.Path())
def command(scenarios: tuple[str, ...]) -> None:
    """List every mistake in SCENARIOs (files or folders) by file, line and column.

    Exits with 1 where there is one.
    """
    loaded, _ = load(scenarios, {})
    files = sum(len(scenario.files) for scenario in loaded)
    rules = sum(len(scenario.rules) for scenario in loaded)
    click.echo(f"ok: {counted(files, 'file')}, {counted(rules, 'rule')}")
