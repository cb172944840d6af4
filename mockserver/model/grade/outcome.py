"""What comes of grading one sample, and what graders may use for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

Json = Any


@dataclass(frozen=True, slots=True)
class Errors:
    """What went wrong, in the words of `RunGraderResponse.metadata.errors` and in its order (spec)."""

    formula_parse_error: bool = False
    sample_parse_error: bool = False
    truncated_observation_error: bool = False
    unresponsive_reward_error: bool = False
    invalid_variable_error: bool = False
    other_error: bool = False
    python_grader_server_error: bool = False
    python_grader_server_error_type: str | None = None
    python_grader_runtime_error: bool = False
    python_grader_runtime_error_details: str | None = None
    model_grader_server_error: bool = False
    model_grader_refusal_error: bool = False
    model_grader_parse_error: bool = False
    model_grader_server_error_details: str | None = None

    def __or__(self, other: Errors) -> Errors:
        """All that went wrong in two gradings; of two details the first."""
        return Errors(**{name: getattr(self, name) or getattr(other, name) for name in ERRORS})

    def __bool__(self) -> bool:
        return any(getattr(self, name) for name in ERRORS)


ERRORS: tuple[str, ...] = tuple(member.name for member in fields(Errors))
FINE = Errors()


class UngradedError(Exception):
    """A sample that could not be graded: its reward is 0, and `errors` say why."""

    def __init__(self, message: str, errors: Errors) -> None:
        super().__init__(message)
        self.errors = errors


class UnavailableError(Exception):
    """A grader that this server does not run, because a setting or an extra is missing. The message says which."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a grader asks a model: chat messages, whose contents are a text or a list of input parts (`input_text`, …).

    The answer is to be JSON that fits `schema`. `sampling` holds the grader's `sampling_params` that are not null.
    """

    model: str
    messages: list[dict[str, Json]]
    schema: Json
    sampling: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """What a model answered to a question.

    `model` is the name that it reports, `usage` its tokens (`prompt_tokens`, `total_tokens`, `completion_tokens`,
    `cached_tokens`). Where the service refused the call there is an `error` and nothing else.
    """

    text: str = ""
    refusal: str | None = None
    finish_reason: str = "stop"
    model: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None


Ask = Callable[[Question], ModelAnswer]
Post = Callable[[str, Mapping[str, str], bytes], bytes]


@dataclass(frozen=True, slots=True)
class Means:
    """What graders may use beyond their own sums.

    `ask` puts a question to a model. `python` says whether Python graders are run, `hosts` which hosts endpoint graders may
    call, `post` sends a body to a URL with these headers and returns the reply's (OSError where that fails). `trace` identifies
    the grading to an endpoint.
    """

    ask: Ask
    python: bool = False
    hosts: tuple[str, ...] = ()
    post: Post | None = None
    trace: str = "trace_"


@dataclass(frozen=True, slots=True)
class Consultation:
    """A question to a model, and its answer."""

    question: Question
    answer: ModelAnswer


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one grader graded one sample.

    `reward` is 0 where there are `errors`, unless a multi grader's formula makes something else of it; `problem` says in a
    sentence what they are about. `label` is the one that a label
    model chose. `rewards` are those of a multi grader's graders, by their keys. `consultations` are the models' answers, those
    of a multi grader's graders included.
    """

    reward: float
    errors: Errors = FINE
    problem: str | None = None
    label: str | None = None
    rewards: Mapping[str, float] = field(default_factory=dict)
    consultations: tuple[Consultation, ...] = ()

    @property
    def model(self) -> str | None:
        """The name that the first model reported."""
        return next((one.answer.model for one in self.consultations if one.answer.model), None)

    @property
    def usage(self) -> dict[str, dict[str, int]]:
        """The tokens of all consultations, by the models' reported names."""
        totals: dict[str, dict[str, int]] = {}
        for consultation in self.consultations:
            if not consultation.answer.usage:
                continue
            total = totals.setdefault(consultation.answer.model, dict.fromkeys(consultation.answer.usage, 0))
            for name, count in consultation.answer.usage.items():
                total[name] += count
        return totals
