"""Running graders without a server: templates and samples of any kind, whether a sample passes, what models are asked."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.errors import ApiError
from mockserver.model.grade import Means, Outcome, passes, references, run, samples, templates
from mockserver.model.grade.graders import Endpoint, Message, Python, ScoreModel, StringCheck, TextSimilarity
from mockserver.model.grade.outcome import Errors, ModelAnswer, Question, UngradedError
from mockserver.model.grade.text import METRICS
from mockserver.operations import graders

Json = Any
SAME = {"type": "string_check", "name": "same", "input": "{{sample.output_text}}", "reference": "{{item.a}}", "operation": "eq"}


def _nobody(_: Question) -> ModelAnswer:
    raise AssertionError("no model is asked")


# -- samples and templates


def test_a_text_is_a_sample_with_its_json() -> None:
    assert samples.of_text('{"a": 1}') == {
        "output_text": '{"a": 1}',
        "output_tools": [],
        "choices": [{"index": 0, "message": {"role": "assistant", "content": '{"a": 1}'}, "finish_reason": "stop"}],
        "output_json": {"a": 1},
    }
    assert "output_json" not in samples.of_text("a")


def test_a_completion_is_a_sample_by_its_first_choice() -> None:
    tool = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [tool], "audio": {"data": "AAAA"}}
    sample = samples.of_completion({"choices": [{"index": 0, "message": message}, {"index": 1, "message": {"content": "x"}}]})
    assert (sample["output_text"], sample["output_tools"], sample["output_audio"]) == ("", [tool], {"data": "AAAA"})
    assert templates.read("{{sample.output_tools[0].function.name}}").render({"sample": sample}) == "f"
    assert samples.of_completion({})["output_text"] == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{{item.a}}-{{ item.a }}", "1-1"),
        ("{{item.a}}}}", "1}}"),
        ("{{{item.a}}}", "{1}"),
        ("{{item.a}", "{{item.a}"),
        ("{item.a}", "{item.a}"),
        ("{{item['b c'].d}}", "x"),
        ('{{item["b c"]["d"]}}', "x"),
        ("{{item.list[1]}}", "2"),
        ("{{item.list.1}}", "2"),
        ("{{item.list}}", "[1, 2]"),
        ("{{item.none}}{{item.true}}{{item.half}}", "nulltrue0.5"),
        ("{{item}}", '{"a": 1}'),
    ],
)
def test_placeholders_are_replaced(text: str, expected: str) -> None:
    item = (
        {"a": 1} if text == "{{item}}" else {"a": 1, "b c": {"d": "x"}, "list": [1, 2], "none": None, "true": True, "half": 0.5}
    )
    assert templates.read(text).render({"item": item, "sample": {}}) == expected


def test_the_references_of_a_template_are_known() -> None:
    found = templates.read("{{item.a.b[0]}} and {{sample.choices}}").references
    assert [(one.namespace, one.steps) for one in found] == [("item", ("a", "b", 0)), ("sample", ("choices",))]


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.text(max_size=60), st.text(alphabet="{}item.sample[]'\"0a ", max_size=60)),
    st.recursive(
        st.none() | st.text(max_size=3) | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    ),
)
def test_any_text_is_a_template_or_none(text: str, item: Json) -> None:
    try:
        rendered = templates.read(text).render({"item": item, "sample": samples.of_text(text)})
    except (templates.TemplateError, UngradedError):
        return
    assert isinstance(rendered, str)


def test_many_braces_take_no_time() -> None:
    assert templates.read("{{" * 200_000).pieces == ("{{" * 200_000,)


@pytest.mark.parametrize("index", ["[999999999]", ".99999999999999999999", "." + "9" * 5_000, "[0].x"])
def test_an_index_that_leads_nowhere_is_no_failure_of_ours(index: str) -> None:
    with pytest.raises(UngradedError):
        templates.read("{{item.list" + index + "}}").render({"item": {"list": [1]}, "sample": {}})


# -- definitions of any kind

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = [
    "name",
    "input",
    "reference",
    "operation",
    "evaluation_metric",
    "pass_threshold",
    "source",
    "image_tag",
    "model",
    "sampling_params",
    "range",
    "labels",
    "passing_labels",
    "graders",
    "calculate_output",
    "url",
    "headers",
    "rate_limit",
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(graders.KINDS),
    st.dictionaries(st.sampled_from(MEMBERS), JSON | st.just([{"role": "user", "content": "x"}])),
)
def test_any_definition_is_read_or_refused(kind: str, members: dict[str, Json]) -> None:
    document = {"name": "x", **members, "type": kind}
    refusal = None
    try:
        assert graders.parse(document, "testing_criteria[0]").name
        assert graders.described(document)["type"] == kind
    except ApiError as error:
        refusal = error
    assert refusal is None or (refusal.status, refusal.detail["param"][:20]) == (400, "testing_criteria[0].")


PLACES = st.sampled_from(
    ["item.a", "item.a.b[0]", "item['x']", "sample.output_text", "sample.output_json.a", "sample.choices[0]"]
)
TEMPLATES = st.lists(st.text(max_size=4) | PLACES.map(lambda place: "{{ " + place + " }}"), max_size=4).map("".join)


@st.composite
def definitions(draw: st.DrawFn) -> Json:
    compared = {"name": "x", "input": draw(TEMPLATES), "reference": draw(TEMPLATES)}
    judged = {"name": "x", "model": "m", "input": [{"role": "user", "content": draw(TEMPLATES)}]}
    return draw(
        st.sampled_from(
            [
                {**compared, "type": "string_check", "operation": draw(st.sampled_from(["eq", "ne", "like", "ilike"]))},
                {**compared, "type": "text_similarity", "evaluation_metric": draw(st.sampled_from(sorted(METRICS)))},
                {**judged, "type": "score_model", "range": [-1, draw(st.floats(0, 9))]},
                {**judged, "type": "label_model", "labels": ["a", "b"], "passing_labels": ["a"]},
            ]
        )
    )


@settings(max_examples=200, deadline=None)
@given(
    definitions(), definitions(), JSON, st.text(max_size=20) | JSON.map(json.dumps), st.text(max_size=9) | JSON.map(json.dumps)
)
def test_any_sample_gets_a_finite_reward(one: Json, other: Json, item: Json, sample: str, answer: str) -> None:
    def ask(_: Question) -> ModelAnswer:
        return ModelAnswer(answer, model="m", usage={"total_tokens": 1})

    try:
        grader = graders.parse({"type": "multi", "graders": {"a": one, "b": other}, "calculate_output": "a / (b + 1) + a"})
    except ApiError:
        return
    outcome = run(grader, {"a": item}, samples.of_text(sample), Means(ask))
    assert math.isfinite(outcome.reward)
    assert bool(outcome.errors) == bool(outcome.problem)


def test_only_allowed_kinds_are_read() -> None:
    assert isinstance(graders.parse(SAME), StringCheck)
    with pytest.raises(ApiError) as caught:
        graders.parse(SAME, "testing_criteria[2]", kinds=("label_model", "python"))
    assert caught.value.detail["param"] == "testing_criteria[2].type"
    with pytest.raises(ApiError) as caught:
        graders.parse("x", "testing_criteria[2]")
    assert caught.value.detail["param"] == "testing_criteria[2]"


# -- results


@pytest.mark.parametrize(
    ("grader", "reward", "expected"),
    [
        (graders.parse(SAME), 1.0, True),
        (graders.parse(SAME), 0.0, False),
        (TextSimilarity("x", templates.read(""), templates.read(""), "bleu", 0.5), 0.5, True),
        (TextSimilarity("x", templates.read(""), templates.read(""), "bleu", 0.5), 0.49, False),
        (TextSimilarity("x", templates.read(""), templates.read(""), "bleu"), 0.99, False),
        (ScoreModel("x", "m", (), 1, 5), 3.0, True),
        (ScoreModel("x", "m", (), 1, 5), 2.9, False),
        (ScoreModel("x", "m", (), 1, 5, pass_threshold=1), 2.9, True),
        (Python("x", "", 0.5), 0.5, True),
        (Endpoint("x", "https://x"), -3.0, True),
        (Endpoint("x", "https://x", pass_threshold=8), 7.0, False),
    ],
)
def test_a_reward_passes_from_its_threshold_on(grader: Any, reward: float, expected: bool) -> None:
    assert passes(grader, Outcome(reward)) is expected
    assert not passes(grader, Outcome(reward, Errors(other_error=True)))


def test_what_a_model_is_asked_and_answers_is_kept() -> None:
    asked: list[Question] = []

    def ask(question: Question) -> ModelAnswer:
        asked.append(question)
        return ModelAnswer('{"steps": [], "result": 4}', model="m-1", usage={"total_tokens": 7})

    message = Message("user", (templates.read("Grade {{sample.output_text}}"),))
    outcome = run(ScoreModel("judge", "m", (message,), 1, 5, {"seed": 1}), {}, samples.of_text("x"), Means(ask))
    assert (outcome.reward, outcome.model, outcome.usage) == (4, "m-1", {"m-1": {"total_tokens": 7}})
    assert [one.question for one in outcome.consultations] == asked
    assert (asked[0].messages, asked[0].sampling) == ([{"role": "user", "content": "Grade x"}], {"seed": 1})


def test_the_variables_of_a_grader_are_known() -> None:
    part = {"type": "input_image", "image_url": "{{item.b}}"}
    judge = {"type": "score_model", "name": "x", "model": "m", "input": [{"role": "user", "content": ["{{item.c}}", part]}]}
    multi = {"type": "multi", "graders": {"x": SAME, "y": judge}, "calculate_output": "x"}
    assert [one.text for one in references(graders.parse(multi))] == ["sample.output_text", "item.a", "item.c", "item.b"]
    assert [*references(graders.parse({"type": "python", "source": "grade"}))] == []


def test_a_model_is_not_asked_about_a_variable_that_is_missing() -> None:
    message = Message("user", (templates.read("{{item.missing}}"),))
    outcome = run(ScoreModel("judge", "m", (message,)), {}, samples.of_text("x"), Means(_nobody))
    assert (outcome.errors, outcome.problem) == (Errors(invalid_variable_error=True), "'{{item.missing}}' leads nowhere")
