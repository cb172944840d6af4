"""A deployment: a model under a name, with its own quota and habits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mockserver.model.caching import PromptCache
from mockserver.resource.quota import Quota

if TYPE_CHECKING:
    from mockserver.model.catalogue import Model
    from mockserver.scenario.rule import Behaviour


@dataclass(slots=True)
class Deployment:
    """A model under a name.

    `behaviour` is what it does to all its calls: throttle, filter, slow down, stall, cut. `cache` is what it has read lately.
    `enqueued_tokens` is how many tokens batches may have waiting for it, None where that is not declared.
    """

    name: str
    model: Model
    quota: Quota = field(default_factory=Quota)
    behaviour: Behaviour | None = None
    enqueued_tokens: int | None = None
    cache: PromptCache = field(default_factory=PromptCache)
