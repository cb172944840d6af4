"""Vector stores and the files in them."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import APIStatusError, AsyncOpenAI, NotFoundError, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.resource import vector_stores

Json = Any
NOW = 1_790_000_000
DAY = 24 * 3_600
AUTO = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}


def call(http: httpx2.Client, mock: MockServer, method: str, path: str = "", **options: Any) -> httpx2.Response:
    return http.request(method, f"{mock.base_url}vector_stores{path}", headers={"api-key": mock.api_key}, **options)


def upload(client: OpenAI, content: bytes = b"hello") -> str:
    return client.files.create(file=("a.txt", content), purpose="assistants").id


def slow(**lifecycle: Any) -> MockServer:
    server = MockServer({"resource": {"lifecycle": lifecycle}})
    server.clock.freeze(NOW)
    return server


def counts(store: Any) -> dict[str, int]:
    return {name: count for name, count in store.file_counts.to_dict().items() if count}


# -- stores


def test_an_empty_store_is_written_as_recorded(http: httpx2.Client, mock: MockServer) -> None:
    response = call(http, mock, "POST", json={"name": "ProductInfoStreamStore"})
    created = response.json()
    assert response.status_code == 200
    assert response.text.startswith('{\n  "id": "vs_')
    assert list(created.items()) == [
        ("id", created["id"]),
        ("object", "vector_store"),
        ("name", "ProductInfoStreamStore"),
        ("status", "completed"),
        ("usage_bytes", 0),
        ("created_at", NOW),
        ("file_counts", {"in_progress": 0, "completed": 0, "failed": 0, "cancelled": 0, "total": 0}),
        ("metadata", {}),
        ("expires_after", None),
        ("expires_at", None),
        ("last_active_at", NOW),
    ]
    assert list(created["file_counts"]) == ["in_progress", "completed", "failed", "cancelled", "total"]
    assert len(created["id"]) == len("vs_") + 24
    assert {"openai-organization", "openai-version", "x-ms-middleware-request-id"} <= response.headers.keys()


def test_a_store_needs_no_body(http: httpx2.Client, mock: MockServer) -> None:
    assert call(http, mock, "POST").json()["name"] is None


def test_a_store_with_files_is_in_progress_until_it_is_polled(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    file_id = upload(plain, b"x" * 32)
    created = plain.vector_stores.create(file_ids=[file_id, file_id], description="is not reported")
    assert (created.status, created.usage_bytes, counts(created)) == ("in_progress", 0, {"in_progress": 1, "total": 1})
    (listed,) = plain.vector_stores.list().data
    assert listed.status == "in_progress"
    response = call(http, mock, "GET", f"/{created.id}")
    assert (response.json()["status"], response.json()["usage_bytes"]) == ("completed", 1_056)  # recorded
    assert response.json()["last_active_at"] == created.created_at
    assert response.json()["file_counts"]["completed"] == 1
    assert plain.vector_stores.files.retrieve(file_id, vector_store_id=created.id).usage_bytes == 1_056


def test_what_is_modified_changes_and_all_else_stays(plain: OpenAI) -> None:
    created = plain.vector_stores.create(name="a", metadata={"k": "v"}, expires_after={"anchor": "last_active_at", "days": 3})
    assert created.expires_at == NOW + 3 * DAY  # recorded
    renamed = plain.vector_stores.update(created.id, name="b")
    assert renamed.to_dict() == created.to_dict() | {"name": "b"}
    longer = plain.vector_stores.update(created.id, expires_after={"anchor": "last_active_at", "days": 7})
    assert (longer.expires_at, longer.metadata) == (NOW + 7 * DAY, {"k": "v"})
    bare: Json = {"name": None, "metadata": None, "expires_after": None}
    emptied = plain.vector_stores.update(created.id, **bare)
    assert (emptied.name, emptied.metadata, emptied.expires_after, emptied.expires_at) == (None, {}, None, None)
    assert plain.vector_stores.retrieve(created.id).to_dict() == emptied.to_dict()


def test_a_deleted_store_is_gone_and_its_files_stay(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    file_id = upload(plain)
    store_id = plain.vector_stores.create(file_ids=[file_id]).id
    batch_id = plain.vector_stores.file_batches.create(store_id, file_ids=[file_id]).id
    deleted = call(http, mock, "DELETE", f"/{store_id}")
    assert deleted.text == f'{{\n  "id": "{store_id}",\n  "object": "vector_store.deleted",\n  "deleted": true\n}}'
    assert plain.files.retrieve(file_id).id == file_id
    files, batch = f"/{store_id}/files", f"/{store_id}/file_batches/{batch_id}"
    tries = [("GET", f"/{store_id}", None), ("POST", f"/{store_id}", {}), ("DELETE", f"/{store_id}", None)]
    tries += [("GET", files, None), ("POST", files, {"file_id": file_id}), ("GET", f"{files}/{file_id}", None)]
    tries += [("POST", f"{files}/{file_id}", {"attributes": {}}), ("DELETE", f"{files}/{file_id}", None)]
    tries += [("GET", batch, None), ("POST", f"{batch}/cancel", None), ("GET", f"{batch}/files", None)]
    tries += [("POST", f"/{store_id}/file_batches", {"file_ids": [file_id]})]
    for method, path, body in tries:
        answer = call(http, mock, method, path, json=body)
        message = f"No vector store found with id '{store_id}'."
        assert_azure_error(answer, 404, message=message, type="invalid_request_error", param=None, code=None)


def test_a_store_expires_some_days_after_its_last_activity(mock: MockServer, plain: OpenAI) -> None:
    file_id = upload(plain)
    store_id = plain.vector_stores.create(expires_after={"anchor": "last_active_at", "days": 2}).id
    mock.clock.advance(1.5 * DAY)
    plain.vector_stores.files.create(store_id, file_id=file_id)
    mock.clock.advance(1.5 * DAY)
    alive = plain.vector_stores.retrieve(store_id)
    assert (alive.status, alive.last_active_at, alive.expires_at) == ("completed", NOW + 1.5 * DAY, NOW + 3.5 * DAY)
    mock.clock.advance(DAY / 2)
    expired = plain.vector_stores.retrieve(store_id)
    assert expired.to_dict() == alive.to_dict() | {"status": "expired"}
    assert plain.vector_stores.list().data[0].status == "expired"
    with pytest.raises(APIStatusError) as refused:
        plain.vector_stores.files.create(store_id, file_id=file_id)
    assert_azure_error(refused.value, 400, message=f"The vector store with id '{store_id}' is expired.", param=None)
    plain.vector_stores.files.delete(file_id, vector_store_id=store_id)
    renewed = plain.vector_stores.update(store_id, expires_after={"anchor": "last_active_at", "days": 365})
    assert renewed.status == "expired"
    assert plain.vector_stores.delete(store_id).deleted


def test_a_store_that_never_expires_does_not(mock: MockServer, plain: OpenAI) -> None:
    store_id = plain.vector_stores.create(expires_after={"anchor": "last_active_at", "days": 1}).id
    plain.vector_stores.update(store_id, extra_body={"expires_after": None})
    mock.clock.advance(400 * DAY)
    assert plain.vector_stores.retrieve(store_id).status == "completed"


# -- files


def test_a_file_is_written_as_recorded(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    file_id, store_id = upload(plain, b"x" * 1_158), plain.vector_stores.create().id
    created = call(http, mock, "POST", f"/{store_id}/files", json={"file_id": file_id})
    assert list(created.json().items()) == [
        ("id", file_id),
        ("object", "vector_store.file"),
        ("usage_bytes", 0),
        ("created_at", NOW),
        ("vector_store_id", store_id),
        ("status", "in_progress"),
        ("last_error", None),
        ("chunking_strategy", AUTO),
    ]
    read = call(http, mock, "GET", f"/{store_id}/files/{file_id}").json()
    assert list(read.items()) == list((created.json() | {"usage_bytes": 2_182, "status": "completed"}).items())
    deleted = call(http, mock, "DELETE", f"/{store_id}/files/{file_id}")
    assert deleted.text == f'{{\n  "id": "{file_id}",\n  "object": "vector_store.file.deleted",\n  "deleted": true\n}}'
    store = plain.vector_stores.retrieve(store_id)
    assert (counts(store), store.usage_bytes) == ({}, 0)
    assert plain.files.retrieve(file_id).status == "processed"


def test_a_file_has_attributes_and_chunks_of_its_own(plain: OpenAI) -> None:
    file_id, store_id = upload(plain), plain.vector_stores.create().id
    sizes = {"max_chunk_size_tokens": 1_200, "chunk_overlap_tokens": 250}
    attributes: dict[str, str | float | bool] = {"a": "x", "b": 1, "c": 1.5, "d": True}
    static: Json = {"type": "static", "static": sizes}
    file = plain.vector_stores.files.create(store_id, file_id=file_id, attributes=attributes, chunking_strategy=static)
    assert file.chunking_strategy is not None
    assert file.chunking_strategy.to_dict() == static
    assert file.to_dict()["attributes"] == {"a": "x", "b": 1, "c": 1.5, "d": True}
    updated = plain.vector_stores.files.update(file_id, vector_store_id=store_id, attributes={"e": False})
    assert (updated.attributes, updated.status) == ({"e": False}, "completed")
    assert plain.vector_stores.files.update(file_id, vector_store_id=store_id, attributes=None).attributes == {}


def test_a_file_that_is_added_again_is_there_once(plain: OpenAI) -> None:
    one, two, store_id = upload(plain), upload(plain), plain.vector_stores.create().id
    for file_id in (one, two):
        plain.vector_stores.files.create_and_poll(file_id, vector_store_id=store_id, attributes={"round": 1})
    again = plain.vector_stores.files.create(store_id, file_id=one, attributes={"round": 2})
    assert (again.status, again.attributes) == ("in_progress", {"round": 2})
    assert [file.id for file in plain.vector_stores.files.list(store_id)] == [one, two]
    assert counts(plain.vector_stores.retrieve(store_id)) == {"completed": 2, "total": 2}


def test_a_deleted_file_leaves_every_store(mock: MockServer, plain: OpenAI) -> None:
    goes, stays = upload(plain), upload(plain)
    ids = [plain.vector_stores.create(file_ids=[goes, stays]).id for _ in range(2)]
    plain.vector_stores.retrieve(ids[0])
    plain.files.delete(goes)
    for store_id, status in zip(ids, ("completed", "in_progress"), strict=True):
        document = vector_stores.find(mock.resource.store, store_id)
        assert document["file_counts"] == dict.fromkeys(document["file_counts"], 0) | {status: 1, "total": 1}
        assert [file.id for file in plain.vector_stores.files.list(store_id)] == [stays]


def test_a_file_that_is_in_no_store_or_unknown_is_not_found(plain: OpenAI) -> None:
    file_id, store_id = upload(plain), plain.vector_stores.create().id
    with pytest.raises(NotFoundError) as absent:
        plain.vector_stores.files.retrieve(file_id, vector_store_id=store_id)
    assert_azure_error(
        absent.value, 404, message=f"No file found with id '{file_id}' in vector store '{store_id}'.", param=None
    )
    unknown = ["assistant-1", "assistant-2"]
    for refused in (
        lambda: plain.vector_stores.create(file_ids=[file_id, *unknown]),
        lambda: plain.vector_stores.file_batches.create(store_id, file_ids=[file_id, *unknown]),
    ):
        with pytest.raises(NotFoundError) as missing:
            refused()
        assert_azure_error(missing.value, 404, message="Files [assistant-1, assistant-2] were not found", param=None, code=None)
    with pytest.raises(NotFoundError, match=r"Files \[assistant-1\] were not found"):
        plain.vector_stores.files.create(store_id, file_id="assistant-1")
    assert [store.id for store in plain.vector_stores.list()] == [store_id]
    assert plain.vector_stores.retrieve(store_id).file_counts.total == 0


def test_callers_may_wait_by_listing(plain: OpenAI) -> None:
    store_id = plain.vector_stores.create(file_ids=[upload(plain), upload(plain)]).id
    assert [file.status for file in plain.vector_stores.files.list(store_id, filter="in_progress")] == []
    assert [file.status for file in plain.vector_stores.files.list(store_id, filter="completed")] == ["completed"] * 2


def test_files_are_indexed_by_the_clock_where_the_scenario_says_so(plain: OpenAI, http: httpx2.Client) -> None:
    with slow(**{"vector_store.file": {"seconds": 60}}) as mock:
        client = plain.with_options(base_url=mock.base_url)
        file_id = upload(client)
        store_id = client.vector_stores.create(file_ids=[file_id]).id
        for passed, status in ((0, "in_progress"), (59, "in_progress"), (1, "completed")):
            mock.clock.advance(passed)
            for path in (f"/{store_id}", f"/{store_id}/files/{file_id}"):
                response = call(http, mock, "GET", path)
                assert response.json()["status"] == status
                assert ("openai-poll-after-ms" in response.headers) == (status == "in_progress")


# -- pollers


def test_pollers_finish_with_what_is_uploaded(plain: OpenAI) -> None:
    store_id = plain.vector_stores.create().id
    files = plain.vector_stores.files
    assert files.create_and_poll(upload(plain), vector_store_id=store_id).status == "completed"
    assert files.upload_and_poll(vector_store_id=store_id, file=("b.md", b"# B")).status == "completed"
    batches = plain.vector_stores.file_batches
    batch = batches.create_and_poll(store_id, file_ids=[upload(plain)])
    assert (batch.status, counts(batch)) == ("completed", {"completed": 1, "total": 1})
    batch = batches.upload_and_poll(store_id, files=[("c.txt", b"c"), ("d.txt", b"d")], file_ids=[upload(plain)])
    assert (batch.status, counts(batch)) == ("completed", {"completed": 3, "total": 3})
    assert counts(plain.vector_stores.retrieve(store_id)) == {"completed": 6, "total": 6}


@pytest.mark.anyio
async def test_asynchronous_pollers_finish_too(async_client: AsyncOpenAI) -> None:
    stores = async_client.vector_stores
    store = await stores.create(name="async")
    file = await stores.files.upload_and_poll(vector_store_id=store.id, file=("a.txt", b"a"))
    assert file.status == "completed"
    batch = await stores.file_batches.upload_and_poll(store.id, files=[("b.txt", b"b"), ("c.txt", b"c")])
    assert counts(batch) == {"completed": 2, "total": 2}
    assert len([one async for one in stores.files.list(store.id, limit=1)]) == 3
    assert len([one async for one in stores.file_batches.list_files(batch.id, vector_store_id=store.id, limit=1)]) == 2
    assert (await stores.files.delete(file.id, vector_store_id=store.id)).deleted
    assert (await stores.retrieve(store.id)).file_counts.total == 2
    assert [one.id async for one in stores.list()] == [store.id]
    assert (await stores.delete(store.id)).deleted


# -- limits


STATIC = {"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}
LAST = {"anchor": "last_active_at", "days": 1}


def sized(**sizes: Json) -> dict[str, Json]:
    return {"chunking_strategy": STATIC | {"static": STATIC["static"] | sizes}}  # type: ignore[operator]


IN_STORE = "chunking_strategy.static."
WRONG: list[tuple[str, Json, str, str]] = [
    ("", {"file_ids": ["x"] * 501}, "file_ids", "array_above_max_length"),
    ("", {"file_ids": "x"}, "file_ids", "invalid_type"),
    ("", {"name": 5}, "name", "invalid_type"),
    ("", {"title": "x"}, "title", "unknown_parameter"),
    ("", {"metadata": {f"{at}": "x" for at in range(17)}}, "metadata", "object_above_max_properties"),
    ("", {"metadata": {"a": "x" * 513}}, "metadata.a", "string_above_max_length"),
    ("", {"metadata": {"a": 1}}, "metadata.a", "invalid_type"),
    ("", {"expires_after": LAST | {"days": 0}}, "expires_after.days", "integer_below_min_value"),
    ("", {"expires_after": LAST | {"days": 366}}, "expires_after.days", "integer_above_max_value"),
    ("", {"expires_after": LAST | {"anchor": "created_at"}}, "expires_after.anchor", "invalid_value"),
    ("", {"expires_after": {"days": 1}}, "expires_after.anchor", "missing_required_parameter"),
    ("", {"chunking_strategy": {"type": "other"}}, "chunking_strategy.type", "invalid_value"),
    ("", {"chunking_strategy": {"type": "static"}}, "chunking_strategy.static", "missing_required_parameter"),
    ("", sized(max_chunk_size_tokens=99), IN_STORE + "max_chunk_size_tokens", "integer_below_min_value"),
    ("", sized(max_chunk_size_tokens=4_097), IN_STORE + "max_chunk_size_tokens", "integer_above_max_value"),
    ("", sized(chunk_overlap_tokens=51), IN_STORE + "chunk_overlap_tokens", "invalid_value"),
    ("", sized(chunk_overlap_tokens=-1), IN_STORE + "chunk_overlap_tokens", "integer_below_min_value"),
    ("/{id}", {"name": 5}, "name", "invalid_type"),
    ("/{id}", {"file_ids": []}, "file_ids", "unknown_parameter"),
    ("/{id}/files", {}, "file_id", "missing_required_parameter"),
    ("/{id}/files", {"file_id": "{file}", "chunks": 1}, "chunks", "unknown_parameter"),
    ("/{id}/files", {"file_id": "{file}", "attributes": {"a" * 65: 1}}, "attributes." + "a" * 65, "string_above_max_length"),
    ("/{id}/files", {"file_id": "{file}", "attributes": {"a": "x" * 513}}, "attributes.a", "string_above_max_length"),
    ("/{id}/files", {"file_id": "{file}", "attributes": {"a": [1]}}, "attributes.a", "invalid_type"),
    ("/{id}/files", {"file_id": "{file}", "attributes": {"a": None}}, "attributes.a", "invalid_type"),
    (
        "/{id}/files",
        {"file_id": "{file}", "attributes": {f"{at}": at for at in range(17)}},
        "attributes",
        "object_above_max_properties",
    ),
    ("/{id}/files/{file}", {}, "attributes", "missing_required_parameter"),
    ("/{id}/file_batches", {}, "file_ids", "missing_required_parameter"),
    ("/{id}/file_batches", {"file_ids": []}, "file_ids", "empty_array"),
    ("/{id}/file_batches", {"file_ids": ["x"] * 501}, "file_ids", "array_above_max_length"),
    ("/{id}/file_batches", {"files": [{}]}, "files[0].file_id", "missing_required_parameter"),
    ("/{id}/file_batches", {"files": [{"file_id": "x"}], "file_ids": ["x"]}, "files", "mutually_exclusive_parameters"),
]


@pytest.mark.parametrize(("path", "body", "param", "code"), WRONG)
def test_wrong_bodies_are_refused(
    http: httpx2.Client, mock: MockServer, plain: OpenAI, path: str, body: Json, param: str, code: str
) -> None:
    file_id = upload(plain)
    store_id = plain.vector_stores.create().id
    before = plain.vector_stores.retrieve(store_id).to_dict()
    body = {name: file_id if value == "{file}" else value for name, value in body.items()}
    refused = call(http, mock, "POST", path.format(id=store_id, file=file_id), json=body)
    assert_azure_error(refused, 400, type="invalid_request_error", param=param, code=code)
    assert plain.vector_stores.retrieve(store_id).to_dict() == before
    assert [store.id for store in plain.vector_stores.list()] == [store_id]


def test_the_largest_of_everything_is_taken(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    body = {"metadata": {f"{at:064}": "x" * 512 for at in range(16)}, "expires_after": LAST | {"days": 365}, **sized()}
    store_id = call(http, mock, "POST", json=body).json()["id"]
    attributes = {f"{at:064}": "x" * 512 for at in range(16)}
    taken = call(http, mock, "POST", f"/{store_id}/files", json={"file_id": upload(plain), "attributes": attributes} | sized())
    assert (taken.status_code, taken.json()["attributes"], taken.json()["chunking_strategy"]) == (200, attributes, STATIC)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "order=up", "filter=expired"])
def test_wrong_queries_are_refused(http: httpx2.Client, mock: MockServer, plain: OpenAI, query: str) -> None:
    store_id = plain.vector_stores.create().id
    path = f"/{store_id}/files" if "filter" in query else ""
    assert_azure_error(call(http, mock, "GET", f"{path}?{query}"), 400, param=query.partition("=")[0])


def test_a_store_has_at_most_ten_thousand_files(mock: MockServer, plain: OpenAI) -> None:
    store_id = plain.vector_stores.create().id
    full = dict.fromkeys((*vector_stores.STATUSES, "total"), 0) | {"completed": 9_999, "total": 9_999}
    mock.resource.store.update("vector_store", store_id, {"file_counts": full})
    with pytest.raises(APIStatusError) as refused:
        plain.vector_stores.file_batches.create(store_id, file_ids=[upload(plain), upload(plain)])
    assert_azure_error(refused.value, 400, contains="10000 files")
    plain.vector_stores.files.create(store_id, file_id=upload(plain))
    with pytest.raises(APIStatusError):
        plain.vector_stores.files.create(store_id, file_id=upload(plain))


def test_a_full_state_refuses_what_is_new_and_loses_nothing(plain: OpenAI) -> None:
    with MockServer(store_documents=3) as mock:
        client = plain.with_options(base_url=mock.base_url)
        file_id = upload(client)
        store_id = client.vector_stores.create(file_ids=[file_id]).id  # the store, the file in it, and the work on it
        for refused in (
            lambda: client.vector_stores.create(),
            lambda: client.vector_stores.file_batches.create(store_id, file_ids=[file_id]),
        ):
            with pytest.raises(APIStatusError) as full:
                refused()
            assert full.value.status_code == 507
        assert client.vector_stores.files.create(store_id, file_id=file_id).status == "in_progress"  # it takes its own place
        assert counts(client.vector_stores.retrieve(store_id)) == {"completed": 1, "total": 1}
