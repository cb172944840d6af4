"""One call on its way through the pipeline, and what its handler makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from mockserver.model.caching import LASTS, LEAST, STEP

if TYPE_CHECKING:
    from mockserver.errors import HeaderSet
    from mockserver.model.chunking import ChunkSize
    from mockserver.model.prompt import Prompt
    from mockserver.model.reply import Reply
    from mockserver.operations.table import Operation
    from mockserver.resource.deployment import Deployment
    from mockserver.resource.resource import Resource
    from mockserver.scenario.step import Answer
    from mockserver.state.chance import Chance

Json = Any


@dataclass(slots=True)
class Frame:
    """One event of a stream as it goes over the wire; `tokens` is how many of the answer's tokens it carries."""

    data: bytes
    tokens: int = 0


DONE = Frame(b"data: [DONE]\n\n")


@dataclass(slots=True)
class Result:
    """What a handler answers: an object (written in the operation's JSON style), raw bytes, or a stream of frames.

    `headers` are added to those of `header_set`, which an answer that did not come from a model or a store narrows. `reason`
    is what the status line says where that is not the usual.
    """

    payload: Json = None
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    content_type: str | None = "application/json"
    header_set: HeaderSet = "inference"
    frames: list[Frame] | None = None
    reason: str | None = None


@dataclass(slots=True)
class Call:
    """What a handler works with.

    `raw` is the body as parsed JSON ({} where there is none), `body` the same as the operation's validated model. `now` is
    the resource's time in Unix seconds, read once. `answer` is what the script said, None where it said nothing.

    `served_by` and `asked` are the deployment and the prompt of a call that a model answers, for whoever need not ask whether
    one does; on other calls they are not set.
    """

    resource: Resource
    operation: Operation
    path: dict[str, str]
    headers: Mapping[str, str]
    query_string: str
    chance: Chance
    now: float
    raw: Json = field(default_factory=dict)
    body: Any = None
    deployment: Deployment | None = None
    prompt: Prompt | None = None
    answer: Answer | None = None
    served_by: Deployment = field(init=False, repr=False)
    asked: Prompt = field(init=False, repr=False)

    @property
    def prompt_tokens(self) -> int:
        """How many tokens the prompt has."""
        asked = self.asked
        if asked.counted is None:
            from mockserver.model import tokens

            asked.counted = tokens.count_prompt(asked)
        return asked.counted

    def read_from_cache(self) -> int:
        """How many tokens of the prompt the deployment had read before; from now on it has read all of them."""
        size = self.prompt_tokens
        if size < LEAST:
            return 0
        asked = self.body.prompt_cache_retention or self.served_by.model.cache_retention
        if asked is None:
            return 0
        key = self.body.prompt_cache_key or ""
        return min(self.served_by.cache.read(self.asked, self.now, key=key, lasts=LASTS[asked]), size // STEP * STEP)

    @property
    def created(self) -> int:
        """`now` in whole Unix seconds."""
        return int(self.now)

    def reply(self, choice: int = 0) -> Reply:
        """What the model says: the script's reply, else an improvised one, another for each `choice`.

        Improvised words depend on the seed and the prompt alone, so that asking again, or as a stream, gives them again.
        """
        if self.answer is not None and self.answer.reply is not None:
            return self.answer.reply
        from mockserver.model.improvise import improvise
        from mockserver.state.chance import Chance

        seed = f"{self.resource.seed}/{getattr(self.body, 'seed', None)}/{choice}"
        reply = improvise(self.asked, Chance(f"{seed}/{self.asked.turns!r}{self.asked.tools!r}{self.asked.output!r}"))
        return self.answer.finish(reply) if self.answer is not None else reply

    @property
    def chunk(self) -> ChunkSize:
        """How the script wants a stream cut."""
        return self.answer.timing.chunk if self.answer is not None else "token"

    def query(self) -> dict[str, list[str]]:
        """The query's parameters; `name[]` and `name` are the same."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query_string, keep_blank_values=True):
            found.setdefault(name.removesuffix("[]"), []).append(value)
        return found
