"""The surface on our own protocol: answered at once where nothing waits, however its requests come."""

from __future__ import annotations

import json
from typing import Any

import pytest
from server.connections import Client, exchange, settle

from mockserver import create_app

pytestmark = pytest.mark.anyio

HEAD = b"POST /openai/v1/chat/completions HTTP/1.1\r\nhost: x\r\napi-key: mock-key\r\ncontent-type: application/json\r\n"


def chat(message: str = "hi", *, chunked: bool = False, padding: int = 0) -> bytes:
    content = json.dumps({"model": "gpt-4o", "messages": [{"role": "user", "content": message}]}).encode() + b" " * padding
    if chunked:
        return HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\nx-trailer: 1\r\n\r\n" % (len(content), content)
    return HEAD + b"content-length: %d\r\n\r\n" % len(content) + content


def app(*rules: Any) -> Any:
    return create_app({"rules": rules or [{"respond": "hello"}]}, seed=1)


def body(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def text(answer: bytes) -> str:
    return str(body(answer)["choices"][0]["message"]["content"])


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_request_may_be_split_at_every_byte(chunked: bool) -> None:
    surface, request_ = app(), chat(chunked=chunked)
    for at in range(1, len(request_)):
        client = Client(surface)
        client.wire.protocol.data_received(request_[:at])
        assert not client.received
        client.wire.protocol.data_received(request_[at:])
        assert text(client.received) == "hello"
        assert len(client.wire.written) == 1
        assert not client.state.tasks
        await client.leave()


async def test_requests_in_one_piece_are_answered_in_their_order() -> None:
    numbers = [f"number {number}" for number in range(50)]
    client = Client(
        app(*[{"when": {"user": {"matches": f"^{number}$"}}, "respond": f"answer to {number}"} for number in numbers])
    )
    client.wire.protocol.data_received(b"".join(map(chat, numbers)))
    answers = client.received.split(b"HTTP/1.1 200 OK\r\n")[1:]
    assert [text(answer) for answer in answers] == [f"answer to {number}" for number in numbers]
    await client.leave()


async def test_one_that_takes_its_time_holds_up_those_behind_it_and_nobody_else() -> None:
    surface = app({"when": {"user": "slow"}, "respond": {"text": "slow", "delay": "1h"}}, {"respond": "quick"})
    first, second = Client(surface), Client(surface)
    await first.send(chat("slow") + chat())
    await second.send(chat())
    assert (first.received, text(second.received)) == (b"", "quick")
    await first.leave()
    assert not first.state.tasks
    (exchange, _) = surface.surface.resources.default.journal
    assert exchange.hung_up
    await second.leave()


async def test_an_expected_body_is_asked_for() -> None:
    client = Client(app())
    head, _, rest = chat().partition(b"\r\n\r\n")
    await client.send(head + b"\r\nexpect: 100-continue\r\n\r\n")
    assert client.wire.written == [b"HTTP/1.1 100 Continue\r\n\r\n"]
    await client.send(rest)
    assert text(client.wire.written[1]) == "hello"
    await client.leave()


@pytest.mark.parametrize("size", [100_000, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
async def test_bodies_of_any_size_are_read(size: int, chunked: bool) -> None:
    sent = chat(chunked=chunked, padding=size)
    client = Client(app())
    await client.send(*[sent[at : at + 50_000] for at in range(0, len(sent), 50_000)])
    assert text(client.received) == "hello"
    assert client.wire.reads
    await client.leave()


async def test_a_body_too_long_to_be_collected_is_read_while_it_comes() -> None:
    client = Client(app())
    await client.send(HEAD + b"content-length: 9000000\r\n\r\n", *[b" " * 100_000] * 10)
    assert not client.state.tasks
    await client.send(b" " * 100_000)
    assert client.state.tasks
    await client.leave()


async def test_heads_alone_and_reasons_arrive_as_the_service_sends_them() -> None:
    head = await exchange(app(), b"HEAD /openai/v1/models HTTP/1.1\r\nhost: x\r\napi-key: mock-key\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 405 ")
    assert head.endswith(b"\r\n\r\n")
    unrouted = await exchange(app(), b"GET /openai/v1/nowhere HTTP/1.1\r\nhost: x\r\napi-key: mock-key\r\n\r\n")
    assert unrouted.startswith(b"HTTP/1.1 404 Resource Not Found\r\n")


async def test_a_client_that_only_sends_is_not_answered_for_ever() -> None:
    client = Client(app(), buffers=True)
    client.wire.protocol.data_received(chat() * 500)
    assert client.received.count(b"HTTP/1.1 200 OK\r\n") < 100
    assert not client.wire.reads
    while client.received.count(b"HTTP/1.1 200 OK\r\n") < 500:
        client.wire.drain()
        await settle()
    assert client.wire.reads
    await client.leave()


@pytest.mark.parametrize("headers", [{"content-length": "seven"}, {"content-length": "2"}])
async def test_a_scripted_length_that_is_wrong_ends_the_connection(headers: Any) -> None:
    surface = app({"respond": {"status": 200, "body": {"a": 1}, "headers": headers}})
    client = Client(surface)
    await client.send(chat() + chat())
    assert client.wire.closed
    assert client.received.count(b"HTTP/1.1") == 1
    assert len(surface.surface.resources.default.journal) == 1
