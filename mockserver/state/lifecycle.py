"""How a status advances: a function of the clock or of how often it was asked for. Nothing runs in the background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """When long work is done: at once (the default), after a number of looks, or after a time.

    The answer that creates the work still shows its first stage. By default the first look at it shows the last one, so that
    SDK pollers finish at once; with `polls` that many looks still show it on its way; with `seconds`, that much of the
    resource's time must pass, and looks do not matter.
    """

    polls: int = 0
    seconds: float | None = None

    def stage(self, stages: Sequence[str], looks: int, elapsed: float) -> str:
        """The stage that is reached after `looks` looks and `elapsed` seconds; earlier stages share the way there evenly."""
        last = len(stages) - 1
        if self.seconds is None:
            at = looks * last // (self.polls + 1)
        else:
            at = last if elapsed >= self.seconds else int(max(elapsed, 0.0) / self.seconds * last)
        return stages[min(at, last)]


AT_ONCE = Lifecycle()
