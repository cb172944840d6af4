"""A finished chat completion as the chunks of a stream, so that folding them gives the object back (recorded)."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mockserver.api.chat.deltas import Delta, deltas, encoded_filters, text_deltas
from mockserver.api.chat.encoding import characters, escape, event
from mockserver.api.chat.grok import GrokWriter
from mockserver.api.chat.render import FILTER_FAILED
from mockserver.api.chat.usage import LATENCY
from mockserver.model import content_filter
from mockserver.operations.call import Frame

if TYPE_CHECKING:
    from mockserver.api.chat.requests import ChatRequest
    from mockserver.operations.call import ModelCall

Json = Any
Object = dict[str, Json]
_BLOCK = 16  # characters that obfuscation fills a chunk up to a multiple of
_PROTECTED = to_json(content_filter.STREAM_PROTECTED)
_COMPLETE = to_json(content_filter.COMPLETION_SAFE)


def stream(call: ModelCall, completion: Object) -> list[Frame]:
    """The chunks of a finished completion, less `[DONE]`, in the recorded order and layout."""
    body: ChatRequest = call.body
    with_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    grok = call.deployment.model.dialect == "grok"
    writer = GrokWriter(call, completion) if grok else _ChunkWriter(call, completion, usage=with_usage)
    filters = completion.get("prompt_filter_results")
    frames = [] if filters is None else [_opening(filters)]
    by_choice = [writer.choice(choice) for choice in completion["choices"]]
    endings = [chunks.pop() for chunks in by_choice]
    frames += [frame for row in zip_longest(*by_choice) for frame in row if frame is not None]
    frames += endings
    if with_usage:
        frames.append(writer.last(completion["usage"]))
    return frames


def _opening(filters: list[Json]) -> Frame:
    """The chunk before all others, which holds nothing but what the filter found in the prompt."""
    opening: Object = {"choices": [], "created": 0, "id": "", "model": "", "object": ""}
    return Frame(event(opening | {"prompt_filter_results": filters}, escaped=True))


def _piece_filters(call: ModelCall) -> bytes:
    """The filter results of a piece of text; which detectors have come to theirs by then differs from day to day (recorded)."""
    return _PROTECTED if call.deployment.model.reasons else _COMPLETE


class _ChunkWriter:
    """Writes the chunks of one completion. What they have in common is encoded once; a chunk is joined from bytes."""

    def __init__(self, call: ModelCall, completion: Object, *, usage: bool) -> None:
        self._call = call
        openai = call.deployment.model.dialect == "openai"
        options = call.body.stream_options
        hidden = options is not None and options.include_obfuscation is False
        self._padding = call.chance.fork("obfuscation") if openai and not hidden else None
        self._filters = "prompt_filter_results" in completion
        self._piece_filters = _piece_filters(call)
        self._before = {name: completion[name] for name in ("created", "id", "model")}
        self._after: Object = {"object": "chat.completion.chunk"}
        if openai:
            self._after |= {name: completion[name] for name in ("service_tier", "system_fingerprint")}
        left, right = to_json(self._before)[1:-1], to_json(self._after | {"usage": None} if usage else self._after)[1:]
        self._left, self._right = b"]," + left, b"," + right + b"\n\n"
        self._length = len('{"choices":[],,"obfuscation":"",') + characters(left) + characters(right)

    def choice(self, choice: Object) -> list[Frame]:
        """The chunks of one choice."""
        if self._filters and _is_plain(choice):
            return self._plain(choice)
        chunks = [self._frame(choice, delta) for delta in deltas(self._call, choice)]
        return [*chunks, self._frame(choice, Delta({}), choice["finish_reason"])]

    def _plain(self, choice: Object) -> list[Frame]:
        """The chunks of a choice that is nothing but text: only the delta differs, and the obfuscation that depends on it."""
        text, finish_reason = choice["message"]["content"], choice["finish_reason"]
        encoding = self._call.deployment.model.encoding
        encoded = text_deltas(text, finish_reason, self._piece_filters, self._call.chunk, encoding)
        closing = b',"index":%d,"logprobs":null}%b' % (choice["index"], self._left)
        if self._padding is None:
            return [Frame(b"".join((b'data: {"choices":[{', one.json, closing, self._right)), one.tokens) for one in encoded]
        closing, right = closing + b',"obfuscation":"', b'"' + self._right
        room = 1 - self._length - len('{"delta":,"finish_reason":,"index":,"logprobs":null}') - len(str(choice["index"]))
        pads = self._padding.alnum(_BLOCK * len(encoded)).encode()
        return [
            Frame(
                b"".join((b'data: {"choices":[{', one.json, closing, pads[at : at + (room - one.length) % _BLOCK], right)),
                one.tokens,
            )
            for at, one in zip(range(0, len(pads), _BLOCK), encoded, strict=True)
        ]

    def _frame(self, choice: Object, delta: Delta, finish_reason: str | None = None) -> Frame:
        """One chunk of any choice."""
        members = {"delta": delta.members, "finish_reason": finish_reason, "index": choice["index"]}
        encoded = to_json(members | {"logprobs": delta.logprobs})
        if not self._filters:
            return Frame(b"".join((b'data: {"choices":[', encoded, self._left, self._right)), delta.tokens)
        padding = self._pad(self._length + characters(encoded))
        right = self._right if padding is None else b',"obfuscation":"%b"%b' % (padding.encode(), self._right)
        filters = encoded_filters(choice, delta.members, finish_reason, self._piece_filters)
        return Frame(b"".join((b'data: {"choices":[{', filters, b",", escape(encoded)[1:], self._left, right)), delta.tokens)

    def last(self, usage: Object) -> Frame:
        """The usage chunk. The latency, which a whole answer has inside `usage`, stands beside it (recorded)."""
        counts = {name: value for name, value in usage.items() if name != LATENCY}
        latency = {LATENCY: usage[LATENCY]} if LATENCY in usage else {}
        chunk = {"choices": [], **self._before, **self._after, **latency, "usage": counts}
        padding = self._pad(characters(to_json(chunk | {"obfuscation": ""})))
        if padding is not None:
            chunk["obfuscation"] = padding
        return Frame(event(dict(sorted(chunk.items())), escaped=self._filters))

    def _pad(self, length: int) -> str | None:
        """Obfuscation: the chunk less its filter results is one character over a multiple of 16 (22 of 22 recorded streams)."""
        return self._padding.alnum((1 - length) % _BLOCK) if self._padding is not None else None


def _is_plain(choice: Object) -> bool:
    """Whether a choice is nothing but text that the filter let through."""
    message = choice["message"]
    return (
        choice["logprobs"] is None
        and choice["finish_reason"] in ("stop", "length")
        and FILTER_FAILED not in choice
        and bool(message["content"])
        and message["refusal"] is None
        and message.keys() == _PLAIN_MEMBERS
    )


_PLAIN_MEMBERS = {"annotations", "content", "refusal", "role"}
