"""A finished choice cut into the deltas that a stream tells it by."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import to_json

from mockserver.model.pieces import Size, cut

if TYPE_CHECKING:
    from mockserver.call import Call

Json = Any
_SHORT = 1_000


class Delta(NamedTuple):
    """What one chunk adds to a choice, with the answer's tokens in it and their log probabilities. `spelt` is `told` as JSON."""

    told: dict[str, Json]
    tokens: int = 0
    logprobs: Json = None
    spelt: bytes | None = None


def deltas(call: Call, choice: dict[str, Json]) -> list[Delta]:
    """The deltas of one choice, less its end: the role first, then thoughts, text, refusal, sound and tool calls."""
    message = choice["message"]
    size, encoding = call.chunk, call.served_by.model.encoding
    calls = message.get("tool_calls") or []
    thoughts, text = message.get("reasoning_content"), message.get("content")
    function = message.get("function_call")
    if function is not None:
        return _function_deltas(function, text, size, encoding)
    head: dict[str, Json] = {"content": "" if not calls or text else None, "refusal": None, "role": "assistant"}
    told = [Delta(head)] if not calls or text or thoughts or message.get("audio") else []
    told += [Delta({"reasoning_content": piece}, count) for piece, count in cut(thoughts or "", size, encoding)]
    told += _text_deltas(text or "", choice.get("logprobs"), size, encoding)
    told += [Delta({"refusal": piece}, count) for piece, count in cut(message.get("refusal") or "", size, encoding)]
    told += _audio_deltas(message.get("audio"), size, encoding)
    for at, tool in enumerate(calls):
        told += _tool_deltas(at, tool, size, encoding, None if told else head)
    return told


def _function_deltas(function: dict[str, Json], text: str | None, size: Size, encoding: str) -> list[Delta]:
    opening = {"arguments": "", "name": function["name"]}
    head = {"content": text, "function_call": opening, "refusal": None, "role": "assistant"}
    pieces = cut(function["arguments"], size, encoding)
    return [Delta(head), *(Delta({"function_call": {"arguments": piece}}, count) for piece, count in pieces)]


def _text_deltas(text: str, logprobs: Json, size: Size, encoding: str) -> list[Delta]:
    if logprobs is None:
        return list(_told_before(text, size, encoding)) if len(text) <= _SHORT else _pieces(text, size, encoding)
    return [Delta({"content": one["token"]}, 1, {"content": [one], "refusal": None}) for one in logprobs["content"]]


@lru_cache(maxsize=512)
def _told_before(text: str, size: Size, encoding: str) -> tuple[Delta, ...]:
    """Scripted answers are told again and again."""
    return tuple(_pieces(text, size, encoding))


def _pieces(text: str, size: Size, encoding: str) -> list[Delta]:
    deltas = [({"content": piece}, count) for piece, count in cut(text, size, encoding)]
    return [Delta(told, count, None, to_json(told)) for told, count in deltas]


def _audio_deltas(audio: Json, size: Size, encoding: str) -> list[Delta]:
    if audio is None:
        return []
    said = [Delta({"audio": {"transcript": piece}}, count) for piece, count in cut(audio["transcript"], size, encoding)]
    ending = [Delta({"audio": {name: audio[name]}}) for name in ("data", "expires_at")]
    return [Delta({"audio": {"id": audio["id"]}}), *said, *ending]


def _tool_deltas(at: int, tool: dict[str, Json], size: Size, encoding: str, head: dict[str, Json] | None) -> list[Delta]:
    kind = tool["type"]
    field = "input" if kind == "custom" else "arguments"
    opening = {kind: {field: "", "name": tool[kind]["name"]}, "id": tool["id"], "index": at, "type": kind}
    pieces = cut(tool[kind][field], size, encoding)
    told = [Delta({"tool_calls": [{kind: {field: piece}, "index": at}]}, count) for piece, count in pieces]
    return [Delta((head or {}) | {"tool_calls": [opening]}), *told]
