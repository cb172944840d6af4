"""The bodies of the family's requests.

Every parameter of the official document and of the newest SDK is here (documented); null means "left out" for each of them but
`model` and `input`. Input items, tools and tool choices are checked by the tables of `items` and `tools`.

Validated, echoed where the service echoes them, and otherwise without an effect on a pretend model: `temperature`, `top_p`,
`parallel_tool_calls` (unless the improviser has several tools to call), `verbosity`, `user`, `safety_identifier`,
`service_tier`, and the SDK's `moderation`, `prompt_cache_options`, `background_options`, `image`, `access_programs`. The penalties
are only taken at their default, 0.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mockserver.api.responses.refusals import moved
from mockserver.operations.body import Body, CacheRetention, JsonObjectFormat, Metadata, Part, ServiceTier, TextFormat
from mockserver.operations.visible import Include

Json = Any
Object = dict[str, Json]
Summary = Literal["auto", "concise", "detailed"]
Input = str | list[Object]


class Reasoning(Part):
    """Reasoning settings. `generate_summary` is the old name of `summary`."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Summary | None = None
    generate_summary: Summary | None = None
    context: Literal["auto", "current_turn", "all_turns"] | None = None
    mode: Literal["standard", "pro"] | None = None


class JsonSchemaFormat(Part):
    type: Literal["json_schema"]
    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$", max_length=64)]
    schema_: Annotated[Object, Field(alias="schema")]
    description: str | None = None
    strict: bool | None = None


class TextOptions(Part):
    format: Annotated[JsonObjectFormat | TextFormat | JsonSchemaFormat, Field(discriminator="type")] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class StreamOptions(Part):
    include_obfuscation: bool | None = None


class Template(Part):
    id: str
    version: str | None = None
    variables: Object | None = None


class Conversation(Part):
    id: str


class ContextManagement(Part):
    type: Literal["compaction"]
    compact_threshold: Annotated[int, Field(ge=1_000)] | None = None


class TakesInput(Body):
    """What all bodies of the family have in common."""

    input: Input | None = None
    instructions: str | None = None
    previous_response_id: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_names_of_chat(cls, document: Json) -> Json:
        error = moved(document)
        if error is not None:
            raise error
        return document


class AsksModel(TakesInput):
    """What creating a response and counting its input tokens have in common."""

    conversation: str | Conversation | None = None
    tools: list[Object] | None = None
    tool_choice: Literal["none", "auto", "required"] | Object | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    text: TextOptions | None = None
    truncation: Literal["auto", "disabled"] | None = None

    @property
    def conversation_id(self) -> str | None:
        """The conversation that the request belongs to."""
        return self.conversation.id if isinstance(self.conversation, Conversation) else self.conversation


class ResponseRequest(AsksModel):
    """The body of createResponse."""

    model: str
    background: bool | None = None
    include: list[Include] | None = None
    max_output_tokens: Annotated[int, Field(ge=16)] | None = None
    max_tool_calls: Annotated[int, Field(ge=1)] | None = None
    metadata: Metadata | None = None
    prompt: Template | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: CacheRetention | None = None
    safety_identifier: Annotated[str, Field(max_length=64)] | None = None
    service_tier: ServiceTier | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    user: str | None = None
    context_management: list[ContextManagement] | None = None
    moderation: Object | None = None
    prompt_cache_options: Object | None = None
    background_options: Object | None = None
    image: Object | None = None
    access_programs: Object | None = None

    @property
    def stored(self) -> bool:
        """Whether the response is kept."""
        return self.store is not False


class InputTokensRequest(AsksModel):
    """The body of countResponseInputTokens."""

    model: str | None = None
    personality: str | None = None


class CompactRequest(TakesInput):
    """The body of compactResponse."""

    model: str
    prompt_cache_key: str | None = None
    prompt_cache_options: Object | None = None
    prompt_cache_retention: CacheRetention | None = None
    service_tier: ServiceTier | None = None
    image: Object | None = None
