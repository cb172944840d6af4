"""Interception: code with a hard-coded URL is answered here, whatever its library and credential, and untouched afterwards."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from types import ModuleType
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

from mockserver import MockServer, create_app
from mockserver.testing.guard import NetworkGuardError, guard
from mockserver.testing.intercept import URL_HEADER
from mockserver.testing.mock import Mock
from mockserver.testing.patches import ImportHooks, Patches

AZURE = "https://contoso.openai.azure.com"
URL = f"{AZURE}/openai/v1/chat/completions"
KEY = {"api-key": "theirs"}
LONG = "one two three four five six seven eight"


@pytest.fixture
def mock() -> Iterator[Mock]:
    """A resource of its own on a server that has others, guarded: nothing may leave."""
    with MockServer() as server, guard():
        mine = server.mint()
        mine.when().respond(LONG)
        yield mine
    gc.collect()


def chat(**body: Any) -> Any:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]} | body


def text_of(answer: Any) -> Any:
    return answer.json()["choices"][0]["message"]["content"]


def intercepted_urls(mock: Mock) -> list[str]:
    return [exchange.headers[URL_HEADER] for exchange in mock.requests]


# -- the SDK


@pytest.mark.parametrize(
    "url",
    [
        f"{AZURE}/openai/v1/",
        "https://contoso.services.ai.azure.com/openai/v1/",
        "https://contoso.services.ai.azure.com/api/projects/mine/openai/v1/",
        "https://contoso.cognitiveservices.azure.com/openai/v1/",
        "https://api.openai.com/v1/",
        "https://eu.api.openai.com/v1/",
    ],
)
def test_every_kind_of_host_is_answered(mock: Mock, url: str) -> None:
    client = OpenAI(base_url=url, api_key="theirs", max_retries=0)
    with mock.intercept():
        assert client.chat.completions.create(**chat()).choices[0].message.content == LONG
        assert client.responses.create(model="gpt-4o", input="hi").output_text == LONG
    assert intercepted_urls(mock) == [f"{url}chat/completions", f"{url}responses"]
    assert [exchange.path for exchange in mock.requests] == ["/openai/v1/chat/completions", "/openai/v1/responses"]


@pytest.mark.anyio
async def test_the_asynchronous_sdk_is_answered_and_streams(mock: Mock) -> None:
    async with AsyncOpenAI(base_url=f"{AZURE}/openai/v1/", api_key="theirs", max_retries=0) as client:
        with mock.intercept():
            assert (await client.responses.create(model="gpt-4o", input="hi")).output_text == LONG
            stream = await client.chat.completions.create(**chat(), stream=True)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
    assert text == LONG


@pytest.mark.anyio
async def test_the_older_client_is_answered(mock: Mock) -> None:
    options = {"azure_endpoint": AZURE, "api_key": "theirs", "api_version": "2024-10-21", "max_retries": 0}
    with mock.intercept():
        assert AzureOpenAI(**options).chat.completions.create(**chat()).choices[0].message.content == LONG
        async with AsyncAzureOpenAI(**options) as client:
            assert (await client.chat.completions.create(**chat())).choices[0].message.content == LONG
    assert [exchange.query for exchange in mock.requests] == ["api-version=2024-10-21"] * 2


def test_a_clients_own_transport_settings_do_not_matter(mock: Mock) -> None:
    clients = [
        httpx2.Client(proxy="http://proxy.example:3128"),
        httpx2.Client(transport=httpx2.HTTPTransport(retries=2)),
        httpx.Client(http2=False),
    ]
    with mock.intercept(), ExitStack() as stack:
        for http in clients:
            stack.enter_context(http)
            assert text_of(http.post(URL, json=chat(), headers=KEY)) == LONG
    assert len(mock.requests) == 3


def test_streams_break_as_over_a_connection(mock: Mock) -> None:
    mock.reset()
    mock.when().respond(text=LONG, stream={"stall_after": 4})
    with mock.intercept(), httpx2.stream("POST", URL, json=chat(stream=True), headers=KEY, timeout=0.05) as answer:
        parts = answer.iter_text()
        assert " two" in next(parts)
        with pytest.raises(httpx2.ReadTimeout):
            next(parts)
    assert mock.requests[0].hung_up


# -- credentials and the journal


@pytest.mark.parametrize(
    "sent",
    [
        {"api-key": "theirs"},
        {"authorization": "Bearer sk-theirs"},
        {"authorization": "Bearer eyJ.eyJ.x"},
        {},
        {"api-key": "a", "authorization": "Bearer b"},
    ],
)
def test_any_credential_is_accepted_and_kept(mock: Mock, sent: dict[str, str]) -> None:
    with mock.intercept(), httpx2.Client() as http:
        answer = http.post(URL + "?x=1", json=chat(), headers=sent | {"x-own": "mine"})
    exchange = mock.requests[0]
    assert (answer.status_code, str(answer.url), exchange.resource) == (200, URL + "?x=1", mock.resource.name)
    assert exchange.headers["x-own"] == "mine"
    assert exchange.headers[URL_HEADER] == URL
    assert exchange.query == "x=1"
    kept = {name: value for name, value in sent.items() if len(sent) == 1 or name == "api-key"}
    assert {name: exchange.headers[name] for name in kept} == kept


@pytest.mark.parametrize(("scenario", "key"), [({}, "none"), ({"resource": {"name": "Capital"}}, "their-key")])
def test_a_resource_without_keys_and_one_whose_name_is_no_host_are_reached_too(scenario: Any, key: str) -> None:
    with MockServer(scenario, key=key) as mock, mock.intercept(), httpx2.Client() as http:
        assert http.post(URL, json=chat(), headers=KEY).status_code == 200
        assert len(mock.requests) == 1


def test_a_host_that_names_another_resource_of_the_server_goes_to_this_one() -> None:
    with MockServer() as server:
        mine, other = server.mint(), server.mint()
        with mine.intercept(), httpx2.Client() as http:
            url = f"https://{other.resource.name}.openai.azure.com/openai/v1/chat/completions"
            assert http.post(url, json=chat(), headers={"api-key": other.api_key}).status_code == 200
        assert (len(mine.requests), len(other.requests)) == (1, 0)


# -- which hosts


@pytest.mark.parametrize(
    ("names", "covered", "other"),
    [
        (["contoso"], "contoso.openai.azure.com", "fabrikam.openai.azure.com"),
        (["contoso"], "contoso.services.ai.azure.com", "api.openai.com"),
        (["api.openai.com"], "api.openai.com", "contoso.openai.azure.com"),
        (["*.openai.azure.com"], "Fabrikam.openai.azure.com", "fabrikam.services.ai.azure.com"),
    ],
)
def test_names_narrow_what_is_intercepted(mock: Mock, names: list[str], covered: str, other: str) -> None:
    with mock.intercept(*names), httpx2.Client() as http:
        assert http.post(f"https://{covered}/openai/v1/chat/completions", json=chat()).status_code == 200
        with pytest.raises(NetworkGuardError):
            http.post(f"https://{other}/openai/v1/chat/completions", json=chat())


def test_a_gateway_of_ones_own_is_intercepted_where_it_is_named(mock: Mock) -> None:
    with mock.intercept("apim.example.com"), httpx2.Client() as http:
        assert text_of(http.post("https://apim.example.com/team/openai/v1/chat/completions", json=chat())) == LONG
    assert intercepted_urls(mock) == ["https://apim.example.com/team/openai/v1/chat/completions"]


def test_other_hosts_are_reached_as_ever(mock: Mock) -> None:
    with mock.intercept(), httpx2.Client(trust_env=False) as http:
        assert http.get(mock.base_url + "models", headers={"api-key": mock.api_key}).status_code == 200
    assert URL_HEADER not in mock.requests[0].headers


# -- other libraries


def test_requests_is_answered_and_streams(mock: Mock) -> None:
    with mock.intercept():
        answer = requests.post(URL + "?x=1", json=chat(), headers={"Authorization": "Bearer theirs"}, timeout=5)
        assert (text_of(answer), answer.url) == (LONG, URL + "?x=1")
        with requests.Session() as session, session.post(URL, json=chat(stream=True), stream=True, timeout=5) as streamed:
            lines = [line for line in streamed.iter_lines() if line]
    assert lines[-1] == b"data: [DONE]"
    assert intercepted_urls(mock) == [URL, URL]
    assert mock.requests[0].headers["authorization"] == "Bearer theirs"
    assert mock.requests[0].query == "x=1"


def test_a_request_of_requests_breaks_as_over_a_connection(mock: Mock) -> None:
    mock.reset()
    mock.when(user="cut").respond(text=LONG, stream={"cut_after": 4})
    mock.when(user="stall").respond(text=LONG, stream={"stall_after": 0})
    with mock.intercept(), requests.Session() as session:
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            session.post(URL, json=chat(messages=[{"role": "user", "content": "cut"}], stream=True), timeout=5)
        with pytest.raises(requests.exceptions.ReadTimeout):
            session.post(URL, json=chat(messages=[{"role": "user", "content": "stall"}]), timeout=0.05)


def test_a_session_of_requests_behind_a_proxy_is_answered(mock: Mock) -> None:
    with mock.intercept(), requests.Session() as session:
        session.proxies = {"https": "http://proxy.example:3128", "http": "http://proxy.example:3128"}
        for url in (URL, URL.replace("https:", "http:")):
            assert text_of(session.post(url, json=chat(), timeout=5)) == LONG
    assert intercepted_urls(mock) == [URL, URL.replace("https:", "http:")]


def test_urllib3_is_answered_and_keeps_its_pools_settings(mock: Mock) -> None:
    mock.reset()
    mock.when(user="stall").respond(text=LONG, stream={"stall_after": 0})
    mock.when().respond(LONG)
    with urllib3.PoolManager(timeout=0.3, retries=False, headers={"x-own": "mine"}) as pools, mock.intercept():
        assert text_of(pools.request("POST", URL, json=chat())) == LONG
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            pools.request("POST", URL, json=chat(messages=[{"role": "user", "content": "stall"}]))
        with urllib3.HTTPSConnectionPool("contoso.openai.azure.com") as pool:
            body = json.dumps(chat()).encode()
            assert text_of(pool.urlopen("POST", "/openai/v1/chat/completions", body, None, False)) == LONG
    assert mock.requests[0].headers["x-own"] == "mine"


@pytest.mark.anyio
async def test_aiohttp_is_answered_and_streams(mock: Mock) -> None:
    async with aiohttp.ClientSession(headers={"api-key": "theirs"}) as session, aiohttp.ClientSession(AZURE) as based:
        with mock.intercept():
            async with session.post(URL, params={"x": "a b"}, json=chat()) as answer:
                assert (await answer.json())["choices"][0]["message"]["content"] == LONG
            async with based.post("/openai/v1/chat/completions", json=chat(stream=True)) as streamed:
                lines = [line async for line in streamed.content if line.strip()]
    assert lines[-1] == b"data: [DONE]\n"
    assert intercepted_urls(mock) == [URL, URL]
    assert mock.requests[0].headers["api-key"] == "theirs"
    assert mock.requests[0].query == "x=a+b"


@pytest.mark.anyio
async def test_aiohttp_behind_a_proxy_is_answered(mock: Mock) -> None:
    async with aiohttp.ClientSession(proxy="http://proxy.example:3128") as session:
        with mock.intercept():
            async with session.post(URL, json=chat()) as answer:
                assert (await answer.json())["choices"][0]["message"]["content"] == LONG
    assert intercepted_urls(mock) == [URL]


def test_without_a_started_server_socket_clients_raise_an_error_that_says_so() -> None:
    mock = MockServer()
    with mock.intercept(), urllib3.PoolManager() as pools, pytest.raises(RuntimeError, match="start the MockServer"):
        pools.request("GET", f"{AZURE}/openai/v1/models")
    with mock.intercept(), httpx2.Client() as http:
        assert http.get(f"{AZURE}/openai/v1/models").status_code == 200


# -- where it begins and ends


def patched_attributes() -> list[Any]:
    found: list[Any] = [vars(module.HTTPTransport)["handle_request"] for module in (httpx, httpx2)]
    found += [vars(module.AsyncHTTPTransport)["handle_async_request"] for module in (httpx, httpx2)]
    for name, kind, attribute in (
        ("urllib3", "HTTPConnectionPool", "urlopen"),
        ("aiohttp", "ClientRequest", "__init__"),
    ):
        if name in sys.modules:
            found.append(vars(getattr(sys.modules[name], kind))[attribute])
    return [*found, *sys.meta_path]


def test_afterwards_everything_is_as_before(mock: Mock) -> None:
    before = patched_attributes()
    with pytest.raises(ZeroDivisionError), mock.intercept():
        _ = 1 / (patched_attributes() == before)
    assert patched_attributes() == before
    with httpx2.Client() as http, pytest.raises(NetworkGuardError):
        http.post(URL, json=chat())


def test_interceptions_nest_and_the_innermost_answers() -> None:
    before = patched_attributes()
    with MockServer() as server, httpx2.Client() as http:
        outer, inner = server.mint(), server.mint()
        with outer.intercept():
            with inner.intercept("contoso"):
                http.post(URL, json=chat())
                http.post("https://api.openai.com/v1/chat/completions", json=chat())
            http.post(URL, json=chat())
        assert (len(outer.requests), len(inner.requests)) == (2, 1)
    assert patched_attributes() == before


def test_interceptions_may_end_in_any_order() -> None:
    before = patched_attributes()
    with MockServer() as server, httpx2.Client() as http:
        one, other = server.mint(), server.mint()
        first, second = one.intercept(), other.intercept()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        http.post(URL, json=chat())
        second.__exit__(None, None, None)
        assert (len(one.requests), len(other.requests)) == (0, 1)
    assert patched_attributes() == before


def test_what_others_patched_meanwhile_is_left_alone() -> None:
    class Thing:
        def act(self) -> str:
            return "original"

    original, patches = vars(Thing)["act"], Patches()
    patches.replace(Thing, "act", lambda before: lambda thing: f"ours, {before(thing)}")
    patches.replace(Thing, "act", lambda before: lambda thing: "twice")
    ours = vars(Thing)["act"]
    assert Thing().act() == "ours, original"
    theirs = Thing.act = lambda thing: f"theirs, {ours(thing)}"  # type: ignore[method-assign]
    patches.restore()
    assert vars(Thing)["act"] is theirs
    Thing.act = ours  # type: ignore[method-assign]
    patches.replace(Thing, "act", lambda before: lambda thing: "again")
    patches.restore()
    assert vars(Thing)["act"] is ours is not original


def test_a_module_is_acted_on_after_its_import_and_only_while_watched(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("watched_one", "watched_two", "watched_three"):
        (tmp_path / f"{name}.py").write_text("done = True\n")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    hooked: list[ModuleType] = []
    hooks = ImportHooks(
        {"watched_one": hooked.append, "watched_two": hooked.append, "watched_none": hooked.append, "sys": hooked.append}
    )
    hooks.start()
    import watched_one  # type: ignore[import-not-found]
    import watched_three  # type: ignore[import-not-found]

    with pytest.raises(ModuleNotFoundError):
        import watched_none  # type: ignore[import-not-found] # noqa: F401
    hooks.stop()
    import watched_two  # type: ignore[import-not-found]

    assert hooked == [sys, watched_one]
    assert watched_one.done
    assert watched_two.done
    assert watched_three.done


LATE = """
import sys
from mockserver import MockServer
with MockServer({"rules": [{"respond": "hello"}]}) as mock, mock.intercept():
    heavy = [name for name in ("httpx", "httpx2", "urllib3", "aiohttp", "requests", "openai") if name in sys.modules]
    assert not heavy, heavy
    import httpx2
    with httpx2.Client() as http:
        answer = http.post("https://contoso.openai.azure.com/openai/v1/responses", json={"model": "gpt-4o", "input": "hi"})
