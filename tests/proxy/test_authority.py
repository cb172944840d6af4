"""The authority: for this user alone, for Azure's names alone."""

from __future__ import annotations

import os
import ssl
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from mockserver.proxy import authority
from mockserver.proxy.authority import Authority, TlsError, cache_folder, load_authority
from mockserver.proxy.trust import STORE_PASSWORD, bundle, java_store

POSIX = pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")


def shake_hands(made: Authority, name: str) -> None:
    """A TLS handshake in memory between a server of the authority's and a client that trusts it. Raises SSLError."""
    client_side, server_side = (ssl.MemoryBIO(), ssl.MemoryBIO()), (ssl.MemoryBIO(), ssl.MemoryBIO())
    trusting = ssl.create_default_context(cadata=made.pem.decode())
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    client = trusting.wrap_bio(*client_side, server_hostname=name)
    server = made.server_context().wrap_bio(*server_side, server_side=True)
    for _ in range(4):
        for one, mine, other in ((client, client_side, server_side), (server, server_side, client_side)):
            try:
                one.do_handshake()
            except ssl.SSLWantReadError:
                pass
            finally:
                other[0].write(mine[1].read())
    assert client.version() is not None


@POSIX
def test_it_is_made_once_and_nobody_else_can_read_it(cache: Path) -> None:
    first = load_authority()
    (file,) = cache.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert cache.stat().st_mode & 0o777 == 0o700
    assert load_authority().pem == first.pem


@POSIX
def test_one_that_others_could_have_read_is_replaced(cache: Path) -> None:
    first = load_authority()
    (file,) = cache.iterdir()
    file.chmod(0o644)
    assert load_authority().pem != first.pem
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "content", [b"", b"nothing of the kind", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_spoilt_file_is_replaced(cache: Path, content: bytes) -> None:
    load_authority()
    (file,) = cache.iterdir()
    file.write_bytes(content)
    renewed = load_authority()
    assert file.read_bytes().endswith(renewed.pem)


def test_one_that_would_end_before_its_certificates_is_replaced(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(authority, "_LIFE", timedelta(days=100))
        short = load_authority()
    assert load_authority().pem != short.pem


@pytest.mark.parametrize(
    "name",
    [
        "contoso.openai.azure.com",
        "contoso.services.ai.azure.com",
        "contoso.cognitiveservices.azure.com",
        "login.microsoftonline.com",
        "localhost",
        "127.0.0.1",
    ],
)
def test_it_vouches_for_azure_and_this_machine(cache: Path, name: str) -> None:
    shake_hands(load_authority(), name)


@pytest.mark.parametrize("name", ["example.com", "evilopenai.azure.com", "a.b.openai.azure.com", "10.0.0.1"])
def test_its_server_is_nobody_else(cache: Path, name: str) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shake_hands(load_authority(), name)


@pytest.mark.parametrize("suffix", [".example.com", ".azure.com"])
def test_a_stolen_key_cannot_vouch_for_other_names(cache: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    made = load_authority()
    monkeypatch.setattr(authority, "HOSTS", (suffix,))
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shake_hands(made, f"bank{suffix}")


def test_without_the_package_a_line_says_what_to_install(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(TlsError, match=r"pip install 'azure-openai-mockserver\[tls\]'"):
        load_authority()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TlsError, match=r"authority.pem cannot be written: .*XDG_CACHE_HOME"):
        load_authority(tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("platform", "folder"), [("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local")]
)
def test_the_folder_is_the_systems_own(monkeypatch: pytest.MonkeyPatch, platform: str, folder: str) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder() == Path.home() / folder / "mockserver"


def test_what_was_trusted_before_stays_trusted(cache: Path, tmp_path: Path) -> None:
    other = load_authority(tmp_path / "other")
    (tmp_path / "company.pem").write_bytes(other.pem)
    made = load_authority()
    pem = bundle(made, {"REQUESTS_CA_BUNDLE": str(tmp_path / "company.pem"), "SSL_CERT_FILE": str(tmp_path / "missing.pem")})
    assert pem.endswith(made.pem)
    assert other.pem in pem
    (tmp_path / "again.pem").write_bytes(pem)
    assert bundle(made, {"SSL_CERT_FILE": str(tmp_path / "again.pem")}).count(made.pem) == 1
    assert pem.count(b"BEGIN CERTIFICATE") > 2  # the system's, or certifi's


def test_java_gets_the_same_certificates(cache: Path) -> None:
    from cryptography.hazmat.primitives.serialization import pkcs12

    made = load_authority()
    spoilt = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    store = pkcs12.load_pkcs12(java_store(made.pem + spoilt + made.pem), STORE_PASSWORD.encode())
    assert [entry.certificate for entry in store.additional_certs] == [made.certificate]
