"""The in-process transports of the package httpx."""

from __future__ import annotations

import httpx

from mockserver.testing.transport.adapter import JoinedBody, JoinedTransport, PulledBody, PulledTransport


class Body(PulledBody, httpx.SyncByteStream):
    """A body for httpx.Client."""


class AsyncBody(JoinedBody, httpx.AsyncByteStream):
    """A body for httpx.AsyncClient."""


class Transport(PulledTransport, httpx.BaseTransport):
    """Answers the requests of a httpx.Client from an ASGI application: `httpx.Client(transport=Transport(app))`."""

    library = httpx
    body = Body


class AsyncTransport(JoinedTransport, httpx.AsyncBaseTransport):
    """Answers the requests of a httpx.AsyncClient from an ASGI application. Needs asyncio."""

    library = httpx
    body = AsyncBody
