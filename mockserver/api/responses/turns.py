"""Items as the turns of a prompt, and the rules for which items must stand together."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mockserver.api.responses import refusals
from mockserver.model.prompt import Media, ToolUse, Turn, name_tool_results

Json = Any
Object = dict[str, Json]


def turns_of(items: list[Object]) -> list[Turn]:
    """The conversation that `items` tell, oldest first. What the service runs itself leaves no turn, except approvals."""
    turns = [turn for item in items for turn in _TURNS.get(item["type"], _no_turn)(item)]
    name_tool_results(turns)
    return turns


def joined(past: list[Object], new: list[Object]) -> list[Object]:
    """The past and the new items as one conversation. Clients that resend what we keep are let off: the first copy stays."""
    known = {_identity(item) for item in past} - {None}
    return past + [item for item in new if _identity(item) not in known] if known else past + new


def refuse_loose_items(past: list[Object], new: list[Object]) -> None:
    """Calls without outputs, outputs without calls, reasoning without what follows it: each is a 400 (reported, recorded).

    So are approvals of what nobody asked to be approved, and safety checks of a computer call that its output leaves out.
    """
    items = past + new
    for kind, (calls, outputs) in _PAIRS.items():
        _refuse_loose_calls(
            kind, [item for item in items if item["type"] == calls], [item for item in items if item["type"] == outputs]
        )
    _refuse_unacknowledged(items)
    _refuse_loose_approvals(items)
    for at, item in enumerate(new):
        if item["type"] == "reasoning" and item.get("id") and not _follows(new[at + 1 : at + 2]):
            raise refusals.reasoning_alone(item["id"])


_PAIRS = {
    "function": ("function_call", "function_call_output"),
    "custom tool": ("custom_tool_call", "custom_tool_call_output"),
    "computer": ("computer_call", "computer_call_output"),
    "local shell": ("local_shell_call", "local_shell_call_output"),
    "shell": ("shell_call", "shell_call_output"),
    "apply patch": ("apply_patch_call", "apply_patch_call_output"),
}


def _refuse_loose_calls(kind: str, calls: list[Object], outputs: list[Object]) -> None:
    answered = {name: None for item in outputs if (name := _answered(item))}
    known = {name for item in calls for name in (item["call_id"], item.get("id"))}
    for name in answered:
        if name not in known:
            raise refusals.output_without_call(kind, name)
    for item in calls:
        if item["call_id"] not in answered and item.get("id") not in answered and not _runs_itself(item):
            raise refusals.call_without_output(kind, item["call_id"])


def _runs_itself(call: Object) -> bool:
    """Whether the service runs the call, in a container, so that the caller need not answer it (documented)."""
    environment = call.get("environment")
    return isinstance(environment, dict) and environment.get("type") == "container_reference"


def _answered(output: Object) -> str | None:
    """The call that an output answers. A local shell's output has the call under `id` (spec)."""
    name: str | None = output.get("call_id")
    return name or (output.get("id") if output["type"] == "local_shell_call_output" else None)


def _refuse_unacknowledged(items: list[Object]) -> None:
    """Every safety check that a computer call raised has to be acknowledged by its output."""
    acknowledged = {
        check.get("id")
        for item in items
        if item["type"] == "computer_call_output"
        for check in item.get("acknowledged_safety_checks") or ()
        if isinstance(check, dict)
    }
    for item in items:
        if item["type"] == "computer_call":
            pending = [str(check.get("id")) for check in item.get("pending_safety_checks") or () if isinstance(check, dict)]
            missing = [name for name in pending if name not in acknowledged]
            if missing:
                raise refusals.unacknowledged(missing)


def _refuse_loose_approvals(items: list[Object]) -> None:
    requests = {item.get("id") for item in items if item["type"] == "mcp_approval_request"}
    for item in items:
        if item["type"] == "mcp_approval_response" and item["approval_request_id"] not in requests:
            raise refusals.approval_without_request(item["approval_request_id"])


def _follows(rest: list[Object]) -> bool:
    """Whether what comes next is the model's own, so that reasoning can have led to it."""
    if not rest:
        return False
    kind: str = rest[0]["type"]
    return rest[0].get("role") == "assistant" if kind == "message" else not kind.endswith("_output")


def _identity(item: Object) -> tuple[str, str] | None:
    name = item.get("call_id") or item.get("id")
    return (item["type"], name) if name else None


def _message(item: Object) -> list[Turn]:
    parts = item["content"]
    text = "\n".join(str(part.get("text") or part.get("refusal") or "") for part in parts if part["type"] in _TEXT_PARTS)
    return [Turn(item["role"], text, _media(parts))]


_TEXT_PARTS = ("input_text", "output_text", "refusal")


def _media(parts: list[Object]) -> tuple[Media, ...]:
    media = []
    for part in parts:
        if part["type"] == "input_image":
            media.append(Media("image", part.get("image_url") or part.get("file_id") or "", part.get("detail")))
        elif part["type"] == "input_file":
            media.append(Media("file", part.get("file_id") or part.get("file_url") or part.get("filename") or ""))
    return tuple(media)


def _call(name: Callable[[Object], str], arguments_of: Callable[[Object], Json]) -> Callable[[Object], list[Turn]]:
    def turn(item: Object) -> list[Turn]:
        arguments = arguments_of(item)
        text = arguments if isinstance(arguments, str) else _compact(arguments)
        return [Turn("assistant", tool_calls=(ToolUse(str(item.get("call_id") or item.get("id") or ""), name(item), text),))]

    return turn


def _result(item: Object) -> list[Turn]:
    output = item.get("output")
    call_id, name = item.get("call_id") or item.get("id"), item.get("name")
    if isinstance(output, str):
        return [Turn("tool", output, tool_call_id=call_id, name=name)]
    if isinstance(output, dict):
        visible = Media("image", str(output.get("image_url") or output.get("file_id") or ""))
        return [Turn("tool", media=(visible,), tool_call_id=call_id)]
    parts = [part for part in output or () if isinstance(part, dict)]
    if item["type"] == "shell_call_output":
        return [
            Turn("tool", "".join(str(part.get("stdout") or part.get("stderr") or "") for part in parts), tool_call_id=call_id)
        ]
    text = "\n".join(part["text"] for part in parts if part.get("type") == "input_text")
    return [Turn("tool", text, _media(parts), tool_call_id=call_id, name=name)]


def _approval(item: Object) -> list[Turn]:
    decision = {"approve": item["approve"]} | ({"reason": item["reason"]} if item.get("reason") else {})
    return [Turn("tool", _compact(decision), tool_call_id=item["approval_request_id"])]


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _no_turn(item: Object) -> list[Turn]:
    return []


def _named(item: Object) -> str:
    return str(item["name"])


_TURNS: dict[str, Callable[[Object], list[Turn]]] = {
    "message": _message,
    "function_call": _call(_named, lambda item: item["arguments"]),
    "custom_tool_call": _call(_named, lambda item: item["input"]),
    "computer_call": _call(lambda item: "computer", lambda item: item.get("action") or item.get("actions") or {}),
    "local_shell_call": _call(lambda item: "local_shell", lambda item: item["action"]),
    "shell_call": _call(lambda item: "shell", lambda item: item["action"]),
    "apply_patch_call": _call(lambda item: "apply_patch", lambda item: item["operation"]),
    "mcp_approval_request": _call(_named, lambda item: item["arguments"]),
    "function_call_output": _result,
    "custom_tool_call_output": _result,
    "computer_call_output": _result,
    "local_shell_call_output": _result,
    "shell_call_output": _result,
    "apply_patch_call_output": _result,
    "mcp_approval_response": _approval,
}
