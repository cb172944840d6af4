"""How a response is sent: its pace, and the ways in which it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mockserver.model.reply import DEFAULT_TIMING
from mockserver.operations.call import Binary
from mockserver.state.clock import stopwatch

if TYPE_CHECKING:
    from mockserver.gateway.rendering import Response
    from mockserver.model.reply import Fault, Timing
    from mockserver.operations.call import Frame
    from mockserver.resource.journal import Exchange
    from mockserver.state.clock import Clock

Json = Any
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

GARBAGE = b'data: {"choices":[{"delta":{"conte\n\n'
_TURN = 64  # frames after which others get their turn
WIRE = "mockserver.wire"
"""The extension of a scope that holds a Wire, where a server has one."""


class Wire(Protocol):
    """The connection under an answer, past HTTP and its rules."""

    def write(self, data: bytes) -> None:
        """Send bytes as they are. Once the application returns, its answer is complete, whatever it announced."""

    def close(self) -> None:
        """Close the connection once what was written has left."""

    def reset(self) -> None:
        """Cut the connection dead: a TCP reset, which drops what is still on its way."""


@dataclass(slots=True)
class Delivery:
    """Sends one response at the pace, and with the fault, that its script asks for."""

    scope: Scope
    receive: Receive
    send: Send
    response: Response

    @property
    def exchange(self) -> Exchange:
        """The exchange that is under way."""
        return self.response.exchange

    @property
    def clock(self) -> Clock:
        """The resource's clock, by which pauses go."""
        return self.response.clock

    @property
    def timing(self) -> Timing:
        """The pace that the script asks for."""
        script = self.response.script
        return script.timing if script is not None else DEFAULT_TIMING

    @property
    def fault(self) -> Fault | None:
        """The fault that the script asks for."""
        script = self.response.script
        return script.fault if script is not None else None

    async def deliver(self) -> None:
        """Send the response. The exchange notes what really left, and whether the client left early."""
        if self.response.immediate:
            return await self._all_at_once()
        frames, fault = self.response.frames, self.fault
        if fault is not None:
            self.exchange.fault = fault.kind
        if await self._left_during(self.timing.delay):
            return None
        stalls = fault is not None and fault.kind == "stall"
        if not (stalls or (frames is not None and self.timing.paced)):
            self.response.end()
        if fault is not None and fault.kind == "reset" and (frames is None or fault.after == 0):
            self.exchange.frames = None if frames is None else []
            return self._abort(reset=True)
        if frames is None:
            await self._whole()
        else:
            await self._stream(frames)
        return None

    async def _all_at_once(self) -> None:
        await self._begin()
        self.response.end()
        await self._chunk(self.response.content, last=True)

    async def _left_during(self, delay: float) -> bool:
        """Wait; say whether the client has left meanwhile."""
        if delay <= 0 or self.clock.frozen:
            await self.clock.pause(delay)
            return False
        begun, departure = stopwatch(), asyncio.ensure_future(self._gone())
        try:
            await asyncio.wait({departure}, timeout=delay)
        finally:
            await _cancel(departure)
        if departure.cancelled():
            return False
        self._hung_up(begun, departure.result())
        return True

    async def _begin(self) -> None:
        status, head = self.response.status, self.response.head
        # ASGI knows no reason phrase; our own server does, others pass over it.
        await self.send({"type": "http.response.start", "status": status, "headers": head.pairs, "reason": head.reason})

    async def _whole(self) -> None:
        kind = self.fault.kind if self.fault is not None else None
        if kind == "stall":
            return await self._hang()
        await self._begin()
        if kind is None:
            return await self._intact()
        body = self.response.content
        half = body[: len(body) // 2]
        if kind == "garbage":
            return await self._chunk(half + b" " * (len(body) - len(half)), last=True)
        await self._chunk(half, last=False)
        return self._abort(reset=False)

    async def _intact(self) -> None:
        body = self.response.body
        if isinstance(body, Binary) and not isinstance(body.content, bytes):
            for chunk in body.content:
                await self._chunk(chunk, last=False)
            await self._chunk(b"", last=True)
        else:
            await self._chunk(self.response.content, last=True)

    async def _stream(self, frames: list[Frame]) -> None:
        await self._begin()
        intact = frames if self.fault is None else frames[: self.fault.after]
        if self.timing.paced:
            await self._paced(intact)
        else:
            await self._chunk(b"".join([frame.data for frame in intact]), last=self.fault is None)
        if self.fault is None or self.exchange.hung_up:
            return
        self.exchange.frames = [frame.data for frame in intact]
        await self._break(self.fault)

    async def _paced(self, frames: list[Frame]) -> None:
        departure = asyncio.ensure_future(self._gone())
        sent: list[bytes] = []
        due = opened = stopwatch()
        timing, clock, send = self.timing, self.clock, self.send
        waiting, each = timing.ttft, 1 / timing.tokens_per_second if timing.tokens_per_second else 0.0
        try:
            for at, frame in enumerate(frames):
                if at and not at % _TURN:
                    await asyncio.sleep(0)  # a pace that cannot be kept must not keep others waiting
                if frame.tokens:
                    wait, waiting = waiting or frame.tokens * each * self._jitter(timing.jitter), 0.0
                    due += wait
                    await clock.pause(wait if clock.frozen else due - stopwatch())
                if departure.done():
                    self._hung_up(opened, departure.result())
                    break
                sent.append(frame.data)
                await send({"type": "http.response.body", "body": frame.data, "more_body": True})
            else:
                if self.fault is None:
                    self.response.end()
                    await self._chunk(b"", last=True)
        finally:
            self.exchange.frames = sent
            if departure.done() and not self.exchange.hung_up:
                self._hung_up(opened, departure.result())
            await _cancel(departure)

    def _jitter(self, jitter: float) -> float:
        return self.response.chance.uniform(1 - jitter, 1 + jitter) if jitter else 1.0

    async def _chunk(self, body: bytes, *, last: bool) -> None:
        if body or last:
            await self.send({"type": "http.response.body", "body": body, "more_body": not last})

    async def _break(self, fault: Fault) -> None:
        if fault.kind == "stall":
            await self.send({"type": "http.response.body", "body": b"", "more_body": True})  # the head leaves now at the latest
            await self._hang()
        elif fault.kind == "garbage":
            self.response.end()
            await self._chunk(GARBAGE, last=True)
        else:
            self.response.end()
            self._abort(reset=fault.kind == "reset")

    async def _hang(self) -> None:
        stalled = stopwatch()
        self._hung_up(stalled, await self._gone())

    async def _gone(self) -> float:
        """Wait until the client is gone; return the instant."""
        while (await self.receive())["type"] != "http.disconnect":
            pass
        return stopwatch()

    def _hung_up(self, since: float, at: float) -> None:
        self.response.end()
        self.exchange.hung_up, self.exchange.ended, self.exchange.stayed = True, at, at - since

    def _abort(self, *, reset: bool) -> None:
        wire: Wire | None = (self.scope.get("extensions") or {}).get(WIRE)
        if wire is not None:
            wire.reset() if reset else wire.close()


async def _cancel(task: asyncio.Future[Any]) -> None:
    """End a task. Unlike awaiting it, this does not take our own being cancelled for the task's."""
    task.cancel()
    await asyncio.wait({task})
