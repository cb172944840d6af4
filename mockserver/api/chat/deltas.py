"""A finished choice cut into the deltas that a stream tells it by."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import to_json

from mockserver.api.chat.encoding import characters, escape
from mockserver.model.chunking import ChunkSize, cut

if TYPE_CHECKING:
    from mockserver.operations.call import ModelCall

Json = Any


class Delta(NamedTuple):
    """What one chunk adds to a choice, with the answer's tokens in it and their log probabilities."""

    told: dict[str, Json]
    tokens: int = 0
    logprobs: Json = None


class EncodedDelta(NamedTuple):
    """A delta that is told again and again: a chunk's choice from its filter results to its finish reason, with the escapes.

    `length` is how many characters of it obfuscation depends on: those of the delta and the finish reason, less the escapes.
    """

    json: bytes
    length: int
    tokens: int = 0


@lru_cache(maxsize=512)
def text_deltas(text: str, finish: str, judged: bytes, size: ChunkSize, encoding: str) -> tuple[EncodedDelta, ...]:
    """The deltas of a short text, from head to end. `judged` is what the filter says of each piece, as JSON."""
    head = _encoded(b"{}", {"content": "", "refusal": None, "role": "assistant"})
    told = [_encoded(judged, {"content": piece}, tokens=count) for piece, count in cut(text, size, encoding)]
    return head, *told, _encoded(b"{}", {}, finish)


def _encoded(judged: bytes, told: dict[str, Json], finish: str | None = None, tokens: int = 0) -> EncodedDelta:
    delta, reason = to_json(told), to_json(finish)
    json = b'"content_filter_results":%b,"delta":%b,"finish_reason":%b' % (judged, escape(delta), reason)
    return EncodedDelta(json, characters(delta) + len(reason), tokens)


def deltas(call: ModelCall, choice: dict[str, Json]) -> list[Delta]:
    """The deltas of one choice, less its end: the role first, then thoughts, text, refusal, sound and tool calls."""
    message = choice["message"]
    size, encoding = call.chunk, call.deployment.model.encoding
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


def _function_deltas(function: dict[str, Json], text: str | None, size: ChunkSize, encoding: str) -> list[Delta]:
    opening = {"arguments": "", "name": function["name"]}
    head = {"content": text, "function_call": opening, "refusal": None, "role": "assistant"}
    pieces = cut(function["arguments"], size, encoding)
    return [Delta(head), *(Delta({"function_call": {"arguments": piece}}, count) for piece, count in pieces)]


def _text_deltas(text: str, logprobs: Json, size: ChunkSize, encoding: str) -> list[Delta]:
    if logprobs is None:
        return [Delta({"content": piece}, count) for piece, count in cut(text, size, encoding)]
    return [Delta({"content": one["token"]}, 1, {"content": [one], "refusal": None}) for one in logprobs["content"]]


def _audio_deltas(audio: Json, size: ChunkSize, encoding: str) -> list[Delta]:
    if audio is None:
        return []
    said = [Delta({"audio": {"transcript": piece}}, count) for piece, count in cut(audio["transcript"], size, encoding)]
    ending = [Delta({"audio": {name: audio[name]}}) for name in ("data", "expires_at")]
    return [Delta({"audio": {"id": audio["id"]}}), *said, *ending]


def _tool_deltas(at: int, tool: dict[str, Json], size: ChunkSize, encoding: str, head: dict[str, Json] | None) -> list[Delta]:
    kind = tool["type"]
    field = "input" if kind == "custom" else "arguments"
    opening = {kind: {field: "", "name": tool[kind]["name"]}, "id": tool["id"], "index": at, "type": kind}
    pieces = cut(tool[kind][field], size, encoding)
    told = [Delta({"tool_calls": [{kind: {field: piece}, "index": at}]}, count) for piece, count in pieces]
    return [Delta((head or {}) | {"tool_calls": [opening]}), *told]
