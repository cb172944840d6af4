"""Clients without a socket: they stream, break, wait and leave as over TCP, in any thread, and leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import json
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Any

import httpx
import httpx2
import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI

from mockserver import MockServer, create_app
from mockserver.resource.journal import Exchange
from mockserver.testing import transport
from mockserver.testing.transport.connection import WINDOW

CHAT = "http://mock/openai/v1/chat/completions"
KEY = {"api-key": "mock-key"}
LONG = "one two three four five six seven eight"
LIBRARIES = [pytest.param(httpx2, id="httpx2"), pytest.param(httpx, id="httpx")]
SYNC = {httpx2: transport.client, httpx: transport.legacy_client}
ASYNC = {httpx2: transport.async_client, httpx: transport.legacy_async_client}
START = {"type": "http.response.start", "status": 200, "headers": []}


def chat(**body: Any) -> Any:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]} | body


def scripted(**answer: Any) -> Any:
    return create_app({"rules": [{"respond": {"text": LONG} | answer}]})


def exchanges(app: Any) -> list[Exchange]:
    return list(app.state.resources.default.journal)


def texts(sse: str) -> list[str]:
    chunks = [json.loads(line[6:]) for line in sse.splitlines() if line.startswith("data: {")]
    return [chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if chunk["choices"]]


def piece(data: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def read_until_it_breaks(client: Any, url: str = CHAT, **body: Any) -> tuple[str, BaseException | None]:
    read = ""
    try:
        with client.stream("POST", url, json=chat(**body), headers=KEY) as answer:
            for part in answer.iter_text():
                read += part
    except (httpx2.HTTPError, httpx.HTTPError) as error:
        return read, error
    return read, None


async def aread_until_it_breaks(client: Any, **body: Any) -> tuple[str, BaseException | None]:
    read = ""
    try:
        async with client.stream("POST", CHAT, json=chat(**body), headers=KEY) as answer:
            async for part in answer.aiter_text():
                read += part
    except (httpx2.HTTPError, httpx.HTTPError) as error:
        return read, error
    return read, None


# -- answers


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_sdk_is_answered_and_streams(library: Any) -> None:
    with SYNC[library](scripted()) as http:
        client = OpenAI(base_url="http://mock/openai/v1/", api_key="mock-key", http_client=http)
        assert client.chat.completions.create(**chat()).choices[0].message.content == LONG
        assert client.responses.create(model="gpt-4o", input="hi").output_text == LONG
        with client.responses.stream(model="gpt-4o", input="hi") as stream:
            assert [event.type for event in stream][-1] == "response.completed"
            assert stream.get_final_response().output_text == LONG


@pytest.mark.anyio
@pytest.mark.parametrize("library", LIBRARIES)
async def test_the_asynchronous_sdk_is_answered_and_streams(library: Any) -> None:
    async with ASYNC[library](scripted()) as http:
        client = AsyncOpenAI(base_url="http://mock/openai/v1/", api_key="mock-key", http_client=http)
        assert (await client.chat.completions.create(**chat())).choices[0].message.content == LONG
        chunks = [chunk async for chunk in await client.chat.completions.create(**chat(), stream=True)]
        assert "".join(one.choices[0].delta.content or "" for one in chunks if one.choices) == LONG


@pytest.mark.anyio
async def test_a_mocks_own_clients_reach_its_resource() -> None:
    with MockServer() as server:
        mock = server.mint()
        mock.when(user="hi").respond("mine")
        assert mock.client.chat.completions.create(**chat()).choices[0].message.content == "mine"
        assert (await mock.async_client.chat.completions.create(**chat())).choices[0].message.content == "mine"
        with mock.legacy_http_client() as http:
            other = OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http)
            assert other.chat.completions.create(**chat()).choices[0].message.content == "mine"
        assert len(mock.requests) == 3
        assert server.requests == []


def test_a_request_arrives_as_it_was_made() -> None:
    request: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        request.update(scope)
        request["body"] = (await receive())["body"]
        await send(START | {"status": 201, "headers": [(b"x-pot", b"tea")]})
        await send(piece(b"made", more=False))

    with transport.client(app) as http:
        answer = http.post("http://contoso.example:8080/a%20b/c?x=1&y[]=2", content=iter([b"one ", b"two"]))
    assert (answer.status_code, answer.headers["x-pot"], answer.text) == (201, "tea", "made")
    assert (request["path"], request["raw_path"], request["query_string"]) == ("/a b/c", b"/a%20b/c", b"x=1&y[]=2")
    assert (request["method"], request["body"]) == ("POST", b"one two")
    assert dict(request["headers"])[b"host"] == b"contoso.example:8080"


def test_the_host_is_sent_even_where_a_request_does_not_name_it() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(piece(dict(scope["headers"])[b"host"], more=False))

    request = httpx2.Request("GET", "http://contoso.example/")
    del request.headers["host"]
    with transport.client(app) as http:
        assert http.send(request).content == b"contoso.example"


def test_an_answer_to_head_has_no_body() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START | {"headers": [(b"content-length", b"4")]})
        await send(piece(b"body", more=False))

    with transport.client(app) as http:
        answer = http.head("http://mock/")
    assert (answer.headers["content-length"], answer.content) == ("4", b"")


def test_an_error_of_the_request_body_is_raised_as_it_is() -> None:
    def parts() -> Iterator[bytes]:
        yield b"one"
        raise KeyError("the source is gone")

    with transport.client(scripted()) as http, pytest.raises(KeyError, match="the source is gone"):
        http.post(CHAT, content=parts())


def test_no_tls_context_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a TLS context is being made")

    monkeypatch.setattr(ssl.SSLContext, "__new__", refuse)
    with pytest.raises(AssertionError):
        httpx2.Client()
    for make in (*SYNC.values(), *ASYNC.values()):
        make(scripted())


# -- streams


def waits_for_the_client(read: list[bytes], chunks: list[bytes]) -> Any:
    """An application that sends the next chunk only once the client has the one before it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        for at, chunk in enumerate(chunks):
            while len(read) < at:
                await asyncio.sleep(0)
            await send(piece(chunk))
        await send(piece(b"", more=False))

    return app


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_every_chunk_is_there_before_the_next_is_sent(chunks: list[bytes]) -> None:
    read: list[bytes] = []
    app = waits_for_the_client(read, chunks)
    with transport.client(app, timeout=0.5) as http, http.stream("GET", "http://mock/") as answer:
        for chunk in answer.iter_raw():
            read.append(chunk)
    assert read == chunks


