"""The lines of a training file: their formats, what is wrong with them, and what a model would learn from them.

The complaints are those of the sister service where they were reported: about a role or a content of the wrong kind, a member too
many, a file for another method. They count lines and messages from 1. The others are inferred, in the same manner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import from_json

from mockserver.model import tokens
from mockserver.model.prompt import Prompt, Tool, ToolUse, Turn
from mockserver.model.training.bases import Base, Method

Json = Any
Object = Mapping[str, Json]
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_CHAT = ("messages", "tools", "functions", "parallel_tool_calls")
_INPUT = ("messages", "tools", "parallel_tool_calls")
_PARTS = ("text", "image_url")
_BOM = b"\xef\xbb\xbf"
_NAMES = {"supervised": "fine-tune-chat", "dpo": "fine-tune-preference", "reinforcement": "fine-tune-reinforcement"}
_UNEXPECTED = "Unexpected file format, expected either prompt/completion pairs or chat messages."
_HINT = 8  # characters of a line that a complaint quotes


class FormatError(Exception):
    """A line that cannot be trained on, in the service's words."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What an example teaches: an answer (`content`, `tool_calls`) to a user's text, or to the results of tools `after` it."""

    text: str
    after: Literal["user", "tool"]
    answer: dict[str, Json]


@dataclass(frozen=True, slots=True)
class Example:
    """One line that can be trained on: its tokens, what it teaches, and the line itself."""

    tokens: int
    lessons: tuple[Lesson, ...]
    item: dict[str, Json]


def read(number: int, line: bytes, base: Base, method: Method) -> Example:
    """The example of a line that is not blank. Raises FormatError."""
    document = _parsed(number, line)
    if not base.chat:
        return _completion(number, document, base)
    if method == "dpo":
        return _preference(number, document, base)
    return _chat(number, document, base, method)


def _parsed(number: int, line: bytes) -> dict[str, Json]:
    text = line.removeprefix(_BOM) if number == 1 else line
    try:
        document = from_json(text.decode(), allow_inf_nan=False)
    except UnicodeDecodeError:
        raise FormatError(f"Invalid file format. Line {number} is not valid UTF-8.") from None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        start = text.decode().strip()[:_HINT]
        lead = "Expected file to have JSONL format, where every line is a JSON dictionary."
        raise FormatError(f'{lead} Line {number} is not a dictionary (HINT: line starts with: "{start}...").')
    return document


# -- formats


def _chat(number: int, document: dict[str, Json], base: Base, method: Method) -> Example:
    if "messages" not in document:
        raise _without_messages(number, document, method)
    _refuse_extra(number, document, _CHAT if method == "supervised" else document)
    turns = _turns(number, document["messages"])
    last = document["messages"][-1]["role"]
    if method == "supervised" and last != "assistant":
        raise FormatError(f"Invalid file format. Example {number} last message must be from the assistant, not '{last}'.")
    if method == "reinforcement" and last != "user":
        if last == "assistant":
            raise another_format("supervised", method)
        raise FormatError(f"Invalid file format. Example {number} last message must be from the user, not '{last}'.")
    lessons = tuple(_lessons(document["messages"], turns)) if method == "supervised" else ()
    return Example(_count(number, base, turns, _tools(number, document)), lessons, document)


def _preference(number: int, document: dict[str, Json], base: Base) -> Example:
    if "messages" in document and "input" not in document:
        raise another_format("supervised", "dpo")
    for name in ("input", "preferred_output", "non_preferred_output"):
        if name not in document:
            raise _complaint(number, None, name, "Field required")
    _refuse_extra(number, document, ("input", "preferred_output", "non_preferred_output"))
    given = document["input"]
    if not isinstance(given, dict):
        raise _complaint(number, None, "input", "Input should be a valid dictionary")
    if "messages" not in given:
        raise _complaint(number, None, "messages", "Field required")
    _refuse_extra(number, given, _INPUT)
    turns, tools = _turns(number, given["messages"]), _tools(number, given)
    preferred, other = (_outputs(number, document[name], name) for name in ("preferred_output", "non_preferred_output"))
    messages = [*given["messages"], *document["preferred_output"]]
    lessons = tuple(_lessons(messages, [*turns, *preferred]))[-1:]
    return Example(_count(number, base, [*turns, *preferred, *other], tools), lessons, document)


def _completion(number: int, document: dict[str, Json], base: Base) -> Example:
    """A prompt and its completion, which completion models are trained on."""
    if "messages" in document:
        raise FormatError(_UNEXPECTED)
    for name in ("prompt", "completion"):
        if not isinstance(document.get(name), str):
            raise FormatError(_UNEXPECTED) if name not in document else _complaint(number, None, name, _valid("string"))
    _refuse_extra(number, document, ("prompt", "completion"))
    prompt, completion = document["prompt"], document["completion"]
    answer: dict[str, Json] = {"content": completion, "tool_calls": []}
    size = tokens.count(prompt, base.model.encoding) + tokens.count(completion, base.model.encoding)
    return Example(_limited(number, base, size), (Lesson(prompt, "user", answer),), document)


def _without_messages(number: int, document: Object, method: Method) -> FormatError:
    if "input" in document and "preferred_output" in document:
        return another_format("dpo", method)
    if number == 1 or {"prompt", "completion"} & document.keys():
        return FormatError(_UNEXPECTED)
    return _complaint(number, None, "messages", "Field required")


def another_format(found: Method, method: Method) -> FormatError:
    """A file for another method; `{file}` stands for its id."""
    return FormatError(
        f"Invalid file format. Input file {{file}} is in the {_NAMES[found]} format, but the specified fine-tuning job is not using "
        f"'{found}' as the training method (provided method={method})."
    )


# -- messages


def _turns(number: int, messages: Json) -> list[Turn]:
    if not isinstance(messages, list):
        raise _complaint(number, None, "messages", _valid("list"))
    if not messages:
        raise _complaint(number, None, "messages", "List should have at least 1 item after validation, not 0")
    return [_turn(number, at, message) for at, message in enumerate(messages, 1)]


def _outputs(number: int, messages: Json, name: str) -> list[Turn]:
    if not isinstance(messages, list) or not messages:
        raise _complaint(number, None, name, _valid("list"))
    turns = [_turn(number, at, message) for at, message in enumerate(messages, 1)]
    if any(turn.role not in ("assistant", "tool") for turn in turns) or turns[-1].role != "assistant":
        raise _complaint(number, None, name, "the last message must be from the assistant")
    return turns


def _turn(number: int, at: int, message: Json) -> Turn:
    if not isinstance(message, dict):
        raise FormatError(f"Invalid file format. Example {number}, message {at} Input should be a valid dictionary")
    if "role" not in message:
        raise FormatError(f"Invalid file format. Example {number}, message {at} Discriminator 'role' is missing in value")
    role = message["role"]
    if role not in _ROLES:
        tags = ", ".join(f"'{one}'" for one in _ROLES)
        raise FormatError(
            f"Invalid file format. Example {number}, message {at} Input tag '{role}' found using 'role' does not match any of the "
            f"expected tags: {tags}"
        )
    _check_weight(number, at, message)
    text, uses = _text(number, at, message), _uses(number, at, message)
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise _complaint(number, at, "tool_call_id", "Field required" if "tool_call_id" not in message else _valid("string"))
    return Turn("tool" if role == "function" else role, text, tool_calls=uses, tool_call_id=message.get("tool_call_id"))


def _check_weight(number: int, at: int, message: Object) -> None:
    """A weight of 0 leaves an assistant's message out of the training (documented)."""
    if "weight" not in message:
        return
    if message["role"] != "assistant":
        raise FormatError(f'Invalid file format. Example {number}, message {at} contains an extra "weight".')
    if isinstance(message["weight"], bool) or message["weight"] not in (0, 1):
        raise _complaint(number, at, "weight", "Input should be 0 or 1")


