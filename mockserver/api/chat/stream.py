"""A finished chat completion told as a stream of chunks, so that folding them gives the object back (wire §3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mockserver.api.chat.spelling import event
from mockserver.api.chat.usage import LATENCY
from mockserver.call import Frame
from mockserver.model import content_filter
from mockserver.model.pieces import cut

if TYPE_CHECKING:
    from mockserver.api.chat.requests import ChatRequest
    from mockserver.call import Call

Json = Any
DONE = Frame(b"data: [DONE]\n\n")


def stream(call: Call, whole: dict[str, Json]) -> list[Frame]:
    """The chunks of a finished completion, in the order and spelling of wire §3.2."""
    body: ChatRequest = call.body
    options = body.stream_options
    chunks = _Chunks(call, whole, usage=bool(options and options.include_usage))
    frames: list[Frame] = []
    if "prompt_filter_results" in whole:
        opening: dict[str, Json] = {"choices": [], "created": 0, "id": "", "model": "", "object": ""}
        opening |= {"prompt_filter_results": whole["prompt_filter_results"]}
        frames.append(Frame(event(opening, escaped=True)))
    told = [list(_deltas(call, choice)) for choice in whole["choices"]]
    for at in range(max(map(len, told))):
        for choice, deltas in zip(whole["choices"], told, strict=True):
            if at < len(deltas):
                frames.append(chunks.frame(choice, *deltas[at]))
    frames += [chunks.frame(choice, {}, 0, None, finish=choice["finish_reason"]) for choice in whole["choices"]]
    if chunks.usage:
        frames.append(chunks.last(whole["usage"]))
    frames.append(DONE)
    return frames


def _deltas(call: Call, choice: dict[str, Json]) -> list[tuple[dict[str, Json], int, Json]]:
    """The deltas of one choice, each with its tokens and its log probabilities."""
    message = choice["message"]
    size = call.chunk
    encoding = call.served_by.model.encoding
    calls = message.get("tool_calls") or []
    deltas: list[tuple[dict[str, Json], int, Json]] = []
    thoughts, text = message.get("reasoning_content"), message.get("content")
    head: dict[str, Json] = {"content": "" if not calls or text else None, "refusal": None, "role": "assistant"}
    function = message.get("function_call")
    if function is not None:
        head |= {"content": text, "function_call": {"arguments": "", "name": function["name"]}}
        deltas.append((dict(sorted(head.items())), 0, None))
        return deltas + [
            ({"function_call": {"arguments": piece}}, count, None)
            for piece, count in cut(function["arguments"], size, encoding)
        ]
    if not calls or text or thoughts or message.get("audio"):
        deltas.append((head, 0, None))
    deltas += [({"reasoning_content": piece}, count, None) for piece, count in cut(thoughts or "", size, encoding)]
    deltas += _text_deltas(text or "", choice["logprobs"], size, encoding)
    deltas += [({"refusal": piece}, count, None) for piece, count in cut(message.get("refusal") or "", size, encoding)]
    deltas += _audio_deltas(message.get("audio"), size, encoding)
    for at, tool in enumerate(calls):
        deltas += _tool_deltas(at, tool, size, encoding, None if deltas else head)
    return deltas


def _text_deltas(text: str, logprobs: Json, size: Any, encoding: str) -> list[tuple[dict[str, Json], int, Json]]:
    if logprobs is None:
        return [({"content": piece}, count, None) for piece, count in cut(text, size, encoding)]
    told = [([entry], entry["token"]) for entry in logprobs["content"]]
    return [({"content": token}, 1, {"content": entries, "refusal": None}) for entries, token in told]


def _audio_deltas(audio: Json, size: Any, encoding: str) -> list[tuple[dict[str, Json], int, Json]]:
    if audio is None:
        return []
    deltas: list[tuple[dict[str, Json], int, Json]] = [({"audio": {"id": audio["id"]}}, 0, None)]
    deltas += [({"audio": {"transcript": piece}}, count, None) for piece, count in cut(audio["transcript"], size, encoding)]
    return [*deltas, ({"audio": {"data": audio["data"]}}, 0, None), ({"audio": {"expires_at": audio["expires_at"]}}, 0, None)]


def _tool_deltas(
    at: int, tool: dict[str, Json], size: Any, encoding: str, head: dict[str, Json] | None
) -> list[tuple[dict[str, Json], int, Json]]:
    kind = tool["type"]
    field = "input" if kind == "custom" else "arguments"
    opening = {kind: {field: "", "name": tool[kind]["name"]}, "id": tool["id"], "index": at, "type": kind}
    opened = (head or {}) | {"tool_calls": [opening]}
    told = [
        ({"tool_calls": [{kind: {field: piece}, "index": at}]}, count, None)
        for piece, count in cut(tool[kind][field], size, encoding)
    ]
    return [(opened, 0, None), *told]


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

    def frame(
        self, choice: dict[str, Json], delta: dict[str, Json], count: int, logprobs: Json, *, finish: str | None = None
    ) -> Frame:
        """One chunk of one choice."""
        told = {"delta": delta, "finish_reason": finish, "index": choice["index"], "logprobs": logprobs}
        if not self._filters:
            return Frame(event(self._chunk([told]), escaped=False), count)
        result = self._filter(choice, delta, finish)
        padding = self._pad(self._chunk([told]))
        return Frame(event(self._chunk([{"content_filter_results": result, **told}], padding), escaped=True), count)

    def last(self, usage: dict[str, Json]) -> Frame:
        """The usage chunk. The latency, which a whole answer has inside `usage`, stands beside it (wire §3.2)."""
        spent = {name: value for name, value in usage.items() if name != LATENCY}
        latency = {LATENCY: usage[LATENCY]} if LATENCY in usage else {}
        padding = self._pad(self._chunk([], usage=spent) | latency)
        chunk = self._chunk([], padding, spent)
        return Frame(event(dict(sorted((chunk | latency).items())) if latency else chunk, escaped=self._filters))

    def _filter(self, choice: dict[str, Json], delta: dict[str, Json], finish: str | None) -> Json:
        if finish == "content_filter":
            return choice["content_filter_results"]
        return self._told_filter if delta.get("content") else {}

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
