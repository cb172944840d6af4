"""Calls to applications by synchronous clients: the application runs while its client waits, and only then.

It runs in the client's thread. Only where that thread runs an event loop already (a synchronous call in an asynchronous test, a
notebook) a thread is borrowed for as long as the client waits: Python runs one event loop a thread.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from mockserver.testing.transport.connection import Connection

if TYPE_CHECKING:
    from mockserver.gateway.delivery import Scope
    from mockserver.testing.transport.connection import App

GRACE = 0.1
"""How many seconds an application has to notice that its client has left, before it is cancelled."""
# More than a client usually needs at a time. A loop at rest holds three file descriptors.
_MAX_IDLE = 8


class LoopPool:
    """Event loops at rest, since a new one costs more than most calls. They are closed with the pool, or with its last use."""

    def __init__(self) -> None:
        self._idle: list[asyncio.AbstractEventLoop] = []
        weakref.finalize(self, _close_all, self._idle)

    def acquire(self) -> asyncio.AbstractEventLoop:
        """A loop that is not running."""
        try:
            return self._idle.pop()
        except IndexError:
            return asyncio.new_event_loop()

    def release(self, loop: asyncio.AbstractEventLoop) -> None:
        """Keep a loop for another call."""
        if len(self._idle) < _MAX_IDLE:
            self._idle.append(loop)
        else:
            loop.close()

    def close(self) -> None:
        """Close the loops at rest."""
        _close_all(self._idle)


class SyncCall:
    """One call to an application that runs only while `wait_for_head`, `read` or `close` waits for it."""

    __slots__ = ("__weakref__", "_loop", "_pool", "_task", "connection")

    def __init__(self, pool: LoopPool, app: App, scope: Scope, body: bytes) -> None:
        self._pool = pool
        self._loop: asyncio.AbstractEventLoop | None = pool.acquire()
        self.connection = Connection(scope, body, self._loop.stop)
        self._task = self._loop.create_task(self.connection.run(app))

    @property
    def running(self) -> bool:
        """Whether the application still has something to do."""
        return self._loop is not None

    def wait_for_head(self, timeout: float | None) -> None:
        """Wait for the response's status, at most `timeout` seconds.

        Raises TimeoutError, ConnectionBrokenError, or what the application raised.
        """
        if not self._wait(self.connection.head_ready, timeout):
            raise TimeoutError
        if self._task.done():
            self._release()
        if self.connection.status is None:
            raise self.connection.failure()

    def read(self, timeout: float | None) -> bytes | None:
        """Wait for the next chunk, at most `timeout` seconds; None after the last. Raises as `wait_for_head` does."""
        if not self._wait(self.connection.chunk_ready, timeout):
            raise TimeoutError
        return self.connection.next_chunk()

    def close(self) -> None:
        """Leave. The application is notified, and cancelled if it does not end soon."""
        self._leave(GRACE)

    def abandon(self) -> None:
        """Leave without waiting: for a client that has waited long enough."""
        self._leave(0)

    def _leave(self, patience: float) -> None:
        if self._loop is None:
            return
        self.connection.disconnect()
        if not self._wait(self._task.done, patience):
            self._task.cancel()
            self._wait(self._task.done, GRACE)
        self._release()

    def _release(self) -> None:
        loop, self._loop = self._loop, None
        if loop is None:
            return
        if self._task.done():
            self._pool.release(loop)
        else:
            loop.close()

    def _wait(self, ready: Callable[[], bool], timeout: float | None) -> bool:
        """Run the application until `ready`; False where that takes more than `timeout` seconds."""
        loop = self._loop
        if loop is None or ready():
            return ready()
        loop.stop()  # ends the run below after one turn, which is all that a response without pauses takes
        _run(loop)
        if ready() or timeout is None:
            while not ready():
                _run(loop)
            return True
        deadline = loop.time() + timeout
        timer = loop.call_at(deadline, loop.stop)
        while not ready() and loop.time() < deadline:
            _run(loop)
        timer.cancel()
        return ready()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run a loop until something stops it."""
    if not _in_event_loop():
        loop.run_forever()
        return
    with ThreadPoolExecutor(1) as executor:
        try:
            executor.submit(loop.run_forever).result()
        except BaseException:
            # An interrupt of the waiting thread must end the other one too: leaving the context waits for it.
            loop.call_soon_threadsafe(loop.stop)
            raise


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _close_all(loops: list[asyncio.AbstractEventLoop]) -> None:
    while loops:
        loops.pop().close()
