"""The response object, finished and on its way. Key order and values: recorded, as of August 2026."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from mockserver.api.responses.output import Writer
from mockserver.api.responses.prompt import ResponsePrompt, effort_of, summary_of
from mockserver.api.responses.requests import JsonSchemaFormat
from mockserver.api.responses.tools import echo
from mockserver.model import content_filter
from mockserver.model.reply import DEFAULT_TIMING
from mockserver.operations.sealing import Seal
from mockserver.operations.visible import reveal

if TYPE_CHECKING:
    from mockserver.api.responses.requests import ResponseRequest
    from mockserver.model.limits import LimitedReply
    from mockserver.model.reply import Reply
    from mockserver.operations.call import ModelCall

Json = Any
Object = dict[str, Json]

_IMAGE_DETAILS = {"image_tokens": 0, "text_tokens": 0}


def response(call: ModelCall, reply: Reply, spoken: LimitedReply) -> Object:
    """The finished response, with everything that `include` may show."""
    prompt = call.prompt
    assert isinstance(prompt, ResponsePrompt)
    assert prompt.ids is not None
    writer = Writer(call, prompt.ids)
    usage = _usage(call, reply, spoken)
    output = writer.items(spoken)
    if _compacts(call.body, usage["input_tokens"]):
        output.insert(0, writer.compaction())
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(spoken.stop)
    searches = sum(item["type"] == "web_search_call" for item in output)
    done = {
        "status": "completed" if reason is None else "incomplete",
        "completed_at": _completed_at(call, spoken) if reason is None else None,
        "content_filters": _filters(call, reply, spoken, output),
        "incomplete_details": None if reason is None else {"reason": reason},
        "output": output,
        "service_tier": "priority" if call.body.service_tier == "priority" else "default",
        "tool_usage": _tool_usage(searches),
        "usage": usage,
    }
    return {**skeleton(call), **done}


def skeleton(call: ModelCall) -> Object:
    """The response as it is when work on it begins."""
    body: ResponseRequest = call.body
    prompt = call.prompt
    assert isinstance(prompt, ResponsePrompt)
    members: Object = {
        "id": prompt.response_id,
        "object": "response",
        "created_at": call.created,
        "status": "in_progress",
        "background": bool(body.background),
        "completed_at": None,
        "content_filters": None,
    }
    if body.conversation_id is not None:
        members["conversation"] = {"id": body.conversation_id}
    members |= _limits(body)
    if body.prompt is not None and prompt.template is not None:
        members["instructions"] = prompt.template.shown(body.instructions)
        members["prompt"] = {"id": body.prompt.id, "variables": body.prompt.variables or {}, "version": prompt.template.version}
    return members | _settings(call)


def _limits(body: ResponseRequest) -> Object:
    return {
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "instructions": body.instructions,
        "max_output_tokens": body.max_output_tokens,
        "max_tool_calls": body.max_tool_calls,
        "model": body.model,
        "moderation": None,
        "output": [],
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "presence_penalty": 0.0,
        "previous_response_id": body.previous_response_id,
    }


def _settings(call: ModelCall) -> Object:
    body: ResponseRequest = call.body
    model = call.deployment.model
    retention = body.prompt_cache_retention or model.cache_retention
    return {
        "prompt_cache_key": body.prompt_cache_key,
        "prompt_cache_retention": "in_memory" if retention == "in-memory" else retention,
        "reasoning": _reasoning(call),
        "safety_identifier": body.safety_identifier,
        "service_tier": "priority" if body.service_tier == "priority" else "auto",
        "store": body.stored,
        "temperature": 1.0 if body.temperature is None else float(body.temperature),
        "text": _text(body),
        "tool_choice": body.tool_choice if body.tool_choice is not None else "auto",
        "tool_usage": _tool_usage(0),
        "tools": [echo(tool) for tool in body.tools or ()],
        "top_logprobs": body.top_logprobs or 0,
        "top_p": model.top_p if body.top_p is None else float(body.top_p),
        "truncation": body.truncation or "disabled",
        "usage": None,
        "user": body.user,
        "metadata": body.metadata or {},
    }


_UNFINISHED: Object = {
    "completed_at": None,
    "content_filters": None,
    "error": None,
    "incomplete_details": None,
    "output": [],
    "usage": None,
}


def unfinished(whole: Object, status: str) -> Object:
    """A response before it is finished, or cancelled: the object less its results (wire; recorded on the sister service)."""
    tier = "auto" if whole["service_tier"] == "default" else whole["service_tier"]
    return {**whole, **_UNFINISHED, "status": status, "service_tier": tier, "tool_usage": _tool_usage(0)}


def visible(whole: Object, include: Collection[str], seal: Seal, *, stage: str = "final") -> Object:
    """A response as a caller sees it whose request has this `include`."""
    return {**whole, "output": reveal(whole["output"], include, whole["created_at"], seal, stage=stage)}


def _compacts(body: ResponseRequest, used: int) -> bool:
    """Whether the server compacts the conversation on its own (docs: `context_management`)."""
    thresholds = [entry.compact_threshold for entry in body.context_management or ()]
    return any(threshold is not None and used > threshold for threshold in thresholds)


def _completed_at(call: ModelCall, spoken: LimitedReply) -> int:
    """When the answer is complete at the pace that the script asks for."""
    timing = call.answer.timing if call.answer is not None else DEFAULT_TIMING
    seconds = timing.delay
    if call.body.stream:
        seconds += timing.ttft + (spoken.completion_tokens / timing.tokens_per_second if timing.tokens_per_second else 0.0)
    return int(call.now + seconds)


def _reasoning(call: ModelCall) -> Object:
    body: ResponseRequest = call.body
    model, reasoning = call.deployment.model, body.reasoning
    summary = summary_of(body)
    context = (reasoning.context if reasoning is not None else None) or ("all_turns" if model.phase else "current_turn")
    return {
        "context": context if model.reasons else None,
        "effort": effort_of(body, model),
        "mode": (reasoning.mode if reasoning is not None else None) or "standard",
        # The service has no choice of its own to make and answers `auto` with what it does (wire).
        "summary": "detailed" if summary == "auto" else summary,
    }


def _text(body: ResponseRequest) -> Object:
    wanted = body.text.format if body.text is not None else None
    members: Object = {"type": wanted.type if wanted is not None else "text"}
    if isinstance(wanted, JsonSchemaFormat):
        members |= {"description": wanted.description, "name": wanted.name}
        members |= {"schema": wanted.schema_, "strict": bool(wanted.strict)}
    return {"format": members, "verbosity": (body.text.verbosity if body.text is not None else None) or "medium"}


def _tool_usage(searches: int) -> Object:
    image = {
        "input_tokens": 0,
        "input_tokens_details": _IMAGE_DETAILS,
        "output_tokens": 0,
        "output_tokens_details": _IMAGE_DETAILS,
        "total_tokens": 0,
    }
    return {"image_gen": image, "web_search": {"num_requests": searches}}


def _usage(call: ModelCall, reply: Reply, spoken: LimitedReply) -> Object:
    """Counted, except for what the script overrides by its chat or Responses name."""
    input_tokens = reply.usage_or(call.prompt_tokens, "input_tokens", "prompt_tokens")
    output_tokens = reply.usage_or(spoken.completion_tokens, "output_tokens", "completion_tokens")
    return {
        "input_tokens": input_tokens,
        "input_tokens_details": reply.details_or("prompt", {"cache_write_tokens": 0, "cached_tokens": call.read_from_cache()}),
        "output_tokens": output_tokens,
        "output_tokens_details": reply.details_or("completion", {"reasoning_tokens": spoken.reasoning_tokens}),
        "total_tokens": reply.usage_or(input_tokens + output_tokens, "total_tokens"),
    }


def prompt_length(call: ModelCall) -> int:
    """The characters of the prompt, which is what the content filter measures in."""
    return len(call.prompt.instructions or "") + sum([len(turn.text) for turn in call.prompt.turns])


def _filters(call: ModelCall, reply: Reply, spoken: LimitedReply, output: list[Object]) -> list[Object]:
    """What the filter says. A turn that only brings tool results has no entry for its prompt (wire)."""
    withheld = spoken.stop == "content_filter"
    judged = [item for item in output if item["type"] in _JUDGED]
    length = sum([_length(item) for item in judged]) if judged or withheld else None
    filters = content_filter.responses_filters(reply.prompt_filter, reply.completion_filter, prompt_length(call), length)
    if withheld:
        filters[-1] = {**filters[-1], "blocked": True}
    return filters[1:] if call.prompt.tool_results and reply.prompt_filter is None and len(filters) > 1 else filters


_JUDGED = ("message", "function_call", "custom_tool_call")


def _length(item: Object) -> int:
    if item["type"] == "message":
        return sum([len(part.get("text") or part.get("refusal") or "") for part in item["content"]])
    return len(item.get("arguments") or item.get("input") or "")
