"""Files that are put into a vector store together."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import NotFoundError, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer

Json = Any
NOW = 1_790_000_000


def call(http: httpx2.Client, mock: MockServer, method: str, path: str = "", **options: Any) -> httpx2.Response:
    return http.request(method, f"{mock.base_url}vector_stores{path}", headers={"api-key": mock.api_key}, **options)


def upload(client: OpenAI) -> str:
    return client.files.create(file=("a.txt", b"hello"), purpose="assistants").id


def counts(store: Any) -> dict[str, int]:
    return {name: count for name, count in store.file_counts.to_dict().items() if count}


def test_a_batch_is_written_as_recorded(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    file_id, store_id = upload(plain), plain.vector_stores.create().id
    created = call(http, mock, "POST", f"/{store_id}/file_batches", json={"file_ids": [file_id]}).json()
    waiting = {"in_progress": 1, "completed": 0, "failed": 0, "cancelled": 0, "total": 1}
    assert list(created.items()) == [
        ("id", created["id"]),
        ("object", "vector_store.files_batch"),
        ("created_at", NOW),
        ("status", "in_progress"),
        ("vector_store_id", store_id),
        ("file_counts", waiting),
    ]
    assert (created["id"][:5], len(created["id"])) == ("vsfb_", 5 + 32)
    read = call(http, mock, "GET", f"/{store_id}/file_batches/{created['id']}")
    done = waiting | {"in_progress": 0, "completed": 1}
    assert list(read.json().items()) == list((created | {"status": "completed", "file_counts": done}).items())
    assert "openai-poll-after-ms" not in read.headers


def test_files_of_a_batch_share_what_it_has_or_have_their_own(plain: OpenAI) -> None:
    ids, store_id = [upload(plain) for _ in range(4)], plain.vector_stores.create().id
    strategy: Json = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}}
    batches = plain.vector_stores.file_batches
    batches.create(store_id, file_ids=ids[:2], attributes={"shared": True}, chunking_strategy=strategy)
    own: Json = [{"file_id": ids[2], "attributes": {"own": 1}, "chunking_strategy": strategy}, {"file_id": ids[3]}]
    batches.create(store_id, files=own, attributes={"shared": True})
    files = {file.id: file for file in plain.vector_stores.files.list(store_id)}
    assert [files[one].attributes for one in ids] == [{"shared": True}, {"shared": True}, {"own": 1}, None]
    sizes = [files[one].to_dict()["chunking_strategy"]["static"]["max_chunk_size_tokens"] for one in ids]  # type: ignore[index]
    assert sizes == [100, 100, 100, 800]


def test_the_files_of_a_batch_are_listed_by_page_and_status(plain: OpenAI) -> None:
    ids, store_id = [upload(plain) for _ in range(5)], plain.vector_stores.create(file_ids=[upload(plain)]).id
    batch_id = plain.vector_stores.file_batches.create(store_id, file_ids=[*ids, ids[0]]).id
    list_files = plain.vector_stores.file_batches.list_files
    assert [file.id for file in list_files(batch_id, vector_store_id=store_id, limit=2)] == ids[::-1]
    assert [file.id for file in list_files(batch_id, vector_store_id=store_id, limit=2, order="asc")] == ids
    assert [file.id for file in list_files(batch_id, vector_store_id=store_id, after=ids[1]).data] == [ids[0]]
    assert [file.id for file in list_files(batch_id, vector_store_id=store_id, before=ids[3]).data] == [ids[4]]
    assert len(list_files(batch_id, vector_store_id=store_id, filter="completed").data) == 5
    assert list_files(batch_id, vector_store_id=store_id, filter="failed").data == []
    plain.files.delete(ids[2])
    assert [file.id for file in list_files(batch_id, vector_store_id=store_id, order="asc")] == ids[:2] + ids[3:]


def test_a_cancelled_batch_leaves_what_was_done(plain: OpenAI) -> None:
    ids, store_id = [upload(plain) for _ in range(3)], plain.vector_stores.create().id
    batches = plain.vector_stores.file_batches
    batch_id = batches.create(store_id, file_ids=ids).id
    assert plain.vector_stores.files.retrieve(ids[0], vector_store_id=store_id).status == "completed"
    cancelled = batches.cancel(batch_id, vector_store_id=store_id)
    assert (cancelled.status, counts(cancelled)) == ("cancelled", {"completed": 1, "cancelled": 2, "total": 3})
    assert batches.poll(batch_id, vector_store_id=store_id).to_dict() == cancelled.to_dict()
    assert batches.cancel(batch_id, vector_store_id=store_id).to_dict() == cancelled.to_dict()
    store = plain.vector_stores.retrieve(store_id)
    assert (store.status, counts(store)) == ("completed", {"completed": 1, "cancelled": 2, "total": 3})
    assert store.usage_bytes == 5 + 1_024
    assert [file.id for file in plain.vector_stores.files.list(store_id, filter="cancelled", order="asc")] == ids[1:]


def test_cancelling_a_finished_batch_changes_nothing(plain: OpenAI) -> None:
    store_id = plain.vector_stores.create().id
    done = plain.vector_stores.file_batches.create_and_poll(store_id, file_ids=[upload(plain)])
    assert plain.vector_stores.file_batches.cancel(done.id, vector_store_id=store_id).to_dict() == done.to_dict()


def test_a_batch_belongs_to_its_store(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    mine, other = plain.vector_stores.create().id, plain.vector_stores.create().id
    batch_id = plain.vector_stores.file_batches.create(mine, file_ids=[upload(plain)]).id
    for method, path in (("GET", ""), ("POST", "/cancel"), ("GET", "/files")):
        answer = call(http, mock, method, f"/{other}/file_batches/{batch_id}{path}")
        assert_azure_error(answer, 404, message=f"No file batch found with id '{batch_id}' in vector store '{other}'.")
    with pytest.raises(NotFoundError):
        plain.vector_stores.file_batches.retrieve("vsfb_unknown", vector_store_id=mine)


def test_a_batch_is_done_once_all_its_files_are(plain: OpenAI, http: httpx2.Client) -> None:
    with MockServer({"resource": {"lifecycle": {"vector_store.file": {"polls": 2}}}}) as mock:
        client = plain.with_options(base_url=mock.base_url)
        store_id = client.vector_stores.create().id
        batch_id = client.vector_stores.file_batches.create(store_id, file_ids=[upload(client), upload(client)]).id
        polls = [call(http, mock, "GET", f"/{store_id}/file_batches/{batch_id}") for _ in range(3)]
        assert [poll.json()["status"] for poll in polls] == ["in_progress", "in_progress", "completed"]
        assert [poll.headers.get("openai-poll-after-ms") for poll in polls] == ["10", "10", None]
