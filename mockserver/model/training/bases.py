"""The models that can be trained, by what, and how long an example may be (documented; the lengths recalled)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from mockserver.model.catalogue import Model, find

Method = Literal["supervised", "dpo", "reinforcement"]
_SUPERVISED: tuple[Method, ...] = ("supervised",)
_PREFERENCES: tuple[Method, ...] = ("supervised", "dpo")
_REINFORCED: tuple[Method, ...] = ("reinforcement",)


@dataclass(frozen=True, slots=True)
class Base:
    """A snapshot that can be trained. `context` is how many tokens an example may have; `chat` is False for completion models."""

    name: str
    methods: tuple[Method, ...]
    context: int
    chat: bool = True

    @property
    def model(self) -> Model:
        """The catalogue's model."""
        model = find(self.name)
        assert model is not None
        return model


_ALL = (
    Base("babbage-002", _SUPERVISED, 16_384, chat=False),
    Base("davinci-002", _SUPERVISED, 16_384, chat=False),
    Base("gpt-35-turbo-0613", _SUPERVISED, 4_096),
    Base("gpt-35-turbo-1106", _SUPERVISED, 16_385),
    Base("gpt-35-turbo-0125", _SUPERVISED, 16_385),
    Base("gpt-4-0613", _SUPERVISED, 8_192),
    Base("gpt-4o-mini-2024-07-18", _SUPERVISED, 65_536),
    Base("gpt-4o-2024-08-06", _PREFERENCES, 65_536),
    Base("gpt-4.1-2025-04-14", _PREFERENCES, 128_000),
    Base("gpt-4.1-mini-2025-04-14", _PREFERENCES, 128_000),
    Base("gpt-4.1-nano-2025-04-14", _PREFERENCES, 128_000),
    Base("o4-mini-2025-04-16", _REINFORCED, 200_000),
    Base("gpt-5-2025-08-07", _REINFORCED, 272_000),
)
BASES: dict[str, Base] = {base.name: base for base in _ALL}
_VERSION = re.compile(r"-(\d{4}-\d\d-\d\d|\d{4})")


def base_of(model: str) -> Base | None:
    """What a model's name, snapshot or fine-tuned model's name trains: of a plain name the newest snapshot; None where that cannot be."""
    name = model.partition(".ft-")[0].replace("gpt-3.5-", "gpt-35-")
    if name in BASES:
        return BASES[name]
    snapshots = [base for base in _ALL if base.name.startswith(name) and _VERSION.fullmatch(base.name, len(name))]
    return snapshots[-1] if snapshots else None
