"""The least that a server could do, as ASGI applications: a JSON route that answers at once, and a generator of events.

This module must not import mockserver.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from benchmarks.workload import EVENTS, EVENTS_PER_SECOND

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

ANSWER = {"id": "answer", "created": 1_760_000_000, "text": "x" * 440}
EVENT = b"data: {" + b"x" * 480 + b"}\n\n"


async def _empty(request: Request) -> JSONResponse:
    await request.json()
    return JSONResponse(ANSWER)


empty = Starlette(routes=[Route("/{path:path}", _empty, methods=["POST"])])


async def ticks() -> AsyncIterator[bytes]:
    """Ready-made events, at the pace that our server keeps."""
    for _ in range(EVENTS):
        await asyncio.sleep(1 / EVENTS_PER_SECOND)
        yield EVENT


async def generator(scope: Message, receive: Receive, send: Send) -> None:
    """A bare ASGI application that sends a generator's events."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    async for event in ticks():
        await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _stream(request: Request) -> StreamingResponse:
    await request.json()
    return StreamingResponse(ticks(), media_type="text/event-stream")


streaming = Starlette(routes=[Route("/{path:path}", _stream, methods=["POST"])])
