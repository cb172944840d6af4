"""A certificate authority for this user alone, and the certificate by which the mock is Azure to programs that trust it.

The authority is made once and kept in the user's cache folder, readable by nobody else. Its name constraints let it vouch for
Azure's host names and this machine only, so that a stolen key opens nothing more. Needs the package `cryptography` (the extra `tls`).
"""

from __future__ import annotations

import os
import ssl
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.proxy.hosts import LOGIN
from mockserver.resource.resources import HOSTS
from mockserver.state.clock import Clock

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

NAME = "mockserver's authority for Azure's names on this machine"
_FILE = "authority.pem"
_DOMAINS = (*(suffix[1:] for suffix in HOSTS), LOGIN, "localhost")
_ADDRESSES = ("127.0.0.1", "::1")
_LIFE = timedelta(days=3_650)
_LEAF_LIFE = timedelta(days=90)
_SPARE = timedelta(days=120)  # more than a certificate's life, which no authority may end before
_PAST = timedelta(days=1)  # for clocks that are behind


class TlsError(Exception):
    """There can be no TLS, for the reason in the message."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its certificate and private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate as programs read it."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return self.certificate.public_bytes(Encoding.PEM)

    def server_context(self) -> ssl.SSLContext:
        """TLS for a server that is every name of Azure's, with a fresh certificate."""
        certificate, key = _leaf(self)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        with tempfile.TemporaryDirectory() as folder:  # `load_cert_chain` reads files only; the folder is the user's alone
            path = Path(folder, "chain.pem")
            path.write_bytes(_pem_of_key(key) + certificate)
            context.load_cert_chain(path)
        return context


def load_authority(folder: Path | None = None) -> Authority:
    """This user's authority, made where there is none that can be used. Raises TlsError."""
    path = (folder or cache_folder()) / _FILE
    _check_package()
    with suppress(OSError, ValueError):
        if _is_private(path):
            authority = _read(path.read_bytes())
            if authority.certificate.not_valid_after_utc > _now() + _SPARE:
                return authority
    authority = _create()
    try:
        _keep(path, _pem_of_key(authority.key) + authority.pem)
    except OSError as error:
        raise _unkept(path, error) from None
    return authority


def cache_folder() -> Path:
    """Where this user's programs keep what can be made again."""
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"], "mockserver")
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local", "mockserver")
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "mockserver"


def keep_trusted(pem: bytes) -> Path:
    """Write certificates to trust where programs find them at any time, beside the authority. Raises TlsError."""
    path = cache_folder() / "trusted.pem"
    try:
        _keep(path, pem)
    except OSError as error:
        raise _unkept(path, error) from None
    return path


def _unkept(path: Path, error: OSError) -> TlsError:
    return TlsError(f"{path} cannot be written: {error.strerror}. XDG_CACHE_HOME can name another folder.")


def _check_package() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise TlsError("TLS needs the package cryptography: pip install 'azure-openai-mockserver[tls]'") from None


def _is_private(path: Path) -> bool:
    """Whether a file is this user's, and for no one else to read. Raises OSError where there is none."""
    state = path.stat()
    return os.name == "nt" or (state.st_uid == os.getuid() and not state.st_mode & 0o077)


def _keep(path: Path, content: bytes) -> None:
    """Write a file that only this user can read, whole at any moment. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, written = tempfile.mkstemp(dir=path.parent)  # which has mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(written, path)
    except OSError:
        os.unlink(written)
        raise


def _read(pem: bytes) -> Authority:
    """The authority in a file's bytes. Raises ValueError."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("another kind of key")
    return Authority(x509.load_pem_x509_certificate(pem), key)


def _create() -> Authority:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject(NAME)
    names: list[x509.GeneralName] = [x509.DNSName(domain) for domain in _DOMAINS]
    names += [x509.IPAddress(ip_network(address)) for address in _ADDRESSES]
    builder = _builder(name, name, key, _LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(x509.NameConstraints(permitted_subtrees=names, excluded_subtrees=None), critical=True)
    builder = builder.add_extension(_usage(signs=True), critical=True)
    return Authority(builder.sign(key, hashes.SHA256()), key)


def _leaf(authority: Authority) -> tuple[bytes, ec.EllipticCurvePrivateKey]:
    """A certificate for every name of Azure's and for this machine, as PEM, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in (*(f"*{suffix}" for suffix in HOSTS), LOGIN, "localhost")]
    names += [x509.IPAddress(ip_address(address)) for address in _ADDRESSES]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    builder = _builder(_subject("mockserver"), authority.certificate.subject, key, _LEAF_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(_usage(signs=False), critical=True)
    builder = builder.add_extension(issuer, critical=False)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(Encoding.PEM), key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta
) -> x509.CertificateBuilder:
    from cryptography import x509

    public, now = key.public_key(), _now()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - _PAST).not_valid_after(now + life)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _subject(name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, signs: bool) -> x509.KeyUsage:
    """What a key is for: signing certificates, or TLS."""
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _now() -> datetime:
    return datetime.fromtimestamp(Clock().now(), UTC)
