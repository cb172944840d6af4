"""A finished response as the events of a stream (recorded and documented).

A stored response is replayed with the same events: what chance adds to them depends on the response's id alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from mockserver.api.responses.refusals import withheld_in_stream
from mockserver.api.responses.render import unfinished, visible
from mockserver.model.chunking import ChunkSize, cut
from mockserver.operations.call import Frame
from mockserver.operations.encoding import named_event
from mockserver.operations.sealing import Seal
from mockserver.operations.visible import reveal
from mockserver.state.chance import Chance

Json = Any
Object = dict[str, Json]
_BLOCK = 16


@dataclass(frozen=True, slots=True)
class EventOptions:
    """What a stream includes, how its text is cut, whether deltas are padded to hide their length, and what seals its reasoning."""

    include: Collection[str]
    chunk: ChunkSize
    encoding: str
    obfuscated: bool
    seal: Seal


def frames(whole: Object, options: EventOptions, after: int = -1) -> list[Frame]:
    """The frames of a finished response's stream, those beyond sequence number `after`."""
    writer = EventWriter(whole, options)
    if whole["status"] == "failed":
        writer.fail()
    else:
        writer.all()
    return writer.frames[after + 1 :] if after >= 0 else writer.frames


class EventWriter:
    """Writes the events of one response."""

    def __init__(self, whole: Object, options: EventOptions) -> None:
        self.frames: list[Frame] = []
        self._whole = whole
        self._event_options = options
        hidden = not options.obfuscated or whole["background"]
        self._padding = None if hidden else Chance(f"obfuscation/{whole['id']}")
        self._place: Object = {}

    def all(self) -> None:
        """Created, queued for background work, in progress, every item, and the end."""
        status: str = self._whole["status"]
        queued = self._whole["background"]
        self._emit("response.created", response=unfinished(self._whole, "queued" if queued else "in_progress"))
        if queued:
            self._emit("response.queued", response=unfinished(self._whole, "queued"))
        if queued and status == "cancelled":
            return
        self._emit("response.in_progress", response=unfinished(self._whole, "in_progress"))
        for at, item in enumerate(self._whole["output"]):
            self._item(at, item)
        self._emit(f"response.{status}", response=visible(self._whole, self._event_options.include, self._event_options.seal))

    def fail(self) -> None:
        """A prompt that the filter withheld: three frames, and the reason only in the last (reported from Azure)."""
        self._emit("response.created", response=unfinished(self._whole, "in_progress"))
        self._emit("response.failed", response=self._whole)
        self._emit("error", error=withheld_in_stream())

    def _emit(self, kind: str, count: int = 0, **members: Json) -> None:
        members["sequence_number"] = len(self.frames)
        event = {"type": kind, **{name: members[name] for name in sorted(members)}}
        self.frames.append(Frame(named_event(kind, event), count))

    def _item(self, at: int, item: Object) -> None:
        self._place = {"item_id": item["id"], "output_index": at}
        kind = item["type"]
        opening = _OPENINGS.get(kind, _open)(item)
        self._emit("response.output_item.added", item=self._revealed(opening, "added"), output_index=at)
        write = _WRITERS.get(kind)
        if write is not None:
            write(self, self._revealed(item, "done"))
        self._emit("response.output_item.done", item=self._revealed(item, "done"), output_index=at)

    def _revealed(self, item: Object, stage: str) -> Object:
        options = self._event_options
        return reveal([item], options.include, self._whole["created_at"], options.seal, stage=stage)[0]

    def _deltas(self, kind: str, text: str, *, padded: bool = True, **members: Json) -> None:
        for piece, count in cut(text, self._event_options.chunk, self._event_options.encoding):
            self._delta(kind, piece, count, padded=padded, **members)

    def _delta(self, kind: str, piece: str, count: int, *, padded: bool = True, **members: Json) -> None:
        if padded and self._padding is not None:
            # Characters of delta and padding together are a multiple of 16 (wire: 1706 of 1706 events).
            members["obfuscation"] = self._padding.alnum(-len(piece) % _BLOCK)
        self._emit(kind, count, delta=piece, **self._place, **members)

    def message(self, item: Object) -> None:
        """Every part of a message: added, its deltas, done."""
        for at, part in enumerate(item["content"]):
            empty: Object = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
            if part["type"] == "refusal":
                empty = {"type": "refusal", "refusal": ""}
            self._emit("response.content_part.added", content_index=at, part=empty, **self._place)
            if part["type"] == "refusal":
                self._refusal(at, part)
            else:
                self._text(at, part)
            self._emit("response.content_part.done", content_index=at, part=part, **self._place)

    def _text(self, at: int, part: Object) -> None:
        kind = "response.output_text.delta"
        if part["logprobs"]:
            for entry in part["logprobs"]:
                self._delta(kind, entry["token"], 1, content_index=at, logprobs=[entry])
        else:
            self._deltas(kind, part["text"], content_index=at, logprobs=[])
        for index, annotation in enumerate(part["annotations"]):
            members = {"annotation": annotation, "annotation_index": index, "content_index": at}
            self._emit("response.output_text.annotation.added", **members, **self._place)
        done = {"content_index": at, "logprobs": part["logprobs"], "text": part["text"]}
        self._emit("response.output_text.done", **done, **self._place)

    def _refusal(self, at: int, part: Object) -> None:
        self._deltas("response.refusal.delta", part["refusal"], padded=False, content_index=at)
        self._emit("response.refusal.done", content_index=at, refusal=part["refusal"], **self._place)

    def reasoning(self, item: Object) -> None:
        """Summary paragraphs, then the raw thoughts that other vendors' models show."""
        for at, paragraph in enumerate(item["summary"]):
            head = "response.reasoning_summary_part"
            self._emit(f"{head}.added", part={"type": "summary_text", "text": ""}, summary_index=at, **self._place)
            self._deltas("response.reasoning_summary_text.delta", paragraph["text"], summary_index=at)
            self._emit("response.reasoning_summary_text.done", summary_index=at, text=paragraph["text"], **self._place)
            self._emit(f"{head}.done", part=paragraph, summary_index=at, **self._place)
        for at, part in enumerate(item.get("content") or ()):
            empty = {"type": "reasoning_text", "text": ""}
            self._emit("response.content_part.added", content_index=at, part=empty, **self._place)
            self._deltas("response.reasoning_text.delta", part["text"], padded=False, content_index=at)
            self._emit("response.reasoning_text.done", content_index=at, text=part["text"], **self._place)
            self._emit("response.content_part.done", content_index=at, part=part, **self._place)

    def function_call(self, item: Object) -> None:
        """The arguments of a call, piece by piece."""
        self._deltas("response.function_call_arguments.delta", item["arguments"])
        self._emit("response.function_call_arguments.done", arguments=item["arguments"], **self._place)

    def custom_tool_call(self, item: Object) -> None:
        """The input of a call, piece by piece."""
        self._deltas("response.custom_tool_call_input.delta", item["input"], padded=False)
        self._emit("response.custom_tool_call_input.done", input=item["input"], **self._place)

    def file_search_call(self, item: Object) -> None:
        """In progress, searching, completed."""
        self._steps(item, "in_progress", "searching")

    def web_search_call(self, item: Object) -> None:
        """In progress, searching; completed only where the item is (wire: the preview tool's is not)."""
        self._steps(item, "in_progress", "searching")

    def code_interpreter_call(self, item: Object) -> None:
        """In progress, the code, interpreting, completed."""
        code = str(item.get("code") or "")
        self._emit("response.code_interpreter_call.in_progress", **self._place)
        self._deltas("response.code_interpreter_call_code.delta", code)
        self._emit("response.code_interpreter_call_code.done", code=code, **self._place)
        self._steps(item, "interpreting")

    def image_generation_call(self, item: Object) -> None:
        """In progress, generating, the image so far; completed only where the item is (wire: it is left at `generating`)."""
        self._steps({**item, "status": None}, "in_progress", "generating")
        shows: Object = {name: item.get(name) for name in ("background", "output_format", "quality", "size")}
        wanted = [tool.get("partial_images") or 1 for tool in self._whole["tools"] if tool["type"] == "image_generation"]
        for at in range(max(1, *wanted, 0)):
            partial: Object = {"partial_image_b64": item.get("result") or "", "partial_image_index": at}
            self._emit("response.image_generation_call.partial_image", **partial, **shows, **self._place)
        self._steps(item)

    def mcp_list_tools(self, item: Object) -> None:
        """In progress, then completed or failed."""
        self._steps({**item, "status": "failed" if item.get("error") else "completed"}, "in_progress")

    def mcp_call(self, item: Object) -> None:
        """In progress, the arguments, then completed or failed."""
        arguments = str(item.get("arguments") or "")
        self._emit("response.mcp_call.in_progress", **self._place)
        self._emit("response.mcp_call_arguments.delta", delta=arguments, **self._place)
        self._emit("response.mcp_call_arguments.done", arguments=arguments, **self._place)
        self._steps({**item, "status": "failed" if item.get("error") else item.get("status")})

    def _steps(self, item: Object, *steps: str) -> None:
        last = item["status"] if item.get("status") in _ENDS.get(item["type"], ("completed",)) else None
        for step in (*steps, last):
            if step is not None:
                self._emit(f"response.{item['type']}.{step}", **self._place)


