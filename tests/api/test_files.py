"""`/files` through the SDK and as raw bytes: both services behind it, lifetimes, lists, limits, names as data."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, AzureOpenAI, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.resource import file_limits
from mockserver.resource.file_limits import Limits

Json = Any
NOW = 1_790_000_000
Send = Callable[..., httpx2.Response]


@pytest.fixture
def send(mock: MockServer, http: httpx2.Client) -> Send:
    def send_request(method: str = "POST", path: str = "files", **options: Any) -> httpx2.Response:
        headers = {"api-key": mock.api_key, **options.pop("headers", {})}
        return http.request(method, mock.base_url + path, headers=headers, **options)

    return send_request


def form(file: Any = ("a.jsonl", b"{}\n"), **fields: str) -> dict[str, Any]:
    """A form's parts: a file and fields of text."""
    return {"file": file, **{name: (None, value) for name, value in fields.items()}}


# -- both services


def test_a_file_of_tools_is_written_and_sent_as_recorded(send: Send) -> None:
    answer = send(files=form(("product_info.md", b"x" * 1158), purpose="assistants"))
    assert answer.status_code == 200
    file_id = answer.json()["id"]
    assert answer.text == (
        f'{{\n  "object": "file",\n  "id": "{file_id}",\n  "purpose": "assistants",\n  "filename": "product_info.md",\n'
        f'  "bytes": 1158,\n  "created_at": {NOW},\n  "expires_at": null,\n  "status": "processed",\n'
        '  "status_details": null\n}\n'
    )
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["openai-version"] == "2020-10-01"
    assert {"content-length", "x-request-id", "apim-request-id", "x-ms-middleware-request-id"} <= answer.headers.keys()
    assert "openai-organization" not in answer.headers


@pytest.mark.parametrize(("purpose", "status"), [("fine-tune", "pending"), ("batch", "processed"), ("evals", "processed")])
def test_a_file_of_jobs_is_written_and_sent_as_recorded(send: Send, mock: MockServer, purpose: str, status: str) -> None:
    answer = send(files=form(purpose=purpose))
    assert answer.status_code == 201
    file_id = answer.json()["id"]
    assert answer.text == (
        f'{{"status":"{status}","bytes":3,"purpose":"{purpose}","filename":"a.jsonl","id":"{file_id}",'
        f'"created_at":{NOW},"object":"file"}}'
    )
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["location"] == f"{mock.base_url}files/{file_id}"
    assert answer.headers["api-supported-versions"].endswith(",2025-04-28,1")
    assert "x-ms-middleware-request-id" in answer.headers
    assert not {"x-request-id", "openai-version", "content-length"} & answer.headers.keys()


def test_the_location_leads_to_the_file(send: Send, mock: MockServer, http: httpx2.Client) -> None:
    created = send(files=form(purpose="batch"))
    read = http.get(created.headers["location"], headers={"api-key": mock.api_key})
    assert read.json() == created.json()
    assert "x-envoy-upstream-service-time" in read.headers
    assert "x-ms-middleware-request-id" not in read.headers


def test_the_older_client_gets_a_location_of_its_api(mock: MockServer, http: httpx2.Client) -> None:
    client = AzureOpenAI(
        azure_endpoint=mock.endpoint, api_key=mock.api_key, api_version="2025-04-01-preview", http_client=http, max_retries=0
    )
    created = client.files.with_raw_response.create(file=("a.jsonl", b"{}"), purpose="batch")
    path = f"/openai/files/{created.parse().id}?api-version=2025-04-01-preview"
    assert created.headers["location"] == mock.endpoint + path
    assert http.get(mock.endpoint + path, headers={"api-key": mock.api_key}).json() == json.loads(created.text)


def test_a_public_host_gets_a_secure_location(send: Send) -> None:
    created = send(files=form(purpose="batch"), headers={"host": "mockserver.openai.azure.com"})
    assert created.headers["location"].startswith("https://mockserver.openai.azure.com/openai/v1/files/file-")


def test_each_upload_is_a_file_of_its_own(client: OpenAI) -> None:
    files = [client.files.create(file=("a.txt", b"same"), purpose="assistants") for _ in range(3)]
    assert len({file.id for file in files}) == 3


# -- through the SDK


