"""`/fine_tuning/alpha/graders` through the SDK: rewards of every kind of grader, what goes wrong in them, and mistakes in definitions."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.fine_tuning.alpha import GraderRunResponse
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.errors import ScenarioError
from mockserver.model.grade import endpoints

Json = Any
Judged = Callable[[Json, Json], GraderRunResponse]
NO_ERRORS = {
    "formula_parse_error": False,
    "sample_parse_error": False,
    "truncated_observation_error": False,
    "unresponsive_reward_error": False,
    "invalid_variable_error": False,
    "other_error": False,
    "python_grader_server_error": False,
    "python_grader_server_error_type": None,
    "python_grader_runtime_error": False,
    "python_grader_runtime_error_details": None,
    "model_grader_server_error": False,
    "model_grader_refusal_error": False,
    "model_grader_parse_error": False,
    "model_grader_server_error_details": None,
}
SAME = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "operation": "eq",
}
SIMILAR = {
    "type": "text_similarity",
    "name": "similar",
    "input": "{{sample.output_text}}",
    "reference": "{{item.answer}}",
    "evaluation_metric": "bleu",
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1",
    "input": [
        {"role": "system", "content": "You are an expert grader."},
        {"role": "user", "content": "Grade {{sample.output_text}} against {{item.answer}}."},
    ],
    "range": [1, 5],
}
LABELS = {
    "type": "label_model",
    "name": "mood",
    "model": "gpt-4.1",
    "input": [{"role": "user", "content": "Classify {{sample.output_text}}."}],
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}
MULTI = {"type": "multi", "name": "both", "graders": {"a": SAME, "b": SIMILAR}, "calculate_output": "0.75 * a + b / 4"}
PYTHON = {"type": "python", "source": "def grade(sample, item):\n    return len(sample['output_text']) / item['most']"}
ENDPOINT = {"type": "endpoint", "name": "mine", "url": "https://grader.example/grade"}


def run(client: OpenAI, grader: Json, sample: str = "Paris", item: Json = None) -> GraderRunResponse:
    return client.fine_tuning.alpha.graders.run(
        grader=grader, model_sample=sample, item={"answer": "Paris"} if item is None else item
    )


def client_of(mock: MockServer, http: httpx2.Client) -> OpenAI:
    return OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)


def validate(client: OpenAI, grader: Json) -> dict[str, Json]:
    """The definition that is returned, unread: the client's types know neither endpoints nor several graders in a multi grader."""
    answer = client.fine_tuning.alpha.graders.with_raw_response.validate(grader=grader)
    document: dict[str, Json] = json.loads(answer.text)
    return document["grader"]


def refused(client: OpenAI, grader: Json, *, run_it: bool = False) -> openai.APIStatusError:
    """The error that a definition gets."""
    with pytest.raises(openai.APIStatusError) as caught:
        run(client, grader) if run_it else validate(client, grader)
    return caught.value


def trouble(result: GraderRunResponse) -> dict[str, Json]:
    """The errors of a result that are not what they are without any."""
    found = result.metadata.errors.to_dict(mode="json")
    return {name: value for name, value in found.items() if value != NO_ERRORS[name]}


# -- results


def test_a_result_is_one_line_in_the_documents_order(mock: MockServer, http: httpx2.Client) -> None:
    body = {"grader": SAME, "model_sample": "Paris", "item": {"answer": "Paris"}}
    answer = http.post(mock.base_url + "fine_tuning/alpha/graders/run", json=body, headers={"api-key": mock.api_key})
    metadata = {"name": "same", "type": "string_check", "errors": NO_ERRORS, "execution_time": 0.0, "scores": {}}
    expected = {
        "reward": 1.0,
        "metadata": {**metadata, "token_usage": None, "sampled_model_name": None},
        "sub_rewards": {},
        "model_grader_token_usage_per_model": {},
    }
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert answer.text == json.dumps(expected, separators=(",", ":"))


