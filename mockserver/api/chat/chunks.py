"""A finished chat completion told as a stream of chunks, so that folding them gives the object back (recorded)."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mockserver.api.chat.deltas import Delta, deltas, text_deltas
from mockserver.api.chat.encoding import Encoded, characters, escape, event
from mockserver.api.chat.render import FILTER_FAILED, PROMPT_SAFE
from mockserver.api.chat.usage import LATENCY
from mockserver.model import content_filter
from mockserver.operations.call import Frame

if TYPE_CHECKING:
    from mockserver.api.chat.requests import ChatRequest
    from mockserver.operations.call import ModelCall

Json = Any


def stream(call: ModelCall, whole: dict[str, Json]) -> list[Frame]:
    """The chunks of a finished completion, less `[DONE]`, in the recorded order and spelling."""
    body: ChatRequest = call.body
    options = body.stream_options
    chunks = _Chunks(call, whole, usage=bool(options and options.include_usage))
    frames: list[Frame] = []
    filters = whole.get("prompt_filter_results")
    if filters is not None:
        frames.append(_SAFE_OPENING if filters is PROMPT_SAFE else _opening(filters))
    told = [chunks.plain(choice) if type(choice) is Encoded else chunks.mixed(choice) for choice in whole["choices"]]
    ends = [one.pop() for one in told]
    frames += told[0] if len(told) == 1 else [frame for row in zip_longest(*told) for frame in row if frame is not None]
    frames += ends
    if chunks.usage:
        frames.append(chunks.last(whole["usage"]))
    return frames


def _opening(filters: list[Json]) -> Frame:
    """The chunk before all others, which only tells what the filter found in the prompt."""
    opening: dict[str, Json] = {"choices": [], "created": 0, "id": "", "model": "", "object": ""}
    return Frame(event(opening | {"prompt_filter_results": filters}, escaped=True))


_SAFE_OPENING = _opening(PROMPT_SAFE)


def _filter_of_a_piece(call: ModelCall) -> dict[str, Json]:
    """What the filter says of a piece of text; which detectors have spoken by then differs from day to day (recorded)."""
    model = call.deployment.model
    if model.dialect != "openai":
        return content_filter.STREAM_SEVERITIES
    return content_filter.STREAM_PROTECTED if model.reasons else content_filter.COMPLETION_SAFE


_OPENING = b'data: {"choices":['
_ENCODED: dict[int, bytes] = {
    id(found): to_json(found)
    for found in (content_filter.STREAM_SEVERITIES, content_filter.STREAM_PROTECTED, content_filter.COMPLETION_SAFE)
}


class _Chunks:
    """Writes the chunks of one completion. What they have in common is spelt once; a chunk is joined from bytes."""

    def __init__(self, call: ModelCall, whole: dict[str, Json], *, usage: bool) -> None:
        self.usage = usage
        openai = call.deployment.model.dialect == "openai"
        options = call.body.stream_options
        hidden = options is not None and options.include_obfuscation is False
        self._padding = call.chance.fork("obfuscation") if openai and not hidden else None
        self._filters = "prompt_filter_results" in whole
        self._told_filter = _ENCODED[id(_filter_of_a_piece(call))]
        self._before = {name: whole[name] for name in ("created", "id", "model")}
        self._after: dict[str, Json] = {"object": "chat.completion.chunk"}
        if openai:
            self._after |= {"service_tier": whole["service_tier"], "system_fingerprint": whole["system_fingerprint"]}
        after = self._after | {"usage": None} if usage else self._after
        left, right = to_json(self._before)[1:-1], to_json(after)[1:]
        self._call = call
        self._left, self._right = b"]," + left, b"," + right + b"\n\n"
        self._length = len('{"choices":[],,"obfuscation":"",') + characters(left) + characters(right)

    def plain(self, choice: Encoded) -> list[Frame]:
        """The chunks of a choice that is nothing but text: only the delta differs, and the obfuscation that depends on it."""
        text, finish = choice["message"]["content"], choice["finish_reason"]
        told = text_deltas(text, finish, self._told_filter, self._call.chunk, self._call.deployment.model.encoding)
        closing = b',"index":%d,"logprobs":null}%b' % (choice["index"], self._left)
        before, right, pads = b'data: {"choices":[{', self._right, b""
        room = 1 - self._length - len('{"delta":,"finish_reason":,"index":,"logprobs":null}') - len(str(choice["index"]))
        if self._padding is not None:
            closing, right = closing + b',"obfuscation":"', b'"' + right
            pads = self._padding.alnum(16 * len(told)).encode()
        return [
            Frame(b"".join((before, delta.json, closing, pads[at : at + (room - delta.length) % 16], right)), delta.tokens)
            for at, delta in zip(range(0, 16 * len(told), 16), told, strict=True)
        ]

    def mixed(self, choice: dict[str, Json]) -> list[Frame]:
        """The chunks of any choice."""
        told = [self._frame(choice, delta) for delta in deltas(self._call, choice)]
        return [*told, self._frame(choice, Delta({}), choice["finish_reason"])]

    def _frame(self, choice: dict[str, Json], delta: Delta, finish: str | None = None) -> Frame:
        """One chunk of one choice."""
        told = to_json({"delta": delta.told, "finish_reason": finish, "index": choice["index"], "logprobs": delta.logprobs})
        if not self._filters:
            return Frame(b"".join((_OPENING, told, self._left, self._right)), delta.tokens)
        padding = self._pad(self._length + characters(told))
        right = self._right if padding is None else b',"obfuscation":"%b"%b' % (padding.encode(), self._right)
        parts = (_OPENING, b"{", self._filter(choice, delta.told, finish), b",", escape(told)[1:], self._left, right)
        return Frame(b"".join(parts), delta.tokens)

    def last(self, usage: dict[str, Json]) -> Frame:
        """The usage chunk. The latency, which a whole answer has inside `usage`, stands beside it (recorded)."""
        spent = {name: value for name, value in usage.items() if name != LATENCY}
        latency = {LATENCY: usage[LATENCY]} if LATENCY in usage else {}
        chunk = {"choices": [], **self._before, **self._after, **latency, "usage": spent}
        padding = self._pad(characters(to_json(chunk | {"obfuscation": ""})))
        if padding is not None:
            chunk["obfuscation"] = padding
        return Frame(event(dict(sorted(chunk.items())), escaped=self._filters))

    def _filter(self, choice: dict[str, Json], told: dict[str, Json], finish: str | None) -> bytes:
        """The members about the filter, without the braces around them."""
        if FILTER_FAILED in choice:
            failed = {FILTER_FAILED: choice[FILTER_FAILED], "content_filter_results": {}}
            return escape(to_json(failed))[1:-1]
        if finish == "content_filter":
            return escape(to_json({"content_filter_results": choice["content_filter_results"]}))[1:-1]
        return b'"content_filter_results":' + (self._told_filter if told.get("content") else b"{}")

    def _pad(self, length: int) -> str | None:
        """Obfuscation: the chunk less its filter results is one character over a multiple of 16 (22 of 22 recorded streams)."""
        return self._padding.alnum((1 - length) % 16) if self._padding is not None else None