assert answer.json()["output"][0]["content"][0]["text"] == "hello", answer.text
assert vars(httpx2.HTTPTransport)["handle_request"].__module__.startswith("httpx2")
"""


def test_nothing_is_imported_for_it_and_what_is_imported_later_is_intercepted() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", LATE], check=True, timeout=30)


def test_threads_are_intercepted_and_none_are_left(mock: Mock) -> None:
    before = set(threading.enumerate())
    with mock.intercept(), httpx2.Client() as http:
        threads = [threading.Thread(target=http.post, args=(URL,), kwargs={"json": chat()}) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(mock.requests) == 8
    assert set(threading.enumerate()) == before


def test_streams_begun_during_interception_can_be_read_after_it(mock: Mock) -> None:
    with httpx2.Client() as http:
        with mock.intercept():
            answer = http.send(http.build_request("POST", URL, json=chat(stream=True)), stream=True)
        assert b"[DONE]" in answer.read()


def test_an_application_is_answered_by_its_own_event_loop(mock: Mock) -> None:
    async def ask() -> list[int]:
        async with httpx2.AsyncClient() as http:
            return [one.status_code for one in await asyncio.gather(*(http.post(URL, json=chat()) for _ in range(10)))]

    with mock.intercept():
        assert asyncio.run(ask()) == [200] * 10
    assert create_app().surface is not mock.app.surface