@pytest.mark.anyio
async def test_graders_run_in_the_asynchronous_client(async_client: AsyncOpenAI) -> None:
    result = await async_client.fine_tuning.alpha.graders.run(grader=SAME, model_sample="Rome", item={"answer": "Paris"})  # type: ignore[arg-type]
    assert (result.reward, result.metadata.name) == (0, "same")


@pytest.mark.parametrize(
    ("operation", "sample", "reward"),
    [
        ("eq", "Paris", 1),
        ("eq", "paris", 0),
        ("ne", "Paris", 0),
        ("ne", "paris", 1),
        ("like", "It is Paris.", 1),
        ("like", "It is paris.", 0),
        ("ilike", "It is PARIS.", 1),
        ("ilike", "It is Rome.", 0),
    ],
)
def test_string_checks_compare(client: OpenAI, operation: str, sample: str, reward: float) -> None:
    assert run(client, SAME | {"operation": operation}, sample).reward == reward


def test_a_recorded_similarity_comes_out_to_the_last_digit(client: OpenAI) -> None:
    texts = "The product is excellent and performs well.", "The product is amazing and works perfectly."
    assert run(client, SIMILAR, texts[0], {"answer": texts[1]}).reward == 0.18756826382863573


@pytest.mark.parametrize("metric", ["cosine", "fuzzy_match", "bleu", "gleu", "rouge_1", "rouge_5", "rouge_l"])
def test_every_metric_knows_the_same_text_and_another(client: OpenAI, metric: str) -> None:
    text = "The quick brown fox jumps over the lazy dog."
    grader = SIMILAR | {"evaluation_metric": metric}
    assert run(client, grader, text, {"answer": text}).reward == pytest.approx(1)
    assert 0 <= run(client, grader, text, {"answer": "An entirely different sentence with nothing alike."}).reward < 0.6


def test_templates_reach_into_the_sample_and_the_item(client: OpenAI) -> None:
    grader = SAME | {"input": "{{ sample.output_json.cities[1].name }}!", "reference": "{{item['the answers'].1}}!"}
    assert run(client, grader, '{"cities": [{}, {"name": "Rome"}]}', {"the answers": ["Paris", "Rome"]}).reward == 1


def test_a_value_that_is_no_text_is_compared_as_json(client: OpenAI) -> None:
    grader = SAME | {"input": "{{sample.output_json}}", "reference": '{"a": [1, 2.5, true, null, "é"]}'}
    assert run(client, grader, '{"a":[1,2.5,true,null,"é"]}').reward == 1


@pytest.mark.parametrize(
    ("grader", "error"),
    [
        (SAME | {"reference": "{{item.nothing}}"}, "invalid_variable_error"),
        (SAME | {"reference": "{{item.answer.deeper}}"}, "invalid_variable_error"),
        (SAME | {"input": "{{sample.output_json.a}}"}, "sample_parse_error"),
        (SAME | {"input": "{{sample.output_tools[0].function.name}}"}, "invalid_variable_error"),
        (SAME | {"input": "{{item.long}}" * 101}, "other_error"),
        (SIMILAR | {"input": "{{item.long}}" * 11}, "other_error"),
        (MULTI | {"calculate_output": "a / (b - b)"}, "formula_parse_error"),
    ],
)
def test_what_cannot_be_graded_has_no_reward_and_says_why(client: OpenAI, grader: Json, error: str) -> None:
    result = run(client, grader, item={"answer": "Paris", "long": "x" * 10_000})
    assert (result.reward, trouble(result)) == (0, {error: True})


# -- multi


def test_a_formula_makes_one_reward_of_several(client: OpenAI) -> None:
    result = run(client, MULTI)
    assert result.reward == 1
    assert result.sub_rewards == result.metadata.scores == {"a": 1, "b": 1}


def test_a_grader_that_fails_counts_as_nothing(client: OpenAI) -> None:
    broken = SAME | {"reference": "{{item.nothing}}"}
    result = run(client, MULTI | {"graders": {"a": broken, "b": SIMILAR}})
    assert (result.reward, result.sub_rewards) == (0.25, {"a": 0, "b": 1})
    assert trouble(result) == {"invalid_variable_error": True}


