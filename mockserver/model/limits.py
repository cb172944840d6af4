"""What becomes of a reply under the caller's limits: stop sequences, the token limit, and what it all counts.

A limit covers thinking first (docs: reasoning tokens count), then parts in order; what no longer fits is cut at a token's end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mockserver.model import tokens
from mockserver.model.prompt import Prompt
from mockserver.model.reply import Audio, BuiltInCall, Part, Reasoning, Refusal, Reply, StopReason, Text, ToolCall

_CALL_OVERHEAD = 7


@dataclass(slots=True)
class Spoken:
    """A reply as it was said: the parts that fitted, why it ended, and its tokens (reasoning among them)."""

    parts: list[Part]
    stop: StopReason
    completion_tokens: int
    reasoning_tokens: int

    @property
    def text(self) -> str:
        """All answer text, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def tool_calls(self) -> list[ToolCall]:
        """The calls of the caller's own tools, in order."""
        return [part for part in self.parts if isinstance(part, ToolCall)]


def speak(reply: Reply, prompt: Prompt) -> Spoken:
    """Say `reply` within the limits of `prompt`."""
    filter_result = reply.completion_filter
    if filter_result is not None and filter_result.blocked:
        thought = sum(_thought(part, prompt) for part in reply.parts if isinstance(part, Reasoning))
        kept: list[Part] = [part for part in reply.parts if isinstance(part, Reasoning)]
        return Spoken(kept, "content_filter", thought, thought)
    encoding, left = prompt.model.encoding, prompt.max_tokens
    if len(reply.parts) == 1 and isinstance(only := reply.parts[0], Text) and not prompt.stop:
        size = tokens.count(only.text, encoding)
        if left is None or size <= left:
            return Spoken(reply.parts, reply.stop or "stop", size, 0)
    parts: list[Part] = []
    used = thought = 0
    stop: StopReason | None = None
    for part in reply.parts:
        stopped = _stop(part, prompt.stop) if prompt.stop else part
        size = _size(stopped, prompt)
        if left is not None and used + size > left:
            cut = _cut(stopped, left - used, encoding)
            if isinstance(part, Reasoning):
                thought += left - used
            if cut is not None:
                parts.append(cut)
            used, stop = left, "length"
            break
        parts.append(stopped)
        used += size
        if isinstance(part, Reasoning):
            thought += size
        if stopped is not part:
            stop = "stop"
            break
    ending = stop or reply.stop or ("tool_calls" if parts and isinstance(parts[-1], ToolCall) else "stop")
    return Spoken(parts, ending, used, thought)


def _size(part: Part, prompt: Prompt) -> int:
    encoding = prompt.model.encoding
    if isinstance(part, (Text, Refusal)):
        return tokens.count(part.text, encoding)
    if isinstance(part, Reasoning):
        return _thought(part, prompt)
    if isinstance(part, ToolCall):
        return tokens.count(part.arguments, encoding) + tokens.count(part.name, encoding) + _CALL_OVERHEAD
    if isinstance(part, Audio):
        return tokens.count(part.transcript, encoding)
    return 0


def _thought(part: Reasoning, prompt: Prompt) -> int:
    if part.tokens is not None:
        return part.tokens
    return tokens.count(part.text or "\n".join(part.summary), prompt.model.encoding)


def _stop(part: Part, sequences: tuple[str, ...]) -> Part:
    """`part` up to the first stop sequence; the same object where none occurs."""
    if not isinstance(part, Text):
        return part
    found = [at for at in (part.text.find(sequence) for sequence in sequences if sequence) if at >= 0]
    return Text(part.text[: min(found)], part.annotations) if found else part


def _cut(part: Part, room: int, encoding: str) -> Part | None:
    """What fits of `part`; None where a caller would see nothing of it."""
    if isinstance(part, Reasoning):
        return replace(part, tokens=room)
    if room <= 0:
        return None
    if isinstance(part, Text):
        return Text(tokens.truncate(part.text, room, encoding), part.annotations)
    if isinstance(part, Refusal):
        return Refusal(tokens.truncate(part.text, room, encoding))
    if isinstance(part, ToolCall):
        return replace(part, arguments=tokens.truncate(part.arguments, room, encoding))
    return None if isinstance(part, BuiltInCall) else part
