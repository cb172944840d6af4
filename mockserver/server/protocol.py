"""HTTP/1.1 on a connection: an `asyncio.Protocol` that uvicorn makes, by its parameter `http`, for each client.

Requests are answered one after the other, in the order in which they came. Reading pauses while some wait, or while an
application or the client is behind.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from mockserver.gateway.asgi import Surface
from mockserver.gateway.delivery import WIRE
from mockserver.gateway.headers import RequestHeaders
from mockserver.gateway.paths import ROOT
from mockserver.gateway.rendering import Response
from mockserver.server.cycle import App, Cycle
from mockserver.server.framing import PLAIN_TEXT, header_lines, status_line
from mockserver.server.parsing import BAD_REQUEST, TOO_LARGE, Parser, RefusedError, Request, UpgradeError

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

_LINGER = 2.0  # seconds that a refused client has to read why, before the connection closes under what it still sends
_REFUSALS = {
    BAD_REQUEST: b"Invalid HTTP request received.",
    TOO_LARGE: b"The request's line and headers are too large.",
}


class Protocol(asyncio.Protocol):
    """One connection. uvicorn passes the parameters, keeps it in the state's `connections`, and may call `shutdown`."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], **_: Any) -> None:
        self.transport: asyncio.Transport
        self.loop = asyncio.get_running_loop()
        self.writable = asyncio.Event()
        self.writable.set()
        self._config, self._state, self._app_state = config, server_state, app_state
        surface = getattr(config.app, "surface", None)  # of our own application, which needs no task for most answers
        self._surface = surface if isinstance(surface, Surface) else None
        self._parser = Parser(self._add, upgrades=config.ws_protocol_class is not None)
        self._cycles: deque[Cycle] = deque()  # that are not complete; only the first is being answered
        self._paused = self._deaf = False
        self._refusal: int | None = None  # why the connection reads no more, until the client knows
        self._idle_since = self.loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._default_headers: list[tuple[bytes, bytes]] = []
        self._default_lines = b""

    # -- called by the event loop, and by uvicorn

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection."""
        self.transport = cast("asyncio.Transport", transport)
        self._state.connections.add(self)  # type: ignore[arg-type]
        self._set_timer(self._idle_since + self._config.timeout_keep_alive, self._expire)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection. Applications that are still at it learn that the client has left."""
        self._let_go()
        for cycle in self._cycles:
            cycle.leave()
        self._cycles.clear()
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and begin to answer what they make whole."""
        if self._deaf:
            return
        try:
            self._parser.feed(data)
        except RefusedError as refused:
            self._refuse(refused.status)
        except UpgradeError as upgrade:
            self._hand_on(upgrade.received)
        self._advance()

    def pause_writing(self) -> None:
        """The client is behind: no application may write, and no request that comes is answered."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self.writable.set()
        self._advance()

    def shutdown(self) -> None:
        """Close as soon as all that came is answered."""
        if self._cycles:
            self._cycles[-1].keep_alive = False
        else:
            self.transport.close()

    # -- called by cycles

    def finished(self) -> None:
        """The first cycle is complete; the next can begin."""
        self._cycles.popleft()
        self._state.total_requests += 1
        self._idle_since = self.loop.time()
        if self._cycles or self._refusal is not None:
            self.loop.call_soon(self._advance)
        else:
            self.regulate()

    def regulate(self) -> None:
        """Read on only while what has come can be dealt with."""
        cycles = self._cycles
        behind = len(cycles) > 1 or (bool(cycles) and cycles[-1].behind)
        if behind is self._paused or self.transport.is_closing():
            return
        self._paused = behind
        if behind:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    async def drain(self) -> None:
        """Wait until the client has read most of what was written; others get a turn in any case."""
        await asyncio.sleep(0)
        await self.writable.wait()

    @property
    def default_lines(self) -> bytes:
        """The header lines of every answer: the date, which uvicorn renews each second."""
        if self._default_headers is not self._state.default_headers:
            self._default_headers = self._state.default_headers
            self._default_lines = header_lines(self._default_headers)
        return self._default_lines

    # -- inside

    def _add(self, request: Request) -> Cycle:
        cycle = Cycle(self, request, self._surface if request.path.startswith(ROOT) else None)
        self._cycles.append(cycle)
        return cycle

    def _advance(self) -> None:
        """Answer what is next, unless the client is behind."""
        while self._cycles and self._cycles[0].ready and self.writable.is_set() and not self.transport.is_closing():
            self._begin(self._cycles[0])
        if self._refusal is not None and not self._cycles and not self.transport.is_closing():
            self._send_refusal(self._refusal)
        self.regulate()

    def _begin(self, cycle: Cycle) -> None:
        cycle.begun = True
        if cycle.surface is not None and cycle.whole:
            self._respond(cycle, cycle.surface)
        else:
            self._run(cycle, self._config.loaded_app)

    def _respond(self, cycle: Cycle, surface: Surface) -> None:
        """Answer a request that is here as a whole: at once, or by a task where the response takes its time."""
        request = cycle.request
        try:
            headers = RequestHeaders(request.headers)
            response = surface.respond(request.method, request.path, request.query, headers, cycle.take())
            if isinstance(response, Response) and response.immediate:
                surface.sent(response)
                head = response.head
                return cycle.answer(response.status, head.framing, head.lines, response.content, head.reason)
        except Exception:
            return cycle.fail()
        return self._run(cycle, partial(surface.deliver, response))

    def _run(self, cycle: Cycle, app: App) -> None:
        task = self.loop.create_task(cycle.run(app, self._scope(cycle)))
        task.add_done_callback(self._state.tasks.discard)
        self._state.tasks.add(task)

    def _scope(self, cycle: Cycle) -> dict[str, Any]:
        request, transport = cycle.request, self.transport
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.version,
            "method": request.method,
            "scheme": "https" if transport.get_extra_info("sslcontext") else "http",
            "path": request.path,
            "raw_path": request.raw_path,
            "query_string": request.query,
            "root_path": "",
            "headers": request.headers,
            "client": _address(transport.get_extra_info("peername")),
            "server": _address(transport.get_extra_info("sockname")),
            "state": self._app_state.copy(),
            "extensions": {WIRE: cycle},
        }

    def _refuse(self, status: int) -> None:
        """Read no more. What came before is answered; then the client learns why, unless it has some of an answer already."""
        self._deaf, self._refusal = True, status
        if self._cycles and not self._cycles[-1].whole:
            cycle = self._cycles.pop()
            cycle.leave()
            if cycle.started:
                self.transport.close()

    def _send_refusal(self, status: int) -> None:
        self._refusal = None
        text = _REFUSALS[status]
        framing = b"content-length: %d\r\nconnection: close\r\n" % len(text)
        self.transport.write(b"".join([status_line(status), self.default_lines, PLAIN_TEXT, framing, b"\r\n", text]))
        if self.transport.can_write_eof():
            self.transport.write_eof()  # closing at once would reset the connection under what the client still sends
            self._set_timer(self.loop.time() + _LINGER, self.transport.close)
        else:
            self.transport.close()

    def _hand_on(self, received: bytes) -> None:
        """Let uvicorn's protocol for websockets go on from here."""
        if self._cycles:
            return self._refuse(BAD_REQUEST)  # it would have to wait for answers, and nobody who wants one asks like this
        self._let_go()
        successor: Any = self._config.ws_protocol_class
        protocol = successor(config=self._config, server_state=self._state, app_state=self._app_state)
        protocol.connection_made(self.transport)
        protocol.data_received(received)
        self.transport.set_protocol(protocol)
        return None

    def _let_go(self) -> None:
        self._state.connections.discard(self)
        self._parser.close()
        self._set_timer(None)

    def _expire(self) -> None:
        """Close a connection that was idle for long. One timer serves its whole life, for hardly any is ever due."""
        now, limit = self.loop.time(), self._config.timeout_keep_alive
        due = (now if self._cycles else self._idle_since) + limit
        if due <= now:
            self.transport.close()
        else:
            self._set_timer(due, self._expire)

    def _set_timer(self, due: float | None, callback: Callable[[], None] | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if due is None or callback is None else self.loop.call_at(due, callback)


def _address(name: Any) -> tuple[str, int | None] | None:
    """A socket's name as ASGI has it: host and port, or a path."""
    if isinstance(name, tuple):
        return name[0], name[1]
    return (name, None) if name else None