def test_tokens_are_added_up_by_model(client: OpenAI) -> None:
    graders = {"a": JUDGE, "b": JUDGE | {"model": "o4-mini"}, "c": LABELS}
    result = run(client, MULTI | {"graders": graders, "calculate_output": "max(a, b, c)"})
    usage: Json = result.api_model_grader_token_usage_per_model
    assert set(usage) == {"gpt-4.1-2025-04-14", "o4-mini-2025-04-16"}
    assert list(usage["o4-mini-2025-04-16"]) == ["prompt_tokens", "total_tokens", "completion_tokens", "cached_tokens"]
    assert result.metadata.token_usage == sum(one["total_tokens"] for one in usage.values()) > 0


# -- models


@pytest.fixture
def judged(http: httpx2.Client) -> Iterator[Judged]:
    """Run a grader beside a script for the model that it asks."""
    with ExitStack() as servers:

        def judge(grader: Json, respond: Json) -> GraderRunResponse:
            rule = {"when": {"operation": "createChatCompletion"}, "respond": respond}
            return run(client_of(servers.enter_context(MockServer({"rules": [rule]})), http), grader)

        yield judge


def test_an_unscripted_judge_gives_a_score_in_its_range_and_the_same_again(client: OpenAI) -> None:
    first, second = run(client, JUDGE), run(client, JUDGE)
    assert 1 <= first.reward <= 5
    assert (first.reward, trouble(first)) == (second.reward, {})
    assert first.metadata.sampled_model_name == "gpt-4.1-2025-04-14"
    assert run(client, LABELS).reward in (0, 1)


def test_a_judge_is_asked_by_a_chat_of_its_own(client: OpenAI, mock: MockServer) -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,{{item.png}}", "detail": "low"}
    text = {"type": "input_text", "text": "Grade {{sample.output_text}}."}
    sampling = {"seed": 7, "top_p": 0.5, "temperature": 0.1, "max_completions_tokens": 500, "reasoning_effort": None}
    run(
        client,
        JUDGE | {"input": [{"role": "user", "content": [text, image]}], "sampling_params": sampling},
        item={"png": "AAAA"},
    )
    (call,) = mock.calls("createChatCompletion")
    assert call.body["messages"] == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Grade Paris."},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
            ],
        }
    ]
    assert {name: call.body[name] for name in ("seed", "top_p", "temperature", "max_completion_tokens")} == {
        "seed": 7,
        "top_p": 0.5,
        "temperature": 0.1,
        "max_completion_tokens": 500,
    }
    form = call.body["response_format"]["json_schema"]["schema"]["properties"]
    assert form["result"] == {"type": "number", "minimum": 1.0, "maximum": 5.0}


@pytest.mark.parametrize(
    ("respond", "reward"),
    [
        ({"json": {"steps": [], "result": 4.5}}, 4.5),
        ({"json": {"steps": [], "result": 9}}, 5),
        ({"json": {"steps": [], "result": -9}}, 1),
        ({"json": {"result": "2.5"}}, 2.5),
        ({"text": "3"}, 3),
    ],
)
def test_a_scripted_score_is_cut_to_the_range(respond: Json, reward: float, judged: Judged) -> None:
    result = judged(JUDGE, respond)
    assert (result.reward, trouble(result)) == (reward, {})


@pytest.mark.parametrize(
    ("respond", "reward"), [({"json": {"result": "good"}}, 1), ({"json": {"result": "bad"}}, 0), ({"text": "good"}, 1)]
)
def test_a_scripted_label_passes_or_not(respond: Json, reward: float, judged: Judged) -> None:
    result = judged(LABELS, respond)
    assert (result.reward, trouble(result)) == (reward, {})


