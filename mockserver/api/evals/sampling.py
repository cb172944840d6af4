"""Sampling for a run: the messages of a row, sent to the run's model through the whole pipeline, and what comes back.

A sample as graders see it is what `model.grade.samples` makes of a completion. What an output item shows of it is its `view`, whose
members stand in the order that is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.evals.schema import refuse_unknown
from mockserver.api.evals.sources import of_response
from mockserver.model.grade import judges, samples, templates
from mockserver.model.grade.outcome import FINE, UngradedError
from mockserver.operations import graders
from mockserver.operations.grading import Send, chat_message

if TYPE_CHECKING:
    from mockserver.model.grade.graders import Message
    from mockserver.model.grade.templates import Reference
    from mockserver.operations.call import ResponseView

Json = Any
Object = dict[str, Json]
_PATH = "data_source.input_messages"
_STORED = ("stored_completions", "responses")
_BY_CHAT = (
    "reasoning_effort",
    "temperature",
    "max_completion_tokens",
    "max_tokens",
    "top_p",
    "seed",
    "response_format",
    "tools",
)
_BY_RESPONSES = ("temperature", "top_p", "text", "tools")


@dataclass(frozen=True, slots=True)
class Sample:
    """What is graded of a row (None where there is nothing), what is shown of it, and an error's message where sampling failed."""

    content: Object | None
    view: Object
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Sampler:
    """How a run samples a model. `messages` are templates, or what an item has."""

    by_chat: bool
    model: str
    messages: tuple[Message, ...] | Reference
    parameters: Mapping[str, Json]

    @classmethod
    def of(cls, data_source: Mapping[str, Json], schema: Mapping[str, Json]) -> Sampler | None:
        """The sampler of a run, None where nothing is sampled. Raises ApiError 400 for what cannot be sampled.

        Without a model, rows are graded as they are. A model without messages answers what the stored ones answered (inferred).
        """
        model, given = data_source.get("model"), data_source.get("input_messages")
        if data_source["type"] == "jsonl" or (not model and not given):
            return None
        if not model:
            raise errors.missing_parameter("data_source.model")
        if not given:
            if data_source["source"]["type"] not in _STORED:
                raise errors.missing_parameter(_PATH)
            given = {"type": "item_reference", "item_reference": "item.input"}
        parameters = data_source.get("sampling_params") or {}
        return cls(data_source["type"] == "completions", model, _messages(given, schema), parameters)

    def sample(self, item: Object, send: Send) -> Sample:
        """The model's answer to a row."""
        try:
            messages = self._rendered({"item": item})
        except UngradedError as error:
            return self._failed([], "invalid_template", str(error))
        path, body = self._request(messages)
        response = send("POST", path, body)
        try:
            document = response.json()
            if response.status != 200:
                refusal = document["error"]
                return self._failed(messages, refusal.get("code") or response.status, refusal["message"])
            return self._chat(messages, document) if self.by_chat else self._response(messages, document)
        except (ValueError, TypeError, LookupError, AttributeError):
            return self._failed(messages, response.status, _unreadable(response))

    def _rendered(self, scope: Mapping[str, Json]) -> list[Json]:
        if isinstance(self.messages, tuple):
            return [judges.rendered(message, scope) for message in self.messages]
        found = templates.find(self.messages, scope)
        if isinstance(found, str):
            return [{"role": "user", "content": found}]
        if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
            raise UngradedError(f"'{self.messages.text}' holds no messages", FINE)
        return found

    def _request(self, messages: list[Json]) -> tuple[str, Object]:
        given = {name: value for name, value in self.parameters.items() if value is not None}
        if self.by_chat:
            chat = {"model": self.model, "messages": [self._for_chat(message) for message in messages]}
            return "/chat/completions", chat | {name: given[name] for name in _BY_CHAT if name in given}
        body: Object = {"model": self.model, "input": messages, "store": False}
        body |= {name: given[name] for name in _BY_RESPONSES if name in given}
        limit = given.get("max_completion_tokens", given.get("max_tokens"))
        body |= {"max_output_tokens": limit} if limit is not None else {}
        return "/responses", body | (
            {"reasoning": {"effort": given["reasoning_effort"]}} if "reasoning_effort" in given else {}
        )

    def _for_chat(self, message: Object) -> Object:
        """A message of a template as chat has it; one of an item goes as it is."""
        return chat_message(message) if isinstance(self.messages, tuple) else message

    def _chat(self, messages: list[Json], completion: Json) -> Sample:
        choice, usage = completion["choices"][0], completion.get("usage") or {}
        content = samples.of_completion(completion)
        output = [{"role": "assistant", "content": content["output_text"]}]
        counts = _usage(usage, "prompt_tokens", "completion_tokens")
        return Sample(content, self._view(messages, output, choice["finish_reason"], completion["model"], counts))

    def _response(self, messages: list[Json], response: Json) -> Sample:
        if response.get("status") == "failed":
            error = response.get("error") or {}
            return self._failed(messages, error.get("code"), error.get("message") or "The response failed.")
        content, usage = of_response(response), response.get("usage") or {}
        output = [{"role": "assistant", "content": content["output_text"]}]
        counts = _usage(usage, "input_tokens", "output_tokens")
        reason = content["choices"][0]["finish_reason"]
        return Sample(content, self._view(messages, output, reason, response["model"], counts))

    def _failed(self, messages: list[Json], code: Json, message: Json) -> Sample:
        view = self._view(messages, [], "error", self.model, _usage({}, "", ""))
        return Sample(None, view | {"error": {"code": str(code), "message": str(message)}}, str(message))

    def _view(self, messages: list[Json], output: list[Json], reason: str, model: str, usage: Object) -> Object:
        return view([flat(message) for message in messages], output, reason, model, usage, self.parameters)


