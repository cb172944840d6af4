"""The network guard: nothing reaches a real host, the failure says what and where, and what is let through is let through."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import sys
import threading
import urllib.request
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
from openai import AsyncOpenAI, OpenAI

from mockserver import MockServer
from mockserver.testing.guard import Attempt, Guard, HandshakeStoppedError, NetworkGuardError, guard

URL = "https://contoso.openai.azure.com/openai/v1/"
MODELS = URL + "models"
REAL = [
    "contoso.openai.azure.com",
    "contoso.services.ai.azure.com",
    "contoso.cognitiveservices.azure.com",
    "eastus.api.cognitive.microsoft.com",
    "api.openai.com",
    "eu.api.openai.com",
    "API.OpenAI.com.",
    "login.microsoftonline.com",
]
OTHERS = ["localhost", "example.com", "contoso.azure.com", "openai.com", "notapi.openai.com", "api.openai.com.example.org"]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the guard lets pass ends here. Audit events come before the look-up, so they are raised by hand."""

    def refuse(host: Any, *arguments: Any) -> Any:
        sys.audit("socket.getaddrinfo", host, *arguments)
        raise socket.gaierror(f"no look-up of {host} here")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


# -- what is stopped


@pytest.mark.parametrize("host", REAL)
def test_real_hosts_are_stopped(host: str) -> None:
    with guard() as watched, pytest.raises(NetworkGuardError):
        socket.create_connection((host, 443))
    assert [attempt.host for attempt in watched.attempts] == [host.lower().rstrip(".")]


@pytest.mark.parametrize("host", OTHERS)
@pytest.mark.usefixtures("offline")
def test_other_hosts_are_none_of_its_business(host: str) -> None:
    with guard() as watched, pytest.raises(socket.gaierror):
        socket.create_connection((host, 443))
    assert watched.attempts == []
    watched.check()


def test_every_way_of_looking_up_and_connecting_is_watched() -> None:
    host = "contoso.openai.azure.com"
    ways: list[Callable[[], object]] = [
        lambda: socket.gethostbyname(host),
        lambda: socket.gethostbyname_ex(host),
        lambda: socket.getaddrinfo(host, 443),
        lambda: socket.getaddrinfo(host.encode(), 443),
        lambda: sys.audit("socket.connect", None, (host, 443)),  # a real one is preceded by a look-up that is not audited
    ]
    with guard() as watched:
        for way in ways:
            with pytest.raises(NetworkGuardError):
                way()
        sys.audit("socket.connect", None, ("203.0.113.1", 443))
        sys.audit("socket.connect", None, "/run/some.sock")
        sys.audit("socket.getaddrinfo", None, 443, 0, 0, 0)
    assert len(watched.attempts) == len(ways)


def test_tls_with_a_real_host_is_stopped_whoever_found_its_address() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    one, other = socket.socketpair()
    with guard() as watched, one, other:
        with pytest.raises(NetworkGuardError):
            context.wrap_socket(one, server_hostname="contoso.openai.azure.com")
        with pytest.raises(NetworkGuardError):
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), False, "api.openai.com")
        assert one.fileno() == -1
        assert (
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.com").server_hostname == "example.com"
        )
    assert [attempt.host for attempt in watched.attempts] == ["contoso.openai.azure.com", "api.openai.com"]


def test_a_client_behind_a_proxy_is_stopped_before_it_asks_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[bytes] = []

    def tunnel(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client:
            read.append(client.recv(4_096))
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            read.append(client.recv(4_096))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=tunnel, args=(listener,))
        thread.start()
        proxy = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with guard() as watched, httpx2.Client(proxy=proxy) as client, pytest.raises(NetworkGuardError):
            client.get(MODELS, headers={"api-key": "secret"})
        gc.collect()
        thread.join()
    assert read[0].startswith(b"CONNECT contoso.openai.azure.com:443")
    assert read[1] == b""
    assert watched.attempts[0].url == MODELS


async def dial() -> None:
    """TLS with a host whose address is known."""
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="api.openai.com")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # asyncio leaves the socket open
def test_tls_that_an_event_loop_begins_is_stopped() -> None:
    with guard() as watched, pytest.raises(NetworkGuardError, match=r"tests/testing/test_guard\.py:\d+ in dial"):
        asyncio.run(dial())
    gc.collect()
    assert len(watched.attempts) == 1


@pytest.mark.filterwarnings("ignore")
def test_tls_on_uvloop_is_stopped_without_a_hang() -> None:
    uvloop = pytest.importorskip("uvloop", reason="uvloop is made for CPython on anything but Windows")
    with guard() as watched, pytest.raises(HandshakeStoppedError):
        uvloop.run(asyncio.wait_for(dial(), 5))
    gc.collect()
    assert len(watched.attempts) == 1


# -- whatever the library


def with_openai() -> None:
    OpenAI(base_url=URL, api_key="secret").models.list()


def with_openai_swallowing() -> None:
    try:
        with_openai()
    except Exception:
        pytest.fail("the client's own code saw the error")


def with_asynchronous_openai() -> None:
    async def ask() -> None:
        async with AsyncOpenAI(base_url=URL, api_key="secret") as client:
            await client.models.list()

    asyncio.run(ask())


def with_httpx() -> None:
    httpx.get(MODELS)


def with_asynchronous_httpx() -> None:
    async def ask() -> None:
        async with httpx.AsyncClient() as client:
            await client.get(MODELS)

    asyncio.run(ask())


def with_httpx2() -> None:
    httpx2.get(MODELS)


