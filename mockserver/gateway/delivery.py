"""Bytes on their way: JSON in its family's spelling, server-sent events, their pace, and the ways in which both break."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mockserver.model.reply import DEFAULT_TIMING
from mockserver.state.clock import stopwatch

if TYPE_CHECKING:
    from mockserver.gateway.headers import HeaderList, ResponseHead
    from mockserver.model.reply import Fault, Timing
    from mockserver.operations.call import Frame, Result
    from mockserver.resource.journal import Exchange
    from mockserver.scenario.step import Answer
    from mockserver.state.chance import Chance
    from mockserver.state.clock import Clock

Json = Any
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

GARBAGE = b'data: {"choices":[{"delta":{"conte\n\n'
_TURN = 64
ABORT = "mockserver.abort"
SPLICE = "mockserver.splice"


@dataclass(slots=True)
class Delivery:
    """Sends one answer at the pace, and with the fault, that its script asks for."""

    scope: Scope
    receive: Receive
    send: Send
    clock: Clock
    chance: Chance
    exchange: Exchange
    script: Answer | None = None

    @property
    def timing(self) -> Timing:
        """The pace that the script asks for."""
        return self.script.timing if self.script is not None else DEFAULT_TIMING

    @property
    def fault(self) -> Fault | None:
        """The fault that the script asks for."""
        return self.script.fault if self.script is not None else None

    async def deliver(self, status: int, head: ResponseHead, result: Result) -> None:
        """Send the answer. The exchange notes what really went out, and whether the client left early."""
        if self.script is None or (self.script.timing is DEFAULT_TIMING and self.script.fault is None):
            frames = result.frames
            body = (result.payload or b"") if frames is None else b"".join([frame.data for frame in frames])
            await self._begin(status, head)
            self._stamp()
            return await self.send({"type": "http.response.body", "body": body})
        if self.fault is not None:
            self.exchange.fault = self.fault.kind
        if await self._left_during(self.timing.delay):
            return None
        stalls = self.fault is not None and self.fault.kind == "stall"
        if not (stalls or (result.frames is not None and self.timing.paced)):
            self._stamp()
        if self.fault is not None and self.fault.kind == "reset" and (result.frames is None or self.fault.after == 0):
            self.exchange.frames = None if result.frames is None else []
            return self._abort(reset=True)
        if result.frames is None:
            await self._whole(status, head, result.payload or b"")
        else:
            await self._stream(status, head, result.frames)
        return None

    async def _left_during(self, delay: float) -> bool:
        """Wait; say whether the client has left meanwhile."""
        if delay <= 0 or self.clock.frozen:
            await self.clock.pause(delay)
            return False
        opened, leaving = stopwatch(), asyncio.ensure_future(self._gone())
        try:
            await asyncio.wait({leaving}, timeout=delay)
        finally:
            await _called_off(leaving)
        if leaving.cancelled():
            return False
        self._hung_up(opened, leaving.result())
        return True

    async def _begin(self, status: int, head: ResponseHead) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": self._spliced(head)})

    def _spliced(self, head: ResponseHead) -> HeaderList:
        """The headers that have to be sent: our own server takes most of them as lines that are spelt already."""
        splice = self._extension(SPLICE)
        if splice is None or self.scope["method"] == "HEAD":
            return head.pairs
        splice(head.lines, head.reason)
        return head.framing

    async def _whole(self, status: int, head: ResponseHead, body: bytes) -> None:
        kind = self.fault.kind if self.fault is not None else None
        if kind == "stall":
            return await self._hang()
        await self._begin(status, head)
        if kind is None:
            await self.send({"type": "http.response.body", "body": body})
        elif kind == "garbage":
            half = body[: len(body) // 2]
            await self.send({"type": "http.response.body", "body": half + b" " * (len(body) - len(half))})
        else:
            await self.send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            self._abort(reset=False)
        return None

    async def _stream(self, status: int, head: ResponseHead, frames: list[Frame]) -> None:
        await self._begin(status, head)
        sound = frames if self.fault is None else frames[: self.fault.after]
        if self.timing.paced:
            await self._paced(sound)
        else:
            await self._chunk(b"".join([frame.data for frame in sound]), last=self.fault is None)
        if self.fault is None or self.exchange.hung_up:
            return
        self.exchange.frames = [frame.data for frame in sound]
        await self._break(self.fault)

    async def _paced(self, frames: list[Frame]) -> None:
        left = asyncio.ensure_future(self._gone())
        sent: list[bytes] = []
        due = opened = stopwatch()
        timing, clock, send = self.timing, self.clock, self.send
        waiting, each = timing.ttft, 1 / timing.tokens_per_second if timing.tokens_per_second else 0.0
        try:
            for at, frame in enumerate(frames):
                if not at % _TURN:
                    await asyncio.sleep(0)  # a pace that cannot be kept must not keep others waiting
                if frame.tokens:
                    wait, waiting = waiting or frame.tokens * each * self._jitter(timing.jitter), 0.0
                    due += wait
                    await clock.pause(wait if clock.frozen else due - stopwatch())
                if left.done():
                    self._hung_up(opened, left.result())
                    break
                sent.append(frame.data)
                await send({"type": "http.response.body", "body": frame.data, "more_body": True})
            else:
                if self.fault is None:
                    self._stamp()
                    await self._chunk(b"", last=True)
        finally:
            self.exchange.frames = sent
            if left.done() and not self.exchange.hung_up:
                self._hung_up(opened, left.result())
            await _called_off(left)

    def _jitter(self, jitter: float) -> float:
        return self.chance.uniform(1 - jitter, 1 + jitter) if jitter else 1.0

    async def _chunk(self, body: bytes, *, last: bool) -> None:
        if body or last:
            await self.send({"type": "http.response.body", "body": body, "more_body": not last})

    async def _break(self, fault: Fault) -> None:
        if fault.kind == "stall":
            await self.send({"type": "http.response.body", "body": b"", "more_body": True})  # the head leaves now at the latest
            await self._hang()
        elif fault.kind == "garbage":
            self._stamp()
            await self._chunk(GARBAGE, last=True)
        else:
            self._stamp()
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
        self._stamp()
        self.exchange.hung_up, self.exchange.ended, self.exchange.stayed = True, at, at - since

    def _stamp(self) -> None:
        """Note that the answer ends here, before its last byte leaves: no client can have begun to wait any earlier."""
        self.exchange.ended = stopwatch()
        self.exchange.ended_at = self.clock.now()

    def _abort(self, *, reset: bool) -> None:
        abort = self._extension(ABORT)
        if abort is not None:
            abort(reset)

    def _extension(self, name: str) -> Callable[..., None] | None:
        """What a server can do beyond ASGI, None where it cannot."""
        extensions = self.scope.get("extensions")
        return extensions.get(name) if extensions else None


async def _called_off(task: asyncio.Future[Any]) -> None:
    """End a task. Unlike awaiting it, this does not take our own being cancelled for the task's."""
    task.cancel()
    await asyncio.wait({task})
