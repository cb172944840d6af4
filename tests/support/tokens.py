"""Tokens that this server has not signed, and what stands in those that it has."""

from __future__ import annotations

import base64
import json
from typing import Any

Json = Any


def part(value: Json) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def foreign_token(head: Json = None, signature: str = "c2ln", **claims: Json) -> str:
    """A token of another issuer, whose signature nobody can check."""
    return f"{part({'alg': 'RS256'} if head is None else head)}.{part(claims)}.{signature}"


def claims_of(token: str) -> dict[str, Json]:
    """What a token says."""
    payload = token.split(".")[1]
    claims: dict[str, Json] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def key_set(key_id: str) -> str:
    """A JWK Set with one RSA key that nobody has the other half of."""
    modulus = base64.urlsafe_b64encode(b"\x80" + bytes(254) + b"\x01").decode().rstrip("=")
    return json.dumps({"keys": [{"kty": "RSA", "kid": key_id, "n": modulus, "e": "AQAB"}]})