def with_urllib() -> None:
    urllib.request.urlopen(MODELS)


def with_requests() -> None:
    requests.get(MODELS)


def with_aiohttp() -> None:

    async def ask() -> None:
        async with aiohttp.ClientSession() as session, session.get(MODELS):
            pass

    asyncio.run(ask())


def in_a_thread() -> None:
    async def ask() -> None:
        await asyncio.to_thread(httpx2.get, MODELS)

    asyncio.run(ask())


WAYS = [
    with_openai,
    with_openai_swallowing,
    with_asynchronous_openai,
    with_httpx,
    with_asynchronous_httpx,
    with_httpx2,
    with_urllib,
    with_requests,
    with_aiohttp,
    in_a_thread,
]


@pytest.mark.parametrize("way", WAYS)
def test_no_library_gets_through_or_hides_the_failure(way: Callable[[], None]) -> None:
    with guard() as watched, pytest.raises(NetworkGuardError) as raised:
        way()
    gc.collect()
    attempt = watched.attempts[0]
    assert (len(watched.attempts), attempt.host, attempt.url) == (1, "contoso.openai.azure.com", MODELS)
    assert "tests/testing/test_guard.py:" in attempt.where
    assert str(raised.value) == str(attempt)


def test_the_failure_says_what_from_where_and_what_to_do() -> None:
    with guard() as watched, pytest.raises(NetworkGuardError) as raised:
        with_openai()
    line = with_openai.__code__.co_firstlineno + 1
    assert str(raised.value) == (
        f"mockserver blocked a call to the real service: {MODELS} (from tests/testing/test_guard.py:{line} in with_openai). Nothing "
        "was sent. Let the code read OPENAI_BASE_URL or AZURE_OPENAI_ENDPOINT instead of a fixed host, answer the call here with "
        "intercept(), or allow it with allow=['contoso.openai.azure.com']."
    )
    with pytest.raises(AssertionError, match="Nothing was sent"):
        watched.check()


def test_a_token_request_has_a_way_out_of_its_own() -> None:
    with guard(), pytest.raises(NetworkGuardError, match=r"Entra ID.*allow=\['entra'\]"):
        httpx2.get("https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration")


def test_attempts_in_threads_are_kept_even_where_nobody_looks() -> None:
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            httpx2.get(MODELS)
        except BaseException as error:
            caught.append(error)

    with Guard() as watched:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    assert isinstance(caught[0], NetworkGuardError)
    with pytest.raises(AssertionError, match="contoso"):
        watched.check()


def test_the_query_of_a_url_is_not_shown() -> None:
    with guard() as watched, pytest.raises(NetworkGuardError):
        httpx2.get(MODELS + "?subscription-key=secret")
    assert "secret" not in str(watched.attempts[0])


def test_an_attempt_whose_origin_is_unknown_still_reads_well() -> None:
    assert "service: api.openai.com. Nothing was sent." in str(Attempt("api.openai.com", "api.openai.com", ""))


# -- what passes


@pytest.mark.parametrize(
    ("allow", "host"),
    [
        (["contoso.openai.azure.com"], "contoso.openai.azure.com"),
        ("contoso.openai.azure.com", "contoso.openai.azure.com"),
        (["contoso"], "contoso.services.ai.azure.com"),
        (["*.openai.azure.com"], "Contoso.openai.azure.com"),
        (["api.openai.com"], "api.openai.com"),
        (["entra"], "login.microsoftonline.com"),
    ],
)
@pytest.mark.usefixtures("offline")
def test_what_is_allowed_passes(allow: Any, host: str) -> None:
    with guard(allow=allow) as watched, pytest.raises(socket.gaierror):
        socket.create_connection((host, 443))
    assert watched.attempts == []


@pytest.mark.parametrize(
    ("allow", "host"),
    [
        (["contoso"], "fabrikam.openai.azure.com"),
        (["entra"], "api.openai.com"),
        (["api"], "api.openai.com"),
        (["openai.azure.com"], "contoso.openai.azure.com"),
    ],
)
def test_nothing_else_is(allow: Any, host: str) -> None:
    with guard(allow=allow), pytest.raises(NetworkGuardError):
        socket.create_connection((host, 443))


def test_the_mock_is_reached_all_the_same() -> None:
    with MockServer() as mock, guard() as watched, httpx2.Client(verify=False, trust_env=False) as http:
        assert http.get(mock.base_url + "models", headers={"api-key": mock.api_key}).status_code == 200
    assert watched.attempts == []


# -- where it begins and ends


def patched_attributes() -> tuple[Any, ...]:
    return vars(ssl.SSLContext)["wrap_socket"], vars(ssl.SSLContext)["wrap_bio"]


@pytest.mark.usefixtures("offline")
def test_afterwards_everything_is_as_before() -> None:
    before = patched_attributes()
    with pytest.raises(ZeroDivisionError), guard():
        _ = 1 / (patched_attributes() == before)
    assert patched_attributes() == before
    with pytest.raises(socket.gaierror):
        socket.create_connection(("contoso.openai.azure.com", 443))


@pytest.mark.usefixtures("offline")
def test_the_innermost_of_nested_guards_decides() -> None:
    before = patched_attributes()
    with guard() as outer:
        with guard(allow=["contoso"]) as inner, pytest.raises(socket.gaierror):
            socket.create_connection(("contoso.openai.azure.com", 443))
        with pytest.raises(NetworkGuardError):
            socket.create_connection(("contoso.openai.azure.com", 443))
    assert (len(outer.attempts), len(inner.attempts)) == (1, 0)
    assert patched_attributes() == before
