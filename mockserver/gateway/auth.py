"""Who is calling: API keys in either header, and Entra ID tokens by their claims.

The gateway takes a key in `api-key` or as `Authorization: Bearer`, which is what every official SDK sends. A bearer that is not
a key but looks like a JWT is judged by audience and expiry; its signature is not checked.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic_core import from_json

from mockserver import errors
from mockserver.gateway import origin

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.resource.resources import Resources

AUDIENCES = frozenset(
    {
        "https://cognitiveservices.azure.com",
        "https://ai.azure.com",
        "7d312290-28c8-473c-a0ed-8e53749b6d6d",
    }
)


def authorise(resources: Resources, headers: Mapping[str, str]) -> Resource:
    """The resource that this request belongs to. Raises ApiError 401 where its credentials do not open one.

    Where none are needed, a request that a page of somewhere else may have sent is refused: ApiError 403.

    A host name of Azure's form names the resource, whose own keys must then fit; on any other host the key chooses it.
    """
    named = resources.by_host(headers.get("host", ""))
    key, bearer = headers.get("api-key"), _bearer(headers)
    for credential in (key, bearer):
        owner = resources.by_key.get(credential) if credential is not None else None
        if owner is not None and named in (None, owner):
            return owner
    resource = named or resources.default
    if resource.open:
        origin.check(headers, resources.allowed_hosts)  # a page knows no key, but none is needed here
        return resource
    if bearer is not None and _looks_like_token(bearer):
        check_token(bearer, resource.clock.now())
        return resource
    raise errors.wrong_key()


def check_token(token: str, now: float) -> None:
    """Judge a JWT's `exp`, `nbf` and `aud`. Raises ApiError 401 in the token check's own words."""
    claims = _claims(token)
    expires, not_before = claims.get("exp"), claims.get("nbf", 0)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    fits = any(isinstance(one, str) and one.rstrip("/") in AUDIENCES for one in audiences)
    timely = isinstance(expires, (int, float)) and isinstance(not_before, (int, float)) and not_before <= now < expires
    if not (fits and timely):
        raise errors.bad_token()


def _bearer(headers: Mapping[str, str]) -> str | None:
    scheme, _, credential = headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else None


def _looks_like_token(bearer: str) -> bool:
    return bearer.startswith("eyJ") and bearer.count(".") == 2


def _claims(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    try:
        claims = from_json(base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise errors.bad_token() from None
    if not isinstance(claims, dict):
        raise errors.bad_token()
    return claims
