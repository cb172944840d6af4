"""Clients that reach an application without a socket, and stream: every chunk is there as soon as it is sent.

Pace, faults in the middle of a response and clients that leave early are as over TCP. The packages httpx2 and httpx are
imported on first use; either may be absent. No TLS context is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx
    import httpx2

    from mockserver.testing.transport.connection import App


def client(app: App, **options: Any) -> httpx2.Client:
    """A client of the package httpx2 that `app` answers. `options` are those of `httpx2.Client`."""
    import httpx2

    from mockserver.testing.transport.current import Transport

    return httpx2.Client(transport=Transport(app), **options)


def async_client(app: App, **options: Any) -> httpx2.AsyncClient:
    """The same, asynchronous; it needs asyncio."""
    import httpx2

    from mockserver.testing.transport.current import AsyncTransport

    return httpx2.AsyncClient(transport=AsyncTransport(app), **options)


def legacy_client(app: App, **options: Any) -> httpx.Client:
    """A client of the package httpx that `app` answers. `options` are those of `httpx.Client`."""
    import httpx

    from mockserver.testing.transport.legacy import Transport

    return httpx.Client(transport=Transport(app), **options)


def legacy_async_client(app: App, **options: Any) -> httpx.AsyncClient:
    """The same, asynchronous; it needs asyncio."""
    import httpx

    from mockserver.testing.transport.legacy import AsyncTransport

    return httpx.AsyncClient(transport=AsyncTransport(app), **options)
