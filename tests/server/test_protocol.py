"""HTTP/1.1 as our own protocol speaks it: whole requests and broken ones, fast clients and slow ones, in memory."""

from __future__ import annotations

import asyncio
import json
import logging
import tracemalloc
from typing import Any

import pytest
from server.connections import Client, exchange, settle

pytestmark = pytest.mark.anyio

HEAD = b"POST /a?b=c HTTP/1.1\r\nhost: x\r\n"
POST = HEAD + b"content-length: 5\r\nX-Name: value\r\n\r\nhello"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2;ext=1\r\nlo\r\n0\r\nx-trailer: 1\r\nx-last: 2\r\n\r\n"
GET = b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n"
BAD = b"HTTP/1.1 400 Bad Request\r\n"
LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n"


async def body_of(receive: Any) -> bytes | None:
    """A request's whole body, None where the client left."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message["body"]
        if not message["more_body"]:
            return body


async def respond(send: Any, body: bytes, *headers: tuple[bytes, bytes], status: int = 200) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what it saw of the request."""
    body = await body_of(receive)
    if body is not None:
        names = [name.decode() for name, _ in scope["headers"]]
        seen = [scope["method"], scope["path"], scope["query_string"].decode(), names, body.decode()]
        await respond(send, json.dumps(seen).encode())


