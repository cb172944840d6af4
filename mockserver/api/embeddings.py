"""`/embeddings`: deterministic unit vectors whose cosine follows shared words (documented and recorded)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from mockserver import errors
from mockserver.model import embeddings, tokens
from mockserver.model.prompt import Prompt, Turn
from mockserver.operations.body import Body, Tokens, decoded
from mockserver.operations.call import ModelCall, Result
from mockserver.operations.table import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = Any
TOKENS_PER_INPUT = 8_192


class EmbeddingRequest(Body):
    """`user` has no effect."""

    model: str
    input: (
        str
        | Annotated[list[str], Field(min_length=1, max_length=2048)]
        | Tokens
        | Annotated[list[Tokens], Field(min_length=1, max_length=2048)]
    )
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    user: str | None = None


def prompt(call: ModelCall) -> Prompt:
    """The inputs as user turns, so that a script matches them like any prompt."""
    body: EmbeddingRequest = call.body
    model = call.deployment.model
    texts = [text if isinstance(text, str) else decoded(text, model.encoding) for text in _inputs(body)]
    return Prompt(body.model, model, [Turn("user", text) for text in texts])


@operation(
    "POST",
    "/embeddings",
    "createEmbedding",
    body=EmbeddingRequest,
    prompt=prompt,
    style="pretty-newline",
    headers="embeddings",
    quota_name="Embeddings_Create",
    capability="embeddings",
    model_kind="embedding",
)
def create(call: ModelCall) -> Result:
    """One vector per input, as numbers or as base64 of little-endian 32-bit floats. Raises ApiError 400 for what does not fit."""
    body: EmbeddingRequest = call.body
    model = call.deployment.model
    if body.dimensions is not None:
        _check_dimensions(body.dimensions, model.dimensions, resizable=model.resizable)
    sizes = [_size(at, text, model.encoding) for at, text in enumerate(_inputs(body))]
    size = body.dimensions or model.dimensions
    vectors = _scripted(call, len(sizes)) or [embeddings.embed(turn.text, size, model.dimensions) for turn in call.prompt.turns]
    packed = body.encoding_format == "base64"
    data = [
        {"object": "embedding", "index": at, "embedding": embeddings.pack(vector) if packed else vector}
        for at, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": sum(sizes), "total_tokens": sum(sizes)}
    return Result({"object": "list", "data": data, "model": model.reported_name or model.name, "usage": usage})


def _inputs(body: EmbeddingRequest) -> Sequence[str | list[int]]:
    inputs: Any = body.input
    return [inputs] if isinstance(inputs, str) or isinstance(inputs[0], int) else inputs


def _scripted(call: ModelCall, count: int) -> list[list[float]] | None:
    """The script's vectors: one for every input, or the only one for all of them."""
    if call.answer is None or not call.answer.vectors:
        return None
    vectors = call.answer.vectors
    return [vectors[min(at, len(vectors) - 1)] for at in range(count)]


def _size(at: int, text: str | list[int], encoding: str) -> int:
    if not text:
        raise errors.invalid_value(f"input[{at}]", "Input cannot be an empty string.", "invalid_value")
    size = tokens.count(text, encoding) if isinstance(text, str) else len(text)
    if size > TOKENS_PER_INPUT:
        message = (
            f"This model's maximum context length is {TOKENS_PER_INPUT} tokens, however you requested {size} tokens ({size} in your "
            "prompt; 0 for the completion). Please reduce your prompt; or completion length."
        )
        raise errors.request_error(message)
    return size


def _check_dimensions(dimensions: int, native: int, *, resizable: bool) -> None:
    """Wording of the minimum as recorded on the sister service; the others as reported."""
    if dimensions < 1:
        raise errors.request_error(f"{dimensions} is less than the minimum of 1 - 'dimensions'")
    if not resizable:
        raise errors.request_error("This model does not support specifying dimensions.")
    if dimensions > native:
        message = f"Invalid value for 'dimensions' = {dimensions}. Must be less than or equal to {native}."
        raise errors.request_error(message, param="dimensions")
