"""Runs of evals: what they sample, how they judge, and what they count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import OpenAI
from support.evals import ENDPOINT, LABEL, PREVIEW, PYTHON, SAME, SCORE, SIMILAR, asking, create, items, rows, run

from mockserver import MockServer

Json = Any
TWO = rows(("France?", "Paris"), ("Peru?", "Lima"))


@pytest.fixture
def evals(plain: OpenAI) -> Any:
    """The SDK's operations on evals; its strict check fails on the nulls that are recorded of runs."""
    return plain.with_options(default_headers=PREVIEW).evals


@pytest.fixture
def answering(mock: MockServer) -> MockServer:
    """Knows the capital of France."""
    mock.when(user="France").respond("Paris")
    mock.when(user="Peru").respond("Cuzco")
    return mock


def serving(lifecycle: Json = None, **options: Json) -> MockServer:
    resource = {"lifecycle": {"eval.run": lifecycle or {"polls": 0}}}
    server = MockServer({"resource": resource}, profile="2026-03", **options)
    server.clock.freeze()
    return server


def counts(ended: Any) -> Json:
    return ended.result_counts.to_dict()


# -- sampling


@pytest.mark.parametrize("kind", ["completions", "responses"])
def test_a_model_is_asked_about_every_item_by_the_rules_for_other_calls(answering: MockServer, evals: Any, kind: str) -> None:
    ended = run(evals, create(evals).id, asking(TWO, kind))
    assert counts(ended) == {"total": 2, "passed": 1, "failed": 1, "errored": 0}
    assert ended.model == "gpt-4.1-nano"
    first, second = items(evals, ended)
    assert (first.status, first.sample.output[0].content, first.results[0].passed) == ("pass", "Paris", True)
    assert (second.status, second.sample.output[0].content, second.results[0].score) == ("fail", "Cuzco", 0.0)
    model = "gpt-4.1-nano-2025-04-14" if kind == "completions" else "gpt-4.1-nano"  # responses report the deployment
    assert (first.sample.model, first.sample.finish_reason) == (model, "stop")
    assert first.sample.input[0].to_dict() == {"role": "user", "content": "France?"}
    assert first.sample.usage.completion_tokens == 1
    operation = "createChatCompletion" if kind == "completions" else "createResponse"
    calls = [one for one in answering.requests if one.operation == operation]
    (created,) = [one for one in answering.requests if one.operation == "createEvalRun"]
    assert [call.parent for call in calls] == [created.number] * 2
    assert {call.headers["x-mockserver-eval-run-id"] for call in calls} == {ended.id}


def test_parameters_reach_a_chat_completion(answering: MockServer, evals: Any) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    tools = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}]
    parameters = {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "max_completion_tokens": 50,
        "response_format": form,
        "tools": tools,
    }
    ended = run(evals, create(evals).id, asking(TWO, sampling_params=parameters))
    sent = answering.calls("createChatCompletion")[0].body
    assert {name: sent[name] for name in parameters} == parameters
    sample = items(evals, ended)[0].sample
    assert (sample.temperature, sample.top_p, sample.seed, sample.max_completion_tokens) == (0.5, 0.9, 7, 50)


def test_parameters_reach_a_response_by_its_names(answering: MockServer, evals: Any) -> None:
    parameters = {"reasoning_effort": "low", "max_tokens": 60, "seed": 7, "text": {"format": {"type": "text"}}}
    run(evals, create(evals).id, asking(TWO, "responses", model="o4-mini", sampling_params=parameters))
    sent = answering.calls("createResponse")[0].body
    assert sent == {
        "model": "o4-mini",
        "input": [{"role": "user", "content": "France?"}],
        "store": False,
        "text": {"format": {"type": "text"}},
        "max_output_tokens": 60,
        "reasoning": {"effort": "low"},
    }


def test_an_item_brings_its_messages(mock: MockServer, evals: Any) -> None:
    mock.when(system="Be brief.", user="hi").respond("Hey.")
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]
    config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    eval_id = create(evals, SAME | {"reference": "Hey."}, data_source_config=config).id
    source = {"type": "file_content", "content": [{"item": {"chat": messages}}, {"item": {"chat": 1}}, {"item": {}}]}
    for kind in ("completions", "responses"):
        given = {"type": "item_reference", "item_reference": "item.chat"}
        ended = run(evals, eval_id, asking(source, kind, input_messages=given))
        assert counts(ended) == {"total": 3, "passed": 1, "failed": 0, "errored": 2}
        assert items(evals, ended)[1].sample.error.code == "invalid_template"


