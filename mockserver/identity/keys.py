"""The key that signs tokens. It is made at the first token, lives as long as the process, and is never written anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mockserver.resource.signatures import Verify, encoded, rsa_verifier

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

Json = Any
_BITS, _EXPONENT = 2048, 65_537
_lock = Lock()


class SigningKey:
    """An RSA key: its id, the tokens that it signs, and its public half."""

    def __init__(self, private: RSAPrivateKey) -> None:
        self._private = private
        self._public = private.public_key().public_numbers()
        self.id = encoded(sha256(_bytes(self._public.n)).digest()[:20])  # as long as Entra's

    def token(self, claims: Mapping[str, Json]) -> str:
        """A signed token (RFC 7519)."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        head = {"typ": "JWT", "alg": "RS256", "kid": self.id}
        signed = f"{encoded(to_json(head))}.{encoded(to_json(claims))}"
        return f"{signed}.{encoded(self._private.sign(signed.encode(), PKCS1v15(), SHA256()))}"

    def public(self) -> dict[str, Json]:
        """The public half as an entry of a JWK Set (RFC 7517)."""
        numbers = self._public
        return {"kty": "RSA", "use": "sig", "kid": self.id, "n": encoded(_bytes(numbers.n)), "e": encoded(_bytes(numbers.e))}

    def verifier(self) -> Verify:
        """What checks its signatures."""
        return rsa_verifier(self._public.n, self._public.e)


def signing_key() -> SigningKey:
    """The key of this process. Raises ImportError without the extra `tls`."""
    with _lock:  # two threads that ask first get the same one
        return _made()


@cache  # making one takes a tenth of a second
def _made() -> SigningKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    return SigningKey(generate_private_key(_EXPONENT, _BITS))


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
