"""Prompt templates: a request names one that the scenario defines, with a version and variables, and so says less itself.

What a template says is not part of the conversation: a response that continues another has to name it again (inferred from
`instructions`, which are not carried over either).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.responses import refusals
from mockserver.operations.complaints import describe
from mockserver.operations.items import normalise
from mockserver.resource.conversations import find_item

if TYPE_CHECKING:
    from mockserver.api.responses.requests import Template
    from mockserver.operations.call import Call
    from mockserver.scenario.prompts import PromptVersion

Json = Any
Object = dict[str, Json]
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]\w{0,63})\s*\}\}")
_PARTS = ("input_text", "input_image", "input_file")


@dataclass(frozen=True, slots=True)
class FilledTemplate:
    """A template with its variables filled in: the version, the instructions, and the messages as items."""

    version: str
    instructions: str | None
    messages: list[Object] = field(default_factory=list)

    def shown(self, instructions: str | None) -> list[Object]:
        """What the response has under `instructions`: items, of which the first are the instructions that apply (spec)."""
        text = instructions or self.instructions
        first = [{"type": "message", "content": [{"type": "input_text", "text": text}], "role": "developer"}] if text else []
        return [*first, *self.messages]


def filled(call: Call, template: Template | None) -> FilledTemplate | None:
    """The template that a request names, filled in; None where it names none.

    Raises ApiError 404 for an id or version that the scenario does not define, 400 for variables that are missing, unknown or wrong.
    """
    if template is None:
        return None
    known = call.resource.prompts.get(template.id)
    if known is None:
        raise refusals.prompt_not_found(template.id)
    name = template.version or known.current
    version = known.versions.get(name)
    if version is None:
        raise refusals.prompt_version_not_found(template.id, name)
    variables = template.variables or {}
    _refuse_variables(version, variables)
    instructions = None if version.instructions is None else _text(version.instructions, variables)
    messages = [{"role": role, "content": _content(role, text, variables)} for role, text in version.messages]
    return FilledTemplate(name, instructions, normalise(messages, lambda item_id: find_item(call.resource, item_id), "prompt"))


def _refuse_variables(version: PromptVersion, variables: Object) -> None:
    texts = [version.instructions or "", *[text for _, text in version.messages]]
    wanted = list(dict.fromkeys(name for text in texts for name in _PLACEHOLDER.findall(text)))
    missing = [name for name in wanted if name not in variables]
    if missing:
        raise refusals.prompt_variables("Missing", missing)
    unknown = [name for name in variables if name not in wanted]
    if unknown:
        raise refusals.prompt_variables("Unknown", unknown)
    for name, value in variables.items():
        if not isinstance(value, str) and not (isinstance(value, dict) and value.get("type") in _PARTS):
            raise errors.invalid_type(f"prompt.variables.{name}", "one of a string or an input part", describe(value))


def _text(text: str, variables: Object) -> str:
    """A text in which every variable is text; of other input nothing remains."""
    return _PLACEHOLDER.sub(lambda match: _as_text(variables[match[1]]), text)


def _as_text(value: str | Object) -> str:
    return value if isinstance(value, str) else str(value.get("text", ""))


def _content(role: str, text: str, variables: Object) -> str | list[Object]:
    """A message's content: text, in parts where a variable is an image or a file. The model's own messages are text."""
    if role == "assistant" or not any(_is_medium(variables[name]) for name in _PLACEHOLDER.findall(text)):
        return _text(text, variables)
    return [*_parts(text, variables)]


def _is_medium(value: str | Object) -> bool:
    return isinstance(value, dict) and value["type"] != "input_text"


def _parts(text: str, variables: Object) -> Iterator[Object]:
    """Images and files as they are, and between them the text around them."""
    words = ""
    for at, piece in enumerate(_PLACEHOLDER.split(text)):
        value: Json = variables[piece] if at % 2 else piece
        if not _is_medium(value):
            words += _as_text(value)
            continue
        if words:
            yield {"type": "input_text", "text": words}
        yield value
        words = ""
    if words:
        yield {"type": "input_text", "text": words}
