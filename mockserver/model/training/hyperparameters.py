"""Hyperparameters: what callers may set, and what `auto` comes to once it is known how many examples there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Any
Values = dict[str, Json]
_TARGET = 3  # epochs, unless the file is small or large (recalled from the sister service, like the numbers below)
_FEWEST, _MOST = 100, 25_000  # examples that a run reads, all epochs taken together
_MOST_EPOCHS = 25
_LARGEST_BATCH = 256
_SHARE = 0.002  # of the examples, in a batch (documented)
_OPEN: Values = {"n_epochs": -1, "batch_size": -1, "learning_rate_multiplier": 1}
"""What stands for `auto` before the files are read (recorded)."""


def initial(wanted: Mapping[str, Json]) -> Values:
    """The values that a new job reports: those that are wanted, and for `auto` (None) -1, or the multiplier that is the default."""
    return _OPEN | {name: _plain(value) for name, value in wanted.items() if value is not None}


def resolved(values: Mapping[str, Json], examples: int) -> Values:
    """The values that a run uses. `examples` is how many the training file has."""
    epochs, batch = values["n_epochs"], values["batch_size"]
    found = {"n_epochs": _epochs(examples) if epochs == -1 else epochs}
    return {**values, **found, "batch_size": _batch(examples) if batch == -1 else min(batch, examples)}


def _epochs(examples: int) -> int:
    if examples * _TARGET < _FEWEST:
        return min(_MOST_EPOCHS, max(1, _FEWEST // examples))
    if examples * _TARGET > _MOST:
        return max(1, _MOST // examples)
    return _TARGET


def _batch(examples: int) -> int:
    return min(_LARGEST_BATCH, max(1, int(examples * _SHARE)))


def _plain(value: Json) -> Json:
    """A whole number without its `.0`, as the service writes it (recorded)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
