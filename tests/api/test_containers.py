"""Containers and the files in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, BadRequestError, NotFoundError, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.resource import containers, files
from mockserver.state.chance import Chance

NOW = 1_790_000_000


def call(http: httpx2.Client, mock: MockServer, method: str, path: str = "", **options: Any) -> httpx2.Response:
    return http.request(method, f"{mock.base_url}containers{path}", headers={"api-key": mock.api_key}, **options)


def uploaded(mock: MockServer, name: str = "data.csv", content: bytes = b"a,b\n1,2\n") -> str:
    """The id of a file that the resource has."""
    chance = Chance(name)
    file = files.add(
        mock.resource, filename=name, purpose="assistants", content=content, size=len(content), chance=chance, now=NOW
    )
    return str(file["id"])


# -- containers


def test_a_container_is_written_as_recorded(http: httpx2.Client, mock: MockServer) -> None:
    response = call(http, mock, "POST", json={"name": "work"})
    container = response.json()
    assert response.status_code == 200
    assert response.text.startswith('{\n  "id": "cntr_6ab13b80')  # the time is in it
    assert len(container["id"]) == len("cntr_") + 48
    assert list(container.items())[1:] == [
        ("object", "container"),
        ("created_at", NOW),
        ("status", "running"),
        ("expires_after", {"anchor": "last_active_at", "minutes": 20}),
        ("last_active_at", NOW),
        ("memory_limit", "1g"),
        ("name", "work"),
    ]
    assert "openai-processing-ms" in response.headers


def test_a_network_policy_is_reported_without_its_secrets(http: httpx2.Client, mock: MockServer) -> None:
    policy = {"type": "allowlist", "allowed_domains": ["example.com"]}
    secrets = [{"domain": "example.com", "name": "TOKEN", "value": "hush"}]
    created = call(http, mock, "POST", json={"name": "x", "network_policy": {**policy, "domain_secrets": secrets}})
    assert "hush" not in created.text
    assert created.json()["network_policy"] == policy
    assert call(http, mock, "GET", f"/{created.json()['id']}").json() == created.json()
    closed = call(http, mock, "POST", json={"name": "x", "network_policy": {"type": "disabled"}}).json()
    assert closed["network_policy"] == {"type": "disabled"}


def test_containers_are_listed_newest_first_by_page_and_name(client: OpenAI) -> None:
    ids = [client.containers.create(name=f"box {at % 2}").id for at in range(5)]
    assert [one.id for one in client.containers.list(limit=2)] == ids[::-1]
    assert [one.id for one in client.containers.list(limit=2, order="asc")] == ids
    assert [one.id for one in client.containers.list(name="box 1", limit=1)] == [ids[3], ids[1]]
    before: Any = {"before": ids[1], "order": "desc", "limit": 2}
    page = client.containers.list(extra_query=before)
    assert [one.id for one in page.data] == [ids[3], ids[2]]


def test_a_deleted_container_is_gone(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    container = client.containers.create(name="work")
    file = client.containers.files.create(container.id, file=b"x")
    deleted = call(http, mock, "DELETE", f"/{container.id}")
    assert deleted.json() == {"id": container.id, "object": "container.deleted", "deleted": True}
    tries = [("GET", ""), ("DELETE", ""), ("GET", "/files"), ("GET", f"/files/{file.id}"), ("DELETE", f"/files/{file.id}")]
    for method, path in [*tries, ("GET", f"/files/{file.id}/content")]:
        answer = call(http, mock, method, f"/{container.id}{path}")
        assert_azure_error(answer, 404, message=f"Container with id '{container.id}' not found.", param=None, code=None)
    answer = call(http, mock, "POST", f"/{container.id}/files", json={"file_id": "f"})
    assert_azure_error(answer, 404, message=f"Container with id '{container.id}' not found.")


@pytest.mark.parametrize("profile", ["2026-01", "2026-03"])
def test_what_a_deletion_returns_depends_on_the_profile(http: httpx2.Client, profile: str) -> None:
    with MockServer(profile=profile) as mock:
        container = call(http, mock, "POST", json={"name": "work"}).json()
        file = call(http, mock, "POST", f"/{container['id']}/files", files={"file": ("a.txt", b"x")}).json()
        for path in (f"/{container['id']}/files/{file['id']}", f"/{container['id']}"):
            deleted = call(http, mock, "DELETE", path)
            assert deleted.status_code == 200
            assert (deleted.content == b"") is (profile == "2026-03")
            assert ("content-type" in deleted.headers) is (profile == "2026-01")
        assert call(http, mock, "GET", f"/{container['id']}").status_code == 404


def test_the_sdk_takes_both_kinds_of_deletion(http: httpx2.Client) -> None:
    with MockServer(profile="2026-03") as mock, OpenAI(base_url=mock.base_url, api_key=mock.api_key) as client:
        container = client.containers.create(name="work")
        file = client.containers.files.create(container.id, file=b"x")
        client.containers.files.delete(file.id, container_id=container.id)
        client.containers.delete(container.id)
        assert not list(client.containers.list())


# -- time


def test_a_container_expires_when_it_is_idle_for_twenty_minutes(mock: MockServer, client: OpenAI) -> None:
    container = client.containers.create(name="work")
    for _ in range(3):
        mock.clock.advance("19m")
        assert client.containers.retrieve(container.id).status == "running"
    assert client.containers.retrieve(container.id).last_active_at == NOW + 3 * 19 * 60
    mock.clock.advance("20m")
    expired = client.containers.retrieve(container.id)
    assert (expired.status, expired.last_active_at) == ("expired", NOW + 3 * 19 * 60)
    assert client.containers.retrieve(container.id).status == "expired"
    assert [one.status for one in client.containers.list()] == ["expired"]


@pytest.mark.parametrize("use", ["list", "files", "upload", "content"])
def test_every_use_keeps_a_container_alive(mock: MockServer, client: OpenAI, use: str) -> None:
    container = client.containers.create(name="work", expires_after={"anchor": "last_active_at", "minutes": 5})
    file = client.containers.files.create(container.id, file=b"x")
    mock.clock.advance("4m")
    uses = {
        "list": lambda: client.containers.list(),
        "files": lambda: client.containers.files.list(container.id),
        "upload": lambda: client.containers.files.create(container.id, file=b"y"),
        "content": lambda: client.containers.files.content.retrieve(file.id, container_id=container.id).read(),
    }
    uses[use]()
    mock.clock.advance("4m")
    assert client.containers.retrieve(container.id).status == "running"


def test_the_files_of_an_expired_container_are_gone(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    container = client.containers.create(name="work")
    file = client.containers.files.create(container.id, file=b"x")
    mock.clock.advance("20m")
    path = f"/{container.id}/files"
    answers = [call(http, mock, "GET", path), call(http, mock, "POST", path, json={"file_id": "x"})]
    answers += [call(http, mock, method, f"{path}/{file.id}") for method in ("GET", "DELETE")]
    for answer in [*answers, call(http, mock, "GET", f"{path}/{file.id}/content")]:
        assert_azure_error(answer, 400, message="Container is expired.", type="invalid_request_error", param=None, code=None)
    assert mock.resource.store.count(containers.CONTAINER_FILE, (containers.CONTAINER, container.id)) == 0
    client.containers.delete(container.id)
    with pytest.raises(NotFoundError):
        client.containers.retrieve(container.id)


def test_a_container_expires_while_no_server_runs(http: httpx2.Client, tmp_path: Path) -> None:
    path = str(tmp_path / "a.state")
    with MockServer(state=path) as mock:
        mock.clock.freeze(NOW)
        container = call(http, mock, "POST", json={"name": "work"}).json()
        call(http, mock, "POST", f"/{container['id']}/files", files={"file": ("a.txt", b"x")})
    with MockServer(state=path) as mock:
        mock.clock.freeze(NOW + 19 * 60)
        assert len(call(http, mock, "GET", f"/{container['id']}/files").json()["data"]) == 1
    with MockServer(state=path) as mock:
        mock.clock.freeze(NOW + 39 * 60)
        assert call(http, mock, "GET", f"/{container['id']}").json()["status"] == "expired"
        assert call(http, mock, "GET", f"/{container['id']}/files").status_code == 400


# -- files


def test_an_uploaded_file_is_written_as_recorded(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    container = client.containers.create(name="work")
    file = call(http, mock, "POST", f"/{container.id}/files", files={"file": ("notes.txt", b"Some notes.")}).json()
    assert list(file) == ["id", "object", "created_at", "bytes", "container_id", "path", "source"]
    assert file["id"].startswith("cfile_6ab13b80")
    assert len(file["id"]) == len("cfile_") + 32
    assert (file["object"], file["bytes"], file["container_id"], file["source"]) == (
        "container.file",
        11,
        container.id,
        "user",
    )
    folder, _, name = file["path"].rpartition("/")
    assert (folder, name[32:]) == ("/mnt/data", "-notes.txt")
    assert call(http, mock, "GET", f"/{container.id}/files/{file['id']}").json() == file


@pytest.mark.parametrize(
    ("name", "content_type", "plain"),
    [
        ("notes.txt", "text/plain; charset=utf-8", "file.txt"),
        ("plot.png", "image/png", "file.png"),
        ("Grüße & mehr.csv", "text/csv; charset=utf-8", "file.csv"),
        ("no ending", "application/octet-stream", "file"),
        ('quote".tx"t', "application/octet-stream", "file"),
        ("../../etc/passwd", "application/octet-stream", "file"),
    ],
)
def test_a_files_bytes_come_back(mock: MockServer, client: OpenAI, name: str, content_type: str, plain: str) -> None:
    content = bytes(range(256))
    container = client.containers.create(name="work")
    file = client.containers.files.create(container.id, file=(name, content))
    response = client.containers.files.content.with_raw_response.retrieve(file.id, container_id=container.id)
    assert response.content == content
    assert response.headers["content-type"] == content_type
    assert response.headers["content-disposition"].startswith(f"attachment; filename=\"{plain}\"; filename*=UTF-8''")
    assert response.headers["content-length"] == "256"
    assert file.path.count("/") == 3


def test_a_file_of_the_resource_is_copied(mock: MockServer, client: OpenAI) -> None:
    original = uploaded(mock)
    container = client.containers.create(name="work", file_ids=[original, original])
    third = client.containers.files.create(container.id, file_id=original)
    copies = client.containers.files.list(container.id).data
    assert copies[0].id == third.id
    assert len({copy.id for copy in copies}) == len({copy.path for copy in copies}) == 3
    assert {(copy.bytes, copy.path[-9:], copy.source) for copy in copies} == {(8, "-data.csv", "user")}
    files.delete(mock.resource.store, original)
    assert client.containers.files.content.retrieve(third.id, container_id=container.id).read() == b"a,b\n1,2\n"
    client.containers.files.delete(third.id, container_id=container.id)
    with pytest.raises(NotFoundError, match=f"Container file with id '{third.id}' not found"):
        client.containers.files.retrieve(third.id, container_id=container.id)


def test_files_are_listed_by_page_and_an_empty_page_has_no_ids(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    container = client.containers.create(name="work")
    assert call(http, mock, "GET", f"/{container.id}/files").text == (
        '{\n  "object": "list",\n  "data": [],\n  "first_id": null,\n  "has_more": false,\n  "last_id": null\n}'
    )
    ids = [client.containers.files.create(container.id, file=b"x" * at).id for at in range(5)]
    assert [file.id for file in client.containers.files.list(container.id, limit=2)] == ids[::-1]


def test_a_file_belongs_to_one_container(client: OpenAI) -> None:
    mine, other = client.containers.create(name="mine"), client.containers.create(name="other")
    file = client.containers.files.create(mine.id, file=b"x")
    for attempt in (client.containers.files.retrieve, client.containers.files.delete, client.containers.files.content.retrieve):
        with pytest.raises(NotFoundError):
            attempt(file.id, container_id=other.id)
    assert client.containers.files.retrieve(file.id, container_id=mine.id).id == file.id


# -- refusals


WRONG: list[tuple[Any, str, str]] = [
    ({}, "name", "missing_required_parameter"),
    ({"name": 1}, "name", "invalid_type"),
    ({"name": "x", "expires_after": {"minutes": 5}}, "expires_after.anchor", "missing_required_parameter"),
    ({"name": "x", "expires_after": {"anchor": "created_at", "minutes": 5}}, "expires_after.anchor", "invalid_value"),
    (
        {"name": "x", "expires_after": {"anchor": "last_active_at", "minutes": 0}},
        "expires_after.minutes",
        "integer_below_min_value",
    ),
    (
        {"name": "x", "expires_after": {"anchor": "last_active_at", "minutes": 10**30}},
        "expires_after.minutes",
        "integer_above_max_value",
    ),
    ({"name": "x", "memory_limit": "2g"}, "memory_limit", "invalid_value"),
    ({"name": "x", "file_ids": "f"}, "file_ids", "invalid_type"),
    ({"name": "x", "skills": []}, "skills", "unknown_parameter"),
    ({"name": "x", "network_policy": {"type": "open"}}, "network_policy.type", "invalid_value"),
    (
        {"name": "x", "network_policy": {"type": "allowlist", "allowed_domains": []}},
        "network_policy.allowed_domains",
        "empty_array",
    ),
]


@pytest.mark.parametrize(("body", "param", "code"), WRONG)
def test_wrong_bodies_are_refused(http: httpx2.Client, mock: MockServer, body: Any, param: str, code: str) -> None:
    refused = call(http, mock, "POST", json=body)
    assert_azure_error(refused, 400, type="invalid_request_error", param=param, code=code)


def test_unknown_files_are_refused_and_leave_nothing_behind(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    refused = call(http, mock, "POST", json={"name": "x", "file_ids": [uploaded(mock), "assistant-x"]})
    assert_azure_error(refused, 404, message="No such File object: assistant-x", param="id")
    assert not client.containers.list().data
    container = client.containers.create(name="x")
    for body in ({}, {"file": "text"}, {"file_id": None}):
        refused = call(http, mock, "POST", f"/{container.id}/files", json=body)
        assert_azure_error(refused, 400, param="file", code="missing_required_parameter")
    refused = call(http, mock, "POST", f"/{container.id}/files", json={"file_id": "assistant-x"})
    assert_azure_error(refused, 404, message="No such File object: assistant-x", param="id")


def test_a_store_without_room_for_the_files_takes_no_container(http: httpx2.Client) -> None:
    with MockServer(store_bytes=3_000) as mock:
        file_id = uploaded(mock, content=b"x" * 1_500)
        refused = call(http, mock, "POST", json={"name": "x", "file_ids": [file_id]})
        assert_azure_error(refused, 507, code="store_full")
        assert call(http, mock, "GET").json()["data"] == []


# -- for tools


def test_a_tool_gets_a_new_container_or_the_last_one_that_still_runs(mock: MockServer) -> None:
    resource, chance = mock.resource, Chance("tool")
    first = containers.for_tool(
        resource, {"type": "auto", "file_ids": [uploaded(mock)], "memory_limit": "4g"}, chance=chance, now=NOW
    )
    assert (first["name"], first["memory_limit"]) == ("auto", "4g")
    assert resource.store.count(containers.CONTAINER_FILE, (containers.CONTAINER, first["id"])) == 1
    again = containers.for_tool(
        resource, {"type": "auto"}, chance=chance, now=NOW + 60, earlier=["gone", first["id"], "cntr_x"]
    )
    assert again == first | {"last_active_at": NOW + 60}
    other = containers.for_tool(resource, {"type": "auto"}, chance=chance, now=NOW + 60)
    assert other["id"] != first["id"]
    assert containers.for_tool(resource, first["id"], chance=chance, now=NOW + 90)["last_active_at"] == NOW + 90


def test_what_a_tool_writes_keeps_its_name(mock: MockServer, client: OpenAI) -> None:
    container = client.containers.create(name="work").to_dict()
    options: Any = {"content": b"PNG", "size": 3, "chance": Chance("plot"), "now": NOW}
    file = containers.add_file(mock.resource, container, filename="plot.png", source="assistant", **options)
    assert (file["path"], file["source"]) == ("/mnt/data/plot.png", "assistant")
    assert client.containers.files.content.retrieve(file["id"], container_id=str(container["id"])).read() == b"PNG"


@pytest.mark.anyio
async def test_everything_works_asynchronously(async_client: AsyncOpenAI) -> None:
    container = await async_client.containers.create(name="work")
    created = [await async_client.containers.files.create(container.id, file=b"x" * at) for at in (1, 2, 3)]
    listed = [file.id async for file in async_client.containers.files.list(container.id, limit=1)]
    assert listed == [file.id for file in created][::-1]
    content = await async_client.containers.files.content.retrieve(created[1].id, container_id=container.id)
    assert content.read() == b"xx"
    with pytest.raises(BadRequestError):
        await async_client.containers.files.create(container.id)
    await async_client.containers.delete(container.id)