@pytest.mark.anyio
@pytest.mark.parametrize("library", LIBRARIES)
async def test_every_chunk_is_there_before_the_next_is_sent_asynchronously_too(library: Any) -> None:
    read: list[bytes] = []
    app = waits_for_the_client(read, [b"one", b"two", b"three"])
    async with ASYNC[library](app, timeout=0.5) as http, http.stream("GET", "http://mock/") as answer:
        async for chunk in answer.aiter_raw():
            read.append(chunk)
    assert read == [b"one", b"two", b"three"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_paced_stream_arrives_piece_by_piece(library: Any) -> None:
    app, request = scripted(stream={"tokens_per_second": 1_000}), {"json": chat(stream=True), "headers": KEY}
    with SYNC[library](app) as http, http.stream("POST", CHAT, **request) as answer:
        parts = list(answer.iter_raw())
    assert len(parts) > 8
    assert "".join(texts(b"".join(parts).decode())) == LONG


def test_an_endless_application_does_not_run_far_ahead_and_ends_with_its_client() -> None:
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        while True:
            sent.append(1)
            await send(piece(b"x" * 10_000))

    with transport.client(app) as http, http.stream("GET", "http://mock/") as answer:
        chunks = answer.iter_raw()
        for at in range(20):
            next(chunks)
            assert len(sent) * 10_000 <= at * 10_000 + WINDOW + 20_000


def test_two_streams_in_one_thread_take_turns() -> None:
    request: Any = {"json": chat(stream=True), "headers": KEY}
    app = scripted(stream={"tokens_per_second": 2_000})
    with (
        transport.client(app) as http,
        http.stream("POST", CHAT, **request) as one,
        http.stream("POST", CHAT, **request) as other,
    ):
        pairs = list(zip(one.iter_raw(), other.iter_raw(), strict=True))
    assert "".join(texts(b"".join(first for first, _ in pairs).decode())) == LONG
    assert "".join(texts(b"".join(second for _, second in pairs).decode())) == LONG


# -- faults


FAULTS = [
    {"cut_after": 4},
    {"reset_after": 4},
    {"stall_after": 4},
    {"garbage_after": 4},
    {"cut_after": 4, "tokens_per_second": 2_000},
    {"reset_after": 0},
]


@pytest.mark.parametrize("streamed", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("fault", FAULTS, ids=json.dumps)
def test_an_answer_breaks_as_it_does_over_tcp(fault: Any, streamed: bool) -> None:
    with MockServer({"rules": [{"respond": {"text": LONG, "stream": fault}}]}) as mock:
        mock.clock.freeze(0)
        with transport.client(mock.app, timeout=0.2) as http:
            read, error = read_until_it_breaks(http, stream=streamed)
        mock.reset()
        mock.clock.freeze(0)
        with httpx2.Client(verify=False, trust_env=False, timeout=0.2) as http:
            wanted, expected = read_until_it_breaks(http, mock.base_url + "chat/completions", stream=streamed)
    assert type(error) is type(expected)
    if isinstance(error, httpx2.RemoteProtocolError):
        assert str(error) == str(expected)
    if not isinstance(error, httpx2.ReadError):
        assert read == wanted


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("fault", "name"), [("cut_after", "RemoteProtocolError"), ("reset_after", "ReadError"), ("stall_after", "ReadTimeout")]
)
def test_what_came_before_a_fault_is_readable(library: Any, fault: str, name: str) -> None:
    app = scripted(stream={fault: 4})
    with SYNC[library](app, timeout=0.05) as http:
        read, error = read_until_it_breaks(http, stream=True)
    assert texts(read) == ["", "one", " two"]
    assert type(error) is getattr(library, name)
    assert exchanges(app)[0].hung_up is (fault == "stall_after")


@pytest.mark.anyio
@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("fault", "name"), [("cut_after", "RemoteProtocolError"), ("reset_after", "ReadError"), ("stall_after", "ReadTimeout")]
)
async def test_what_came_before_a_fault_is_readable_asynchronously_too(library: Any, fault: str, name: str) -> None:
    app = scripted(stream={fault: 4})
    async with ASYNC[library](app, timeout=0.05) as http:
        read, error = await aread_until_it_breaks(http, stream=True)
    assert texts(read) == ["", "one", " two"]
    assert type(error) is getattr(library, name)
    assert exchanges(app)[0].hung_up is (fault == "stall_after")