def test_a_file_can_come_as_bytes_tuple_path_or_open_file(client: OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "on disk.txt"
    path.write_bytes(b"content")
    opened = BytesIO(b"content")
    opened.name = "opened.txt"
    names = []
    for file in (b"content", ("named.txt", b"content"), ("typed.txt", b"content", "text/plain"), path, opened):
        created = client.files.create(file=file, purpose="assistants")
        assert client.files.content(created.id).read() == b"content"
        names.append(created.filename)
    assert names == ["upload", "named.txt", "typed.txt", "on disk.txt", "opened.txt"]


@pytest.mark.anyio
async def test_the_life_of_a_file_asynchronously(async_client: AsyncOpenAI) -> None:
    file = await async_client.files.create(file=("t.jsonl", b'{"a":1}\n'), purpose="fine-tune")
    assert file.status == "pending"
    processed = await async_client.files.wait_for_processing(file.id, poll_interval=0)
    assert processed.status == "processed"
    assert (await async_client.files.content(file.id)).text == '{"a":1}\n'
    assert [one.id async for one in async_client.files.list()] == [file.id]
    assert (await async_client.files.delete(file.id)).deleted
    assert [one.id async for one in async_client.files.list()] == []


def test_a_file_to_train_on_is_processed_in_its_time(http: httpx2.Client) -> None:
    with MockServer({"resource": {"lifecycle": {"file": {"polls": 2}}}}) as mock:
        client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)
        file = client.files.create(file=("t.jsonl", b"{}"), purpose="fine-tune")
        statuses = [client.files.retrieve(file.id).status for _ in range(3)]
        other = client.files.create(file=("t.txt", b"x"), purpose="assistants")
    assert [file.status, *statuses] == ["pending", "pending", "running", "processed"]
    assert other.status == "processed"


@pytest.mark.parametrize("purpose", ["assistants", "batch"])
def test_a_file_expires_by_the_resources_clock(client: OpenAI, mock: MockServer, purpose: Any) -> None:
    seconds = 14 * 24 * 3_600
    file = client.files.create(
        file=("a.jsonl", b"{}"), purpose=purpose, expires_after={"anchor": "created_at", "seconds": seconds}
    )
    assert file.expires_at == file.created_at + seconds
    mock.clock.advance(seconds - 1)
    assert client.files.retrieve(file.id).expires_at == file.expires_at
    mock.clock.advance(1)
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)
    assert client.files.list().data == []


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"},
        {"expires_after.seconds": "3600", "expires_after.anchor": "created_at"},
        {"expires_after": '{"anchor": "created_at", "seconds": 3600}'},
    ],
)
def test_a_lifetime_can_be_spelled_in_three_ways(send: Send, fields: dict[str, str]) -> None:
    assert send(files=form(purpose="assistants", **fields)).json()["expires_at"] == NOW + 3_600


# -- content


def test_a_download_is_sent_as_recorded(plain: OpenAI) -> None:
    file = plain.files.create(file=("test_file.jsonl", b"\x00\xff\r\n" * 100), purpose="fine-tune")
    download = plain.files.content(file.id)
    assert download.read() == b"\x00\xff\r\n" * 100
    headers = download.response.headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["content-length"] == "400"
    assert headers["content-disposition"] == "attachment; filename=test_file.jsonl; filename*=UTF-8''test_file.jsonl"
    assert "api-supported-versions" in headers


@pytest.mark.parametrize(
    ("filename", "disposition"),
    [
        ("a b.txt", "filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"),
        ("grüße.txt", "filename=gr__e.txt; filename*=UTF-8''gr%C3%BC%C3%9Fe.txt"),
        ("../../etc/passwd", "filename=\"../../etc/passwd\"; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd"),
        ("a;b=c", "filename=\"a;b=c\"; filename*=UTF-8''a%3Bb%3Dc"),
        ("", "filename=\"\"; filename*=UTF-8''"),
    ],
)
def test_a_name_is_data(send: Send, filename: str, disposition: str) -> None:
    body = f'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nassistants\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="{filename}"\r\n\r\nx\r\n--b--\r\n'
    file = send(content=body.encode(), headers={"content-type": "multipart/form-data; boundary=b"}).json()
    assert file["filename"] == filename
    download = send("GET", f"files/{file['id']}/content")
    assert download.headers["content-disposition"] == f"attachment; {disposition}"


