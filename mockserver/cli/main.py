"""The command `mockserver`: its commands are modules of their own, imported one by one as they are needed."""

from __future__ import annotations

from importlib import import_module

import click

from mockserver import __version__

COMMANDS = {
    "serve": "Serve scenarios, or improvised answers.",
    "check": "List every mistake in scenarios.",
    "explain": "Show which rule answers a request, and why others do not.",
    "report": "Judge how the clients of a running server behave.",
    "operations": "List the operations and whether they are emulated.",
    "settings": "List the settings and their defaults.",
    "schema": "Print the JSON Schema of scenario files.",
}
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


class Commands(click.Group):
    """The commands by name. `mockserver.cli.NAME.command` is imported on demand, and the list in the help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which help lists them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command, None where there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"mockserver.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="mockserver")
def main() -> None:
    """A pretend Azure OpenAI resource: the v1 API offline, scripted, with every failure on demand."""
