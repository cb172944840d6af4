"""What graders may use of a resource: its models, by requests of the call's own, and what its settings allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from mockserver.model.grade.outcome import Means, ModelAnswer, Question

if TYPE_CHECKING:
    from mockserver.operations.call import Call, ResponseView

Json = Any
Send = Callable[[str, str, Json], "ResponseView"]
_USAGE = ("prompt_tokens", "total_tokens", "completion_tokens")


def means(call: Call) -> Means:
    """What graders that run for a call may use; what they ask is in the journal with the call as its parent."""
    return means_of(call.resource.settings, call.send, call.chance.fork("trace").uuid())


def means_of(settings: Mapping[str, Json], send: Send, trace: str) -> Means:
    """What graders may use by a resource's settings. `send` sends a request, `trace` is the id of the grading."""
    return Means(partial(_ask, send), settings["python_graders"], settings["grader_hosts"], trace=f"trace_{trace}")


def _ask(send: Send, question: Question) -> ModelAnswer:
    """Ask by a chat completion, which the script answers like any other."""
    return _answer(send("POST", "/chat/completions", _body(question)))


def _body(question: Question) -> dict[str, Json]:
    sampling = dict(question.sampling)
    if "max_completions_tokens" in sampling:  # the official document's spelling
        sampling["max_completion_tokens"] = sampling.pop("max_completions_tokens")
    messages = [chat_message(message) for message in question.messages]
    form = {"name": "grade", "strict": True, "schema": question.schema}
    return {
        "model": question.model,
        "messages": messages,
        "response_format": {"type": "json_schema", "json_schema": form},
        **sampling,
    }


def chat_message(message: Mapping[str, Json]) -> dict[str, Json]:
    """A message, whose content is a text or a list of input parts, as chat has it."""
    content = message["content"]
    return {**message, "content": content if isinstance(content, str) else [_part(part) for part in content]}


def _part(part: Mapping[str, Json]) -> dict[str, Json]:
    """An input part as chat has it."""
    match part["type"]:
        case "input_image":
            image = {"url": part["image_url"]} | ({"detail": part["detail"]} if part.get("detail") else {})
            return {"type": "image_url", "image_url": image}
        case "input_audio":
            return {"type": "input_audio", "input_audio": part["input_audio"]}
    return {"type": "text", "text": part["text"]}


def _answer(response: ResponseView) -> ModelAnswer:
    """What the model answered. A script can put any body in the place of a completion."""
    try:
        document = response.json()
        if response.status != 200:
            return ModelAnswer(error=str(document["error"]["message"]))
        return _read(document)
    except (ValueError, TypeError, LookupError, AttributeError):
        return ModelAnswer(error=f"the model's answer, with status {response.status}, is not a chat completion")


def _read(completion: Json) -> ModelAnswer:
    choice, usage = completion["choices"][0], completion.get("usage") or {}
    message, details = choice["message"], usage.get("prompt_tokens_details") or {}
    counts = {name: int(usage.get(name) or 0) for name in _USAGE} | {"cached_tokens": int(details.get("cached_tokens") or 0)}
    return ModelAnswer(
        str(message.get("content") or ""),
        message.get("refusal"),
        choice.get("finish_reason") or "stop",
        str(completion.get("model") or ""),
        counts,
    )
