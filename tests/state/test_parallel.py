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


# -- files, uploads, vector stores: what one object is made of is many documents


def content(number: int) -> bytes:
    return f"Client {number} likes the word{number}.".encode() * 20


async def store_files(client: AsyncOpenAI, number: int) -> list[str]:
    """Upload, index, list, search and delete; return the ids of what stays: a file and a vector store with it."""
    file = await client.files.create(file=(f"{number}.txt", content(number)), purpose="assistants")
    other = await client.files.create(file=(f"{number}.md", b"x"), purpose="assistants")
    store = await client.vector_stores.create(name=f"{number}", file_ids=[file.id])
    await client.vector_stores.files.create(store.id, file_id=other.id)
    assert {one.id async for one in client.vector_stores.files.list(store.id)} == {file.id, other.id}
    found = await client.vector_stores.search(store.id, query=f"word{number}")
    assert found.data[0].file_id == file.id
    await client.files.delete(other.id)
    assert [one.id async for one in client.vector_stores.files.list(store.id)] == [file.id]
    return [file.id, store.id]


async def send_in_parts(client: AsyncOpenAI, number: int) -> list[str]:
    """Upload in parts that are sent at once, and complete it; return the id of the file."""
    parts = [b"%d-%d;" % (number, at) * 50 for at in range(4)]
    size = sum(map(len, parts))
    upload = await client.uploads.create(bytes=size, filename=f"{number}.bin", mime_type="text/plain", purpose="assistants")
    made = await asyncio.gather(*(client.uploads.parts.create(upload.id, data=part) for part in parts))
    done = await client.uploads.complete(upload.id, part_ids=[part.id for part in made])
    assert done.file is not None
    assert (await client.files.content(done.file.id)).content == b"".join(parts)
    return [done.file.id]


async def converse(client: AsyncOpenAI, number: int, shared: str) -> list[str]:
    """Add an item to a conversation that all share, and take one out of it again; return the id of the item that stays."""
    message: Any = {"role": "user", "content": f"{number}"}
    kept, gone = [(await client.conversations.items.create(shared, items=[message])).data[0].id for _ in range(2)]
    await client.conversations.items.delete(str(gone), conversation_id=shared)
    return [str(kept)]


@pytest.mark.anyio
async def test_many_clients_store_files_at_once(mock: MockServer) -> None:
    async with httpx2.AsyncClient(verify=False, trust_env=False, timeout=60) as http:
        client = AsyncOpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)
        shared = (await client.conversations.create()).id
        visits = [
            *(store_files(client, number) for number in range(20)),
            *(send_in_parts(client, number) for number in range(20)),
            *(converse(client, number, shared) for number in range(60)),
        ]
        kept = [one for ids in await asyncio.gather(*visits) for one in ids]
        files = [one.id async for one in client.files.list(limit=7)]
        stores = [one async for one in client.vector_stores.list(limit=7)]
        items = [str(one.id) async for one in client.conversations.items.list(shared, limit=7)]
    assert sorted([*files, *(store.id for store in stores), *items]) == sorted(kept)
    assert {(store.status, store.file_counts.completed, store.file_counts.total) for store in stores} == {("completed", 1, 1)}
    for file in mock.resource.store.documents("file"):
        blob = mock.resource.store.blob("file", file["id"])
        assert blob is not None
        assert blob.size == file["bytes"]


def test_threads_store_files_without_a_socket(mock: MockServer) -> None:
    def visit(number: int) -> str:
        with mock.http_client() as http:
            client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)
            file = client.files.create(file=(f"{number}.txt", content(number)), purpose="assistants")
            store = client.vector_stores.create(file_ids=[file.id])
            assert client.vector_stores.search(store.id, query=f"word{number}").data[0].file_id == file.id
            assert client.files.content(file.id).content == content(number)
            if number % 2:
                client.files.delete(file.id)
            return store.id

    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(visit, range(40)))
    counts = {document["id"]: document["file_counts"]["total"] for document in mock.resource.store.documents("vector_store")}
    assert counts == {store: 1 - number % 2 for number, store in enumerate(stores)}
    assert mock.resource.store.count("file") == 20
