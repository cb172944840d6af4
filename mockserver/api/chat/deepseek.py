"""Chat completions of DeepSeek's models, in the order and with the members of their own server (recorded in June 2026)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.api.chat.deltas import Delta, deltas
from mockserver.api.chat.encoding import event
from mockserver.model.reply import Reasoning
from mockserver.operations.call import Frame

if TYPE_CHECKING:
    from mockserver.model.limits import LimitedReply
    from mockserver.model.reply import Reply
    from mockserver.operations.call import ModelCall

Json = Any
_MEMBERS = ("role", "content", "reasoning_content", "tool_calls")
_END_OF_TEXT = 1


def completion(call: ModelCall, answers: list[tuple[Reply, LimitedReply]]) -> dict[str, Json]:
    """The `chat.completion` object of one choice per reply."""
    first, _ = answers[0]
    prompt_tokens = first.usage_or(call.prompt_tokens, "prompt_tokens", "input_tokens")
    counted = sum(spoken.completion_tokens for _, spoken in answers)
    completion_tokens = first.usage_or(counted, "completion_tokens", "output_tokens")
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": first.usage_or(prompt_tokens + completion_tokens, "total_tokens"),
        "audio_prompt_tokens": 0,
    }
    return {
        "id": call.chance.hex(32),
        "model": call.deployment.model.snapshot,
        "choices": [_choice(call, at, spoken) for at, (_, spoken) in enumerate(answers)],
        "usage": usage,
        "created": call.created,
        "object": "chat.completion",
        "prompt_filter_results": None,
    }


def stream(call: ModelCall, completion: dict[str, Json]) -> list[Frame]:
    """The chunks of a finished completion, less `[DONE]`: every delta has every member, and there is no filter."""
    options = call.body.stream_options
    shared = {
        "id": completion["id"],
        "object": "chat.completion.chunk",
        "created": completion["created"],
        "model": completion["model"],
    }

    def chunk(choice: dict[str, Json], delta: Delta, finish: str | None = None) -> Frame:
        full = {name: delta.members.get(name) for name in _MEMBERS}
        matched = _END_OF_TEXT if finish == "stop" else None
        members = {"index": choice["index"], "delta": full, "logprobs": None, "finish_reason": finish, "matched_stop": matched}
        return Frame(event({**shared, "choices": [members], "usage": None}, escaped=False), delta.tokens)

    frames = [chunk(choice, delta) for choice in completion["choices"] for delta in deltas(call, choice)]
    frames += [chunk(choice, Delta({}), choice["finish_reason"]) for choice in completion["choices"]]
    if options is not None and options.include_usage:
        counts = {name: completion["usage"][name] for name in ("prompt_tokens", "total_tokens", "completion_tokens")}
        usage = {**counts, "prompt_tokens_details": None, "reasoning_tokens": 0}
        frames.append(Frame(event({**shared, "choices": [], "usage": usage}, escaped=False)))
    return frames


def _choice(call: ModelCall, index: int, spoken: LimitedReply) -> dict[str, Json]:
    from mockserver.api.chat.render import tool_call

    thoughts = "".join(part.text for part in spoken.parts if isinstance(part, Reasoning))
    message: dict[str, Json] = {"role": "assistant", "content": spoken.text, "reasoning_content": thoughts or None}
    if spoken.tool_calls:
        message["tool_calls"] = [tool_call(call, tool) for tool in spoken.tool_calls]
    return {"index": index, "message": message, "finish_reason": spoken.stop, "content_filter_results": {}}