def given(content: Object | None) -> Sample:
    """The sample that a row brings with it, if any."""
    if content is None:
        return Sample(None, view([], [], None, None, _usage({}, "", ""), {}))
    text, choices = content.get("output_text"), content.get("choices") or [{}]
    output = [{"role": "assistant", "content": text}] if isinstance(text, str) else []
    reason = choices[0].get("finish_reason") if isinstance(choices, list) and isinstance(choices[0], dict) else None
    content = {**samples.of_text(text), **content} if isinstance(text, str) else content
    return Sample(content, view([], output, reason or "stop", content.get("model"), _usage({}, "", ""), {}))


def view(
    messages: list[Json], output: list[Json], reason: str | None, model: Json, usage: Object, parameters: Mapping[str, Json]
) -> Object:
    """What an output item shows of a sample (recorded)."""
    temperature, top_p = parameters.get("temperature"), parameters.get("top_p")
    return {
        "error": None,
        "finish_reason": reason,
        "input": messages,
        "max_completion_tokens": parameters.get("max_completion_tokens") or parameters.get("max_tokens"),
        "model": model,
        "output": output,
        "seed": parameters.get("seed"),
        "temperature": 1.0 if temperature is None else temperature,
        "top_p": 1.0 if top_p is None else top_p,
        "usage": usage,
    }


def flat(message: Mapping[str, Json]) -> Object:
    """A message whose content is a text, which is all that an output item has of it (spec): parts become their texts, or JSON."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(_text(part) for part in content)
    return {
        "role": message.get("role") or message.get("type"),
        "content": content if isinstance(content, str) else _text(message),
    }


def _text(part: Json) -> str:
    text = part.get("text") if isinstance(part, dict) else part
    return text if isinstance(text, str) else json.dumps(part, ensure_ascii=False)


def _usage(usage: Mapping[str, Json], prompt: str, completion: str) -> Object:
    """Token counts, which chat and responses name differently."""
    details = usage.get(f"{prompt}_details") or {}
    counts = {"cached_tokens": details.get("cached_tokens"), "completion_tokens": usage.get(completion)}
    counts |= {"prompt_tokens": usage.get(prompt), "total_tokens": usage.get("total_tokens")}
    return {name: int(count or 0) for name, count in counts.items()}


def _messages(given: Mapping[str, Json], schema: Mapping[str, Json]) -> tuple[Message, ...] | Reference:
    items = {"item": schema["item"]}  # what a model is asked cannot name its answer
    if given["type"] == "template":
        path = f"{_PATH}.template"
        parsed = graders.messages(given["template"], path)
        for at, message in enumerate(parsed):
            refuse_unknown(message.references, items, f"{path}[{at}]")
        return parsed
    path, text = f"{_PATH}.item_reference", given["item_reference"]
    reference = _reference(text, path)
    refuse_unknown([reference], items, path)
    return reference


def _reference(text: str, path: str) -> Reference:
    try:
        (reference,) = templates.read(f"{{{{{text}}}}}").pieces
    except ValueError:
        reference = text
    if isinstance(reference, str):
        raise errors.invalid_value(path, f"Invalid '{path}': '{text}' is not a variable of an item.")
    return reference


def _unreadable(response: ResponseView) -> str:
    return f"The model's answer, with status {response.status}, cannot be read."
