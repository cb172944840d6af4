"""What the pretend model says, in one form for every surface: a script or the improviser makes a `Reply`, and each surface
renders it. It knows no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Json = Any
Severity = Literal["safe", "low", "medium", "high"]


@dataclass(slots=True)
class Text:
    """Text. `annotations` are citations as they are sent, for instance `{"type": "url_citation", …}`."""

    text: str
    annotations: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Refusal:
    """Text with which the model refuses."""

    text: str


@dataclass(slots=True)
class Reasoning:
    """Reasoning before the answer: paragraphs of its summary, its text (which other vendors' models return), and its length.

    `tokens` is None where they are counted. `skipped` means that there was no reasoning at all, so that even a model that
    reasons returns no trace of it.
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
    """A call of a tool that the service runs itself: a whole output item with its `type`, without its id.

    Only the Responses surface returns it; chat completions leave it out.
    """

    item: dict[str, Json]


@dataclass(slots=True)
class Audio:
    """Speech: sound in base64, and its words."""

    transcript: str
    data: str


Part = Text | Refusal | Reasoning | ToolCall | BuiltInCall | Audio
StopReason = Literal["stop", "length", "content_filter", "tool_calls"]


@dataclass(slots=True)
class FilterResult:
    """The findings of the content filter by category, for the prompt or for the completion.

    A severity category (`hate`, `sexual`, `violence`, `self_harm`) maps to a severity; a detection category (`jailbreak`,
    `indirect_attack`, `protected_material_text`, `protected_material_code`, `profanity`) to True where detected.
    `blocked` is whether the prompt or completion is withheld, by default where a severity is medium or high or a detection is
    true. `failed` is whether the filter is down: the answer is not filtered, and reports that.
    """

    findings: dict[str, Severity | bool] = field(default_factory=dict)
    blocked: bool = False
    failed: bool = False


@dataclass(slots=True)
class Reply:
    """Ordered parts and why the model stopped. `usage` overrides token counts, by their chat or Responses names.

    With `stop` None the parts decide: tool_calls where the last part is a call, else stop.
    """

    parts: list[Part]
    stop: StopReason | None = None
    usage: dict[str, Json] = field(default_factory=dict)
    prompt_filter: FilterResult | None = None
    completion_filter: FilterResult | None = None

    @property
    def text(self) -> str:
        """All text, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    def usage_or(self, count: int, *names: str) -> int:
        """The token count that `usage` has under one of `names`, else `count`."""
        if not self.usage:
            return count
        for name in names:
            if name in self.usage:
                return int(self.usage[name])
        return count

    def details_or(self, side: Literal["prompt", "completion"], counts: dict[str, int]) -> dict[str, int]:
        """The details of one side's tokens: `counts`, with those that `usage` overrides."""
        scripted: dict[str, int] = {}
        for name in _DETAILS[side]:
            scripted |= self.usage.get(name, {})
        return {name: scripted.get(name, count) for name, count in counts.items()} if scripted else counts

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
    """The pace of an answer, times in seconds. `chunk` is how a stream is cut: by token, word, character or n characters."""

    delay: float = 0.0
    ttft: float = 0.0
    tokens_per_second: float | None = None
    jitter: float = 0.0
    chunk: Literal["token", "word", "char"] | int = "token"

    @property
    def paced(self) -> bool:
        """Whether the events of a stream are sent one by one, with pauses."""
        return self.ttft > 0 or self.tokens_per_second is not None


@dataclass(slots=True)
class Fault:
    """A fault in the delivery. `after` counts stream events; an answer that is not streamed breaks halfway through its body.

    cut: the connection closes cleanly but early · stall: nothing more is sent and the connection stays open ·
    garbage: bytes that are not SSE, then the end · reset: the connection is reset (TCP RST).
    """

    kind: Literal["cut", "stall", "garbage", "reset"]
    after: int = 0


@dataclass(slots=True)
class Raw:
    """An answer whose status, body and headers are those of the script."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


DEFAULT_TIMING = Timing()
