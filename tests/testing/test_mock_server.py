"""`MockServer` in its plain uses: context manager, asynchronous one, decorator, unittest."""

from __future__ import annotations

import unittest
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from mockserver import MockServer


def ask(client: OpenAI) -> str:
    return client.responses.create(model="gpt-4o", input="hi").output_text


def test_its_clients_are_ready_made() -> None:
    with MockServer() as mock:
        mock.when(user="hi").respond("hello")
        assert ask(mock.client) == "hello"
        mock.assert_called("createResponse", user="hi", times=1)


@pytest.mark.anyio
async def test_it_is_an_asynchronous_context_manager_too() -> None:
    async with MockServer() as mock:
        mock.when(user="hi").respond("hello")
        client: AsyncOpenAI = mock.async_client
        assert (await client.responses.create(model="gpt-4o", input="hi")).output_text == "hello"
        await client.close()


@MockServer({"rules": [{"respond": "decorated"}]})
def test_it_decorates_a_test(mock: Any) -> None:
    assert ask(mock.client) == "decorated"


@pytest.mark.anyio
@MockServer({"rules": [{"respond": "decorated"}]})
async def test_it_decorates_an_asynchronous_test(mock: Any) -> None:
    assert ask(mock.client) == "decorated"


def test_a_decorator_serves_each_call_anew() -> None:
    endpoints = []

    @MockServer()
    def serve(mock: MockServer) -> None:
        ask(mock.client)
        endpoints.append(mock.endpoint)

    serve()  # type: ignore[call-arg]
    serve()  # type: ignore[call-arg]
    assert len(endpoints) == 2


def test_it_cannot_be_started_twice() -> None:
    with MockServer() as mock, pytest.raises(RuntimeError, match="started already"):
        mock.start()


class Plain(unittest.TestCase):
    def setUp(self) -> None:
        self.mock = self.enterContext(MockServer())

    def test_unittest_needs_no_plugin(self) -> None:
        self.mock.when().respond("hello")
        assert ask(self.mock.client) == "hello"


def test_minted_resources_know_nothing_of_each_other() -> None:
    with MockServer() as server:
        one, two = server.mint(), server.mint(seed=2)
        one.when().respond("one")
        two.when().respond("two")
        assert (ask(one.client), ask(two.client)) == ("one", "two")
        assert (len(one.requests), len(two.requests), len(server.requests)) == (1, 1, 0)
        server.discard(one)
        server.discard(two)
        assert list(server.resources.by_name) == ["mockserver"]
