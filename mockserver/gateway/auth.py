"""Who is calling, and what that one may do: API keys in either header, and tokens of Entra ID.

The gateway takes a key in `api-key` or as `Authorization: Bearer`, which is what every official SDK sends. A bearer that is not
a key but looks like a JWT is judged as a token (`tokens.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mockserver import errors
from mockserver.gateway import origin, tokens
from mockserver.gateway.paths import DEPLOYMENTS, ROOT, V1
from mockserver.operations import access
from mockserver.scenario.identity import Identity

if TYPE_CHECKING:
    from mockserver.gateway.paths import Target
    from mockserver.gateway.tokens import Principal
    from mockserver.operations.table import Operation
    from mockserver.resource.resource import Resource
    from mockserver.resource.resources import Resources


def authorise(resources: Resources, headers: Mapping[str, str]) -> tuple[Resource, Principal | None]:
    """The resource that this request belongs to, and whom its token stands for, None where it came with a key.

    Raises ApiError 401 where its credentials do not open a resource. Where none are needed, a request that a page of somewhere
    else may have sent is refused: ApiError 403.

    A host name of Azure's form names the resource, whose own keys must then fit; on any other host the key chooses it, or the
    token, if it was issued here for one resource.
    """
    named = resources.by_host(headers.get("host", ""))
    key, bearer = headers.get("api-key"), _bearer(headers)
    for credential in (key, bearer):
        owner = resources.by_key.get(credential) if credential is not None else None
        if owner is not None and named in (None, owner):
            return owner, None
    resource = named or resources.default
    if bearer is not None and tokens.looks_like_token(bearer) and _is_judged(resources, resource, bearer):
        return _by_token(resources, bearer, named)
    if resource.open:
        origin.check(headers, resources.allowed_hosts)  # a page knows no key, but none is needed here
        return resource, None
    raise errors.wrong_key()


def _is_judged(resources: Resources, resource: Resource, bearer: str) -> bool:
    """Whether a token has to hold. Where every credential is accepted, those that were issued here have to, and any other
    where the scenario has something to say about identity.
    """
    return not resource.open or resource.identity != Identity() or tokens.names_key(bearer, resources.signers)


def _by_token(resources: Resources, bearer: str, named: Resource | None) -> tuple[Resource, Principal]:
    token = tokens.read(bearer)
    issued_here = tokens.is_issued_here(token, resources.signers)
    meant = resources.by_name.get(token.claims.get(tokens.RESOURCE_CLAIM, "")) if issued_here else None
    resource = named or meant or resources.default
    return resource, tokens.check(token, resource, issued_here=issued_here)


def permit(resource: Resource, principal: Principal | None, operation: Operation, target: Target) -> None:
    """Check what a caller may do. Raises ApiError 403 for a key where none are accepted, 401 for a role that does not suffice."""
    if principal is None:
        if not resource.identity.local_auth:
            raise errors.local_auth_disabled()
    elif principal.roles is not None:
        action = access.data_action(operation)
        if not access.allows(principal.roles, action):
            raise errors.permission_denied(
                principal.id, access.PREFIX + action, f"{operation.method} {_template(operation, target)}"
            )


def _template(operation: Operation, target: Target) -> str:
    """The operation's path with its parameters' names, as refusals have it (reported, for both kinds of path)."""
    if not target.legacy_api:
        return V1[:-1] + operation.path
    deployment = f"/{DEPLOYMENTS}/{{deployment-id}}" if target.deployment is not None else ""
    return ROOT[:-1] + deployment + operation.path


def _bearer(headers: Mapping[str, str]) -> str | None:
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else None