def _text(number: int, at: int, message: Object) -> str:
    content, calls = message.get("content"), message.get("tool_calls") or message.get("function_call")
    if isinstance(content, str):
        return content
    if content is None and message["role"] == "assistant" and (calls or message.get("refusal")):
        return str(message.get("refusal") or "")
    if isinstance(content, list) and content and message["role"] in ("user", "assistant"):
        return "\n".join(_part(number, at, part) for part in content)
    raise _complaint(number, at, "content", "Field required" if "content" not in message else _valid("string"))


def _part(number: int, at: int, part: Json) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind not in _PARTS:
        raise _complaint(
            number, at, "content", f"Input tag '{kind}' does not match any of the expected tags: 'text', 'image_url'"
        )
    if kind == "text" and not isinstance(part.get("text"), str):
        raise _complaint(number, at, "content", _valid("string"))
    return str(part["text"]) if kind == "text" else ""


def _uses(number: int, at: int, message: Object) -> tuple[ToolUse, ...]:
    calls = message.get("tool_calls")
    if calls is None:
        return ()
    if message["role"] != "assistant":
        raise FormatError(f'Invalid file format. Example {number}, message {at} contains an extra "tool_calls".')
    if not isinstance(calls, list):
        raise _complaint(number, at, "tool_calls", _valid("list"))
    return tuple(_use(number, at, call) for call in calls)


