"""The sections below `respond` in the scenario file: the answer itself, its pace, its faults and its filter results."""

from __future__ import annotations

from collections.abc import Set
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from mockserver.scenario import values
from mockserver.scenario.section import Choices, Count, Duration, Name, Section, Text, by_kind, optional, problem_at
from mockserver.scenario.template import is_template

ErrorName = Annotated[str, AfterValidator(values.error_name), Choices(values.error_names)]
HeaderName = Annotated[str, AfterValidator(values.header_name)]
HeaderValue = Annotated[str, AfterValidator(lambda value: value if is_template(value) else values.header_value(value))]
Item = Annotated[
    dict[str, Any],
    AfterValidator(values.output_item),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "type": {"enum": list(values.ITEM_TYPES)},
                "files": {
                    "type": "object",
                    "description": "Files that the code of a code_interpreter_call writes, by name: text, or bytes in base64.",
                    "additionalProperties": {
                        "anyOf": [
                            {"type": "string"},
                            {
                                "type": "object",
                                "properties": {"base64": {"type": "string"}},
                                "required": ["base64"],
                                "additionalProperties": False,
                            },
                        ]
                    },
                },
            },
            "required": ["type"],
        }
    ),
]
Severity = Literal["safe", "low", "medium", "high"]
Category = Annotated[str, AfterValidator(values.filter_category), Choices(values.filter_categories)]


class ToolCallSection(Section):
    """A call of one of the caller's tools."""

    name: Name = Field(description="The tool's name.")
    arguments: Annotated[Text | Annotated[dict[str, Any], Tag("<map>")], by_kind("a mapping or JSON text")] = optional(
        "The arguments: a mapping, or text that is sent as it is."
    )
    id: Name = optional("The call's id. Without it the server makes one.")
    kind: Literal["function", "custom"] = optional("Whether the tool takes JSON (function, the default) or free text (custom).")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ToolCallSection:
        if self.kind == "custom" and not isinstance(self.arguments, str):
            raise problem_at("arguments", "a custom tool takes text")
        return self


class ReasoningSection(Section):
    """What the model thinks before it answers."""

    summary: Annotated[Text | Annotated[list[str], Tag("<list>")], by_kind("text or a list of paragraphs")] = optional(
        "The summary, as text or a list of paragraphs."
    )
    text: str = optional("The reasoning itself, which some vendors' models return.")
    tokens: int = optional("The number of reasoning tokens. Without it they are counted.", ge=0)


class AudioSection(Section):
    """A spoken answer."""

    transcript: str = Field(description="The words that are spoken.")
    data: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$")] = Field(description="The sound, in base64.")


class FindingsSection(Section):
    """The findings of the content filter for the prompt or the completion. A severity of medium or high, or a detection, blocks."""

    hate: Severity = optional("A severity.")
    self_harm: Severity = optional("A severity.")
    sexual: Severity = optional("A severity.")
    violence: Severity = optional("A severity.")
    custom_blocklists: bool = optional("Whether it is detected.")
    custom_topics: bool = optional("Whether it is detected.")
    indirect_attack: bool = optional("Whether it is detected.")
    jailbreak: bool = optional("Whether it is detected.")
    personally_identifiable_information: bool = optional("Whether it is detected.")
    profanity: bool = optional("Whether it is detected.")
    protected_material_code: bool = optional("Whether it is detected.")
    protected_material_text: bool = optional("Whether it is detected.")
    task_adherence: bool = optional("Whether it is detected.")
    ungrounded_material: bool = optional("Whether it is detected.")
    blocked: bool = optional("Whether the prompt or completion is blocked, whatever the findings.")
    failed: bool = optional("Whether the filter is down: nothing is filtered, and the answer reports that.")


_Category = Annotated[Category, Tag("<text>")]
_Side = Annotated[_Category | Annotated[FindingsSection, Tag("<map>")], by_kind("a category, or findings by category")]


class ContentFilterSection(FindingsSection):
    """The findings of the content filter. Those directly in this mapping are for the prompt."""

    prompt: _Side = optional("For the prompt. If it is blocked, the call is refused with Azure's 400.")
    completion: _Side = optional("For the completion. If it is blocked, the answer breaks off with content_filter.")

    @model_validator(mode="after")
    def _names_the_side(self) -> ContentFilterSection:
        sides = self.model_fields_set & {"prompt", "completion"}
        for key in sorted(self.model_fields_set - sides) if sides else ():
            raise problem_at(key, "cannot be combined with prompt or completion; put it under one of them")
        return self


