"""Fine-tuning jobs: how they are written, how they go on, and what they leave."""

from __future__ import annotations

import asyncio
import csv
import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.fine_tuning import FineTuningJob
from support.azure_errors import assert_azure_error
from support.training import WORDS, chat, chats, jsonl, preference

from mockserver import MockServer
from mockserver.api.fine_tuning.run import cancel, steps
from mockserver.model.training.course import COLUMNS
from mockserver.resource.trained import JOB
from mockserver.state import work

Json = Any
NOW = 1_790_000_000
BASE = "gpt-4.1-nano-2025-04-14"


def upload(client: OpenAI, content: bytes | None = None) -> str:
    return client.files.create(file=("train.jsonl", chats() if content is None else content), purpose="fine-tune").id


def start(client: OpenAI, content: bytes | None = None, **options: Json) -> FineTuningJob:
    return client.fine_tuning.jobs.create(**{"model": BASE, "training_file": upload(client, content)} | options)


def trained(client: OpenAI, content: bytes | None = None, **options: Json) -> FineTuningJob:
    job = client.fine_tuning.jobs.retrieve(start(client, content, **options).id)
    assert job.status == "succeeded", job.error
    return job


def messages(client: OpenAI, job_id: str) -> list[str]:
    """The messages of a job's events, oldest first."""
    return [event.message for event in client.fine_tuning.jobs.list_events(job_id)][::-1]


def serving(**lifecycle: Json) -> MockServer:
    server = MockServer({"resource": {"lifecycle": {"fine_tuning.job": lifecycle}}})
    server.clock.freeze(NOW)
    return server


def call(http: httpx2.Client, mock: MockServer, method: str, path: str, **options: Any) -> httpx2.Response:
    return http.request(method, f"{mock.base_url}fine_tuning{path}", headers={"api-key": mock.api_key}, **options)


# -- as it is written


