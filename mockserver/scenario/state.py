"""The section `state` of the scenario file: what a resource has before its first call, each object under a name of the scenario's own."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, Tag, model_validator

from mockserver.operations.body import Metadata
from mockserver.scenario.answers import RespondSection
from mockserver.scenario.section import Duration, Name, Section, Text, by_kind, optional, problem_at

_DAY = 24 * 3_600
_Value = Annotated[str, Field(max_length=512)] | bool | int | float
_Attributes = Annotated[dict[Annotated[str, Field(max_length=64)], _Value], Field(max_length=16)]
_Item = dict[str, Any]
_Lifetime = Annotated[Duration, Field(ge=1)]


# Clients put ids into paths, and tell by the prefix what they are of.
_FileId = Annotated[str, Field(pattern=r"^(assistant|file)-[A-Za-z0-9_-]{1,64}$")]
_VectorStoreId = Annotated[str, Field(pattern=r"^vs_[A-Za-z0-9_-]{1,64}$")]
_ConversationId = Annotated[str, Field(pattern=r"^conv_[A-Za-z0-9_-]{1,64}$")]
_ResponseId = Annotated[str, Field(pattern=r"^resp_[A-Za-z0-9_-]{1,64}$")]
_ID = "Its id. Without it: one that depends on the resource's seed and the key alone."


class FileSection(Section):
    """A file: text, or what is in a file below the scenario's folder."""

    text: Annotated[str, Field(min_length=1)] = optional("What is in it.")
    path: Name = optional("The file that has what is in it: below the scenario's own folder, where the path starts.")
    filename: Name = optional("Its name. Without it: that of `path`, or the key with `.txt`.")
    purpose: Literal["fine-tune", "assistants", "batch", "evals"] = optional("What it is for (default assistants).")
    expires_after: _Lifetime = optional("How long it lives. Without it: until it is deleted.")
    id: _FileId = optional(_ID)

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        keys = self.model_fields_set & {"text", "path"}
        if len(keys) == 2:
            raise problem_at("path", "a file has text or a path, not both")
        if not keys:
            raise problem_at("text", "is missing; give a file text or a path")
        return self


class ChunksSection(Section):
    """How the texts of a vector store are cut."""

    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4_096)] = Field(description="How large chunks are.")
    chunk_overlap_tokens: Annotated[int, Field(ge=0)] = Field(description="How much of one the next begins with: at most half.")

    @model_validator(mode="after")
    def _overlaps_at_most_half(self) -> Self:
        if self.chunk_overlap_tokens * 2 > self.max_chunk_size_tokens:
            raise problem_at("chunk_overlap_tokens", "must be at most half of max_chunk_size_tokens")
        return self


class StoreFileSection(Section):
    """A file in a vector store."""

    file: Name = Field(description="The key of the file under `files`.")
    attributes: _Attributes = optional("What searches can filter by: texts, numbers, true or false.")


class VectorStoreSection(Section):
    """A vector store, whose files are indexed when it is first seen."""

    name: str = optional("Its name.")
    files: list[
        Annotated[Text | Annotated[StoreFileSection, Tag("<map>")], by_kind("the key of a file, or file and attributes")]
    ] = optional("The files in it, by their keys under `files`.")
    chunks: ChunksSection = optional("How texts are cut. Without it: as the service does, in 800 tokens of which 400 overlap.")
    expires_after: _Lifetime = optional("How long it lives after it was last used: whole days, at most 365.")
    metadata: Metadata = optional("Its metadata.")
    id: _VectorStoreId = optional(_ID)

    @property
    def days(self) -> int:
        """How many days it lives after it was last used."""
        return int(self.expires_after // _DAY)

    @model_validator(mode="after")
    def _expires_after_whole_days(self) -> Self:
        if "expires_after" in self.model_fields_set and (self.expires_after % _DAY or not 1 <= self.days <= 365):
            raise problem_at("expires_after", "must be whole days, from 1d to 365d")
        return self


class ConversationSection(Section):
    """A conversation."""

    items: list[_Item] = optional("The items in it, oldest first, as the Responses API takes them.")
    metadata: Metadata = optional("Its metadata.")
    id: _ConversationId = optional(_ID)


class OutputSection(RespondSection):
    """What a stored response says, in the words of `respond`. It has no pace, no fault and no error: those belong to calls."""

    @model_validator(mode="after")
    def _is_an_output(self) -> Self:
        for key in ("error", "retry_after", "delay", "stream", "reset", "embedding", "job", "status", "body", "headers"):
            if key in self.model_fields_set:
                raise problem_at(key, "belongs to a call, and a stored response is none")
        return self


class ResponseSection(Section):
    """A stored response."""

    input: Annotated[Text | Annotated[list[_Item], Tag("<list>")], by_kind("text or a list of items")] = Field(
        description="What it was created with: text, or items as the Responses API takes them."
    )
    respond: Annotated[Text | Annotated[OutputSection, Tag("<map>")], by_kind("text or a mapping")] = optional(
        "What it says, as in a rule. Without it: what the model improvises."
    )
    model: Name = optional("The deployment. Without it: the first that can chat, or gpt-4.1-nano where none is declared.")
    instructions: str = optional("The instructions that it was created with.")
    previous_response: Name = optional("The key of the response before it, which stands above it.")
    conversation: Name = optional("The key of the conversation that it belongs to, and adds its items to.")
    metadata: Metadata = optional("Its metadata.")
    id: _ResponseId = optional(_ID)

    @model_validator(mode="after")
    def _has_one_past(self) -> Self:
        if {"previous_response", "conversation"} <= self.model_fields_set:
            raise problem_at("conversation", "a response continues a response or a conversation, not both")
        return self


class StateSection(Section):
    """What the resource has before its first call. Keys are names of the scenario's own."""

    files: dict[Name, Annotated[Text | Annotated[FileSection, Tag("<map>")], by_kind("text or a mapping")]] = optional("Files.")
    vector_stores: dict[Name, VectorStoreSection] = optional("Vector stores.")
    conversations: dict[Name, ConversationSection] = optional("Conversations.")
    responses: dict[Name, ResponseSection] = optional("Stored responses, each below those that it continues.")