class ErrorSection(Section):
    """An error: a named one, or one that is spelled out, which needs a status."""

    name: ErrorName = optional("A named error, in Azure's words.")
    status: int = optional("The HTTP status.", ge=400, le=599)
    code: str = optional("The error's code.")
    message: str = optional("The error's message.")
    type: str = optional("The error's type.")
    param: str = optional("The request's parameter that the error names.")
    headers: dict[HeaderName, HeaderValue] = optional("More headers.")
    retry_after: Duration = optional("The time to wait before trying again, sent as retry-after and retry-after-ms.")

    @model_validator(mode="after")
    def _named_or_spelled_out(self) -> ErrorSection:
        keys = self.model_fields_set
        if "name" not in keys and "status" not in keys:
            raise PydanticCustomError("empty", "expected a name or a status")
        for key in ("type", "param") if "name" in keys else ():
            if key in keys:
                raise problem_at(
                    key, "a named error has its own; leave it out, or spell the error out with a status instead of a name"
                )
        return self


class JobSection(Section):
    """How a fine-tuning job goes: it fails, or goes on no further. Its files are read all the same."""

    fails: Literal["data_evaluation", "training", "model_evaluation"] = optional(
        "Where it fails: as the service finds harm in its data, halfway through its steps, or as it finds harm in the model."
    )
    hangs: Literal["pending", "running"] = optional("The status that it does not leave.")
    code: str = optional("The code of its error.")
    message: str = optional("The message of its error.")

    @model_validator(mode="after")
    def _fails_or_hangs(self) -> JobSection:
        keys = self.model_fields_set
        if len(keys & {"fails", "hangs"}) != 1:
            raise PydanticCustomError("empty", "expected either fails or hangs")
        for key in ("code", "message") if "hangs" in keys else ():
            if key in keys:
                raise problem_at(key, "belongs to a job that fails, and this one hangs")
        return self


class StreamSection(Section):
    """The pace of a stream and its fault: at most one of the `…_after` keys."""

    ttft: Duration = optional("Time to the first token.")
    tokens_per_second: Annotated[float, Field(gt=0, le=1_000_000)] = optional("The pace.")
    jitter: Annotated[float, Field(ge=0, le=1)] = optional("The share, from 0 to 1, by which a pause may be longer or shorter.")
    chunk: Annotated[
        Annotated[Literal["token", "word", "char"], Tag("<text>")] | Annotated[Count, Tag("<number>")],
        by_kind("token, word, char or a number of characters"),
    ] = optional("How the text is cut into events: by token, word, character or a number of characters.")
    cut_after: int = optional("The connection closes after this many events.", ge=0)
    stall_after: int = optional("Nothing more is sent after this many events, and the connection stays open.", ge=0)
    garbage_after: int = optional("Bytes that are not an event are sent after this many events.", ge=0)
    reset_after: int = optional("The connection is reset after this many events.", ge=0)

    @property
    def faults(self) -> list[str]:
        """The keys that break the stream."""
        return sorted(key for key in self.model_fields_set if key.endswith("_after"))

    @model_validator(mode="after")
    def _breaks_once(self) -> StreamSection:
        if len(self.faults) > 1:
            raise problem_at(self.faults[1], f"a stream breaks only once, and {self.faults[0]} is set too")
        return self


_Count = Annotated[int, Field(ge=0)]
_OfPrompt = dict[Literal["audio_tokens", "cache_write_tokens", "cached_tokens", "image_tokens", "text_tokens"], _Count]
_OfCompletion = dict[
    Literal["accepted_prediction_tokens", "audio_tokens", "reasoning_tokens", "rejected_prediction_tokens"], _Count
]


class UsageSection(Section):
    """Token counts that replace the real ones, by their chat or Responses names."""

    prompt_tokens: int = optional("Chat.", ge=0)
    completion_tokens: int = optional("Chat.", ge=0)
    input_tokens: int = optional("Responses.", ge=0)
    output_tokens: int = optional("Responses.", ge=0)
    total_tokens: int = optional("Both.", ge=0)
    prompt_tokens_details: _OfPrompt = optional("Chat.")
    completion_tokens_details: _OfCompletion = optional("Chat.")
    input_tokens_details: _OfPrompt = optional("Responses.")
    output_tokens_details: _OfCompletion = optional("Responses.")


