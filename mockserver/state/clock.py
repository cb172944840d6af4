"""The only source of time. A resource's clock is real by default; a test freezes it, sets it, or moves it on."""

from __future__ import annotations

import asyncio
import re
import time

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)\s*")
LATEST = 253_402_214_400.0  # the last day of the year 9999, beyond which dates cannot be written

stopwatch = time.perf_counter


def seconds(duration: float | str) -> float:
    """A duration in seconds: a number, or text such as `200ms`, `1.5s`, `2m`, `24h`, `1h30m`, `7d`.

    Raises ValueError for anything else, and for a negative number.
    """
    number = _spelled(duration) if isinstance(duration, str) else duration
    if not 0 <= number < 1e10:
        raise ValueError(f"{duration!r:.60} is not a duration: it must be at least 0 seconds and below 1e10")
    return float(number)


def _spelled(text: str) -> float:
    total, at, text = 0.0, 0, text.strip()
    while at < len(text):
        part = _DURATION.match(text, at)
        if part is None:
            break
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    if text and at == len(text):
        return total
    try:
        return float(text)
    except ValueError:
        raise ValueError(
            f"{text!r:.60} is not a duration; write for instance 200ms, 1.5s, 2m, 24h or a number of seconds"
        ) from None


class Clock:
    """A resource's time, in Unix seconds.

    While frozen, only `advance` and a scripted pause move it: a pause takes no real time then, and moves the clock instead.
    """

    __slots__ = ("_frozen", "_offset")

    def __init__(self, frozen_at: float | None = None) -> None:
        self._offset = 0.0
        self._frozen = frozen_at

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._frozen is not None

    def now(self) -> float:
        """The time."""
        return time.time() + self._offset if self._frozen is None else self._frozen

    def freeze(self, at: float | None = None) -> float:
        """Stop time, at `at` or now; return it. Raises ValueError for a time before 1970 or after the year 9999."""
        if at is not None and not 0 <= at <= LATEST:
            raise ValueError(f"{at!r:.60} is not a time in Unix seconds up to the year 9999")
        self._frozen = self.now() if at is None else float(at)
        return self._frozen

    def resume(self) -> float:
        """Let time run on from where it stands; return it."""
        if self._frozen is not None:
            self._offset = self._frozen - time.time()
            self._frozen = None
        return self.now()

    def advance(self, duration: float | str) -> float:
        """Move time on by a duration (see `seconds`); return the new time. Raises ValueError for one beyond the year 9999."""
        step = seconds(duration)
        if self.now() + step > LATEST:
            raise ValueError("the clock cannot go beyond the year 9999")
        if self._frozen is None:
            self._offset += step
        else:
            self._frozen += step
        return self.now()

    def reset(self) -> None:
        """Back to real, running time."""
        self._offset, self._frozen = 0.0, None

    async def pause(self, duration: float) -> None:
        """Wait `duration` seconds; while frozen, move the clock instead."""
        if duration <= 0:
            return
        if self._frozen is None:
            await asyncio.sleep(duration)
        else:
            self._frozen = min(self._frozen + duration, LATEST)