@pytest.mark.parametrize(
    ("grader", "respond", "errors"),
    [
        (JUDGE, {"text": "quite good"}, {"model_grader_parse_error": True}),
        (JUDGE, {"json": {"result": True}}, {"model_grader_parse_error": True}),
        (JUDGE, {"json": {"result": None}}, {"model_grader_parse_error": True}),
        (JUDGE, {"json": {"result": [1]}}, {"model_grader_parse_error": True}),
        (JUDGE, {"json": {"result": {"a": 1}}}, {"model_grader_parse_error": True}),
        (JUDGE, {"json": {"steps": []}}, {"model_grader_parse_error": True}),
        (JUDGE, {"text": "NaN"}, {"model_grader_parse_error": True}),
        (JUDGE, {"text": "1e999"}, {"model_grader_parse_error": True}),
        (JUDGE, {"json": []}, {"model_grader_parse_error": True}),
        (LABELS, {"json": {"result": "so so"}}, {"model_grader_parse_error": True}),
        (LABELS, {"json": {"result": ["good"]}}, {"model_grader_parse_error": True}),
        (LABELS, {"refusal": "I'd rather not."}, {"model_grader_refusal_error": True}),
        (JUDGE, {"refusal": "I'd rather not."}, {"model_grader_refusal_error": True}),
    ],
)
def test_an_answer_that_is_no_grade_is_an_error_of_the_model(
    grader: Json, respond: Json, errors: dict[str, Json], judged: Judged
) -> None:
    result = judged(grader, respond)
    assert (result.reward, trouble(result)) == (0, errors)


def test_a_model_that_fails_is_an_error_with_details(judged: Judged) -> None:
    found = trouble(judged(JUDGE, {"error": "server_error"}))
    assert found["model_grader_server_error"] is True
    assert found["model_grader_server_error_details"].startswith("The server had an error")


@pytest.mark.parametrize(
    "body", [[], {}, 1, {"choices": []}, {"choices": [1]}, {"choices": [{"message": "x"}]}, {"choices": {"a": 1}}]
)
def test_a_body_that_is_no_completion_is_an_error_of_the_model(body: Json, judged: Judged) -> None:
    for status in (200, 500):
        found = trouble(judged(JUDGE, {"body": body, "status": status}))
        assert (
            found["model_grader_server_error_details"] == f"the model's answer, with status {status}, is not a chat completion"
        )


def test_a_named_error_is_an_error_of_the_model(judged: Judged) -> None:
    found = trouble(judged(LABELS, {"error": "rate_limit"}))
    assert "rate limit" in found["model_grader_server_error_details"]


def test_an_unknown_deployment_is_an_error_of_the_model(http: httpx2.Client) -> None:
    with MockServer({"deployments": {"gpt-4o": {}}}) as mock:
        found = trouble(run(client_of(mock, http), JUDGE))
    assert found["model_grader_server_error_details"].startswith("The API deployment for this resource does not exist.")


def test_questions_are_in_the_journal_under_the_run(client: OpenAI, mock: MockServer) -> None:
    run(client, MULTI | {"graders": {"a": JUDGE, "b": LABELS}, "calculate_output": "a"})
    (grading,), questions = mock.calls("runGrader"), mock.calls("createChatCompletion")
    assert [one.exchange.parent for one in questions] == [grading.exchange.number] * 2


def test_questions_count_against_the_deployments_quota(http: httpx2.Client) -> None:
    with MockServer({"deployments": {"gpt-4.1": {"rpm": 1}}}) as mock:
        client = client_of(mock, http)
        assert trouble(run(client, JUDGE)) == {}
        found = trouble(run(client, JUDGE))
    assert "have exceeded the call rate limit" in found["model_grader_server_error_details"]


def test_a_strict_script_that_has_no_answer_says_so(http: httpx2.Client) -> None:
    with MockServer({"resource": {"strict": True}, "rules": [{"when": {"user": "hello"}, "respond": {"text": "1"}}]}) as mock:
        found = trouble(run(client_of(mock, http), JUDGE))
    assert found["model_grader_server_error_details"].startswith("mockserver: no rule of the scenario matches this request.")


def test_a_rule_tells_judges_apart_and_answers_in_turn(http: httpx2.Client) -> None:
    scores = [{"json": {"steps": [], "result": score}} for score in (2, 4)]
    rule = {"when": {"operation": "createChatCompletion", "system": {"contains": "expert grader"}}, "respond": scores}
    with MockServer({"rules": [rule]}) as mock:
        client = client_of(mock, http)
        assert [run(client, JUDGE).reward for _ in range(3)] == [2, 4, 4]