def seen(answer: bytes) -> Any:
    """What `echo` saw."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), answer
    return json.loads(body)


# -- requests, however they come


@pytest.mark.parametrize("request_", [POST, CHUNKED], ids=["length", "chunked"])
async def test_a_request_may_be_split_at_every_byte(request_: bytes) -> None:
    whole = await exchange(echo, request_)
    assert seen(whole)[4] == "hello"
    for at in range(1, len(request_)):
        assert await exchange(echo, request_[:at], request_[at:]) == whole
    assert await exchange(echo, *[request_[at : at + 1] for at in range(len(request_))]) == whole


async def test_the_scope_is_asgis() -> None:
    scopes = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await respond(send, b"")

    await exchange(app, b"GET /caf%C3%A9%2F?x=%20 HTTP/1.1\r\nHost: x\r\nA: b\r\na: c\r\n\r\n")
    (scope,) = scopes
    wanted = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/café/",
        "raw_path": b"/caf%C3%A9%2F",
        "query_string": b"x=%20",
        "root_path": "",
        "headers": [(b"host", b"x"), (b"a", b"b"), (b"a", b"c")],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 80),
    }
    assert {name: scope[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [(b"http://host/p?q", "/p", "q"), (b"http://host", "/", ""), (b"/p#part", "/p", ""), (b"//p?", "//p", ""), (b"*", "*", "")],
)
async def test_targets_of_every_form_are_understood(target: bytes, path: str, query: str) -> None:
    answer = seen(await exchange(echo, b"GET %b HTTP/1.1\r\nhost: x\r\n\r\n" % target))
    assert answer[1:3] == [path, query]


async def test_trailers_become_nobodys_headers() -> None:
    answers = await exchange(echo, CHUNKED + GET % 1)
    first, second = [part for part in answers.split(b"HTTP/1.1 200 OK\r\n") if part]
    assert b"x-trailer" not in first + second
    assert json.loads(second.partition(b"\r\n\r\n")[2]) == ["GET", "/1", "", ["host"], ""]


async def test_requests_in_a_row_are_answered_in_their_order_one_at_a_time() -> None:
    running, gates = [], {f"/{number}": asyncio.Event() for number in range(4)}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        running.append(scope["path"])
        await gates[scope["path"]].wait()
        await respond(send, scope["path"].encode())

    client = Client(app)
    await client.send(b"".join(GET % number for number in range(4)))
    assert (running, client.wire.reads) == (["/0"], False)
    for number in (3, 1, 0, 2):
        gates[f"/{number}"].set()
        await settle()
    bodies = [part[-2:] for part in client.received.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [b"/0", b"/1", b"/2", b"/3"]
    assert client.wire.reads


async def test_thousands_of_requests_in_one_piece_are_all_answered() -> None:
    client = Client(echo)
    client.wire.protocol.data_received(b"".join(GET % number for number in range(2_000)))
    while client.state.total_requests < 2_000:
        await settle()
    assert client.received.count(b"HTTP/1.1 200 OK\r\n") == 2_000


async def test_a_body_is_asked_for_once_somebody_wants_it() -> None:
    client = Client(echo)
    await client.send(HEAD + b"content-length: 5\r\nExpect: 100-Continue\r\n\r\n")
    assert client.wire.written == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    await client.send(b"he", b"llo")
    assert seen(client.received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"))[4] == "hello"
    assert not client.wire.closed


async def test_a_body_that_comes_unasked_is_not_asked_for() -> None:
    assert b"100 Continue" not in await exchange(echo, HEAD + b"content-length: 5\r\nexpect: 100-continue\r\n\r\nhello")


async def test_an_answer_without_a_look_at_the_expected_body_ends_the_connection() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, b"no")

    client = Client(app)
    await client.send(HEAD + b"content-length: 5\r\nexpect: 100-continue\r\n\r\n")
    assert b"\r\nconnection: close\r\n" in client.received
    assert client.wire.closed


async def test_a_body_that_nobody_reads_does_not_harm_the_next_request() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, scope["path"].encode())

    client = Client(app)
    await client.send(HEAD + b"content-length: 300000\r\n\r\n", *[b"x" * 100_000] * 3, GET % 7)
    assert client.received.endswith(b"\r\n\r\n/7")


async def test_a_body_that_nobody_reads_takes_no_memory() -> None:
    client, piece = Client(stream), b"x" * 1_000_000
    await client.send(HEAD + b"content-length: 50000000\r\n\r\n")
    tracemalloc.start()
    try:
        await client.send(*[piece] * 49)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


# -- requests that are refused


@pytest.mark.parametrize(
    "headers",
    [
        b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n",
        b"content-length: 3\r\ncontent-length: 5\r\n\r\nabc",
        b"content-length: +3\r\n\r\nabc",
        b"content-length: -1\r\n\r\nabc",
        b"content-length: 3, 3\r\n\r\nabc",
        b"content-length: 99999999999999999999999\r\n\r\nabc",
        b"transfer-encoding: gzip\r\n\r\nabc",
        b"transfer-encoding: chunked, gzip\r\n\r\nabc",
        b"transfer-encoding: xchunked\r\n\r\nabc",
        b"x: a\0b\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n-3\r\nabc\r\n",
        b"transfer-encoding: chunked\r\n\r\nfffffffffffffffffff\r\nabc",
        b"transfer-encoding: chunked\r\n\r\n3\r\nabcdef\r\n",
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused_and_nothing_behind_it_is_served(headers: bytes) -> None:
    served = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        served.append(scope["path"])
        await echo(scope, receive, send)

    client = Client(app)
    await client.send(HEAD + headers + GET % 666, GET % 667)
    assert client.received.startswith(BAD)
    assert client.received.count(b"HTTP/1.1") == 1
    assert client.wire.ended
    assert "/666" not in served
    assert "/667" not in served


@pytest.mark.parametrize(
    "request_",
    [
        b"GOT / HTTP/1.1\r\n\r\n",
        b"get / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET / HTTP/3\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET nowhere HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 100,
    ],
)
async def test_what_is_no_request_is_refused(request_: bytes) -> None:
    client = Client(echo)
    await client.send(request_)
    assert client.received.startswith(BAD)
    assert b"\r\nconnection: close\r\n" in client.received
    assert client.wire.ended


async def dribble(client: Client, piece: bytes) -> None:
    """Send the same bytes again and again, until the server has heard enough."""
    for _ in range(2_000):
        await client.send(piece)
        if client.received:
            return


@pytest.mark.parametrize(
    "begin",
    [
        b"GET /",
        HEAD + b"x: ",
        HEAD + b"x",
        HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\nx-trailer: ",
        HEAD + b"transfer-encoding: chunked\r\n\r\n3;extension",
    ],
    ids=["target", "value", "name", "trailer", "chunk extension"],
)
async def test_heads_are_limited_however_slowly_they_come(begin: bytes) -> None:
    client = Client(echo)
    await client.send(begin)
    await dribble(client, b"a" * 1_000)
    assert client.received.startswith(LARGE)
    assert client.wire.ended


@pytest.mark.parametrize(
    "head",
    [HEAD + b"x: " + b"a" * 70_000, HEAD + b"a: b\r\n" * 300, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: x"],
    ids=["one header", "many headers", "target"],
)
async def test_heads_are_limited_also_in_one_piece(head: bytes) -> None:
    assert (await exchange(echo, head + b"\r\n\r\n" + b"x" * 10)).startswith(LARGE)


async def test_a_head_may_be_large() -> None:
    assert seen(await exchange(echo, HEAD + b"authorization: " + b"a" * 40_000 + b"\r\n" + b"a: b\r\n" * 150 + b"\r\n"))


async def test_a_refusal_waits_for_the_answers_before_it() -> None:
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await respond(send, b"first")

    client = Client(app)
    await client.send(GET % 1 + b"nonsense\r\n\r\n")
    assert client.received == b""
    gate.set()
    await settle()
    first, _, second = client.received.partition(b"first")
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert second.startswith(BAD)


@pytest.mark.parametrize(("starts", "wanted"), [(False, BAD), (True, b"HTTP/1.1 200 OK\r\n")])
async def test_a_body_that_breaks_ends_its_request(starts: bool, wanted: bytes) -> None:
    messages = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if starts:
            await send({"type": "http.response.start", "status": 200})
        messages.append(await receive())
        messages.append(await receive())

    client = Client(app)
    await client.send(HEAD + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", b"zzz\r\n")
    assert [message["type"] for message in messages] == ["http.request", "http.disconnect"]
    assert client.received.startswith(wanted)
    assert client.received.count(b"HTTP/1.1") == 1
    assert client.wire.closed or client.wire.ended


# -- answers


async def test_head_and_body_leave_in_one_write() -> None:
    client = Client(echo)
    await client.send(POST)
    assert len(client.wire.written) == 1


async def test_a_head_does_not_wait_for_a_body_that_takes_its_time() -> None:
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await gate.wait()
        await send({"type": "http.response.body", "body": b"at last"})

    client = Client(app)
    await client.send(GET % 1)
    assert client.received.endswith(b"\r\ncontent-type: text/plain\r\n\r\n")
    gate.set()
    await settle()
    assert client.received.endswith(b"\r\n\r\n7\r\nat last\r\n0\r\n\r\n")


async def test_answers_carry_the_servers_headers_of_the_moment() -> None:
    client = Client(echo)
    for date in (b"today", b"tomorrow"):
        client.state.default_headers = [(b"date", date)]
        await client.send(POST)
        assert b"HTTP/1.1 200 OK\r\ndate: %b\r\n" % date in client.wire.written[-1]


async def stream(scope: Any, receive: Any, send: Any) -> None:
    """Answers in two pieces, without a length."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    await send({"type": "http.response.body", "body": b"two"})


