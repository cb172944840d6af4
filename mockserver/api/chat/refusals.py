"""What is wrong with a chat request that its body model lets through: for its model, or because members do not go together."""

from __future__ import annotations

from mockserver import errors
from mockserver.api.chat.requests import ChatRequest, FunctionTool
from mockserver.model.prompt import Turn
from mockserver.operations.body import JsonObjectFormat

_ONLY_DEFAULT = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
_WITHOUT_STOP = ("o3", "o4-mini", "gpt-5")


def refuse_sampling(body: ChatRequest, model: str) -> None:
    """What reasoning models do not take (docs(reasoning); texts as reported and recorded)."""
    if body.max_tokens is not None:
        raise errors.unsupported_parameter("max_tokens", "max_completion_tokens")
    for name, default in _ONLY_DEFAULT.items():
        value = getattr(body, name)
        if value is not None and value != default:
            raise errors.unsupported_value(name, value, f" Only the default ({default}) value is supported.")
    for name in ("logprobs", "top_logprobs", "logit_bias"):
        if getattr(body, name):
            raise errors.unsupported_parameter(name)
    if body.stop is not None and model.startswith(_WITHOUT_STOP):
        raise errors.unsupported_parameter("stop")


def refuse_combinations(body: ChatRequest, efforts: tuple[str, ...]) -> None:
    if body.reasoning_effort is not None and body.reasoning_effort not in efforts:
        _refuse_effort("reasoning_effort", body.reasoning_effort, efforts)
    if body.max_tokens is not None and body.max_completion_tokens is not None:
        message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
        raise errors.request_error(message, param="max_tokens", code="invalid_parameter_combination")
    if body.stream_options is not None and not body.stream:
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise errors.request_error(message, param="stream_options")
    if body.top_logprobs is not None and not body.logprobs:
        message = "Invalid value for 'top_logprobs': 'top_logprobs' is only allowed when 'logprobs' is enabled."
        raise errors.request_error(message, param="top_logprobs")
    if not body.tools:
        _refuse_loose_choices(body)
    if body.modalities and "audio" in body.modalities:
        _refuse_audio(body)
    if body.prediction is not None:
        _refuse_prediction(body)


def _refuse_loose_choices(body: ChatRequest) -> None:
    for name in ("tool_choice", "parallel_tool_calls"):
        if getattr(body, name) not in (None, "none", "auto"):
            message = f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified."
            raise errors.request_error(message, param=name)


def _refuse_effort(param: str, effort: str, efforts: tuple[str, ...]) -> None:
    if not efforts:
        raise errors.unsupported_parameter(param)
    listed = errors.unsupported_choice(param, effort, list(efforts)).detail["message"].partition(". ")[2]
    raise errors.unsupported_value(param, effort, f" {listed}")


def _refuse_audio(body: ChatRequest) -> None:
    if body.audio is None:
        raise errors.missing_parameter("audio")
    if body.stream and body.audio.format != "pcm16":
        raise errors.unsupported_value("audio.format", body.audio.format, " Supported values are: 'pcm16'.")
    if isinstance(body.response_format, JsonObjectFormat):
        message = "Invalid parameter: 'response_format' of type 'json_object' is not supported with this model."
        raise errors.request_error(message, param="response_format")


def _refuse_prediction(body: ChatRequest) -> None:
    """Predicted outputs go with few other parameters (docs(predicted); the wording is inferred)."""
    clashes = {
        "tools": bool(body.tools),
        "n": (body.n or 1) > 1,
        "logprobs": bool(body.logprobs),
        "presence_penalty": (body.presence_penalty or 0) > 0,
        "frequency_penalty": (body.frequency_penalty or 0) > 0,
        "max_completion_tokens": body.max_completion_tokens is not None,
        "modalities": "audio" in (body.modalities or ()),
    }
    for name, clash in clashes.items():
        if clash:
            message = f"Unsupported parameter: '{name}' is not supported when 'prediction' is used."
            raise errors.request_error(message, param=name, code="unsupported_parameter")


def refuse_orphans(turns: list[Turn]) -> None:
    """Tool calls without results and results without calls (recalled wording)."""
    open_ids: dict[str, None] = {}
    for at, turn in enumerate(turns):
        if turn.role == "tool" and turn.tool_call_id is not None:
            if turn.tool_call_id not in open_ids:
                message = (
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                )
                raise errors.request_error(message, param=f"messages.[{at}].role")
            continue
        _refuse_unanswered(open_ids, turns, at)
        open_ids = dict.fromkeys(use.id for use in turn.tool_calls if use.id)
    _refuse_unanswered(open_ids, turns, len(turns))


def _refuse_unanswered(open_ids: dict[str, None], turns: list[Turn], end: int) -> None:
    answered = set()
    for turn in reversed(turns[:end]):
        if turn.role != "tool":
            break
        answered.add(turn.tool_call_id)
    missing = [one for one in open_ids if one not in answered]
    if missing:
        message = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following "
            f"tool_call_ids did not have response messages: {', '.join(missing)}"
        )
        raise errors.request_error(message, param=f"messages.[{end}].role" if end < len(turns) else "messages")


def refuse_loose_functions(body: ChatRequest) -> None:
    for at, tool in enumerate(body.tools or ()):
        if not isinstance(tool, FunctionTool) or not tool.function.strict:
            continue
        from mockserver.model.json_schema import strict_problem

        problem = strict_problem(tool.function.parameters or {})
        if problem is not None:
            message = f"Invalid schema for function '{tool.function.name}': {problem}"
            raise errors.invalid_value(f"tools[{at}].function.parameters", message, "invalid_function_parameters")


def refuse_unknown_tool(body: ChatRequest, name: str) -> None:
    offered = [getattr(tool, tool.type).name for tool in body.tools or ()] + [one.name for one in body.functions or ()]
    if name not in offered:
        field = "tool_choice" if body.tool_choice is not None else "function_call"
        raise errors.invalid_value(field, f"Tool choice '{name}' not found in 'tools' parameter.")


def completion_not_found(completion_id: str) -> errors.ApiError:
    """A completion that is not stored (recorded on the sister service)."""
    return errors.request_error(f"Completion {completion_id} not found", param="completion_id", code="not_found", status=404)