def raises(scope: Any, receive: Any, send: Any) -> Any:
    raise LookupError("the application is broken")


async def raises_midway(scope: Any, receive: Any, send: Any) -> None:
    await send(START)
    await send(piece(b"so far"))
    await asyncio.sleep(0)
    raise LookupError("the application is broken") from KeyError("cause")


async def sends_nothing(scope: Any, receive: Any, send: Any) -> None:
    await receive()


async def forgets_the_end(scope: Any, receive: Any, send: Any) -> None:
    await send(START)
    await send(piece(b"so far"))


BROKEN = [
    (raises, LookupError),
    (raises_midway, LookupError),
    (sends_nothing, httpx2.RemoteProtocolError),
    (forgets_the_end, httpx2.RemoteProtocolError),
]


@pytest.mark.parametrize(("app", "kind"), BROKEN)
def test_an_application_that_fails_is_an_error_and_no_hang(app: Any, kind: type[Exception]) -> None:
    with transport.client(app, timeout=None) as http, pytest.raises(kind) as raised:
        http.get("http://mock/")
    assert app is not raises_midway or isinstance(raised.value.__cause__, KeyError)


@pytest.mark.anyio
@pytest.mark.parametrize(("app", "kind"), BROKEN)
async def test_an_application_that_fails_is_an_error_asynchronously_too(app: Any, kind: type[Exception]) -> None:
    async with transport.async_client(app, timeout=None) as http:
        with pytest.raises(kind):
            await http.get("http://mock/")


