"""Whom a program trusts: everybody whom it trusted before, and the mock's authority."""

from __future__ import annotations

import re
import ssl
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.proxy.authority import Authority

VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""The variables from which OpenSSL, Go and .NET on Linux, requests, curl and Node read a file of certificates to trust."""
STORE_PASSWORD = "changeit"  # what Java's own store has; it guards nothing, since certificates are public
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def bundle(authority: Authority, environment: Mapping[str, str]) -> bytes:
    """The certificates of the system, of what the environment names besides, and the authority's, as PEM."""
    named = [environment[name] for name in VARIABLES if environment.get(name)]
    content = b"\n".join([_system(), *map(_content, named), authority.pem])
    return b"\n".join(dict.fromkeys(_CERTIFICATE.findall(content))) + b"\n"  # each once, though many files have the same


def java_store(pem: bytes) -> bytes:
    """The same certificates as a store that Java reads, a PKCS #12 file. One that cannot be read is left out."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    certificates: dict[x509.Certificate, None] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # systems trust certificates with serial numbers that nobody would give today
        for found in _CERTIFICATE.findall(pem):
            with suppress(ValueError):
                certificates[x509.load_pem_x509_certificate(found)] = None
    entries = [pkcs12.PKCS12Certificate(certificate, b"%d" % at) for at, certificate in enumerate(certificates)]
    return pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(STORE_PASSWORD.encode()))


def _system() -> bytes:
    """The system's certificates, else those of the package certifi, else none."""
    for path in (ssl.get_default_verify_paths().openssl_cafile, *_BUNDLES):
        content = _content(path)
        if content:
            return content
    try:
        import certifi
    except ImportError:
        return b""
    return _content(certifi.where())


def _content(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