def test_a_rule_can_answer_for_a_grader_altogether(http: httpx2.Client) -> None:
    rule = {"when": {"operation": "runGrader"}, "respond": {"body": {"reward": 0.125}}}
    with MockServer({"rules": [rule]}) as mock:
        result = run(client_of(mock, http), SAME)
    assert (result.reward, result.metadata.name) == (0.125, "same")


def test_a_judge_hears_what_the_caller_attaches(client: OpenAI, mock: MockServer) -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
    said = {"type": "output_text", "text": "{{sample.output_text}}"}
    judge = JUDGE | {"model": "gpt-4o-audio-preview", "input": [{"role": "user", "content": [sound, said, "{{item.answer}}"]}]}
    run(client, judge)
    (call,) = mock.calls("createChatCompletion")
    assert call.body["messages"][0]["content"] == [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
        {"type": "text", "text": "Paris"},
        {"type": "text", "text": "Paris"},
    ]


@pytest.mark.anyio
async def test_many_graders_run_at_once(async_client: AsyncOpenAI) -> None:
    graders = async_client.fine_tuning.alpha.graders
    samples = ["Paris", "Rome"] * 10
    results = await asyncio.gather(*(graders.run(grader=SAME, model_sample=one, item={"answer": "Paris"}) for one in samples))  # type: ignore[arg-type]
    assert [result.reward for result in results] == [1, 0] * 10


def test_the_same_run_gives_the_same_bytes(http: httpx2.Client) -> None:
    body = {
        "grader": MULTI | {"graders": {"a": JUDGE, "b": LABELS}, "calculate_output": "a + b"},
        "model_sample": "x",
        "item": {"answer": "y"},
    }
    texts = set()
    for _ in range(2):
        with MockServer(seed=7) as mock:
            mock.clock.freeze(1_790_000_000)
            answer = http.post(mock.base_url + "fine_tuning/alpha/graders/run", json=body, headers={"api-key": mock.api_key})
            texts.add(answer.text)
    assert len(texts) == 1


def test_the_time_that_grading_takes_is_the_clocks(http: httpx2.Client) -> None:
    with MockServer() as mock:
        assert 0 <= run(client_of(mock, http), JUDGE).metadata.execution_time < 5


# -- what settings and extras allow


@pytest.mark.parametrize(("grader", "hint"), [(PYTHON, "python_graders"), (ENDPOINT, "grader_hosts")])
def test_code_of_the_callers_runs_only_where_a_setting_allows_it(
    client: OpenAI, mock: MockServer, grader: Json, hint: str
) -> None:
    assert validate(client, grader)["type"] == grader["type"]
    for one in (grader, MULTI | {"graders": {"a": grader}, "calculate_output": "a"}):
        error = refused(client, one, run_it=True)
        assert_azure_error(error, 501, contains=hint, code="NotImplemented")
        assert error.response.headers["x-should-retry"] == "false"


