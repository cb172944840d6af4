"""A finished chat completion told as a stream of chunks, so that folding them gives the object back (wire §3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mockserver.api.chat.deltas import Delta, deltas
from mockserver.api.chat.render import FILTER_FAILED
from mockserver.api.chat.spelling import event
from mockserver.api.chat.usage import LATENCY
from mockserver.call import Frame
from mockserver.model import content_filter

if TYPE_CHECKING:
    from mockserver.api.chat.requests import ChatRequest
    from mockserver.call import Call

Json = Any


def stream(call: Call, whole: dict[str, Json]) -> list[Frame]:
    """The chunks of a finished completion, less `[DONE]`, in the order and spelling of wire §3.2."""
    body: ChatRequest = call.body
    options = body.stream_options
    chunks = _Chunks(call, whole, usage=bool(options and options.include_usage))
    frames: list[Frame] = []
    if "prompt_filter_results" in whole:
        opening: dict[str, Json] = {"choices": [], "created": 0, "id": "", "model": "", "object": ""}
        opening |= {"prompt_filter_results": whole["prompt_filter_results"]}
        frames.append(Frame(event(opening, escaped=True)))
    told = [deltas(call, choice) for choice in whole["choices"]]
    for at in range(max(map(len, told))):
        frames += [chunks.frame(choice, one[at]) for choice, one in zip(whole["choices"], told, strict=True) if at < len(one)]
    frames += [chunks.frame(choice, Delta({}), choice["finish_reason"]) for choice in whole["choices"]]
    if chunks.usage:
        frames.append(chunks.last(whole["usage"]))
    return frames


def _filter_of_a_piece(call: Call) -> dict[str, Json]:
    """What the filter says of a piece of text; which detectors have spoken by then differs from day to day (wire §3.2)."""
    model = call.served_by.model
    if model.dialect != "openai":
        return content_filter.STREAM_SEVERITIES
    return content_filter.STREAM_PROTECTED if model.reasons else content_filter.COMPLETION_SAFE


class _Chunks:
    """Writes the chunks of one completion."""

    def __init__(self, call: Call, whole: dict[str, Json], *, usage: bool) -> None:
        self.usage = usage
        self._whole = whole
        self._openai = call.served_by.model.dialect == "openai"
        self._filters = "prompt_filter_results" in whole
        options = call.body.stream_options
        hidden = options is not None and options.include_obfuscation is False
        self._padding = call.chance.fork("obfuscation") if self._openai and not hidden else None
        self._told_filter = _filter_of_a_piece(call)

    def frame(self, choice: dict[str, Json], delta: Delta, finish: str | None = None) -> Frame:
        """One chunk of one choice."""
        told = {"delta": delta.told, "finish_reason": finish, "index": choice["index"], "logprobs": delta.logprobs}
        if not self._filters:
            return Frame(event(self._chunk([told]), escaped=False), delta.tokens)
        padding = self._pad(self._chunk([told]))
        judged = self._filter(choice, delta.told, finish) | told
        return Frame(event(self._chunk([judged], padding), escaped=True), delta.tokens)

    def last(self, usage: dict[str, Json]) -> Frame:
        """The usage chunk. The latency, which a whole answer has inside `usage`, stands beside it (wire §3.2)."""
        spent = {name: value for name, value in usage.items() if name != LATENCY}
        latency = {LATENCY: usage[LATENCY]} if LATENCY in usage else {}
        padding = self._pad(self._chunk([], usage=spent) | latency)
        chunk = self._chunk([], padding, spent)
        return Frame(event(dict(sorted((chunk | latency).items())) if latency else chunk, escaped=self._filters))

    def _filter(self, choice: dict[str, Json], told: dict[str, Json], finish: str | None) -> dict[str, Json]:
        if FILTER_FAILED in choice:
            return {FILTER_FAILED: choice[FILTER_FAILED], "content_filter_results": {}}
        if finish == "content_filter":
            return {"content_filter_results": choice["content_filter_results"]}
        return {"content_filter_results": self._told_filter if told.get("content") else {}}

    def _pad(self, chunk: dict[str, Json]) -> str | None:
        """Obfuscation: the chunk less its filter results is one character over a multiple of 16 (22 of 22 recorded streams)."""
        if self._padding is None:
            return None
        text = to_json(chunk | {"obfuscation": ""})
        return self._padding.alnum((1 - (len(text) if text.isascii() else len(text.decode()))) % 16)

    def _chunk(self, choices: list[Json], padding: str | None = None, usage: Json = None) -> dict[str, Json]:
        whole = self._whole
        chunk: dict[str, Json] = {"choices": choices, "created": whole["created"], "id": whole["id"], "model": whole["model"]}
        if padding is not None:
            chunk["obfuscation"] = padding
        chunk["object"] = "chat.completion.chunk"
        if self._openai:
            chunk |= {"service_tier": whole["service_tier"], "system_fingerprint": whole["system_fingerprint"]}
        if self.usage:
            chunk["usage"] = usage
        return chunk
