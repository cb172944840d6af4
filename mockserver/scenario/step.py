"""The answers of a rule, prepared when the scenario is loaded as far as nothing in them depends on the call."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

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

if TYPE_CHECKING:
    from mockserver.scenario.match import AnswerKind

Json = Any

_PARTS = ("text", "json", "refusal", "reasoning", "items", "tool_calls", "audio")
_FAULTS: dict[str, Literal["cut", "stall", "garbage", "reset"]] = {
    "cut_after": "cut",
    "stall_after": "stall",
    "garbage_after": "garbage",
    "reset_after": "reset",
}


@dataclass(slots=True)
class Answer:
    """A script's answer to a call. Calls share it, so neither it nor anything in it may be changed.

    At most one of `reply`, `error`, `raw`, `vectors` and `job` is set. `members` goes with a `raw` without a status of its own: an
    operation that no model answers returns its own object with these members in place of its own. Where none is set, the model
    improvises, and `finish` adds the rule's `overlay` to the improvised reply. `timing` and `fault` apply to every answer.
    """

    rule: str | None
    reply: Reply | None = None
    error: ApiError | None = None
    raw: Raw | None = None
    members: dict[str, Json] | None = None
    vectors: list[list[float]] | None = None
    job: dict[str, Json] | None = None
    timing: Timing = field(default_factory=lambda: DEFAULT_TIMING)
    fault: Fault | None = None
    overlay: Reply | None = None

    def finish(self, improvised: Reply) -> Reply:
        """An improvised reply with the rule's usage, filter results and stop reason."""
        return improvised if self.overlay is None else combine(improvised, self.overlay)


def combine(reply: Reply, overlay: Reply) -> Reply:
    """A copy of `reply` in which `overlay` supplies what it leaves open: stop reason, usage and filter results."""
    return replace(
        reply,
        stop=reply.stop or overlay.stop,
        usage={**overlay.usage, **reply.usage},
        prompt_filter=reply.prompt_filter or overlay.prompt_filter,
        completion_filter=reply.completion_filter or overlay.completion_filter,
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a rule's `respond`: `ready` where its answer is the same for every call, else `make` builds one."""

    kind: AnswerKind
    ready: Answer | None
    make: Callable[[Moment], Answer]


def compile_step(data: Mapping[str, Json], rule: str, report: Report) -> Step:
    """Compile an entry of `respond`. Mistakes that validation does not see go to `report` with their path."""
    kind = _kind(data)
    compiled, templated = template.compile_templates(dict(data), report)
    if templated:
        return Step(kind, None, lambda moment: _render(compiled, rule, moment))
    if "error" in data:
        return Step(kind, None, lambda moment: _answer(compiled, rule, moment))
    try:
        ready = _answer(compiled, rule, None)
    except _InvalidAnswerError as error:
        report(error.path, str(error))
        ready = Answer(rule)
    return Step(kind, ready, lambda moment: ready)


def _kind(data: Mapping[str, Json]) -> AnswerKind:
    """What kind of operation the answer suits."""
    if "embedding" in data:
        return "vectors"
    if "job" in data:
        return "job"
    return "words" if any(key in data for key in _PARTS) else "model"


class _InvalidAnswerError(Exception):
    """An answer that cannot be sent; `path` leads to the part of it that is wrong."""

    def __init__(self, path: list[str | int], message: str) -> None:
        super().__init__(message)
        self.path = path


def _render(compiled: Json, rule: str, moment: Moment) -> Answer:
    try:
        return _answer(template.render(compiled, moment), rule, moment)
    except (TemplateError, _InvalidAnswerError) as error:
        message = f"mockserver: the template of rule {rule!r} failed: {error}"
        return Answer(rule, error=errors.request_error(message, code="scenario_error"))


def _answer(data: dict[str, Json], rule: str, moment: Moment | None) -> Answer:
    """The answer for data without templates. `moment` is None when the scenario is loaded; only errors need one."""
    answer = Answer(rule, timing=_timing(data), fault=_fault(data))
    if "error" in data and moment is not None:
        answer.error = _error(data, moment)
    elif data.keys() & {"status", "body"}:
        answer.raw = _raw(data)
        answer.members = data["body"] if isinstance(data.get("body"), dict) and "status" not in data else None
    elif "embedding" in data:
        answer.vectors = _vectors(data["embedding"])
    elif "job" in data:
        answer.job = data["job"]
    else:
        _set_reply(answer, data)
    return answer


def _set_reply(answer: Answer, data: dict[str, Json]) -> None:
    """Set the reply where the data has parts of one (or the prompt is blocked), else the overlay of an improvised one."""
    prompt, completion = _filter_results(data)
    has_parts = any(key in data for key in _PARTS)
    reply = Reply(_parts(data), data.get("finish_reason"), data.get("usage", {}), prompt, completion)
    if completion is not None and completion.blocked and reply.stop is None:
        reply.stop = "content_filter"
    if prompt is not None and prompt.blocked and has_parts:
        raise _InvalidAnswerError(
            ["content_filter"], "blocks the prompt, so nothing of this answer would be sent; put it on the completion"
        )
    if has_parts or (prompt is not None and prompt.blocked):
        answer.reply = reply
    elif reply.stop or reply.usage or prompt or completion:
        answer.overlay = reply


def _parts(data: dict[str, Json]) -> list[Part]:
    """The parts in the order in which the service sends them: thinking, built-in tools, words, calls."""
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
        return (
            None if prompt is None else _filter_result(prompt),
            None if completion is None else _filter_result(completion),
        )
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
            raise _InvalidAnswerError([*path, "headers", name], str(error)) from None
    return headers


def _error(data: dict[str, Json], moment: Moment) -> ApiError:
    spec: dict[str, Any] = {"name": data["error"]} if isinstance(data["error"], str) else dict(data["error"])
    spec["headers"] = _headers(spec, ["error"])
    spec.setdefault("retry_after", data.get("retry_after"))
    if "name" not in spec:
        return named_errors.custom(**spec)
    view = moment.view
    return named_errors.build(
        **spec,
        deployment=view.deployment,
        model=view.prompt.model.name if view.prompt is not None else "",
        region=view.region,
        quota_name=_quota_name(view.operation),
    )


def _quota_name(operation: str) -> str:
    from mockserver.operations.table import TABLE

    entry = TABLE.by_id.get(operation)
    return entry.quota_name if entry is not None else ""
