"""The command `mockserver env`: the variables that lead programs to a server, in the syntax of a shell."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable

import click

from mockserver.cli.options import PORT
from mockserver.server.variables import for_azure_openai, for_entra, for_openai

_EPILOG = """\b
Examples:
  eval "$(mockserver env)"                               in bash and zsh
  mockserver env --shell fish | source                   in fish
  mockserver env --shell pwsh | Out-String | iex         in PowerShell
  mockserver env --shell dotenv --client azure > .env    for programs that read a file
  eval "$(mockserver env --client entra)"                for programs with DefaultAzureCredential
"""


def _bash(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _pwsh(name: str, value: str) -> str:
    escaped = value.replace("'", "''")
    return f"$env:{name} = '{escaped}'"


def _dotenv(name: str, value: str) -> str:
    return f"{name}={shlex.quote(value)}"


SHELLS: dict[str, Callable[[str, str], str]] = {"bash": _bash, "fish": _fish, "pwsh": _pwsh, "dotenv": _dotenv}
CLIENTS = {"openai": for_openai, "azure": for_azure_openai, "entra": for_entra}


def default_shell() -> str:
    """The shell that is running this, as far as the environment says so: `bash` stands for all that have its `export`."""
    if os.environ.get("SHELL", "").endswith("fish"):
        return "fish"
    return "pwsh" if os.name == "nt" and "SHELL" not in os.environ else "bash"


@click.command("env", epilog=_EPILOG)
@click.option("--shell", type=click.Choice(list(SHELLS)), help="The shell whose syntax is printed.  [default: this one]")
@click.option(
    "--client",
    type=click.Choice(list(CLIENTS)),
    default="openai",
    help="The SDK's client: OpenAI, which calls v1, with a key or with a token of Entra ID, or AzureOpenAI.  [default: openai]",
)
@click.option(
    "--endpoint", default=f"http://127.0.0.1:{PORT}", help=f"Where the server is.  [default: http://127.0.0.1:{PORT}]"
)
@click.option("--key", default="mock-key", help="A key of the resource.  [default: mock-key]")
def command(shell: str | None, client: str, endpoint: str, key: str) -> None:
    """Print the variables that lead a program to a server that is running, for the shell to evaluate."""
    line = SHELLS[shell or default_shell()]
    for name, value in CLIENTS[client](endpoint.rstrip("/"), key).items():
        click.echo(line(name, value))
