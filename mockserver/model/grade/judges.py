"""Model graders: a model is given the rendered messages and the form of its answer, and its answer is read.

The form is documented, and recorded in an eval's results: steps of reasoning, then the result.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from mockserver.model.grade.graders import LabelModel, Message, ScoreModel
from mockserver.model.grade.outcome import Consultation, Errors, Means, Outcome, Question
from mockserver.model.grade.templates import Template

Json = Any
_STEP = {
    "type": "object",
    "properties": {"description": {"type": "string"}, "conclusion": {"type": "string"}},
    "required": ["description", "conclusion"],
    "additionalProperties": False,
}


def score(grader: ScoreModel, scope: Mapping[str, Json], means: Means) -> Outcome:
    """The score that a model gives, cut to the grader's range (documented)."""
    result = {"type": "number", "minimum": grader.low, "maximum": grader.high}
    consultation, outcome = _consult(grader, result, scope, means)
    if outcome is not None:
        return outcome
    value = _number(consultation.answer.text)
    if value is None:
        return _unreadable(consultation, "a number")
    return Outcome(min(grader.high, max(grader.low, value)), consultations=(consultation,))


def label(grader: LabelModel, scope: Mapping[str, Json], means: Means) -> Outcome:
    """1 where the model chooses a label that passes, else 0 (documented)."""
    consultation, outcome = _consult(grader, {"type": "string", "enum": [*grader.labels]}, scope, means)
    if outcome is not None:
        return outcome
    chosen = _result(consultation.answer.text)
    if chosen not in grader.labels:
        return _unreadable(consultation, "one of the labels")
    return Outcome(float(chosen in grader.passing), label=chosen, consultations=(consultation,))


def _consult(
    grader: ScoreModel | LabelModel, result: Json, scope: Mapping[str, Json], means: Means
) -> tuple[Consultation, Outcome | None]:
    """A model's answer; and the outcome already, where that is no answer to the question."""
    messages = [rendered(message, scope) for message in grader.messages]
    question = Question(grader.model, messages, _form(result), grader.sampling)
    consultation = Consultation(question, means.ask(question))
    answer = consultation.answer
    if answer.error is not None:
        errors = Errors(model_grader_server_error=True, model_grader_server_error_details=answer.error)
        return consultation, Outcome(0.0, errors, answer.error, consultations=(consultation,))
    if answer.refusal is not None or answer.finish_reason == "content_filter":
        problem = f"the model refused to grade: {answer.refusal or 'content filter'}"
        return consultation, Outcome(0.0, Errors(model_grader_refusal_error=True), problem, consultations=(consultation,))
    return consultation, None


def _form(result: Json) -> Json:
    return {
        "type": "object",
        "properties": {"steps": {"type": "array", "items": _STEP}, "result": result},
        "required": ["steps", "result"],
        "additionalProperties": False,
    }


def rendered(message: Message, scope: Mapping[str, Json]) -> dict[str, Json]:
    """A message with what its templates name: one text as it is, else a list of input parts. Raises UngradedError."""
    parts = [_rendered_part(part, scope) for part in message.parts]
    lone = len(parts) == 1 and parts[0]["type"] == "input_text"
    return {"role": message.role, "content": parts[0]["text"] if lone else parts}


def _rendered_part(part: Template | Mapping[str, Json], scope: Mapping[str, Json]) -> dict[str, Json]:
    if isinstance(part, Template):
        return {"type": "input_text", "text": part.render(scope)}
    return {name: value.render(scope) if isinstance(value, Template) else value for name, value in part.items()}


def _result(text: str) -> Json:
    """The `result` of an answer in the demanded form; of any other JSON, and of plain text, all of it."""
    try:
        document = from_json(text)
    except ValueError:
        return text.strip()
    return document.get("result") if isinstance(document, dict) else document


def _number(text: str) -> float | None:
    value = _result(text)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _unreadable(consultation: Consultation, expected: str) -> Outcome:
    problem = f"the model's answer is not {expected}: {consultation.answer.text[:200]!r}"
    return Outcome(0.0, Errors(model_grader_parse_error=True), problem, consultations=(consultation,))