def test_fuzzy_matching_without_its_library_says_what_to_install(client: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidfuzz", None)
    error = refused(client, SIMILAR | {"evaluation_metric": "fuzzy_match"}, run_it=True)
    assert_azure_error(error, 501, contains="pip install 'azure-openai-mockserver[graders]'")


def test_python_graders_run_once_they_are_on(http: httpx2.Client) -> None:
    with MockServer(python_graders=True) as mock:
        result = run(client_of(mock, http), PYTHON, item={"most": 10})
    assert (result.reward, result.metadata.name, trouble(result)) == (0.5, "python", {})


def test_endpoint_graders_call_hosts_that_are_allowed(http: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Json] = []

    def post(url: str, headers: Json, body: bytes) -> bytes:
        sent.append((url, json.loads(body)))
        return b'{"score": 7}'

    monkeypatch.setattr(endpoints, "post", post)
    with MockServer(grader_hosts=["grader.example"]) as mock:
        client = client_of(mock, http)
        result = run(client, ENDPOINT)
        run(client, ENDPOINT)
        error = refused(client, ENDPOINT | {"url": "https://other.example/"}, run_it=True)
    assert_azure_error(error, 501, contains="'other.example'")
    assert (result.reward, trouble(result)) == (7, {})
    (url, body), (_, again) = sent
    assert (url, body["item"], body["sample"]["output_text"]) == (ENDPOINT["url"], {"answer": "Paris"}, "Paris")
    assert re.fullmatch(r"trace_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", body["trace_id"])
    assert body["trace_id"] != again["trace_id"]


@pytest.mark.parametrize("setting", [{"python_graders": True}, {"grader_hosts": ["grader.example"]}])
def test_a_scenario_cannot_open_the_machine(setting: Json) -> None:
    with pytest.raises(ScenarioError, match=next(iter(setting))):
        MockServer({"resource": setting})


# -- definitions


@pytest.mark.parametrize("grader", [SAME, SIMILAR, JUDGE, LABELS, MULTI, PYTHON, ENDPOINT], ids=lambda one: one["type"])
def test_a_valid_definition_is_returned(client: OpenAI, grader: Json) -> None:
    expected = {"name": grader["type"], **json.loads(json.dumps(grader))}
    if isinstance(expected.get("input"), list):
        expected["input"] = [message | {"type": "message"} for message in expected["input"]]
    found = validate(client, grader)
    assert found == expected
    assert [*found][:2] == ["type", "name"]


def test_members_stand_in_the_order_that_is_recorded_of_evals(client: OpenAI) -> None:
    """Recorded of the criteria of an eval: type and name, the others by name, the threshold as a decimal at the end."""
    assert [*validate(client, LABELS)] == ["type", "name", "input", "labels", "model", "passing_labels"]
    assert [*validate(client, SAME)] == ["type", "name", "input", "operation", "reference"]
    found = validate(client, SIMILAR | {"pass_threshold": 1})
    assert json.dumps(found).endswith('"reference": "{{item.answer}}", "pass_threshold": 1.0}')
    message = {"type": "message", "role": "user", "content": "x"}
    assert [*validate(client, JUDGE | {"input": [message], "pass_threshold": 3})] == [
        "type",
        "name",
        "input",
        "model",
        "range",
        "pass_threshold",
    ]


def test_members_that_do_not_belong_are_left_out(client: OpenAI) -> None:
    assert "image_tag" not in validate(client, JUDGE | {"image_tag": "2025-05-08"})


def test_the_client_reads_what_is_returned(client: OpenAI) -> None:
    for grader in (SAME, SIMILAR, JUDGE, PYTHON):
        assert client.fine_tuning.alpha.graders.validate(grader=grader).grader is not None  # type: ignore[arg-type]


INNER = {key: value for key, value in SAME.items() if key != "name"}
MISTAKES: list[tuple[Json, str, str]] = [
    ({}, "type", "Missing required parameter: 'type'."),
    (SAME | {"type": "regex"}, "type", "Invalid value: 'regex'. Supported values are: 'string_check', 'text_similarity', "),
    (SAME | {"type": 1}, "type", "Invalid type for 'type': expected a string, but got an integer instead."),
    (INNER, "name", "Missing required parameter: 'name'."),
    (SAME | {"operation": "neq"}, "operation", "Invalid value: 'neq'. Supported values are: 'eq', 'ne', 'like', and 'ilike'."),
    (SAME | {"input": ["x"]}, "input", "Invalid type for 'input': expected a string, but got an array instead."),
    (SIMILAR | {"evaluation_metric": "chrf"}, "evaluation_metric", "Invalid value: 'chrf'. Supported values are: 'cosine', "),
    (SIMILAR | {"pass_threshold": "1"}, "pass_threshold", "Invalid type for 'pass_threshold': expected a decimal"),
    (SAME | {"input": "{{answer}}"}, "input", "Invalid 'input': '{{answer}}' is in an unknown namespace."),
    (SAME | {"input": "{{item.a b}}"}, "input", "Invalid 'input': '{{item.a b}}' is not a variable."),
    (SAME | {"input": "{{item[}}"}, "input", "Invalid 'input': '{{item[}}' is not a variable."),
    (
        SAME | {"reference": "{{sample.text}}"},
        "reference",
        "Invalid 'reference': '{{sample.text}}' is not a variable of a sample.",
    ),
    (JUDGE | {"input": []}, "input", "Invalid 'input': empty array."),
    (JUDGE | {"input": ["Hi"]}, "input[0]", "Invalid type for 'input[0]': expected an object, but got a string instead."),
    (JUDGE | {"input": [{"role": "tool", "content": "x"}]}, "input[0].role", "Invalid value: 'tool'."),
    (JUDGE | {"input": [{"role": "user"}]}, "input[0].content", "Missing required parameter: 'input[0].content'."),
    (JUDGE | {"input": [{"role": "user", "content": []}]}, "input[0].content", "Invalid 'input[0].content': empty array."),
    (JUDGE | {"input": [{"role": "user", "content": [1]}]}, "input[0].content[0]", "Invalid type for 'input[0].content[0]'"),
    (
        JUDGE | {"input": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        "input[0].content[0].type",
        "Invalid value: 'text'. Supported values are: 'input_text', 'output_text', 'input_image', and 'input_audio'.",
    ),
    (
        JUDGE | {"input": [{"role": "user", "content": {"type": "input_text", "text": "{{x}}"}}]},
        "input[0].content.text",
        "Invalid 'input[0].content.text': '{{x}}' is in an unknown namespace.",
    ),
    (JUDGE | {"range": [1]}, "range", "Invalid 'range': array too short."),
    (JUDGE | {"range": [1, 2, 3]}, "range", "Invalid 'range': array too long."),
    (JUDGE | {"range": [1, "5"]}, "range[1]", "Invalid type for 'range[1]': expected a decimal, but got a string instead."),
    (JUDGE | {"range": [5, 1]}, "range", "Invalid 'range': the first bound is above the second."),
    (JUDGE | {"sampling_params": {"seed": 1.5}}, "sampling_params.seed", "Invalid type for 'sampling_params.seed'"),
    (LABELS | {"labels": []}, "labels", "Invalid 'labels': empty array."),
    (LABELS | {"labels": ["good", 1]}, "labels[1]", "Invalid type for 'labels[1]': expected a string"),
    (LABELS | {"passing_labels": ["fine"]}, "passing_labels", "Invalid 'passing_labels': 'fine' is not one of the labels."),
    (
        MULTI | {"graders": SAME},
        "graders.type",
        "Invalid type for 'graders.type': expected an object, but got a string instead.",
    ),
    (MULTI | {"graders": {"a": MULTI}}, "graders.a.type", "Invalid value: 'multi'."),
    (MULTI | {"graders": {"a": INNER}}, "graders.a.name", "Missing required parameter: 'graders.a.name'."),
    (MULTI | {"calculate_output": "a + c"}, "calculate_output", "Invalid 'calculate_output': 'c' is not the name of a grader;"),
    (MULTI | {"calculate_output": "a +"}, "calculate_output", "Invalid 'calculate_output': expected a number, a name or '('."),
    (PYTHON | {"source": "print(1)"}, "source", "Invalid 'source': it defines no function 'grade'."),
    (PYTHON | {"source": "#" * 300_000}, "source", "Invalid 'source': string too long."),
    (ENDPOINT | {"url": "http://grader.example"}, "url", "Invalid 'url': string does not match pattern."),
    (ENDPOINT | {"url": "https://[x"}, "url", "Invalid 'url': string does not match pattern."),
    (ENDPOINT | {"headers": {"a": 1}}, "headers.a", "Invalid type for 'headers.a': expected a string"),
    (ENDPOINT | {"rate_limit": 0}, "rate_limit", "Invalid 'rate_limit': integer below minimum value."),
]


@pytest.mark.parametrize(("grader", "param", "message"), MISTAKES, ids=[f"{at}-{one[1]}" for at, one in enumerate(MISTAKES)])
def test_a_mistake_in_a_definition_is_refused(client: OpenAI, grader: Json, param: str, message: str) -> None:
    assert_azure_error(refused(client, grader), 400, contains=message, param=param)
    assert_azure_error(refused(client, grader, run_it=True), 400, contains=message, param=param)


def test_a_refusal_is_one_line_too(mock: MockServer, http: httpx2.Client) -> None:
    answer = http.post(mock.base_url + "fine_tuning/alpha/graders/validate", json={}, headers={"api-key": mock.api_key})
    message = "Missing required parameter: 'grader'."
    error = {"message": message, "type": "invalid_request_error", "param": "grader", "code": "missing_required_parameter"}
    assert answer.text == json.dumps({"error": error}, separators=(",", ":"))


def test_no_preview_header_is_needed(http: httpx2.Client) -> None:
    """The path's `alpha` is the opt-in, under every profile (documented)."""
    for profile in ("2026-01", "2026-03"):
        with MockServer(profile=profile) as mock:
            assert run(client_of(mock, http), SAME).reward == 1


def test_another_resources_script_does_not_answer(http: httpx2.Client) -> None:
    rule = {"when": {"operation": "createChatCompletion"}, "respond": {"text": "5"}}
    one, other = {"resource": {"name": "one", "keys": ["a"]}, "rules": [rule]}, {"resource": {"name": "two", "keys": ["b"]}}
    with MockServer([one, other]) as mock:
        clients = [OpenAI(base_url=mock.base_url, api_key=key, http_client=http, max_retries=0) for key in ("a", "b")]
        rewards = [run(client, JUDGE | {"range": [0, 5]}).reward for client in clients]
    assert rewards[0] == 5 != rewards[1]


def test_a_run_needs_a_grader_and_a_sample(mock: MockServer, http: httpx2.Client) -> None:
    def post(body: Json) -> Json:
        answer = http.post(mock.base_url + "fine_tuning/alpha/graders/run", json=body, headers={"api-key": mock.api_key})
        assert answer.status_code == 400
        return answer.json()["error"]["param"]

    assert post({"model_sample": "x"}) == "grader"
    assert post({"grader": SAME}) == "model_sample"
    assert post({"grader": SAME, "model_sample": 1}) == "model_sample"
    assert post({"grader": SAME, "model_sample": "x", "item": "x"}) == "item"
    assert post({"grader": SAME, "model_sample": "x", "reference_answer": "x"}) == "reference_answer"


@pytest.mark.parametrize(
    ("grader", "message", "param"),
    [
        ({"type": "string_check"}, "Missing required parameter: 'method.reinforcement.grader.name'.", "name"),
        ({"type": "label_model"}, "Invalid value: 'label_model'. Supported values are: 'string_check', ", "type"),
        (
            MULTI | {"graders": {"a": SAME}, "calculate_output": "a + b"},
            "'b' is not the name of a grader; there are 'a'.",
            "calculate_output",
        ),
        (MULTI | {"graders": {"a": SAME | {"input": "{{output}}"}}}, "is in an unknown namespace.", "graders.a.input"),
    ],
)
def test_a_job_with_a_mistake_in_its_grader_is_refused(
    http: httpx2.Client, mock: MockServer, grader: Json, message: str, param: str
) -> None:
    key, file = {"api-key": mock.api_key}, {"file": ("a.jsonl", b"{}")}
    file_id = http.post(mock.base_url + "files", files=file, data={"purpose": "fine-tune"}, headers=key).json()["id"]
    method = {"type": "reinforcement", "reinforcement": {"grader": grader}}
    body = {"model": "o4-mini-2025-04-16", "training_file": file_id, "validation_file": file_id, "method": method}
    response = http.post(mock.base_url + "fine_tuning/jobs", json=body, headers=key)
    assert_azure_error(response, 400, contains=message, param=f"method.reinforcement.grader.{param}")
    method["reinforcement"]["grader"] = MULTI | {"graders": {"a": SAME}, "calculate_output": "a"}
    response = http.post(mock.base_url + "fine_tuning/jobs", json=body, headers=key)
    assert (response.status_code, response.json()["method"]["type"]) == (201, "reinforcement")
