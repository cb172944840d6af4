"""A finished choice cut into the deltas that its stream consists of."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import to_json

from mockserver.api.chat.encoding import characters, encode, escape
from mockserver.api.chat.render import FILTER_FAILED
from mockserver.model.chunking import ChunkSize, cut

if TYPE_CHECKING:
    from mockserver.operations.call import ModelCall

Json = Any
Object = dict[str, Json]
_LONGEST_CACHED_TEXT = 8_000  # characters; each of its tokens is an object of some 200 bytes


class Delta(NamedTuple):
    """The members that one chunk adds to a choice, the answer's tokens in them, and their log probabilities."""

    members: Object
    tokens: int = 0
    logprobs: Json = None


class EncodedDelta(NamedTuple):
    """A chunk's choice from its filter results to its finish reason, as JSON with the escapes.

    `length` is how many characters of it obfuscation depends on: those of the delta and the finish reason, less the escapes.
    """

    json: bytes
    length: int
    tokens: int = 0


def text_deltas(text: str, finish_reason: str, filters: bytes, size: ChunkSize, encoding: str) -> tuple[EncodedDelta, ...]:
    """The deltas of a choice that is nothing but text, from first to last. `filters` are the filter results of each piece."""
    make = _cached_text_deltas if len(text) <= _LONGEST_CACHED_TEXT else _make_text_deltas
    return make(text, finish_reason, filters, size, encoding)


def _make_text_deltas(
    text: str, finish_reason: str, filters: bytes, size: ChunkSize, encoding: str
) -> tuple[EncodedDelta, ...]:
    first = _encoded(b"{}", {"content": "", "refusal": None, "role": "assistant"})
    pieces = [_encoded(filters, {"content": piece}, tokens=count) for piece, count in cut(text, size, encoding)]
    return first, *pieces, _encoded(b"{}", {}, finish_reason)


# Scripted texts are streamed again and again, and cutting and encoding them is most of what a stream costs.
_cached_text_deltas = lru_cache(maxsize=512)(_make_text_deltas)


def _encoded(filters: bytes, members: Object, finish_reason: str | None = None, tokens: int = 0) -> EncodedDelta:
    delta, reason = to_json(members), to_json(finish_reason)
    json = b'"content_filter_results":%b,"delta":%b,"finish_reason":%b' % (filters, escape(delta), reason)
    return EncodedDelta(json, characters(delta) + len(reason), tokens)


def encoded_filters(choice: Object, members: Object, finish_reason: str | None, of_text: bytes) -> bytes:
    """A chunk's members about the filter, as JSON without the braces around them; `of_text` are those of a piece of text."""
    if FILTER_FAILED in choice:
        return encode({FILTER_FAILED: choice[FILTER_FAILED], "content_filter_results": {}})[1:-1]
    if finish_reason == "content_filter":
        return encode({"content_filter_results": choice["content_filter_results"]})[1:-1]
    return b'"content_filter_results":' + (of_text if members.get("content") else b"{}")


def deltas(call: ModelCall, choice: Object) -> list[Delta]:
    """The deltas of one choice, less its end: the role first, then thoughts, text, refusal, sound and tool calls."""
    message = choice["message"]
    size, encoding = call.chunk, call.deployment.model.encoding
    calls = message.get("tool_calls") or []
    thoughts, text = message.get("reasoning_content"), message.get("content")
    function = message.get("function_call")
    if function is not None:
        return _function_deltas(function, text, size, encoding)
    first: Object = {"content": "" if not calls or text else None, "refusal": None, "role": "assistant"}
    found = [Delta(first)] if not calls or text or thoughts or message.get("audio") else []
    found += [Delta({"reasoning_content": piece}, count) for piece, count in cut(thoughts or "", size, encoding)]
    found += _text_deltas(text or "", choice.get("logprobs"), size, encoding)
    found += [Delta({"refusal": piece}, count) for piece, count in cut(message.get("refusal") or "", size, encoding)]
    found += _audio_deltas(message.get("audio"), size, encoding)
    for at, tool in enumerate(calls):
        found += _tool_deltas(at, tool, size, encoding, None if found else first)
    return found


def _function_deltas(function: Object, text: str | None, size: ChunkSize, encoding: str) -> list[Delta]:
    opening = {"arguments": "", "name": function["name"]}
    first = {"content": text, "function_call": opening, "refusal": None, "role": "assistant"}
    pieces = cut(function["arguments"], size, encoding)
    return [Delta(first), *(Delta({"function_call": {"arguments": piece}}, count) for piece, count in pieces)]


def _text_deltas(text: str, logprobs: Json, size: ChunkSize, encoding: str) -> list[Delta]:
    if logprobs is None:
        return [Delta({"content": piece}, count) for piece, count in cut(text, size, encoding)]
    return [Delta({"content": entry["token"]}, 1, {"content": [entry], "refusal": None}) for entry in logprobs["content"]]


def _audio_deltas(audio: Json, size: ChunkSize, encoding: str) -> list[Delta]:
    if audio is None:
        return []
    words = [Delta({"audio": {"transcript": piece}}, count) for piece, count in cut(audio["transcript"], size, encoding)]
    ending = [Delta({"audio": {name: audio[name]}}) for name in ("data", "expires_at")]
    return [Delta({"audio": {"id": audio["id"]}}), *words, *ending]


def _tool_deltas(at: int, tool: Object, size: ChunkSize, encoding: str, first: Object | None) -> list[Delta]:
    kind = tool["type"]
    field = "input" if kind == "custom" else "arguments"
    opening = {kind: {field: "", "name": tool[kind]["name"]}, "id": tool["id"], "index": at, "type": kind}
    pieces = [
        Delta({"tool_calls": [{kind: {field: piece}, "index": at}]}, count)
        for piece, count in cut(tool[kind][field], size, encoding)
    ]
    return [Delta((first or {}) | {"tool_calls": [opening]}), *pieces]
