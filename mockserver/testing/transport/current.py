"""The in-process transports of the package httpx2."""

from __future__ import annotations

import httpx2

from mockserver.testing.transport import adapter


class Body(adapter.SyncBody, httpx2.SyncByteStream):
    """A body for httpx2.Client."""


class AsyncBody(adapter.AsyncBody, httpx2.AsyncByteStream):
    """A body for httpx2.AsyncClient."""


class Transport(adapter.SyncTransport, httpx2.BaseTransport):
    """Answers the requests of an httpx2.Client from an ASGI application: `httpx2.Client(transport=Transport(app))`."""

    library = httpx2
    body = Body


class AsyncTransport(adapter.AsyncTransport, httpx2.AsyncBaseTransport):
    """Answers the requests of an httpx2.AsyncClient from an ASGI application. Needs asyncio."""

    library = httpx2
    body = AsyncBody
