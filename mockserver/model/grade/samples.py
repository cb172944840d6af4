"""The `sample` of a grading: what a model said, as graders see it (documented)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

Json = Any


def of_text(text: str) -> dict[str, Json]:
    """A sample that is a text. `output_json` is there if it is JSON."""
    message = {"role": "assistant", "content": text}
    return of_completion({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


def of_completion(completion: Mapping[str, Json]) -> dict[str, Json]:
    """A sample that is a chat completion, by its first choice."""
    choices = completion.get("choices") or []
    message = choices[0].get("message") or {} if choices else {}
    text = message.get("content") or ""
    sample = {"output_text": text, "output_tools": message.get("tool_calls") or [], "choices": choices}
    if message.get("audio"):
        sample["output_audio"] = message["audio"]
    try:
        return sample | {"output_json": from_json(text, allow_inf_nan=False)}
    except ValueError:
        return sample