_ENDS = {"mcp_call": ("completed", "failed"), "mcp_list_tools": ("completed", "failed")}


def _open(item: Object) -> Object:
    return {**item, "status": "in_progress"} if item.get("status") == "completed" and item["type"].endswith("_call") else item


def _opened(**empty: Json) -> Callable[[Object], Object]:
    return lambda item: {**item, **{name: value for name, value in empty.items() if name in item}}


def _open_search(item: Object) -> Object:
    return {**_bare(item), "action": {"type": "search"}}


def _bare(item: Object) -> Object:
    return {"id": item["id"], "type": item["type"], "status": "in_progress"}


_OPENINGS: dict[str, Callable[[Object], Object]] = {
    "message": _opened(status="in_progress", content=[]),
    "reasoning": _opened(summary=[], content=[]),
    "function_call": _opened(status="in_progress", arguments=""),
    "custom_tool_call": _opened(status="in_progress", input=""),
    "file_search_call": _opened(status="in_progress", queries=[], results=None),
    "web_search_call": _open_search,
    "code_interpreter_call": _opened(status="in_progress", code="", outputs=[]),
    "image_generation_call": _bare,
    "mcp_call": _opened(status="in_progress", arguments="", output=None),
    "mcp_list_tools": _opened(tools=[]),
}
_WRITERS: dict[str, Callable[[EventWriter, Object], None]] = {
    "message": EventWriter.message,
    "reasoning": EventWriter.reasoning,
    "function_call": EventWriter.function_call,
    "custom_tool_call": EventWriter.custom_tool_call,
    "file_search_call": EventWriter.file_search_call,
    "web_search_call": EventWriter.web_search_call,
    "code_interpreter_call": EventWriter.code_interpreter_call,
    "image_generation_call": EventWriter.image_generation_call,
    "mcp_list_tools": EventWriter.mcp_list_tools,
    "mcp_call": EventWriter.mcp_call,
}
