"""Graders in request bodies: how definitions are read, and how a call lets graders use the resource.

A definition is read wherever one comes in: in the grader operations, in fine-tuning jobs and in evals. Unknown members are let
through (recorded: an `image_tag` where none belongs). What is wrong with one is reported by a path that begins at the grader
(reported: `graders.input`), or at `path` where that is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mockserver import errors
from mockserver.model.grade import formula, templates
from mockserver.model.grade.graders import (
    Endpoint,
    Grader,
    LabelModel,
    Message,
    Multi,
    Python,
    ScoreModel,
    Single,
    StringCheck,
    TextSimilarity,
)
from mockserver.model.grade.programs import LONGEST_SOURCE
from mockserver.model.grade.text import METRICS
from mockserver.operations import complaints
from mockserver.operations.complaints import describe
from mockserver.operations.members import Members, check, joined

if TYPE_CHECKING:
    from mockserver.model.grade.templates import Template

Json = Any
Document = Mapping[str, Json]
_NAME = {"name": "string"}
_THRESHOLD = {"pass_threshold": "number"}
_TEXTS = {"input": "string", "reference": "string"}
_JUDGE = {"name": "string", "model": "string", "input": "array"}
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
# What a grader must have and may have, by its type, in the order of the official document. Where the documentation's own
# examples have no name, none is demanded.
_MEMBERS: Mapping[str, tuple[Members, Members]] = {
    "string_check": ({**_NAME, **_TEXTS, "operation": ("eq", "ne", "like", "ilike")}, {}),
    "text_similarity": ({**_NAME, **_TEXTS, "evaluation_metric": tuple(METRICS)}, _THRESHOLD),
    "python": ({"source": "string"}, {**_NAME, "image_tag": "string", **_THRESHOLD}),
    "score_model": (_JUDGE, {"sampling_params": "object", "range": "array", **_THRESHOLD}),
    "label_model": ({**_JUDGE, "labels": "array", "passing_labels": "array"}, {"sampling_params": "object"}),
    "multi": ({"graders": "object", "calculate_output": "string"}, _NAME),
    "endpoint": ({"url": "string"}, {**_NAME, "headers": "object", "rate_limit": "integer", **_THRESHOLD}),
}
KINDS = tuple(_MEMBERS)
"""All types of graders."""
_SAMPLING: Members = {
    "seed": "integer",
    "top_p": "number",
    "temperature": "number",
    "max_completions_tokens": "integer",
    "reasoning_effort": _EFFORTS,
}
_PARTS: Mapping[str, Members] = {
    "input_text": {"text": "string"},
    "output_text": {"text": "string"},
    "input_image": {"image_url": "string"},
    "input_audio": {"input_audio": "object"},
}
_ROLES = ("user", "assistant", "system", "developer")
_DEFINES_GRADE = re.compile(r"\bgrade\b")


def parse(document: Json, path: str = "", *, kinds: tuple[str, ...] = KINDS) -> Grader:
    """The grader that a definition describes; `kinds` are the types that are allowed here.

    Raises ApiError 400 for the first mistake: a missing member, another type or value than allowed, a template that names
    nothing, an unknown name in `calculate_output`. How the service words those of templates and formulas is inferred.
    """
    kind = _kind(document, path, kinds)
    if kind == "multi":
        return _multi(document, path, tuple(one for one in KINDS if one != "multi"))
    return _single(kind, document, path)


def described(document: Document) -> dict[str, Json]:
    """A valid definition as the service shows it: the members that its type has, in its order, and messages with their type.

    Recorded for evals. A name that was absent is not any more (spec).
    """
    required, optional = _MEMBERS[document["type"]]
    names = sorted({*required, *optional} - {"name", "pass_threshold"})
    shown = {name: document[name] for name in names if document.get(name) is not None}
    shown = {"type": document["type"], "name": _name(document), **shown}
    if "pass_threshold" in optional and document.get("pass_threshold") is not None:
        shown["pass_threshold"] = float(document["pass_threshold"])
    if "graders" in shown:
        shown["graders"] = {key: described(inner) for key, inner in shown["graders"].items()}
    if "model" in required:
        shown["input"] = [{**message, "type": "message"} for message in shown["input"]]
    return shown


def _kind(document: Json, path: str, kinds: tuple[str, ...]) -> str:
    if not isinstance(document, dict):
        raise errors.invalid_type(path or None, "an object", describe(document))
    check(document, path, {"type": kinds}, {})
    kind: str = document["type"]
    check(document, path, *_MEMBERS[kind])
    return kind


def _multi(document: Document, path: str, kinds: tuple[str, ...]) -> Multi:
    place = joined(path, "graders")
    definitions: dict[str, Json] = document["graders"]
    for key, definition in definitions.items():
        if not isinstance(definition, dict):
            raise errors.invalid_type(f"{place}.{key}", "an object", describe(definition))
    graders = {key: _single(_kind(one, f"{place}.{key}", kinds), one, f"{place}.{key}") for key, one in definitions.items()}
    try:
        output = formula.read(document["calculate_output"], definitions)
    except formula.FormulaError as error:
        raise _invalid(joined(path, "calculate_output"), error) from None
    return Multi(_name(document), graders, output)


def _single(kind: str, document: Document, path: str) -> Single:
    name, threshold = _name(document), document.get("pass_threshold")
    match kind:
        case "string_check":
            return StringCheck(name, *_compared(document, path), document["operation"])
        case "text_similarity":
            return TextSimilarity(name, *_compared(document, path), document["evaluation_metric"], threshold)
        case "score_model":
            prompt, sampling = _judge(document, path)
            return ScoreModel(name, document["model"], prompt, *_range(document, path), sampling, threshold)
        case "label_model":
            prompt, sampling = _judge(document, path)
            return LabelModel(name, document["model"], prompt, *_labels(document, path), sampling)
        case "python":
            return Python(name, _source(document, path), threshold)
    return Endpoint(name, _url(document, path), _headers(document, path), threshold)


def _name(document: Document) -> str:
    name: str = document.get("name") or document["type"]
    return name


def _compared(document: Document, path: str) -> tuple[Template, Template]:
    return _template(document["input"], joined(path, "input")), _template(document["reference"], joined(path, "reference"))


def _template(text: str, path: str) -> Template:
    try:
        return templates.read(text)
    except templates.TemplateError as error:
        raise _invalid(path, error) from None


def _invalid(path: str, reason: object) -> errors.ApiError:
    return errors.invalid_value(path, f"Invalid '{path}': {reason}.")


# -- model graders


def _judge(document: Document, path: str) -> tuple[tuple[Message, ...], dict[str, Json]]:
    """The messages and sampling parameters of a model grader."""
    parsed = messages(document["input"], joined(path, "input"))
    sampling = document.get("sampling_params") or {}
    check(sampling, joined(path, "sampling_params"), {}, _SAMPLING)
    kept = {name: sampling[name] for name in _SAMPLING if sampling.get(name) is not None}
    return parsed, kept


def messages(documents: list[Json], path: str) -> tuple[Message, ...]:
    """The messages that stand at `path`, with their templates. Raises ApiError 400 for the first mistake, and where there is none."""
    if not documents:
        raise complaints.short_array(path, 1, 0)
    return tuple(_message(document, f"{path}[{at}]") for at, document in enumerate(documents))


def _message(message: Json, path: str) -> Message:
    if not isinstance(message, dict):
        raise errors.invalid_type(path, "an object", describe(message))
    check(message, path, {"role": _ROLES, "content": "string|array|object"}, {"type": ("message",)})
    content, place = message["content"], f"{path}.content"
    if not isinstance(content, list):
        return Message(message["role"], (_part(content, place),))
    if not content:
        raise complaints.short_array(place, 1, 0)
    return Message(message["role"], tuple(_part(part, f"{place}[{at}]") for at, part in enumerate(content)))


def _part(part: Json, path: str) -> Template | Mapping[str, Json]:
    if isinstance(part, str):
        return _template(part, path)
    if not isinstance(part, dict):
        raise errors.invalid_type(path, "one of a string or object", describe(part))
    check(part, path, {"type": tuple(_PARTS)}, {})
    check(part, path, _PARTS[part["type"]], {"detail": "string"})
    if "text" in _PARTS[part["type"]]:
        return _template(part["text"], f"{path}.text")
    if part["type"] == "input_audio":
        return part
    return part | {"image_url": _template(part["image_url"], f"{path}.image_url")}


def _range(document: Document, path: str) -> tuple[float, float]:
    place, bounds = joined(path, "range"), document.get("range")
    if bounds is None:
        return 0.0, 1.0
    if len(bounds) < 2:
        raise complaints.short_array(place, 2, len(bounds))
    if len(bounds) > 2:
        raise complaints.long_array(place, 2, len(bounds))
    check(
        {f"range[{at}]": bound for at, bound in enumerate(bounds)}, path, dict.fromkeys(("range[0]", "range[1]"), "number"), {}
    )
    if bounds[0] > bounds[1]:
        raise _invalid(place, "the first bound is above the second")
    return float(bounds[0]), float(bounds[1])


def _labels(document: Document, path: str) -> tuple[tuple[str, ...], frozenset[str]]:
    for name in ("labels", "passing_labels"):
        place = joined(path, name)
        for at, label in enumerate(document[name]):
            if not isinstance(label, str):
                raise errors.invalid_type(f"{place}[{at}]", "a string", describe(label))
        if not document[name]:
            raise complaints.short_array(place, 1, 0)
    labels, passing = document["labels"], document["passing_labels"]
    for label in passing:
        if label not in labels:
            raise _invalid(joined(path, "passing_labels"), f"'{label}' is not one of the labels")
    return tuple(labels), frozenset(passing)


# -- code of the caller's


def _source(document: Document, path: str) -> str:
    source, place = document["source"], joined(path, "source")
    size = len(source.encode("utf-8", "replace"))
    if size > LONGEST_SOURCE:
        raise complaints.long_string(place, LONGEST_SOURCE, size)
    if not _DEFINES_GRADE.search(source):
        raise _invalid(place, "it defines no function 'grade'")
    return str(source)


def _url(document: Document, path: str) -> str:
    url, place = document["url"], joined(path, "url")
    try:
        fits = url.startswith("https://") and bool(urlsplit(url).hostname)
    except ValueError:
        fits = False
    if not fits:
        raise complaints.mismatched_string(place, "^https://")
    complaints.check_range(joined(path, "rate_limit"), document.get("rate_limit"), 1, 2**31 - 1)
    return str(url)


def _headers(document: Document, path: str) -> dict[str, str]:
    headers = document.get("headers") or {}
    for name, value in headers.items():
        if not isinstance(value, str):
            raise errors.invalid_type(f"{joined(path, 'headers')}.{name}", "a string", describe(value))
    return dict(headers)
