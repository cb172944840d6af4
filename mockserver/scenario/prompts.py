"""Prompt templates: the section `prompts` of the scenario file, and the templates in the form in which responses use them.

Their placeholders are the service's own, `{{name}}`, and not templates of a script: callers fill them by `prompt.variables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from mockserver.scenario.section import Name, Section, optional, problem_at


class MessageSection(Section):
    """A message of a prompt template."""

    role: Literal["user", "assistant", "developer", "system"] = Field(description="Whose message it is.")
    content: str = Field(description="Its text, with placeholders such as {{city}}.")


class PromptVersionSection(Section):
    """What a version of a prompt template says."""

    instructions: str = optional("The instructions, with placeholders such as {{city}}.")
    messages: Annotated[list[MessageSection], Field(min_length=1)] = optional("Messages before those of the request.")


class PromptSection(PromptVersionSection):
    """A prompt template: one version, called 1, or several."""

    versions: Annotated[dict[Name, PromptVersionSection], Field(min_length=1)] = optional("The versions by name.")
    current: Name = optional("The version that a request gets which names none. Without it: the last.")

    @model_validator(mode="after")
    def _is_one_or_many(self) -> PromptSection:
        keys = self.model_fields_set
        if "versions" not in keys and not keys & {"instructions", "messages"}:
            raise PydanticCustomError("empty", "expected instructions, messages or versions")
        for key in sorted(keys & {"instructions", "messages"}) if "versions" in keys else ():
            raise problem_at(key, "cannot be combined with versions; put it into one of them")
        if "current" in keys and self.current not in (self.versions if "versions" in keys else {}):
            raise problem_at("current", f"there is no version {self.current!r}")
        return self


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """What a version says: instructions, and messages as pairs of role and text. Both have placeholders."""

    instructions: str | None
    messages: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A prompt template; `current` is the version for requests that name none."""

    versions: Mapping[str, PromptVersion]
    current: str


def compile_prompt(section: PromptSection) -> PromptTemplate:
    """The template that a section describes."""
    if "versions" not in section.model_fields_set:
        return PromptTemplate({"1": _version(section)}, "1")
    versions = {name: _version(one) for name, one in section.versions.items()}
    return PromptTemplate(versions, section.current or list(versions)[-1])


def _version(section: PromptVersionSection) -> PromptVersion:
    messages = tuple([(message.role, message.content) for message in section.messages or ()])
    return PromptVersion(section.instructions, messages)
