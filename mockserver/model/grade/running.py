"""Running a grader on one sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.model.grade import endpoints, judges, programs
from mockserver.model.grade.formula import FormulaError
from mockserver.model.grade.graders import (
    Endpoint,
    Grader,
    LabelModel,
    Multi,
    Python,
    ScoreModel,
    Single,
    StringCheck,
    TextSimilarity,
)
from mockserver.model.grade.outcome import Errors, Means, Outcome, UngradedError
from mockserver.model.grade.templates import Reference
from mockserver.model.grade.text import similarity

Json = Any
Scope = Mapping[str, Json]


def run(grader: Grader, item: Json, sample: Json, means: Means) -> Outcome:
    """How a grader grades a sample (`samples.of_text`) beside its item, which is a row of a data source.

    What cannot be graded has reward 0 and says why. Raises UnavailableError for a grader that this server does not run.
    """
    scope = {"sample": sample, "item": item}
    return _multi(grader, scope, means) if isinstance(grader, Multi) else _single(grader, scope, means)


def passes(grader: Grader, outcome: Outcome) -> bool:
    """Whether a sample passes: nothing went wrong, and the reward is at least the threshold.

    Without one, all scores of an endpoint pass (spec); a model's score must reach the middle of its range, and every other
    reward 1 (inferred).
    """
    if outcome.errors:
        return False
    threshold = None if isinstance(grader, (StringCheck, LabelModel, Multi)) else grader.pass_threshold
    if threshold is None and isinstance(grader, Endpoint):
        return True
    if threshold is None:
        threshold = (grader.low + grader.high) / 2 if isinstance(grader, ScoreModel) else 1.0
    return outcome.reward >= threshold


def references(grader: Grader) -> Iterator[Reference]:
    """Every variable that a grader's templates name, those of a multi grader's graders included."""
    match grader:
        case Multi():
            for one in grader.graders.values():
                yield from references(one)
        case StringCheck() | TextSimilarity():
            yield from (*grader.input.references, *grader.reference.references)
        case ScoreModel() | LabelModel():
            for message in grader.messages:
                yield from message.references


def _multi(grader: Multi, scope: Scope, means: Means) -> Outcome:
    """The formula's value; a grader that fails counts as 0 in it (documented)."""
    outcomes = {key: _single(one, scope, means) for key, one in grader.graders.items()}
    rewards = {key: outcome.reward for key, outcome in outcomes.items()}
    errors, problem, reward = Errors(), next((one.problem for one in outcomes.values() if one.problem), None), 0.0
    for outcome in outcomes.values():
        errors |= outcome.errors
    try:
        reward = grader.formula.value(rewards)
    except FormulaError as error:
        errors, problem = errors | Errors(formula_parse_error=True), problem or str(error)
    consultations = tuple(one for outcome in outcomes.values() for one in outcome.consultations)
    return Outcome(reward, errors, problem, rewards=rewards, consultations=consultations)


def _single(grader: Single, scope: Scope, means: Means) -> Outcome:
    try:
        match grader:
            case StringCheck():
                return Outcome(float(_check(grader, grader.input.render(scope), grader.reference.render(scope))))
            case TextSimilarity():
                text, reference = grader.input.render(scope), grader.reference.render(scope)
                return Outcome(similarity(grader.metric, text, reference))
            case ScoreModel():
                return judges.score(grader, scope, means)
            case LabelModel():
                return judges.label(grader, scope, means)
            case Python():
                return programs.score(grader, scope, means)
            case Endpoint():
                return endpoints.score(grader, scope, means)
    except UngradedError as error:
        return Outcome(0.0, error.errors, str(error))


def _check(grader: StringCheck, text: str, reference: str) -> bool:
    """The four operations (documented)."""
    match grader.operation:
        case "eq":
            return text == reference
        case "ne":
            return text != reference
        case "like":
            return reference in text
        case "ilike":
            return reference.lower() in text.lower()
