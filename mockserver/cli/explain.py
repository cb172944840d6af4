"""The command `mockserver explain`: which rule would answer a request, and why the others do not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from mockserver.cli.loading import load
from mockserver.errors import ApiError
from mockserver.gateway.bodies import parse_json
from mockserver.gateway.headers import RequestHeaders
from mockserver.gateway.paths import V1
from mockserver.gateway.pipeline import view
from mockserver.gateway.rendering import Request
from mockserver.operations.table import TABLE

if TYPE_CHECKING:
    from mockserver.resource.resources import Resources

Json = Any
_PARAMETER = re.compile(r"{(\w+)}")


@click.command("explain")
@click.argument("scenario", type=click.Path())
@click.argument("request", type=click.File("rb"))
@click.option("--operation", metavar="ID", help="The operationId. Without it, it is guessed from the body.")
def command(scenario: str, request: BinaryIO, operation: str | None) -> None:
    """Show which rule of SCENARIO answers the JSON body in the file REQUEST ("-" is the standard input), and why others do not.

    Exits with 1 where no rule answers.
    """
    _, resources = load((scenario,), {"keys": ()})
    answered, text = explain_request(resources, request.read(), operation)
    click.echo(text)
    raise SystemExit(0 if answered else 1)


def explain_request(resources: Resources, body: bytes, operation_id: str | None = None) -> tuple[bool, str]:
    """Whether a rule answers this body, and the whole reasoning as text. No rule is used up by it."""
    try:
        wanted = operation_id or _guess(parse_json(body))
        operation = next((operation for operation in TABLE.all() if operation.id == wanted), None)
        if operation is None:
            return False, f"There is no operation {wanted!r}; `mockserver operations` lists them."
        path = V1 + _PARAMETER.sub(r"\1", operation.path)[1:]  # any value will do: nothing is looked up
        request = Request(operation.method, path, "", RequestHeaders(()), body, resource=resources.default)
        return resources.default.script.explain_all(view(resources, request))
    except ApiError as error:
        return False, f"The request is refused before any rule is tried: {error}"


def _guess(document: Json) -> str:
    keys = set(document) if isinstance(document, dict) else set()
    if "messages" in keys:
        return "createChatCompletion"
    if "prompt" in keys and "input" not in keys:
        return "createCompletion"
    if keys <= {"model", "input", "dimensions", "encoding_format", "user"} and {"dimensions", "encoding_format"} & keys:
        return "createEmbedding"
    return "createResponse"
