"""Runs of evals: what they are, what is refused, how they are listed, when they end."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from support.azure_errors import assert_azure_error
from support.evals import CONFIG, LABEL, PREVIEW, SAME, SIMILAR, asking, create, items, rows, run

from mockserver import MockServer
from mockserver.state import work

Json = Any
NOW = 1_790_000_000
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
    server.clock.freeze(NOW)
    return server


def counts(ended: Any) -> Json:
    return ended.result_counts.to_dict()


# -- the object


def test_a_new_run_has_the_recorded_members_in_their_order(mock: MockServer, http: httpx2.Client, evals: Any) -> None:
    eval_id, headers = create(evals).id, PREVIEW | {"api-key": mock.api_key}
    url = f"{mock.base_url}evals/{eval_id}/runs"
    body = {"data_source": {"type": "jsonl", "source": TWO}, "name": "first", "metadata": {"a": "b"}}
    response = http.post(url, json=body, headers=headers)
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    document = response.json()
    assert document == {
        "object": "eval.run",
        "created_at": NOW,
        "modified_at": NOW,
        "created_by": None,
        "id": document["id"],
        "eval_id": eval_id,
        "status": "in_progress",
        "model": None,
        "data_source": body["data_source"],
        "metadata": {"a": "b"},
        "properties": {},
        "name": "first",
        "report_url": f"{mock.endpoint}/_mock/evals/{eval_id}/runs/{document['id']}?resource=mockserver",
        "result_counts": {"total": 0, "passed": 0, "failed": 0, "errored": 0},
        "per_model_usage": [],
        "per_testing_criteria_results": [],
        "error": {"code": None, "message": None, "correlation_id": None, "inner_error": None},
    }
    ended = http.get(f"{url}/{document['id']}", headers=headers).json()
    assert list(ended) == list(document)
    assert list(ended["result_counts"]) == ["total", "passed", "failed", "errored"]
    assert (ended["status"], ended["error"]) == ("completed", None)


def test_output_items_have_the_recorded_members_in_their_order(mock: MockServer, http: httpx2.Client, evals: Any) -> None:
    mock.when(user="Is it good?").respond(json={"steps": [], "result": "good"})
    ended = run(evals, create(evals, LABEL, SIMILAR).id, asking(TWO))
    url = f"{mock.base_url}evals/{ended.eval_id}/runs/{ended.id}/output_items"
    listed = http.get(url, headers=PREVIEW | {"api-key": mock.api_key}).json()
    assert list(listed) == ["object", "data", "first_id", "last_id", "has_more"]
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == ("1", "2", False)
    first = listed["data"][0]
    assert list(first) == [
        "object",
        "id",
        "run_id",
        "eval_id",
        "created_at",
        "status",
        "datasource_item_id",
        "datasource_item",
        "results",
        "sample",
    ]
    assert (first["datasource_item_id"], first["datasource_item"]) == (0, {"question": "France?", "answer": "Paris"})
    label, similar = first["results"]
    assert list(similar) == ["type", "name", "metric", "score", "label", "reason", "threshold", "passed"]
    assert list(label) == [*similar, "sample"]
    assert (label["label"], label["score"], label["passed"], label["metric"]) == ("pass", 1.0, True, "label")
    assert list(label["sample"]) == ["input", "output", "finish_reason", "model", "usage", "error", "temperature", "top_p"]
    assert list(label["sample"]["usage"]) == ["total_tokens", "completion_tokens", "prompt_tokens", "cached_tokens"]
    sample = first["sample"]
    assert list(sample) == sorted(sample)
    assert len(sample) == 10
    assert list(sample["usage"]) == sorted(sample["usage"])


# -- lists


def test_output_items_are_filtered_and_paged(answering: MockServer, evals: Any) -> None:
    source = rows(*[(one, "Paris") for one in ("France?", "Peru?", "France!", "Peru!", "France.")])
    ended = run(evals, create(evals).id, asking(source))

    def ids(**options: Json) -> list[str]:
        return [one.id for one in items(evals, ended, **options)]

    assert ids(limit=2) == ["1", "2", "3", "4", "5"]
    assert ids(status="pass", limit=1) == ["1", "3", "5"]
    assert ids(status="fail") == ["2", "4"]
    assert ids(order="desc", limit=3) == ["5", "4", "3", "2", "1"]
    assert ids(after="4") == ["5"]
    assert evals.runs.output_items.retrieve("2", eval_id=ended.eval_id, run_id=ended.id).status == "fail"
    for options, param in (({"status": "error"}, "status"), ({"after": "9"}, "after"), ({"limit": 101}, "limit")):
        with pytest.raises(openai.BadRequestError) as refusal:
            ids(**options)
        assert refusal.value.param == param


def test_runs_are_listed_the_oldest_first_and_by_status(evals: Any) -> None:
    eval_id = create(evals).id
    begun = [evals.runs.create(eval_id, data_source={"type": "jsonl", "source": TWO}).id for _ in range(3)]
    assert [one.status for one in evals.runs.list(eval_id, limit=2)] == ["in_progress"] * 3  # a list is no poll
    evals.runs.retrieve(begun[1], eval_id=eval_id)
    assert [one.id for one in evals.runs.list(eval_id)] == begun
    assert [one.id for one in evals.runs.list(eval_id, status="completed")] == [begun[1]]
    assert [one.id for one in evals.runs.list(eval_id, order="desc", status="in_progress")] == [begun[2], begun[0]]
    assert list(evals.runs.list(create(evals).id)) == []
    with pytest.raises(openai.BadRequestError, match="'done'"):
        evals.runs.list(eval_id, status="done")


# -- time


def test_a_run_takes_the_time_of_its_lifecycle() -> None:
    with serving({"seconds": 60}) as mock:
        evals: Any = mock.client.evals
        ended = run(evals, create(evals).id, asking(TWO))
        mock.clock.advance(59)
        assert evals.runs.retrieve(ended.id, eval_id=ended.eval_id).status == "in_progress"
        mock.clock.advance(10)
        mock.client.models.list()  # whoever comes first
        assert len(mock.calls("createChatCompletion")) == 2
        (listed,) = evals.runs.list(ended.eval_id)
        assert (listed.status, listed.to_dict()["modified_at"]) == ("completed", NOW + 60)
        assert items(evals, listed)[0].created_at == NOW + 60


def test_a_run_takes_the_polls_of_its_lifecycle() -> None:
    with serving({"polls": 1}) as mock:
        evals: Any = mock.client.evals
        ended = run(evals, create(evals).id, asking(TWO))
        assert (ended.status, items(evals, ended)) == ("in_progress", [])
        assert evals.runs.retrieve(ended.id, eval_id=ended.eval_id).status == "completed"


# -- cancelling and deleting


@pytest.mark.parametrize("suffix", ["", "/cancel"])
def test_a_run_is_cancelled_at_both_paths(mock: MockServer, http: httpx2.Client, evals: Any, suffix: str) -> None:
    eval_id = create(evals).id
    begun = evals.runs.create(eval_id, data_source=asking(TWO))
    url = f"{mock.base_url}evals/{eval_id}/runs/{begun.id}{suffix}"
    for _ in range(2):
        response = http.post(url, headers=PREVIEW | {"api-key": mock.api_key})
        assert (response.status_code, response.json()["status"], response.json()["error"]) == (200, "canceled", None)
    after = evals.runs.retrieve(begun.id, eval_id=eval_id)
    assert (after.status, counts(after)["total"]) == ("canceled", 0)
    assert mock.calls("createChatCompletion") == []


def test_what_has_ended_cannot_be_cancelled(evals: Any) -> None:
    ended = run(evals, create(evals).id, {"type": "jsonl", "source": TWO})
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a run with status 'completed'"):
        evals.runs.cancel(ended.id, eval_id=ended.eval_id)


def test_cancelling_keeps_what_was_done() -> None:
    with serving() as mock:
        evals: Any = mock.client.evals
        eval_id = create(evals).id
        begun = evals.runs.create(eval_id, data_source=asking(TWO))
        take_steps(mock, begun.id, 3)  # two rows are read, one is processed
        cancelled = evals.runs.cancel(begun.id, eval_id=eval_id)
        assert (cancelled.status, counts(cancelled)["total"]) == ("canceled", 1)
        assert len(items(evals, cancelled)) == 1


def test_a_deleted_run_is_gone_with_its_items(evals: Any) -> None:
    ended = run(evals, create(evals).id, {"type": "jsonl", "source": TWO})
    gone = evals.runs.delete(ended.id, eval_id=ended.eval_id)
    assert gone.to_dict() == {"object": "eval_run.deleted", "deleted": True, "eval_run_id": ended.id, "run_id": ended.id}
    for call in (evals.runs.retrieve, evals.runs.cancel, evals.runs.delete, evals.runs.output_items.list):
        with pytest.raises(openai.NotFoundError, match=f"Eval run {ended.id} not found"):
            call(ended.id, eval_id=ended.eval_id)


def test_a_run_is_found_below_its_own_eval_only(evals: Any) -> None:
    ended, other = run(evals, create(evals).id, {"type": "jsonl", "source": TWO}), create(evals)
    with pytest.raises(openai.NotFoundError):
        evals.runs.retrieve(ended.id, eval_id=other.id)
    with pytest.raises(openai.NotFoundError, match="Output item 3 not found"):
        evals.runs.output_items.retrieve("3", eval_id=ended.eval_id, run_id=ended.id)


# -- what is refused


@pytest.mark.parametrize(
    ("data_source", "param"),
    [
        (None, "data_source"),
        ({"type": "csv"}, "data_source.type"),
        ({"type": "jsonl"}, "data_source.source"),
        ({"type": "jsonl", "source": {"type": "stored_completions"}}, "data_source.source.type"),
        ({"type": "jsonl", "source": {"type": "file_content", "content": [{}]}}, "data_source.source.content[0].item"),
        (
            {"type": "jsonl", "source": {"type": "file_content", "content": [{"item": {}}]}},
            "data_source.source.content[0].item",
        ),
        ({"type": "jsonl", "source": {"type": "file_id", "id": "file-x"}}, "data_source.source.id"),
        ({"type": "completions", "model": "gpt-4o", "source": TWO}, "data_source.input_messages"),
        (asking(TWO, model=None), "data_source.model"),
        (asking(TWO, sampling_params={"temperature": "hot"}), "data_source.sampling_params.temperature"),
        (asking(TWO, input_messages={"type": "template", "template": []}), "data_source.input_messages.template"),
        (
            asking(TWO, input_messages={"type": "template", "template": [{"role": "user", "content": "{{item.x}}"}]}),
            "data_source.input_messages.template[0]",
        ),
        (
            asking(
                TWO, input_messages={"type": "template", "template": [{"role": "user", "content": "{{sample.output_text}}"}]}
            ),
            "data_source.input_messages.template[0]",
        ),
        (
            asking(TWO, input_messages={"type": "template", "template": [{"role": "narrator", "content": "x"}]}),
            "data_source.input_messages.template[0].role",
        ),
        (
            asking(TWO, input_messages={"type": "item_reference", "item_reference": "messages"}),
            "data_source.input_messages.item_reference",
        ),
        (
            asking(TWO, input_messages={"type": "item_reference", "item_reference": "}} {{"}),
            "data_source.input_messages.item_reference",
        ),
    ],
)
def test_a_data_source_that_cannot_be_is_refused(
    mock: MockServer, http: httpx2.Client, evals: Any, data_source: Json, param: str
) -> None:
    body = {} if data_source is None else {"data_source": data_source}
    url = f"{mock.base_url}evals/{create(evals).id}/runs"
    assert_azure_error(http.post(url, json=body, headers=PREVIEW | {"api-key": mock.api_key}), 400, param=param)


# -- long work


def take_steps(mock: MockServer, run_id: str, steps: int) -> None:
    """Begin a run, and end as a process would that dies in the middle."""
    with mock.resource.store.transaction:
        try:
            work.poll(mock.resource, "eval.run", run_id, mock.clock.now())
        except work.Unfinished as unfinished:
            for _ in range(steps):
                next(unfinished.steps)


@pytest.mark.parametrize("steps", [1, 2, 4, 6])
def test_a_run_that_was_cut_off_goes_on_from_its_state_file(tmp_path: Any, steps: int) -> None:
    state, source = str(tmp_path / "state.db"), rows(*[(str(number), "x") for number in range(4)])
    with serving(state=state) as mock:
        mock.client.models.list()  # it is served
        evals: Any = mock.client.evals
        begun = evals.runs.create(create(evals).id, data_source=asking(source))
        take_steps(mock, begun.id, steps)
    with serving(state=state) as mock:
        evals = mock.client.evals
        ended = evals.runs.retrieve(begun.id, eval_id=begun.eval_id)
        assert (ended.status, counts(ended)["total"]) == ("completed", 4)
        assert [one.datasource_item["question"] for one in items(evals, ended)] == ["0", "1", "2", "3"]
        assert len(mock.calls("createChatCompletion")) == 4 - max(0, steps - 4)  # four rows are read first


@pytest.mark.anyio
async def test_two_who_wait_for_a_run_have_it_happen_once(answering: MockServer, async_client: AsyncOpenAI) -> None:
    evals: Any = async_client.with_options(default_headers=PREVIEW).evals
    evaluation = await evals.create(name="x", data_source_config=CONFIG, testing_criteria=[SAME])
    source = rows(*[(f"France {number}?", "Paris") for number in range(60)])
    begun = await evals.runs.create(evaluation.id, data_source=asking(source))
    ended = await asyncio.gather(*[evals.runs.retrieve(begun.id, eval_id=evaluation.id) for _ in range(3)])
    assert {(one.status, one.result_counts.passed) for one in ended} == {("completed", 60)}
    assert len(answering.calls("createChatCompletion")) == 60
    listed = [one.id async for one in evals.runs.output_items.list(begun.id, eval_id=evaluation.id, limit=25)]
    assert listed == [str(number) for number in range(1, 61)]
    item = await evals.runs.output_items.retrieve("7", eval_id=evaluation.id, run_id=begun.id)
    assert item.status == "pass"
    assert (await evals.runs.delete(begun.id, eval_id=evaluation.id)).deleted


def test_a_defect_of_ours_fails_the_look_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as mock:
        evals: Any = mock.client.with_options(max_retries=0).evals
        begun = evals.runs.create(create(evals).id, data_source=asking(TWO))
        send, calls = mock.resource.send, []

        def broken(*arguments: Json, **options: Json) -> Any:
            calls.append(arguments)
            if len(calls) == 2:
                raise RuntimeError("a defect")
            return send(*arguments, **options)

        monkeypatch.setattr(mock.resource, "send", broken)
        with pytest.raises(openai.InternalServerError):
            evals.runs.retrieve(begun.id, eval_id=begun.eval_id)
        ended = evals.runs.retrieve(begun.id, eval_id=begun.eval_id)
        assert (ended.status, counts(ended)["total"]) == ("completed", 2)
