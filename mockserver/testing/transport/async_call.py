"""Calls to applications by asynchronous clients: the application runs as a task beside its client, in the same event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from mockserver.testing.transport.connection import Connection
from mockserver.testing.transport.sync_call import GRACE

if TYPE_CHECKING:
    from mockserver.gateway.delivery import Scope
    from mockserver.testing.transport.connection import App


class AsyncCall:
    """One call to an application that runs beside its client. Raises RuntimeError where asyncio does not run."""

    __slots__ = ("__weakref__", "_loop", "_task", "_waiter", "connection")

    def __init__(self, app: App, scope: Scope, body: bytes) -> None:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError(
                "the in-process transport needs asyncio; under trio, point the client at the server's base_url instead"
            ) from None
        self._waiter: asyncio.Future[None] | None = None
        self.connection = Connection(scope, body, self._notify)
        self._task = self._loop.create_task(self.connection.run(app))

    @property
    def running(self) -> bool:
        """Whether the application still has something to do."""
        return not self._task.done()

    async def wait_for_head(self, timeout: float | None) -> None:
        """Wait for the response's status, at most `timeout` seconds.

        Raises TimeoutError, ConnectionBrokenError, or what the application raised.
        """
        await self._wait(self.connection.head_ready, timeout)
        if self.connection.status is None:
            raise self.connection.failure()

    async def read(self, timeout: float | None) -> bytes | None:
        """Wait for the next chunk, at most `timeout` seconds; None after the last. Raises as `wait_for_head` does."""
        await self._wait(self.connection.chunk_ready, timeout)
        return self.connection.next_chunk()

    async def close(self) -> None:
        """Leave. The application is notified, and cancelled if it does not end soon."""
        self.connection.disconnect()
        try:
            await asyncio.wait((self._task,), timeout=GRACE)
        finally:
            self._task.cancel()
        if not self._task.done():
            await asyncio.wait((self._task,), timeout=GRACE)

    def abandon(self) -> None:
        """Leave without waiting: for a client that is being cancelled, or has waited long enough."""
        self.connection.disconnect()
        if not self._task.done():
            self._loop.call_later(GRACE, self._task.cancel)

    def _notify(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, ready: Callable[[], bool], timeout: float | None) -> None:
        if ready():
            return
        async with asyncio.timeout(timeout):
            while not ready():
                self._waiter = self._loop.create_future()
                await self._waiter
