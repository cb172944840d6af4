"""Request bodies: the model that all of them extend, and the parts that several of them have.

Bodies are strict: "1" is not a number. A member that the operation does not have is refused at the top level and let
through further down, where clients echo objects of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mockserver import errors
from mockserver.operations.complaints import describe, refusal

Json = Any
Tokens = Annotated[list[Annotated[int, Field(ge=0, le=2**31)]], Field(min_length=1)]
Metadata = Annotated[dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)]
CacheRetention = Literal["in_memory", "in-memory", "24h"]
ServiceTier = Literal["auto", "default", "priority"]


class Part(BaseModel):
    """An object inside a request body. Built on first use; unknown members stay."""

    model_config = ConfigDict(strict=True, extra="allow", defer_build=True)


class Body(Part):
    """A whole request body; unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


class StreamOptions(Part):
    """What a stream of a chat or legacy completion carries besides the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class FileExpiry(Part):
    """When the time of a file is over that is to be created."""

    anchor: Literal["created_at"]
    seconds: int


class TextFormat(Part):
    """Plain text, the default."""

    type: Literal["text"]


class JsonObjectFormat(Part):
    """Any JSON object."""

    type: Literal["json_object"]


def validate(model: type[Body], document: Json, *, strict: bool = True) -> Any:
    """`document` as `model`. Raises ApiError 400 with the service's message, `param` and `code` for the first mistake.

    The fields of a form are texts, whatever they mean, and are therefore not validated strictly.
    """
    if not isinstance(document, dict):
        raise errors.invalid_type(None, "an object", describe(document))
    try:
        return model.model_validate(document) if strict else model.model_validate(document, strict=False)
    except ValidationError as error:
        raise refusal(error, document) from None


def decoded(ids: Sequence[int], encoding: str) -> str:
    """The text that token ids spell. Raises ApiError 400 for one that the encoding does not have."""
    from mockserver.model import tokens

    try:
        return tokens.decode(ids, encoding)
    except ValueError:
        largest = tokens.LARGEST[encoding]
        raise errors.invalid_token(next((one for one in ids if not 0 <= one <= largest), max(ids)), largest) from None
