"""Every kind of answer against the shapes of the official document, and against the document itself where it is at hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fidelity import document, habits
from fidelity.matrix import CHAT, COMPLETIONS, EMBEDDINGS, ERRORS, GRADERS, NAMED, NOT_FOLLOWED, RESPONSES, Case
from fidelity.official import second_opinion
from fidelity.shapes import Problem, table
from support.examples import EXAMPLES, FABRIKAM, ONE_POLL, Caller, body, make, perform, prefixes

from mockserver import MockServer
from mockserver.operations.table import TABLE, Operation

Json = Any
used: set[str] = set()


def findings(name: str, method: str, path: str, response: httpx2.Response, body: Json = None) -> list[str]:
    """What the document does not allow in an answer, less what is known to break it."""
    seen = (method, path, response.status_code, response.headers.get("content-type", ""), response.text, body)
    return [one for one in (*document.findings(*seen), *second_opinion(*seen)) if not known(name, one)]


def known(name: str, finding: str) -> bool:
    for case, pattern, _ in NOT_FOLLOWED:
        if case in name and re.search(pattern, finding):
            used.add(case)
            return True
    return False


def send(http: httpx2.Client, mock: MockServer, method: str, path: str, body: Json = None) -> httpx2.Response:
    headers = {"api-key": mock.api_key, "x-ms-oai-image-generation-deployment": "gpt-image-1"}
    return http.request(method, mock.base_url.rstrip("/") + path, json=body, headers=headers)


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
        response = send(http, mock, "POST", path, body)
    assert response.status_code == 200
    assert findings(case.name, "POST", path, response, body) == []


@pytest.mark.parametrize(("path", "case"), STREAMED, ids=lambda one: getattr(one, "name", one))
def test_a_stream_is_what_the_document_says(http: httpx2.Client, path: str, case: Case) -> None:
    body = {**case.body, "stream": True}
    with scripted(case) as mock:
        response = send(http, mock, "POST", path, body)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert findings(case.name, "POST", path, response, body) == []


@pytest.mark.parametrize("grader", GRADERS, ids=lambda one: one["type"])
def test_graders_and_their_results_are_what_the_document_says(http: httpx2.Client, mock: MockServer, grader: Json) -> None:
    path = "/fine_tuning/alpha/graders/"
    response = send(http, mock, "POST", path + "validate", {"grader": grader})
    assert (response.status_code, findings(grader["type"], "POST", path + "validate", response)) == (200, [])
    response = send(http, mock, "POST", path + "run", {"grader": grader, "model_sample": "a", "item": {"answer": "a"}})
    assert response.status_code == (501 if grader["type"] in ("python", "endpoint") else 200)
    assert findings(grader["type"], "POST", path + "run", response) == []


@pytest.mark.parametrize(("method", "path", "body"), ERRORS)
def test_a_refusal_is_what_the_document_says(http: httpx2.Client, method: str, path: str, body: Json) -> None:
    names = ("gpt-4o", "o4-mini", "text-embedding-3-small", "gpt-35-turbo-instruct")
    with MockServer({"deployments": {name: {"model": name} for name in names}}) as mock:
        response = send(http, mock, method, path, body)
    assert response.status_code >= 400
    name = "request without a model" if body is not None and "model" not in body else path
    assert findings(name, method, path, response, body) == []


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("path", ["/chat/completions", "/responses", "/embeddings"])
def test_a_scripted_error_is_what_the_document_says(http: httpx2.Client, path: str, name: str) -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}]} if "chat" in path else {"input": "Hi"}
    model = "text-embedding-3-small" if path == "/embeddings" else "gpt-4o"
    with MockServer({"rules": [{"respond": {"error": name}}]}) as mock:
        response = send(http, mock, "POST", path, {"model": model, **body})
    assert response.status_code >= 400
    assert findings(name, "POST", path, response) == []


TOKEN = {"authorization": "Bearer eyJhbGciOiJub25lIn0.eyJhdWQiOiJ4In0.c2ln"}


@pytest.mark.parametrize(("name", "headers"), [("no key", {}), ("key", {"api-key": "wrong"}), ("token", TOKEN)])
def test_credentials_are_refused_as_the_document_says(
    http: httpx2.Client, mock: MockServer, name: str, headers: dict[str, str]
) -> None:
    response = http.get(mock.base_url + "models", headers=headers)
    assert response.status_code == 401
    assert findings(name, "GET", "/models", response) == []


def test_models_are_what_the_document_says(http: httpx2.Client, mock: MockServer) -> None:
    for path in ("/models", "/models/gpt-4o"):
        response = send(http, mock, "GET", path)
        assert response.status_code == 200
        assert findings("models", "GET", path, response) == []


@pytest.mark.parametrize("background", [False, True])
def test_a_stored_response_stays_what_the_document_says(http: httpx2.Client, background: bool) -> None:
    with MockServer({"rules": [{"respond": {"reasoning": {"summary": "Hm."}, "text": "Done."}}]}) as mock:
        body = {"model": "gpt-5-mini", "input": "Hi", "background": background, "stream": True}
        stored = send(http, mock, "POST", "/responses", body | {"stream": False}).json()["id"]
        stream = send(http, mock, "POST", "/responses", body)
        streamed = next(iter(re.findall(r'"id":"(resp_[0-9a-f]+)"', stream.text)))
        assert findings("stored", "POST", "/responses", stream, body) == []
        turn = {"model": "gpt-4o", "input": "And?", "previous_response_id": stored}
        assert findings("stored", "POST", "/responses", send(http, mock, "POST", "/responses", turn)) == []
        paths = [("GET", f"/responses/{stored}"), ("GET", f"/responses/{stored}/input_items")]
        paths += [("GET", f"/responses/{streamed}?stream=true"), ("GET", f"/responses/{streamed}?stream=true&starting_after=3")]
        paths += [("POST", f"/responses/{stored}/cancel"), ("DELETE", f"/responses/{stored}")]
        for method, path in paths:
            response = send(http, mock, method, path)
            assert response.status_code == (400 if path.endswith("cancel") and not background else 200)
            assert findings("stored", method, path, response) == []


def upload(http: httpx2.Client, mock: MockServer, purpose: str) -> httpx2.Response:
    parts = {"purpose": (None, purpose), "file": ("a.jsonl", b"{}")}
    return http.post(mock.base_url + "files", files=parts, headers={"api-key": mock.api_key})


@pytest.mark.parametrize("purpose", ["assistants", "batch", "evals", "fine-tune"])
def test_files_are_what_the_document_says(http: httpx2.Client, mock: MockServer, purpose: str) -> None:
    created = upload(http, mock, purpose)
    name = "file of tools" if purpose == "assistants" else "file of jobs"
    assert findings(name, "POST", "/files", created) == []
    path = f"/files/{created.json()['id']}"
    for method, read in (("GET", path), ("GET", f"{path}/content"), ("GET", "/files?limit=1"), ("DELETE", path)):
        response = send(http, mock, method, read)
        assert response.status_code == 200
        assert findings(name, method, read, response) == []


STORED = [one for one in TABLE.all() if one.emulated and one.prompt is None and not one.beyond_spec]


def call_stored(owner: Caller, operation: Operation) -> list[str]:
    """Call an operation on objects that are made for it, and return what the document does not allow in the response."""
    ids = make(owner, operation.path)
    if ids is None:
        pytest.skip("what it is about is no resource's own")
    path, options = operation.path.format_map(ids), body(owner, operation, ids)
    response = perform(owner, operation, ids, options)
    assert response.status_code in (200, 201), response.text
    return findings(operation.id, operation.method, path, response, options.get("json"))


@pytest.mark.parametrize("operation", STORED, ids=lambda operation: operation.id)
def test_what_is_stored_is_what_the_document_says(http: httpx2.Client, operation: Operation) -> None:
    with MockServer([{"resource": ONE_POLL}, {"resource": FABRIKAM}], profile="2026-03") as mock:
        owner = Caller(http, mock.base_url, mock.api_key)
        assert call_stored(owner, operation) == []
        if not prefixes(operation.path):  # a list, which has nothing in it yet
            for path in EXAMPLES:
                if any(one.path.startswith(path) for one in STORED):
                    make(owner, path)
            assert call_stored(owner, operation) == []


def test_vector_stores_are_what_the_document_says(http: httpx2.Client, mock: MockServer) -> None:
    for lifetime in (None, {"anchor": "last_active_at", "days": 7}):
        for method, path, sent in vector_store_calls(http, mock, lifetime):
            response = send(http, mock, method, path, sent)
            assert response.status_code == 200
            assert findings("VectorStore", method, path, response, sent) == []


def vector_store_calls(http: httpx2.Client, mock: MockServer, lifetime: Json) -> list[tuple[str, str, Json]]:
    """Every operation on a store, with all that it can have."""
    file_ids = [upload(http, mock, "assistants").json()["id"] for _ in range(3)]
    new = {"file_ids": file_ids[:1], "metadata": {"a": "b"}} | ({"expires_after": lifetime} if lifetime else {})
    store = f"/vector_stores/{send(http, mock, 'POST', '/vector_stores', new).json()['id']}"
    added = {"files": [{"file_id": one, "attributes": {"a": 1, "b": "c", "d": True}} for one in file_ids[1:]]}
    batch = f"{store}/file_batches/{send(http, mock, 'POST', f'{store}/file_batches', added).json()['id']}"
    file = f"{store}/files/{file_ids[1]}"
    calls: list[tuple[str, str, Json]] = [
        ("POST", "/vector_stores", new),
        ("GET", "/vector_stores", None),
        ("GET", store, None),
    ]
    calls += [("POST", store, {"name": "a"}), ("POST", f"{store}/file_batches", added), ("GET", f"{store}/files", None)]
    calls += [("GET", batch, None), ("GET", f"{batch}/files", None), ("POST", f"{batch}/cancel", None)]
    calls += [
        ("POST", f"{store}/files", {"file_id": file_ids[0]}),
        ("POST", file, {"attributes": {"a": 2}}),
        ("GET", file, None),
    ]
    return [*calls, ("DELETE", file, None), ("GET", f"{store}/files?filter=failed", None), ("DELETE", store, None)]


def send_all(http: httpx2.Client, cases: list[tuple[str, Case]]) -> None:
    """Look for findings in the answers to these cases, streamed and not, in three refusals, and in what is stored."""
    for stream in (False, True):
        for path, case in cases:
            body = case.body | ({"stream": True} if stream else {})
            with scripted(case) as mock:
                findings(case.name, "POST", path, send(http, mock, "POST", path, body), body)
    with MockServer() as mock:
        findings("request without a model", "POST", "/responses", send(http, mock, "POST", "/responses", {"input": "Hi"}))
        findings("file of jobs", "POST", "/files", upload(http, mock, "batch"))
        path = "/fine_tuning/alpha/graders/validate"
        findings("multi", "POST", path, send(http, mock, "POST", path, {"grader": GRADERS[-1]}))
        findings("token", "GET", "/models", http.get(mock.base_url + "models", headers=TOKEN))
        names = ("listContainerFiles", "retrieveContainerFileContent", "createVectorStore", "retrieveVectorStoreFileContent")
        names += ("createFineTuningJob", "createEvalRun")
        for name in names:
            call_stored(Caller(http, mock.base_url, mock.api_key), TABLE.by_id[name])
    with MockServer({"rules": [{"respond": {"error": "content_filter"}}]}) as mock:
        findings("filter", "POST", "/responses", send(http, mock, "POST", "/responses", {"model": "gpt-4o", "input": "Hi"}))


def test_every_break_of_the_document_is_still_needed_and_documented(http: httpx2.Client) -> None:
    used.clear()
    send_all(http, [(path, case) for path, case in STREAMED if any(name in case.name for name, _, _ in NOT_FOLLOWED)])
    assert used == {name for name, _, _ in NOT_FOLLOWED}
    page = (Path(__file__).parents[2] / "docs" / "fidelity.md").read_text(encoding="utf-8")
    assert [reason for _, _, reason in NOT_FOLLOWED if f"- {reason}" not in page] == []


def test_every_habit_is_still_needed(http: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    found: set[str | None] = set()

    def excused(place: str, problem: Problem) -> str | None:
        found.add(habit := habits.excused(place, problem))
        return habit

    monkeypatch.setattr(document, "excused", excused)
    cases = [("/embeddings", case) for case in EMBEDDINGS if case.name == "base64"]
    send_all(
        http,
        cases + [(path, case) for path, case in STREAMED if case.name in ("improvised", "image", "forced tool", "withheld")],
    )
    assert set(habits.HABITS) - found == set()


def test_the_table_of_operations_is_the_documents() -> None:
    documented = {tuple(name.split(" ")): operation["id"] for name, operation in table()["operations"].items()}
    ours = {(one.method, one.path): one.id for one in TABLE.all() if not one.beyond_spec}
    assert len(documented) == 106
    assert ours == documented
    assert not {(one.method, one.path) for one in TABLE.all() if one.beyond_spec} & documented.keys()
