"""What checks the signatures of tokens: RSA with SHA-256, as Entra ID signs. It needs the extra `tls`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from mockserver.errors import ScenarioError

Json = Any
Verify = Callable[[bytes, bytes], bool]
"""Whether some bytes have a signature: `verify(signed, signature)`."""

MISSING = "tokens are signed and checked by the package cryptography: pip install 'azure-openai-mockserver[tls]'"


def rsa_verifier(modulus: int, exponent: int) -> Verify:
    """What checks signatures of an RSA key. Raises ValueError for numbers that are no key, ImportError without the extra."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from cryptography.hazmat.primitives.hashes import SHA256

    key = RSAPublicNumbers(exponent, modulus).public_key()

    def verify(signed: bytes, signature: bytes) -> bool:
        try:
            key.verify(signature, signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    return verify


def read_key_set(path: str) -> dict[str, Verify]:
    """The RSA keys of a JSON Web Key Set (RFC 7517) by their ids. Raises ScenarioError for a file without any."""
    try:
        document = from_json(Path(path).read_bytes(), allow_inf_nan=False)
        keys = dict(_key(entry) for entry in document["keys"] if entry["kty"] == "RSA")
    except ImportError:
        raise ScenarioError([f"jwks: {path}: {MISSING}"]) from None
    except OSError as error:
        raise ScenarioError([f"jwks: {path}: cannot be read: {error.strerror}"]) from None
    except (ValueError, TypeError, KeyError) as error:
        raise ScenarioError([f"jwks: {path}: this is not a JSON Web Key Set: {error!s:.100}"]) from None
    if not keys:
        raise ScenarioError([f"jwks: {path}: there is no RSA key in it"])
    return keys


def _key(entry: Mapping[str, Json]) -> tuple[str, Verify]:
    if not isinstance(entry["kid"], str):
        raise ValueError("a key's kid is text")
    return entry["kid"], rsa_verifier(_number(entry["n"]), _number(entry["e"]))


def _number(text: str) -> int:
    return int.from_bytes(decoded(text), "big")


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding. Raises ValueError for text that is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def encoded(data: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
