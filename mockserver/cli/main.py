"""The command `mockserver`: its commands are modules of their own, imported one by one as they are needed."""

from __future__ import annotations

from importlib import import_module

import click

from mockserver import __version__

COMMANDS = {
    "serve": "Serve scenarios, or improvised answers.",
    "run": "Run a program, unchanged, against scenarios.",
    "init": "Write a small project: a scenario, a test and a CI step.",
    "check": "List every mistake in scenarios.",
    "explain": "Show which rule answers a request, and why others do not.",
    "report": "Judge how the clients of a running server behave.",
    "token": "Print an access token of a running server.",
    "env": "Print the variables that lead programs to a server.",
    "models": "List the models of the catalogue.",
    "state": "Export, import or clear a state file.",
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

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; a misspelt one is refused with the nearest name."""
        if args[0] not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"No such command {args[0]!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="mockserver")
def main() -> None:
    """A pretend Azure OpenAI resource: the v1 API offline, scripted, with every failure on demand."""
