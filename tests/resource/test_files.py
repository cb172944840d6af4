"""The files that all families share: how they are written, found, deleted, and what happens to them in time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import pytest

from mockserver.errors import ApiError
from mockserver.resource import files, indexing, vector_stores
from mockserver.resource.resource import Resource
from mockserver.state import work
from mockserver.state.chance import Chance
from mockserver.state.work import Lifecycle, Lifecycles

NOW = 1_790_000_000.5
Add = Callable[..., dict[str, Any]]


@pytest.fixture
def resource() -> Resource:
    return Resource()


@pytest.fixture
def add(resource: Resource) -> Add:
    def add_file(purpose: files.Purpose = "assistants", content: bytes = b"abc", **options: Any) -> dict[str, Any]:
        chance = resource.chance("createFile", content)
        arguments: dict[str, Any] = {"filename": "a.txt", "size": len(content), "chance": chance, "now": NOW, **options}
        return files.add(resource, purpose=purpose, content=content, **arguments)

    return add_file


@pytest.mark.parametrize("purpose", ["assistants", "assistants_output"])
def test_files_of_tools_are_written_as_their_service_writes_them(add: Add, purpose: files.Purpose) -> None:
    file = add(purpose)
    assert file["id"].startswith("assistant-")
    assert len(file["id"]) == len("assistant-") + 22
    assert json.dumps(file | {"id": "…"}, ensure_ascii=False) == (
        f'{{"object": "file", "id": "…", "purpose": "{purpose}", "filename": "a.txt", "bytes": 3, "created_at": 1790000000, '
        '"expires_at": null, "status": "processed", "status_details": null}'
    )


@pytest.mark.parametrize("purpose", ["batch", "batch_output", "evals", "fine-tune", "fine-tune-results"])
def test_files_of_jobs_are_written_as_their_service_writes_them(add: Add, purpose: files.Purpose) -> None:
    file = add(purpose)
    assert files.is_of_jobs(file["id"])
    status = "pending" if purpose == "fine-tune" else "processed"
    assert json.dumps(file | {"id": "…"}, ensure_ascii=False) == (
        f'{{"status": "{status}", "bytes": 3, "purpose": "{purpose}", "filename": "a.txt", "id": "…", '
        '"created_at": 1790000000, "object": "file"}'
    )


def test_a_file_is_found_with_its_content(resource: Resource, add: Add) -> None:
    file = add(content=b"\x00\xff")
    assert files.find(resource.store, file["id"]) == file
    with files.content(resource.store, file["id"]).open() as content:
        assert content.read() == b"\x00\xff"


def test_the_content_can_be_an_open_file(resource: Resource, add: Add) -> None:
    file = files.add(resource, filename="b", purpose="batch", content=BytesIO(b"12345"), size=5, chance=Chance("b"), now=NOW)
    assert files.content(resource.store, file["id"]).size == file["bytes"] == 5


@pytest.mark.parametrize("read", [files.find, files.content])
def test_an_unknown_file_is_refused(resource: Resource, read: Callable[..., object]) -> None:
    with pytest.raises(ApiError) as refusal:
        read(resource.store, "fake_id")
    assert refusal.value.status == 404
    assert refusal.value.payload == {
        "error": {"message": "No such File object: fake_id", "type": "invalid_request_error", "param": "id", "code": None}
    }


def test_a_deleted_file_is_gone(resource: Resource, add: Add) -> None:
    file, other = add(), add()
    assert files.delete(resource.store, file["id"])
    assert not files.delete(resource.store, file["id"])
    with pytest.raises(ApiError):
        files.content(resource.store, file["id"])
    assert files.find(resource.store, other["id"]) == other


def keep_in_vector_stores(resource: Resource, file_id: str, ids: Sequence[str]) -> None:
    for vector_store_id in ids:
        if resource.store.get("vector_store", vector_store_id) is None:
            counts = dict.fromkeys((*vector_stores.STATUSES, "total"), 0)
            document = {"id": vector_store_id, "status": "completed", "usage_bytes": 0, "file_counts": counts}
            resource.store.put("vector_store", vector_store_id, document)
        indexing.attach(resource, vector_store_id, file_id, chunking_strategy=None, attributes=None, now=NOW)


def counted(resource: Resource, vector_store_id: str) -> int:
    total: int = vector_stores.find(resource.store, vector_store_id)["file_counts"]["total"]
    return total


def test_a_deleted_file_leaves_the_vector_stores(resource: Resource, add: Add) -> None:
    file, other = add(), add()
    keep_in_vector_stores(resource, file["id"], ["vs_1", "vs_2"])
    keep_in_vector_stores(resource, other["id"], ["vs_1"])
    files.delete(resource.store, file["id"])
    assert not resource.store.find(vector_stores.STORE_FILE, file["id"])
    assert [document["id"] for document in resource.store.documents(vector_stores.STORE_FILE, ("vector_store", "vs_1"))] == [
        other["id"]
    ]
    assert [counted(resource, one) for one in ("vs_1", "vs_2")] == [1, 0]


@pytest.mark.parametrize("purpose", ["assistants", "batch"])
def test_a_file_expires_by_the_clock_and_leaves_the_vector_stores(resource: Resource, add: Add, purpose: files.Purpose) -> None:
    file = add(purpose, expires_after=3_600)
    keep_in_vector_stores(resource, file["id"], ["vs_1"])
    assert file["expires_at"] == file["created_at"] + 3_600
    work.advance(resource, file["expires_at"] - 0.5)
    assert files.find(resource.store, file["id"]) == file
    work.advance(resource, file["expires_at"])
    assert resource.store.get(files.FILE, file["id"]) is None
    assert not resource.store.find(vector_stores.STORE_FILE, file["id"])


def test_the_expiry_of_a_file_of_jobs_stands_behind_its_name(add: Add) -> None:
    assert list(add("batch", expires_after=3_600)) == [
        *("status", "bytes", "purpose", "filename", "expires_at", "id", "created_at", "object")
    ]


def test_a_file_to_train_on_is_processed_when_it_is_read(resource: Resource, add: Add) -> None:
    file = add("fine-tune")
    work.poll(resource, files.FILE, file["id"], NOW)
    assert files.find(resource.store, file["id"]) == file | {"status": "processed"}


def test_a_file_to_train_on_takes_the_time_that_the_scenario_gives_it() -> None:
    resource = Resource(lifecycles=Lifecycles(kinds={"file": Lifecycle(seconds=10)}))
    file = files.add(resource, filename="t", purpose="fine-tune", content=b"", size=0, chance=Chance("t"), now=NOW)
    statuses = []
    for seconds in (0, 5, 10):
        work.advance(resource, NOW + seconds)
        statuses.append(files.find(resource.store, file["id"])["status"])
    assert statuses == ["pending", "running", "processed"]