@pytest.fixture(scope="module")
def shared() -> Any:
    with MockServer() as server, httpx2.Client(trust_env=False, base_url=server.base_url) as http:
        http.headers["api-key"] = server.api_key
        yield http


NAMES = st.text(st.characters(codec="utf-8", exclude_characters='\r\n\x00"\\'), min_size=1, max_size=40)


@given(content=st.binary(min_size=1, max_size=3_000), filename=NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_form_carries_any_bytes_and_any_name(shared: httpx2.Client, content: bytes, filename: str) -> None:
    part = f'content-disposition: form-data; name="file"; filename="{filename}"'.encode()
    fields = b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    boundary = b"b"
    while b"--" + boundary in content:
        boundary += b"b"
    body = fields.replace(b"--b", b"--" + boundary) + b"--" + boundary + b"\r\n" + part + b"\r\n\r\n" + content
    body += b"\r\n--" + boundary + b"--\r\n"
    sent = shared.post("files", content=body, headers={"content-type": "multipart/form-data; boundary=" + boundary.decode()})
    file = sent.json()
    assert (file["bytes"], file["filename"]) == (len(content), filename)
    download = shared.get(f"files/{file['id']}/content")
    assert download.content == content
    assert unquote(download.headers["content-disposition"].rpartition("''")[2]) == filename


# -- lists


def test_a_list_pages_through_five_thousand_files_once_each(client: OpenAI, mock: MockServer) -> None:
    ids = [f"assistant-{number:022}" for number in range(5_000)]
    store = mock.resource.store
    for at, file_id in enumerate(ids):
        store.put("file", file_id, _file(file_id, at))
    assert [file.id for file in client.files.list(limit=700)] == ids[::-1]
    assert [file.id for file in client.files.list(limit=1_000, order="asc")] == ids
    whole = client.files.list()
    assert (len(whole.data), whole.has_more) == (5_000, False)


def _file(file_id: str, created_at: int) -> dict[str, Json]:
    members = {"object": "file", "id": file_id, "purpose": "assistants", "filename": "f", "bytes": 1}
    return members | {"created_at": created_at, "expires_at": None, "status": "processed", "status_details": None}


def test_a_list_can_be_of_one_purpose(plain: OpenAI) -> None:
    files = {
        purpose: [plain.files.create(file=("a.jsonl", b"{}"), purpose=purpose).id for _ in range(3)]  # type: ignore[arg-type]
        for purpose in ("assistants", "batch", "evals")
    }
    for purpose, ids in files.items():
        page = plain.files.list(purpose=purpose, limit=2)
        assert [file.id for file in page.data] == ids[:0:-1]
        assert [file.id for file in page] == ids[::-1]
    assert plain.files.list(purpose="batch_output").data == []
    with pytest.raises(openai.BadRequestError) as refusal:
        plain.files.list(purpose="vision")
    assert_azure_error(refusal.value, 400, contains="Invalid value for purpose.", code="invalidPayload")
    assert len(plain.files.list().data) == 9


def test_a_list_is_in_the_envelope(send: Send) -> None:
    assert send("GET").json() == {"object": "list", "data": [], "first_id": None, "has_more": False, "last_id": None}
    ids = [send(files=form(purpose="batch")).json()["id"] for _ in range(3)]
    page = send("GET", "files?limit=2").json()
    assert list(page) == ["object", "data", "first_id", "last_id", "has_more"]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (ids[2], ids[1], True)
    assert send("GET", f"files?after={ids[1]}").json()["data"][0]["id"] == ids[0]


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ("limit=0", "limit", "integer_below_min_value"),
        ("limit=10001", "limit", "integer_above_max_value"),
        ("limit=x", "limit", "invalid_type"),
        ("order=up", "order", "invalid_value"),
    ],
)
def test_a_list_refuses_what_it_cannot_page_by(send: Send, query: str, param: str, code: str) -> None:
    assert_azure_error(send("GET", f"files?{query}"), 400, param=param, code=code)


# -- deleting


