"""The command `mockserver models`: the catalogue of models that a deployment can serve."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from mockserver.model.catalogue import CATALOGUE, Model

_EPILOG = """\b
Examples:
  mockserver models gpt-5            those whose name contains gpt-5
  mockserver models --json | jq      everything that the catalogue says of them
"""


@click.command("models", epilog=_EPILOG)
@click.argument("name", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with every trait.")
def command(name: str, as_json: bool) -> None:
    """List the models of the catalogue whose name contains NAME; without it, all of them."""
    models = [model for model in CATALOGUE.values() if name.lower() in model.name.lower()]
    if as_json:
        click.echo(json.dumps([asdict(model) for model in models], indent=2))
    else:
        click.echo(_table(models), nl=False)


def _table(models: list[Model]) -> str:
    rows = [("model", "kind", "context", "reasoning efforts"), *map(_row, models)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "".join(
        f"{name:{widths[0]}}  {kind:{widths[1]}}  {context:>{widths[2]}}  {efforts}".rstrip() + "\n"
        for name, kind, context, efforts in rows
    )


def _row(model: Model) -> tuple[str, str, str, str]:
    return model.name, model.kind, f"{model.context:,}", ", ".join(model.efforts)
