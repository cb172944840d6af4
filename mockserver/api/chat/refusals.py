"""What is wrong with a chat request that its body model lets through: for its model, or because members do not go together."""

from __future__ import annotations

from mockserver import errors
from mockserver.api.chat.requests import ChatRequest, Function, FunctionTool
from mockserver.model.prompt import Turn
from mockserver.operations.body import JsonObjectFormat


def refuse_combinations(body: ChatRequest) -> None:
    """Raise ApiError 400 for members that do not go together, whatever the model."""
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
    """How to choose among tools that are not there, be it none of them (reported)."""
    for name in ("tool_choice", "parallel_tool_calls"):
        if getattr(body, name) is not None:
            raise _only_with(name, "tools")
    if body.function_call is not None and not body.functions:
        raise _only_with("function_call", "functions")


def _only_with(name: str, other: str) -> errors.ApiError:
    return errors.request_error(
        f"Invalid value for '{name}': '{name}' is only allowed when '{other}' are specified.", param=name
    )


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


def refuse_schemas(body: ChatRequest, *, loose: bool) -> None:
    """Parameters of functions that break the rules of `strict: true` or, if `loose` says so, those of any function."""
    for at, tool in enumerate(body.tools or ()):
        if isinstance(tool, FunctionTool):
            _refuse_schema(tool.function, f"tools[{at}].function.parameters", loose=loose)
    for at, function in enumerate(body.functions or ()):
        _refuse_schema(function, f"functions[{at}].parameters", loose=loose)


def _refuse_schema(function: Function, path: str, *, loose: bool) -> None:
    from mockserver.model.json_schema import loose_problem, strict_problem

    problem = None
    if function.strict:
        problem = strict_problem(function.parameters or {})
    elif loose and function.parameters is not None:
        problem = loose_problem(function.parameters)
    if problem is not None:
        message = f"Invalid schema for function '{function.name}': {problem}"
        raise errors.invalid_value(path, message, "invalid_function_parameters")


def refuse_unknown_tool(body: ChatRequest, name: str) -> None:
    offered = [getattr(tool, tool.type).name for tool in body.tools or ()] + [one.name for one in body.functions or ()]
    if name not in offered:
        field = "tool_choice" if body.tool_choice is not None else "function_call"
        raise errors.invalid_value(field, f"Tool choice '{name}' not found in 'tools' parameter.")


def completion_not_found(completion_id: str) -> errors.ApiError:
    """A completion that is not stored (recorded on the sister service)."""
    return errors.request_error(f"Completion {completion_id} not found", param="completion_id", code="not_found", status=404)
