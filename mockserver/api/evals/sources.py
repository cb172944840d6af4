"""The rows that a run is about: an item, and a sample where one is there already.

Rows of the caller's have both as they were sent. Of what is stored, the item has the `input` that was answered, and the answer is
the sample (inferred).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from mockserver.model.grade import samples
from mockserver.resource import files, logs

if TYPE_CHECKING:
    from mockserver.state.blobs import Blob
    from mockserver.state.store import Document, Store

Json = Any
Row = dict[str, Json]
_LONGEST_LINE = 64 * 1024 * 1024  # bytes; what is longer is no row


class SourceError(Exception):
    """A data source that cannot be read; the message says why."""


def rows(store: Store, source: Mapping[str, Json], metadata: Mapping[str, Json]) -> Iterator[Row]:
    """The rows of a source; logs are those with `metadata`, which the eval demands. Raises SourceError."""
    match source["type"]:
        case "file_content":
            for row in source["content"]:
                yield {"item": row["item"], "sample": row.get("sample")}
        case "file_id":
            blob = store.blob(files.FILE, source["id"])
            if blob is None:
                raise SourceError(f"The file '{source['id']}' is not there any more.")
            yield from _lines(blob)
        case "stored_completions":
            yield from _completions(store, source, metadata)
        case "responses":
            yield from _responses(store, source, metadata)


def _lines(blob: Blob) -> Iterator[Row]:
    with blob.open() as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            if line.strip():
                yield _row(line, number)


def _row(line: bytes, number: int) -> Row:
    try:
        row = from_json(line, allow_inf_nan=False)
    except ValueError:
        raise SourceError(f"Line {number} is not valid JSON.") from None
    if not isinstance(row, dict) or not isinstance(row.get("item"), dict):
        raise SourceError(f"Line {number} has no object 'item'.")
    if not isinstance(row.get("sample"), (dict, type(None))):
        raise SourceError(f"The 'sample' of line {number} is not an object.")
    return {"item": row["item"], "sample": row.get("sample")}


def _completions(store: Store, source: Mapping[str, Json], metadata: Mapping[str, Json]) -> Iterator[Row]:
    left = source.get("limit")
    for completion in logs.completions(store):
        if not (_fits(completion, source, completion["created"]) and _has(completion, metadata)):
            continue
        messages = logs.completion_messages(store, completion["id"])
        yield {
            "item": _item(completion, messages),
            "sample": samples.of_completion(completion) | {"model": completion["model"]},
        }
        left = left - 1 if left is not None else None
        if left == 0:
            return


def _responses(store: Store, source: Mapping[str, Json], metadata: Mapping[str, Json]) -> Iterator[Row]:
    for response in logs.responses(store):
        if _fits(response, source, response["created_at"]) and _has(response, metadata) and _fits_response(response, source):
            given = logs.response_input(store, response["id"])
            yield {"item": _item(response, given), "sample": of_response(response) | {"model": response["model"]}}


def _item(stored: Document, given: list[Json]) -> dict[str, Json]:
    return {"id": stored["id"], "model": stored["model"], "metadata": stored.get("metadata") or {}, "input": given}


def _fits(stored: Document, source: Mapping[str, Json], created: float) -> bool:
    after, before, model = source.get("created_after"), source.get("created_before"), source.get("model")
    return (
        (after is None or created >= after)
        and (before is None or created <= before)
        and (model is None or stored["model"] == model)
        and _has(stored, source.get("metadata") or {})
    )


def _has(stored: Document, metadata: Mapping[str, Json]) -> bool:
    own = stored.get("metadata") or {}
    return all(own.get(name) == value for name, value in metadata.items())


def _fits_response(response: Document, source: Mapping[str, Json]) -> bool:
    search, users, tools = source.get("instructions_search"), source.get("users"), source.get("tools")
    effort = (response.get("reasoning") or {}).get("effort")
    wanted = {name: source[name] for name in ("temperature", "top_p") if source.get(name) is not None}
    return (
        all(response.get(name) == value for name, value in wanted.items())
        and source.get("reasoning_effort") in (None, effort)
        and (search is None or search.lower() in str(response.get("instructions") or "").lower())
        and (not users or response.get("user") in users)
        and (not tools or any((tool.get("name") or tool["type"]) in tools for tool in response.get("tools") or ()))
    )


def of_response(response: Mapping[str, Json]) -> dict[str, Json]:
    """The sample that a response is: its texts and its function calls, as a completion has them."""
    output = [item for item in response.get("output") or () if isinstance(item, dict)]
    parts = [part for item in output if item.get("type") == "message" for part in item.get("content") or ()]
    texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    calls = [
        {"id": one.get("call_id"), "type": "function", "function": {"name": one.get("name"), "arguments": one.get("arguments")}}
        for one in output
        if one.get("type") == "function_call"
    ]
    message = {"role": "assistant", "content": "".join(texts)} | ({"tool_calls": calls} if calls else {})
    return samples.of_completion({"choices": [{"index": 0, "message": message, "finish_reason": _reason(response, calls)}]})


def _reason(response: Mapping[str, Json], calls: list[Json]) -> str:
    """Why it ended, in the words of chat."""
    reason = (response.get("incomplete_details") or {}).get("reason")
    if reason is not None:
        return "length" if reason == "max_output_tokens" else str(reason)
    return "tool_calls" if calls else "stop"
