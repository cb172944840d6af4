"""What a rule answers: made ready when the scenario is loaded, as far as nothing in it depends on the call."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mockserver import errors
from mockserver.errors import ApiError
from mockserver.model.reply import (
    DEFAULT_TIMING,
    Audio,
    BuiltInCall,
    Fault,
    FilterResult,
    Part,
    Raw,
    Reasoning,
    Refusal,
    Reply,
    Text,
    Timing,
    ToolCall,
)
from mockserver.scenario import named_errors, template
from mockserver.scenario.template import Moment, Report, TemplateError
from mockserver.scenario.values import header_value

Json = Any
Suits = Literal["words", "vectors", "model"]

_SAYS = ("text", "json", "refusal", "reasoning", "items", "tool_calls", "audio")
_FAULTS: dict[str, Literal["cut", "stall", "garbage", "reset"]] = {
    "cut_after": "cut",
    "stall_after": "stall",
    "garbage_after": "garbage",
    "reset_after": "reset",
}


@dataclass(slots=True)
class Answer:
    """What a script says to a call. It is shared between calls: nobody changes it, or what is in it.

    At most one of `reply`, `error`, `raw` and `vectors` is set; `members` goes with a `raw` that has no status of its own: what an
    operation that no model answers returns has them in place of its own. Where none is, the model improvises, and `finish` gives the
    improvised reply the rest of what the rule says; `timing` and `fault` hold for every answer.
    """

    rule: str | None
    reply: Reply | None = None
    error: ApiError | None = None
    raw: Raw | None = None
    members: dict[str, Json] | None = None
    vectors: list[list[float]] | None = None
    timing: Timing = field(default_factory=lambda: DEFAULT_TIMING)
    fault: Fault | None = None
    overlay: Reply | None = None

    def finish(self, improvised: Reply) -> Reply:
        """An improvised reply with the rule's usage, verdicts and stop reason."""
        return improvised if self.overlay is None else overlaid(improvised, self.overlay)