class BehaviourSection(Section):
    """The keys that a rule's answer and a deployment share."""

    error: Annotated[
        Annotated[ErrorName, Tag("<text>")] | Annotated[ErrorSection, Tag("<map>")], by_kind("an error's name, or an error")
    ] = optional("An error, by name or spelled out.")
    retry_after: Duration = optional("The time to wait before trying again, for the error.")
    delay: Duration = optional("A wait before anything is sent.")
    stream: StreamSection = optional("The pace of a stream and its fault.")
    reset: Literal[True] = optional("The connection is reset instead of an answer.")
    content_filter: Annotated[
        _Category | Annotated[ContentFilterSection, Tag("<map>")], by_kind("a category, or findings by side or category")
    ] = optional(
        "The findings of the content filter: a category for the prompt, or findings for prompt and completion by category."
    )

    @model_validator(mode="after")
    def _has_no_conflict(self) -> BehaviourSection:
        keys = self.model_fields_set
        conflict = _conflict(keys)
        if conflict is not None:
            raise problem_at(*conflict)
        if "reset" in keys and "stream" in keys and self.stream.faults:
            raise problem_at("reset", f"an answer breaks only once, and stream.{self.stream.faults[0]} is set too")
        return self


_Vector = Annotated[list[float], Field(min_length=1)]
_VectorKind = Discriminator(
    lambda value: "<vectors>" if isinstance(value, list) and value and isinstance(value[0], list) else "<vector>"
)


class RespondSection(BehaviourSection):
    """An answer. Without words, error, vectors and body the model improvises, at this pace and with these faults."""

    text: str = optional("The text of the answer.")
    json_: Any = optional("The text of the answer as a JSON value, which is sent as compact JSON.", alias="json")
    annotations: list[dict[str, Any]] = optional("Citations of the text, as Azure sends them.")
    refusal: str = optional("The text with which the model refuses.")
    reasoning: Annotated[
        Text | Annotated[ReasoningSection, Tag("<map>")] | Annotated[Literal[False], Tag("<flag>")],
        by_kind("text, or summary, text and tokens, or false"),
    ] = optional("The reasoning before the answer. Bare text is both its summary and its text; with false there is none.")
    items: Annotated[list[Item], Field(min_length=1)] = optional(
        "Calls of built-in tools: output items of the Responses surface, without their ids."
    )
    tool_calls: Annotated[list[ToolCallSection], Field(min_length=1)] = optional("Calls of the caller's tools.")
    audio: AudioSection = optional("The spoken answer.")
    finish_reason: Literal["stop", "length", "content_filter", "tool_calls"] = optional(
        "Why the model stopped, where that does not follow from the answer."
    )
    usage: UsageSection = optional("Token counts that replace the real ones.")
    embedding: Annotated[
        Annotated[_Vector, Tag("<vector>")] | Annotated[list[_Vector], Field(min_length=1), Tag("<vectors>")], _VectorKind
    ] = optional("The vector of every input, or a list of vectors, one for each input, the last repeating.")
    job: JobSection = optional("How the fine-tuning job goes that the call creates.")
    status: int = optional("The HTTP status of an answer that is spelled out.", ge=200, le=599)
    body: Any = optional("The body of an answer that is spelled out: text as it is, anything else as JSON.")
    headers: dict[HeaderName, HeaderValue] = optional("The headers of an answer that is spelled out.")

    @model_validator(mode="after")
    def _is_not_empty(self) -> RespondSection:
        if "reasoning" in self.model_fields_set and self.reasoning is False and not self.model_fields_set & _PARTS:
            raise problem_at("reasoning", "without reasoning there has to be something else, for instance text")
        return self


_PARTS = {"text", "json_", "refusal", "items", "tool_calls", "audio"}
_WORDS = {"text", "json_", "annotations", "refusal", "reasoning", "items", "tool_calls", "audio", "finish_reason", "usage"}
_RAW = {"status", "body", "headers"}
# How messages call a kind of answer, the keys that make an answer one of that kind, and the keys that it cannot have.
_KINDS: tuple[tuple[str, set[str], set[str]], ...] = (
    ("an error", {"error"}, {"embedding", "job", "stream", "content_filter"} | _WORDS | _RAW),
    ("an embedding", {"embedding"}, {"job", "stream", "content_filter"} | _WORDS | _RAW),
    ("a job", {"job"}, {"stream", "content_filter"} | _WORDS | _RAW),
    ("an answer that is spelled out by status and body", _RAW, {"stream", "content_filter"} | _WORDS),
    ("json", {"json_"}, {"text", "annotations"}),
)


def _conflict(keys: Set[str]) -> tuple[str, str] | None:
    """The first key that another one excludes, or that lacks the key it belongs to, and the reason."""
    for name, kind, excluded in _KINDS:
        clash = sorted(keys & excluded)
        if keys & kind and clash:
            return clash[0].rstrip("_"), f"cannot be combined with {name}"
    if "retry_after" in keys and "error" not in keys:
        return "retry_after", "belongs to an error, and there is none here"
    if "annotations" in keys and "text" not in keys:
        return "annotations", "belong to a text, and there is none here"
    if "headers" in keys and not keys & {"status", "body"}:
        return "headers", "belong to a status or body, and there is none here"
    return None
