"""A server per test, and the real SDK pointed at it."""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from mockserver import MockServer
from mockserver.state import memory


def pytest_collection_finish() -> None:
    """What is there before the first test stays to the end: garbage collectors need not look at it again and again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """What plugins import for their summaries may ask who holds an object, which frozen ones do not answer."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def http() -> Iterator[httpx2.Client]:
    """One connection pool for all tests: making a TLS context costs more than most tests."""
    with httpx2.Client(verify=False, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture(autouse=True, scope="session")
def only_json_is_stored() -> Iterator[None]:
    """Fail a test whose handler stores anything but plain JSON: a set or a tuple would come back as a list."""

    def checked(document: dict[str, Any]) -> bytes:
        body = encode(document)
        assert json.loads(body) == document, "this is not plain JSON"
        return body

    encode = memory.encode
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "encode", checked)
        yield


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """`serve` and `run` set up the log for a process of their own; here, the tests that come after them share the process."""
    log = logging.getLogger("mockserver")
    before = log.propagate, log.level, list(log.handlers)
    yield
    log.propagate, log.handlers[:] = before[0], before[2]
    log.setLevel(before[1])


@pytest.fixture
def mock() -> Iterator[MockServer]:
    """An unscripted server whose time stands still."""
    with MockServer() as server:
        server.clock.freeze(1_790_000_000)
        yield server


@pytest.fixture
def client(mock: MockServer, http: httpx2.Client) -> OpenAI:
    """The SDK as it comes, except that it does not retry and that it checks every answer strictly."""
    return OpenAI(
        base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0, _strict_response_validation=True
    )


@pytest.fixture
def plain(mock: MockServer, http: httpx2.Client) -> OpenAI:
    """The SDK as it comes. The strict check fails on Azure's first chunk (its `object` is empty) and on base64 vectors."""
    return OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)


@pytest.fixture
async def async_client(mock: MockServer) -> AsyncIterator[AsyncOpenAI]:
    """The SDK as it comes, asynchronous."""
    async with httpx2.AsyncClient(verify=False, trust_env=False, timeout=10) as http:
        yield AsyncOpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
