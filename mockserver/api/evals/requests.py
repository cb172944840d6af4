"""The bodies of the family's requests (spec). What a grader and a message need is checked by `operations.graders`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from mockserver.operations.body import Body, Metadata, Part

Json = Any
Object = dict[str, Json]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class CustomConfig(Part):
    """Items that the caller describes."""

    type: Literal["custom"]
    item_schema: Object
    include_sample_schema: bool | None = None


class LogsConfig(Part):
    """Items that are stored completions or responses; `stored_completions` is the old name."""

    type: Literal["logs", "stored_completions"]
    metadata: Object | None = None


class CreateEvalRequest(Body):
    """The body of createEval. The document requires a `statusCode`, which no client sends: it has no effect."""

    data_source_config: Annotated[CustomConfig | LogsConfig, Field(discriminator="type")]
    testing_criteria: list[Object]
    name: str | None = None
    metadata: Metadata | None = None
    status_code: Json = Field(default=None, alias="statusCode")


class UpdateEvalRequest(Body):
    """The body of updateEval."""

    name: str | None = None
    metadata: Metadata | None = None


class ContentRow(Part):
    item: Object
    sample: Object | None = None


class FileContent(Part):
    """Rows in the body itself."""

    type: Literal["file_content"]
    content: list[ContentRow]


class FileId(Part):
    """Rows in a file, one on each line."""

    type: Literal["file_id"]
    id: str


class StoredCompletions(Part):
    """Stored completions that fit all of this; times are in Unix seconds, and inclusive."""

    type: Literal["stored_completions"]
    metadata: Object | None = None
    model: str | None = None
    created_after: int | None = None
    created_before: int | None = None
    limit: Annotated[int, Field(ge=1)] | None = None


class StoredResponses(Part):
    """Stored responses that fit all of this; times are in Unix seconds, and inclusive."""

    type: Literal["responses"]
    metadata: Object | None = None
    model: str | None = None
    instructions_search: str | None = None
    created_after: int | None = None
    created_before: int | None = None
    reasoning_effort: Effort | None = None
    temperature: float | None = None
    top_p: float | None = None
    users: list[str] | None = None
    tools: list[str] | None = None


class Template(Part):
    """Messages with placeholders."""

    type: Literal["template"]
    template: Annotated[list[Object], Field(min_length=1)]


class ItemReference(Part):
    """Messages that an item has: `item.input`."""

    type: Literal["item_reference"]
    item_reference: str


InputMessages = Annotated[Template | ItemReference, Field(discriminator="type")]


class Sampling(Part):
    """How a model is sampled. `max_tokens` is Azure's; a seed has no effect on a response."""

    reasoning_effort: Effort | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    tools: list[Object] | None = None


class CompletionsSampling(Sampling):
    response_format: Object | None = None


class ResponsesSampling(Sampling):
    text: Object | None = None


class Jsonl(Part):
    """Rows that are graded as they are."""

    type: Literal["jsonl"]
    source: Annotated[FileContent | FileId, Field(discriminator="type")]


class Completions(Part):
    """Rows for which a model is sampled by chat completions, or stored completions."""

    type: Literal["completions"]
    source: Annotated[FileContent | FileId | StoredCompletions, Field(discriminator="type")]
    input_messages: InputMessages | None = None
    model: str | None = None
    sampling_params: CompletionsSampling | None = None


class Responses(Part):
    """Rows for which a model is sampled by responses, or stored responses."""

    type: Literal["responses"]
    source: Annotated[FileContent | FileId | StoredResponses, Field(discriminator="type")]
    input_messages: InputMessages | None = None
    model: str | None = None
    sampling_params: ResponsesSampling | None = None


class CreateRunRequest(Body):
    """The body of createEvalRun."""

    data_source: Annotated[Jsonl | Completions | Responses, Field(discriminator="type")]
    name: str | None = None
    metadata: Metadata | None = None
