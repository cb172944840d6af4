"""The proxy: Azure's names lead to the mock, allowed hosts where they are, others nowhere."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mockserver import MockServer
from mockserver.proxy.hosts import is_allowed, is_azure
from mockserver.proxy.serving import Surroundings

BODY = json.dumps({"model": "gpt-4o", "input": "hi"}).encode()
CALL = b"POST /openai/v1/responses HTTP/1.1\r\nHost: %s\r\napi-key: mock-key\r\nContent-Length: %d\r\n\r\n" + BODY


@contextmanager
def dialled(around: Surroundings, head: bytes) -> Iterator[tuple[socket.socket, bytes]]:
    """A connection to the proxy, and what it answers to `head`, up to its end or the empty line."""
    with socket.create_connection(("127.0.0.1", around.place.proxy_port), timeout=5) as connection:
        connection.sendall(head)
        answer = b""
        while b"\r\n\r\n" not in answer or (b"content-length" in answer and not answer.endswith(b"\n")):
            piece = connection.recv(4_096)
            if not piece:
                break
            answer += piece
        yield connection, answer


@contextmanager
def tunnelled(around: Surroundings, host: str) -> Iterator[ssl.SSLSocket]:
    trusting = ssl.create_default_context(cafile=around.place.bundle)
    with dialled(around, f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode()) as (connection, answer):
        assert answer.startswith(b"HTTP/1.1 200 ")
        with trusting.wrap_socket(connection, server_hostname=host) as secured:
            yield secured


def received(connection: socket.socket, count: int) -> list[int]:
    """The statuses of so many responses with a content-length."""
    data, statuses = b"", []
    while len(statuses) < count:
        head, found, rest = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]) if found else 0
        if not found or len(rest) < length:
            piece = connection.recv(65_536)
            assert piece, data
            data += piece
            continue
        statuses.append(int(head.split()[1]))
        data = rest[length:]
    return statuses


def test_a_connection_is_kept_alive_and_may_be_pipelined(around: Surroundings, resource: MockServer) -> None:
    call = CALL % (b"contoso.openai.azure.com", len(BODY))
    with tunnelled(around, "contoso.openai.azure.com") as connection:
        connection.sendall(call)
        assert received(connection, 1) == [200]
        connection.sendall(call + call)
        assert received(connection, 2) == [200, 200]
    assert [exchange.headers["host"] for exchange in resource.requests] == ["contoso.openai.azure.com"] * 3


@pytest.mark.parametrize(
    "host", ["Contoso.OpenAI.azure.com", "fabrikam.services.ai.azure.com", "x.cognitiveservices.azure.com."]
)
def test_every_name_of_azures_is_the_mock(around: Surroundings, host: str) -> None:
    with tunnelled(around, host.rstrip(".")) as connection:
        connection.sendall(CALL % (host.encode(), len(BODY)))
        assert received(connection, 1) == [200]


def test_the_control_api_is_behind_azures_names_too(around: Surroundings) -> None:
    with tunnelled(around, "contoso.openai.azure.com") as connection:
        connection.sendall(b"GET /_mock/health HTTP/1.1\r\nHost: contoso.openai.azure.com\r\n\r\n")
        assert received(connection, 1) == [200]


def test_other_hosts_are_refused_by_name(around: Surroundings, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        with dialled(around, b"CONNECT example.com:8443 HTTP/1.1\r\n\r\n") as (_, answer):
            head, _, text = answer.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 403 Forbidden\r\n")
    assert (
        text
        == "mockserver: refused to connect to example.com:8443, which is not Azure's; --allow-host example.com passes it on\n"
    )
    assert around.refused == {"example.com:8443": 2}
    assert [record.message for record in caplog.records] == [f"mockserver {text.strip().removeprefix('mockserver: ')}"]


def test_an_allowed_host_is_reached_and_bytes_pass_both_ways(around: Surroundings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def echo() -> None:
            far, _ = listener.accept()
            with far:
                while piece := far.recv(65_536):
                    far.sendall(piece)

        thread = threading.Thread(target=echo, daemon=True)
        thread.start()
        head = b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % listener.getsockname()[1]
        with dialled(around, head) as (connection, answer):
            assert answer.startswith(b"HTTP/1.1 200 ")
            sent = bytes(range(256)) * 2_000
            writing = threading.Thread(target=lambda: (connection.sendall(sent), connection.shutdown(socket.SHUT_WR)))
            writing.start()
            back = b"".join(iter(lambda: connection.recv(65_536), b""))
            writing.join()
        thread.join(timeout=5)
    assert back == sent


def test_an_allowed_host_that_is_not_there_is_a_bad_gateway(around: Surroundings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with dialled(around, b"CONNECT localhost:%d HTTP/1.1\r\n\r\n" % port) as (_, answer):
        assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert b"cannot be reached" in answer


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"405"),
        (b"CONNECT localhost HTTP/1.1\r\n\r\n", b"405"),
        (b"CONNECT localhost:99999 HTTP/1.1\r\n\r\n", b"405"),
        (b"CONNECT user@localhost:443 HTTP/1.1\r\n\r\n", b"405"),
        (b"\x16\x03\x01\r\n\r\n", b"405"),
        (b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT 127.0.0.1:22 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT contoso.openai.azure.com.example.com:443 HTTP/1.1\r\n\r\n", b"403"),
        (b"CONNECT localhost:443 HTTP/1.1\r\nx: " + b"x" * 70_000, b"431"),
    ],
)
def test_it_does_nothing_else(around: Surroundings, head: bytes, status: bytes) -> None:
    with dialled(around, head) as (_, answer):
        assert answer.split()[1] == status


def test_a_client_that_says_nothing_harms_nobody(around: Surroundings) -> None:
    with socket.create_connection(("127.0.0.1", around.place.proxy_port)) as connection:
        connection.sendall(b"CONNECT ")
    with dialled(around, b"CONNECT example.com:443 HTTP/1.1\r\n\r\n") as (_, answer):
        assert answer.split()[1] == b"403"


def test_nothing_listens_beyond_loopback(around: Surroundings) -> None:
    for port in (around.place.proxy_port, int(around.place.endpoint.rpartition(":")[2])):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) == 0
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.2", port)) != 0  # which a socket for all addresses would have too


@pytest.mark.parametrize(
    "host", [".openai.azure.com", "openai.azure.com", "azure.com", "evilopenai.azure.com", "login.microsoftonline.com.x"]
)
def test_names_that_only_look_like_azures_are_not(host: str) -> None:
    assert not is_azure(host)


def test_hosts_are_allowed_by_name_or_pattern() -> None:
    assert is_allowed("a.example.com", ["*.Example.com"])
    assert not is_allowed("example.com", ["*.example.com"])
    assert not is_allowed("a.example.com", ["example.com"])
    assert is_allowed("anything.at.all", ["*"])
