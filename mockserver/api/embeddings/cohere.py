"""Embeddings of Cohere's models: another server answers, in a shape and with headers of its own (recorded in June 2026)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mockserver.errors import ApiError
from mockserver.operations.call import Result

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mockserver.api.embeddings import EmbeddingRequest
    from mockserver.model.catalogue import Model
    from mockserver.operations.call import ModelCall

Json = Any
_SIZES = (256, 512, 1_024, 1_536)  # of the models whose vectors can be cut (documented)
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store, no-transform, must-revalidate, no-cache, max-age=0, private"),
    (b"expires", b"Thu, 01 Jan 1970 00:00:00 GMT"),
    (b"vary", b"Accept-Encoding,Origin"),
    (b"pragma", b"no-cache"),
    (b"request-context", b"appId="),
    (b"sampling-token-len", b"0"),
]


def result(call: ModelCall, vectors: Sequence[Json], tokens: int) -> Result:
    """The answer, sent in chunks. `tokens` are counted like OpenAI's, since Cohere's tokenizer is not here."""
    body = {
        "id": call.chance.uuid(),
        "object": "list",
        "data": [{"index": at, "object": "embedding", "embedding": vector} for at, vector in enumerate(vectors)],
        "model": call.deployment.model.reported_name,
        "usage": {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens},
    }
    characters = sum(len(turn.text) for turn in call.prompt.turns)
    counts = [(b"num-chars", b"%d" % characters), (b"num-tokens", b"%d" % tokens), (b"prompt-token-len", b"%d" % tokens)]
    # Python's own JSON: that server writes small numbers as `3.8e-05` (recorded).
    payload = json.dumps(body, separators=(",", ":")).encode()
    return Result(payload, headers=[*_HEADERS, *counts], content_type=None, header_set="deployment")


def refuse(body: EmbeddingRequest, model: Model) -> None:
    """Raise ApiError 422 for what these models do not take: a single text (reported in February 2026), or tokens in its place.

    That the server refuses a size that a model does not have with 422 is documented; its words are inferred.
    """
    if isinstance(body.input, str):
        raise _invalid("list_type", ["body", "input"], "Input should be a valid list", body.input)
    for at, text in enumerate(body.input):
        if not isinstance(text, str):
            raise _invalid("string_type", ["body", "input", at], "Input should be a valid string", text)
    sizes = _SIZES if model.resizable else (model.dimensions,)
    if body.dimensions is not None and body.dimensions not in sizes:
        expected = f"{', '.join(map(str, sizes[:-1]))} or {sizes[-1]}" if sizes[1:] else str(sizes[0])
        raise _invalid("literal_error", ["body", "dimensions"], f"Input should be {expected}", body.dimensions)


def _invalid(kind: str, location: list[str | int], message: str, value: Json) -> ApiError:
    finding = {"type": kind, "loc": location, "msg": message, "input": value}
    error = {"code": "Invalid input", "status": 422, "message": "invalid input error", "details": [finding]}
    return ApiError(422, {"error": error}, style="compact", header_set="deployment")
