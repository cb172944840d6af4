"""The in-process transports of the package httpx2."""

from __future__ import annotations

import httpx2

from mockserver.testing.transport.adapter import JoinedBody, JoinedTransport, PulledBody, PulledTransport


class Body(PulledBody, httpx2.SyncByteStream):
    """A body for httpx2.Client."""


class AsyncBody(JoinedBody, httpx2.AsyncByteStream):
    """A body for httpx2.AsyncClient."""


class Transport(PulledTransport, httpx2.BaseTransport):
    """Answers the requests of a httpx2.Client from an ASGI application: `httpx2.Client(transport=Transport(app))`."""

    library = httpx2
    body = Body


class AsyncTransport(JoinedTransport, httpx2.AsyncBaseTransport):
    """Answers the requests of a httpx2.AsyncClient from an ASGI application. Needs asyncio."""

    library = httpx2
    body = AsyncBody