async def test_an_answer_without_a_length_comes_in_chunks() -> None:
    client = Client(stream)
    await client.send(GET % 1)
    assert client.received == b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"
    assert not client.wire.closed


async def test_a_client_of_http_1_0_gets_no_chunks() -> None:
    client = Client(stream)
    await client.send(b"GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n")
    assert client.received == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nonetwo"
    assert client.wire.closed


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"GET", 204), (b"GET", 304)])
async def test_answers_without_a_body_have_none(method: bytes, status: int) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"x", b"y")]})
        await send({"type": "http.response.body", "body": b"not to be sent"})

    client = Client(app)
    await client.send(method + b" / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert client.received.endswith(b"\r\nx: y\r\n\r\n")
    assert b"transfer-encoding" not in client.received
    assert not client.wire.closed


@pytest.mark.parametrize("by", ["client", "application"])
async def test_either_side_can_end_the_connection_with_an_answer(by: str) -> None:
    served = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        served.append(scope["path"])
        await respond(send, b"last", *([(b"Connection", b"close")] if by == "application" else []))

    client = Client(app)
    wish = b"connection: close\r\n" if by == "client" else b""
    await client.send(b"GET /1 HTTP/1.1\r\nhost: x\r\n%b\r\n" % wish + GET % 2 + GET % 3)
    assert client.received.lower().count(b"connection: close\r\n") == 1
    assert client.received.endswith(b"\r\n\r\nlast")
    assert client.wire.closed
    assert served == ["/1"]


async def test_an_answer_may_have_a_reason_of_its_own() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 404, "reason": "Resource Not Found"})
        await send({"type": "http.response.body"})

    assert (await exchange(app, GET % 1)).startswith(b"HTTP/1.1 404 Resource Not Found\r\n")


# -- applications that fail


async def raises(scope: Any, receive: Any, send: Any) -> None:
    raise ValueError("on purpose")


async def returns_early(scope: Any, receive: Any, send: Any) -> None:
    pass


