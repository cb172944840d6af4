"""The report on a run of an eval."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import OpenAI
from support.evals import PREVIEW, PYTHON, asking, create, rows, run

from mockserver import MockServer

Json = Any
TWO = rows(("France?", "Paris"), ("Peru?", "Lima"))


@pytest.fixture
def evals(plain: OpenAI) -> Any:
    """The SDK's operations on evals; its strict check fails on the nulls that are recorded of runs."""
    return plain.with_options(default_headers=PREVIEW).evals


@pytest.fixture
def answering(mock: MockServer) -> MockServer:
    """Knows the capital of France."""
    mock.when(user="France").respond("Paris")
    mock.when(user="Peru").respond("Cuzco")
    return mock


def test_the_report_shows_every_item(answering: MockServer, http: httpx2.Client, evals: Any) -> None:
    answering.when(user="Chile").respond(error="content_filter", priority=1)
    source = rows(("France?", "Paris"), ("<b>Peru?</b>", "Lima"), ("Chile?", "Santiago"))
    ended = run(evals, create(evals, name="<i>Capitals</i>").id, asking(source), name="first")
    answer = http.get(ended.report_url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = answer.text
    assert "The run is <b>completed</b>, of the deployment <code>gpt-4.1-nano</code>" in page
    assert "1 of 3 items passed, 1 failed" in " ".join(page.split())
    assert "&lt;i&gt;Capitals&lt;/i&gt;" in page
    assert "&lt;b&gt;Peru?&lt;/b&gt;" in page
    assert [status for status in ("pass", "fail", "error") if f">{status}</td>" in page] == ["pass", "fail", "error"]
    assert "filtered due to the prompt" in page


def test_the_report_of_a_failed_run_says_why(http: httpx2.Client, evals: Any) -> None:
    ended = run(evals, create(evals, PYTHON).id, {"type": "jsonl", "source": TWO})
    assert "python_graders" in http.get(ended.report_url).text


def test_a_report_belongs_to_its_resource_and_its_eval(http: httpx2.Client) -> None:
    with MockServer([{"resource": {"name": name, "keys": [name]}} for name in ("one", "two")], profile="2026-03") as mock:
        evals: Any = OpenAI(base_url=mock.base_url, api_key="two", http_client=http).evals
        ended = run(evals, create(evals).id, {"type": "jsonl", "source": TWO})
        assert http.get(ended.report_url).status_code == 200
        assert http.get(ended.report_url.replace("=two", "=one")).status_code == 404
        assert http.get(ended.report_url.replace(ended.eval_id, "eval_x")).status_code == 404
        assert http.get(ended.report_url, headers={"origin": "https://evil.example.com"}).status_code == 403
