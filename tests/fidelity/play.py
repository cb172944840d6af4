"""Asking this server what was asked of the real one."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any

from fidelity import script
from fidelity.compare import NOW, Reply, compare
from fidelity.diff import Difference
from fidelity.recorded import Row

from mockserver import MockServer
from mockserver.resource.vector_stores import keep

Json = Any


def play(row: Row, among: tuple[Row, ...]) -> list[Difference]:
    """Script the recorded answer, send the recorded request, and compare. What made the objects it names is `among` the others."""
    return compare(row, *answer(row, among))


def answer(row: Row, among: tuple[Row, ...]) -> tuple[Reply, dict[str, str]]:
    """This server's answer, and the headers that the request had."""
    creator = _creator(row, among)
    # What was encrypted by the recorded resource is not this one's.
    with MockServer(script.scenario(creator or row), allow=["encrypted_content"]) as mock:
        mock.clock.freeze(row.created or NOW)
        sent = {"api-key": mock.api_key if row.status != 401 else "another-key"}
        if "x-ms-client-request-id" in row.request_headers:
            sent["x-ms-client-request-id"] = row.request_headers["x-ms-client-request-id"]
        if (creator or row).family == "responses":
            _equip(mock, script.request(creator or row), sent)
        if row.family == "files":
            reply = _of_a_file(mock, row, sent)
        elif creator is not None:
            reply = _of_stored(mock, row, creator, sent)
        else:
            reply = _send(mock, row.method, _path(row), script.request(row), sent)
    return reply, sent


def _equip(mock: MockServer, body: Json, sent: dict[str, str]) -> None:
    """Put there what the request's tools need: vector stores under the recorded ids, and the name of a deployment for images."""
    for tool in body.get("tools") or () if isinstance(body, dict) else ():
        if tool.get("type") == "image_generation":
            sent["x-ms-oai-image-generation-deployment"] = body["model"]
        for name in tool.get("vector_store_ids") or ():
            keep(mock.resource.store, {"id": name, "status": "completed", "last_active_at": 0, "expires_after": None})


def _path(row: Row) -> str:
    return f"/openai/v1{row.endpoint}" if "/openai/" in row.path else row.path


def _creator(row: Row, among: tuple[Row, ...]) -> Row | None:
    """The exchange that made the stored response which `row` is about."""
    found = re.search(r"resp_[0-9a-f]{48,50}", row.path)
    created = (one for one in among if one.method == "POST" and found is not None and one.answered.get("id") == found[0])
    return next(created, None)


def _of_stored(mock: MockServer, row: Row, creator: Row, sent: dict[str, str]) -> Reply:
    made = json.loads(_send(mock, "POST", "/openai/v1/responses", script.request(creator), sent).text)
    path = f"/openai/v1{row.endpoint}".replace("{resp}", made["id"])
    if row.status == 404:
        _send(mock, "DELETE", path, None, sent)
    return _send(mock, row.method, path, None, sent)


def _of_a_file(mock: MockServer, row: Row, sent: dict[str, str]) -> Reply:
    """The reply about a file, which is uploaded first where the recording is about one that was there."""
    created = _upload(mock, row.request or {"purpose": "batch", "filename": "a.jsonl", "bytes": 1, **row.body}, sent)
    if row.method == "POST":
        return created
    path = f"/openai/v1/files/{json.loads(created.text)['id']}"
    if row.body.get("deleted") is False:
        _send(mock, row.method, path, None, sent)
    return _send(mock, row.method, path, None, sent)


def _upload(mock: MockServer, file: dict[str, Json], sent: dict[str, str]) -> Reply:
    field = f'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\n{file["purpose"]}\r\n'
    head = f'--b\r\ncontent-disposition: form-data; name="file"; filename="{file["filename"]}"\r\n\r\n'
    body = (field + head).encode() + bytes(file["bytes"]) + b"\r\n--b--\r\n"
    return _send(mock, "POST", "/openai/v1/files", body, {**sent, "content-type": "multipart/form-data; boundary=b"})


def _send(mock: MockServer, method: str, path: str, body: Json, sent: dict[str, str]) -> Reply:
    payload = body if body is None or isinstance(body, bytes) else json.dumps(body)
    connection = http.client.HTTPConnection(mock.endpoint.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, payload, {"content-type": "application/json", **sent})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, headers, answer.read().decode())
    finally:
        connection.close()
