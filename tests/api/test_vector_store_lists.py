"""Vector stores in lists, used by many at once, and kept over a restart."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.resource import vector_stores

NOW = 1_790_000_000
DAY = 24 * 3_600


def call(http: httpx2.Client, mock: MockServer, method: str, path: str = "", **options: Any) -> httpx2.Response:
    return http.request(method, f"{mock.base_url}vector_stores{path}", headers={"api-key": mock.api_key}, **options)


def upload(client: OpenAI, content: bytes = b"hello") -> str:
    return client.files.create(file=("a.txt", content), purpose="assistants").id


def counts(store: Any) -> dict[str, int]:
    return {name: count for name, count in store.file_counts.to_dict().items() if count}


# -- lists


def test_lists_have_the_recorded_envelope(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    empty = call(http, mock, "GET").text
    assert empty == '{\n  "object": "list",\n  "data": [],\n  "first_id": null,\n  "last_id": null,\n  "has_more": false\n}'
    ids = [plain.vector_stores.create(name=f"{at}").id for at in range(5)]
    page = call(http, mock, "GET", "?limit=2").json()
    assert [store["id"] for store in page["data"]] == [ids[4], ids[3]]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (ids[4], ids[3], True)
    assert [store.id for store in plain.vector_stores.list(limit=2)] == ids[::-1]
    assert [store.id for store in plain.vector_stores.list(limit=2, order="asc")] == ids
    assert [store.id for store in plain.vector_stores.list(before=ids[2]).data] == [ids[4], ids[3]]


def test_files_are_listed_by_page_and_status(plain: OpenAI, mock: MockServer) -> None:
    ids = [upload(plain) for _ in range(7)]
    store_id = plain.vector_stores.create(file_ids=ids).id
    files = plain.vector_stores.files
    assert [file.id for file in files.list(store_id, limit=3)] == ids[::-1]
    assert [file.id for file in files.list(store_id, limit=3, order="asc")] == ids
    assert [file.id for file in files.list(store_id, before=ids[4]).data] == [ids[6], ids[5]]
    assert [file.id for file in files.list(store_id, after=ids[1]).data] == [ids[0]]
    for file_id in ids[1:3]:
        place = vector_stores.store_place(store_id, file_id)
        mock.resource.store.update("vector_store.file", place, {"status": "failed"})
    assert [file.id for file in files.list(store_id, filter="failed", limit=1)] == [ids[2], ids[1]]


def test_five_thousand_files_are_paged_each_once(mock: MockServer, plain: OpenAI) -> None:
    store_id = plain.vector_stores.create().id
    document = {"object": "vector_store.file", "usage_bytes": 0, "created_at": 0, "vector_store_id": store_id}
    document |= {"status": "completed", "last_error": None}
    ids = [f"assistant-{at}" for at in range(5_000)]
    for file_id in ids:
        place = vector_stores.store_place(store_id, file_id)
        mock.resource.store.put("vector_store.file", place, {"id": file_id, **document}, parent=("vector_store", store_id))
    assert [file.id for file in plain.vector_stores.files.list(store_id, limit=100)] == ids[::-1]


@settings(max_examples=8, deadline=None)
@given(data=st.data(), size=st.integers(0, 8), limit=st.integers(1, 4), order=st.sampled_from(["asc", "desc"]))
def test_pages_cover_what_stays_while_others_come_and_go(data: st.DataObject, size: int, limit: int, order: Any) -> None:
    with MockServer() as mock:
        client = mock.client
        ids = [client.vector_stores.create().id for _ in range(size)]
        doomed = set(data.draw(st.lists(st.sampled_from(ids), unique=True))) if ids else set()
        seen: list[str] = []
        page = client.vector_stores.list(limit=limit, order=order)
        while page.data:
            seen += [store.id for store in page.data]
            last = seen[-1]
            client.vector_stores.create()
            for gone in doomed:
                client.vector_stores.delete(gone)
            doomed = set()
            page = client.vector_stores.list(limit=limit, order=order, after=last)
            if len(seen) > 3 * size + 5:
                break
        old = [one for one in seen if one in ids]
        assert len(seen) == len(set(seen))
        stay = {store.id for store in client.vector_stores.list(limit=100)} & set(ids)
        assert stay <= set(old)
        assert old == sorted(old, key=ids.index, reverse=order == "desc")


# -- many at once, and others


@pytest.mark.parametrize("state", [None, "state.db"])
def test_parallel_clients_lose_and_double_nothing(plain: OpenAI, tmp_path: Path, state: str | None) -> None:
    with MockServer(state=tmp_path / state if state else None) as mock:
        client = plain.with_options(base_url=mock.base_url)
        store_id = client.vector_stores.create().id

        def work(number: int) -> tuple[str, bool]:
            file_id = upload(client, f"{number}".encode())
            client.vector_stores.files.create_and_poll(file_id, vector_store_id=store_id)
            if number % 3 == 0:
                client.vector_stores.files.delete(file_id, vector_store_id=store_id)
            elif number % 3 == 1:
                client.files.delete(file_id)
            return file_id, number % 3 == 2

        with ThreadPoolExecutor(24) as pool:
            results = list(pool.map(work, range(150)))
        assert len({file_id for file_id, _ in results}) == 150
        listed = [file.id for file in client.vector_stores.files.list(store_id, limit=7)]
        assert sorted(listed) == sorted(file_id for file_id, stays in results if stays)
        assert counts(client.vector_stores.retrieve(store_id)) == {"completed": 50, "total": 50}


@pytest.mark.anyio
async def test_parallel_tasks_lose_and_double_nothing(async_client: AsyncOpenAI) -> None:
    stores = async_client.vector_stores
    ids = [(await stores.create()).id for _ in range(4)]

    async def work(number: int) -> None:
        batch = await stores.file_batches.upload_and_poll(ids[number % 4], files=[("a.txt", b"a"), ("b.txt", b"b")])
        (first, _) = [file.id async for file in stores.file_batches.list_files(batch.id, vector_store_id=ids[number % 4])]
        await async_client.files.delete(first)

    await asyncio.gather(*(work(number) for number in range(40)))
    assert [counts(store) async for store in stores.list()] == [{"completed": 10, "total": 10}] * 4
    for store_id in ids:
        assert len({file.id async for file in stores.files.list(store_id, limit=3)}) == 10


def test_a_store_survives_a_restart_with_what_is_due(tmp_path: Path, plain: OpenAI) -> None:
    scenario = {"resource": {"lifecycle": {"vector_store.file": {"seconds": 60}}}}
    with MockServer(scenario, state=tmp_path / "state.db") as mock:
        mock.clock.freeze(NOW)
        client = plain.with_options(base_url=mock.base_url)
        file_id = upload(client, b"A needle.")
        before = client.vector_stores.create(file_ids=[file_id], expires_after={"anchor": "last_active_at", "days": 1})
    with MockServer(scenario, state=tmp_path / "state.db") as mock:
        mock.clock.freeze(NOW + 60)
        client = plain.with_options(base_url=mock.base_url)
        (store,) = client.vector_stores.list().data
        assert (store.id, store.status, counts(store)) == (before.id, "completed", {"completed": 1, "total": 1})
        assert client.vector_stores.search(store.id, query="needle").data[0].file_id == file_id
        mock.clock.advance(DAY)
        assert client.vector_stores.retrieve(store.id).status == "expired"


def test_another_resource_sees_nothing_of_it(http: httpx2.Client, plain: OpenAI, mock: MockServer) -> None:
    file_id = upload(plain)
    store_id = plain.vector_stores.create(file_ids=[file_id]).id
    batch_id = plain.vector_stores.file_batches.create(store_id, file_ids=[file_id]).id
    with MockServer({"resource": {"name": "other", "keys": ["other-key"]}}) as other:
        theirs = other.client.vector_stores.create().id
        assert [store["id"] for store in call(http, other, "GET").json()["data"]] == [theirs]
        paths = [
            ("GET", ""),
            ("DELETE", ""),
            ("GET", "/files"),
            ("GET", f"/files/{file_id}"),
            ("GET", f"/file_batches/{batch_id}"),
        ]
        for method, path in paths:
            assert call(http, other, method, f"/{store_id}{path}").status_code == 404
        added = call(http, other, "POST", f"/{theirs}/files", json={"file_id": file_id})
        assert_azure_error(added, 404, message=f"Files [{file_id}] were not found")
    assert counts(plain.vector_stores.retrieve(store_id)) == {"completed": 1, "total": 1}
