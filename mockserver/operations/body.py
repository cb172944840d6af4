"""Request bodies: the model that all of them extend, and pydantic's findings told in the service's words.

Bodies are strict: "1" is not a number. A member that the operation does not have is refused at the top level and let
through further down, where clients echo objects of theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mockserver import errors
from mockserver.operations.complaints import describe, refusal

Json = Any
Tokens = Annotated[list[Annotated[int, Field(ge=0, le=2**31)]], Field(min_length=1)]


class Part(BaseModel):
    """An object inside a request body. Built on first use; unknown members stay."""

    model_config = ConfigDict(strict=True, extra="allow", defer_build=True)


class Body(Part):
    """A whole request body; unknown members are refused."""

    model_config = ConfigDict(extra="forbid")


def validate(model: type[Body], document: Json) -> Any:
    """`document` as `model`. Raises ApiError 400 with the service's message, `param` and `code` for the first mistake."""
    if not isinstance(document, dict):
        raise errors.invalid_type(None, "an object", describe(document))
    try:
        return model.__pydantic_validator__.validate_python(document)
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
