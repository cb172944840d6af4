"""What the pretend model says, in one shape for every surface: a script or the improviser makes a `Reply`, and each
surface renders it. It knows no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = Any
Severity = Literal["safe", "low", "medium", "high"]


@dataclass(slots=True)
class Text:
    """Answer text. `annotations` are wire-shaped citations, for instance `{"type": "url_citation", …}`."""

    text: str
    annotations: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Refusal:
    """The model declines, in words of its own."""

    text: str


@dataclass(slots=True)
class Reasoning:
    """Thinking before the answer: summary paragraphs, raw thoughts (other vendors' models show them), and its length.

    `tokens` is None where the length is to be derived from what is written. `skipped` says that there was no thinking at all,
    where a model that reasons would otherwise show that it thought.
    """

    summary: tuple[str, ...] = ()
    text: str = ""
    tokens: int | None = None
    skipped: bool = False


@dataclass(slots=True)
class ToolCall:
    """A call of the caller's tool. `arguments` is the JSON text, or a custom tool's free text input."""

    name: str
    arguments: str
    kind: Literal["function", "custom"] = "function"
    id: str | None = None


@dataclass(slots=True)
class BuiltInCall:
    """The use of a tool that the service runs itself: a whole output item less its id, `type` included.

    Only the Responses surface can show it; chat completions leave it out.
    """

    item: dict[str, Json]


@dataclass(slots=True)
class Audio:
    """Spoken answer: base64 sound and what it says."""

    transcript: str
    data: str


Part = Text | Refusal | Reasoning | ToolCall | BuiltInCall | Audio
StopReason = Literal["stop", "length", "content_filter", "tool_calls"]


@dataclass(slots=True)
class FilterResult:
    """What the content filter found, by category, on one side (prompt or completion).

    A severity category (`hate`, `sexual`, `violence`, `self_harm`) maps to a severity; a detection category (`jailbreak`,
    `indirect_attack`, `protected_material_text`, `protected_material_code`, `profanity`) to True where detected.
    `blocked` says whether the side is withheld: by default wherever a severity is medium or high or a detection is true.
    `failed` is the filter system being down: the answer comes unfiltered and says so.
    """

    found: dict[str, Severity | bool] = field(default_factory=dict)
    blocked: bool = False
    failed: bool = False


@dataclass(slots=True)
class Reply:
    """Ordered parts and why the model stopped. `usage` overrides counted values by their chat or Responses names.

    `stop` None lets the parts decide: tool_calls where the last part is a call, else stop.
    """

    parts: list[Part]
    stop: StopReason | None = None
    usage: dict[str, Json] = field(default_factory=dict)
    prompt_filter: FilterResult | None = None
    completion_filter: FilterResult | None = None

    @property
    def text(self) -> str:
        """All answer text, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    def used(self, counted: int, *names: str) -> int:
        """`counted`, unless the script overrides it under one of `names`."""
        if not self.usage:
            return counted
        for name in names:
            if name in self.usage:
                return int(self.usage[name])
        return counted

    def detailed(self, side: Literal["prompt", "completion"], counted: dict[str, int]) -> dict[str, int]:
        """The details of what was `counted` on one side, as far as the script does not override them."""
        given: dict[str, int] = {}
        for name in _DETAILS[side]:
            given |= self.usage.get(name, {})
        return {name: given.get(name, count) for name, count in counted.items()} if given else counted

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The calls of the caller's own tools, in order."""
        return [part for part in self.parts if isinstance(part, ToolCall)]


_DETAILS = {
    "prompt": ("prompt_tokens_details", "input_tokens_details"),
    "completion": ("completion_tokens_details", "output_tokens_details"),
}


@dataclass(frozen=True, slots=True)
class Timing:
    """When the bytes leave, in seconds. `chunk` is how a stream is cut: by token, word, character or n characters."""

    delay: float = 0.0
    ttft: float = 0.0
    tokens_per_second: float | None = None
    jitter: float = 0.0
    chunk: Literal["token", "word", "char"] | int = "token"

    @property
    def paced(self) -> bool:
        """Whether a stream has to be sent piece by piece."""
        return self.ttft > 0 or self.tokens_per_second is not None


@dataclass(slots=True)
class Fault:
    """How delivery breaks. `after` counts stream events; in an answer that is not streamed the body breaks halfway.

    cut: the connection closes cleanly but early · stall: nothing more is sent and the connection stays open ·
    garbage: bytes that are not SSE, then the end · reset: the connection is reset (TCP RST).
    """

    kind: Literal["cut", "stall", "garbage", "reset"]
    after: int = 0


@dataclass(slots=True)
class Raw:
    """An answer whose status and body the script wrote itself."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


DEFAULT_TIMING = Timing()
