"""What the sections of the file format share: their base class, their fields, and the types of single values.

A default of None means that the key is absent: check `model_fields_set`, or dump with `exclude_unset`. The members of a union
are chosen by the kind of value, so that a mistake gives one message and not one for each member. Their tags are written `<…>`,
so that they cannot be mistaken for keys of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from mockserver.scenario import values

Json = Any


class Section(BaseModel):
    """A mapping of the file. Unknown keys are refused, and values are not converted."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True, allow_inf_nan=False)


def optional(description: str, **constraints: Any) -> Any:
    """A field that may be left out; `constraints` are those of pydantic's `Field`."""
    return Field(default=None, description=description, **constraints)


def problem_at(key: str, message: str) -> PydanticCustomError:
    """The error for a key that does not go with the other keys of its section; a validator raises it."""
    return PydanticCustomError("at_key", "{message}", {"key": key, "message": message})


def by_kind(expected: str) -> Discriminator:
    """Choose the member of a union by the kind of value, which is its tag. `expected` describes the union in messages.

    The tags are `<text>`, `<flag>`, `<number>`, `<map>`, `<list>` and `<null>`.
    """
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


class Choices:
    """Adds the valid names to the published schema. They are looked up only then, since that imports whole families."""

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        self.names = names

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Json]:
        return {**handler(core_schema), "enum": list(self.names())}


Name = Annotated[str, Field(min_length=1)]
Count = Annotated[int, Field(ge=1)]
Text = Annotated[str, Tag("<text>")]
Texts = Annotated[list[str], Field(min_length=1), Tag("<list>")]
Flag = Annotated[bool, Tag("<flag>")]
WholeNumber = Annotated[int, Tag("<number>")]
States = Annotated[
    Text | Annotated[dict[str, str], Field(min_length=1), Tag("<map>")], by_kind("a state, or states by machine")
]
Size = Annotated[
    int,
    BeforeValidator(values.size),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "examples": ["64 MiB"]}]}),
]
Duration = Annotated[
    float,
    BeforeValidator(values.duration),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "examples": ["200ms", "1.5s", "2m"]}]}),
]
