"""Why a request was refused, for whoever reads the log: what to change so that the next one is answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mockserver.gateway.paths import DEPLOYMENTS, V1, locate
from mockserver.operations.table import TABLE

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange
    from mockserver.resource.resources import Resources

_MOST_NAMES = 8
_ROLES = "the roles of the token do not suffice: see `roles` in the scenario's `identity`, and `mockserver token --role`"


def hint(exchange: Exchange, resources: Resources) -> str | None:
    """What to change, None where nothing is known to be wrong or the refusal is what a script asked for."""
    if exchange.rule is not None:
        return None
    if exchange.status == 401:
        return _ROLES if exchange.error == "PermissionDenied" else _credentials(exchange, resources)
    if exchange.status == 403 and exchange.error == "AuthenticationTypeDisabled":
        return "the scenario's `identity` says `local_auth: false`: send a token, for instance of `mockserver token`"
    if exchange.status == 404 and exchange.error == "DeploymentNotFound":
        return _deployments(exchange, resources)
    if exchange.status == 404 and not exchange.operation:
        return _path(exchange.path, exchange.query)
    return None


def _credentials(exchange: Exchange, resources: Resources) -> str:
    resource = resources.by_name.get(exchange.resource, resources.default)
    known = _listed(resource.keys)
    if "api-key" not in exchange.headers and "authorization" not in exchange.headers:
        return f"the request has no key; send {known} as api-key, or as Authorization: Bearer"
    if exchange.headers.get("authorization", "").count(".") == 2:
        return (
            "the token is for another audience or of another tenant, has expired, is not valid yet, or its signature is wrong"
        )
    return f"the key is not one of the resource {resource.name!r}: {known}"


def _deployments(exchange: Exchange, resources: Resources) -> str | None:
    resource = resources.by_name.get(exchange.resource)
    if resource is None or not resource.deployments:
        return None
    return f"there is no deployment {exchange.deployment[:80]!r}; declared are {_listed(resource.deployments)}"


def _path(path: str, query: str) -> str | None:
    target = locate(path)
    if target is not None and target.legacy_api and "api-version" not in query and TABLE.find(target.path):
        return "a path of the legacy API needs ?api-version=…; the client AzureOpenAI adds it, and OpenAI uses /openai/v1/"
    if path.startswith(V1 + DEPLOYMENTS + "/"):
        return "AzureOpenAI calls a base URL of v1: unset OPENAI_BASE_URL, and give it the endpoint alone"
    wanted = _known_path(path)
    return f"did you mean {wanted}? The base URL of v1 ends in {V1}" if wanted is not None else None


def _known_path(path: str) -> str | None:
    """The path of v1 that begins with a family's name where this one has other things before it, or has a prefix twice."""
    segments = [segment for segment in path.split("/") if segment]
    for at, segment in enumerate(segments):
        below = "/" + "/".join(segments[at:])
        if segment in TABLE.families and TABLE.find(below) is not None:
            return None if path == V1[:-1] + below else V1[:-1] + below
    return None


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - _MOST_NAMES} more" if len(known) > _MOST_NAMES else ""
    return ", ".join(known[:_MOST_NAMES]) + more
