"""The command `mockserver schema`."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    import json

    from mockserver.scenario.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2))
