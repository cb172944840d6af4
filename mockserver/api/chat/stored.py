"""Stored completions: those created with `store: true` can be listed, read, labelled and deleted (documented).

The official v1 document does not have these operations; Azure's pages and the SDK do. Shapes and key order are recorded on the
sister service. No time is documented after which one expires, so none does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver.api.chat import refusals
from mockserver.operations.body import Body, Metadata
from mockserver.operations.call import Call, ModelCall, Result
from mockserver.operations.lists import cursor, list_object
from mockserver.operations.objects import stored
from mockserver.operations.table import family
from mockserver.resource.logs import COMPLETION, COMPLETION_MESSAGE

if TYPE_CHECKING:
    from mockserver.api.chat.requests import ChatRequest

Json = Any
operation = family(style="pretty", headers="stored", beyond_spec=True)


class UpdateRequest(Body):
    metadata: Metadata | None


def keep(call: ModelCall, completion: dict[str, Json]) -> None:
    """Store a finished completion with its messages."""
    body: ChatRequest = call.body
    usage = completion["usage"]
    document = {
        "object": "chat.completion",
        "id": completion["id"],
        "model": completion["model"],
        "created": completion["created"],
        "request_id": call.chance.fork("request").uuid(),
        "tool_choice": call.raw.get("tool_choice"),
        "usage": {name: usage[name] for name in ("total_tokens", "completion_tokens", "prompt_tokens")},
        "seed": body.seed if body.seed is not None else call.chance.fork("seed").below(2**53),
        "top_p": 1.0 if body.top_p is None else body.top_p,
        "temperature": 1.0 if body.temperature is None else body.temperature,
        "presence_penalty": body.presence_penalty or 0.0,
        "frequency_penalty": body.frequency_penalty or 0.0,
        "system_fingerprint": completion.get("system_fingerprint"),
        "input_user": body.user,
        "service_tier": completion.get("service_tier", "default"),
        "tools": call.raw.get("tools"),
        "metadata": body.metadata or {},
        "choices": [_choice(choice) for choice in completion["choices"]],
        "response_format": call.raw.get("response_format"),
    }
    store = call.resource.store
    store.put(COMPLETION, completion["id"], document)
    for message in _messages(completion["id"], call.raw["messages"]):
        store.put(COMPLETION_MESSAGE, message["id"], message, parent=(COMPLETION, completion["id"]), accepted=True)


@operation("GET", "/chat/completions", "listChatCompletions")
def list_completions(call: Call) -> Result:
    """List stored completions, newest first, by model and metadata where the query names them."""
    metadata, model = call.query.members("metadata"), call.query.last("model")
    where: dict[str, Json] = {"metadata": metadata} | ({} if model is None else {"model": model})
    return Result(list_object(call.resource.store.page(COMPLETION, cursor(call.query), where=where), ends_first=True))


@operation("GET", "/chat/completions/{completion_id}", "getChatCompletion")
def get(call: Call) -> Result:
    """Return a stored completion."""
    return Result(_completion(call))


@operation("POST", "/chat/completions/{completion_id}", "updateChatCompletion", body=UpdateRequest)
def update(call: Call) -> Result:
    """Replace a stored completion's metadata."""
    completion_id = _completion(call)["id"]
    return Result(call.resource.store.update(COMPLETION, completion_id, {"metadata": call.body.metadata or {}}))


@operation("DELETE", "/chat/completions/{completion_id}", "deleteChatCompletion")
def delete(call: Call) -> Result:
    """Delete a stored completion."""
    completion_id = _completion(call)["id"]
    call.resource.store.delete(COMPLETION, completion_id)
    return Result({"object": "chat.completion.deleted", "id": completion_id, "deleted": True})


@operation("GET", "/chat/completions/{completion_id}/messages", "getChatCompletionMessages")
def list_messages(call: Call) -> Result:
    """List the messages of the request for a stored completion, oldest first."""
    completion = (COMPLETION, _completion(call)["id"])
    page = call.resource.store.page(COMPLETION_MESSAGE, cursor(call.query, order="asc"), parent=completion)
    return Result(list_object(page, ends_first=True))


def _completion(call: Call) -> dict[str, Json]:
    return stored(call, COMPLETION, "completion_id", refusals.completion_not_found)


def _choice(choice: dict[str, Json]) -> dict[str, Json]:
    message = choice["message"]
    members = {name: message.get(name) for name in ("content", "role", "tool_calls", "function_call")}
    return {
        "index": choice["index"],
        "message": members,
        "finish_reason": choice["finish_reason"],
        "logprobs": choice.get("logprobs"),
    }


def _messages(completion_id: str, messages: list[dict[str, Json]]) -> list[dict[str, Json]]:
    documents = []
    for at, message in enumerate(messages):
        content = message.get("content")
        text, parts = (None, content) if isinstance(content, list) else (content, None)
        document = {"id": f"{completion_id}-{at}", "role": message["role"], "content": text, "content_parts": parts}
        documents.append(document | {"name": message.get("name")})
    return documents
