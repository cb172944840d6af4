"""Items of responses and conversations: which there are, what each needs, and the one form in which all are kept and listed.

Clients send easy messages without a type, strings in place of parts, and items of ours with members that we did not ask for;
all of that is accepted. Required are only members without which an item means nothing (documented; wire: no `id`, no `status`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mockserver import errors
from mockserver.operations.complaints import describe, empty_string, long_string
from mockserver.operations.members import Members, check, ordered

Json = Any
Object = dict[str, Json]


class Ids(Protocol):
    """Where the ids of new items come from."""

    def new(self, prefix: str) -> str:
        """The next id, for instance of prefix `msg`."""


@dataclass(frozen=True, slots=True)
class ItemForm:
    """One type of item: its id's prefix, its members, and whether it has a status."""

    prefix: str
    required: Mapping[str, str | tuple[str, ...]]
    optional: Mapping[str, str | tuple[str, ...]]
    status: bool = True


def _form(prefix: str, required: Members, optional: Members | None = None, *, status: bool = True) -> ItemForm:
    return ItemForm(prefix, required, {"id": "string", "status": "string"} | dict(optional or {}), status)


_CALL: Members = {"call_id": "string"}
FORMS: dict[str, ItemForm] = {
    "message": _form("msg", {}),
    "reasoning": _form("rs", {"summary": "array"}, {"encrypted_content": "string", "content": "array"}, status=False),
    "function_call": _form("fc", {**_CALL, "name": "string", "arguments": "string"}),
    "function_call_output": _form("fco", {"output": "string|array"}, {"call_id": "string", "name": "string"}),
    "file_search_call": _form("fs", {"queries": "array"}, {"results": "array"}),
    "web_search_call": _form("ws", {}, {"action": "object"}),
    "computer_call": _form("cu", _CALL, {"action": "object", "actions": "array", "pending_safety_checks": "array"}),
    "computer_call_output": _form("cuo", {**_CALL, "output": "object"}, {"acknowledged_safety_checks": "array"}),
    "image_generation_call": _form("ig", {}, {"result": "string", "revised_prompt": "string"}),
    "code_interpreter_call": _form("ci", {"container_id": "string"}, {"code": "string", "outputs": "array"}),
    "local_shell_call": _form("lsh", {**_CALL, "action": "object"}),
    "local_shell_call_output": _form("lsho", {"output": "string"}, {"call_id": "string"}),
    "shell_call": _form("sh", {**_CALL, "action": "object"}),
    "shell_call_output": _form("sho", {**_CALL, "output": "array"}, {"max_output_length": "integer"}),
    "apply_patch_call": _form("apc", {**_CALL, "operation": "object"}),
    "apply_patch_call_output": _form("apco", {**_CALL, "status": ("completed", "failed")}, {"output": "string"}),
    "mcp_list_tools": _form("mcpl", {"server_label": "string", "tools": "array"}, status=False),
    "mcp_approval_request": _form("mcpr", {"arguments": "string", "name": "string", "server_label": "string"}, status=False),
    "mcp_approval_response": _form(
        "mcpa", {"approval_request_id": "string", "approve": "boolean"}, {"reason": "string"}, status=False
    ),
    "mcp_call": _form("mcp", {"arguments": "string", "name": "string", "server_label": "string"}, {"output": "string"}),
    "custom_tool_call": _form("ctc", {**_CALL, "input": "string", "name": "string"}),
    "custom_tool_call_output": _form("ctco", {**_CALL, "output": "string|array"}),
    "item_reference": _form("ref", {"id": "string"}, status=False),
    "compaction": _form("cmp", {"encrypted_content": "string"}, status=False),
    "compaction_trigger": _form("cmpt", {}, status=False),
    "tool_search_call": _form("tsc", {"arguments": "object"}, {"call_id": "string"}),
    "tool_search_output": _form("tso", {"tools": "array"}, {"call_id": "string"}),
    "additional_tools": _form("at", {"role": "string", "tools": "array"}, status=False),
    "configuration_update": _form("cu", {}, status=False),
    "program": _form("prg", {**_CALL, "code": "string", "fingerprint": "string"}, status=False),
    "program_output": _form("prgo", {**_CALL, "result": "string"}),
}

_ID_LETTERS = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_ID = 64
# The items that the model writes: how those begin that callers write is nowhere to be seen.
_PREFIXED = frozenset(kind for kind in FORMS if kind.endswith("_call")) | {
    "message",
    "reasoning",
    "compaction",
    "mcp_list_tools",
    "mcp_approval_request",
}
_NULLABLE = frozenset(("approval_request_id", "code", "error", "max_output_length", "output", "outputs", "result", "results"))
_ROLES = ["assistant", "system", "developer", "user"]
_PARTS = ["input_text", "input_image", "output_text", "refusal", "input_file", "computer_screenshot", "summary_text"]
_INPUT_PARTS = ["input_text", "input_image", "input_file"]
_OUTPUT_PARTS = ["output_text", "refusal"]
_DETAILS = ("low", "high", "auto", "original")
_PART_MEMBERS: dict[str, tuple[Members, Members]] = {
    "input_text": ({"text": "string"}, {}),
    "output_text": ({"text": "string"}, {"annotations": "array", "logprobs": "array"}),
    "refusal": ({"refusal": "string"}, {}),
    "input_image": ({}, {"image_url": "string", "file_id": "string", "detail": _DETAILS}),
    "input_file": ({}, {"file_id": "string", "file_data": "string", "file_url": "string", "filename": "string"}),
}
_PART_DEFAULTS: dict[str, Object] = {
    "output_text": {"annotations": [], "logprobs": []},
    "input_image": {"detail": "auto", "file_id": None, "image_url": None},
}


