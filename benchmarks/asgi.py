"""An ASGI application driven by hand, without an event loop: bare, and as a transport for the SDK's synchronous client."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx2

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


def call(app: App, path: str, headers: Headers, body: bytes, method: str = "POST") -> list[Message]:
    """What the application sends. Raises RuntimeError where it would wait for something."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": headers,
    }
    running = app(scope, receive, send).__await__()
    try:
        next(running)
    except StopIteration:
        return sent
    raise RuntimeError("the application waits, and there is no event loop")


class Transport(httpx2.BaseTransport):
    """Answers the SDK's requests from an application, and notes how long the application took for the last one."""

    def __init__(self, app: App) -> None:
        self.seconds = 0.0
        self._app = app

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one request."""
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        body = request.read()
        begun = time.perf_counter()
        start, *bodies = call(self._app, request.url.path, headers, body, request.method)
        self.seconds = time.perf_counter() - begun
        content = b"".join([part["body"] for part in bodies])
        return httpx2.Response(start["status"], headers=start["headers"], content=content)
