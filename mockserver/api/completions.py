"""`/completions`: the legacy text completions, as an object or as a stream (documented; recorded).

`logit_bias`, `presence_penalty`, `frequency_penalty`, `temperature`, `top_p`, `best_of` and `user` are validated and have no
effect on a pretend model. `suffix` is what the answer would lead to; it is not written out, as on Azure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from mockserver import errors
from mockserver.model import content_filter, tokens
from mockserver.model.chunking import cut
from mockserver.model.limits import LimitedReply, apply_limits
from mockserver.model.prompt import Prompt, Turn
from mockserver.operations.body import Body, StreamOptions, Tokens, decoded
from mockserver.operations.call import DONE, Frame, ModelCall, Result
from mockserver.operations.encoding import data_event
from mockserver.operations.table import operation
from mockserver.state.ids import completion_id

if TYPE_CHECKING:
    from mockserver.model.reply import Reply

Json = Any


class CompletionRequest(Body):
    model: str
    prompt: (
        str
        | Annotated[list[str], Field(min_length=1, max_length=2048)]
        | Tokens
        | Annotated[list[Tokens], Field(min_length=1)]
        | None
    ) = None
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    best_of: Annotated[int, Field(ge=0, le=20)] | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    logit_bias: dict[str, Annotated[int, Field(ge=-100, le=100)]] | None = None
    echo: bool | None = None
    suffix: str | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    user: str | None = None


def prompt(call: ModelCall) -> Prompt:
    """Each text to complete as a user turn. Raises ApiError 400 for parameters that do not go together."""
    body: CompletionRequest = call.body
    if body.best_of is not None and body.best_of < (body.n or 1):
        raise errors.request_error(
            "You requested that the server return more choices than it will generate (best_of must be >= n)."
        )
    if body.stream_options is not None and not body.stream:
        raise errors.request_error(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    model = call.deployment.model
    stop = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    turns = [Turn("user", text) for text in _texts(body, model.encoding)]
    return Prompt(body.model, model, turns, max_tokens=16 if body.max_tokens is None else body.max_tokens, stop=stop)


@operation(
    "POST",
    "/completions",
    "createCompletion",
    body=CompletionRequest,
    prompt=prompt,
    style="compact",
    headers="chat",
    quota_name="Completions_Create",
    capability="completion",
    model_kind="completion",
)
def create(call: ModelCall) -> Result:
    """Complete every prompt `n` times. A prompt that the filter withholds is refused with 400."""
    body: CompletionRequest = call.body
    first = call.reply(0)
    if first.prompt_filter is not None and first.prompt_filter.blocked:
        raise errors.prompt_filtered(content_filter.prompt_results(first.prompt_filter))
    count = (body.n or 1) * len(call.prompt.turns)
    answers = [(reply, apply_limits(reply, call.prompt)) for reply in (call.reply(at) for at in range(count))]
    completion = _completion(call, answers)
    return Result(frames=_stream(call, completion)) if body.stream else Result(completion)


def _texts(body: CompletionRequest, encoding: str) -> list[str]:
    prompts: Any = "<|endoftext|>" if body.prompt is None else body.prompt
    texts = [prompts] if isinstance(prompts, str) or isinstance(prompts[0], int) else prompts
    return [text if isinstance(text, str) else decoded(text, encoding) for text in texts]


def _completion(call: ModelCall, answers: list[tuple[Reply, LimitedReply]]) -> dict[str, Json]:
    body: CompletionRequest = call.body
    turns, model = call.prompt.turns, call.deployment.model
    per_prompt = body.n or 1
    choices = [_choice(call, at, reply, spoken, turns[at // per_prompt].text) for at, (reply, spoken) in enumerate(answers)]
    prompts = [
        {"prompt_index": at, "content_filter_results": content_filter.prompt_results(answers[0][0].prompt_filter)}
        for at in range(len(turns))
    ]
    first = answers[0][0]
    prompt_tokens = first.usage_or(sum(tokens.count(turn.text, model.encoding) for turn in turns), "prompt_tokens")
    completion_tokens = first.usage_or(sum(spoken.completion_tokens for _, spoken in answers), "completion_tokens")
    return {
        "id": completion_id(call.chance, "cmpl"),
        "object": "text_completion",
        "created": call.created,
        "model": model.snapshot,
        "prompt_filter_results": prompts,
        "choices": choices,
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": first.usage_or(prompt_tokens + completion_tokens, "total_tokens"),
        },
    }


def _choice(call: ModelCall, index: int, reply: Reply, spoken: LimitedReply, prompt_text: str) -> dict[str, Json]:
    body: CompletionRequest = call.body
    return {
        "text": (prompt_text if body.echo else "") + spoken.text,
        "index": index,
        "finish_reason": spoken.stop if spoken.stop in ("length", "content_filter") else "stop",
        "logprobs": _logprobs(call, spoken.text) if body.logprobs is not None else None,
        **_filter(reply),
    }


def _filter(reply: Reply) -> dict[str, Json]:
    """What the filter says of the answer; where it is down, under a name in the singular (docs)."""
    filter_result = reply.completion_filter
    results = content_filter.completion_results(filter_result)
    if filter_result is not None and filter_result.failed:
        return {"content_filter_result": results, "content_filter_results": {}}
    return {"content_filter_results": results}


def _logprobs(call: ModelCall, text: str) -> dict[str, Json]:
    from mockserver.model.logprobs import make_logprobs

    entries = make_logprobs(text, call.body.logprobs, call.chance.fork("logprobs"), call.deployment.model.encoding)
    offsets, at = [], 0
    for entry in entries:
        offsets.append(at)
        at += len(entry["token"])
    return {
        "tokens": [entry["token"] for entry in entries],
        "token_logprobs": [entry["logprob"] for entry in entries],
        "top_logprobs": [{one["token"]: one["logprob"] for one in entry["top_logprobs"]} for entry in entries],
        "text_offset": offsets,
    }


def _stream(call: ModelCall, completion: dict[str, Json]) -> list[Frame]:
    body: CompletionRequest = call.body
    with_usage = body.stream_options is not None and bool(body.stream_options.include_usage)
    shared = {key: completion[key] for key in ("id", "object", "created", "model")}
    blank = {"usage": None} if with_usage else {}
    opening = {
        "id": "",
        "object": "",
        "created": 0,
        "model": "",
        "prompt_filter_results": completion["prompt_filter_results"],
        "choices": [],
    }
    frames = [Frame(data_event(opening))]
    for choice in completion["choices"]:
        for members, count in _pieces(call, choice):
            frames.append(Frame(data_event({**shared, "choices": [members], **blank}), count))
    if with_usage:
        frames.append(Frame(data_event({**shared, "choices": [], "usage": completion["usage"]})))
    return [*frames, DONE]


def _pieces(call: ModelCall, choice: dict[str, Json]) -> list[tuple[dict[str, Json], int]]:
    """A choice in pieces, each with its number of tokens. The reason for the end is in a piece of its own; where it is the
    limit, in the last one (reported).
    """
    pieces = cut(choice["text"], call.chunk, call.deployment.model.encoding)
    if choice["finish_reason"] != "length" or not pieces:
        pieces.append(("", 0))
    unfinished = {**choice, "finish_reason": None, "logprobs": None}
    texts = [({**unfinished, "text": piece}, count) for piece, count in pieces[:-1]]
    last, count = pieces[-1]
    return [*texts, ({**choice, "text": last}, count)]
