"""A chat completion as an object.

Keys are alphabetical at every level (recorded); the exceptions are inside `prompt_filter_results` and in the answers of
other vendors' models.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mockserver.api.chat.usage import usage
from mockserver.model import content_filter
from mockserver.model.reply import Audio, Reasoning, Refusal, Reply, Text, ToolCall
from mockserver.state.chance import Chance
from mockserver.state.ids import call_id, completion_id

if TYPE_CHECKING:
    from mockserver.api.chat.requests import ChatRequest
    from mockserver.model.limits import LimitedReply
    from mockserver.operations.call import ModelCall

Json = Any
FILTER_FAILED = "content_filter_result"
_SAFE = {"filtered": False, "severity": "safe"}
_IMAGE_SAFE: dict[str, Json] = {
    **dict.fromkeys(("sexual", "violence", "hate", "self_harm"), _SAFE),
    "custom_blocklists": {"filtered": False, "details": []},
}


def completion(call: ModelCall, answers: list[tuple[Reply, LimitedReply]]) -> dict[str, Json]:
    """The `chat.completion` object of one choice per reply."""
    body: ChatRequest = call.body
    model = call.deployment.model
    first, _ = answers[0]
    choices = [_choice(call, at, reply, spoken) for at, (reply, spoken) in enumerate(answers)]
    tokens = usage(call, [spoken for _, spoken in answers], first)
    filters = _prompt_filters(call, first)
    if model.dialect == "openai":
        return {
            "choices": choices,
            "created": call.created,
            "id": completion_id(call.chance),
            "model": model.snapshot,
            "object": "chat.completion",
            "prompt_filter_results": filters,
            "service_tier": "priority" if body.service_tier == "priority" else "default",
            "system_fingerprint": fingerprint(model.snapshot) if model.fingerprint else None,
            "usage": tokens,
        }
    if model.dialect == "grok":
        return {
            "choices": choices,
            "created": call.created,
            "id": f"{call.chance.uuid()}_sidecar",
            "model": model.snapshot,
            "object": "chat.completion",
            "prompt_filter_results": filters,
            "usage": tokens,
        }
    return {
        "id": call.chance.hex(32),
        "object": "chat.completion",
        "created": call.created,
        "model": model.snapshot,
        "choices": choices,
        "usage": tokens,
    }


@lru_cache(maxsize=1_024)
def fingerprint(snapshot: str) -> str:
    """A snapshot's `system_fingerprint`: `fp_` and ten hex digits, the same for all answers of it."""
    return "fp_" + Chance(f"fingerprint/{snapshot}").hex(10)


def _choice(call: ModelCall, index: int, reply: Reply, spoken: LimitedReply) -> dict[str, Json]:
    part = spoken.parts[0] if len(spoken.parts) == 1 else None
    if isinstance(part, Text) and part.text and _is_ordinary(call, reply, spoken):
        return {
            "content_filter_results": content_filter.COMPLETION_SAFE,
            "finish_reason": spoken.stop,
            "index": index,
            "logprobs": None,
            "message": {"annotations": [], "content": part.text, "refusal": None, "role": "assistant"},
        }
    legacy = any(tool.legacy for tool in call.prompt.tools) and bool(spoken.tool_calls)
    finish = "function_call" if legacy and spoken.stop == "tool_calls" else spoken.stop
    logprobs = _logprobs(call, spoken)
    message = _message(call, spoken, legacy=legacy)
    dialect = call.deployment.model.dialect
    if dialect == "mai":
        return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}
    choice = {
        **_completion_filter(reply, spoken),
        "finish_reason": finish,
        "index": index,
        "logprobs": logprobs,
        "message": message,
    }
    return choice | {"stop_reason": None} if dialect == "grok" else choice


def _is_ordinary(call: ModelCall, reply: Reply, spoken: LimitedReply) -> bool:
    """Whether a text is all there is to say: most answers are such, and need none of what follows."""
    openai = call.deployment.model.dialect == "openai"
    return openai and reply.completion_filter is None and spoken.stop != "content_filter" and not call.body.logprobs


