"""The body of a chat completion request.

Every parameter of the official document is here. Those without an effect on a pretend model are validated and
then left alone: `logit_bias`, `presence_penalty`, `frequency_penalty`, `temperature`, `top_p`, `verbosity`, `user`,
`safety_identifier`, `user_security_context`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mockserver.operations.body import (
    Body,
    CacheRetention,
    JsonObjectFormat,
    Metadata,
    Part,
    ServiceTier,
    StreamOptions,
    TextFormat,
)

Json = Any
Name = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64, min_length=1)]

CallId = Annotated[str, Field(max_length=40)]  # reported: the ids of responses may have 64


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
    id: CallId
    type: Literal["function"]
    function: FunctionUse


class CustomToolCall(Part):
    id: CallId
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
    tool_call_id: CallId


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


class JsonSchema(Part):
    name: Name
    description: str | None = None
    schema_: dict[str, Json] | None = Field(None, alias="schema")
    strict: bool | None = None


class JsonSchemaFormat(Part):
    type: Literal["json_schema"]
    json_schema: JsonSchema


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
    prompt_cache_retention: CacheRetention | None = None
    service_tier: ServiceTier | None = None
    user_security_context: UserSecurityContext | None = None

    @property
    def file_ids(self) -> list[str]:
        """The ids of the files that its messages refer to."""
        listed = [message.content for message in self.messages if message.role == "user" and isinstance(message.content, list)]
        files = [part.file for parts in listed for part in parts if part.type == "file"]
        return [file.file_id for file in files if file.file_id]
