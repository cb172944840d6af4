"""The prompt that a chat request stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.chat import abilities, refusals
from mockserver.api.chat.requests import (
    AllowedChoice,
    AssistantMessage,
    ChatRequest,
    FunctionTool,
    FunctionToolCall,
    JsonSchemaFormat,
    Named,
)
from mockserver.model.prompt import (
    PLAIN_TEXT,
    Grammar,
    Media,
    OutputFormat,
    Prompt,
    Tool,
    ToolChoice,
    ToolUse,
    Turn,
    name_tool_results,
)
from mockserver.operations.body import JsonObjectFormat

if TYPE_CHECKING:
    from mockserver.operations.call import ModelCall

Json = Any


def prompt(call: ModelCall) -> Prompt:
    """The prompt of a validated request. Raises ApiError 400 for what its model does not take."""
    body: ChatRequest = call.body
    model = call.deployment.model
    abilities.refuse_unable(call)
    refusals.refuse_combinations(body)
    turns = [_turn(message) for message in body.messages]
    if [turn for turn in turns if turn.media]:
        abilities.refuse_parts(call)
    if [turn for turn in turns if turn.tool_calls or turn.role == "tool"]:
        name_tool_results(turns)
        refusals.refuse_orphans(turns)
    result = Prompt(body.model, model, turns)
    if body.tools or body.functions:
        refusals.refuse_schemas(body, loose=call.resource.refuses("function_schemas"))
        result.tools = _tools(body)
    if body.tool_choice is not None or body.function_call is not None:
        result.tool_choice = _choice(body)
    if body.response_format is not None:
        result.output = _output(body, turns)
    if body.modalities:
        result.modalities = tuple(body.modalities)
    result.parallel_tool_calls = body.parallel_tool_calls is not False
    result.max_tokens = _limit(body, model.output)
    result.stop = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    result.effort = body.reasoning_effort or model.default_effort
    result.metadata = body.metadata or {}
    return result


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
        else Tool(tool.custom.name, "custom", description=tool.custom.description, grammar=_grammar(tool.custom.format))
        for tool in body.tools or ()
    ]
    tools += [Tool(one.name, "function", one.parameters, False, one.description, legacy=True) for one in body.functions or ()]
    return tuple(tools)


def _grammar(form: dict[str, Json] | None) -> Grammar | None:
    """The grammar of a custom tool's input, None where any text will do, and for a format that is none."""
    given = (form or {}).get("grammar")
    if not isinstance(given, dict) or given.get("syntax") not in ("lark", "regex"):
        return None
    return Grammar(given["syntax"], str(given.get("definition", "")))


def _choice(body: ChatRequest) -> ToolChoice:
    choice: Any = body.tool_choice if body.tool_choice is not None else body.function_call
    if isinstance(choice, str):
        return ToolChoice(choice)  # type: ignore[arg-type]
    if isinstance(choice, AllowedChoice):
        names = [tool.get(str(tool.get("type")), {}).get("name", "") for tool in choice.allowed_tools.tools]
        return ToolChoice(choice.allowed_tools.mode, tuple(names))
    name = choice.name if isinstance(choice, Named) else getattr(choice, choice.type).name
    refusals.refuse_unknown_tool(body, name)
    return ToolChoice("required", (name,))


def _output(body: ChatRequest, turns: list[Turn]) -> OutputFormat:
    wanted = body.response_format
    if isinstance(wanted, JsonObjectFormat):
        if not any("json" in turn.text.lower() for turn in turns):
            message = "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'."
            raise errors.request_error(message, param="messages")
        return OutputFormat("json_object")
    if isinstance(wanted, JsonSchemaFormat):
        schema = wanted.json_schema
        if schema.strict:
            from mockserver.model.json_schema import strict_problem

            problem = strict_problem(schema.schema_ or {})
            if problem is not None:
                message = f"Invalid schema for response_format '{schema.name}': {problem}"
                raise errors.request_error(message, param="response_format")
        return OutputFormat("json_schema", schema.name, schema.schema_ or {}, bool(schema.strict))
    return PLAIN_TEXT


def _limit(body: ChatRequest, most: int) -> int | None:
    limit = body.max_completion_tokens or body.max_tokens
    if limit is not None and limit > most:
        name = "max_completion_tokens" if body.max_completion_tokens else "max_tokens"
        supported = f"This model supports at most {most} completion tokens, whereas you provided {limit}."
        raise errors.invalid_value(name, f"{name} is too large: {limit}. {supported}")
    return limit
