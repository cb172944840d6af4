"""The server on its socket: requests in pieces, in a row, and cut off."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import subprocess
import sys
from collections import deque
from contextlib import closing, suppress
from threading import Thread
from typing import Any, cast

import httpx2
import pytest

from mockserver import MockServer
from mockserver.server.server import Server, listen

HI: Any = [{"role": "user", "content": "hi"}]


def spelled(mock: MockServer, path: str = "/openai/v1/chat/completions", **body: Any) -> bytes:
    content = json.dumps({"model": "gpt-4o", "messages": HI} | body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\napi-key: {mock.api_key}\r\ncontent-length: {len(content)}\r\n\r\n"
    return head.encode() + content


def connected(mock: MockServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", httpx2.URL(mock.endpoint).port or 0), timeout=5)


def read(connection: socket.socket, answers: int) -> list[bytes]:
    """So many answers, each with its head."""
    received, found = b"", []
    while len(found) < answers:
        more = connection.recv(65_536)
        assert more, "the server closed the connection"
        received += more
        while b"\r\n\r\n" in received:
            head, _, rest = received.partition(b"\r\n\r\n")
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(rest) < length:
                break
            found.append(head + b"\r\n\r\n" + rest[:length])
            received = rest[length:]
    return found


def test_requests_in_a_row_are_answered_in_their_order(mock: MockServer) -> None:
    for number in range(4):
        mock.when(user=f"number {number}").respond(f"answer {number}")
    asked = [spelled(mock, messages=[{"role": "user", "content": f"number {number}"}]) for number in range(4)]
    with closing(connected(mock)) as connection:
        connection.sendall(b"".join(asked))
        answers = read(connection, 4)
    assert [json.loads(answer.partition(b"\r\n\r\n")[2])["choices"][0]["message"]["content"] for answer in answers] == [
        f"answer {number}" for number in range(4)
    ]


@pytest.mark.parametrize("at", [10, 60, -30, -1])
def test_a_request_may_come_in_pieces(http: httpx2.Client, mock: MockServer, at: int) -> None:
    mock.when().respond("whole")
    request = spelled(mock)
    with closing(connected(mock)) as connection:
        connection.sendall(request[:at])
        assert http.get(mock.endpoint + "/_mock/health").status_code == 200  # by now the server has read the first piece
        connection.sendall(request[at:])
        (answer,) = read(connection, 1)
    assert b'"content":"whole"' in answer


def test_one_that_waits_holds_nobody_up(http: httpx2.Client) -> None:
    with MockServer() as mock:
        mock.when(user="slow").respond(text="slow", delay="30s")
        mock.when(user="hi").respond("quick")
        with closing(connected(mock)) as connection:
            connection.sendall(spelled(mock, messages=[{"role": "user", "content": "slow"}]))
            answer = http.post(
                mock.base_url + "chat/completions",
                json={"model": "gpt-4o", "messages": HI},
                headers={"api-key": mock.api_key},
            )
            assert answer.json()["choices"][0]["message"]["content"] == "quick"


@pytest.mark.parametrize(
    "respond",
    [
        {"delay": "30s"},
        {"stream": {"tokens_per_second": 1}},
        {"stream": {"stall_after": 1}},
        {"stream": {"tokens_per_second": 1_000_000}, "text": "word " * 50_000},
    ],
)
def test_a_server_stops_while_answers_are_under_way(respond: Any) -> None:
    with MockServer() as mock:
        mock.when().respond(**{"text": "one two three"} | respond)
        with closing(connected(mock)) as connection:
            connection.sendall(spelled(mock, stream=True))
            while not mock.requests:
                httpx2.get(mock.endpoint + "/_mock/health", trust_env=False)
            mock.stop()
            while connection.recv(65_536):
                pass


def test_the_head_of_a_stream_that_stalls_at_once_arrives(mock: MockServer) -> None:
    mock.when().respond(text="hello", stream={"stall_after": 0})
    with closing(connected(mock)) as connection:
        connection.sendall(spelled(mock, stream=True))
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536)
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.endswith(b"\r\n\r\n")


def test_a_request_for_the_head_alone_is_answered(http: httpx2.Client, mock: MockServer) -> None:
    answer = http.head(mock.base_url + "models", headers={"api-key": mock.api_key})
    assert (answer.status_code, answer.content) == (405, b"")
    assert http.get(mock.base_url + "models", headers={"api-key": mock.api_key}).status_code == 200


def test_a_scripted_answer_can_close_the_connection(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(status=200, body={"a": 1}, headers={"connection": "close", "x-own": "yes"})
    with closing(connected(mock)) as connection:
        connection.sendall(spelled(mock))
        (answer,) = read(connection, 1)
        assert connection.recv(1) == b""
    assert b"\r\nconnection: close\r\n" in answer
    assert b"\r\nx-own: yes\r\n" in answer


def test_a_stream_whose_pace_cannot_be_kept_holds_nobody_up(http: httpx2.Client) -> None:
    with MockServer() as mock:
        mock.when(user="endless").respond(text="word " * 30_000, stream={"tokens_per_second": 1_000_000})
        mock.when(user="hi").respond("quick")
        with closing(connected(mock)) as connection:
            connection.sendall(spelled(mock, messages=[{"role": "user", "content": "endless"}], stream=True))
            reader = Thread(target=lambda: deque(iter(lambda: connection.recv(1_048_576), b""), maxlen=0))
            reader.start()
            http.post(
                mock.base_url + "chat/completions",
                json={"model": "gpt-4o", "messages": HI},
                headers={"api-key": mock.api_key},
            )
            assert not any(exchange.streamed for exchange in mock.requests if exchange.ended)
            mock.stop()
            reader.join()


def test_without_httptools_uvicorns_own_protocol_serves() -> None:
    program = """
import sys
sys.modules["httptools"] = None
import httpx2
from mockserver import MockServer
with MockServer() as mock, httpx2.Client(trust_env=False, headers={"api-key": mock.api_key}) as client:
    mock.when().respond("hello")
    for stream in (False, True):
        body = {"model": "gpt-4o", "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
        assert "hello" in client.post(mock.base_url + "chat/completions", json=body).text
    assert client.get(mock.endpoint + "/_mock/health").status_code == 200
assert "uvicorn.protocols.http.h11_impl" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_that_was_stopped_before_it_began_leaves_nothing_open(loop: str) -> None:
    listener = listen("127.0.0.1", 0)
    server = Server(cast("Any", None), loop=loop)
    server.stop()
    server.stop()
    server.run(sockets=[listener])
    server.stop()
    assert listener.fileno() == -1


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_connections_that_are_being_accepted_at_a_stop_are_ended_too(loop: str, turns: int) -> None:
    listener = listen("127.0.0.1", 0)
    address = listener.getsockname()
    connections: list[socket.socket] = []

    async def come() -> None:
        with suppress(ConnectionError):  # once nobody listens any more
            while True:
                connections.append(socket.create_connection(address, timeout=5))
                await asyncio.sleep(0)

    class Stopping(Server):
        async def main_loop(self) -> None:
            self.coming = asyncio.create_task(come())
            for _ in range(turns):
                await asyncio.sleep(0)

    Stopping(cast("Any", None), loop=loop).run(sockets=[listener])
    gc.collect()  # a connection that was forgotten is warned of, which is an error
    for connection in connections:
        with closing(connection), suppress(ConnectionError):
            assert connection.recv(1) == b""
