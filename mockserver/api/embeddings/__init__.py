"""`/embeddings`: deterministic unit vectors whose cosine follows shared words (documented and recorded)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from mockserver import errors
from mockserver.api.embeddings import cohere
from mockserver.model import embeddings, tokens
from mockserver.model.prompt import Prompt, Turn
from mockserver.operations.body import Body, Tokens, decoded
from mockserver.operations.call import ModelCall, Result
from mockserver.operations.table import operation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mockserver.errors import ApiError
    from mockserver.model.catalogue import Model

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

    @field_validator("input", mode="wrap")
    @classmethod
    def _input(cls, value: Json, validate: Callable[[Json], Json]) -> Json:
        """Whatever is wrong with it, the service says only that it is (recorded)."""
        try:
            return validate(value)
        except ValidationError:
            raise _invalid_input() from None


def prompt(call: ModelCall) -> Prompt:
    """The inputs as user turns, so that a script matches them like any prompt."""
    body: EmbeddingRequest = call.body
    model = call.deployment.model
    if model.dialect == "cohere":
        cohere.refuse(body, model)
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
    """One vector per input, as numbers or as base64 of little-endian 32-bit floats. Raises ApiError for what does not fit."""
    body: EmbeddingRequest = call.body
    model = call.deployment.model
    if body.dimensions is not None and model.dialect == "openai":
        _check_dimensions(body.dimensions, model.dimensions, resizable=model.resizable)
    sizes = [_size(text, model) for text in _inputs(body)]
    size = body.dimensions or model.dimensions
    vectors = _scripted(call, len(sizes)) or [embeddings.embed(turn.text, size, model.dimensions) for turn in call.prompt.turns]
    packed = body.encoding_format == "base64"
    written = [embeddings.pack(vector) for vector in vectors] if packed else vectors
    if model.dialect == "cohere":
        return cohere.result(call, written, sum(sizes))
    data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(written)]
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


def _size(text: str | list[int], model: Model) -> int:
    """How many tokens an input has. Cohere's models cut what is too long (documented by Cohere)."""
    size = tokens.count(text, model.encoding) if isinstance(text, str) else len(text)
    if model.dialect == "cohere":
        return min(size, model.context)
    if not text:
        raise _invalid_input()
    if size > TOKENS_PER_INPUT:
        message = (
            f"This model's maximum context length is {TOKENS_PER_INPUT} tokens, however you requested {size} tokens ({size} in your "
            "prompt; 0 for the completion). Please reduce your prompt; or completion length."
        )
        raise _refused(message)
    return size


def _check_dimensions(dimensions: int, native: int, *, resizable: bool) -> None:
    """Wording of the minimum as recorded on the sister service; the others as reported."""
    if dimensions < 1:
        raise _refused(f"{dimensions} is less than the minimum of 1 - 'dimensions'")
    if not resizable:
        raise _refused("This model does not support specifying dimensions.")
    if dimensions > native:
        message = f"Invalid value for 'dimensions' = {dimensions}. Must be less than or equal to {native}."
        raise _refused(message, "dimensions")


def _invalid_input() -> ApiError:
    """An input that is empty, of the wrong kind, or too many (recorded, and reported of all three)."""
    return _refused("'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")


def _refused(message: str, param: str | None = None) -> ApiError:
    return errors.request_error(message, param=param, headers=errors.MODEL_ERROR)