def endless(events: list[str]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    return app


def test_an_application_that_never_answers_is_given_up_after_the_read_timeout() -> None:
    events: list[str] = []
    with transport.client(endless(events), timeout=httpx2.Timeout(None, read=0.01)) as http, pytest.raises(httpx2.ReadTimeout):
        http.get("http://mock/")
    assert events == ["cancelled"]


@pytest.mark.anyio
async def test_a_cancelled_call_takes_its_application_along() -> None:
    events: list[str] = []
    async with transport.async_client(endless(events)) as http:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await http.get("http://mock/")
    assert events == ["cancelled"]


# -- leaving


PACED = {"tokens_per_second": 200}


def leave(http: Any) -> None:
    with http.stream("POST", CHAT, json=chat(stream=True), headers=KEY) as answer:
        next(answer.iter_raw())


def forget(http: Any) -> None:
    answer = http.send(http.build_request("POST", CHAT, json=chat(stream=True), headers=KEY), stream=True)
    next(answer.iter_raw())
    http.close()


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("goes", [leave, forget])
def test_a_client_that_leaves_early_is_noticed(library: Any, goes: Callable[[Any], None]) -> None:
    app = scripted(text=LONG * 50, stream=PACED)
    with SYNC[library](app) as http:
        goes(http)
    exchange = exchanges(app)[0]
    assert exchange.hung_up
    assert exchange.frames is not None
    assert 0 < len(exchange.frames) < 100


@pytest.mark.anyio
@pytest.mark.parametrize("library", LIBRARIES)
async def test_an_asynchronous_client_that_leaves_early_is_noticed(library: Any) -> None:
    app = scripted(text=LONG * 50, stream=PACED)
    async with ASYNC[library](app) as http:
        async with http.stream("POST", CHAT, json=chat(stream=True), headers=KEY) as answer:
            async for _ in answer.aiter_raw():
                break
        assert exchanges(app)[0].hung_up
        forgotten = await http.send(http.build_request("POST", CHAT, json=chat(stream=True), headers=KEY), stream=True)
    assert forgotten.status_code == 200
    assert exchanges(app)[1].hung_up


def test_the_sdk_that_stops_listening_is_noticed() -> None:
    app = scripted(text=LONG * 50, stream=PACED)
    with transport.client(app) as http:
        client = OpenAI(base_url="http://mock/openai/v1/", api_key="mock-key", http_client=http)
        with client.chat.completions.create(**chat(), stream=True) as stream:
            next(iter(stream))
    assert exchanges(app)[0].hung_up


# -- threads, loops, leaks


def test_many_threads_share_one_client() -> None:
    app = scripted(stream={"tokens_per_second": 5_000})
    with transport.client(app) as http, ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(read_until_it_breaks, http, stream=at % 2 == 0) for at in range(40)]
        answers = [one.result() for one in calls]
    assert all(error is None for _, error in answers)
    assert {"".join(texts(read)) for read, _ in answers[::2]} == {LONG}
    assert len(exchanges(app)) == 40


def test_a_stream_may_be_read_in_another_thread_than_the_request() -> None:
    with transport.client(scripted(stream={"tokens_per_second": 1_000})) as http, ThreadPoolExecutor(3) as pool:
        answer = http.send(http.build_request("POST", CHAT, json=chat(stream=True), headers=KEY), stream=True)
        chunks = answer.iter_raw()
        parts = [pool.submit(next, chunks, b"").result() for _ in range(60)]
        pool.submit(answer.close).result()
    assert "".join(texts(b"".join(parts).decode())) == LONG


