"""The sections below `when` in the scenario file: the conditions on a call, and the matchers of single values."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from mockserver.scenario import values
from mockserver.scenario.section import Choices, Flag, Name, Section, States, Text, Texts, WholeNumber, by_kind, optional

Operation = Annotated[str, AfterValidator(values.operation), Choices(lambda: ["*", *values.operation_ids()])]
BodyPath = Annotated[str, AfterValidator(values.body_path)]


class OperatorsSection(Section):
    """The matchers that texts and other values share. Several keys must hold together."""

    contains: Name = optional("It contains this text, in any case.")
    starts_with: Name = optional("It begins with this text, in any case.")
    ends_with: Name = optional("It ends with this text, in any case.")
    matches: Annotated[str, AfterValidator(values.expression)] = optional(
        "This regular expression matches somewhere in its first 10,000 characters. Templates use its groups as `match`."
    )

    @model_validator(mode="after")
    def _is_not_empty(self) -> OperatorsSection:
        if not self.model_fields_set:
            raise PydanticCustomError("empty", "expected a condition such as contains, equals or matches")
        return self


class TextMatchSection(OperatorsSection):
    """Matchers of a text."""

    equals: str = optional("It is exactly this text.")
    any: list[TextMatcher] = optional("At least one of these holds.", min_length=1)
    all: list[TextMatcher] = optional("All of these hold.", min_length=1)
    not_: TextMatcher = optional("This does not hold.", alias="not")


class ValueMatchSection(OperatorsSection):
    """Matchers of a value."""

    equals: Any = optional("It is exactly this value.")
    at_least: float = optional("It is a number, and not below this one.")
    at_most: float = optional("It is a number, and not above this one.")
    exists: bool = optional("It is present (true) or absent (false).")
    any: list[ValueMatcher] = optional("At least one of these holds.", min_length=1)
    all: list[ValueMatcher] = optional("All of these hold.", min_length=1)
    not_: ValueMatcher = optional("This does not hold.", alias="not")


_Texts = Annotated[TextMatchSection, Tag("<map>")]
_Values = Annotated[ValueMatchSection, Tag("<map>")]
_Number = Annotated[int | float, Tag("<number>")]
_Null = Annotated[None, Tag("<null>")]
_Scalar = Annotated[Text | Flag | _Number | _Null, by_kind("a value")]
_Scalars = Annotated[list[_Scalar], Field(min_length=1), Tag("<list>")]

TextMatcher = Annotated[Text | Texts | _Texts, by_kind("text, a list of texts, or conditions such as contains")]
ResultMatcher = Annotated[
    Text | Flag | Texts | _Texts, by_kind("text, true, false, a list of texts, or conditions such as contains")
]
ValueMatcher = Annotated[
    Text | _Number | Flag | _Null | _Scalars | _Values, by_kind("a value, a list of values, or conditions such as equals")
]
PresenceMatcher = Annotated[
    Text | Flag | Texts | _Values, by_kind("text, true, false, a list of texts, or conditions such as equals")
]
NumberMatcher = Annotated[WholeNumber | _Values, by_kind("a whole number, or conditions such as at_least")]

_Operations = Annotated[list[Operation], Field(min_length=1), Tag("<list>")]
_Results = Annotated[dict[str, ResultMatcher], Field(min_length=1), Tag("<map>")]
_Entries = Annotated[dict[str, PresenceMatcher], Field(min_length=1)]


class WhenSection(Section):
    """The conditions on a call. Several keys must hold together; without any key they hold for every call."""

    operation: Annotated[Annotated[Operation, Tag("<text>")] | _Operations, by_kind("an operation or a list of them")] = (
        optional("The operationId, or a list of them; `*` is every operation. Without it: the operations that a model answers.")
    )
    deployment: TextMatcher = optional("The deployment of the call. Bare text is the whole name.")
    user: TextMatcher = optional("The text of the last user turn. Bare text is a part of it, in any case.")
    system: TextMatcher = optional(
        "The instructions and all system and developer turns. Bare text is a part of it, in any case."
    )
    tool_result: Annotated[Flag | Text | _Results, by_kind("true, false, a tool's name, or conditions by tool name")] = (
        optional(
            "Tool results at the end of the conversation: any (true), none (false), this tool's, or conditions by tool (`*`: any tool)."
        )
    )
    tools: Annotated[Flag | Text | Texts, by_kind("true, false, a tool's name or a list of names")] = optional(
        "The tools of the request: any (true), none (false), this one, or all of these."
    )
    header: _Entries = optional(
        "Request headers by name: present (true), absent (false), or a value. Bare text is the whole value."
    )
    metadata: _Entries = optional(
        "The request's metadata by key: present (true), absent (false), or a value. Bare text is the whole value."
    )
    turn: NumberMatcher = optional("Which answer of the conversation is due: 1 is the first.")
    previous: PresenceMatcher = optional("The previous_response_id: present (true), absent (false), or its value.")
    stream: bool = optional("Whether the request asks for a stream.")
    state: States = optional("The state of the script, or states by machine. All machines begin in `start`.")
    json_: Annotated[dict[BodyPath, ValueMatcher], Field(min_length=1)] = optional(
        "Values of the request's body by path, for instance `messages[0].content` or `tools[*].name`.", alias="json"
    )
    any: list[WhenSection] = optional("At least one of these conditions holds.", min_length=1)
    all: list[WhenSection] = optional("All of these conditions hold.", min_length=1)
    not_: WhenSection = optional("These conditions do not hold.", alias="not")
