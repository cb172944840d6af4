"""Reinforcement: a job asks the model, has graders judge its answers, and goes on from there."""

from __future__ import annotations

import csv
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob
from support.training import WORDS, chat, jsonl, rewarded

from mockserver import MockServer

Json = Any
BASE = "o4-mini-2025-04-16"
MATCH = {
    "type": "string_check",
    "name": "match",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}


def start(client: OpenAI, content: bytes | None = None, grader: Json = None, **settings: Json) -> FineTuningJob:
    content = jsonl(rewarded(word) for word in WORDS) if content is None else content
    ids = [client.files.create(file=(f"{name}.jsonl", content), purpose="fine-tune").id for name in ("train", "valid")]
    method: Json = {"type": "reinforcement", "reinforcement": {"grader": grader or MATCH} | settings}
    return client.fine_tuning.jobs.create(model="o4-mini", training_file=ids[0], validation_file=ids[1], method=method)


def run(client: OpenAI, content: bytes | None = None, grader: Json = None, **settings: Json) -> FineTuningJob:
    return client.fine_tuning.jobs.retrieve(start(client, content, grader, **settings).id)


def rows(client: OpenAI, job: FineTuningJob) -> list[dict[str, str]]:
    assert job.status == "succeeded", job.error
    return list(csv.DictReader(client.files.content((job.result_files or [""])[0]).text.splitlines()))


def test_rewards_rise_from_what_the_answers_are_worth(mock: MockServer, plain: OpenAI) -> None:
    worthless = [float(row["train_mean_reward"]) for row in rows(plain, run(plain))]
    assert worthless[0] < 0.05
    assert worthless[-1] > 0.5
    for word in WORDS:
        mock.when(user=word).respond(word)
    perfect = [float(row["train_mean_reward"]) for row in rows(plain, run(plain))]
    assert min(perfect) > 0.95


def test_the_answers_are_asked_for_by_requests_of_the_job(mock: MockServer, plain: OpenAI) -> None:
    job = run(plain)
    asked = mock.calls("createChatCompletion")
    assert len(asked) == 5
    assert {call.exchange.headers["x-mockserver-fine-tuning-job-id"] for call in asked} == {job.id}
    assert {call.exchange.deployment for call in asked} == {BASE}
    run(plain, hyperparameters={"eval_samples": 2})
    assert len(mock.calls("createChatCompletion")) == 7


def test_a_grader_may_ask_a_model_itself(mock: MockServer, plain: OpenAI) -> None:
    grader = {
        "type": "score_model",
        "name": "judge",
        "model": "gpt-4o",
        "range": [0, 10],
        "input": [{"role": "user", "content": "Judge {{ sample.output_text }}"}],
    }
    mock.when(user={"contains": "Judge"}).respond(json={"steps": [], "result": 10})
    assert float(rows(plain, run(plain, grader=grader))[0]["train_mean_reward"]) > 0.9


def test_events_and_checkpoints_have_rewards(plain: OpenAI) -> None:
    job = run(plain, hyperparameters={"n_epochs": 2, "batch_size": 3, "eval_interval": 4})
    assert [row["step"] for row in rows(plain, job) if row["full_valid_mean_reward"]] == ["4", "8"]
    events = [event for event in plain.fine_tuning.jobs.list_events(job.id) if event.type == "metrics"]
    first = events[-1]
    assert first.to_dict()["data"].keys() == {"step", "train_mean_reward"}  # type: ignore[attr-defined]
    assert first.message.startswith("Step 1: training mean reward=")
    checkpoint = plain.fine_tuning.jobs.checkpoints.list(job.id).data[0]
    assert checkpoint.metrics.to_dict().keys() == {"step", "train_mean_reward", "full_valid_mean_reward"}
    assert checkpoint.step_number == 8


def test_a_job_shows_its_grader_and_its_hyperparameters(plain: OpenAI) -> None:
    settings: Json = {"reasoning_effort": "low", "compute_multiplier": 2, "eval_interval": 5, "n_epochs": "auto"}
    job = run(plain, hyperparameters=settings)
    assert job.method is not None
    assert job.method.to_dict() == {"type": "reinforcement", "reinforcement": {"grader": MATCH}}
    found = job.hyperparameters.to_dict()
    assert {name: found[name] for name in ("reasoning_effort", "compute_multiplier", "eval_interval")} == {
        "reasoning_effort": "low",
        "compute_multiplier": 2,
        "eval_interval": 5,
    }
    assert found["n_epochs"] == 8


def test_what_was_reinforced_is_a_model_that_improvises(plain: OpenAI) -> None:
    model = run(plain).fine_tuned_model or ""
    answer = plain.chat.completions.create(model=model, messages=[{"role": "user", "content": "Which letter is mu?"}])
    assert answer.model == model
    assert answer.choices[0].message.content


def test_a_wanted_format_is_asked_for(mock: MockServer, plain: OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"letter": {"type": "string"}},
        "required": ["letter"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "letter", "schema": schema, "strict": True}}
    job = run(plain, response_format=wanted)
    assert mock.calls("createChatCompletion")[0].body["response_format"] == wanted
    assert job.method is not None
    assert job.method.to_dict()["reinforcement"]["response_format"] == wanted  # type: ignore[index]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (jsonl([chat("x")] * 10), "is in the fine-tune-chat format"),
        (
            jsonl([{"messages": [{"role": "system", "content": "x"}]}] * 10),
            "Example 1 last message must be from the user, not 'system'.",
        ),
        (jsonl([{"reference": "x"}] * 10), "Unexpected file format"),
        (jsonl([rewarded("x")] * 3), "has 3 example(s)"),
    ],
)
def test_a_file_that_cannot_be_reinforced_fails_the_job(plain: OpenAI, content: bytes, message: str) -> None:
    job = run(plain, content)
    assert job.error is not None
    assert message in job.error.message


def test_a_grader_that_this_server_does_not_run_fails_the_job(plain: OpenAI) -> None:
    job = run(plain, grader={"type": "python", "name": "p", "source": "def grade(sample, item): return 1.0"})
    assert job.error is not None
    assert job.error.code == "grader_unavailable"
    assert "python_graders" in job.error.message


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ({"type": "reinforcement"}, "Missing required parameter: 'method.reinforcement'."),
        ({"type": "reinforcement", "reinforcement": {}}, "Missing required parameter: 'method.reinforcement.grader'."),
    ],
)
def test_reinforcement_needs_a_grader(plain: OpenAI, method: Json, message: str) -> None:
    file_id = plain.files.create(file=("a.jsonl", b"{}"), purpose="fine-tune").id
    with pytest.raises(openai.BadRequestError, match=message):
        plain.fine_tuning.jobs.create(model="o4-mini", training_file=file_id, validation_file=file_id, method=method)


def test_reinforcement_needs_a_validation_file(plain: OpenAI) -> None:
    file_id = plain.files.create(file=("a.jsonl", b"{}"), purpose="fine-tune").id
    method: Json = {"type": "reinforcement", "reinforcement": {"grader": MATCH}}
    with pytest.raises(openai.BadRequestError, match="Missing required parameter: 'validation_file'"):
        plain.fine_tuning.jobs.create(model="o4-mini", training_file=file_id, method=method)
