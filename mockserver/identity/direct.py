"""A token for the asking: what `mockserver token` calls. Azure has nothing like it."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.routing import Route

from mockserver.identity.issuer import HOUR, Grant, Issuer, lifetime_of
from mockserver.identity.requests import RefusedError, key_required, limited, route
from mockserver.operations.access import RoleName
from mockserver.resource.resource import Resource

Json = Any
PATH = "/_mock/identity/token"
AUDIENCE = "https://cognitiveservices.azure.com"
_LONGEST_LIFE = 10 * 366 * 86_400  # seconds


class TokenRequest(BaseModel):
    """What a token is to be like. `expires_in` is in seconds; one below zero has expired already."""

    model_config = ConfigDict(extra="forbid", strict=True)

    audience: str = AUDIENCE
    tenant: str | None = None
    roles: list[RoleName] | None = None
    expires_in: float | None = Field(default=None, ge=-_LONGEST_LIFE, le=_LONGEST_LIFE, allow_inf_nan=False)
    client: str = ""
    resource: str | None = None


def routes(issuer: Issuer) -> list[Route]:
    """The route."""
    return [route(issuer, PATH, "POST", token)]


async def token(issuer: Issuer, request: Request) -> Json:
    """A token as it is wanted; the scenario's `identity` says what the request does not."""
    owner = issuer.resource(request.headers.get("api-key"))
    if owner is None:
        raise key_required()
    wanted = _wanted(await limited(request))
    resource = _named(issuer, owner, wanted.resource, keyed=request.headers.get("api-key") in owner.keys)
    lifetime = lifetime_of(resource, HOUR) if wanted.expires_in is None else wanted.expires_in
    grant = Grant(wanted.audience, lifetime, wanted.client, wanted.tenant, wanted.roles, "1")
    issued = issuer.issue(resource, grant)
    return {"access_token": issued.token, "token_type": "Bearer", "expires_on": issued.expires, "resource": resource.name}


def _wanted(body: bytes) -> TokenRequest:
    try:
        return TokenRequest.model_validate_json(body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        roles = f"; the roles are {', '.join(get_args(RoleName))}" if place.startswith("roles") else ""
        raise _bad(f"{place}: {first['msg']}{roles}") from None


def _named(issuer: Issuer, owner: Resource, name: str | None, *, keyed: bool) -> Resource:
    """The resource of this name, or whose key was sent. A key opens no other resource than its own."""
    if name is None or name == owner.name:
        return owner
    found = issuer.resources.by_name.get(name)
    if found is None or keyed:
        raise _bad(f"there is no resource {name!r:.80}, or the key is another one's")
    return found


def _bad(message: str) -> RefusedError:
    return RefusedError(400, {"error": "invalid_request", "error_description": f"mockserver: {message}"})
