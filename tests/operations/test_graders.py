"""Definitions of graders as the kit reads them, what goes wrong in grading as a value, and how a call's models are asked."""

from __future__ import annotations

import json
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.errors import ApiError
from mockserver.model.grade import Outcome
from mockserver.model.grade.graders import LabelModel, Python, ScoreModel, TextSimilarity
from mockserver.model.grade.outcome import ERRORS, FINE, Consultation, Errors, ModelAnswer, Question
from mockserver.operations import graders, grading
from mockserver.state.chance import Chance

Json = Any
COMPARED = {"name": "x", "input": "{{sample.output_text}}", "reference": "{{item.answer}}"}
JUDGED = {"name": "x", "model": "gpt-4.1", "input": [{"role": "user", "content": "{{sample.output_text}}"}]}
CHECK = {**COMPARED, "type": "string_check", "operation": "eq"}
DEFINITIONS: list[Json] = [
    CHECK,
    {**COMPARED, "type": "text_similarity", "evaluation_metric": "gleu", "pass_threshold": 0.5},
    {
        **JUDGED,
        "type": "score_model",
        "range": [-1, 1],
        "sampling_params": {"seed": 1, "temperature": None},
        "pass_threshold": 0,
    },
    {**JUDGED, "type": "label_model", "labels": ["a", "b"], "passing_labels": ["b"], "sampling_params": {"top_p": 0.5}},
    {"type": "python", "source": "def grade(sample, item): return 1"},
    {"type": "endpoint", "url": "https://grader.example", "headers": {"a": "b"}, "rate_limit": 5, "pass_threshold": None},
    {"type": "multi", "graders": {"a": CHECK, "b": {"type": "python", "source": "grade"}}, "calculate_output": "a + b"},
]


# -- definitions


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda one: one["type"])
def test_what_is_shown_is_read_as_the_same_grader(definition: Json) -> None:
    shown = graders.described(definition)
    assert json.loads(json.dumps(shown)) == shown
    assert graders.described(shown) == shown
    assert graders.parse(definition) == graders.parse(shown)


def test_a_definition_is_not_changed_by_being_read_or_shown() -> None:
    for definition in DEFINITIONS:
        before = json.dumps(definition)
        graders.parse(definition)
        graders.described(definition)
        assert json.dumps(definition) == before


def test_members_that_are_null_count_as_absent() -> None:
    grader = graders.parse(DEFINITIONS[2] | {"range": None, "sampling_params": None, "pass_threshold": None})
    assert isinstance(grader, ScoreModel)
    assert (grader.low, grader.high, grader.sampling, grader.pass_threshold) == (0, 1, {}, None)
    assert "range" not in graders.described(DEFINITIONS[2] | {"range": None})


def test_definitions_become_what_runs() -> None:
    similar, score, label, python = (graders.parse(DEFINITIONS[at]) for at in (1, 2, 3, 4))
    assert isinstance(similar, TextSimilarity)
    assert (similar.metric, similar.pass_threshold) == ("gleu", 0.5)
    assert isinstance(score, ScoreModel)
    assert (score.low, score.high, score.sampling) == (-1, 1, {"seed": 1})
    assert isinstance(label, LabelModel)
    assert (label.labels, label.passing, label.sampling) == (("a", "b"), {"b"}, {"top_p": 0.5})
    assert isinstance(python, Python)
    assert python.name == "python"


@pytest.mark.parametrize(
    ("definition", "path", "param"),
    [
        ({}, "", "type"),
        ({}, "method.reinforcement.grader", "method.reinforcement.grader.type"),
        (None, "testing_criteria[0]", "testing_criteria[0]"),
        (CHECK | {"input": "{{x}}"}, "testing_criteria[0]", "testing_criteria[0].input"),
        (DEFINITIONS[2] | {"input": [{"role": "user", "content": ["", 1]}]}, "g", "g.input[0].content[1]"),
        (DEFINITIONS[2] | {"range": ["0", 1]}, "g", "g.range[0]"),
        (DEFINITIONS[3] | {"passing_labels": ["c"]}, "g", "g.passing_labels"),
        (DEFINITIONS[5] | {"headers": {"x": None}}, "g", "g.headers.x"),
        (DEFINITIONS[6] | {"graders": {"a": {"type": "python"}}}, "g", "g.graders.a.source"),
        (DEFINITIONS[6] | {"calculate_output": "c"}, "g", "g.calculate_output"),
    ],
)
def test_a_mistake_is_reported_where_the_definition_stands(definition: Json, path: str, param: str) -> None:
    with pytest.raises(ApiError) as caught:
        graders.parse(definition, path)
    assert (caught.value.status, caught.value.detail["param"]) == (400, param)
    assert f"'{param}'" in caught.value.detail["message"] or caught.value.detail["code"] == "invalid_value"


# -- errors and outcomes