def _message(call: ModelCall, spoken: LimitedReply, *, legacy: bool) -> dict[str, Json]:
    refusals = [part.text for part in spoken.parts if isinstance(part, Refusal)]
    refusal = "".join(refusals) if refusals else None
    calls = [tool_call(call, tool) for tool in spoken.tool_calls]
    text = spoken.text
    content = text if text or not (calls or refusal) else None
    dialect = call.deployment.model.dialect
    if dialect != "openai":
        return _vendor_message(dialect, text, spoken, calls)
    message: dict[str, Json] = {"annotations": [], "content": content, "refusal": refusal, "role": "assistant"}
    sound = next((part for part in spoken.parts if isinstance(part, Audio)), None)
    if sound is not None:
        audio = {
            "data": sound.data,
            "expires_at": call.created + 3_600,
            "id": "audio_" + call.chance.hex(32),
            "transcript": sound.transcript,
        }
        message = {"annotations": [], "audio": audio, "content": None, "refusal": refusal, "role": "assistant"}
    if legacy:
        function = {"arguments": spoken.tool_calls[0].arguments, "name": spoken.tool_calls[0].name}
        return {"annotations": [], "content": content, "function_call": function, "refusal": refusal, "role": "assistant"}
    if calls:
        message["tool_calls"] = calls
    return message


def _vendor_message(dialect: str, text: str, spoken: LimitedReply, calls: list[Json]) -> dict[str, Json]:
    thoughts = "".join(part.text for part in spoken.parts if isinstance(part, Reasoning))
    if dialect == "grok":
        return {
            "content": text,
            "reasoning_content": thoughts,
            "refusal": None,
            "role": "assistant",
            "tool_calls": calls or None,
        }
    return {"role": "assistant", "content": text, "reasoning_content": thoughts, "refusal": None, "tool_calls": calls}


def tool_call(call: ModelCall, tool: ToolCall) -> dict[str, Json]:
    """A call of the caller's tool, as a message shows it."""
    grok = call.deployment.model.dialect == "grok"
    identity = tool.id or call_id(call.chance, digits=grok)
    if tool.kind == "custom":
        return {"custom": {"input": tool.arguments, "name": tool.name}, "id": identity, "type": "custom"}
    function: dict[str, Json] = {"arguments": tool.arguments, "name": tool.name}
    if grok:
        function = {"arguments": tool.arguments, "call_id": None, "name": tool.name}
    return {"function": function, "id": identity, "type": "function"}


def _completion_filter(reply: Reply, spoken: LimitedReply) -> dict[str, Json]:
    """What the filter says of the answer: nothing of tool calls that nobody judged (wire: `{}`).

    Where the filter is down it says so under a name in the singular (docs; seen in streams of 2026).
    """
    filter_result = reply.completion_filter
    if filter_result is not None and filter_result.failed:
        return {FILTER_FAILED: content_filter.completion_results(filter_result), "content_filter_results": {}}
    if spoken.tool_calls and filter_result is None:
        return {"content_filter_results": {}}
    return {"content_filter_results": content_filter.completion_results(filter_result)}


def _prompt_filters(call: ModelCall, reply: Reply) -> list[dict[str, Json]]:
    """What the filter says of the prompt: nothing on a turn that only brings tool results (wire: `{}` for OpenAI's models).

    With an image there are two entries, under a name in the singular, and all is in the one that stands first (recorded).
    """
    filter_result, openai, turns = reply.prompt_filter, call.deployment.model.dialect == "openai", call.prompt.turns
    if openai and [media for turn in turns if turn.media for media in turn.media if media.kind == "image"]:
        results = _IMAGE_SAFE if filter_result is None else content_filter.prompt_results(filter_result)
        return [{"prompt_index": 1, "content_filter_result": results}, {"prompt_index": 0, "content_filter_result": {}}]
    silent = filter_result.failed if filter_result is not None else openai and turns[-1].role == "tool"
    return [{"prompt_index": 0, "content_filter_results": {} if silent else content_filter.prompt_results(filter_result)}]


def _logprobs(call: ModelCall, spoken: LimitedReply) -> Json:
    body: ChatRequest = call.body
    if not body.logprobs or not spoken.text:
        return None
    from mockserver.model.logprobs import make_logprobs

    content = make_logprobs(spoken.text, body.top_logprobs or 0, call.chance.fork("logprobs"), call.deployment.model.encoding)
    return {"content": content, "refusal": None}