@pytest.mark.parametrize("kind", ["completions", "responses"])
def test_messages_can_have_parts(mock: MockServer, evals: Any, kind: str) -> None:
    mock.when(user="A cat?").respond("Paris")
    parts = [{"type": "input_text", "text": "What is this? "}, {"type": "input_text", "text": "{{item.question}}"}]
    messages = {"type": "template", "template": [{"role": "user", "content": parts}]}
    ended = run(evals, create(evals).id, asking(rows(("A cat?", "Paris")), kind, input_messages=messages))
    assert counts(ended)["passed"] == 1
    assert items(evals, ended)[0].sample.input[0].content == "What is this? A cat?"


CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def test_a_tool_call_of_a_sample_can_be_judged(mock: MockServer, evals: Any) -> None:
    mock.when().respond(tool_calls=[("look_up", {"city": "Paris"})])
    criterion = SAME | {"input": "{{sample.output_tools[0].function.name}}", "reference": "look_up"}
    eval_id = create(evals, criterion).id
    for kind, tool in (
        ("completions", {"function": {"name": "look_up"}}),
        ("responses", {"name": "look_up", "parameters": CITY}),
    ):
        parameters = {"tools": [{"type": "function", **tool}]}
        ended = run(evals, eval_id, asking(rows(("x", "y")), kind, sampling_params=parameters))
        assert counts(ended)["passed"] == 1
        assert items(evals, ended)[0].sample.finish_reason == "tool_calls"


@pytest.mark.parametrize("kind", ["completions", "responses"])
def test_a_sample_that_fails_is_an_error_and_the_others_go_on(answering: MockServer, evals: Any, kind: str) -> None:
    answering.when(user="Peru").respond(error="content_filter", priority=1)
    ended = run(evals, create(evals).id, asking(TWO, kind))
    assert (ended.status, counts(ended)) == ("completed", {"total": 2, "passed": 1, "failed": 0, "errored": 1})
    failed = items(evals, ended)[1]
    assert (failed.status, failed.results, failed.sample.output) == ("error", [], [])
    assert failed.sample.error.code == "content_filter"
    assert ended.per_testing_criteria_results[0].to_dict() == {"testing_criteria": "same", "passed": 1, "failed": 0}


@pytest.mark.parametrize("body", [{}, [], "text", {"choices": []}, {"choices": [{"message": 1}]}, {"choices": None}])
def test_any_body_in_the_place_of_a_completion_is_an_error(mock: MockServer, evals: Any, body: Json) -> None:
    mock.when().respond(status=200, body=body)
    ended = run(evals, create(evals).id, asking(TWO))
    assert counts(ended) == {"total": 2, "passed": 0, "failed": 0, "errored": 2}


def test_an_unknown_deployment_makes_every_item_an_error() -> None:
    with MockServer({"deployments": {"known": {"model": "gpt-4o"}}}, profile="2026-03") as mock:
        evals: Any = mock.client.evals
        ended = run(evals, create(evals).id, asking(TWO))
        assert counts(ended)["errored"] == 2
        assert items(evals, ended)[0].sample.error.code == "DeploymentNotFound"


def test_requests_of_a_run_do_not_count_against_the_deployments_minute() -> None:
    with MockServer({"deployments": {"gpt-4.1-nano": {"rpm": 1}}}, profile="2026-03") as mock:
        evals: Any = mock.client.evals
        assert counts(run(evals, create(evals).id, asking(TWO)))["errored"] == 0


# -- judging


def test_every_criterion_judges_and_all_have_to_pass(answering: MockServer, evals: Any) -> None:
    answering.when(user="Is it good?").respond(json={"steps": [], "result": "bad"}, priority=1)
    answering.when(user="How good is it?").respond(json={"steps": [], "result": 4}, priority=1)
    eval_id = create(evals, SAME, SIMILAR | {"evaluation_metric": "rouge_l"}, LABEL, SCORE).id
    ended = run(evals, eval_id, asking(rows(("France?", "Paris"))))
    (item,) = items(evals, ended)
    assert [(one.name, one.score, one.passed) for one in item.results] == [
        ("same", 1.0, True),
        ("similar", 1.0, True),
        ("label", 0.0, False),
        ("score", 4.0, True),
    ]
    assert item.status == "fail"
    assert [one.to_dict() for one in ended.per_testing_criteria_results] == [
        {"testing_criteria": "same", "passed": 1, "failed": 0},
        {"testing_criteria": "similar", "passed": 1, "failed": 0},
        {"testing_criteria": "label", "passed": 0, "failed": 1},
        {"testing_criteria": "score", "passed": 1, "failed": 0},
    ]
    usage = {one.run_model_name: one for one in ended.per_model_usage}
    assert usage["gpt-4.1-nano-2025-04-14"].invocation_count == 1
    assert usage["gpt-4o-2024-11-20"].invocation_count == 2
    judged = [one.sample for one in item.results if one.sample is not None]
    assert usage["gpt-4o-2024-11-20"].total_tokens == sum(one["usage"]["total_tokens"] for one in judged)


