"""Applications for synchronous clients: each runs while its client waits for it, in that client's thread.

No thread is started and none is left behind, and it does not matter whether the client's thread runs an event loop itself.
"""

from __future__ import annotations

import asyncio
import weakref
from asyncio import events
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mockserver.testing.transport.connection import Connection

if TYPE_CHECKING:
    from mockserver.gateway.delivery import Scope
    from mockserver.testing.transport.connection import App

GRACE = 0.1
"""How many seconds an application has to notice that its client has left, before it is cancelled."""
_IDLE = 8


class Loops:
    """Event loops at rest. They are closed with their owner, or when it is forgotten."""

    def __init__(self) -> None:
        self._idle: list[asyncio.AbstractEventLoop] = []
        weakref.finalize(self, _close_all, self._idle)

    def take(self) -> asyncio.AbstractEventLoop:
        """A loop that nobody runs."""
        try:
            return self._idle.pop()
        except IndexError:
            return asyncio.new_event_loop()

    def give(self, loop: asyncio.AbstractEventLoop) -> None:
        """Keep a loop for another application."""
        if len(self._idle) < _IDLE:
            self._idle.append(loop)
        else:
            loop.close()

    def close(self) -> None:
        """Close the loops at rest."""
        _close_all(self._idle)


class PulledCall:
    """One call to an application that runs only while `head`, `read` or `close` waits for it."""

    __slots__ = ("__weakref__", "_loop", "_loops", "_task", "connection")

    def __init__(self, loops: Loops, app: App, scope: Scope, body: bytes) -> None:
        self._loops = loops
        self._loop: asyncio.AbstractEventLoop | None = loops.take()
        self.connection = Connection(scope, body, self._loop.stop)
        self._task = self._loop.create_task(self.connection.run(app))

    @property
    def running(self) -> bool:
        """Whether the application still has something to do."""
        return self._loop is not None

    def head(self, timeout: float | None) -> None:
        """Wait for the answer's status. Raises TimeoutError, BrokenError, or what the application raised."""
        if not self._wait(self.connection.answered, timeout):
            raise TimeoutError
        if self._task.done():
            self._release()
        if self.connection.status is None:
            raise self.connection.failure()

    def read(self, timeout: float | None) -> bytes | None:
        """Wait for the next chunk; None after the last. Raises as `head` does."""
        if not self._wait(self.connection.readable, timeout):
            raise TimeoutError
        return self.connection.take()

    def close(self) -> None:
        """Leave: the application hears of it, and is cancelled where it does not end soon."""
        self._leave(GRACE)

    def drop(self) -> None:
        """Leave without waiting: for a client that has waited long enough."""
        self._leave(0)

    def _leave(self, patience: float) -> None:
        if self._loop is None:
            return
        self.connection.leave()
        if not self._wait(self._task.done, patience):
            self._task.cancel()
            self._wait(self._task.done, GRACE)
        self._release()

    def _release(self) -> None:
        loop, self._loop = self._loop, None
        if loop is None:
            return
        if self._task.done():
            self._loops.give(loop)
        else:
            loop.close()

    def _wait(self, ready: Callable[[], bool], timeout: float | None) -> bool:
        """Run the application until `ready`; False where that takes more than `timeout` seconds."""
        loop = self._loop
        if loop is None or ready():
            return ready()
        loop.stop()  # one turn, which is all that an answer without pauses takes
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
    outer = events._get_running_loop()
    if outer is None:
        loop.run_forever()
    else:
        with _stepped_out_of(outer):
            loop.run_forever()


@contextmanager
def _stepped_out_of(outer: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Let another event loop run in a thread where `outer` runs: the caller blocks that one in any case."""
    task = asyncio.current_task(outer)
    if task is not None:
        _leave_task(outer, task)
    events._set_running_loop(None)
    try:
        yield
    finally:
        events._set_running_loop(outer)
        if task is not None:
            _enter_task(outer, task)


def _close_all(loops: list[asyncio.AbstractEventLoop]) -> None:
    while loops:
        loops.pop().close()
