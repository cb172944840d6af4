"""Validators for single values of a scenario file, and the names that are valid in it. They raise ValueError."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Sequence
from typing import Any

from mockserver import settings
from mockserver.scenario.paths import parse_path
from mockserver.scenario.pattern import compile_pattern
from mockserver.state.clock import seconds

Json = Any
ITEM_TYPES = (
    "apply_patch_call",
    "apply_patch_call_output",
    "code_interpreter_call",
    "compaction",
    "computer_call",
    "file_search_call",
    "image_generation_call",
    "local_shell_call",
    "mcp_approval_request",
    "mcp_call",
    "mcp_list_tools",
    "shell_call",
    "shell_call_output",
    "web_search_call",
)
_KEYS_OF_ITEMS = {  # items that have a key of their own under `respond`
    "message": "text",
    "function_call": "tool_calls",
    "custom_tool_call": "tool_calls",
    "reasoning": "reasoning",
}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,8000}")
_ALIASES = {  # what other tools and APIs call a key, and what it is called here
    "condition": "when",
    "content": "text",
    "endpoint": "operation",
    "fault": "stream",
    "fixtures": "rules",
    "function": "name",
    "headers": "header",
    "input": "user",
    "latency": "delay",
    "limit": "times",
    "match": "when",
    "message": "user",
    "model": "deployment",
    "prompt": "user",
    "regex": "matches",
    "reply": "respond",
    "required_state": "state",
    "response": "respond",
    "streaming": "stream",
    "tool_call": "tool_calls",
    "tps": "tokens_per_second",
    "user_message": "user",
    "args": "arguments",
    "input_text": "user",
    "system_prompt": "system",
    "instructions": "system",
}


def suggestion(wrong: str, known: Collection[str]) -> str:
    """A hint for `wrong`: the nearest of the `known` names, or all of them where none is near."""
    from difflib import get_close_matches

    alias = _ALIASES.get(wrong.lower())
    near = [alias] if alias in known else get_close_matches(wrong, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"expected one of {', '.join(sorted(known))}" if known else "no key is allowed here"


def duration(value: Json) -> float:
    """Seconds, from `200ms`, `1.5s`, `2m`, `1h` or a number of seconds."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("expected a duration such as 200ms, 1.5s or 2")
    return seconds(value)


def size(value: Json) -> int:
    """A number of bytes, from `64 MiB` or a whole number."""
    try:
        return settings.size(value)
    except (TypeError, ValueError):
        raise ValueError("expected a number of bytes such as 1048576 or 64 MiB") from None


def expression(value: str) -> str:
    """A regular expression that is safe to run on a client's text."""
    compile_pattern(value)
    return value


def body_path(value: str) -> str:
    """A path into a request's body."""
    parse_path(value)
    return value


def operation_ids() -> list[str]:
    """Every operationId of the surface. Imports every family."""
    from mockserver.operations.table import TABLE

    return sorted(operation.id for operation in TABLE.all())


def operation(value: str) -> str:
    """An operationId of the surface, or `*`."""
    from mockserver.operations.table import TABLE

    # `all` imports one family after the other, so it comes last and is read only as far as needed.
    if value == "*" or value in TABLE.by_id or any(entry.id == value for entry in TABLE.all()):
        return value
    raise ValueError(f"there is no operation {value!r}; {suggestion(value, [*TABLE.by_id, '*'])}")


def error_names() -> list[str]:
    """The names of errors."""
    from mockserver.scenario.named_errors import NAMED_ERRORS

    return sorted(NAMED_ERRORS)


def error_name(value: str) -> str:
    """The name of an error."""
    if value not in (known := error_names()):
        raise ValueError(f"there is no error named {value!r}; {suggestion(value, known)}")
    return value


def filter_categories() -> Sequence[str]:
    """The categories of the content filter."""
    from mockserver.model.content_filter import CATEGORIES

    return CATEGORIES


def filter_category(value: str) -> str:
    """A category of the content filter."""
    if value not in filter_categories():
        raise ValueError(f"the content filter has no category {value!r}; {suggestion(value, filter_categories())}")
    return value


def output_item(value: dict[str, Json]) -> dict[str, Json]:
    """A call of a built-in tool, as an output item of the Responses surface without its id."""
    kind = value.get("type")
    if not isinstance(kind, str):
        raise ValueError(f"an item needs a type: one of {', '.join(ITEM_TYPES)}")
    if kind in _KEYS_OF_ITEMS:
        raise ValueError(f"an item of type {kind!r} is written as {_KEYS_OF_ITEMS[kind]!r} under respond")
    if kind not in ITEM_TYPES:
        raise ValueError(f"there is no item of type {kind!r}; {suggestion(kind, ITEM_TYPES)}")
    if "id" in value:
        raise ValueError("an item gets its id from the server; leave 'id' out")
    if "files" in value:
        _check_files(kind, value["files"])
    return value


def _check_files(kind: str, files: Json) -> None:
    """The files that code writes, by name: text, or a mapping with its bytes in base64."""
    if kind != "code_interpreter_call":
        raise ValueError(f"'files' belongs to a code_interpreter_call, not to {kind!r}")
    if not isinstance(files, dict):
        raise ValueError("'files' is a mapping of names to texts")
    for name, content in files.items():
        if not isinstance(content, str) and not _is_base64(content):
            raise ValueError(f"the file {name!r} is neither a text nor {{base64: …}}")


def _is_base64(content: Json) -> bool:
    if not isinstance(content, dict) or content.keys() != {"base64"} or not isinstance(content["base64"], str):
        return False
    try:
        base64.b64decode(content["base64"], validate=True)
    except ValueError:
        return False
    return True


def header_name(value: str) -> str:
    """A header's name, lower-case."""
    if not _HEADER_NAME.fullmatch(value):
        raise ValueError(f"{value!r} is not a header name")
    return value.lower()


def header_value(value: str) -> str:
    """A header's value: one line of Latin-1."""
    if not _HEADER_VALUE.fullmatch(value):
        raise ValueError(f"{value[:40]!r} is not a header value: it must be one line of Latin-1 text")
    return value
