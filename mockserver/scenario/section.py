"""What the models of the file format have in common.

A default of None means "not given": ask `model_fields_set`, or dump with `exclude_unset`. Unions are told apart by the kind of
value, so that a mistake gives one message; their tags are written `<…>`, which no key of the file looks like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from mockserver.scenario import values

Json = Any


class Section(BaseModel):
    """A mapping of the file. No other keys, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True, allow_inf_nan=False)


def given(description: str, **constraints: Any) -> Any:
    """A field that may be left out."""
    return Field(default=None, description=description, **constraints)


def wrong(key: str, message: str) -> PydanticCustomError:
    """What is wrong with a key of a section in the light of its other keys."""
    return PydanticCustomError("at_key", "{message}", {"key": key, "message": message})


def either(expected: str) -> Discriminator:
    """Tell the members of a union apart by the kind of value: `<text>`, `<flag>`, `<number>`, `<map>`, `<list>`, `<null>`."""
    return Discriminator(_kind, custom_error_type="expected", custom_error_message=f"expected {expected}")


def _kind(value: Json) -> str | None:
    if isinstance(value, str):
        return "<text>"
    if isinstance(value, bool):
        return "<flag>"
    if isinstance(value, (int, float)):
        return "<number>"
    if isinstance(value, (dict, BaseModel)):
        return "<map>"
    return "<list>" if isinstance(value, list) else "<null>" if value is None else None


class Listed:
    """Adds the valid names to the published schema. They are asked for only then."""

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        self.names = names

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Json]:
        return {**handler(core_schema), "enum": list(self.names())}


Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Text = Annotated[str, Tag("<text>")]
Texts = Annotated[list[str], Field(min_length=1), Tag("<list>")]
Flag = Annotated[bool, Tag("<flag>")]
Whole = Annotated[int, Tag("<number>")]
States = Annotated[Text | Annotated[dict[str, str], Field(min_length=1), Tag("<map>")], either("a state, or states by machine")]
Duration = Annotated[
    float,
    BeforeValidator(values.duration),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "examples": ["200ms", "1.5s", "2m"]}]}),
]