def _use(number: int, at: int, call: Json) -> ToolUse:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise _complaint(number, at, "tool_calls", "Field required: function")
    use_id, name, arguments = call.get("id"), function.get("name"), function.get("arguments")
    if not (isinstance(use_id, str) and isinstance(name, str) and isinstance(arguments, str)):
        raise _complaint(number, at, "tool_calls", _valid("string"))
    return ToolUse(use_id, name, arguments)


def _tools(number: int, document: Object) -> tuple[Tool, ...]:
    tools = document.get("tools") or []
    if not isinstance(tools, list):
        raise _complaint(number, None, "tools", _valid("list"))
    functions = [tool.get("function") if isinstance(tool, dict) else None for tool in tools]
    if not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in functions):
        raise _complaint(number, None, "tools", "Field required: function.name")
    return tuple(_tool(one) for one in functions if isinstance(one, dict))


def _tool(function: dict[str, Json]) -> Tool:
    described = function.get("description")
    description = described if isinstance(described, str) else None
    return Tool(function["name"], parameters=function.get("parameters"), description=description)


# -- what is learned


def _lessons(messages: list[dict[str, Json]], turns: list[Turn]) -> Iterator[Lesson]:
    """The answers that are trained on, each with the text before it."""
    text, after = "", "user"
    for message, turn in zip(messages, turns, strict=True):
        if turn.role == "user":
            text, after = turn.text, "user"
        elif turn.role == "tool":
            after = "tool"
        elif turn.role == "assistant" and message.get("weight", 1):
            calls = [{"name": use.name, "arguments": use.arguments} for use in turn.tool_calls]
            yield Lesson(text, "tool" if after == "tool" else "user", {"content": turn.text, "tool_calls": calls})


def _count(number: int, base: Base, turns: list[Turn], tools: tuple[Tool, ...]) -> int:
    return _limited(number, base, tokens.count_prompt(Prompt("", base.model, turns, tools=tools)))


def _limited(number: int, base: Base, size: int) -> int:
    if size > base.context:
        message = (
            f"Example {number} has {size} tokens, but {base.name} is trained on examples of at most {base.context} tokens."
        )
        raise FormatError(f"Invalid file format. {message}")
    return size


# -- complaints


def _refuse_extra(number: int, document: Object, known: Object | tuple[str, ...]) -> None:
    extra = next((name for name in document if name not in known), None)
    if extra is not None:
        raise FormatError(f'Invalid file format. Example {number} contains an extra "{extra}".')


def _complaint(number: int, at: int | None, key: str, what: str) -> FormatError:
    message = f", message {at}" if at is not None else ""
    return FormatError(f'Invalid file format. Line {number}{message}, key "{key}": {what}')


def _valid(kind: str) -> str:
    return f"Input should be a valid {kind}"
