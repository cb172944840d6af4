"""The command `mockserver token`: an access token of a running server, for whatever takes one."""

from __future__ import annotations

from typing import Any, get_args

import click

from mockserver.cli.loading import fail
from mockserver.cli.options import PORT
from mockserver.cli.remote import RemoteError, call
from mockserver.operations.access import RoleName
from mockserver.state.clock import seconds

_EPILOG = """\b
Examples:
  export AZURE_OPENAI_AUTH_TOKEN=$(mockserver token)
  mockserver token --expires-in 60s                          to see a client renew its token
  mockserver token --role Reader                             to see Azure's PermissionDenied
  mockserver token --audience https://management.azure.com   a token for something else
"""


@click.command("token", epilog=_EPILOG)
@click.option("--url", default=f"http://127.0.0.1:{PORT}", show_default=True, help="Where the server is.")
@click.option("--key", help="A key of the resource; a server that other machines can reach requires one.")
@click.option("--resource", metavar="NAME", help="Which resource, where there are several.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(get_args(RoleName), case_sensitive=False),
    metavar="ROLE",
    help="What its bearer may do, as a built-in role of Azure. Repeatable.  [default: what the scenario says, or all]",
)
@click.option("--expires-in", metavar="DURATION", help="How long it holds, such as 60s or 2h; 0 has expired already.")
@click.option("--audience", metavar="URL", help="What it is for.  [default: https://cognitiveservices.azure.com]")
@click.option("--tenant", metavar="ID", help="Whose directory it comes from.")
@click.option("--client", metavar="ID", help="The application or identity that it stands for.")
def command(url: str, key: str | None, roles: tuple[str, ...], expires_in: str | None, **claims: Any) -> None:
    """Print an access token that a running server signs."""
    wanted = {name: value for name, value in claims.items() if value is not None}
    if roles:
        wanted["roles"] = list(roles)
    try:
        if expires_in is not None:
            wanted["expires_in"] = seconds(expires_in)
        answer = call(url, "/identity/token", key, wanted)
    except (RemoteError, ValueError) as error:
        fail(str(error), status=2)
    click.echo(answer["access_token"])