def overlaid(reply: Reply, overlay: Reply) -> Reply:
    """A reply with what it leaves open taken from `overlay`."""
    return replace(
        reply,
        stop=reply.stop or overlay.stop,
        usage={**overlay.usage, **reply.usage},
        prompt_filter=reply.prompt_filter or overlay.prompt_filter,
        completion_filter=reply.completion_filter or overlay.completion_filter,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One answer of a rule: `ready` where it is the same for every call, else made by `make`."""

    suits: Suits
    ready: Answer | None
    make: Callable[[Moment], Answer]


def step(data: Mapping[str, Json], rule: str, report: Report) -> Step:
    """Compile what stands under `respond`. Faults that only show now (in templates) go to `report` with their path."""
    suits: Suits = "vectors" if "embedding" in data else "words" if any(key in data for key in _SAYS) else "model"
    plan, templated = template.compiled(dict(data), report)
    if templated:
        return Step(suits, None, lambda moment: _rendered(plan, rule, moment))
    if "error" in data:
        return Step(suits, None, lambda moment: _answer(plan, rule, moment))
    try:
        ready = _answer(plan, rule, None)
    except _ImpossibleError as error:
        report(error.path, str(error))
        ready = Answer(rule)
    return Step(suits, ready, lambda moment: ready)


class _ImpossibleError(Exception):
    def __init__(self, path: list[str | int], message: str) -> None:
        super().__init__(message)
        self.path = path


def _rendered(plan: Json, rule: str, moment: Moment) -> Answer:
    try:
        return _answer(template.rendered(plan, moment), rule, moment)
    except (TemplateError, _ImpossibleError) as failure:
        message = f"mockserver: the template of rule {rule!r} failed: {failure}"
        return Answer(rule, error=errors.request_error(message, code="scenario_error"))


def _answer(data: dict[str, Json], rule: str, moment: Moment | None) -> Answer:
    """The answer that finished data (nothing in it is a template any more) stands for."""
    answer = Answer(rule, timing=_timing(data), fault=_fault(data))
    if "error" in data and moment is not None:
        answer.error = _error(data, moment)
    elif data.keys() & {"status", "body"}:
        answer.raw = _raw(data)
        answer.members = data["body"] if isinstance(data.get("body"), dict) and "status" not in data else None
    elif "embedding" in data:
        answer.vectors = _vectors(data["embedding"])
    else:
        _say(answer, data)
    return answer


def _say(answer: Answer, data: dict[str, Json]) -> None:
    prompt, completion = _filter_results(data)
    says = any(key in data for key in _SAYS)
    reply = Reply(_parts(data), data.get("finish_reason"), data.get("usage", {}), prompt, completion)
    if completion is not None and completion.blocked and reply.stop is None:
        reply.stop = "content_filter"
    if prompt is not None and prompt.blocked and says:
        raise _ImpossibleError(
            ["content_filter"], "blocks the prompt, so nothing of this answer would be seen; put it on the completion"
        )
    if says or (prompt is not None and prompt.blocked):
        answer.reply = reply
    elif reply.stop or reply.usage or prompt or completion:
        answer.overlay = reply


def _parts(data: dict[str, Json]) -> list[Part]:
    """The parts in the order in which the service tells them: thinking, built-in tools, words, calls."""
    parts: list[Part] = []
    if "reasoning" in data:
        parts.append(_reasoning(data["reasoning"]))
    parts += [BuiltInCall(item) for item in data.get("items", ())]
    if "text" in data:
        parts.append(Text(data["text"], data.get("annotations", [])))
    if "json" in data:
        parts.append(Text(_compact(data["json"])))
    if "refusal" in data:
        parts.append(Refusal(data["refusal"]))
    if "audio" in data:
        parts.append(Audio(data["audio"]["transcript"], data["audio"]["data"]))
    return parts + [_tool_call(call) for call in data.get("tool_calls", ())]


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _reasoning(data: str | dict[str, Json] | Literal[False]) -> Reasoning:
    if data is False:
        return Reasoning(tokens=0, skipped=True)
    if isinstance(data, str):
        return Reasoning((data,), data)
    summary = data.get("summary", ())
    return Reasoning((summary,) if isinstance(summary, str) else tuple(summary), data.get("text", ""), data.get("tokens"))


def _tool_call(data: dict[str, Json]) -> ToolCall:
    arguments = data.get("arguments", {})
    text = arguments if isinstance(arguments, str) else _compact(arguments)
    return ToolCall(str(data["name"]), text, data.get("kind", "function"), str(data["id"]) if "id" in data else None)


def _vectors(embedding: list[float] | list[list[float]]) -> list[list[float]]:
    rows = embedding if isinstance(embedding[0], list) else [embedding]
    return [[float(number) for number in row] for row in rows]


def _filter_results(data: dict[str, Json]) -> tuple[FilterResult | None, FilterResult | None]:
    findings = data.get("content_filter")
    if isinstance(findings, str):
        return _filter_result(findings), None
    if findings is None:
        return None, None
    if findings.keys() & {"prompt", "completion"}:
        prompt, completion = findings.get("prompt"), findings.get("completion")
        return prompt and _filter_result(prompt), completion and _filter_result(completion)
    return _filter_result(findings), None


def _filter_result(findings: str | dict[str, Json]) -> FilterResult:
    from mockserver.model import content_filter

    return content_filter.filter_result(findings)


def _timing(data: dict[str, Json]) -> Timing:
    stream = data.get("stream", {})
    pace = {key: value for key, value in stream.items() if key not in _FAULTS}
    return Timing(delay=data.get("delay", 0.0), **pace) if pace or "delay" in data else DEFAULT_TIMING


def _fault(data: dict[str, Json]) -> Fault | None:
    if data.get("reset"):
        return Fault("reset")
    for key, after in data.get("stream", {}).items():
        if key in _FAULTS:
            return Fault(_FAULTS[key], after)
    return None


def _raw(data: dict[str, Json]) -> Raw:
    body, headers = data.get("body", ""), _headers(data, [])
    kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
    content = body if isinstance(body, str) else _compact(body)
    return Raw(data.get("status", 200), content.encode(), {"content-type": kind, **headers})


def _headers(data: dict[str, Json], path: list[str | int]) -> dict[str, str]:
    headers: dict[str, str] = data.get("headers", {})
    for name, value in headers.items():
        try:
            header_value(value)
        except ValueError as error:
            raise _ImpossibleError([*path, "headers", name], str(error)) from None
    return headers


def _error(data: dict[str, Json], moment: Moment) -> ApiError:
    spec: dict[str, Any] = {"name": data["error"]} if isinstance(data["error"], str) else dict(data["error"])
    spec["headers"] = _headers(spec, ["error"])
    spec.setdefault("retry_after", data.get("retry_after"))
    if "name" not in spec:
        return named_errors.free(**spec)
    view = moment.view
    return named_errors.named(
        **spec,
        deployment=view.deployment,
        model=view.prompt.model.name if view.prompt is not None else "",
        region=view.region,
        quota_name=_gateway_name(view.operation),
    )


def _gateway_name(operation: str) -> str:
    from mockserver.operations.table import TABLE

    known = TABLE.by_id.get(operation)
    return known.quota_name if known is not None else ""
