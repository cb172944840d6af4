"""Opaque content, such as encrypted reasoning: what callers send back has to be what the same resource has sent (reported)."""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from hmac import compare_digest

from mockserver.errors import ApiError, request_error
from mockserver.state.chance import Chance

_SIGNATURE = 32  # bytes at the end
_LEAST = 1 + 8 + 16 + _SIGNATURE


class Seal:
    """One resource's. Nothing is encrypted: the content is chance, and what proves its origin is the signature at its end.

    The key depends on the resource's `name` and `seed` alone, so that content outlives a restart, and not on a model.
    """

    __slots__ = ("_key",)

    def __init__(self, name: str, seed: str) -> None:
        self._key = blake2b(f"{name}/{seed}".encode(), digest_size=32).digest()

    def content(self, chance: Chance, created: int, size: int) -> str:
        """`16 * size` bytes that look encrypted: url-safe base64 that begins with `gAAAAA`."""
        token = b"\x80" + created.to_bytes(8, "big") + chance.bytes(16 + 16 * size)
        return base64.urlsafe_b64encode(token + self._signature(token)).decode()

    def is_own(self, content: str) -> bool:
        """Whether this resource made the content, to the last character."""
        try:
            token = base64.urlsafe_b64decode(content)
        except (binascii.Error, ValueError):
            return False
        if len(token) < _LEAST or base64.urlsafe_b64encode(token).decode() != content:
            return False  # base64 can be read from more texts than it is written as
        return compare_digest(token[-_SIGNATURE:], self._signature(token[:-_SIGNATURE]))

    def _signature(self, token: bytes) -> bytes:
        return blake2b(token, key=self._key, digest_size=_SIGNATURE).digest()


def unverified(content: str) -> ApiError:
    """Content that was forged, altered, or made by another resource (reported, also from Azure)."""
    message = f"The encrypted content {content[:4]}...{content[-4:]} could not be verified."
    return request_error(message, code="invalid_encrypted_content")