def normalise(
    items: str | list[Object] | None, find: Callable[[str], Object], path: str = "input", *, check_ids: bool = True
) -> list[Object]:
    """The items that stand at `path` in a body, in their one form, still without the ids that the caller left out.

    `find` gives the stored item that a reference names. `check_ids` is whether ids must have the form of their kind. Raises
    ApiError 400 for the first mistake, and what `find` raises.
    """
    if isinstance(items, str):
        return [_message({"role": "user", "content": items}, f"{path}[0]")]
    return [_item(item, f"{path}[{at}]", find, check_ids=check_ids) for at, item in enumerate(items or ())]


def identify(items: list[Object], ids: Ids) -> list[Object]:
    """Give an id to every item that has none; the service lists all of them with one."""
    return [ordered({**item, "id": item.get("id") or ids.new(FORMS[item["type"]].prefix)}) for item in items]


def _item(item: Object, path: str, find: Callable[[str], Object], *, check_ids: bool) -> Object:
    kind = item.get("type")
    if kind is None:
        kind = "item_reference" if item.keys() <= {"id", "type"} and "id" in item else "message"
    if not isinstance(kind, str) or kind not in FORMS:
        raise errors.unsupported_choice(path, kind if isinstance(kind, str) else "", list(FORMS))
    form = FORMS[kind]
    check(item, path, form.required, form.optional)
    if check_ids:
        _refuse_ids(item, path, form.prefix if kind in _PREFIXED else "")
    if kind == "message":
        return _message(item, path)
    if kind == "item_reference":
        return find(item["id"])
    if kind == "function_call_output" and not item.get("call_id") and not item.get("name"):
        raise errors.missing_parameter(f"{path}.call_id")
    kept: Object = {name: value for name, value in item.items() if value is not None or name in _NULLABLE} | {"type": kind}
    if form.status:
        kept.setdefault("status", "completed")
    if isinstance(kept.get("output"), list) and kind in ("function_call_output", "custom_tool_call_output"):
        kept["output"] = _parts(kept["output"], f"{path}.output", _INPUT_PARTS)
    return ordered(kept)


def _refuse_ids(item: Object, path: str, prefix: str) -> None:
    """Refuse ids of other characters, another beginning or too great a length (reported)."""
    name, call_id = item.get("id"), item.get("call_id")
    if name is not None:
        if not _ID_LETTERS.fullmatch(name):
            letters = "letters, numbers, underscores, or dashes, but this value contained additional characters"
            raise _malformed(f"{path}.id", name, f"that contains {letters}")
        if not name.startswith(prefix):
            raise _malformed(f"{path}.id", name, f"that begins with '{prefix}'")
        if len(name) > _LONGEST_ID:
            raise long_string(f"{path}.id", _LONGEST_ID, len(name))
    if isinstance(call_id, str):
        if not call_id:
            raise empty_string(f"{path}.call_id")
        if len(call_id) > _LONGEST_ID:
            raise long_string(f"{path}.call_id", _LONGEST_ID, len(call_id))


def _malformed(path: str, name: str, expected: str) -> errors.ApiError:
    return errors.invalid_value(path, f"Invalid '{path}': '{name}'. Expected an ID {expected}.")


def _message(item: Object, path: str) -> Object:
    role, content = item.get("role"), item.get("content")
    if not isinstance(role, str) or role not in _ROLES:
        raise errors.unsupported_choice(path, role if isinstance(role, str) else "", _ROLES)
    if "content" not in item:
        raise errors.missing_parameter(f"{path}.content")
    own = role == "assistant"
    if isinstance(content, str):
        content = [{"type": "output_text" if own else "input_text", "text": content}]
    if not isinstance(content, list):
        raise errors.invalid_type(f"{path}.content", "one of a string or array", describe(content))
    message: Object = {"type": "message", "status": item.get("status") or "completed", "role": role}
    message["content"] = _parts(content, f"{path}.content", _OUTPUT_PARTS if own else _INPUT_PARTS)
    for name in ("id", "phase") if own else ("id",):
        if item.get(name) is not None:
            message[name] = item[name]
    return ordered(message)


def _parts(parts: list[Json], path: str, allowed: list[str]) -> list[Object]:
    return [_part(part, f"{path}[{at}]", allowed) for at, part in enumerate(parts)]


def _part(part: Json, path: str, allowed: list[str]) -> Object:
    if not isinstance(part, dict):
        raise errors.invalid_type(path, "an object", describe(part))
    kind = part.get("type")
    if kind is None:
        raise errors.missing_parameter(f"{path}.type")
    if not isinstance(kind, str) or kind not in _PARTS:
        raise errors.unsupported_choice(f"{path}.type", kind if isinstance(kind, str) else "", _PARTS)
    if kind not in allowed:
        raise errors.unsupported_choice(path, kind, allowed)
    required, optional = _PART_MEMBERS[kind]
    check(part, path, required, optional)
    if kind == "input_image" and not (part.get("image_url") or part.get("file_id")):
        raise errors.missing_parameter(f"{path}.image_url")
    if kind == "input_file" and not (part.get("file_id") or part.get("file_data") or part.get("file_url")):
        raise errors.missing_parameter(f"{path}.file_id")
    return ordered({**_PART_DEFAULTS.get(kind, {}), **{name: value for name, value in part.items() if value is not None}})