FLAGS = st.fixed_dictionaries({}, optional={name: st.just(True) for name in ERRORS if not name.endswith(("details", "type"))})
DETAILS = st.fixed_dictionaries(
    {}, optional={name: st.text(min_size=1, max_size=3) for name in ERRORS if name.endswith(("details", "type"))}
)
FAULTS = st.builds(lambda flags, details: Errors(**flags, **details), FLAGS, DETAILS)


@settings(max_examples=60, deadline=None)
@given(FAULTS, FAULTS, FAULTS)
def test_errors_add_up(one: Errors, other: Errors, third: Errors) -> None:
    assert one | FINE == FINE | one == one
    assert (one | other) | third == one | (other | third)
    assert bool(one | other) == (bool(one) or bool(other))
    for name, value in asdict(one).items():
        assert not value or getattr(one | other, name) == value


def test_errors_are_those_of_the_document_in_its_order() -> None:
    assert ERRORS[:6] == (
        *("formula_parse_error", "sample_parse_error", "truncated_observation_error", "unresponsive_reward_error"),
        *("invalid_variable_error", "other_error"),
    )
    assert (len(ERRORS), bool(FINE)) == (14, False)


def test_the_tokens_of_consultations_add_up_by_model() -> None:
    def consultation(model: str, tokens: int) -> Consultation:
        return Consultation(
            Question("m", [], {}), ModelAnswer("1", model=model, usage={"total_tokens": tokens} if tokens else {})
        )

    outcome = Outcome(1, consultations=(consultation("", 0), consultation("a", 1), consultation("b", 2), consultation("a", 4)))
    assert outcome.model == "a"
    assert outcome.usage == {"a": {"total_tokens": 5}, "b": {"total_tokens": 2}}
    assert (Outcome(1).model, Outcome(1).usage) == (None, {})


# -- a call's means


class Calls:
    """A call whose requests are answered with this status and body."""

    def __init__(self, body: Json, status: int = 200, settings: Json = None) -> None:
        self.sent: list[Json] = []
        self.chance = Chance("x")
        self.resource = SimpleNamespace(settings={"python_graders": False, "grader_hosts": (), **(settings or {})})
        self._response = SimpleNamespace(
            status=status, json=lambda: json.loads(body) if isinstance(body, (str, bytes)) else body
        )

    def send(self, method: str, path: str, body: Json) -> Any:
        self.sent.append((method, path, body))
        return self._response


def ask(calls: Any, question: Question | None = None) -> ModelAnswer:
    return grading.means(calls).ask(question or Question("m", [{"role": "user", "content": "x"}], {"type": "object"}))


def test_means_are_what_the_settings_allow() -> None:
    closed: Any = Calls({})
    assert (grading.means(closed).python, grading.means(closed).hosts) == (False, ())
    opened: Any = Calls({}, settings={"python_graders": True, "grader_hosts": ("a",)})
    means = grading.means(opened)
    assert (means.python, means.hosts, means.post) == (True, ("a",), None)
    assert means.trace == grading.means(opened).trace != "trace_"


def test_a_completion_is_read() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "prompt_tokens_details": {"cached_tokens": 2}}
    choice = {"message": {"content": "5", "refusal": None}, "finish_reason": "length"}
    answer = ask(Calls({"model": "m-1", "choices": [choice], "usage": usage}))
    counts = {"prompt_tokens": 3, "total_tokens": 7, "completion_tokens": 4, "cached_tokens": 2}
    assert answer == ModelAnswer("5", None, "length", "m-1", counts)
    assert [*answer.usage] == [*counts]
    assert ask(Calls({"choices": [{"message": {}}]})).usage == dict.fromkeys(counts, 0)


def test_the_form_of_the_answer_is_demanded_strictly() -> None:
    calls = Calls({"choices": [{"message": {"content": "5"}}]})
    ask(calls, Question("m", [{"role": "user", "content": "x"}], {"type": "object"}, {"max_completions_tokens": 9, "seed": 1}))
    ((method, path, body),) = calls.sent
    assert (method, path, body["max_completion_tokens"], body["seed"]) == ("POST", "/chat/completions", 9, 1)
    assert "max_completions_tokens" not in body
    form = {"name": "grade", "strict": True, "schema": {"type": "object"}}
    assert body["response_format"] == {"type": "json_schema", "json_schema": form}


@pytest.mark.parametrize(
    "body", ["", "[]", "nothing", "{}", '{"error": null}', '{"error": {}}', '{"error": {"message": "why"}}']
)
def test_a_refusal_is_an_error_whatever_its_body(body: str) -> None:
    error = ask(Calls(body, 429)).error
    assert error == ("why" if "why" in body else "the model's answer, with status 429, is not a chat completion")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "usage", "model", "prompt_tokens_details", "total_tokens"]), inner
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON, st.sampled_from([200, 500]))
def test_any_body_is_an_answer_or_an_error(body: Json, status: int) -> None:
    answer = ask(Calls(body, status))
    assert isinstance(answer.text, str)
    assert all(isinstance(count, int) for count in answer.usage.values())
    assert status == 200 or answer.error
