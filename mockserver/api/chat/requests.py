"""The body of a chat completion request, what is wrong with it for its model, and the prompt it stands for.

Every parameter of the official document is here (facts §D.1). Those without an effect on a pretend model are validated and
then left alone: `logit_bias`, `presence_penalty`, `frequency_penalty`, `temperature`, `top_p`, `verbosity`, `user`,
`safety_identifier`, `prompt_cache_key`, `prompt_cache_retention`, `user_security_context`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from mockserver import errors
from mockserver.body import Body, Part
from mockserver.model.prompt import (
    AUTO,
    PLAIN_TEXT,
    Media,
    OutputFormat,
    Prompt,
    Tool,
    ToolChoice,
    ToolUse,
    Turn,
    name_tool_results,
)

if TYPE_CHECKING:
    from mockserver.call import Call

Json = Any
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64, min_length=1)]
Metadata = Annotated[dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)]


class TextPart(Part):
    type: Literal["text"]
    text: str


class ImageUrl(Part):
    url: str
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(Part):
    type: Literal["image_url"]
    image_url: ImageUrl


class InputAudio(Part):
    data: str
    format: Literal["wav", "mp3"]


class AudioPart(Part):
    type: Literal["input_audio"]
    input_audio: InputAudio


class FileContent(Part):
    file_id: str | None = None
    file_data: str | None = None
    filename: str | None = None


class FilePart(Part):
    type: Literal["file"]
    file: FileContent


class RefusalPart(Part):
    type: Literal["refusal"]
    refusal: str


UserPart = Annotated[TextPart | ImagePart | AudioPart | FilePart, Field(discriminator="type")]
AssistantPart = Annotated[TextPart | RefusalPart, Field(discriminator="type")]
TextParts = list[TextPart]


class SystemMessage(Part):
    role: Literal["system"]
    content: str | TextParts
    name: str | None = None


class DeveloperMessage(Part):
    role: Literal["developer"]
    content: str | TextParts
    name: str | None = None


class UserMessage(Part):
    role: Literal["user"]
    content: str | Annotated[list[UserPart], Field(min_length=1)]
    name: str | None = None


class FunctionUse(Part):
    name: str
    arguments: str


class CustomUse(Part):
    name: str
    input: str


class FunctionToolCall(Part):
    id: str
    type: Literal["function"]
    function: FunctionUse


class CustomToolCall(Part):
    id: str
    type: Literal["custom"]
    custom: CustomUse


class AssistantMessage(Part):
    role: Literal["assistant"]
    content: str | list[AssistantPart] | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: list[Annotated[FunctionToolCall | CustomToolCall, Field(discriminator="type")]] | None = None
    function_call: FunctionUse | None = None


class ToolMessage(Part):
    role: Literal["tool"]
    content: str | TextParts
    tool_call_id: str


class FunctionMessage(Part):
    role: Literal["function"]
    content: str | None
    name: str


Message = Annotated[
    SystemMessage | DeveloperMessage | UserMessage | AssistantMessage | ToolMessage | FunctionMessage,
    Field(discriminator="role"),
]


class Function(Part):
    name: Name
    description: str | None = None
    parameters: dict[str, Json] | None = None
    strict: bool | None = None


class FunctionTool(Part):
    type: Literal["function"]
    function: Function


class Custom(Part):
    name: Name
    description: str | None = None
    format: dict[str, Json] | None = None


class CustomTool(Part):
    type: Literal["custom"]
    custom: Custom


class Named(Part):
    name: str


class FunctionChoice(Part):
    type: Literal["function"]
    function: Named


class CustomChoice(Part):
    type: Literal["custom"]
    custom: Named


class AllowedTools(Part):
    mode: Literal["auto", "required"]
    tools: list[dict[str, Json]]


class AllowedChoice(Part):
    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools


class TextFormat(Part):
    type: Literal["text"]


class JsonObjectFormat(Part):
    type: Literal["json_object"]


class JsonSchema(Part):
    name: Name
    description: str | None = None
    schema_: dict[str, Json] | None = Field(None, alias="schema")
    strict: bool | None = None


class JsonSchemaFormat(Part):
    type: Literal["json_schema"]
    json_schema: JsonSchema


class StreamOptions(Part):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class AudioOptions(Part):
    voice: str | dict[str, Json]
    format: Literal["wav", "aac", "mp3", "flac", "opus", "pcm16"]


class Prediction(Part):
    type: Literal["content"]
    content: str | TextParts


class UserSecurityContext(Part):
    application_name: str | None = None
    end_user_id: str | None = None
    end_user_tenant_id: str | None = None
    source_ip: str | None = None


class ChatRequest(Body):
    model: str
    messages: Annotated[list[Message], Field(min_length=1, max_length=2048)]
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    logit_bias: dict[str, Annotated[int, Field(ge=-100, le=100)]] | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    tools: (
        Annotated[list[Annotated[FunctionTool | CustomTool, Field(discriminator="type")]], Field(min_length=1, max_length=128)]
        | None
    ) = None
    tool_choice: (
        Literal["none", "auto", "required"]
        | Annotated[FunctionChoice | CustomChoice | AllowedChoice, Field(discriminator="type")]
        | None
    ) = None
    parallel_tool_calls: bool | None = None
    functions: Annotated[list[Function], Field(min_length=1, max_length=128)] | None = None
    function_call: Literal["none", "auto"] | Named | None = None
    response_format: Annotated[TextFormat | JsonObjectFormat | JsonSchemaFormat, Field(discriminator="type")] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    modalities: list[Literal["text", "audio"]] | None = None
    audio: AudioOptions | None = None
    prediction: Prediction | None = None
    store: bool | None = None
    metadata: Metadata | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: Literal["in_memory", "in-memory", "24h"] | None = None
    service_tier: Literal["auto", "default", "priority"] | None = None
    user_security_context: UserSecurityContext | None = None


def prompt(call: Call) -> Prompt:
    """The prompt of a validated request. Raises ApiError 400 for what its model does not take."""
    body: ChatRequest = call.body
    model = call.served_by.model
    if model.reasons:
        _refuse_sampling(body, model.name)
    _refuse_combinations(body, model.efforts)
    turns = [_turn(message) for message in body.messages]
    name_tool_results(turns)
    _refuse_orphans(turns)
    return Prompt(
        deployment=body.model,
        model=model,
        turns=turns,
        tools=_tools(body),
        tool_choice=_choice(body),
        parallel_tool_calls=body.parallel_tool_calls is not False,
        output=_output(body, turns),
        max_tokens=_limit(body, model.output),
        stop=(body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ()),
        effort=body.reasoning_effort or model.default_effort,
        modalities=tuple(body.modalities or ("text",)),
        metadata=body.metadata or {},
    )


def _turn(message: Any) -> Turn:
    role = message.role
    content = message.content
    text = content if isinstance(content, str) else _joined(content)
    if role == "user":
        media = () if isinstance(content, str) else tuple(_media(part) for part in content if part.type != "text")
        return Turn("user", text, media)
    if role == "assistant":
        return Turn("assistant", text or message.refusal or "", tool_calls=_uses(message))
    if role == "tool":
        return Turn("tool", text, tool_call_id=message.tool_call_id)
    if role == "function":
        return Turn("tool", text, name=message.name)
    return Turn(role, text)


def _joined(content: list[Any] | None) -> str:
    return "\n".join(str(getattr(part, part.type)) for part in content or () if part.type in ("text", "refusal"))


def _media(part: Any) -> Media:
    if part.type == "image_url":
        return Media("image", part.image_url.url, part.image_url.detail)
    if part.type == "input_audio":
        return Media("audio", part.input_audio.format)
    return Media("file", part.file.file_id or part.file.filename or "")


def _uses(message: AssistantMessage) -> tuple[ToolUse, ...]:
    uses = [
        ToolUse(use.id, use.function.name, use.function.arguments)
        if isinstance(use, FunctionToolCall)
        else ToolUse(use.id, use.custom.name, use.custom.input)
        for use in message.tool_calls or ()
    ]
    if message.function_call is not None:
        uses.append(ToolUse("", message.function_call.name, message.function_call.arguments))
    return tuple(uses)


def _tools(body: ChatRequest) -> tuple[Tool, ...]:
    tools = [
        Tool(tool.function.name, "function", tool.function.parameters, bool(tool.function.strict), tool.function.description)
        if isinstance(tool, FunctionTool)
        else Tool(tool.custom.name, "custom", description=tool.custom.description)
        for tool in body.tools or ()
    ]
    tools += [Tool(one.name, "function", one.parameters, False, one.description, legacy=True) for one in body.functions or ()]
    _refuse_loose_functions(body)
    return tuple(tools)


def _refuse_loose_functions(body: ChatRequest) -> None:
    for at, tool in enumerate(body.tools or ()):
        if not isinstance(tool, FunctionTool) or not tool.function.strict:
            continue
        from mockserver.model.json_schema import strict_problem

        problem = strict_problem(tool.function.parameters or {})
        if problem is not None:
            message = f"Invalid schema for function '{tool.function.name}': {problem}"
            raise errors.invalid_value(f"tools[{at}].function.parameters", message, "invalid_function_parameters")


def _choice(body: ChatRequest) -> ToolChoice:
    choice: Any = body.tool_choice if body.tool_choice is not None else body.function_call
    if choice is None:
        return AUTO
    if isinstance(choice, str):
        return ToolChoice(choice)  # type: ignore[arg-type]
    if isinstance(choice, AllowedChoice):
        names = [tool.get(str(tool.get("type")), {}).get("name", "") for tool in choice.allowed_tools.tools]
        return ToolChoice(choice.allowed_tools.mode, tuple(names))
    name = choice.name if isinstance(choice, Named) else getattr(choice, choice.type).name
    _refuse_unknown_tool(body, name)
    return ToolChoice("required", (name,))


def _refuse_unknown_tool(body: ChatRequest, name: str) -> None:
    offered = [getattr(tool, tool.type).name for tool in body.tools or ()] + [one.name for one in body.functions or ()]
    if name not in offered:
        field = "tool_choice" if body.tool_choice is not None else "function_call"
        raise errors.invalid_value(field, f"Tool choice '{name}' not found in 'tools' parameter.")


def _output(body: ChatRequest, turns: list[Turn]) -> OutputFormat:
    asked = body.response_format
    if isinstance(asked, JsonObjectFormat):
        if not any("json" in turn.text.lower() for turn in turns):
            message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
            raise errors.request_error(message, param="messages")
        return OutputFormat("json_object")
    if isinstance(asked, JsonSchemaFormat):
        wanted = asked.json_schema
        if wanted.strict:
            from mockserver.model.json_schema import strict_problem

            problem = strict_problem(wanted.schema_ or {})
            if problem is not None:
                message = f"Invalid schema for response_format '{wanted.name}': {problem}"
                raise errors.request_error(message, param="response_format")
        return OutputFormat("json_schema", wanted.name, wanted.schema_ or {}, bool(wanted.strict))
    return PLAIN_TEXT


def _limit(body: ChatRequest, most: int) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        limit: int | None = getattr(body, name)
        if limit is not None and limit > most:
            supported = f"This model supports at most {most} completion tokens, whereas you provided {limit}."
            raise errors.invalid_value(name, f"{name} is too large: {limit}. {supported}")
    return body.max_completion_tokens or body.max_tokens


_ONLY_DEFAULT = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
_WITHOUT_STOP = ("o3", "o4-mini", "gpt-5")


def _refuse_sampling(body: ChatRequest, model: str) -> None:
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


def _refuse_combinations(body: ChatRequest, efforts: tuple[str, ...]) -> None:
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
    for name in ("tool_choice", "parallel_tool_calls"):
        if getattr(body, name) not in (None, "none", "auto") and not body.tools:
            message = f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified."
            raise errors.request_error(message, param=name)
    if "audio" in (body.modalities or ()):
        _refuse_audio(body)
    if body.prediction is not None:
        _refuse_prediction(body)


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


def _refuse_orphans(turns: list[Turn]) -> None:
    """Tool calls without results and results without calls (recalled wording)."""
    if not any(turn.tool_calls or turn.role == "tool" for turn in turns):
        return
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
