"""What a caller sends to a model, in one form for every surface.

Responses, chat completions, embeddings, threads, batch lines and eval samples all become a `Prompt`; scripts are matched
against it and the improviser answers it. It knows no HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from mockserver.model.catalogue import Model

Json = Any
Role = Literal["system", "developer", "user", "assistant", "tool"]


@dataclass(slots=True)
class Media:
    """An image, sound or file that the caller attached; `reference` is its URL, file id or data URL."""

    kind: Literal["image", "audio", "file"]
    reference: str
    detail: str | None = None


@dataclass(slots=True)
class ToolUse:
    """A tool call in the conversation so far. `arguments` is the JSON text (free text for a custom tool)."""

    id: str
    name: str
    arguments: str


@dataclass(slots=True)
class Turn:
    """One message of the conversation. A tool's result has role `tool`, its call's id and, where known, the tool's name."""

    role: Role
    text: str = ""
    media: tuple[Media, ...] = ()
    tool_calls: tuple[ToolUse, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Grammar:
    """A grammar: a regular expression that all of the input has to match, or a grammar of Lark's."""

    syntax: Literal["regex", "lark"]
    definition: str


@dataclass(slots=True)
class Tool:
    """A tool offered to the model. `kind` is `function`, `custom` or a built-in tool's type such as `file_search`.

    `legacy` marks chat's deprecated `functions`, which are answered with `function_call` instead of `tool_calls`. `grammar` is what
    the input of a custom tool has to follow.
    """

    name: str
    kind: str = "function"
    parameters: Json = None
    strict: bool = False
    description: str | None = None
    legacy: bool = False
    grammar: Grammar | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a file that a search found: the file, its attributes, how well it fits (0 to 1), and the words."""

    file_id: str
    filename: str
    score: float
    attributes: dict[str, Json] | None
    text: str

    def result(self) -> dict[str, Json]:
        """The passage as a result of the tool `file_search` (spec; the order of keys is that of other objects inside items)."""
        return {
            "attributes": self.attributes or {},
            "file_id": self.file_id,
            "filename": self.filename,
            "score": self.score,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`mode` none, auto or required; `names`, when not empty, are the only tools that may be called."""

    mode: Literal["none", "auto", "required"] = "auto"
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """What the answer's text must be: plain text, any JSON object, or JSON that fits `schema`."""

    kind: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    schema: Json = None
    strict: bool = False


PLAIN_TEXT = OutputFormat()
AUTO = ToolChoice()


@dataclass(slots=True)
class Prompt:
    """Everything that decides an answer. `turns` holds the whole conversation, including a stored chain's earlier turns.

    `passages` returns what the tool `file_search` finds for the last user turn, best first; it searches when it is called first.
    `max_tokens` includes reasoning. `effort` and `summary` are the reasoning settings, None where the caller set none.
    `token_count` is None until the tokens are counted.
    """

    deployment: str
    model: Model
    turns: list[Turn]
    instructions: str | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice = AUTO
    parallel_tool_calls: bool = True
    output: OutputFormat = PLAIN_TEXT
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    effort: str | None = None
    summary: str | None = None
    modalities: tuple[str, ...] = ("text",)
    metadata: dict[str, str] = field(default_factory=dict)
    previous: str | None = None
    passages: Callable[[], tuple[Passage, ...]] = field(default=tuple, repr=False, compare=False)
    token_count: int | None = field(default=None, repr=False, compare=False)

    @property
    def user(self) -> str:
        """The text of the last user turn, or "" where there is none."""
        for turn in reversed(self.turns):
            if turn.role == "user":
                return turn.text
        return ""

    @property
    def system(self) -> str:
        """Instructions and every system or developer turn, joined by newlines."""
        texts = [self.instructions] if self.instructions else []
        texts += [turn.text for turn in self.turns if turn.role in ("system", "developer")]
        return "\n".join(texts)

    @property
    def turn(self) -> int:
        """Which answer of the conversation is due: 1 for the first, one more for each assistant turn so far.

        Consecutive assistant turns (parallel tool calls sent back as separate items) count once.
        """
        count, previous = 1, ""
        for turn in self.turns:
            if turn.role == "assistant" and previous != "assistant":
                count += 1
            previous = turn.role
        return count

    @property
    def tool_results(self) -> list[Turn]:
        """The tool turns at the end of the conversation, oldest first: the results that the model has not answered yet."""
        results: list[Turn] = []
        for turn in reversed(self.turns):
            if turn.role != "tool":
                break
            results.append(turn)
        return results[::-1]

    @property
    def unanswered_results(self) -> list[Turn]:
        """The tool results that no assistant turn has answered yet, even where a user turn follows them."""
        results: list[Turn] = []
        for turn in reversed(self.turns):
            if turn.role == "assistant":
                break
            if turn.role == "tool":
                results.append(turn)
        return results[::-1]


def name_tool_results(turns: list[Turn]) -> None:
    """Give every tool turn the name of the tool whose call it answers, where the caller sent only the call's id."""
    names = {use.id: use.name for turn in turns for use in turn.tool_calls}
    for turn in turns:
        if turn.role == "tool" and turn.name is None and turn.tool_call_id is not None:
            turn.name = names.get(turn.tool_call_id)


def parse_json(text: str) -> Json:
    """The value of a text that is JSON, else the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
