"""The pipeline without a socket."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from mockserver import create_app
from mockserver.gateway.headers import RequestHeaders
from mockserver.gateway.pipeline import respond
from mockserver.gateway.rendering import Request, Response

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}


def answer(app: object, path: str = "/openai/v1/chat/completions", key: bytes = b"mock-key", **body: object) -> Response:
    headers = RequestHeaders([(b"host", b"x"), (b"api-key", key)])
    request = Request("POST", path, "", headers, json.dumps(CHAT | body).encode())
    return respond(app.state.resources, request)  # type: ignore[attr-defined]


def test_a_request_is_answered_without_a_socket_and_without_waiting() -> None:
    response = answer(create_app({"rules": [{"respond": "hi"}]}))
    assert response.status == 200
    assert response.immediate
    assert response.json()["choices"][0]["message"]["content"] == "hi"
    assert response.headers()["x-ms-deployment-name"] == "gpt-4o"


def test_a_stream_has_frames_that_join_to_its_content() -> None:
    response = answer(create_app({"rules": [{"respond": "hi"}]}), stream=True)
    assert response.frames is not None
    assert response.content.endswith(b"data: [DONE]\n\n")
    assert response.headers()["content-type"].startswith("text/event-stream")


def test_pace_and_faults_are_left_to_whoever_delivers() -> None:
    assert not answer(create_app({"rules": [{"respond": {"text": "hi", "delay": "1h"}}]})).immediate
    assert not answer(create_app({"rules": [{"respond": {"text": "hi", "reset": True}}]})).immediate


def test_a_refusal_is_a_response_in_the_journal_too() -> None:
    app = create_app()
    assert answer(app, key=b"wrong").status == 401
    assert answer(app, path="/openai/v1/nowhere").status == 404
    assert [exchange.status for exchange in app.state.resources.default.journal] == [401, 404]


def test_a_failure_of_a_handler_is_a_500_and_logged(monkeypatch: object, caplog: object) -> None:
    from mockserver.operations.table import TABLE

    app = create_app()
    answer(app)  # imports the family
    operation = TABLE.by_id["createChatCompletion"]
    broken = type(operation)(operation.method, operation.path, operation.id, handler=lambda call: 1 / 0)
    found = TABLE.find("/chat/completions")
    assert found is not None
    monkeypatch.setitem(found[0].methods, "POST", broken)  # type: ignore[attr-defined]
    response = answer(app)
    assert response.status == 500
    assert response.json()["error"]["type"] == "server_error"
    assert "ZeroDivisionError" in caplog.text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "urls",
    [
        ("/openai/nowhere", "/openai/elsewhere"),
        ("/openai/v1/models/none", "/openai/v1/models/unknown"),
        ("/openai/v1/chat/completions?limit=1", "/openai/v1/chat/completions?limit=2"),
    ],
)
def test_an_answer_does_not_depend_on_what_else_was_called_before(urls: tuple[str, str]) -> None:
    def answers(order: Sequence[str]) -> dict[str, dict[str, str]]:
        app, headers = create_app(seed=1), RequestHeaders([(b"api-key", b"mock-key")])
        requests = {url: Request("GET", *url.partition("?")[::2], headers) for url in order}
        return {url: respond(app.state.resources, request).headers() for url, request in requests.items()}

    assert answers(urls) == answers(urls[::-1])


def test_an_id_does_not_depend_on_what_other_deployments_were_sent() -> None:
    def ids(order: Sequence[str]) -> dict[str, str]:
        app, headers = create_app(seed=1), RequestHeaders([(b"api-key", b"mock-key")])
        body = json.dumps({"messages": CHAT["messages"]}).encode()
        answered: dict[str, str] = {}
        for name in order:
            path = f"/openai/deployments/{name}/chat/completions"
            response = respond(app.state.resources, Request("POST", path, "api-version=2024-10-21", headers, body))
            answered[name] = response.json()["id"]
        return answered

    assert ids(["gpt-4o", "gpt-4.1"]) == ids(["gpt-4.1", "gpt-4o"])
