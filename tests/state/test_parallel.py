"""Many clients at once: no object is lost, doubled or torn."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, NotFoundError, OpenAI

from mockserver import MockServer

MODEL = "gpt-4.1-nano"
CLIENTS, ROUNDS = 100, 2


@pytest.fixture(params=["memory", "file"])
def mock(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MockServer]:
    settings: dict[str, Any] = {"state": tmp_path / "my.state"} if request.param == "file" else {}
    with MockServer(**settings) as server:
        yield server


def check(mock: MockServer, kept: list[str]) -> None:
    """The responses and conversations that are `kept`, and nothing else, are there, whole and once."""
    store = mock.resource.store
    responses = [entry for entry in kept if entry.startswith("resp_")]
    assert sorted(document["id"] for document in store.documents("response")) == sorted(responses)
    assert sorted(document["id"] for document in store.documents("conversation")) == sorted(set(kept) - set(responses))
    for name in responses:
        items = store.get("response.items", name)
        assert items is not None
        assert items["output"][0]["content"][0]["text"] == items["input"][0]["content"][0]["text"]
    assert store.count("response.items") == 0
    assert sum(1 for _ in store.entries()) == 2 * len(responses) + len(set(kept) - set(responses))


async def visit(client: AsyncOpenAI, number: int) -> list[str]:
    """Create, read and delete objects; return the ids of those that stay."""
    kept: list[str] = []
    for at in range(ROUNDS):
        response = await client.responses.create(model=MODEL, input=f"{number} {at}")
        conversation = await client.conversations.create(metadata={"client": f"{number}"})
        assert (await client.responses.retrieve(response.id)).output_text == f"{number} {at}"
        found = await client.conversations.retrieve(conversation.id)
        assert found.metadata == {"client": f"{number}"}
        if at % 2:
            await client.responses.delete(response.id)
            await client.conversations.delete(conversation.id)
            with pytest.raises(NotFoundError):
                await client.responses.retrieve(response.id)
        else:
            kept += [response.id, conversation.id]
    return kept


@pytest.mark.anyio
async def test_a_hundred_clients_over_sockets(mock: MockServer) -> None:
    mock.when().respond("{{ user }}")
    async with httpx2.AsyncClient(verify=False, trust_env=False, timeout=60) as http:
        client = AsyncOpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)
        kept = await asyncio.gather(*(visit(client, number) for number in range(CLIENTS)))
    check(mock, [one for ids in kept for one in ids])


def test_threads_without_a_socket(mock: MockServer) -> None:
    mock.when().respond("{{ user }}")

    def visit(number: int) -> list[str]:
        with mock.http_client() as http:
            client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)
            responses = [client.responses.create(model=MODEL, input=f"{number} {at}").id for at in range(20)]
            client.responses.delete(responses.pop())
            return responses

    with ThreadPoolExecutor(8) as pool:
        kept = [one for ids in pool.map(visit, range(8)) for one in ids]
    check(mock, kept)
