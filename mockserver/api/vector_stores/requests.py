"""The bodies of vector store operations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from mockserver.operations.body import Body, Metadata, Part

Json = Any
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Value = Annotated[str, Field(max_length=512)] | bool | int | _Number
Attributes = Annotated[dict[Annotated[str, Field(max_length=64)], _Value], Field(max_length=16)]
_MOST_IDS = 500


class ExpiresAfter(Part):
    """How long a store lives after its last activity."""

    anchor: Literal["last_active_at"]
    days: Annotated[int, Field(ge=1, le=365)]


class ChunkSizes(Part):
    """How large chunks are, and how much of one the next begins with."""

    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4_096)]
    chunk_overlap_tokens: Annotated[int, Field(ge=0)]

    @field_validator("chunk_overlap_tokens")
    @classmethod
    def _refuse_more_than_half(cls, overlap: int, info: ValidationInfo) -> int:
        """The bound is the spec's, the words are inferred."""
        size = info.data.get("max_chunk_size_tokens")
        if size is not None and overlap * 2 > size:
            raise ValueError("Invalid '{param}': 'chunk_overlap_tokens' must not exceed half of 'max_chunk_size_tokens'.")
        return overlap


class AutoChunking(Part):
    """Chunks as the service thinks best."""

    type: Literal["auto"]


class StaticChunking(Part):
    """Chunks of a given size."""

    type: Literal["static"]
    static: ChunkSizes


ChunkingStrategy = Annotated[AutoChunking | StaticChunking, Field(discriminator="type")]


def reported(strategy: AutoChunking | StaticChunking | None) -> dict[str, Json]:
    """The strategy as a file's object has it: always the static one, of 800 tokens and 400 where the service chose (recorded)."""
    sizes = strategy.static if isinstance(strategy, StaticChunking) else None
    size, overlap = (800, 400) if sizes is None else (sizes.max_chunk_size_tokens, sizes.chunk_overlap_tokens)
    return {"type": "static", "static": {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}}


class CreateStoreRequest(Body):
    """The body of createVectorStore. A `description` is taken and not reported: recorded objects have none."""

    file_ids: Annotated[list[str], Field(max_length=_MOST_IDS)] | None = None
    name: str | None = None
    description: str | None = None
    expires_after: ExpiresAfter | None = None
    chunking_strategy: ChunkingStrategy | None = None
    metadata: Metadata | None = None


class ModifyStoreRequest(Body):
    """The body of modifyVectorStore. What it does not have stays as it is."""

    name: str | None = None
    expires_after: ExpiresAfter | None = None
    metadata: Metadata | None = None


class HybridSearch(Part):
    """How much likeness counts, and how much the very words."""

    embedding_weight: Annotated[float, Field(ge=0)]
    text_weight: Annotated[float, Field(ge=0)]


class RankingOptions(Part):
    """How results are ranked. `hybrid_search` is the file search tool's (spec), and is taken here as well."""

    ranker: Literal["none", "auto", "default-2024-11-15"] = "auto"
    score_threshold: Annotated[float, Field(ge=0, le=1)] = 0.0
    hybrid_search: HybridSearch | None = None


class SearchRequest(Body):
    """The body of searchVectorStore."""

    query: str | Annotated[list[str], Field(min_length=1)]
    rewrite_query: bool = False
    max_num_results: Annotated[int, Field(ge=1, le=50)] = 10
    filters: Json = None
    ranking_options: RankingOptions = RankingOptions()


class FileEntry(Part):
    """A file of a batch, with what is its own."""

    file_id: str
    attributes: Attributes | None = None
    chunking_strategy: ChunkingStrategy | None = None


class CreateFileRequest(FileEntry, Body):
    """The body of createVectorStoreFile."""


class UpdateAttributesRequest(Body):
    """The body of updateVectorStoreFileAttributes."""

    attributes: Attributes | None


class CreateBatchRequest(Body):
    """The body of createVectorStoreFileBatch: ids, which share attributes and chunking, or files, each with its own."""

    file_ids: Annotated[list[str], Field(min_length=1, max_length=_MOST_IDS)] | None = None
    files: Annotated[list[FileEntry], Field(min_length=1, max_length=_MOST_IDS)] | None = None
    chunking_strategy: ChunkingStrategy | None = None
    attributes: Attributes | None = None

    def entries(self) -> list[FileEntry]:
        """The files, each with what it is added with. What the batch has for all does not hold for `files` (spec)."""
        if self.files is not None:
            return self.files
        attributes, strategy = self.attributes, self.chunking_strategy
        return [
            FileEntry.model_construct(file_id=one, attributes=attributes, chunking_strategy=strategy)
            for one in self.file_ids or ()
        ]