def test_a_file_of_jobs_can_be_deleted_twice(send: Send) -> None:
    file_id = send(files=form(purpose="batch")).json()["id"]
    for deleted in ("true", "false"):
        answer = send("DELETE", f"files/{file_id}")
        assert (answer.status_code, answer.text) == (200, f'{{"object":"file","deleted":{deleted},"id":"{file_id}"}}')
    assert_azure_error(send("GET", f"files/{file_id}"), 404, param="id")


def test_a_file_of_tools_can_be_deleted_once(client: OpenAI) -> None:
    file = client.files.create(file=("a.txt", b"x"), purpose="assistants")
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError) as refusal:
        client.files.delete(file.id)
    assert_azure_error(refusal.value, 404, contains=f"No such File object: {file.id}", param="id", code=None)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "files/fake_id"), ("DELETE", "files/fake_id"), ("GET", "files/fake_id/content")]
)
def test_an_unknown_file_is_refused(send: Send, method: str, path: str) -> None:
    assert_azure_error(send(method, path), 404, contains="No such File object: fake_id", param="id", code=None)


@pytest.mark.parametrize("file_id", ["..%2f..%2fetc%2fpasswd", "%00", "%F0%9F%98%80", "a" * 5_000])
def test_an_id_is_data(send: Send, file_id: str) -> None:
    assert send("GET", f"files/{file_id}").status_code == 404


# -- refusals


@pytest.mark.parametrize("purpose", ["world_domination", "user_data", "vision", "batch_output", ""])
def test_a_purpose_that_nobody_may_upload_for_is_refused(send: Send, purpose: str) -> None:
    text = f"'{purpose}' is not one of ['fine-tune', 'assistants', 'batch', 'evals'] - 'purpose'"
    assert_azure_error(send(files=form(purpose=purpose)), 400, contains=text, param="purpose", code=None)