@pytest.mark.anyio
async def test_a_synchronous_client_works_where_an_event_loop_runs() -> None:
    task, threads = asyncio.current_task(), set(threading.enumerate())
    with transport.client(scripted(stream={"tokens_per_second": 2_000})) as http:
        read, error = read_until_it_breaks(http, stream=True)
    assert ("".join(texts(read)), error) == (LONG, None)
    assert (asyncio.current_task(), set(threading.enumerate())) == (task, threads)
    await asyncio.sleep(0)


def test_no_thread_is_started_where_no_event_loop_runs() -> None:
    threads: list[threading.Thread] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        threads.append(threading.current_thread())
        await send(START)
        await send(piece(b"", more=False))

    with transport.client(app) as http:
        http.get("http://mock/")
    assert threads == [threading.current_thread()]


async def interrupts(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(0)
    raise KeyboardInterrupt


def test_an_interrupt_is_raised_by_the_call() -> None:
    with transport.client(interrupts) as http, pytest.raises(KeyboardInterrupt):
        http.get("http://mock/")


@pytest.mark.anyio
async def test_an_interrupt_is_raised_by_the_call_where_an_event_loop_runs_too() -> None:
    with transport.client(interrupts) as http, pytest.raises(KeyboardInterrupt):
        http.get("http://mock/")


@pytest.mark.anyio
async def test_an_interrupt_of_a_waiting_client_ends_the_thread_that_it_waits_for(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, result, waits, events = set(threading.enumerate()), Future.result, count(1), list[str]()

    def interrupted(future: Future[Any], timeout: float | None = None) -> Any:
        if next(waits) == 2:  # the first ends after one turn of the loop, the second only with the application
            raise KeyboardInterrupt
        return result(future, timeout)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.sleep(1)
            events.append("ended")
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    monkeypatch.setattr(Future, "result", interrupted)  # a real signal could hit the test run at any other point
    with transport.client(app, timeout=None) as http, pytest.raises(KeyboardInterrupt):
        http.get("http://mock/")
    assert (events, set(threading.enumerate())) == (["cancelled"], threads)


def test_one_asynchronous_client_serves_one_event_loop_after_another() -> None:
    http = transport.async_client(scripted(stream={"tokens_per_second": 2_000}))
    for _ in range(2):
        read, error = asyncio.run(aread_until_it_breaks(http, stream=True))
        assert ("".join(texts(read)), error) == (LONG, None)


def test_without_asyncio_an_asynchronous_client_says_what_to_do() -> None:
    async def ask() -> None:
        async with transport.async_client(scripted()) as http:
            await http.get(CHAT)

    with pytest.raises(RuntimeError, match=r"needs asyncio; under trio, .*base_url"):
        trio.run(ask)


def test_nothing_is_left_behind_even_by_clients_that_nobody_closes() -> None:
    before = set(threading.enumerate())
    for _ in range(20):
        http = transport.client(scripted(stream={"tokens_per_second": 5_000}))
        read_until_it_breaks(http, stream=True)
    del http
    gc.collect()
    assert set(threading.enumerate()) == before


def test_loops_are_used_again() -> None:
    loops: list[Any] = []
    app = scripted()

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        loops.append(asyncio.get_running_loop())
        await app(scope, receive, send)

    with transport.client(noting) as http:
        for _ in range(5):
            http.post(CHAT, json=chat(), headers=KEY)
    assert len(loops) == 5
    assert len({id(loop) for loop in loops}) == 1
    assert loops[0].is_closed()


@pytest.mark.anyio
async def test_uploads_of_an_asynchronous_client_arrive_whole() -> None:
    async def parts() -> AsyncIterator[bytes]:
        for part in (b"one ", b"two"):
            yield part

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send(piece((await receive())["body"], more=False))

    async with transport.async_client(app) as http:
        assert (await http.post("http://mock/", content=parts())).content == b"one two"
