"""Requests that a web page of somewhere else may have sent."""

from __future__ import annotations

from collections.abc import Mapping

import httpx2
import pytest

from mockserver import MockServer
from mockserver.errors import ApiError
from mockserver.gateway import origin

LOCAL = "127.0.0.1:4650"
EVIL = "https://evil.example"


def refused(headers: Mapping[str, str], *allowed: str) -> bool:
    try:
        origin.check(headers, allowed)
    except ApiError as error:
        return error.status == 403
    return False


@pytest.mark.parametrize(
    "host",
    [
        LOCAL, "localhost", "LOCALHOST:1", "localhost.", "[::1]:4650", "192.168.1.7:4650", "mockserver", "mock:4650", "a.localhost",
        "host.docker.internal:4650", "mock.tests.svc.cluster.local", "nas.local", "contoso.openai.azure.com", "",
    ],
)  # fmt: skip
def test_names_that_nobody_can_register_are_hosts(host: str) -> None:
    assert not refused({"host": host})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:4650", "evil.example:80:4650", "[::1].evil.example", "1.2.3.4.5",
        "openai.azure.com.evil.example", "evil.example.", "xlocal.example", "user@localhost.example",
    ],
)  # fmt: skip
def test_names_that_anybody_can_point_here_are_not(host: str) -> None:
    assert refused({"host": host})


@pytest.mark.parametrize("page", ["http://localhost:3000", "http://127.0.0.1", "https://[::1]:8443", "http://app.localhost"])
def test_pages_on_this_machine_may_send(page: str) -> None:
    assert not refused({"host": LOCAL, "origin": page})


@pytest.mark.parametrize(
    "page",
    [
        EVIL,
        "null",
        "",
        "http://192.168.1.9",
        "http://router",
        "file://",
        "chrome-extension://abc",
        "http://[",
        "http://localhost.evil.example",
    ],
)
def test_pages_of_somewhere_else_may_not(page: str) -> None:
    assert refused({"host": LOCAL, "origin": page})


def test_a_server_serves_its_own_pages() -> None:
    assert not refused({"host": "mock:4650", "origin": "http://mock:4650"})


def test_names_are_allowed_one_by_one_or_all() -> None:
    named = {"host": "mock.example.com", "origin": "https://app.example.com"}
    assert refused(named, "mock.example.com")
    assert not refused(named, "mock.example.com", "App.example.com")
    assert not refused(named, "*.example.com")
    assert refused({"host": "example.com"}, "*.example.com")
    assert not refused({"host": "evil.example", "origin": "null"} | named, "*")


@pytest.mark.parametrize("sent", [{"origin": EVIL}, {"host": "evil.example"}])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "reset"), ("GET", "journal"), ("PUT", "scenario"), ("GET", "health"), ("GET", "x")]
)
def test_the_control_api_is_closed_to_them(
    http: httpx2.Client, mock: MockServer, method: str, path: str, sent: Mapping[str, str]
) -> None:
    simple = {"content-type": "text/plain"} | sent
    answer = http.request(method, f"{mock.endpoint}/_mock/{path}", headers=simple, content=b"rules: [{respond: owned}]")
    assert answer.status_code == 403
    assert "allowed_hosts" in answer.json()["error"]["message"]
    assert http.get(f"{mock.endpoint}/_mock/scenario").json()["rules"] == []


def test_a_resource_without_keys_is_closed_to_them(http: httpx2.Client) -> None:
    with MockServer(key="none") as mock:
        assert http.get(mock.base_url + "files").status_code == 200
        assert http.get(mock.base_url + "files", headers={"origin": EVIL}).status_code == 403
        assert http.get(mock.base_url + "files", headers={"host": "evil.example"}).status_code == 403


def test_with_a_key_the_surface_has_any_name(http: httpx2.Client, mock: MockServer) -> None:
    headers = {"api-key": mock.api_key, "host": "mock.example.com", "origin": "https://app.example.com"}
    assert http.get(mock.base_url + "files", headers=headers).status_code == 200


def test_the_setting_opens_both(http: httpx2.Client) -> None:
    with MockServer(key="none", allowed_hosts=["mock.example.com"]) as mock:
        for path in ("/_mock/journal", "/openai/v1/files"):
            assert http.get(mock.endpoint + path, headers={"host": "mock.example.com"}).status_code == 200