@pytest.mark.parametrize(
    ("files", "text", "param", "code"),
    [
        ({"purpose": (None, "batch")}, "Missing required parameter: 'file'.", "file", "missing_required_parameter"),
        (form(), "Missing required parameter: 'purpose'.", "purpose", "missing_required_parameter"),
        (form((None, "text"), purpose="batch"), "expected a file, but got a string", "file", "invalid_type"),
        ([("file", ("a.txt", b"1")), ("file", ("b.txt", b"2")), ("purpose", (None, "evals"))], "a file, but got an array", "file", "invalid_type"),
        (form(("a.jsonl", b""), purpose="batch"), "File is empty.", "file", None),
        (form(purpose="evals", expires_after="soon"), "expected an object, but got a string", "expires_after", "invalid_type"),
        (form(purpose="evals", **{"expires_after[seconds]": "3600"}), "Missing required", "expires_after.anchor", "missing_required_parameter"),
        (form(purpose="evals", **{"expires_after[anchor]": "created_at"}), "Missing required", "expires_after.seconds", "missing_required_parameter"),
        (form(purpose="evals", **{"expires_after[anchor]": "now", "expires_after[seconds]": "3600"}), "Value must be: 'created_at'.", "expires_after.anchor", "invalid_value"),
        (form(purpose="evals", **{"expires_after[anchor]": "created_at", "expires_after[seconds]": "an hour"}), "expected an integer", "expires_after.seconds", "invalid_type"),
        (form(purpose="evals", **{"expires_after[anchor]": "created_at", "expires_after[seconds]": "3599"}), ">= 3600", "expires_after.seconds", "integer_below_min_value"),
        (form(purpose="evals", **{"expires_after[anchor]": "created_at", "expires_after[seconds]": "2592001"}), "<= 2592000", "expires_after.seconds", "integer_above_max_value"),
        (form(purpose="batch", **{"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}), ">= 1209600", "expires_after.seconds", "integer_below_min_value"),
        (form(purpose="evals", quality="high"), "Unknown parameter: 'quality'.", "quality", "unknown_parameter"),
    ],
)  # fmt: skip
def test_a_form_with_a_mistake_is_refused(
    send: Send, mock: MockServer, files: Any, text: str, param: str, code: str | None
) -> None:
    assert_azure_error(send(files=files), 400, contains=text, param=param, code=code)
    assert mock.resource.store.count("file") == 0


@pytest.mark.parametrize(("purpose", "filename"), [("fine-tune", "a.pdf"), ("batch", "a.json"), ("batch", "jsonl")])
def test_a_name_with_another_suffix_is_refused(send: Send, purpose: str, filename: str) -> None:
    refused = send(files=form((filename, b"{}"), purpose=purpose))
    assert_azure_error(refused, 400, contains="fileName contains an invalid filename: wrong suffix.", code="invalidPayload")


def test_a_suffix_can_be_of_capitals(send: Send) -> None:
    assert send(files=form(("A.JSONL", b"{}"), purpose="fine-tune")).status_code == 201


def test_what_is_no_form_is_refused(send: Send) -> None:
    assert_azure_error(send(json={"purpose": "batch"}), 400, contains="Unsupported content type: 'application/json'.")
    form_type = {"content-type": "multipart/form-data; boundary=b"}
    assert_azure_error(send(content=b"--b\r\nrubbish", headers=form_type), 400, contains="could not parse the multipart form")
    assert_azure_error(send(content=b"", headers={"content-type": "multipart/form-data"}), 400, contains="boundary")


# -- limits


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def limit_purpose(purpose: str, **limits: Any) -> None:
        monkeypatch.setitem(file_limits.LIMITS, purpose, Limits(**limits))

    return limit_purpose


def test_the_limits_are_the_documented_ones() -> None:
    limits = file_limits.LIMITS
    megabyte, day = 1024 * 1024, 24 * 3_600
    assert {purpose: limit.size for purpose, limit in limits.items()} == {
        "assistants": 512 * megabyte,
        "batch": 200 * megabyte,
        "evals": 512 * megabyte,
        "fine-tune": 512 * megabyte,
    }
    assert (limits["fine-tune"].count, limits["fine-tune"].total) == (100, 1_024 * megabyte)
    assert (limits["batch"].lasting, limits["batch"].count) == (500, 10_000)
    assert (limits["batch"].least_seconds, limits["batch"].most_seconds) == (14 * day, 30 * day)


def test_a_file_that_is_too_large_is_refused(send: Send, limit: Callable[..., None]) -> None:
    limit("batch", size=10)
    assert send(files=form(("a", b"x" * 10), purpose="batch")).status_code == 201
    assert_azure_error(send(files=form(("a", b"x" * 11), purpose="batch")), 413, code="RequestEntityTooLarge")


def test_a_resource_has_so_many_files_of_a_purpose(send: Send, limit: Callable[..., None]) -> None:
    limit("fine-tune", count=2)
    ids = [send(files=form(purpose="fine-tune")).json()["id"] for _ in range(2)]
    refused = send(files=form(purpose="fine-tune"))
    assert_azure_error(
        refused, 400, contains="limit of 2 files with purpose 'fine-tune'", param="purpose", code="quotaExceeded"
    )
    assert send(files=form(purpose="batch")).status_code == 201
    send("DELETE", f"files/{ids[0]}")
    assert send(files=form(purpose="fine-tune")).status_code == 201


def test_batches_may_have_more_files_if_these_expire(send: Send, limit: Callable[..., None]) -> None:
    limit("batch", lasting=1, count=2)
    lifetime = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    assert send(files=form(purpose="batch")).status_code == 201
    assert_azure_error(send(files=form(purpose="batch")), 400, contains="1 files that do not expire")
    assert send(files=form(purpose="batch", **lifetime)).status_code == 201
    assert_azure_error(send(files=form(purpose="batch", **lifetime)), 400, contains="2 files with")


def test_all_files_of_a_purpose_have_so_many_bytes(send: Send, limit: Callable[..., None]) -> None:
    limit("fine-tune", total=10)
    assert send(files=form(("a", b"x" * 6), purpose="fine-tune")).status_code == 201
    assert_azure_error(send(files=form(("b", b"x" * 5), purpose="fine-tune")), 400, contains="10 bytes")
    assert send(files=form(("c", b"x" * 4), purpose="fine-tune")).status_code == 201


def test_a_full_store_refuses_a_file_and_keeps_none_of_it(http: httpx2.Client) -> None:
    with MockServer(store_bytes="2 KiB") as mock:
        client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)
        with pytest.raises(openai.APIStatusError) as refusal:
            client.files.create(file=("a", b"x" * 3_000), purpose="assistants")
        assert_azure_error(refusal.value, 507, code="store_full")
        assert client.files.list().data == []
        assert client.files.create(file=("a", b"x" * 1_000), purpose="assistants").bytes == 1_000


# -- many at once


@pytest.fixture(params=["memory", "file"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MockServer]:
    """A server whose state is in memory, or in a file."""
    with MockServer(**({"state": tmp_path / "state"} if request.param == "file" else {})) as server:
        yield server


def test_threads_upload_and_delete_at_once(kept: MockServer, http: httpx2.Client) -> None:
    client = OpenAI(base_url=kept.base_url, api_key=kept.api_key, http_client=http, max_retries=0)

    def life(number: int) -> str:
        content = f"{number} ".encode() * (number % 50 + 1)
        file = client.files.create(file=(f"{number}.txt", content), purpose="assistants")
        assert client.files.content(file.id).read() == content
        if number % 2:
            client.files.delete(file.id)
        return file.id

    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(life, range(200)))
    assert len(set(ids)) == 200
    assert {file.id for file in client.files.list()} == set(ids[::2])


@pytest.mark.anyio
async def test_tasks_upload_at_once(kept: MockServer, async_client: AsyncOpenAI) -> None:
    async_client.base_url, async_client.api_key = httpx2.URL(kept.base_url), kept.api_key

    async def upload(number: int) -> str:
        content = str(number).encode()
        file = await async_client.files.create(file=(f"{number}.jsonl", content), purpose="evals")
        assert (await async_client.files.content(file.id)).read() == content
        return file.id

    ids = await asyncio.gather(*map(upload, range(200)))
    assert {file.id async for file in async_client.files.list(limit=30)} == set(ids)
    assert len(set(ids)) == 200


def test_files_survive_a_restart_and_expire_after_it(tmp_path: Path, http: httpx2.Client) -> None:
    def client_of(mock: MockServer) -> OpenAI:
        mock.clock.freeze(NOW)
        return OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)

    content = bytes(range(256)) * 8_192  # more than what is kept in one piece
    with MockServer(state=tmp_path / "state") as mock:
        client = client_of(mock)
        file = client.files.create(
            file=("a", content), purpose="assistants", expires_after={"anchor": "created_at", "seconds": 3_600}
        )
        upload = client.uploads.create(bytes=3, filename="a", purpose="assistants", mime_type="text/plain")
        part = client.uploads.parts.create(upload.id, data=b"abc")
    with MockServer(state=tmp_path / "state") as mock:
        client = client_of(mock)
        assert client.files.retrieve(file.id) == file
        assert client.files.content(file.id).read() == content
        assert client.uploads.complete(upload.id, part_ids=[part.id]).status == "completed"
        mock.clock.advance(3_600)
        assert [one.bytes for one in client.files.list()] == [3]


# -- resources


def test_a_file_is_its_resources_own(http: httpx2.Client) -> None:
    resources = [{"resource": {"name": name, "keys": [f"{name}-key"]}} for name in ("contoso", "fabrikam")]
    with MockServer(resources) as mock:
        ours, theirs = (
            OpenAI(base_url=mock.base_url, api_key=f"{name}-key", http_client=http, max_retries=0)
            for name in ("contoso", "fabrikam")
        )
        file = ours.files.create(file=("a.txt", b"secret"), purpose="assistants")
        for refused in (theirs.files.retrieve, theirs.files.content, theirs.files.delete):
            with pytest.raises(openai.NotFoundError):
                refused(file.id)
        assert theirs.files.list().data == []
        with pytest.raises(openai.BadRequestError, match="no object with such an ID"):
            theirs.files.list(after=file.id)
        assert ours.files.content(file.id).read() == b"secret"


# -- scripts


def test_a_rule_can_override_what_a_file_says(http: httpx2.Client) -> None:
    rule = {"when": {"operation": "createFile"}, "respond": {"body": {"status": "error", "status_details": "line 3"}}}
    with MockServer({"rules": [rule]}) as mock:
        client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)
        file = client.files.create(file=("t.jsonl", b"{}"), purpose="fine-tune")
    assert (file.status, file.status_details, file.filename) == ("error", "line 3", "t.jsonl")
