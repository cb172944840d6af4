"""Conversations without an answer: how many tokens they are, and what remains of them when they are compacted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.responses.prompt import conversation_of, counted
from mockserver.api.responses.requests import CompactRequest, InputTokensRequest
from mockserver.api.responses.turns import joined, turns_of
from mockserver.model import tokens
from mockserver.model.prompt import Prompt
from mockserver.operations.call import Call, Result
from mockserver.operations.items import identify
from mockserver.operations.table import family
from mockserver.state.ids import ResponseIds

if TYPE_CHECKING:
    from mockserver.model.catalogue import Model

Json = Any
operation = family(style="pretty", beyond_spec=True)
_LEAST_SUMMARY = 64


@operation("POST", "/responses/input_tokens", "countResponseInputTokens", body=InputTokensRequest)
def count(call: Call) -> Result:
    """Count the input tokens that creating a response would use (recorded on the sister service)."""
    body: InputTokensRequest = call.body
    if body.model is None:
        raise errors.model_missing()
    used = tokens.count_prompt(counted(call, body, _model(call, body.model)))
    return Result({"object": "response.input_tokens", "input_tokens": used})


@operation("POST", "/responses/compact", "compactResponse", body=CompactRequest)
def compact(call: Call) -> Result:
    """Compact a conversation to its user messages and one opaque item (recorded on the sister service).

    How many tokens the service's own summary takes is inferred: a third of the input, at least 64.
    """
    body: CompactRequest = call.body
    model = _model(call, body.model)
    past, new = conversation_of(call, body)
    items = joined(past, new)
    ids = ResponseIds(call.chance, call.created, stored=False)
    response_id = ids.new("resp")
    kept = [{name: value for name, value in item.items() if name != "id"} for item in items if item.get("role") == "user"]
    used = tokens.count_prompt(Prompt(body.model, model, turns_of(items), body.instructions))
    output_tokens = max(_LEAST_SUMMARY, used // 3)
    summary = {
        "id": ids.new("cmp"),
        "type": "compaction",
        "encrypted_content": call.resource.seal.content(call.chance.fork("compaction"), call.created, output_tokens // 4),
    }
    return Result(
        {
            "id": response_id,
            "object": "response.compaction",
            "created_at": call.created,
            "output": [*identify(kept, ids), summary],
            "usage": {
                "input_tokens": used,
                "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 0},
                "output_tokens": output_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": used + output_tokens,
            },
        }
    )


def _model(call: Call, name: str) -> Model:
    """The model behind a deployment. Raises ApiError 404 where there is none, 400 where it cannot converse."""
    if not name:
        raise errors.model_missing()
    model = call.resource.deployment(name).model
    if model.kind != "chat":
        raise errors.operation_not_supported("responses", model.name)
    return model
