"""What of an item a caller gets to see: some members only where the request's `include` asks for them (spec)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal, get_args

from mockserver.operations.members import ordered
from mockserver.operations.sealing import Seal
from mockserver.state.chance import Chance

Json = Any
Object = dict[str, Json]
Include = Literal[
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
]
INCLUDES: tuple[str, ...] = get_args(Include)


def hide_images(item: Object, include: Collection[str]) -> Object:
    """An input item without the image data that the caller did not ask for."""
    if item["type"] == "message" and "message.input_image.image_url" not in include:
        content = [{**part, "image_url": None} if part["type"] == "input_image" else part for part in item["content"]]
        return {**item, "content": content}
    if item["type"] == "computer_call_output" and "computer_call_output.output.image_url" not in include:
        return {**item, "output": {**item["output"], "image_url": None}}
    return item


def reveal(items: list[Object], include: Collection[str], created: int, seal: Seal, *, stage: str = "final") -> list[Object]:
    """Output items with only those optional members that `include` asks for.

    Encrypted reasoning is drawn here: the service encrypts it anew each time it sends it, so it differs by `stage` (wire).
    """
    return [_reveal(item, include, created, seal, stage) for item in items]


def _reveal(item: Object, include: Collection[str], created: int, seal: Seal, stage: str) -> Object:
    kind = item["type"]
    if kind == "reasoning":
        # What a caller has brought is the caller's own, and stays as it is.
        sealed = "encrypted_content" in item or "reasoning.encrypted_content" not in include
        return item if sealed else _sealed(item, created, seal, stage)
    if kind == "message":
        return item if "message.output_text.logprobs" in include else _without_logprobs(item)
    if kind == "file_search_call" and "file_search_call.results" not in include:
        return {**item, "results": None}
    if kind == "code_interpreter_call" and "code_interpreter_call.outputs" not in include:
        return {**item, "outputs": None}
    if kind == "web_search_call":
        return _reveal_search(item, include)
    return item


def _sealed(item: Object, created: int, seal: Seal, stage: str) -> Object:
    # A caller's own item can hold anything there.
    paragraphs = [paragraph.get("text") for paragraph in item["summary"] if isinstance(paragraph, dict)]
    thoughts = sum([len(text) for text in paragraphs if isinstance(text, str)])
    sealed = seal.content(Chance(f"{item['id']}/{stage}"), created, 40 + thoughts // 8)
    return ordered({"content": [], **item, "encrypted_content": sealed})


def _without_logprobs(item: Object) -> Object:
    if not any(part.get("logprobs") for part in item["content"]):
        return item
    return {**item, "content": [{**part, "logprobs": []} if "logprobs" in part else part for part in item["content"]]}


def _reveal_search(item: Object, include: Collection[str]) -> Object:
    visible = dict(item)
    action = visible.get("action")
    if "web_search_call.action.sources" not in include and isinstance(action, dict) and "sources" in action:
        visible["action"] = {name: value for name, value in action.items() if name != "sources"}
    if "web_search_call.results" not in include:
        visible.pop("results", None)
    return visible
