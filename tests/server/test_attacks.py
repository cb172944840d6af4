"""The server on its socket among clients that send too much, read too little, come all at once, or leave when they please."""

from __future__ import annotations

import gc
import hashlib
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from typing import Any

import pytest
from server.connections import connect, read_all, serving

from mockserver.server.server import Server

POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n"
SLOW = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n"
FLOOD = b"GET /flood HTTP/1.1\r\nhost: x\r\n\r\n"
MOMENTS = [b"", b"GET", POST % 9, POST % 9 + b"\r\nhalf", SLOW, SLOW * 3, FLOOD, b"nonsense\r\n\r\n"]


@pytest.fixture(params=["asyncio", "uvloop", "asyncio, debugging"])
def served(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[tuple[Server, int]]:
    """A server for `digest` and its port, on each event loop. Nothing may be logged, and nothing left behind."""
    loop, _, debug = request.param.partition(", ")
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    with caplog.at_level("WARNING"), serving(digest, loop=loop, debug=bool(debug)) as (server, port):
        yield server, port
    assert not server.server_state.connections
    assert not server.server_state.tasks
    gc.collect()  # what was left open is warned of now at the latest, and warnings are errors
    lines = [record.getMessage() for record in caplog.records]
    assert [line for line in lines if not line.startswith("Executing ")] == []  # asyncio's complaints of a busy machine


@pytest.fixture
def port(served: tuple[Server, int]) -> int:
    """The server's port."""
    return served[1]


async def digest(scope: Any, receive: Any, send: Any) -> None:
    """Answers a body with its digest; below /slow, never; below /flood, with 100 MB before it; below /break, with a reset."""
    digested, more = hashlib.sha256(), True
    while more:
        message = await receive()
        digested.update(message.get("body", b""))
        more = message.get("more_body", False)
    path = scope["path"]
    if path == "/slow":
        while message["type"] != "http.disconnect":
            message = await receive()
        return
    if path == "/break":
        scope["extensions"]["mockserver.wire"].reset()
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
    for _ in range(1_000 if path == "/flood" else 0):
        await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
    await send({"type": "http.response.body", "body": digested.hexdigest().encode()})


def digested(answer: bytes) -> str:
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    return answer.split(b"\r\n")[-4].decode()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_arrives_whole(port: int, chunked: bool) -> None:
    body = bytes(range(256)) * 4_096 * 20
    if chunked:
        framing = b"transfer-encoding: chunked"
        sent = (
            b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:70_000], body[70_000:])) + b"0\r\n\r\n"
        )
    else:
        framing, sent = b"content-length: %d" % len(body), body
    with closing(connect(port)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\n" + framing + b"\r\n\r\n" + sent)
        assert digested(read_all(connection)) == hashlib.sha256(body).hexdigest()


def test_a_body_is_sent_for_when_it_was_offered(port: int) -> None:
    with closing(connect(port)) as connection:
        connection.sendall(POST % 4 + b"expect: 100-continue\r\n\r\n")
        assert connection.recv(1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert digested(read_all(connection)) == hashlib.sha256(b"body").hexdigest()


def test_a_client_that_sends_far_too_large_a_head_can_read_why(port: int) -> None:
    with closing(connect(port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nx: " + b"a" * 1_000_000)
        assert read_all(connection).startswith(b"HTTP/1.1 431 ")


def test_three_hundred_connections_at_once_are_all_answered(port: int) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(connect(port))) for _ in range(300)]
        for number, connection in enumerate(connections):
            connection.sendall(POST % 3 + b"\r\n%03d" % number)
        for number, connection in enumerate(connections):
            assert digested(read_all(connection)) == hashlib.sha256(b"%03d" % number).hexdigest()


def test_a_reset_reaches_the_client(port: int) -> None:
    with closing(connect(port)) as connection:
        connection.sendall(b"GET /break HTTP/1.1\r\nhost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1_000)


def leave_rudely(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_clients_that_leave_at_any_moment_do_no_harm(port: int) -> None:
    for moment in MOMENTS:
        for leave in (socket.socket.close, leave_rudely):
            connection = connect(port)
            connection.sendall(moment)
            leave(connection)
    assert still_answers(port)


def test_a_server_stops_amid_all_of_that(served: tuple[Server, int]) -> None:
    server, port = served
    with ExitStack() as stack:
        connections = [stack.enter_context(closing(connect(port))) for _ in MOMENTS * 3]
        for connection, moment in zip(connections, MOMENTS * 3, strict=True):
            connection.sendall(moment)
        assert still_answers(port)
        connections += [stack.enter_context(closing(connect(port))) for _ in range(30)]  # that may be just being accepted
        server.stop()
        for connection in connections:
            with suppress(ConnectionError):
                read_all(connection)


def still_answers(port: int) -> bool:
    with closing(connect(port)) as connection:
        connection.sendall(POST % 0 + b"\r\n")
        return digested(read_all(connection)) == hashlib.sha256().hexdigest()
