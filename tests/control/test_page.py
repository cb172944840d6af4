"""The page for people, and the paths for probes."""

from __future__ import annotations

import re

import httpx2
import pytest

from mockserver import MockServer, create_app
from mockserver.app import application
from mockserver.testing.transport import client as in_process

CHAT = {"messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("path", ["/", "/_mock/"])
def test_a_browser_finds_the_address_and_the_key(mock: MockServer, http: httpx2.Client, path: str) -> None:
    answer = http.get(mock.endpoint + path)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert f"export OPENAI_BASE_URL={mock.base_url}" in answer.text
    assert "export OPENAI_API_KEY=mock-key" in answer.text
    assert "No calls yet." in answer.text


def test_the_page_shows_the_last_calls_newest_first(mock: MockServer, http: httpx2.Client) -> None:
    mock.when(user="hi").respond("Hello!", name="greeting")
    for number in range(25):
        http.post(mock.base_url + "chat/completions", json={"model": f"d{number}"} | CHAT, headers={"api-key": "mock-key"})
    page = http.get(mock.endpoint).text
    assert "25 calls · 1 rule" in page
    assert re.findall(r"<td>(d\d+)</td>", page) == [f"d{number}" for number in range(24, 4, -1)]
    assert "rule &#39;greeting&#39;" in page


def test_what_callers_send_is_text_on_the_page(mock: MockServer, http: httpx2.Client) -> None:
    hostile = "<script>alert(1)</script>"
    http.post(mock.base_url + "chat/completions", json={"model": hostile} | CHAT, headers={"api-key": "mock-key"})
    http.get(f"{mock.endpoint}/{hostile}")
    page = http.get(mock.endpoint).text
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_page_that_other_machines_can_reach_shows_no_calls_and_no_key() -> None:
    app = create_app({"deployments": {"secret-name": {"model": "gpt-4o"}}})
    with in_process(application(app.surface.resources, {}, guarded=True), base_url="http://mock") as http:
        http.post("/openai/v1/chat/completions", json={"model": "secret-name"} | CHAT, headers={"api-key": "mock-key"})
        page = http.get("/").text
    assert "secret-name" not in page
    assert "mock-key" not in page


@pytest.mark.parametrize("path", ["/health", "/ready", "/_mock/health", "/_mock/ready"])
def test_probes_need_no_key(mock: MockServer, http: httpx2.Client, path: str) -> None:
    answer = http.get(mock.endpoint + path)
    assert answer.json()["status"] == "ok"
    assert http.head(mock.endpoint + path).status_code == 200


@pytest.mark.parametrize("path", ["/", "/health", "/ready"])
def test_other_methods_at_the_root_are_not_found_or_refused(mock: MockServer, http: httpx2.Client, path: str) -> None:
    assert http.post(mock.endpoint + path).status_code in (404, 405)
