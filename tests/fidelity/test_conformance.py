"""Every kind of answer against the official document, where it is at hand."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fidelity.matrix import CHAT, COMPLETIONS, EMBEDDINGS, ERRORS, NAMED, NOT_FOLLOWED, RESPONSES, Case

from mockserver import MockServer
from mockserver.operations.table import TABLE

Json = Any
SHARED = Path(__file__).parents[3] / "shared"
DOCUMENT, TOOL = SHARED / "spec" / "azure-v1-2026-03.yaml", SHARED / "tools" / "spec_validate.py"
pytestmark = pytest.mark.skipif(
    not (DOCUMENT.exists() and TOOL.exists()), reason="the official document and its validator are kept outside this repository"
)


@cache
def validator() -> Any:
    """The validator, which takes half a second to read the document."""
    spec = importlib.util.spec_from_file_location("spec_validate", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["spec_validate"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SpecValidator([str(DOCUMENT)])


met: set[str] = set()


def findings(name: str, method: str, path: str, answer: httpx2.Response, body: Json = None) -> list[str]:
    """What the document does not allow in an answer, less what is known to break it."""
    kind = answer.headers.get("content-type", "application/json")
    found = validator().response(method, f"/openai/v1{path}", answer.status_code, kind, answer.text, body)
    serious = [str(one) for one in found if one.severity in ("error", "stream")]
    return [one for one in serious if not known(name, one)]


def known(name: str, finding: str) -> bool:
    for case, pattern, _ in NOT_FOLLOWED:
        if case in name and re.search(pattern, finding):
            met.add(case)
            return True
    return False


def ask(http: httpx2.Client, mock: MockServer, method: str, path: str, body: Json = None) -> httpx2.Response:
    return http.request(method, mock.base_url.rstrip("/") + path, json=body, headers={"api-key": mock.api_key})


def scripted(case: Case) -> MockServer:
    return MockServer({"rules": [{"respond": case.respond}]} if case.respond is not None else None)


STREAMED = [
    *(("/chat/completions", case) for case in CHAT),
    *(("/responses", case) for case in RESPONSES),
    *(("/completions", case) for case in COMPLETIONS),
]


@pytest.mark.parametrize(
    ("path", "case"), [*STREAMED, *(("/embeddings", case) for case in EMBEDDINGS)], ids=lambda one: getattr(one, "name", one)
)
def test_an_answer_is_what_the_document_says(http: httpx2.Client, path: str, case: Case) -> None:
    body = {name: value for name, value in case.body.items() if name != "stream_options"}
    with scripted(case) as mock:
        answer = ask(http, mock, "POST", path, body)
    assert answer.status_code == 200
    assert findings(case.name, "POST", path, answer, body) == []


@pytest.mark.parametrize(("path", "case"), STREAMED, ids=lambda one: getattr(one, "name", one))
def test_a_stream_is_what_the_document_says(http: httpx2.Client, path: str, case: Case) -> None:
    body = {**case.body, "stream": True}
    with scripted(case) as mock:
        answer = ask(http, mock, "POST", path, body)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert findings(case.name, "POST", path, answer, body) == []


@pytest.mark.parametrize(("method", "path", "body"), ERRORS)
def test_a_refusal_is_what_the_document_says(http: httpx2.Client, method: str, path: str, body: Json) -> None:
    names = ("gpt-4o", "o4-mini", "text-embedding-3-small", "gpt-35-turbo-instruct")
    with MockServer({"deployments": {name: {"model": name} for name in names}}) as mock:
        answer = ask(http, mock, method, path, body)
    assert answer.status_code >= 400
    name = "request without a model" if body is not None and "model" not in body else path
    assert findings(name, method, path, answer, body) == []


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("path", ["/chat/completions", "/responses", "/embeddings"])
def test_a_scripted_error_is_what_the_document_says(http: httpx2.Client, path: str, name: str) -> None:
    asked = {"messages": [{"role": "user", "content": "Hi"}]} if "chat" in path else {"input": "Hi"}
    model = "text-embedding-3-small" if path == "/embeddings" else "gpt-4o"
    with MockServer({"rules": [{"respond": {"error": name}}]}) as mock:
        answer = ask(http, mock, "POST", path, {"model": model, **asked})
    assert answer.status_code >= 400
    assert findings(name, "POST", path, answer) == []


TOKEN = {"authorization": "Bearer eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0.c2ln"}


@pytest.mark.parametrize(("name", "headers"), [("no key", {}), ("key", {"api-key": "wrong"}), ("token", TOKEN)])
def test_credentials_are_refused_as_the_document_says(
    http: httpx2.Client, mock: MockServer, name: str, headers: dict[str, str]
) -> None:
    answer = http.get(mock.base_url + "models", headers=headers)
    assert answer.status_code == 401
    assert findings(name, "GET", "/models", answer) == []


def test_models_are_what_the_document_says(http: httpx2.Client, mock: MockServer) -> None:
    for path in ("/models", "/models/gpt-4o"):
        answer = ask(http, mock, "GET", path)
        assert answer.status_code == 200
        assert findings("models", "GET", path, answer) == []


@pytest.mark.parametrize("background", [False, True])
def test_a_stored_response_stays_what_the_document_says(http: httpx2.Client, background: bool) -> None:
    with MockServer({"rules": [{"respond": {"reasoning": {"summary": "Hm."}, "text": "Done."}}]}) as mock:
        body = {"model": "gpt-5-mini", "input": "Hi", "background": background, "stream": True}
        kept = ask(http, mock, "POST", "/responses", body | {"stream": False}).json()
        told = ask(http, mock, "POST", "/responses", body)
        streamed = next(iter(re.findall(r'"id":"(resp_[0-9a-f]+)"', told.text)))
        assert findings("stored", "POST", "/responses", told, body) == []
        chained = ask(
            http, mock, "POST", "/responses", {"model": "gpt-4o", "input": "And?", "previous_response_id": kept["id"]}
        )
        assert findings("stored", "POST", "/responses", chained) == []
        paths = [("GET", f"/responses/{kept['id']}"), ("GET", f"/responses/{kept['id']}/input_items")]
        paths += [("GET", f"/responses/{streamed}?stream=true"), ("GET", f"/responses/{streamed}?stream=true&starting_after=3")]
        paths += [("POST", f"/responses/{kept['id']}/cancel"), ("DELETE", f"/responses/{kept['id']}")]
        for method, path in paths:
            answer = ask(http, mock, method, path)
            assert answer.status_code == (400 if path.endswith("cancel") and not background else 200)
            assert findings("stored", method, path, answer) == []


def test_what_breaks_the_document_is_known_to_and_told(http: httpx2.Client) -> None:
    met.clear()
    cases = [(path, case) for path, case in STREAMED if any(name in case.name for name, _, _ in NOT_FOLLOWED)]
    for stream in (False, True):
        for path, case in cases:
            body = {**case.body, "stream": stream}
            with scripted(case) as mock:
                findings(case.name, "POST", path, ask(http, mock, "POST", path, body), body)
    with MockServer() as mock:
        findings("request without a model", "POST", "/responses", ask(http, mock, "POST", "/responses", {"input": "Hi"}))
        findings("token", "GET", "/models", http.get(mock.base_url + "models", headers=TOKEN))
    assert met == {name for name, _, _ in NOT_FOLLOWED}
    told = (Path(__file__).parents[2] / "docs" / "fidelity.md").read_text(encoding="utf-8")
    assert [reason for _, _, reason in NOT_FOLLOWED if f"- {reason}" not in told] == []


def test_the_table_of_operations_is_the_documents() -> None:
    documented = {(method, path): operation["operationId"] for method, path, _, operation in validator().specs[0].ops}
    ours = {(one.method, one.path): one.id for one in TABLE.all() if not one.beyond_spec}
    assert len(documented) == 106
    assert ours == documented
    assert not {(one.method, one.path) for one in TABLE.all() if one.beyond_spec} & documented.keys()
