"""A chat completion as an object, and the same object told as a stream of chunks.

Keys are alphabetical at every level (wire §3.1); the exceptions are inside `prompt_filter_results` and in the answers of
other vendors' models. A stream is made from the finished object, so that folding it gives the object back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from mockserver.call import Frame
from mockserver.delivery import data_event
from mockserver.model import content_filter, tokens
from mockserver.model.pieces import cut
from mockserver.model.reply import Audio, Reasoning, Refusal, Reply
from mockserver.state.ids import call_id, completion_id

if TYPE_CHECKING:
    from mockserver.api.chat.requests import ChatRequest
    from mockserver.call import Call
    from mockserver.model.limits import Spoken

Json = Any
DONE = Frame(b"data: [DONE]\n\n")


def completion(call: Call, replies: list[tuple[Reply, Spoken]]) -> dict[str, Json]:
    """The `chat.completion` object of one choice per reply."""
    body: ChatRequest = call.body
    model = call.served_by.model
    first, _ = replies[0]
    choices = [_choice(call, at, *reply) for at, reply in enumerate(replies)]
    usage = _usage(call, [said for _, said in replies], first)
    filters = [{"prompt_index": 0, "content_filter_results": _prompt_filter(call, first)}]
    if model.dialect == "openai":
        return {
            "choices": choices,
            "created": call.created,
            "id": completion_id(call.chance),
            "model": model.snapshot,
            "object": "chat.completion",
            "prompt_filter_results": filters,
            "service_tier": "priority" if body.service_tier == "priority" else "default",
            "system_fingerprint": fingerprint(model.snapshot) if model.fingerprint else None,
            "usage": usage,
        }
    if model.dialect == "grok":
        return {
            "choices": choices,
            "created": call.created,
            "id": f"{call.chance.uuid()}_sidecar",
            "model": model.snapshot,
            "object": "chat.completion",
            "prompt_filter_results": filters,
            "usage": usage,
        }
    return {
        "id": call.chance.hex(32),
        "object": "chat.completion",
        "created": call.created,
        "model": model.snapshot,
        "choices": choices,
        "usage": usage,
    }


def fingerprint(snapshot: str) -> str:
    """A snapshot's `system_fingerprint`: `fp_` and ten hex digits, the same for all answers of it."""
    from mockserver.state.chance import Chance

    return "fp_" + Chance(f"fingerprint/{snapshot}").hex(10)


def _choice(call: Call, index: int, reply: Reply, spoken: Spoken) -> dict[str, Json]:
    legacy = any(tool.legacy for tool in call.asked.tools) and bool(spoken.tool_calls)
    finish = "function_call" if legacy and spoken.stop == "tool_calls" else spoken.stop
    logprobs = _logprobs(call, spoken)
    message = _message(call, spoken, legacy=legacy)
    dialect = call.served_by.model.dialect
    if dialect in ("deepseek", "mai"):
        return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}
    choice = {
        "content_filter_results": _completion_filter(reply, spoken),
        "finish_reason": finish,
        "index": index,
        "logprobs": logprobs,
        "message": message,
    }
    return choice | {"stop_reason": None} if dialect == "grok" else choice


def _message(call: Call, spoken: Spoken, *, legacy: bool) -> dict[str, Json]:
    refusals = [part.text for part in spoken.parts if isinstance(part, Refusal)]
    refusal = "".join(refusals) if refusals else None
    calls = [_tool_call(call, tool) for tool in spoken.tool_calls]
    text = spoken.text
    content = text if text or not (calls or refusal) else None
    dialect = call.served_by.model.dialect
    if dialect != "openai":
        return _vendor_message(dialect, text, spoken, calls)
    message: dict[str, Json] = {"annotations": [], "content": content, "refusal": refusal, "role": "assistant"}
    sound = next((part for part in spoken.parts if isinstance(part, Audio)), None)
    if sound is not None:
        audio = {
            "data": sound.data,
            "expires_at": call.created + 3_600,
            "id": "audio_" + call.chance.hex(32),
            "transcript": sound.transcript,
        }
        message = {"annotations": [], "audio": audio, "content": None, "refusal": refusal, "role": "assistant"}
    if legacy:
        function = {"arguments": spoken.tool_calls[0].arguments, "name": spoken.tool_calls[0].name}
        return {"annotations": [], "content": content, "function_call": function, "refusal": refusal, "role": "assistant"}
    if calls:
        message["tool_calls"] = calls
    return message


def _vendor_message(dialect: str, text: str, spoken: Spoken, calls: list[Json]) -> dict[str, Json]:
    thoughts = "".join(part.text for part in spoken.parts if isinstance(part, Reasoning))
    if dialect == "grok":
        return {
            "content": text,
            "reasoning_content": thoughts,
            "refusal": None,
            "role": "assistant",
            "tool_calls": calls or None,
        }
    return {"role": "assistant", "content": text, "reasoning_content": thoughts, "tool_calls": calls}


