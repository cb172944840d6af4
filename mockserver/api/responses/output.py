"""Output items: a reply as the list that a response carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.api.responses.calls import CallWriter
from mockserver.api.responses.tools import namespace_of
from mockserver.model.reply import Audio, BuiltInCall, Part, Reasoning, Refusal, Text, ToolCall
from mockserver.operations.members import ordered
from mockserver.state.ids import ResponseIds, call_id

if TYPE_CHECKING:
    from mockserver.api.responses.requests import ResponseRequest
    from mockserver.model.limits import LimitedReply
    from mockserver.operations.call import ModelCall

Json = Any
Object = dict[str, Json]


class Writer:
    """Writes the output items of one response."""

    def __init__(self, call: ModelCall, ids: ResponseIds) -> None:
        self._call = call
        self._ids = ids
        self._body: ResponseRequest = call.body
        self._model = call.deployment.model
        self._calls = CallWriter(call, ids)

    def items(self, spoken: LimitedReply) -> list[Object]:
        """The items of a reply, with everything that `include` may show.

        A model that reasons begins with a reasoning item even where nothing of it shows; newer ones (those that mark phases)
        only where they thought (wire). A script can say that it did not think.
        """
        parts = self._within_tool_limit(spoken.parts)
        items = [self._empty_thought()] if self._thinks_unseen(parts) else []
        for at, part in enumerate(parts):
            if isinstance(part, (Text, Refusal, Audio)):
                if at and isinstance(parts[at - 1], (Text, Refusal, Audio)):
                    items[-1]["content"].append(self._content(part))
                else:
                    items.append(self._message(part, parts[at + 1 :]))
            elif isinstance(part, Reasoning):
                if not part.skipped:
                    items.append(self._reasoning(part))
            elif isinstance(part, ToolCall):
                items.append(self._tool_call(part))
            else:
                items.append(self._calls.item(part.item))
        if spoken.stop == "length" and items and items[-1]["type"] in _CAN_BE_CUT:
            items[-1]["status"] = "incomplete"
        return items

    def compaction(self) -> Object:
        """What a compacted conversation becomes; its content is opaque."""
        return {"id": self._ids.new("cmp"), "type": "compaction", "encrypted_content": self.sealed("compaction", 64)}

    def sealed(self, name: str, size: int) -> str:
        """Opaque text as the service's encryption writes it: a version, the time, and chance."""
        return self._call.resource.seal.content(self._call.chance.fork(name), self._call.created, size)

    def _within_tool_limit(self, parts: list[Part]) -> list[Part]:
        """The parts less the built-in tool uses beyond `max_tool_calls`, which the service ignores (spec)."""
        left = self._body.max_tool_calls
        if left is None:
            return parts
        kept: list[Part] = []
        for part in parts:
            if isinstance(part, BuiltInCall):
                if left == 0:
                    continue
                left -= 1
            kept.append(part)
        return kept

    def _thinks_unseen(self, parts: list[Part]) -> bool:
        if not self._model.reasons or self._model.phase or self._call.prompt.effort == "none":
            return False
        return not any(isinstance(part, Reasoning) for part in parts)

    def _empty_thought(self) -> Object:
        return {"id": self._ids.new("rs"), "type": "reasoning", "summary": []}

    def _reasoning(self, part: Reasoning) -> Object:
        item = self._empty_thought()
        if part.text and self._model.dialect != "openai":
            item["content"] = [{"type": "reasoning_text", "text": part.text}]
        if self._call.prompt.summary:
            item["summary"] = [{"type": "summary_text", "text": paragraph} for paragraph in part.summary]
        return ordered(item)

    def _message(self, part: Text | Refusal | Audio, rest: list[Part]) -> Object:
        message = {"id": self._ids.new("msg"), "type": "message", "status": "completed", "content": [self._content(part)]}
        if self._model.phase:
            message["phase"] = (
                "commentary" if any(isinstance(later, (ToolCall, BuiltInCall)) for later in rest) else "final_answer"
            )
        return message | {"role": "assistant"}

    def _content(self, part: Text | Refusal | Audio) -> Object:
        if isinstance(part, Refusal):
            return {"type": "refusal", "refusal": part.text}
        text = part.transcript if isinstance(part, Audio) else part.text
        annotations = [ordered(annotation) for annotation in part.annotations] if isinstance(part, Text) else []
        annotations = annotations or [ordered(citation) for citation in self._calls.file_citations(text)]
        return {"type": "output_text", "annotations": annotations, "logprobs": self._logprobs(text), "text": text}

    def _logprobs(self, text: str) -> list[Json]:
        if not (self._body.top_logprobs or "message.output_text.logprobs" in (self._body.include or ())):
            return []
        from mockserver.model.logprobs import make_logprobs

        chance = self._call.chance.fork("logprobs")
        return make_logprobs(text, self._body.top_logprobs or 0, chance, self._model.encoding, order="responses")

    def _tool_call(self, part: ToolCall) -> Object:
        identity = part.id or call_id(self._call.chance)
        if part.kind == "custom":
            item = {"id": self._ids.new("ctc"), "type": "custom_tool_call", "input": part.arguments}
        else:
            item = {"id": self._ids.new("fc"), "type": "function_call", "arguments": part.arguments}
        namespace = namespace_of(self._body.tools, part.name)
        if namespace is not None:
            item["namespace"] = namespace
        return ordered(item | {"status": "completed", "call_id": identity, "name": part.name})


_CAN_BE_CUT = ("message", "function_call", "custom_tool_call")
