"""The ready scenarios do what they say, and the page and the schema of the format are in step with it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openai import RateLimitError
from scenario.calls import NOW, answer_to, call, outcome, text, tool_result
from support.training import chats

from mockserver import MockServer
from mockserver.model.prompt import Prompt, Turn
from mockserver.model.reply import Fault, FilterResult, Reasoning, Timing, ToolCall
from mockserver.scenario import template
from mockserver.scenario.document import read
from mockserver.scenario.engine import Script
from mockserver.scenario.load import Scenario, build, load, parse
from mockserver.scenario.named_errors import NAMED_ERRORS
from mockserver.scenario.schema import ScenarioFile, json_schema
from mockserver.scenario.switches import MARK, SWITCHES
from mockserver.scenario.values import ITEM_TYPES
from mockserver.settings import SETTINGS
from mockserver.state.chance import Chance

ROOT = Path(__file__).parents[2]
READY = sorted((ROOT / "scenarios").glob("*.yaml"))
PAGE = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def ready(name: str) -> Script:
    (scenario,) = load([ROOT / "scenarios" / f"{name}.yaml"])
    return Script(scenario.rules)


def later(user: str, turns: int) -> Any:
    """A call in which some answers have been given before."""
    view = call(user)
    prompt: Prompt | None = view.prompt
    assert prompt is not None
    for _ in range(turns):
        prompt.turns[:0] = [Turn("user", "…"), Turn("assistant", "…")]
    return view


def test_hello() -> None:
    assert text(ready("hello"), call("Hello!")) == "Hello! How can I help you today?"
    assert text(ready("hello"), call("bye")) is None


def test_tool_loop() -> None:
    script = ready("tool-loop")
    first = answer_to(script, call("What's the weather in Paris?", tools=("get_weather",)))
    assert first is not None
    assert first.reply is not None
    assert first.reply.parts == [ToolCall("get_weather", '{"city":"Paris"}')]
    second = call("What's the weather in Paris?", tools=("get_weather",), turns=tool_result('{"temp": 18}'))
    assert text(script, second) == 'The tool says: {"temp":18}'
    assert answer_to(script, call("What's the weather in Paris?")) is None


def test_structured_output() -> None:
    answer = text(ready("structured-output"), call("Alice and Bob go to a science fair on Friday"))
    assert json.loads(answer or "") == {"name": "Science Fair", "date": "Friday", "participants": ["Alice", "Bob"]}


def test_multi_turn() -> None:
    script = ready("multi-turn")
    assert text(script, call("tell me a riddle")) == "What has keys but opens no doors?"
    assert text(script, later("is it a map?", 1)) == "No. Try again!"
    assert text(script, later("is it a piano?", 2)) == "Right, a piano! That took you 2 tries."


def test_flaky() -> None:
    script = ready("flaky")
    first, second = answer_to(script, call("flaky?")), answer_to(script, call("flaky?"))
    assert first is not None
    assert second is not None
    assert first.error is not None
    assert second.error is not None
    assert (first.error.status, first.error.headers["retry-after-ms"]) == (429, "100")
    assert (second.error.status, second.error.headers["retry-after-ms"]) == (429, "200")
    assert text(script, call("flaky?")) == "Third time lucky."


def test_slow_stream() -> None:
    answer = answer_to(ready("slow-stream"), call(deployment="gpt-4o-slow"))
    assert answer is not None
    assert answer.timing == Timing(ttft=0.5, tokens_per_second=20.0, jitter=0.2)
    assert answer_to(ready("slow-stream"), call(deployment="gpt-4o")) is None


def test_cut_stream() -> None:
    script = ready("cut-stream")
    cut, reset = answer_to(script, call("cut the stream")), answer_to(script, call("reset the connection"))
    assert cut is not None
    assert reset is not None
    assert (cut.fault, cut.timing.chunk) == (Fault("cut", 6), "word")
    assert reset.fault == Fault("reset", 0)


def test_content_filter() -> None:
    script = ready("content-filter")
    verdicts = []
    for user in ("how to hurt someone", "a dark joke", "a thriller"):
        answer = answer_to(script, call(user))
        assert answer is not None
        assert answer.reply is not None
        verdicts.append((answer.reply.prompt_filter, answer.reply.completion_filter, answer.reply.stop))
    assert verdicts == [
        (FilterResult({"violence": "high"}, blocked=True), None, None),
        (None, FilterResult({"hate": "high"}, blocked=True), "content_filter"),
        (None, FilterResult({"violence": "low"}), None),
    ]


def test_reasoning() -> None:
    answer = answer_to(ready("reasoning"), call("How many r are in strawberry?"))
    assert answer is not None
    assert answer.reply is not None
    thinking = answer.reply.parts[0]
    assert isinstance(thinking, Reasoning)
    assert (len(thinking.summary), thinking.tokens, answer.reply.text) == (2, 128, "There are three.")


def test_states() -> None:
    script = ready("states")
    texts = [text(script, call(f"please {user} my order")) for user in ("cancel",)]
    texts += [
        text(script, call(user)) for user in ("order a lamp", "where is my order?", "cancel my order", "Where is my order?")
    ]
    assert texts == [
        "There is no such order.",
        "Your order is placed.",
        "We are packing it.",
        "It is too late to cancel your order.",
        "It is on its way.",
    ]


def test_rag() -> None:
    script = ready("rag")
    found = "[refunds.md] Within 14 days.\n[hours.html] Closed.\n\nWhen are refunds paid?"
    assert text(script, call(found)) == "Within 14 days. (refunds.md)"
    assert text(script, call("[nothing found]\n\nWho won?")) == "I do not know."
    assert answer_to(script, call("Who won?")) is None


def test_batch() -> None:
    with MockServer(ROOT / "scenarios" / "batch.yaml") as mock:
        mock.clock.freeze()
        questions = ["How are you?", "Tell me how to build a bomb."]
        lines = [
            {"custom_id": one, "method": "POST", "url": "/v1/responses", "body": {"model": "gpt-4o", "input": one}}
            for one in questions
        ]
        content = "\n".join(map(json.dumps, lines)).encode()
        file = mock.client.files.create(file=("in.jsonl", content), purpose="batch")
        batch = mock.client.batches.create(input_file_id=file.id, endpoint="/v1/responses", completion_window="24h")
        statuses = []
        for _ in range(4):
            batch = mock.client.batches.retrieve(batch.id)
            statuses.append(batch.status)
            mock.clock.advance(20)
        assert statuses == ["validating", "in_progress", "finalizing", "completed"]
        assert batch.output_file_id is not None
        assert batch.error_file_id is not None
        assert "Answered in a batch." in mock.client.files.content(batch.output_file_id).text
        assert '"code": "content_filter"' in mock.client.files.content(batch.error_file_id).text


def test_evaluate() -> None:
    with MockServer(ROOT / "scenarios" / "evaluate.yaml", profile="2026-03") as mock:
        judge = {"role": "system", "content": "grade the answer"}
        grader = {"type": "score_model", "name": "judge", "model": "gpt-4o", "input": [judge]}
        grader["input"] = [judge, {"role": "user", "content": "{{sample.output_text}}"}]
        config = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
        evals: Any = mock.client.evals
        evaluation = evals.create(data_source_config=config, testing_criteria=[grader])
        questions = [{"item": {"question": f"What is the capital of {one}?"}} for one in ("France", "Peru")]
        data_source = {
            "type": "responses",
            "model": "gpt-4.1-nano",
            "source": {"type": "file_content", "content": questions},
            "input_messages": {"type": "template", "template": [{"role": "user", "content": "{{item.question}}"}]},
        }
        run = evals.runs.create(evaluation.id, data_source=data_source)
        run = evals.runs.retrieve(run.id, eval_id=evaluation.id)
        assert run.result_counts.to_dict() == {"total": 2, "passed": 1, "failed": 1, "errored": 0}


@pytest.mark.parametrize(
    ("suffix", "ending"),
    [
        ("harmful-data", "harmful_training_data"),
        ("harmful-model", "harmful_model"),
        ("broken", "server_error"),
        ("stuck", "pending"),
        ("fine", "succeeded"),
    ],
)
def test_fine_tune(suffix: str, ending: str) -> None:
    with MockServer(ROOT / "scenarios" / "fine-tune.yaml") as mock:
        jobs = mock.client.fine_tuning.jobs
        file = mock.client.files.create(file=("a.jsonl", chats()), purpose="fine-tune")
        job = jobs.retrieve(jobs.create(model="gpt-4.1-nano", training_file=file.id, suffix=suffix).id)
        assert (job.error.code if job.error is not None else job.status) == ending
        with pytest.raises(RateLimitError, match="used up"):
            mock.client.with_options(max_retries=0).fine_tuning.jobs.create(
                model="gpt-4.1-nano", training_file=file.id, suffix="no-quota"
            )


def test_the_ready_scenarios_can_be_served_together_and_every_one_is_tested() -> None:
    (scenario,) = load([ROOT / "scenarios"])
    assert scenario.files == tuple(READY)
    assert {f"test_{path.stem.replace('-', '_')}" for path in READY} <= set(globals())


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_the_published_schema_accepts_the_ready_scenarios(path: Path) -> None:
    VALIDATOR.validate(read(path.read_text(encoding="utf-8"), path.name).value)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_page_load_and_fit_the_published_schema(example: str) -> None:
    assert isinstance(parse(example), Scenario)
    VALIDATOR.validate(read(example, "page").value)


def test_the_first_example_of_the_page_is_a_tool_loop() -> None:
    script = Script(parse(EXAMPLES[0]).rules)
    assert text(script, call("weather?", turns=tool_result('{"temp": 18}'))) == "It is 18 degrees."


def test_the_near_misses_of_the_page_are_those_of_the_engine() -> None:
    example = re.search(r"```text\n(.*?)\n```", PAGE, re.S)
    assert example is not None
    assert Script(parse(EXAMPLES[0], "weather.yaml").rules).explain_near_misses(call("will it rain?")) == example[1]


def test_the_schema_on_disk_is_the_one_of_the_code() -> None:
    published = json.loads((ROOT / "docs" / "scenario.schema.json").read_text(encoding="utf-8"))
    assert published == SCHEMA, "run: mockserver schema > docs/scenario.schema.json"
    Draft202012Validator.check_schema(SCHEMA)


def test_the_page_names_every_key_error_item_switch_and_template_name() -> None:
    generated = ScenarioFile.model_json_schema()
    keys = {key for section in (generated, *generated["$defs"].values()) for key in section["properties"]} - set(SETTINGS)
    names = {*keys, *NAMED_ERRORS, *ITEM_TYPES, *(MARK + switch for switch in SWITCHES), *template._NAMES}
    quoted = " ".join(re.findall(r"`([^`\n]+)`", PAGE))
    words = {*re.findall(r"[\w-]+", quoted), *re.findall(r"[\w.]+", quoted)}
    code = set(re.findall(r"[\w-]+", " ".join(EXAMPLES)))
    assert sorted(names - words - code) == []


VALUES = (
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "a", "1s", "rate_limit", "hate", "word", "createRun"])
)
SHAPES = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["equals", "name", "text", "any", "not"]), inner, max_size=2)
    ),
    max_leaves=5,
)
RULES = st.fixed_dictionaries(
    {"respond": SHAPES},
    optional={
        "when": st.dictionaries(st.sampled_from(["user", "turn", "json", "state", "tools", "previous"]), SHAPES, max_size=2),
        "times": SHAPES,
    },
)


@given(RULES)
@settings(max_examples=60, deadline=None)
def test_what_loads_fits_the_published_schema(rule: Any) -> None:
    document = {"rules": [rule]}
    if isinstance(outcome(lambda: build(document)), Scenario):
        VALIDATOR.validate(document)


def test_the_same_call_gets_the_same_answer_from_a_script_loaded_anew() -> None:
    source = "rules: [{respond: '{{ uuid() }} {{ fake.name() }} {{ now }}'}]"
    answers = [Script(parse(source).rules).answer(call(), Chance("seed"), NOW) for _ in range(2)]
    assert answers[0] == answers[1]


def test_a_scenario_says_when_background_work_is_done() -> None:
    from openai import OpenAI

    from mockserver import MockServer

    with MockServer({"resource": {"lifecycle": {"seconds": "30s"}}}) as mock:
        mock.clock.freeze(1_790_000_000)
        client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, max_retries=0)
        created = client.responses.create(model="gpt-4o", input="hi", background=True)
        assert client.responses.retrieve(created.id).status != "completed"
        mock.clock.advance("30s")
        assert client.responses.retrieve(created.id).status == "completed"
        client.close()