def test_a_judge_that_fails_makes_the_item_an_error(mock: MockServer, evals: Any) -> None:
    mock.when().respond(error="rate_limit")
    ended = run(evals, create(evals, SAME, LABEL).id, {"type": "jsonl", "source": rows(("a", "b"), output_text="b")})
    assert counts(ended) == {"total": 1, "passed": 0, "failed": 0, "errored": 1}
    assert [(one.passed, one.failed) for one in ended.per_testing_criteria_results] == [(1, 0), (0, 0)]
    label = items(evals, ended)[0].results[1]
    assert "rate limit" in label.to_dict()["reason"]
    assert label.sample["error"]["code"] == "model_error"


def test_an_item_without_a_sample_shows_the_last_judge(mock: MockServer, evals: Any) -> None:
    mock.when().respond(json={"steps": [], "result": "good"})
    criterion = LABEL | {"input": [{"role": "user", "content": "Good? {{item.question}}"}]}
    ended = run(evals, create(evals, criterion).id, {"type": "jsonl", "source": rows(("a", "b"))})
    sample = items(evals, ended)[0].sample
    assert (sample.model, sample.input[0].content) == ("gpt-4o-2024-11-20", "Good? a")


def test_json_of_a_sample_can_be_judged(evals: Any) -> None:
    criterion = SAME | {"input": "{{sample.output_json.city}}"}
    source = rows(("a", "Paris"), output_text='{"city": "Paris"}')
    assert counts(run(evals, create(evals, criterion).id, {"type": "jsonl", "source": source}))["passed"] == 1


@pytest.mark.parametrize(("criterion", "setting"), [(PYTHON, "python_graders"), (ENDPOINT, "grader_hosts")])
def test_a_grader_that_is_turned_off_fails_the_run(evals: Any, criterion: Json, setting: str) -> None:
    ended = run(evals, create(evals, criterion).id, {"type": "jsonl", "source": TWO})
    assert (ended.status, ended.error.code) == ("failed", "unavailable_grader")
    assert setting in ended.error.message
    assert counts(ended)["total"] == 0


def test_a_python_grader_runs_where_it_is_turned_on() -> None:
    with serving(python_graders=True) as mock:
        evals: Any = mock.client.evals
        source = "def grade(sample, item):\n    return float(sample['output_text'] == item['answer'])"
        ended = run(
            evals, create(evals, PYTHON | {"source": source}).id, {"type": "jsonl", "source": rows(("a", "b"), output_text="b")}
        )
        assert counts(ended)["passed"] == 1


TEXTS = st.text(st.characters(codec="utf-8"), max_size=4)
CONTENT = st.fixed_dictionaries(
    {"item": st.fixed_dictionaries({"question": TEXTS}, optional={"answer": TEXTS})},
    optional={
        "sample": st.dictionaries(st.sampled_from(("output_text", "choices", "model")), TEXTS | st.lists(TEXTS, max_size=1))
    },
)


@pytest.fixture(scope="module")
def long_lived() -> Iterator[MockServer]:
    with MockServer(profile="2026-03") as server:
        yield server


@given(content=st.lists(CONTENT, min_size=1, max_size=6), sampled=st.booleans())
@settings(max_examples=40, deadline=None)
def test_counts_are_those_of_the_items_whatever_the_rows(long_lived: MockServer, content: Json, sampled: bool) -> None:
    evals: Any = long_lived.client.evals
    source = {"type": "file_content", "content": content}
    ended = run(evals, create(evals, SAME, SIMILAR).id, asking(source) if sampled else {"type": "jsonl", "source": source})
    every = items(evals, ended)
    assert ended.status == "completed"
    assert [one.datasource_item_id for one in every] == list(range(len(content)))
    statuses = [one.status for one in every]
    found = {"passed": statuses.count("pass"), "failed": statuses.count("fail"), "errored": statuses.count("error")}
    assert counts(ended) == {"total": len(content), **found}
    assert sum(found.values()) == len(content)
    for criterion in ended.per_testing_criteria_results:
        assert criterion.passed + criterion.failed <= len(content)
        assert criterion.passed >= found["passed"]
