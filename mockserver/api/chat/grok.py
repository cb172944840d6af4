"""Chunks of Grok's models, as recorded from October 2025 to March 2026: they leave out every member that has no value yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.api.chat.deltas import Delta, deltas, encoded_filters
from mockserver.api.chat.encoding import encode, event
from mockserver.api.chat.render import fingerprint
from mockserver.model import content_filter
from mockserver.operations.call import Frame

if TYPE_CHECKING:
    from mockserver.operations.call import ModelCall

Json = Any
Object = dict[str, Json]
_SEVERITIES = encode(content_filter.STREAM_SEVERITIES)
_ONLY_IN_BODIES = "audio_prompt_tokens"


class GrokWriter:
    """Writes the chunks of one completion. The role rides on a choice's first piece, and a tool call comes whole."""

    def __init__(self, call: ModelCall, completion: Object) -> None:
        self._call = call
        self._before = {name: completion[name] for name in ("created", "id", "model")}
        self._after = {"object": "chat.completion.chunk", "system_fingerprint": fingerprint(completion["model"])}
        self._shared = encode(self._before | self._after)[1:]

    def choice(self, choice: Object) -> list[Frame]:
        """The chunks of one choice."""
        first, *rest = self._pieces(choice)
        opening = first._replace(members=dict(sorted((first.members | {"role": "assistant"}).items())))
        chunks = [self._frame(choice, delta) for delta in (opening, *rest)]
        return [*chunks, self._frame(choice, Delta({}), choice["finish_reason"])]

    def _pieces(self, choice: Object) -> list[Delta]:
        """What a choice brings piece by piece; an empty text where it brings nothing."""
        message = choice["message"]
        calls = message.get("tool_calls") or ()
        _role, *opened = deltas(self._call, choice | {"message": message | {"tool_calls": None}})
        found = opened + [_whole_call(at, tool) for at, tool in enumerate(calls)]
        return found or [Delta({"content": ""})]

    def _frame(self, choice: Object, delta: Delta, finish_reason: str | None = None) -> Frame:
        members: Object = {"delta": delta.members}
        if finish_reason is not None:
            members["finish_reason"] = finish_reason
        members["index"] = choice["index"]
        if delta.logprobs is not None:
            members["logprobs"] = delta.logprobs
        filters = encoded_filters(choice, delta.members, finish_reason, _SEVERITIES)
        return Frame(b'data: {"choices":[{%b,%b],%b\n\n' % (filters, encode(members)[1:], self._shared), delta.tokens)

    def last(self, usage: Object) -> Frame:
        """The usage chunk, which has one member less than a whole answer."""
        counts = {name: value for name, value in usage.items() if name != _ONLY_IN_BODIES}
        return Frame(event({"choices": [], **self._before, **self._after, "usage": counts}, escaped=True))


def _whole_call(at: int, tool: Object) -> Delta:
    kind = tool["type"]
    function = {name: value for name, value in tool[kind].items() if name != "call_id"}
    return Delta({"tool_calls": [{kind: function, "id": tool["id"], "index": at, "type": kind}]})
