"""Reading bodies from any ASGI server: whole or in pieces, within limits, and from clients that leave."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from mockserver import create_app
from mockserver.gateway import bodies

pytestmark = pytest.mark.anyio

JSON, FORM = b"application/json", b"multipart/form-data; boundary=x"
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'


async def sent(app: Any, messages: Sequence[dict[str, Any]], content_type: bytes, **scope: Any) -> list[dict[str, Any]]:
    """What an application answers to these messages."""
    coming: Iterator[dict[str, Any]] = iter([*messages, {"type": "http.disconnect"}])
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(coming)

    async def send(message: dict[str, Any]) -> None:
        answer.append(message)

    headers = [(b"host", b"x"), (b"api-key", b"mock-key"), (b"content-type", content_type)]
    request = {"type": "http", "method": "POST", "path": "/openai/v1/chat/completions", "query_string": b"", "headers": headers}
    await app(request | scope, receive, send)
    return answer


def pieces(*parts: bytes) -> list[dict[str, Any]]:
    return [{"type": "http.request", "body": part, "more_body": part is not parts[-1]} for part in parts]


@pytest.mark.parametrize("messages", [pieces(FILE + b"x" * 100), pieces(FILE, b"x" * 100)], ids=["whole", "in pieces"])
@pytest.mark.parametrize("content_type", [JSON, FORM])
async def test_a_body_beyond_the_limit_is_refused_however_it_comes(messages: Any, content_type: bytes) -> None:
    app = create_app()
    app.state.resources.body_limit = 100
    start, body = await sent(app, messages, content_type)
    assert start["status"] == 413
    assert json.loads(body["body"])["error"]["code"] == "RequestEntityTooLarge"


async def test_a_client_that_leaves_in_the_middle_of_a_form_leaves_no_file_open(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    spooled = bodies.SpooledTemporaryFile
    monkeypatch.setattr(bodies, "SpooledTemporaryFile", lambda size: opened.append(spooled(size)) or opened[-1])
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in (FILE, b"y" * 2_000_000)]
    assert await sent(create_app(), messages, FORM) == []
    assert [file.closed for file in opened] == [True]


@pytest.mark.parametrize("content_type", [b"multipart/form-data", FORM], ids=["no boundary", "no form"])
async def test_who_may_not_call_learns_that_before_what_is_wrong_with_the_body(content_type: bytes) -> None:
    app, headers = create_app(), [(b"host", b"x"), (b"content-type", content_type)]
    start, _ = await sent(app, pieces(b"no form"), content_type, headers=headers)
    assert start["status"] == 401


async def test_a_body_that_cannot_be_read_is_in_the_journal_of_its_operation() -> None:
    app = create_app()
    start, _ = await sent(app, pieces(b"no form"), FORM)
    (exchange,) = app.state.resources.default.journal
    assert (start["status"], exchange.operation) == (400, "createChatCompletion")