async def sends_out_of_turn(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.body", "body": b"no head yet"})


async def splits_the_head(scope: Any, receive: Any, send: Any) -> None:
    await respond(send, b"", (b"x", b"a\r\nset-cookie: b"))


@pytest.mark.parametrize("app", [raises, returns_early, sends_out_of_turn, splits_the_head])
async def test_an_application_that_fails_before_its_answer_gives_a_500(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = Client(app)
    with caplog.at_level(logging.ERROR, "mockserver.server"):
        await client.send(POST)
    assert client.received.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert b"set-cookie" not in client.received
    assert client.wire.closed
    assert [record.message for record in caplog.records] == ["POST '/a' failed"]


async def stops_midway(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
    await send({"type": "http.response.body", "body": b"12345", "more_body": True})
    await send({"type": "http.response.body", "body": b"6789012345"})


async def starts_twice(scope: Any, receive: Any, send: Any) -> None:
    for _ in range(2):
        await send({"type": "http.response.start", "status": 200})


@pytest.mark.parametrize("app", [stops_midway, starts_twice])
async def test_one_that_fails_during_its_answer_ends_the_connection(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = Client(app)
    await client.send(POST)
    assert client.received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert client.received.count(b"HTTP/1.1") == 1
    assert b"6789" not in client.received
    assert client.wire.closed


async def test_one_that_fails_after_its_answer_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, b"fine")
        raise ValueError("in the background")

    client = Client(app)
    await client.send(GET % 1, GET % 2)
    assert client.received.count(b"fine") == 2
    assert not client.wire.closed
    assert len(caplog.records) == 2


# -- flow control


async def test_reading_pauses_while_the_application_is_behind() -> None:
    gate, bodies = asyncio.Event(), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        bodies.append(await body_of(receive))
        await respond(send, b"")

    client = Client(app)
    await client.send(HEAD + b"content-length: 200000\r\n\r\n", b"x" * 60_000)
    assert client.wire.reads
    await client.send(b"x" * 60_000)
    assert not client.wire.reads
    gate.set()
    await settle()
    assert client.wire.reads
    await client.send(b"x" * 80_000)
    assert bodies == [b"x" * 200_000]


async def test_an_application_waits_for_a_slow_reader() -> None:
    sent = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        for number in range(100):
            await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
            sent.append(number)
        await send({"type": "http.response.body"})

    client = Client(app, buffers=True)
    await client.send(GET % 1)
    assert len(sent) == 7  # of 10 kB each, beyond the 64 kB that the transport takes
    while len(sent) < 100:
        before = len(sent)
        client.wire.drain()
        await settle()
        assert len(sent) - before <= 8
    client.wire.drain()
    await settle()
    assert client.received.endswith(b"0\r\n\r\n")


async def test_a_client_that_only_sends_is_not_read_for_ever() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await respond(send, b"x" * 10_000)

    client = Client(app, buffers=True)
    for _ in range(100):
        if not client.wire.reads:
            break
        await client.send((GET % 1) * 5)
    assert not client.wire.reads
    assert len(client.received) < 100_000
    asked = client.state.total_requests
    while not client.wire.reads:
        client.wire.drain()
        await settle()
    assert client.state.total_requests >= asked


# -- clients that leave


async def test_whoever_waits_learns_that_the_client_left() -> None:
    messages = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        messages.extend(await asyncio.gather(receive(), receive()))
        for _ in range(3):
            await respond(send, b"for nobody")

    client = Client(app)
    await client.send(GET % 1)
    await client.leave()
    assert messages == [{"type": "http.disconnect"}] * 2
    assert not client.received
    assert not client.state.tasks
    assert not client.state.connections


async def test_one_that_is_answered_counts_as_gone_for_its_application() -> None:
    messages = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await respond(send, b"")
        messages.append(await receive())

    client = Client(app)
    await client.send(GET % 1)
    assert messages == [{"type": "http.disconnect"}]
    assert not client.wire.closed


async def test_one_who_leaves_with_an_answer_half_read_sets_its_application_free() -> None:
    done = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        for _ in range(100):
            await send({"type": "http.response.body", "body": b"x" * 10_000, "more_body": True})
        done.set()

    client = Client(app, buffers=True)
    await client.send(GET % 1)
    assert not done.is_set()
    await client.leave()
    while not done.is_set():
        await settle()
    assert not client.state.tasks
    assert len(client.received) < 100_000


# -- upgrades


UPGRADE = b"GET /chat?x=1 HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: WebSocket\r\nsec-websocket-key: abc\r\n\r\n"


class Websocket(asyncio.Protocol):
    """Remembers what it was given."""

    made: list[Websocket]

    def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
        self.transport: Any = None
        self.received = b""
        self.made.append(self)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data


async def test_a_websocket_is_handed_on() -> None:
    Websocket.made = []
    client = Client(echo, ws=Websocket)
    await client.send(UPGRADE + b"frames", b"and more")
    (successor,) = Websocket.made
    assert successor.received == UPGRADE + b"framesand more"
    assert successor.transport is client.wire
    assert client.protocol not in client.state.connections
    assert not client.received


async def test_a_websocket_behind_a_request_that_waits_is_refused() -> None:
    Websocket.made = []
    client = Client(echo, ws=Websocket)
    await client.send(GET % 1 + UPGRADE)
    assert client.received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert BAD in client.received
    assert not Websocket.made


async def test_a_websocket_that_is_not_served_is_a_request_like_any_other() -> None:
    assert seen(await exchange(echo, UPGRADE))[:3] == ["GET", "/chat", "x=1"]


@pytest.mark.parametrize("ws", ["none", Websocket])
@pytest.mark.parametrize("at", [40, -6, -5, -2])
async def test_a_wish_for_http_2_costs_no_body(ws: Any, at: int) -> None:
    """As Java's client sends it with its first request."""
    wish = HEAD + b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\ncontent-length: 5\r\n\r\nhello"
    assert seen(await exchange(echo, wish[:at], wish[at:], ws=ws))[4] == "hello"


# -- the end of a connection


class Timers:
    """A loop's clock and timers, which move by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.set = 0.0, list[tuple[float, Any]]()
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda: self.now)
        monkeypatch.setattr(loop, "call_at", self._call_at)

    def _call_at(self, due: float, callback: Any, *arguments: Any) -> Any:
        timers, entry = self.set, (due, callback)

        class Handle:
            def cancel(self) -> None:
                if entry in timers:
                    timers.remove(entry)

        self.set.append(entry)
        return Handle()

    async def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for entry in [entry for entry in self.set if entry[0] <= self.now]:
            self.set.remove(entry)
            entry[1]()
        await settle()


async def test_a_connection_ends_after_240_idle_seconds_and_no_earlier(monkeypatch: pytest.MonkeyPatch) -> None:
    timers, client = Timers(monkeypatch), Client(echo)
    for _ in range(3):
        await timers.pass_time(100)
        await client.send(POST)
        assert len(timers.set) == 1
    await timers.pass_time(239)
    assert not client.wire.closed
    await timers.pass_time(1)
    assert client.wire.closed
    assert not timers.set


async def test_a_connection_on_which_an_answer_takes_long_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await respond(send, b"")

    timers, client = Timers(monkeypatch), Client(app)
    await client.send(GET % 1)
    await timers.pass_time(1_000)
    gate.set()
    await settle()
    await timers.pass_time(239)
    assert not client.wire.closed
    await timers.pass_time(1)
    await timers.pass_time(240)
    assert client.wire.closed


async def test_a_connection_that_is_gone_leaves_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    timers, client = Timers(monkeypatch), Client(echo)
    await client.send(POST)
    await client.leave()
    assert not timers.set


async def test_a_refused_client_that_does_not_leave_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    timers, client = Timers(monkeypatch), Client(echo)
    await client.send(b"nonsense\r\n\r\n", b"more\r\n\r\n")
    assert client.received.startswith(BAD)
    assert not client.wire.closed
    await timers.pass_time(2)
    assert client.wire.closed


@pytest.mark.parametrize("busy", [True, False])
async def test_a_graceful_stop_waits_for_answers(busy: bool) -> None:
    gate = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await respond(send, b"last words")

    client = Client(app)
    if busy:
        await client.send(GET % 1)
    client.protocol.shutdown()
    assert client.wire.closed is not busy
    gate.set()
    await settle()
    assert client.wire.closed
    assert client.received.endswith(b"last words") is busy
    assert (b"connection: close" in client.received) is busy


# -- past HTTP


async def test_bytes_go_over_the_wire_as_they_are_each_by_itself() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        wire = scope["extensions"]["mockserver.wire"]
        wire.write(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n")
        wire.write(b"\r\nshort")

    client = Client(app)
    await client.send(GET % 1, GET % 2)
    assert client.wire.written == [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n", b"\r\nshort"] * 2
    assert not client.wire.closed


async def test_an_answer_can_be_cut_at_a_byte() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        scope["extensions"]["mockserver.wire"].write(b"short")
        scope["extensions"]["mockserver.wire"].close()
        await send({"type": "http.response.body", "body": b"dropped"})

    client = Client(app)
    await client.send(GET % 1 + GET % 2)
    assert client.received == b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"
    assert client.wire.closed
