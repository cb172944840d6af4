"""What families lean on: bodies by content type, answers of all kinds, requests of their own, scripted members."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from hashlib import sha256

import httpx2
import pytest

from mockserver import MockServer
from mockserver.operations.table import TABLE, Operation

Ask = Callable[..., httpx2.Response]

PDF = b"%PDF-1.7 " + bytes(range(256)) * 40


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    """A part of a form whose boundary is x."""
    disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
    return f"--x\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n"


# -- bodies


def test_a_form_gives_fields_by_their_type_and_files_beside_them(notes: Ask) -> None:
    answer = notes("POST", data={"title": "hello", "priority": "3"}, files={"file": ("a.pdf", PDF, "application/pdf")})
    assert answer.status_code == 201
    assert answer.json()["title"] == "hello"
    assert answer.json()["priority"] == 3
    assert answer.json()["bytes"] == len(PDF)


@pytest.mark.parametrize("spelling", ["expires_after[{}]", "expires_after.{}"])
def test_both_spellings_of_members_make_an_object(notes: Ask, spelling: str) -> None:
    fields = {"title": "x", spelling.format("anchor"): "created_at", spelling.format("seconds"): "3600"}
    answer = notes("POST", data=fields, files={"file": b"x"})
    assert answer.json()["expires_after"] == {"anchor": "created_at", "seconds": "3600"}


def test_repeated_fields_and_brackets_make_lists(notes: Ask) -> None:
    assert notes("POST", data={"title": "x", "labels[]": ["a", "b"]}, files={"file": b""}).json()["labels"] == ["a", "b"]
    assert notes("POST", data={"title": "x", "labels": ["a", "b"]}, files={"file": b""}).json()["labels"] == ["a", "b"]


def test_a_field_that_is_no_number_is_refused_in_the_services_words(notes: Ask) -> None:
    answer = notes("POST", data={"title": "x", "priority": "high"}, files={"file": b""})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "priority"
    assert answer.json()["error"]["code"] == "invalid_type"


def test_the_same_operation_takes_json(notes: Ask) -> None:
    assert notes("POST", json={"title": "plain", "priority": 2}).json()["priority"] == 2
    assert notes("POST", json={"title": "plain", "priority": "2"}).status_code == 400  # JSON is strict, forms are not


def test_plain_text_is_taken_where_an_operation_takes_it(notes: Ask, mock: MockServer) -> None:
    answer = notes("POST", content="v=0 – offer".encode(), headers={"content-type": "text/plain; charset=utf-8"})
    assert answer.json()["title"] == "v=0 – offer"


def test_a_form_where_only_json_is_taken_is_refused(mock: MockServer, http: httpx2.Client) -> None:
    headers = {"api-key": mock.api_key}
    answer = http.post(mock.base_url + "chat/completions", files={"file": b"x"}, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "unsupported_content_type"
    assert "multipart/form-data" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"no boundary at all"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello'),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\nhello\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\nA: " + b"b" * 20_000 + b"\r\n\r\n\r\n--x--\r\n"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 1_001 + b"--x--"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\n' + b"x" * 1_100_000 + b"\r\n--x--\r\n",
        ),
        ("multipart/form-data; boundary=x", part("a", b"x" * 600_000) + part("b", b"x" * 600_000) + b"--x--"),
        ("multipart/form-data; boundary=x", b"--x\r\n" + b"".join(b"A%d: b\r\n" % at for at in range(5_000)) + b"\r\n--x--"),
        ("multipart/form-data; boundary=x", part("file[]", b"x", filename="f") * 51 + b"--x--"),
        (f"multipart/form-data; boundary={'y' * 5_000}", b"--" + b"y" * 5_000 + b"--"),
    ],
    ids=[
        "no boundary",
        "no form",
        "cut off",
        "nameless part",
        "long header",
        "many parts",
        "long field",
        "long fields",
        "many headers",
        "many files",
        "long boundary",
    ],
)
def test_a_form_that_cannot_be_read_is_a_400(notes: Ask, content_type: str, body: bytes) -> None:
    answer = notes("POST", content=body, headers={"content-type": content_type})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("We could not parse the multipart form")
    assert notes("POST", json={"title": "next"}).status_code == 201


def test_hostile_field_names_do_no_harm(notes: Ask) -> None:
    fields = {"title": "x", "expires_after" + "[a]" * 1_000: "deep", "title[inner]": "clash"}
    answer = notes("POST", data=fields, files={"file": b""})
    assert answer.status_code == 201
    assert answer.json()["title"] == "x"


def test_a_form_has_the_same_ids_whatever_its_boundary(notes: Ask, mock: MockServer) -> None:
    def created(boundary: str) -> str:
        mock.reset()
        mock.clock.freeze(1_790_000_000)
        part = f'--{boundary}\r\nContent-Disposition: form-data; name="title"\r\n\r\nhello\r\n--{boundary}--\r\n'
        answer = notes("POST", content=part.encode(), headers={"content-type": f"multipart/form-data; boundary={boundary}"})
        return str(answer.json()["id"])

    assert created("aaa") == created("bbb")


def test_a_large_file_takes_a_fraction_of_its_size_in_memory(notes: Ask, mock: MockServer) -> None:
    """80 MB arrive; what stays in memory of the body is bounded by the spool, not by the file."""
    tracemalloc = pytest.importorskip("tracemalloc")
    chunk, count = b"x" * 1_000_000, 80
    head = b'--b\r\nContent-Disposition: form-data; name="title"\r\n\r\nbig\r\n--b\r\n'
    head += b'Content-Disposition: form-data; name="file"; filename="big.bin"\r\n\r\n'
    length = len(head) + len(chunk) * count + len(b"\r\n--b--\r\n")
    lines = (
        f"POST /openai/v1/notes HTTP/1.1\r\nhost: x\r\napi-key: {mock.api_key}\r\n"
        f"content-type: multipart/form-data; boundary=b\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )
    host, port = mock.endpoint.removeprefix("http://").split(":")
    tracemalloc.start()
    try:
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(lines.encode() + head)
            for _ in range(count):
                connection.sendall(chunk)
            connection.sendall(b"\r\n--b--\r\n")
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.startswith(b"HTTP/1.1 201")
    assert f'"bytes": {len(chunk) * count}'.encode() in answer
    assert peak < 16_000_000


# -- answers


def test_binary_content_comes_back_as_it_was_with_its_type_and_length(notes: Ask) -> None:
    content = PDF * 300  # more than stays in memory
    note = notes("POST", data={"title": "x"}, files={"file": ("a.pdf", content)}).json()
    answer = notes("GET", f"/{note['id']}/content")
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-length"] == str(len(content))


def test_content_that_is_deleted_before_it_is_sent_still_arrives(notes: Ask, mock: MockServer) -> None:
    content = PDF * 300  # more than stays in memory
    note = notes("POST", data={"title": "x"}, files={"file": ("a.pdf", content)}).json()
    response = mock.resource.send("GET", f"/notes/{note['id']}/content")
    notes("DELETE", f"/{note['id']}")
    assert response.content == content


def test_a_request_that_sends_itself_ends_with_an_error(notes: Ask, mock: MockServer) -> None:
    answer = notes("POST", "/note-1/circle")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "nested_too_deeply"
    assert [one.status for one in mock.resource.journal] == [400] * 9
    assert notes("POST", "/note-1/circle").status_code == 400


def test_an_empty_answer_has_no_body_and_no_type(notes: Ask) -> None:
    note = notes("POST", json={"title": "x"}).json()
    answer = notes("DELETE", f"/{note['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers
    assert notes("GET", f"/{note['id']}").status_code == 404


def test_lists_page_by_cursor(notes: Ask) -> None:
    ids = [notes("POST", json={"title": str(at)}).json()["id"] for at in range(5)]
    page = notes("GET", params={"limit": 2}).json()
    assert [note["id"] for note in page["data"]] == ids[:2:-1]
    assert page["has_more"] is True
    rest = notes("GET", params={"limit": 9, "after": page["last_id"]}).json()
    assert [note["id"] for note in rest["data"]] == ids[2::-1]
    assert rest["has_more"] is False


# -- requests of an operation's own


def test_an_operation_can_send_a_request_that_is_scripted_counted_and_journaled(notes: Ask, mock: MockServer) -> None:
    mock.when(user="what is love").respond("baby don't hurt me")
    note = notes("POST", json={"title": "what is love"}).json()
    answer = notes("POST", f"/{note['id']}/ask").json()
    assert answer["status"] == 200
    assert answer["answer"]["choices"][0]["message"]["content"] == "baby don't hurt me"
    *_, parent, child = sorted(mock.requests, key=lambda exchange: exchange.number)
    assert (parent.operation, parent.parent) == ("askNote", None)
    assert (child.operation, child.parent) == ("createChatCompletion", parent.number)
    assert child.deployment == "gpt-4o"
    assert child.headers["x-note"] == note["id"]
    mock.assert_called("createChatCompletion", user="what is love", times=1)


def test_what_it_is_refused_is_an_answer_too(notes: Ask, mock: MockServer) -> None:
    mock.when().respond(error="rate_limit")
    note = notes("POST", json={"title": "x"}).json()
    answer = notes("POST", f"/{note['id']}/ask").json()
    assert answer["status"] == 429
    assert answer["answer"]["error"]["code"] == "RateLimitReached"


def test_it_counts_against_the_deployments_quota(notes: Ask) -> None:
    scenario = {"deployments": {"gpt-4o": {"model": "gpt-4o", "rpm": 1}}}
    with MockServer(scenario) as mock, httpx2.Client(base_url=mock.base_url, headers={"api-key": mock.api_key}) as http:
        note = http.post("notes", json={"title": "x"}).json()
        statuses = [http.post(f"notes/{note['id']}/ask").json()["status"] for _ in range(2)]
    assert statuses == [200, 429]


# -- scripts for operations that no model answers


def test_scripted_members_are_merged_over_what_the_operation_returns(notes: Ask, mock: MockServer) -> None:
    note = notes("POST", json={"title": "x", "expires_after": {"anchor": "created_at", "seconds": 5}}).json()
    body = {"priority": 9, "expires_after": {"seconds": 1}, "extra": [1]}
    mock.when(operation="getNote").respond(body=body, headers={"x-extra": "yes"})
    answer = notes("GET", f"/{note['id']}")
    expected = note | {"priority": 9, "expires_after": {"anchor": "created_at", "seconds": 1}, "extra": [1]}
    assert answer.json() == expected
    assert list(answer.json()) == [*note, "extra"]
    assert answer.text == json.dumps(expected, indent=2)
    assert answer.headers["x-extra"] == "yes"
    assert answer.headers["content-type"] == "application/json"


def test_a_body_with_a_status_is_the_whole_answer(notes: Ask, mock: MockServer) -> None:
    mock.when(operation="getNote").respond(status=200, body={"priority": 9})
    assert notes("GET", "/note-unknown").json() == {"priority": 9}


def test_where_an_operation_returns_no_object_the_body_is_the_whole_answer(notes: Ask, mock: MockServer) -> None:
    note = notes("POST", data={"title": "x"}, files={"file": PDF}).json()
    mock.when(operation="getNoteContent").respond(body={"not": "a pdf"})
    answer = notes("GET", f"/{note['id']}/content")
    assert answer.json() == {"not": "a pdf"}
    assert answer.headers["content-type"] == "application/json"


def test_a_named_error_answers_an_operation_too(notes: Ask, mock: MockServer) -> None:
    mock.when(operation="listNotes").respond({"error": "server_error"}, {"body": {"object": "list!"}})
    assert notes("GET").status_code == 500
    assert notes("GET").json()["object"] == "list!"


def test_what_the_operation_refuses_stays_refused(notes: Ask, mock: MockServer) -> None:
    mock.when(operation="getNote").respond(body={"priority": 9})
    assert notes("GET", "/note-unknown").status_code == 404


def test_rules_see_the_fields_of_a_form(notes: Ask, mock: MockServer) -> None:
    mock.when(operation="createNote", json={"title": "bad", "file.filename": "a.pdf"}).respond(error="bad_request")
    assert notes("POST", data={"title": "bad"}, files={"file": ("a.pdf", b"x")}).status_code == 400
    assert notes("POST", data={"title": "bad"}, files={"file": ("b.pdf", b"x")}).status_code == 201


# -- the journal


def test_the_journal_shows_files_and_binary_content_as_size_and_digest(notes: Ask, mock: MockServer) -> None:
    note = notes("POST", data={"title": "x"}, files={"file": ("a.pdf", PDF, "application/pdf")}).json()
    notes("GET", f"/{note['id']}/content")
    uploaded, downloaded = mock.requests
    digest = sha256(PDF).hexdigest()
    assert uploaded.request["file"] == {
        "filename": "a.pdf",
        "content_type": "application/pdf",
        "bytes": len(PDF),
        "sha256": digest,
    }
    assert downloaded.response["bytes"] == len(PDF)
    assert PDF not in downloaded.response_body


# -- declaring


def test_an_operation_cannot_be_declared_twice() -> None:
    twice = Operation("GET", "/models", "listModels")
    assert TABLE.find("/models") is not None
    with pytest.raises(ValueError, match="declared twice"):
        TABLE.add(twice)