def _tool_call(call: Call, tool: Any) -> dict[str, Json]:
    identity = tool.id or call_id(call.chance)
    if tool.kind == "custom":
        return {"custom": {"input": tool.arguments, "name": tool.name}, "id": identity, "type": "custom"}
    return {"function": {"arguments": tool.arguments, "name": tool.name}, "id": identity, "type": "function"}


def _completion_filter(reply: Reply, spoken: Spoken) -> dict[str, Json]:
    """What the filter says of the answer; nothing for tool calls that nobody judged (wire: `{}`)."""
    if spoken.tool_calls and reply.completion_verdict is None:
        return {}
    return content_filter.completion_results(reply.completion_verdict)


def _prompt_filter(call: Call, reply: Reply) -> dict[str, Json]:
    """What the filter says of the prompt; nothing on a turn that only brings tool results (wire: `{}`)."""
    if call.asked.tool_results and reply.prompt_verdict is None:
        return {}
    return content_filter.prompt_results(reply.prompt_verdict)


def _logprobs(call: Call, spoken: Spoken) -> Json:
    body: ChatRequest = call.body
    if not body.logprobs or not spoken.text:
        return None
    from mockserver.model.logprobs import logprobs

    content = logprobs(spoken.text, body.top_logprobs or 0, call.chance.fork("logprobs"), call.served_by.model.encoding)
    return {"content": content, "refusal": None}


def _usage(call: Call, spoken: list[Spoken], reply: Reply) -> dict[str, Json]:
    model = call.served_by.model
    prompt_tokens = reply.used(call.prompt_tokens, "prompt_tokens", "input_tokens")
    completion_tokens = reply.used(sum(said.completion_tokens for said in spoken), "completion_tokens", "output_tokens")
    reasoning = reply.used(sum(said.reasoning_tokens for said in spoken), "reasoning_tokens")
    accepted, rejected = _predicted(call, spoken[0])
    completion_details = {
        "accepted_prediction_tokens": accepted,
        "audio_tokens": 0,
        "reasoning_tokens": reasoning,
        "rejected_prediction_tokens": rejected,
    }
    prompt_details = {"audio_tokens": 0, "cached_tokens": reply.used(0, "cached_tokens")}
    usage: dict[str, Json] = {}
    total = prompt_tokens + completion_tokens
    if model.dialect == "grok":
        completion_tokens -= reasoning
        prompt_details |= {"image_tokens": 0, "text_tokens": prompt_tokens}
        usage["audio_prompt_tokens"] = 0
    usage |= {"completion_tokens": completion_tokens, "completion_tokens_details": completion_details}
    if model.dialect == "grok":
        usage["num_sources_used"] = 0
    usage |= {
        "prompt_tokens": prompt_tokens,
        "prompt_tokens_details": prompt_details,
        "total_tokens": reply.used(total, "total_tokens"),
    }
    return usage


def _predicted(call: Call, spoken: Spoken) -> tuple[int, int]:
    """Tokens of the caller's prediction that the answer used, and those it did not (docs(predicted))."""
    prediction = call.body.prediction
    if prediction is None:
        return 0, 0
    content = prediction.content if isinstance(prediction.content, str) else "".join(part.text for part in prediction.content)
    encoding = call.served_by.model.encoding
    guessed, said = tokens.pieces(content, encoding), tokens.pieces(spoken.text, encoding)
    accepted = 0
    for guess, word in zip(guessed, said, strict=False):
        if guess != word:
            break
        accepted += 1
    return accepted, len(guessed) - accepted


# -- the stream -------------------------------------------------------------------------------------------------------


def stream(call: Call, whole: dict[str, Json]) -> list[Frame]:
    """The chunks of a finished completion, in the order and spelling of wire §3.2."""
    body: ChatRequest = call.body
    options = body.stream_options
    chunks = _Chunks(call, whole, usage=bool(options and options.include_usage))
    frames: list[Frame] = []
    if "prompt_filter_results" in whole:
        opening = {"choices": [], "created": 0, "id": "", "model": "", "object": ""}
        frames.append(Frame(data_event(opening | {"prompt_filter_results": whole["prompt_filter_results"]})))
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
        reasons = call.served_by.model.reasons
        self._told_filter = content_filter.STREAM_PROTECTED if reasons else content_filter.STREAM_SEVERITIES

    def frame(
        self, choice: dict[str, Json], delta: dict[str, Json], count: int, logprobs: Json, *, finish: str | None = None
    ) -> Frame:
        """One chunk of one choice."""
        told = {"delta": delta, "finish_reason": finish, "index": choice["index"], "logprobs": logprobs}
        if not self._filters:
            return Frame(data_event(self._chunk([told])), count)
        result = self._filter(choice, delta, finish)
        padding = self._pad(self._chunk([told]))
        return Frame(data_event(self._chunk([{"content_filter_results": result, **told}], padding)), count)

    def last(self, usage: Json) -> Frame:
        """The usage chunk."""
        return Frame(data_event(self._chunk([], self._pad(self._chunk([], usage=usage)), usage)))

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
