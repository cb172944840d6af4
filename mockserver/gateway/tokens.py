"""Tokens of Entra ID: what stands in one, who has signed it, and whether it holds.

A token that was issued here, or that is checked against configured keys, needs its signature. The signature of any other cannot
be checked: no key of Entra ID is at hand, and none is fetched. It is judged by its claims alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from pydantic_core import from_json

from mockserver import errors
from mockserver.errors import ApiError
from mockserver.operations.access import RoleName
from mockserver.resource.signatures import Verify, decoded

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource

Json = Any
AUDIENCES = frozenset(
    {
        "https://cognitiveservices.azure.com",
        "https://ai.azure.com",
        "7d312290-28c8-473c-a0ed-8e53749b6d6d",
    }
)
RESOURCE_CLAIM = "mockserver_resource"
"""The resource for which a token was issued here. Entra ID has no such claim: it is ours."""

_ALGORITHM = "RS256"
_LONGEST = 32 * 1024  # characters; what Azure's front end takes as a header is shorter
_LONGEST_ID = 100


@dataclass(frozen=True, slots=True)
class Token:
    """A token's parts. `key` is the id of the key that is said to have signed it, "" where none is named."""

    algorithm: str
    key: str
    claims: Mapping[str, Json]
    signed: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a token stands for: the id that refusals name, and the roles, None for all rights."""

    id: str
    roles: tuple[RoleName, ...] | None


def looks_like_token(bearer: str) -> bool:
    """Whether a bearer is a token rather than a key."""
    return bearer.startswith("eyJ") and bearer.count(".") == 2


def read(text: str) -> Token:
    """A token's parts. Raises ApiError 401 for what is no signed token."""
    if len(text) > _LONGEST:
        raise errors.bad_token()
    signed, _, signature = text.rpartition(".")
    try:
        head, claims = (_json_object(part) for part in signed.split("."))
        token = Token(_text(head, "alg"), _text(head, "kid"), claims, signed.encode(), decoded(signature))
    except ValueError:
        raise errors.bad_token() from None
    if token.algorithm.lower() in ("", "none") or not token.signature:
        raise errors.bad_token()
    return token


def names_key(text: str, signers: Mapping[str, Verify]) -> bool:
    """Whether a token says that one of this server's keys has signed it."""
    try:
        return read(text).key in signers
    except ApiError:
        return False


def is_issued_here(token: Token, signers: Mapping[str, Verify]) -> bool:
    """Whether one of this server's own keys has signed the token. Raises ApiError 401 where it only says so."""
    verify = signers.get(token.key)
    if verify is None:
        return False
    _check_signature(token, verify)
    return True


def check(token: Token, resource: Resource, *, issued_here: bool) -> Principal:
    """Judge a token for a resource: signature, time, audience, tenant. Raises ApiError 401 in the token check's own words."""
    if not issued_here and resource.settings["jwks"] is not None:
        _check_signature(token, resource.token_keys.get(token.key))
    claims, tenant = token.claims, resource.identity.tenant
    fits = _is_for_service(claims.get("aud")) and _is_timely(claims, resource.clock.now())
    if not fits or (tenant is not None and claims.get("tid") != tenant):
        raise errors.bad_token()
    roles = claims.get("roles") if issued_here else None
    return Principal(_id(claims), resource.identity.roles if roles is None else tuple(roles))


def _check_signature(token: Token, verify: Verify | None) -> None:
    if token.algorithm != _ALGORITHM or verify is None or not verify(token.signed, token.signature):
        raise errors.bad_token()


def _is_for_service(audience: Json) -> bool:
    audiences = audience if isinstance(audience, list) else [audience]
    return any(isinstance(one, str) and one.rstrip("/") in AUDIENCES for one in audiences)


def _is_timely(claims: Mapping[str, Json], now: float) -> bool:
    expires, not_before = claims.get("exp"), claims.get("nbf", 0)
    return _is_number(expires) and _is_number(not_before) and not_before <= now < expires


def _is_number(value: Json) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _id(claims: Mapping[str, Json]) -> str:
    """The principal as refusals name it: by its object id, as far as the token has one."""
    names = (claims.get(name) for name in ("oid", "appid", "sub"))
    return next((name[:_LONGEST_ID] for name in names if isinstance(name, str)), "")


def _json_object(part: str) -> dict[str, Json]:
    value = from_json(decoded(part), allow_inf_nan=False)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _text(head: Mapping[str, Json], name: str) -> str:
    value = head.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} is not text")
    return value