def test_a_new_job_is_written_as_recorded(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    file_id = upload(plain)
    method = {"type": "supervised", "supervised": {"hyperparameters": {}}}
    sent = {"model": "gpt-4o-mini", "training_file": file_id, "method": method}
    response = call(http, mock, "POST", "/jobs", json=sent)
    job = response.json()
    assert list(job.items()) == [
        ("hyperparameters", {"n_epochs": -1, "batch_size": -1, "learning_rate_multiplier": 1}),
        ("seed", job["seed"]),
        ("method", {"type": "supervised"}),
        ("status", "pending"),
        ("model", "gpt-4o-mini-2024-07-18"),
        ("training_file", file_id),
        ("estimated_finish", NOW + 900),
        ("id", job["id"]),
        ("created_at", NOW),
        ("object", "fine_tuning.job"),
    ]
    assert (response.status_code, len(job["id"])) == (201, len("ftjob-") + 32)
    assert response.headers["location"].endswith(f"/openai/v1/fine_tuning/{job['id']}")
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert "x-envoy-upstream-service-time" in response.headers
    assert "x-ms-middleware-request-id" not in response.headers
    assert "x-request-id" not in response.headers


def test_a_finished_job_is_written_as_recorded(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    job_id = start(plain, extra_body={"trainingType": "Standard"}).id
    job = call(http, mock, "GET", f"/jobs/{job_id}").json()
    assert list(job) == [
        "hyperparameters",
        "seed",
        "trainingType",
        "status",
        "model",
        "fine_tuned_model",
        "training_file",
        "result_files",
        "finished_at",
        "trained_tokens",
        "estimated_finish",
        "id",
        "created_at",
        "object",
    ]
    assert job["hyperparameters"] == {"n_epochs": 10, "batch_size": 1, "learning_rate_multiplier": 1}
    assert (job["trainingType"], job["status"]) == ("standard", "succeeded")
    assert job["fine_tuned_model"] == f"{BASE}.ft-{job_id.removeprefix('ftjob-')}"


def test_a_job_reports_what_was_asked_for(plain: OpenAI) -> None:
    integration: Json = {"type": "wandb", "wandb": {"project": "p", "tags": ["a"]}}
    job = start(
        plain,
        suffix="my-model_1",
        seed=7,
        metadata={"team": "blue"},
        integrations=[integration],
        hyperparameters={"n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 0.5},
    )
    job = plain.fine_tuning.jobs.retrieve(job.id)
    assert job.hyperparameters.to_dict() == {"n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": 0.5}
    assert (job.seed, job.metadata) == (7, {"team": "blue"})
    assert job.integrations is not None
    assert job.integrations[0].wandb.project == "p"
    assert (job.fine_tuned_model or "").endswith("-my-model_1")
    assert job.to_dict()["suffix"] == "my-model_1"


def test_jobs_are_listed_newest_first_by_page_and_metadata(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    assert call(http, mock, "GET", "/jobs").text == '{"has_more":false,"data":[],"object":"list"}'
    ids = [start(plain, metadata={"n": str(n % 2)}).id for n in range(5)]
    assert [job.id for job in plain.fine_tuning.jobs.list(limit=2)] == ids[::-1]
    assert [job.id for job in plain.fine_tuning.jobs.list(metadata={"n": "1"})] == [ids[3], ids[1]]
    assert [job.id for job in plain.fine_tuning.jobs.list(after=ids[1]).data] == [ids[0]]


def test_a_cancelled_job_is_written_as_recorded(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    job_id = start(plain).id
    mock.clock.advance(1)
    job = call(http, mock, "POST", f"/jobs/{job_id}/cancel").json()
    assert (job["status"], job["finished_at"]) == ("cancelled", NOW + 1)
    assert plain.fine_tuning.jobs.retrieve(job_id).status == "cancelled"
    assert messages(plain, job_id)[-1] == "Job canceled."
    again = call(http, mock, "POST", f"/jobs/{job_id}/cancel")
    assert_azure_error(again, 400, contains="cannot be cancelled: its status is 'cancelled'", param="fine_tune_id")


def test_a_deleted_job_is_gone_and_its_model_stays(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    job = trained(plain)
    deleted = call(http, mock, "DELETE", f"/jobs/{job.id}")
    assert (deleted.status_code, deleted.content, deleted.headers["content-length"]) == (204, b"", "0")
    assert "content-type" not in deleted.headers
    gone = call(http, mock, "DELETE", f"/jobs/{job.id}")
    assert_azure_error(
        gone, 404, contains=f"Could not find fine tune: {job.id}", code="fine_tune_not_found", param="fine_tune_id"
    )
    assert plain.models.retrieve(job.fine_tuned_model or "").id == job.fine_tuned_model


def test_a_job_that_is_not_there_is_404_everywhere(http: httpx2.Client, mock: MockServer) -> None:
    for method, path in (
        ("GET", ""),
        ("POST", "/cancel"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("DELETE", ""),
        ("GET", "/events"),
        ("GET", "/checkpoints"),
    ):
        response = call(http, mock, method, f"/jobs/ftjob-nope{path}")
        assert_azure_error(response, 404, contains="Could not find fine tune: ftjob-nope", code="fine_tune_not_found")


ALWAYS = {
    "api-supported-versions",
    "apim-request-id",
    "strict-transport-security",
    "x-content-type-options",
    "x-envoy-upstream-service-time",
    "x-ms-region",
}
"""The headers of all recorded responses of the resource's own surface, besides those that any server sends."""


def test_headers_are_the_recorded_ones(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    created = call(http, mock, "POST", "/jobs", json={"model": BASE, "training_file": upload(plain)})
    path = f"/jobs/{created.json()['id']}"
    cancelled, deleted = call(http, mock, "POST", f"{path}/cancel"), call(http, mock, "DELETE", path)
    chunked = {"content-type", "transfer-encoding"}
    wanted = (ALWAYS | chunked | {"location"}, ALWAYS | chunked, ALWAYS | {"content-length"})
    for response, names in zip((created, cancelled, deleted), wanted, strict=True):
        assert set(response.headers) - {"date", "server", "connection"} == names


def test_a_dated_version_is_kept_in_the_location(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    url = f"{mock.endpoint}/openai/fine_tuning/jobs?api-version=2024-10-21"
    created = http.post(url, json={"model": BASE, "training_file": upload(plain)}, headers={"api-key": mock.api_key})
    assert created.status_code == 201
    assert created.headers["location"].endswith(f"/openai/fine_tuning/{created.json()['id']}?api-version=2024-10-21")


# -- what cannot be trained


@pytest.mark.parametrize(
    ("changes", "message", "param"),
    [
        ({"training_file": "file-nope"}, "invalid training_file: file-nope", "training_file"),
        ({"validation_file": "file-nope"}, "invalid validation_file: file-nope", "validation_file"),
        (
            {"training_file": None},
            "Invalid type for 'training_file': expected a string, but got null instead.",
            "training_file",
        ),
        ({"seed": -1}, "below minimum value", "seed"),
        ({"suffix": ""}, "empty string", "suffix"),
        ({"suffix": "x" * 65}, "maximum length 64", "suffix"),
        ({"suffix": "a b"}, "does not match pattern", "suffix"),
        ({"trainingType": "cheap"}, "Supported values are: 'Standard', 'GlobalStandard', and 'Developer'.", "trainingType"),
        ({"method": {"type": "magic"}}, "Supported values are: 'supervised', 'dpo', and 'reinforcement'.", "method.type"),
        ({"hyperparameters": {"n_epochs": 0}}, "below minimum value", "hyperparameters.n_epochs"),
        ({"integrations": [{"type": "slack"}]}, "Value must be: 'wandb'", "integrations[0].type"),
        ({"nonsense": 1}, "Unknown parameter: 'nonsense'.", "nonsense"),
    ],
)
def test_a_request_with_a_mistake_is_refused(
    http: httpx2.Client, mock: MockServer, plain: OpenAI, changes: Json, message: str, param: str
) -> None:
    sent = {"model": BASE, "training_file": upload(plain)} | changes
    response = call(http, mock, "POST", "/jobs", json=sent)
    assert response.status_code == 400
    assert message in response.json()["error"]["message"]
    assert response.json()["error"]["param"] == param


@pytest.mark.parametrize("model", ["gpt-nonexistent", "text-embedding-3-small", "gpt-4.1-nano.ft-0123", "o3", ""])
def test_a_model_that_cannot_be_trained_is_refused(http: httpx2.Client, mock: MockServer, plain: OpenAI, model: str) -> None:
    response = call(http, mock, "POST", "/jobs", json={"model": model, "training_file": upload(plain)})
    assert_azure_error(response, 400, contains="The specified base model does not support fine-tuning.", code="invalidPayload")


def test_not_every_model_can_be_trained_by_every_method(plain: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="with the method 'dpo'"):
        start(plain, model="gpt-4o-mini", method={"type": "dpo"})
    with pytest.raises(openai.BadRequestError, match="with the method 'supervised'"):
        start(plain, model="o4-mini")


@pytest.mark.parametrize(
    ("name", "snapshot"),
    [
        ("gpt-3.5-turbo", "gpt-35-turbo-0125"),
        ("gpt-4o", "gpt-4o-2024-08-06"),
        ("gpt-4.1", "gpt-4.1-2025-04-14"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini-2025-04-14"),
    ],
)
def test_a_plain_name_trains_the_newest_snapshot(plain: OpenAI, name: str, snapshot: str) -> None:
    assert start(plain, model=name).model == snapshot


def test_a_file_for_another_purpose_is_refused(plain: OpenAI) -> None:
    file_id = plain.files.create(file=("a.jsonl", chats()), purpose="batch").id
    with pytest.raises(openai.BadRequestError, match="Expected a file with purpose 'fine-tune'"):
        start(plain, training_file=file_id)


def test_a_resource_has_at_most_a_hundred_jobs(plain: OpenAI) -> None:
    file_id = upload(plain)
    for _ in range(100):
        plain.fine_tuning.jobs.create(model=BASE, training_file=file_id)
    with pytest.raises(openai.BadRequestError, match="limit of 100 fine-tuning jobs") as caught:
        plain.fine_tuning.jobs.create(model=BASE, training_file=file_id)
    assert caught.value.code == "quotaExceeded"


# -- how a job goes on


def test_a_job_is_done_at_its_first_poll(plain: OpenAI) -> None:
    job = start(plain)
    assert job.status == "pending"  # type: ignore[comparison-overlap]
    assert plain.fine_tuning.jobs.retrieve(job.id).status == "succeeded"


def test_a_job_goes_on_by_polls() -> None:
    with serving(polls=3) as mock:
        job = start(mock.client)
        found = [mock.client.fine_tuning.jobs.retrieve(job.id).status for _ in range(5)]
        assert found == ["pending", "running", "running", "succeeded", "succeeded"]


def test_a_job_goes_on_by_the_clock_and_shows_its_steps_meanwhile() -> None:
    with serving(seconds=1_000) as mock:
        jobs = mock.client.fine_tuning.jobs
        job = start(mock.client)
        assert jobs.retrieve(job.id).status == "pending"  # type: ignore[comparison-overlap]
        mock.clock.advance(500)
        assert jobs.retrieve(job.id).status == "running"
        mock.clock.advance(250)
        steps = [message for message in messages(mock.client, job.id) if message.startswith("Step ")]
        assert [message.partition(":")[0] for message in steps] == [
            "Step 1",
            "Step 10",
            "Step 20",
            "Step 30",
            "Step 40",
            "Step 50",
        ]
        mock.clock.advance(250)
        done = jobs.list().data[0]
        assert (done.status, done.finished_at) == ("succeeded", NOW + 1_000)
        times = {event.message.partition(":")[0]: event.created_at for event in jobs.list_events(job.id, limit=100)}
        assert (times["Job started."], times["Step 1"], times["Step 50"], times["Step 100"]) == (
            NOW + 500,
            NOW + 500,
            NOW + 750,
            NOW + 1_000,
        )


def test_the_events_come_in_the_documented_order(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    job = trained(plain, validation_file=upload(plain, chats(3)))
    found = messages(plain, job.id)
    results = (job.result_files or [""])[0]
    assert found[:5] == [
        "Job enqueued. Waiting for jobs ahead to complete.",
        "Job started.",
        "Preprocessing started.",
        "Training started.",
        f"Created results file: {results}",
    ]
    assert found[-4:] == [
        "Job succeeded.",
        "Postprocessing started.",
        f"Completed results file: {results}",
        "Training hours billed: 0.250",
    ]
    assert [message.partition(":")[0] for message in found[5:-4]] == ["Step 1", *(f"Step {n}0" for n in range(1, 11))]
    page = call(http, mock, "GET", f"/jobs/{job.id}/events?limit=5").json()
    assert list(page) == ["has_more", "data", "object"]
    assert page["has_more"] is True
    assert list(page["data"][0]) == ["id", "created_at", "level", "message", "type", "object"]
    last = page["data"][4]
    assert list(last) == ["id", "created_at", "level", "message", "type", "data", "object"]
    assert last["type"] == "metrics"
    assert list(last["data"]) == [
        "step",
        "train_loss",
        "train_mean_token_accuracy",
        "valid_loss",
        "valid_mean_token_accuracy",
        "full_valid_loss",
        "full_valid_mean_token_accuracy",
    ]
    assert last["message"] == f"Step 100: training loss={last['data']['train_loss']}"


def test_the_results_are_a_file_with_a_row_for_each_step(plain: OpenAI) -> None:
    job = trained(plain, validation_file=upload(plain, chats(3)))
    (file_id,) = job.result_files or []
    file, content = plain.files.retrieve(file_id), plain.files.content(file_id)
    assert (file.filename, file.purpose, file.bytes) == ("results.csv", "fine-tune-results", len(content.read()))
    rows = list(csv.DictReader(content.text.splitlines()))
    assert list(rows[0]) == list(COLUMNS)
    assert [int(row["step"]) for row in rows] == list(range(1, 101))
    assert [int(row["step"]) for row in rows if row["full_valid_loss"]] == list(range(10, 101, 10))
    losses = [float(row["train_loss"]) for row in rows]
    assert sum(losses[:10]) > 3 * sum(losses[-10:])
    accuracies = [float(row["train_mean_token_accuracy"]) for row in rows]
    assert sum(accuracies[:10]) < sum(accuracies[-10:]) <= 10


def test_a_seed_decides_the_course(plain: OpenAI) -> None:
    def curve(seed: int) -> str:
        return plain.files.content((trained(plain, seed=seed).result_files or [""])[0]).text

    assert curve(1) == curve(1)
    assert curve(1) != curve(2)


def test_tokens_are_counted_exactly(plain: OpenAI) -> None:
    question = [{"role": "user", "content": "tell me"}, {"role": "assistant", "content": "no"}]
    job = trained(plain, jsonl([{"messages": question}] * 10), hyperparameters={"n_epochs": 3})
    usage = plain.chat.completions.create(model=BASE, messages=question).usage  # type: ignore[arg-type]
    assert usage is not None
    assert job.trained_tokens == 3 * 10 * usage.prompt_tokens


@pytest.mark.parametrize(
    ("count", "wanted", "resolved"),
    [
        (10, {}, (10, 1, 1)),
        (12, {}, (8, 1, 1)),
        (10, {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto"}, (10, 1, 1)),
        (12, {"n_epochs": 2, "batch_size": 5}, (2, 5, 1)),
        (10, {"batch_size": 256}, (10, 10, 1)),
    ],
)
def test_hyperparameters_are_resolved(plain: OpenAI, count: int, wanted: Json, resolved: Json) -> None:
    found = trained(plain, chats(count), hyperparameters=wanted).hyperparameters
    assert (found.n_epochs, found.batch_size, found.learning_rate_multiplier) == resolved


def test_a_large_file_is_read_once_in_larger_batches(plain: OpenAI) -> None:
    job = trained(plain, jsonl(chat(WORDS[n % 12]) for n in range(1_500)))
    assert (job.hyperparameters.n_epochs, job.hyperparameters.batch_size) == (3, 3)
    assert messages(plain, job.id)[-5].startswith("Step 1500: ")


# -- checkpoints, pause and resume


def test_checkpoints_are_those_of_the_last_three_epochs(http: httpx2.Client, mock: MockServer, plain: OpenAI) -> None:
    job = trained(plain)
    page = call(http, mock, "GET", f"/jobs/{job.id}/checkpoints").json()
    assert list(page) == ["has_more", "data", "object"]
    name = job.fine_tuned_model
    assert [(one["fine_tuned_model_checkpoint"], one["step_number"]) for one in page["data"]] == [
        (name, 100),
        (f"{name}:ckpt-step-90", 90),
        (f"{name}:ckpt-step-80", 80),
    ]
    first = page["data"][0]
    assert list(first) == [
        "id",
        "created_at",
        "fine_tuned_model_checkpoint",
        "step_number",
        "metrics",
        "fine_tuning_job_id",
        "object",
    ]
    assert (len(first["id"]), list(first["metrics"])) == (
        len("ftchkpt-") + 32,
        ["step", "train_loss", "train_mean_token_accuracy"],
    )
    assert [one.id for one in plain.fine_tuning.jobs.checkpoints.list(job.id, limit=2)] == [one["id"] for one in page["data"]]


def test_one_epoch_leaves_one_checkpoint(plain: OpenAI) -> None:
    job = trained(plain, hyperparameters={"n_epochs": 1})
    (checkpoint,) = plain.fine_tuning.jobs.checkpoints.list(job.id)
    assert checkpoint.fine_tuned_model_checkpoint == job.fine_tuned_model


def test_a_paused_job_leaves_a_checkpoint_and_goes_on_when_it_is_resumed() -> None:
    with serving(polls=1) as mock:
        client, jobs = mock.client, mock.client.fine_tuning.jobs
        job = start(client)
        assert jobs.retrieve(job.id).status == "running"
        assert jobs.pause(job.id).to_dict()["status"] == "paused"
        assert jobs.retrieve(job.id).to_dict()["status"] == "paused"
        (checkpoint,) = jobs.checkpoints.list(job.id)
        name = checkpoint.fine_tuned_model_checkpoint
        assert name.endswith(":ckpt-step-1")
        answer = client.chat.completions.create(model=name, messages=[{"role": "user", "content": "Which letter is beta?"}])
        assert answer.choices[0].message.content == "It is beta."
        resumed = jobs.resume(job.id).to_dict()
        assert resumed["status"] == "resuming"
        assert resumed["result_files"]
        assert [jobs.retrieve(job.id).status for _ in range(2)] == ["running", "succeeded"]
        steps = [one.step_number for one in jobs.checkpoints.list(job.id)]
        assert steps == [100, 90, 80, 1]
        assert messages(client, job.id).count("Step 1: training loss=" + str(checkpoint.metrics.train_loss)) == 1


def test_a_job_that_is_paused_halfway_has_the_checkpoint_of_that_step() -> None:
    with serving(seconds=1_000) as mock:
        jobs = mock.client.fine_tuning.jobs
        job = start(mock.client)
        mock.clock.advance(750)
        jobs.pause(job.id)
        assert [one.step_number for one in jobs.checkpoints.list(job.id)] == [50]
        mock.clock.advance("1d")
        assert jobs.retrieve(job.id).to_dict()["status"] == "paused"
        jobs.resume(job.id)
        mock.clock.advance(1_000)
        assert jobs.retrieve(job.id).status == "succeeded"


def test_only_a_running_job_is_paused_and_only_a_paused_one_resumed(
    http: httpx2.Client, mock: MockServer, plain: OpenAI
) -> None:
    job = start(plain)
    for action, word in (("pause", "paused"), ("resume", "resumed")):
        refused = call(http, mock, "POST", f"/jobs/{job.id}/{action}")
        assert_azure_error(
            refused, 400, contains=f"Job {job.id} cannot be {word}: its status is 'pending'.", param="fine_tune_id"
        )


# -- the model


def ask(client: OpenAI, model: str, question: str, **options: Json) -> Json:
    response = client.chat.completions.create(model=model, messages=[{"role": "user", "content": question}], **options)
    return response.choices[0].message


def test_the_model_answers_like_the_nearest_example(plain: OpenAI) -> None:
    model = trained(plain).fine_tuned_model or ""
    assert ask(plain, model, "Which letter is gamma?").content == "It is gamma."
    assert ask(plain, model, "please, delta").content == "It is delta."
    assert plain.responses.create(model=model, input="kappa?").output_text == "It is kappa."
    assert ask(plain, model, "Wholly unrelated words").content not in {f"It is {word}." for word in WORDS}
    assert plain.chat.completions.create(model=model, messages=[{"role": "user", "content": "x"}]).model == model


def test_a_rule_answers_before_the_examples_do(mock: MockServer, plain: OpenAI) -> None:
    model = trained(plain).fine_tuned_model or ""
    mock.when(user="gamma").respond("scripted")
    assert ask(plain, model, "Which letter is gamma?").content == "scripted"


def test_the_model_is_listed_and_can_be_deleted(plain: OpenAI) -> None:
    model = trained(plain).fine_tuned_model or ""
    assert [one.id for one in plain.models.list() if ".ft-" in one.id] == [model]
    plain.models.delete(model)
    assert [one.id for one in plain.models.list() if ".ft-" in one.id] == []
    assert ask(plain, model, "Which letter is gamma?").content != "It is gamma."


def test_a_model_that_is_deployed_cannot_be_deleted() -> None:
    with MockServer() as mock:
        model = trained(mock.client).fine_tuned_model or ""
    with MockServer({"deployments": {"mine": model}}) as mock:
        assert trained(mock.client).fine_tuned_model == model
        with pytest.raises(openai.ConflictError, match="while the deployment 'mine' serves it"):
            mock.client.models.delete(model)


def test_the_model_can_be_called_by_its_own_name_beside_deployments() -> None:
    with MockServer({"deployments": {"mine": "gpt-4.1-nano"}}) as mock:
        model = trained(mock.client).fine_tuned_model or ""
        assert ask(mock.client, model, "eta").content == "It is eta."
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            ask(mock.client, model.replace(".ft-", ".ft-0"), "eta")


def test_the_model_can_be_deployed_under_another_name() -> None:
    with MockServer() as mock:
        model = trained(mock.client).fine_tuned_model or ""
        job_id = model.partition(".ft-")[2]
    with MockServer({"deployments": {"mine": model, "base": "gpt-4.1-nano"}}) as mock:
        again = trained(mock.client).fine_tuned_model
        assert again == f"{BASE}.ft-{job_id}"
        assert ask(mock.client, "mine", "iota").content == "It is iota."
        assert ask(mock.client, "base", "iota").content != "It is iota."


def test_a_trained_model_can_be_trained_further(plain: OpenAI) -> None:
    first = trained(plain).fine_tuned_model or ""
    second = trained(plain, jsonl(chat("omega") for _ in range(10)), model=first)
    assert (second.model, (second.fine_tuned_model or "").partition(".ft-")[0]) == (first, BASE)
    assert ask(plain, second.fine_tuned_model or "", "omega").content == "It is omega."


def test_a_model_that_was_trained_to_call_tools_calls_them(plain: OpenAI) -> None:
    function = {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}
    tools: Json = [{"type": "function", "function": function}]

    def example(city: str) -> Json:
        call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": json.dumps({"city": city})}}
        turns = [
            {"role": "user", "content": f"Weather in {city}?"},
            {"role": "assistant", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": "20"},
            {"role": "assistant", "content": f"Mild in {city}."},
        ]
        return {"messages": turns, "tools": tools, "parallel_tool_calls": False}

    model = trained(plain, jsonl(example(word) for word in WORDS)).fine_tuned_model or ""
    called = ask(plain, model, "Weather in zeta?", tools=tools)
    assert [(use.function.name, use.function.arguments) for use in called.tool_calls] == [("weather", '{"city": "zeta"}')]
    turns: Json = [
        {"role": "user", "content": "Weather in zeta?"},
        called.to_dict(),
        {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "20"},
    ]
    answer = plain.chat.completions.create(model=model, messages=turns, tools=tools)
    assert answer.choices[0].message.content == "Mild in zeta."
    assert ask(plain, model, "Weather in zeta?").tool_calls is None


def test_an_answer_with_weight_0_is_not_learnt(plain: OpenAI) -> None:
    def example(word: str) -> Json:
        turns = [
            {"role": "user", "content": f"First {word}"},
            {"role": "assistant", "content": "Wrong.", "weight": 0},
            {"role": "user", "content": f"Second {word}"},
            {"role": "assistant", "content": "Right.", "weight": 1},
        ]
        return {"messages": turns}

    model = trained(plain, jsonl(example(word) for word in WORDS)).fine_tuned_model or ""
    assert ask(plain, model, "First alpha").content == "Right."


def test_a_preferred_answer_is_learnt(plain: OpenAI) -> None:
    method: Json = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1, "n_epochs": 2}}}
    job = trained(plain, jsonl(preference(word) for word in WORDS), model="gpt-4.1", method=method)
    assert job.hyperparameters.to_dict()["beta"] == 0.1
    assert ask(plain, job.fine_tuned_model or "", "Which letter is mu?").content == "Preferred: mu."


def test_an_answer_that_is_not_in_the_wanted_format_is_not_recalled(plain: OpenAI) -> None:
    model = trained(plain).fine_tuned_model or ""
    schema = {
        "type": "object",
        "properties": {"letter": {"type": "string"}},
        "required": ["letter"],
        "additionalProperties": False,
    }
    wanted: Json = {"type": "json_schema", "json_schema": {"name": "letter", "strict": True, "schema": schema}}
    answer = ask(plain, model, "Which letter is gamma?", response_format=wanted).content
    assert list(json.loads(answer)) == ["letter"]


def test_a_completion_model_learns_completions(plain: OpenAI) -> None:
    examples = [{"prompt": f"Letter {word} ->", "completion": f" is {word}"} for word in WORDS]
    model = trained(plain, jsonl(examples), model="davinci-002").fine_tuned_model or ""
    assert plain.completions.create(model=model, prompt="Letter theta ->").choices[0].text == " is theta"


@pytest.mark.anyio
async def test_the_asynchronous_client_does_all_of_it(async_client: AsyncOpenAI) -> None:
    file = await async_client.files.create(file=("a.jsonl", chats()), purpose="fine-tune")
    jobs = async_client.fine_tuning.jobs
    job = await jobs.create(model=BASE, training_file=file.id)
    other, third = await asyncio.gather(*(jobs.create(model=BASE, training_file=file.id) for _ in range(2)))
    assert (await jobs.retrieve(job.id)).status == "succeeded"
    assert (await jobs.cancel(other.id)).status == "cancelled"
    assert [one.id async for one in jobs.list()] == [third.id, other.id, job.id]
    assert len([event async for event in jobs.list_events(job.id)]) == 20
    assert len([one async for one in jobs.checkpoints.list(job.id)]) == 3
    for action in (jobs.pause, jobs.resume):
        with pytest.raises(openai.BadRequestError):
            await action(job.id)


def test_jobs_survive_a_restart(tmp_path: Any) -> None:
    state, scenario = str(tmp_path / "a.state"), {"resource": {"lifecycle": {"fine_tuning.job": {"polls": 1}}}}
    with MockServer(scenario, state=state) as mock:
        job = start(mock.client)
        assert mock.client.fine_tuning.jobs.retrieve(job.id).status == "running"
    with MockServer(scenario, state=state) as mock:
        done = mock.client.fine_tuning.jobs.retrieve(job.id)
        assert done.status == "succeeded"
        assert ask(mock.client, done.fine_tuned_model or "", "eta").content == "It is eta."


@pytest.mark.parametrize("taken", [1, 5, 12, 14, 25, 40, 300])
def test_a_run_that_was_cut_off_after_any_step_goes_on(tmp_path: Any, taken: int) -> None:
    state = str(tmp_path / "a.state")
    with MockServer(state=state) as mock:
        job = start(mock.client, chats(12), validation_file=upload(mock.client))
        with pytest.raises(work.Unfinished) as caught:
            work.poll(mock.resource, JOB, job.id, mock.clock.now())
        for _ in itertools.islice(caught.value.steps, taken):
            pass
    with MockServer(state=state) as mock:
        done = mock.client.fine_tuning.jobs.retrieve(job.id)
        assert done.status == "succeeded"
        found = messages(mock.client, job.id)
        assert len(found) == len(set(found)) == 9 + 10 + 1
        assert [one.step_number for one in mock.client.fine_tuning.jobs.checkpoints.list(job.id)] == [96, 84, 72]
        assert len(mock.client.files.content((done.result_files or [""])[0]).text.splitlines()) == 97


def test_many_callers_may_look_at_a_job_while_it_runs(mock: MockServer, plain: OpenAI) -> None:
    job = start(plain, jsonl(chat(f"{word}{n}") for n in range(100) for word in WORDS))
    with ThreadPoolExecutor(6) as pool:
        reads = [pool.submit(plain.fine_tuning.jobs.retrieve, job.id) for _ in range(3)]
        reads += [pool.submit(lambda: plain.fine_tuning.jobs.list().data[0]) for _ in range(3)]
        assert "succeeded" in {one.result().status for one in reads}
    assert plain.fine_tuning.jobs.retrieve(job.id).status == "succeeded"
    found = messages(plain, job.id)
    assert len(found) == len(set(found))
    assert found.count("Job succeeded.") == 1


def test_whoever_comes_late_to_a_job_leaves_what_its_model_has_learnt(mock: MockServer, plain: OpenAI) -> None:
    job = start(plain, jsonl(chat(f"{word}{n}") for n in range(5) for word in WORDS))
    with pytest.raises(work.Unfinished) as caught:
        work.poll(mock.resource, JOB, job.id, mock.clock.now())
    slow = steps(mock.resource, job.id)
    for _ in range(60):  # it has read the file, and learns
        next(slow)
    for _ in caught.value.steps:
        pass
    for _ in slow:
        pass
    assert plain.fine_tuning.jobs.retrieve(job.id).status == "succeeded"
    kinds = [entry.kind for entry in mock.resource.store.entries()]
    assert kinds.count("training") == 1
    assert kinds.count("training.lesson") == 5 * len(WORDS)


@pytest.mark.parametrize("taken", [1, 60])
def test_a_job_that_is_cancelled_stops_whoever_learns(mock: MockServer, plain: OpenAI, taken: int) -> None:
    job = start(plain, jsonl(chat(f"{word}{n}") for n in range(5) for word in WORDS))
    with pytest.raises(work.Unfinished) as caught:
        work.poll(mock.resource, JOB, job.id, mock.clock.now())
    for _ in range(taken):
        next(caught.value.steps)
    document = mock.resource.store.get(JOB, job.id)
    assert document is not None
    cancel(mock.resource, document, mock.clock.now())
    for _ in caught.value.steps:
        pass
    assert plain.fine_tuning.jobs.retrieve(job.id).status == "cancelled"
    assert "training.lesson" not in {entry.kind for entry in mock.resource.store.entries()}


def test_a_job_that_is_deleted_while_it_runs_leaves_nothing(mock: MockServer, plain: OpenAI) -> None:
    job = start(plain)
    with pytest.raises(work.Unfinished) as caught:
        work.poll(mock.resource, JOB, job.id, mock.clock.now())
    next(caught.value.steps)
    plain.delete(f"/fine_tuning/jobs/{job.id}", cast_to=object)
    for _ in caught.value.steps:
        pass
    kinds = {entry.kind for entry in mock.resource.store.entries()}
    assert kinds == {"file"} | ({"work"} & kinds)


def test_a_deployment_of_the_model_can_be_added_to_a_running_server(
    http: httpx2.Client, mock: MockServer, plain: OpenAI
) -> None:
    model = trained(plain).fine_tuned_model or ""
    scenario = {"deployments": {"mine": {"model": model}, "judge": "gpt-4o"}}
    replaced = http.put(f"{mock.endpoint}/_mock/scenario", json=scenario)
    assert replaced.status_code == 200, replaced.text
    assert ask(plain, "mine", "iota").content == "It is iota."
    assert ask(plain, f"{model}:ckpt-step-90", "iota").content == "It is iota."
    with pytest.raises(openai.NotFoundError):
        ask(plain, "other", "iota")
