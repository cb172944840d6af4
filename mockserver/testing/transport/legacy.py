"""The in-process transports of the package httpx."""

from __future__ import annotations

import httpx

from mockserver.testing.transport import adapter


class Body(adapter.SyncBody, httpx.SyncByteStream):
    """A body for httpx.Client."""


class AsyncBody(adapter.AsyncBody, httpx.AsyncByteStream):
    """A body for httpx.AsyncClient."""


class Transport(adapter.SyncTransport, httpx.BaseTransport):
    """Answers the requests of an httpx.Client from an ASGI application: `httpx.Client(transport=Transport(app))`."""

    library = httpx
    body = Body


class AsyncTransport(adapter.AsyncTransport, httpx.AsyncBaseTransport):
    """Answers the requests of an httpx.AsyncClient from an ASGI application. Needs asyncio."""

    library = httpx
    body = AsyncBody
