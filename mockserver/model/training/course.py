"""How a run goes: its steps, its curves and its checkpoints. The seed decides all of it, and no random number is in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mockserver.model.training.bases import Method
from mockserver.state.chance import Chance

Json = Any
Metrics = dict[str, Json]
_REPORTS = 10  # steps whose metrics are events, besides the first (documented: every tenth of a hundred)
_KEPT = 3  # versions that a run leaves: the model, and the checkpoints of the two epochs before (documented)
COLUMNS = {
    "step": "step",
    "train_loss": "train_loss",
    "train_mean_token_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "validation_mean_token_accuracy": "valid_mean_token_accuracy",
    "full_valid_loss": "full_valid_loss",
    "full_valid_mean_token_accuracy": "full_valid_mean_token_accuracy",
}
"""The columns of `results.csv`, and the metrics in them (documented)."""
REWARDS = {
    "step": "step",
    "train_mean_reward": "train_mean_reward",
    "full_valid_mean_reward": "full_valid_mean_reward",
}
"""The columns for reinforcement (inferred: rewards stand in the place of losses)."""


@dataclass(frozen=True, slots=True)
class Course:
    """A run of `epochs` over `examples` in batches. `validated` is whether there is a validation file.

    A model that is reinforced begins with a mean reward, its `baseline`, and is evaluated every `interval` steps, or once an epoch.
    """

    seed: int
    method: Method
    examples: int
    epochs: int
    batch: int
    validated: bool
    baseline: float = 0.0
    interval: int | None = None

    @property
    def steps(self) -> int:
        """How many steps there are: one for each batch of what all epochs read."""
        return -(-self.examples * self.epochs // self.batch)

    @property
    def checkpoints(self) -> list[int]:
        """The last steps of the last epochs; the very last is the model's own."""
        ends = {-(-self.examples * epoch // self.batch) for epoch in range(1, self.epochs + 1)}
        return sorted(ends)[-_KEPT:]

    def reported(self, after: int, until: int) -> Iterator[int]:
        """The steps behind `after`, up to `until`, whose metrics are reported in events."""
        every = max(1, round(self.steps / _REPORTS))
        steps = {1, self.steps, *range(every, self.steps + 1, every)}
        return iter(sorted(step for step in steps if after < step <= until))

    def metrics(self, step: int) -> Metrics:
        """What was measured in a step. With a validation file, the whole of it is measured at the end of each epoch."""
        if self.method == "reinforcement":
            rewards = {"step": step, "train_mean_reward": self._reward(step, "train")}
            return rewards | ({"full_valid_mean_reward": self._reward(step, "valid")} if self._is_evaluated(step) else {})
        loss, accuracy = self._measured(step, "train", 1.0)
        metrics = {"step": step, "train_loss": loss, "train_mean_token_accuracy": accuracy}
        if self.validated:
            metrics |= dict(zip(("valid_loss", "valid_mean_token_accuracy"), self._measured(step, "valid", 1.2), strict=True))
        if self.validated and self._ends_epoch(step):
            full = self._measured(step, "full", 1.15)
            metrics |= dict(zip(("full_valid_loss", "full_valid_mean_token_accuracy"), full, strict=True))
        return metrics

    def rows(self) -> Iterator[str]:
        """The lines of `results.csv`, header first."""
        columns = REWARDS if self.method == "reinforcement" else COLUMNS
        yield ",".join(columns) + "\n"
        for step in range(1, self.steps + 1):
            metrics = self.metrics(step)
            yield ",".join(str(metrics.get(name, "")) for name in columns.values()) + "\n"

    def _is_evaluated(self, step: int) -> bool:
        return self._ends_epoch(step) if self.interval is None else step == self.steps or step % self.interval == 0

    def _ends_epoch(self, step: int) -> bool:
        read = step * self.batch
        return step == self.steps or read // self.examples > (read - self.batch) // self.examples

    def _measured(self, step: int, kind: str, factor: float) -> tuple[Json, Json]:
        """Loss and accuracy: the loss falls from some 2 to some 0.1, fast at first, and more smoothly where much is measured."""
        start = Chance(f"{self.seed}/start").uniform(1.4, 2.4)
        end = Chance(f"{self.seed}/end").uniform(0.05, 0.2) * factor
        noise = Chance(f"{self.seed}/{kind}/{step}").uniform(0.8, 1.2) if kind != "full" else 1.0
        remaining = (1.0 - self._progress(step)) ** 3
        loss = (end + (start - end) * remaining) * noise
        return _number(loss), _number(min(1.0, max(0.05, 1.02 - 0.3 * loss)))

    def _reward(self, step: int, kind: str) -> Json:
        """The mean reward rises from where the model begins towards 1, slower and slower."""
        top = Chance(f"{self.seed}/top").uniform(0.6, 0.9)
        noise = Chance(f"{self.seed}/{kind}/{step}").uniform(-0.03, 0.03)
        gained = (1.0 - self.baseline) * top * (1.0 - (1.0 - self._progress(step)) ** 2)
        return _number(min(1.0, max(0.0, self.baseline + gained + noise)))

    def _progress(self, step: int) -> float:
        return (step - 1) / (self.steps - 1) if self.steps > 1 else 1.0


def _number(value: float) -> Json:
    """A measured number; a whole one without its `.0` (recorded)."""
    rounded = round(value, 12)
    return int(rounded) if rounded.is_integer() else rounded
