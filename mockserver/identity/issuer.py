"""Who gives tokens: finds the resource that a request for one concerns, and signs what it is given."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mockserver.gateway.tokens import RESOURCE_CLAIM
from mockserver.identity.keys import SigningKey, signing_key
from mockserver.operations.access import RoleName
from mockserver.operations.encoding import printable
from mockserver.resource.signatures import MISSING
from mockserver.state.chance import Chance

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.resource.resources import Resources

Json = Any
log = logging.getLogger("mockserver")
_SYSTEM_ASSIGNED = "system-assigned"
HOUR, DAY = 3_599, 86_399  # seconds, as Entra ID counts them


class UnavailableError(Exception):
    """Tokens cannot be signed here; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is asked for. `client` is the application's or the identity's id, `lifetime` in seconds.

    `proof` is how the client has shown who it is: "1" with a secret, "2" with an assertion or as a managed identity.
    """

    audience: str
    lifetime: float
    client: str = ""
    tenant: str | None = None
    roles: Sequence[RoleName] | None = None
    proof: str = "2"


@dataclass(frozen=True, slots=True)
class Issued:
    """A token, the times of its life in Unix seconds, and the client that it was given to."""

    token: str
    not_before: int
    expires: int
    client: str

    @property
    def lifetime(self) -> int:
        """How long it holds, in seconds."""
        return self.expires - self.not_before


class Issuer:
    """Gives the tokens of one server."""

    def __init__(self, resources: Resources, *, guarded: bool) -> None:
        self.resources, self._guarded = resources, guarded

    def resource(self, *credentials: str | None) -> Resource | None:
        """The resource whose key is among the credentials, else the default one; None where a key is required."""
        owners = (self.resources.by_key.get(credential) for credential in credentials if credential)
        found = next((owner for owner in owners if owner is not None), None)
        default = self.resources.default
        return found or (default if default.open or not self._guarded else None)

    def key(self) -> SigningKey:
        """The key that signs. Raises UnavailableError without the extra `tls`."""
        try:
            key = signing_key()
        except ImportError:
            raise UnavailableError(MISSING) from None
        if key.id not in self.resources.signers:
            self.resources.signers[key.id] = key.verifier()
        return key

    def issue(self, resource: Resource, grant: Grant) -> Issued:
        """A signed token of the resource's tenant. Raises UnavailableError without the extra `tls`."""
        key, now = self.key(), int(resource.clock.now())
        client = grant.client or stable_id(resource, f"client {_SYSTEM_ASSIGNED}")
        expires = now + int(grant.lifetime)
        token = key.token(_claims(resource, grant, client, now, expires))
        log.info("token for %s · %s", printable(grant.audience[:200]), printable(client[:100]))
        return Issued(token, now, expires, client)


def lifetime_of(resource: Resource, usual: float) -> float:
    """How long a resource's tokens hold, in seconds: as its scenario says, else as is `usual` of a route."""
    chosen = resource.identity.expires_in
    return usual if chosen is None else chosen


def tenant_of(resource: Resource) -> str:
    """The id of the resource's tenant."""
    return resource.identity.tenant or stable_id(resource, "tenant")


def stable_id(resource: Resource, name: str) -> str:
    """An id that is always the same for the same name and seed."""
    return Chance(f"{resource.seed}/identity/{name}").uuid()


def _claims(resource: Resource, grant: Grant, client: str, now: int, expires: int) -> dict[str, Json]:
    """The claims of an access token of version 1, as this service's are (documented), but for ours, which names the resource."""
    tenant, principal = grant.tenant or tenant_of(resource), stable_id(resource, f"principal {client}")
    issuer = f"https://sts.windows.net/{tenant}/"
    roles = {} if grant.roles is None else {"roles": list(grant.roles)}
    return {
        "aud": grant.audience,
        "iss": issuer,
        "iat": now,
        "nbf": now,
        "exp": expires,
        "appid": client,
        "appidacr": grant.proof,
        "idp": issuer,
        "idtyp": "app",
        "oid": principal,
        **roles,
        "sub": principal,
        "tid": tenant,
        "uti": resource.chance("token", grant.audience.encode("utf-8", "replace"), client).alnum(22),
        "ver": "1.0",
        RESOURCE_CLAIM: resource.name,
    }
