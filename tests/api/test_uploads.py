"""`/uploads` through the SDK: parts in any order and at once, checks at the end, and what becomes of an upload that ends otherwise."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI
from openai.types import Upload
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.api import uploads
from mockserver.resource import file_limits
from mockserver.resource.file_limits import Limits

NOW = 1_790_000_000
Begin = Callable[..., Upload]


@pytest.fixture
def begin(client: OpenAI) -> Begin:
    def begin_upload(size: int = 6, filename: str = "a.txt", purpose: Any = "assistants", **options: Any) -> Upload:
        return client.uploads.create(bytes=size, filename=filename, purpose=purpose, mime_type="text/plain", **options)

    return begin_upload


def add(client: OpenAI, upload: Upload, *contents: bytes) -> list[str]:
    """Add parts, and return their ids."""
    return [client.uploads.parts.create(upload.id, data=content).id for content in contents]


def documents(mock: MockServer) -> dict[str, int]:
    store = mock.resource.store
    return {
        "files": store.count("file"),
        "parts": sum(
            1 for one in store.documents("upload") for _ in store.documents("upload.part", ("upload", one["upload"]["id"]))
        ),
    }


# -- objects


def test_an_upload_and_its_parts_are_written_as_recorded(mock: MockServer, http: httpx2.Client) -> None:
    key = {"api-key": mock.api_key}
    body = {"purpose": "fine-tune", "filename": "a.jsonl", "bytes": 8, "mime_type": "text/jsonl"}
    created = http.post(mock.base_url + "uploads", json=body, headers=key)
    upload_id = created.json()["id"]
    assert (created.status_code, created.headers["content-type"]) == (200, "application/json")
    assert created.text == (
        f'{{\n  "id": "{upload_id}",\n  "object": "upload",\n  "bytes": 8,\n  "created_at": {NOW},\n  "filename": "a.jsonl",\n'
        f'  "purpose": "fine-tune",\n  "status": "pending",\n  "expires_at": {NOW + 3_600}\n}}\n'
    )
    part = http.post(f"{mock.base_url}uploads/{upload_id}/parts", files={"data": b"12345678"}, headers=key)
    part_id = part.json()["id"]
    assert part.text == (
        f'{{\n  "id": "{part_id}",\n  "object": "upload.part",\n  "created_at": {NOW},\n  "upload_id": "{upload_id}"\n}}\n'
    )
    for one, prefix in ((upload_id, "upload_"), (part_id, "part_")):
        assert one.startswith(f"{prefix}{NOW:08x}")
        assert len(one) == len(prefix) + 32


def test_a_completed_upload_has_its_file(client: OpenAI, begin: Begin, mock: MockServer) -> None:
    upload = begin(6)
    part_ids = add(client, upload, b"abc", b"def")
    answer = client.uploads.with_raw_response.complete(upload.id, part_ids=part_ids)
    members = [*("id", "object", "bytes", "created_at", "filename", "purpose", "status", "expires_at", "file")]
    assert list(json.loads(answer.text)) == members
    completed = answer.parse()
    assert completed.model_dump(exclude={"file", "status"}) == upload.model_dump(exclude={"file", "status"})
    assert completed.status == "completed"
    file = completed.file
    assert file is not None
    assert client.files.retrieve(file.id) == file
    assert (file.filename, file.bytes, file.purpose, file.status) == ("a.txt", 6, "assistants", "processed")
    assert client.files.content(file.id).read() == b"abcdef"
    assert documents(mock) == {"files": 1, "parts": 0}


def test_a_file_of_jobs_comes_of_its_own_service(plain: OpenAI) -> None:
    upload = plain.uploads.create(bytes=2, filename="t.jsonl", purpose="fine-tune", mime_type="text/jsonl")
    file = plain.uploads.complete(upload.id, part_ids=add(plain, upload, b"{}")).file
    assert file is not None
    assert (file.id[:5], file.status) == ("file-", "pending")
    assert plain.files.retrieve(file.id).status == "processed"


# -- parts


def test_the_request_decides_the_order_of_the_parts(client: OpenAI, begin: Begin) -> None:
    upload = begin(6)
    third, first, second = add(client, upload, b"ef", b"ab", b"cd")
    file = client.uploads.complete(upload.id, part_ids=[first, second, third]).file
    assert file is not None
    assert client.files.content(file.id).read() == b"abcdef"


def test_parts_that_are_left_out_are_dropped(client: OpenAI, begin: Begin, mock: MockServer) -> None:
    upload = begin(3)
    _, kept = add(client, upload, b"broken", b"abc")
    file = client.uploads.complete(upload.id, part_ids=[kept]).file
    assert file is not None
    assert client.files.content(file.id).read() == b"abc"
    assert documents(mock)["parts"] == 0


def test_parts_can_come_at_once_from_threads(client: OpenAI, begin: Begin) -> None:
    contents = [f"<{number}>".encode() * 100 for number in range(100)]
    upload = begin(len(b"".join(contents)))
    with ThreadPoolExecutor(16) as pool:
        part_ids = list(pool.map(lambda content: add(client, upload, content)[0], contents))
    file = client.uploads.complete(upload.id, part_ids=part_ids).file
    assert file is not None
    assert client.files.content(file.id).read() == b"".join(contents)


@pytest.mark.anyio
async def test_parts_can_come_at_once_from_tasks(async_client: AsyncOpenAI) -> None:
    contents = [str(number).encode() for number in range(100)]
    size = len(b"".join(contents))
    upload = await async_client.uploads.create(bytes=size, filename="a", purpose="assistants", mime_type="text/plain")
    parts = await asyncio.gather(*(async_client.uploads.parts.create(upload.id, data=one) for one in contents))
    completed = await async_client.uploads.complete(upload.id, part_ids=[part.id for part in parts])
    assert completed.file is not None
    assert (await async_client.files.content(completed.file.id)).read() == b"".join(contents)


def test_equal_parts_are_different_parts(client: OpenAI, begin: Begin) -> None:
    upload = begin(6)
    part_ids = add(client, upload, b"abc", b"abc")
    assert len(set(part_ids)) == 2
    assert client.uploads.complete(upload.id, part_ids=part_ids).status == "completed"


def test_the_sdk_uploads_a_file_in_chunks(client: OpenAI, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    path = tmp_path / "large.bin"
    path.write_bytes(content)
    checksum = hashlib.md5(content).hexdigest()
    from_disk = client.uploads.upload_file_chunked(
        file=path, mime_type="application/octet-stream", purpose="assistants", part_size=1_000, md5=checksum
    )
    from_memory = client.uploads.upload_file_chunked(
        file=content, filename="m", bytes=len(content), mime_type="text/plain", purpose="assistants", part_size=999
    )
    for upload in (from_disk, from_memory):
        assert upload.file is not None
        assert client.files.content(upload.file.id).read() == content


@pytest.fixture(scope="module")
def shared() -> Any:
    with MockServer() as server, httpx2.Client(trust_env=False) as http:
        yield OpenAI(base_url=server.base_url, api_key=server.api_key, http_client=http, max_retries=0)


@given(contents=st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=5), data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_parts_in_any_order_make_one_file(shared: OpenAI, contents: list[bytes], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(contents))))
    upload = shared.uploads.create(bytes=sum(map(len, contents)), filename="a", purpose="assistants", mime_type="text/plain")
    part_ids = {at: add(shared, upload, contents[at])[0] for at in order}
    whole = b"".join(contents)
    file = shared.uploads.complete(
        upload.id,
        part_ids=[part_ids[at] for at in range(len(contents))],
        md5=hashlib.md5(whole).hexdigest(),
    ).file
    assert file is not None
    assert shared.files.content(file.id).read() == whole


# -- lifetimes


def test_an_upload_expires_after_an_hour(client: OpenAI, begin: Begin, mock: MockServer) -> None:
    upload = begin(3)
    part_ids = add(client, upload, b"abc")
    mock.clock.advance(3_599)
    add(client, upload, b"x")
    mock.clock.advance(1)
    for refused in (
        lambda: add(client, upload, b"abc"),
        lambda: client.uploads.complete(upload.id, part_ids=part_ids),
        lambda: client.uploads.cancel(upload.id),
    ):
        with pytest.raises(openai.BadRequestError) as refusal:
            refused()
        assert_azure_error(refusal.value, 400, contains="status 'expired'", param="upload_id")
    assert documents(mock) == {"files": 0, "parts": 0}


def test_a_completed_upload_does_not_expire(client: OpenAI, begin: Begin, mock: MockServer) -> None:
    upload = begin(3)
    file = client.uploads.complete(upload.id, part_ids=add(client, upload, b"abc")).file
    mock.clock.advance(7_200)
    assert file is not None
    assert client.files.content(file.id).read() == b"abc"
    with pytest.raises(openai.BadRequestError, match="status 'completed'"):
        client.uploads.cancel(upload.id)


def test_the_file_has_the_lifetime_that_the_upload_names(client: OpenAI, begin: Begin, mock: MockServer) -> None:
    upload = begin(3, expires_after={"anchor": "created_at", "seconds": 3_600})
    mock.clock.advance(60)
    file = client.uploads.complete(upload.id, part_ids=add(client, upload, b"abc")).file
    assert file is not None
    assert (file.created_at, file.expires_at) == (NOW + 60, NOW + 3_660)


def test_a_cancelled_upload_drops_its_parts(client: OpenAI, begin: Begin, mock: MockServer) -> None:
    upload = begin(3)
    part_ids = add(client, upload, b"abc")
    cancelled = client.uploads.cancel(upload.id)
    assert (cancelled.status, cancelled.file) == ("cancelled", None)
    assert documents(mock) == {"files": 0, "parts": 0}
    with pytest.raises(openai.BadRequestError, match="status 'cancelled'"):
        client.uploads.complete(upload.id, part_ids=part_ids)


# -- refusals


def test_wrong_sizes_and_checksums_are_refused_and_can_be_mended(client: OpenAI, begin: Begin, mock: MockServer) -> None:
    upload = begin(6)
    part_ids = add(client, upload, b"abc", b"def", b"g")
    for wrong, options, text, param in (
        (part_ids, {}, "7 bytes in all, but the upload was created for 6 bytes", "part_ids"),
        (part_ids[:1], {}, "3 bytes in all", "part_ids"),
        (part_ids[:2], {"md5": "0" * 32}, "The MD5 checksum of the parts is", "md5"),
    ):
        with pytest.raises(openai.BadRequestError) as refusal:
            client.uploads.complete(upload.id, part_ids=wrong, **options)  # type: ignore[arg-type]
        assert_azure_error(refusal.value, 400, contains=text, param=param)
    assert documents(mock) == {"files": 0, "parts": 3}
    checksum = hashlib.md5(b"abcdef").hexdigest().upper()
    assert client.uploads.complete(upload.id, part_ids=part_ids[:2], md5=checksum).status == "completed"


def test_only_parts_of_the_upload_make_its_file(client: OpenAI, begin: Begin) -> None:
    ours, theirs = begin(3), begin(3)
    (our_part,), (their_part,) = add(client, ours, b"abc"), add(client, theirs, b"abc")
    for part_ids, text, at in (
        ([their_part], "No such Part object", 0),
        (["part_gone"], "No such Part object", 0),
        ([our_part, our_part], "listed twice", 1),
    ):
        with pytest.raises(openai.BadRequestError) as refusal:
            client.uploads.complete(ours.id, part_ids=part_ids)
        assert_azure_error(refusal.value, 400, contains=text, param=f"part_ids[{at}]", code="invalid_value")


@pytest.mark.parametrize("path", ["parts", "complete", "cancel"])
def test_an_unknown_upload_is_refused(mock: MockServer, http: httpx2.Client, path: str) -> None:
    options: dict[str, Any] = {"files": {"data": b"x"}} if path == "parts" else {"json": {"part_ids": ["p"]}}
    answer = http.post(f"{mock.base_url}uploads/upload_gone/{path}", headers={"api-key": mock.api_key}, **options)
    assert_azure_error(answer, 404, contains="No such Upload object: upload_gone", param="id")


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"filename": None}, "filename", "missing_required_parameter"),
        ({"filename": ""}, "filename", "empty_string"),
        ({"mime_type": None}, "mime_type", "missing_required_parameter"),
        ({"bytes": None}, "bytes", "missing_required_parameter"),
        ({"bytes": 0}, "bytes", "integer_below_min_value"),
        ({"bytes": 8 * 1024**3 + 1}, "bytes", "integer_above_max_value"),
        ({"bytes": "6"}, "bytes", "invalid_type"),
        ({"purpose": "user_data"}, "purpose", None),
        ({"expires_after": {"anchor": "created_at", "seconds": 1}}, "expires_after.seconds", "integer_below_min_value"),
        ({"expires_after": {"seconds": 3_600}}, "expires_after.anchor", "missing_required_parameter"),
        ({"parts": 3}, "parts", "unknown_parameter"),
    ],
)
def test_an_upload_with_a_mistake_is_refused(
    mock: MockServer, http: httpx2.Client, change: dict[str, Any], param: str, code: str | None
) -> None:
    body = {"filename": "a.txt", "mime_type": "text/plain", "bytes": 6, "purpose": "assistants", **change}
    body = {name: value for name, value in body.items() if value is not None}
    answer = http.post(mock.base_url + "uploads", json=body, headers={"api-key": mock.api_key})
    assert_azure_error(answer, 400, param=param, code=code)


def test_a_name_with_another_suffix_is_refused(plain: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        plain.uploads.create(bytes=6, filename="a.txt", purpose="batch", mime_type="text/plain")
    assert_azure_error(refusal.value, 400, contains="wrong suffix", code="invalidPayload")


def test_the_sizes_are_the_documented_ones() -> None:
    assert (uploads.LARGEST_PART, uploads.LARGEST) == (64 * 1024**2, 8 * 1024**3)


def test_parts_with_a_mistake_are_refused(
    mock: MockServer, http: httpx2.Client, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LARGEST_PART", 10)
    upload = begin()

    def send(**options: Any) -> httpx2.Response:
        return http.post(f"{mock.base_url}uploads/{upload.id}/parts", headers={"api-key": mock.api_key}, **options)

    assert send(files={"data": b"x" * 10}).status_code == 200
    assert_azure_error(send(files={"data": b"x" * 11}), 413, code="RequestEntityTooLarge")
    assert_azure_error(send(files={"file": b"x"}), 400, param="data", code="missing_required_parameter")
    assert_azure_error(send(files={"data": (None, "text")}), 400, param="data", code="invalid_type")
    assert_azure_error(send(json={"data": "text"}), 400, contains="Unsupported content type")
    assert documents(mock)["parts"] == 1


def test_the_resource_has_room_for_the_file_when_it_is_complete(
    client: OpenAI, begin: Begin, mock: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(file_limits.LIMITS, "assistants", Limits(count=1))
    first, second = begin(1), begin(1)
    client.uploads.complete(first.id, part_ids=add(client, first, b"a"))
    part_ids = add(client, second, b"b")
    with pytest.raises(openai.BadRequestError) as refusal:
        client.uploads.complete(second.id, part_ids=part_ids)
    assert_azure_error(refusal.value, 400, code="quotaExceeded")
    assert documents(mock) == {"files": 1, "parts": 1}


def test_the_store_bounds_the_parts_and_takes_the_file_made_of_them(http: httpx2.Client) -> None:
    with MockServer(store_bytes="100 KiB") as mock:
        client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)
        upload = client.uploads.create(bytes=80_000, filename="a", purpose="assistants", mime_type="text/plain")
        part_ids = add(client, upload, b"x" * 40_000, b"y" * 40_000)
        with pytest.raises(openai.APIStatusError) as refusal:
            add(client, upload, b"z" * 40_000)
        assert_azure_error(refusal.value, 507, code="store_full")
        file = client.uploads.complete(upload.id, part_ids=part_ids).file
        assert file is not None
        assert client.files.content(file.id).read() == b"x" * 40_000 + b"y" * 40_000


def test_an_upload_is_its_resources_own(http: httpx2.Client) -> None:
    resources = [{"resource": {"name": name, "keys": [f"{name}-key"]}} for name in ("contoso", "fabrikam")]
    with MockServer(resources) as mock:
        ours, theirs = (
            OpenAI(base_url=mock.base_url, api_key=f"{name}-key", http_client=http, max_retries=0)
            for name in ("contoso", "fabrikam")
        )
        upload = ours.uploads.create(bytes=1, filename="a", purpose="assistants", mime_type="text/plain")
        part_ids = add(ours, upload, b"a")
        for refused in (
            lambda: add(theirs, upload, b"b"),
            lambda: theirs.uploads.complete(upload.id, part_ids=part_ids),
            lambda: theirs.uploads.cancel(upload.id),
        ):
            with pytest.raises(openai.NotFoundError):
                refused()
        own = theirs.uploads.create(bytes=1, filename="a", purpose="assistants", mime_type="text/plain")
        with pytest.raises(openai.BadRequestError, match="No such Part object"):
            theirs.uploads.complete(own.id, part_ids=part_ids)
        assert ours.uploads.complete(upload.id, part_ids=part_ids).status == "completed"
