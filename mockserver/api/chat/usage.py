"""What a chat completion cost: tokens, and since May 2026 how long the service took for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.model import tokens
from mockserver.model.caching import MINIMUM_TOKENS
from mockserver.model.reply import DEFAULT_TIMING

if TYPE_CHECKING:
    from mockserver.model.limits import LimitedReply
    from mockserver.model.reply import Reply
    from mockserver.operations.call import ModelCall

Json = Any
LATENCY = "latency_checkpoint"
_DETAIL = ("accepted_prediction_tokens", "audio_tokens", "reasoning_tokens", "rejected_prediction_tokens")
_DETAILS = dict.fromkeys(_DETAIL, 0)
_PROMPT_DETAILS = {"audio_tokens": 0, "cached_tokens": 0}


def usage(call: ModelCall, spoken: list[LimitedReply], reply: Reply) -> dict[str, Json]:
    """The `usage` of an answer; a script's counts win over what is counted."""
    prompt_tokens, details, prompt_details = call.prompt_tokens, _DETAILS, _PROMPT_DETAILS
    counted, reasoning = spoken[0].completion_tokens, spoken[0].reasoning_tokens
    for further in spoken[1:]:
        counted, reasoning = counted + further.completion_tokens, reasoning + further.reasoning_tokens
    if reasoning:
        details = details | {"reasoning_tokens": reasoning}
    if call.body.prediction is not None:
        details = details | _predicted(call, spoken[0])
    dialect = call.deployment.model.dialect
    if dialect == "grok":
        return _of_grok(reply, prompt_tokens, counted, details)
    if prompt_tokens >= MINIMUM_TOKENS and (cached := call.read_from_cache()):
        prompt_details = prompt_details | {"cached_tokens": cached}
    if reply.usage:
        prompt_tokens = reply.usage_or(prompt_tokens, "prompt_tokens", "input_tokens")
        prompt_details, details = reply.details_or("prompt", prompt_details), reply.details_or("completion", details)
    completion_tokens = reply.usage_or(counted, "completion_tokens", "output_tokens") if reply.usage else counted
    counts: dict[str, Json] = {"completion_tokens": completion_tokens, "completion_tokens_details": details}
    if dialect == "openai":
        counts[LATENCY] = _latency(call, completion_tokens)
    counts["prompt_tokens"] = prompt_tokens
    counts["prompt_tokens_details"] = prompt_details
    total = prompt_tokens + completion_tokens
    counts["total_tokens"] = reply.usage_or(total, "total_tokens") if reply.usage else total
    return counts


def _of_grok(reply: Reply, prompt_tokens: int, counted: int, details: dict[str, int]) -> dict[str, Json]:
    """Grok's completion tokens leave out those of its reasoning; the total has them (recorded)."""
    prompt_tokens = reply.usage_or(prompt_tokens, "prompt_tokens", "input_tokens")
    details = reply.details_or("completion", details)
    reasoning = details["reasoning_tokens"]
    completion_tokens = reply.usage_or(max(counted - reasoning, 0), "completion_tokens", "output_tokens")
    prompt_details = _PROMPT_DETAILS | {"image_tokens": 0, "text_tokens": prompt_tokens}
    return {
        "audio_prompt_tokens": 0,
        "completion_tokens": completion_tokens,
        "completion_tokens_details": details,
        "num_sources_used": 0,
        "prompt_tokens": prompt_tokens,
        "prompt_tokens_details": reply.details_or("prompt", prompt_details),
        "total_tokens": reply.usage_or(prompt_tokens + completion_tokens + reasoning, "total_tokens"),
    }


def _predicted(call: ModelCall, spoken: LimitedReply) -> dict[str, int]:
    """Tokens of the caller's prediction that the answer used, and those it did not (docs(predicted))."""
    prediction = call.body.prediction
    content = prediction.content if isinstance(prediction.content, str) else "".join(part.text for part in prediction.content)
    encoding = call.deployment.model.encoding
    predicted, pieces = tokens.split(content, encoding), tokens.split(spoken.text, encoding)
    accepted = 0
    for prediction_piece, piece in zip(predicted, pieces, strict=False):
        if prediction_piece != piece:
            break
        accepted += 1
    return {"accepted_prediction_tokens": accepted, "rejected_prediction_tokens": len(predicted) - accepted}


def _latency(call: ModelCall, completion_tokens: int) -> dict[str, int]:
    """Milliseconds, undocumented (wire: all answers of OpenAI's models since May 2026).

    The pace that the script asks for shows in them; the rest is chance within what was recorded.
    """
    timing = call.answer.timing if call.answer is not None else DEFAULT_TIMING
    drawn = call.chance.bytes(3)
    between = round(1000 / timing.tokens_per_second) if timing.tokens_per_second else 6 + drawn[0] % 10
    first, before = 28 + drawn[1] % 24, 80 + drawn[2] % 160
    visible = round(1000 * (timing.delay + timing.ttft)) or before + first + (drawn[0] ^ drawn[2])
    generation = between * completion_tokens
    return {
        "engine_tbt_ms": between,
        "engine_ttft_ms": first,
        "engine_ttlt_ms": first + generation,
        "pre_inference_ms": before,
        "service_tbt_ms": between,
        "service_ttft_ms": before + visible,
        "service_ttlt_ms": before + visible + generation,
        "total_duration_ms": visible + generation,
        "user_visible_ttft_ms": visible,
    }
