"""Applies the caller's limits to a reply, stop sequences and the number of tokens, and counts what is left.

Reasoning counts first (docs: it is part of the limit), then the parts in order; what no longer fits is cut at a token's end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mockserver.model import tokens
from mockserver.model.prompt import Prompt
from mockserver.model.reply import Audio, BuiltInCall, Part, Reasoning, Refusal, Reply, StopReason, Text, ToolCall

Json = Any
_CALL_OVERHEAD = 7  # tokens around the name and arguments of a call (inferred)


@dataclass(slots=True)
class LimitedReply:
    """What is left of a reply: its parts, why it ended, and its tokens (of which some are reasoning)."""

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


def apply_limits(reply: Reply, prompt: Prompt) -> LimitedReply:
    """Cut `reply` to the limits of `prompt` and count its tokens. A blocked completion keeps only its reasoning."""
    filter_result = reply.completion_filter
    if filter_result is not None and filter_result.blocked:
        reasoning: list[Part] = [part for part in reply.parts if isinstance(part, Reasoning)]
        count = sum(_count(part, prompt) for part in reasoning)
        return LimitedReply(reasoning, "content_filter", count, count)
    limit = prompt.max_tokens
    if len(reply.parts) == 1 and isinstance(only := reply.parts[0], Text) and not prompt.stop:
        count = tokens.count(only.text, prompt.model.encoding)
        if limit is None or count <= limit:  # by far the most replies
            return LimitedReply(reply.parts, reply.stop or "stop", count, 0)
    return _apply(reply, prompt, limit)


def _apply(reply: Reply, prompt: Prompt, limit: int | None) -> LimitedReply:
    parts: list[Part] = []
    total = reasoning = 0
    stop: StopReason | None = None
    for part in reply.parts:
        kept, stopped = _cut_at_stop(part, prompt.stop)
        count = _count(kept, prompt)
        if limit is not None and total + count > limit:
            count, stop = limit - total, "length"
            parts += _cut_to_length(kept, count, prompt.model.encoding)
        else:
            parts.append(kept)
            stop = "stop" if stopped else None
        total += count
        reasoning += count if isinstance(part, Reasoning) else 0
        if stop is not None:
            break
    ending = stop or reply.stop or ("tool_calls" if parts and isinstance(parts[-1], ToolCall) else "stop")
    return LimitedReply(parts, ending, total, reasoning)


def _count(part: Part, prompt: Prompt) -> int:
    encoding = prompt.model.encoding
    if isinstance(part, (Text, Refusal)):
        return tokens.count(part.text, encoding)
    if isinstance(part, Reasoning):
        text = part.text or "\n".join(part.summary)
        return tokens.count(text, encoding) if part.tokens is None else part.tokens
    if isinstance(part, ToolCall):
        return tokens.count(part.arguments, encoding) + tokens.count(part.name, encoding) + _CALL_OVERHEAD
    if isinstance(part, Audio):
        return tokens.count(part.transcript, encoding)
    return 0


def _cut_at_stop(part: Part, sequences: tuple[str, ...]) -> tuple[Part, bool]:
    """`part` up to the first stop sequence, and whether there is one."""
    if not isinstance(part, Text) or not sequences:
        return part, False
    starts = [at for at in (part.text.find(sequence) for sequence in sequences if sequence) if at >= 0]
    return (_shortened(part, part.text[: min(starts)]), True) if starts else (part, False)


def _shortened(part: Text, text: str) -> Text:
    """The beginning of a text, with the citations that stand in it."""
    return Text(text, [one for one in part.annotations if _end(one) <= len(text)])


def _end(annotation: Json) -> int:
    places = [annotation.get(name) for name in ("end_index", "index")] if isinstance(annotation, dict) else []
    return max((place for place in places if isinstance(place, int)), default=0)


def _cut_to_length(part: Part, limit: int, encoding: str) -> list[Part]:
    """What fits of `part` into `limit` tokens; [] where a caller would see nothing of it."""
    if isinstance(part, Reasoning):
        return [replace(part, tokens=limit)]
    if limit <= 0 or isinstance(part, BuiltInCall):
        return []
    if isinstance(part, Text):
        return [_shortened(part, tokens.truncate(part.text, limit, encoding))]
    if isinstance(part, Refusal):
        return [Refusal(tokens.truncate(part.text, limit, encoding))]
    if isinstance(part, ToolCall):
        return [replace(part, arguments=tokens.truncate(part.arguments, limit, encoding))]
    return [part]
