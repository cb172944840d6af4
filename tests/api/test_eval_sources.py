"""Runs of evals: where their rows come from."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from openai import OpenAI
from support.evals import PREVIEW, SAME, create, items, run

from mockserver import MockServer

Json = Any
NOW = 1_790_000_000


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


def counts(ended: Any) -> Json:
    return ended.result_counts.to_dict()


def upload(client: OpenAI, *lines: Json, purpose: Any = "evals") -> str:
    content = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    return client.files.create(file=("rows.jsonl", content), purpose=purpose).id


def test_rows_come_from_a_file(plain: OpenAI, evals: Any) -> None:
    lines = [{"item": {"question": "a", "answer": "b"}, "sample": {"output_text": "b"}}, b"", {"item": {"question": "c"}}]
    source = {"type": "file_id", "id": upload(plain, *lines)}
    ended = run(evals, create(evals).id, {"type": "jsonl", "source": source})
    assert counts(ended) == {"total": 2, "passed": 1, "failed": 0, "errored": 1}
    first, second = items(evals, ended)
    assert first.sample.output[0].content == "b"
    assert second.results[0].to_dict()["reason"] == "'{{sample.output_text}}' leads nowhere"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([{"item": {"question": "a"}}, b"{not json"], "Line 2 is not valid JSON."),
        ([{"question": "a"}], "Line 1 has no object 'item'."),
        ([b"[]"], "Line 1 has no object 'item'."),
        ([{"item": {"question": "a"}, "sample": "b"}], "The 'sample' of line 1 is not an object."),
        ([{"item": {"answer": "a"}}], "Item 1: 'question' is required by the item schema."),
        ([{"item": {"question": 1}}], "Item 1: 'question' is not of type 'string', as the item schema has it."),
        ([b" "], "The data source has no items."),
    ],
)
def test_a_file_with_a_mistake_fails_the_run(plain: OpenAI, evals: Any, lines: list[Json], message: str) -> None:
    source = {"type": "file_id", "id": upload(plain, *lines)}
    ended = run(evals, create(evals).id, {"type": "jsonl", "source": source})
    assert ended.status == "failed"
    assert ended.error.to_dict() == {"code": "invalid_data_source", "message": message}
    assert items(evals, ended) == []


def test_a_file_that_is_gone_before_the_run_happens_fails_it(plain: OpenAI, evals: Any) -> None:
    file_id = upload(plain, {"item": {"question": "a"}})
    eval_id = create(evals).id
    begun = evals.runs.create(eval_id, data_source={"type": "jsonl", "source": {"type": "file_id", "id": file_id}})
    plain.files.delete(file_id)
    ended = evals.runs.retrieve(begun.id, eval_id=eval_id)
    assert (ended.status, ended.error.message) == ("failed", f"The file '{file_id}' is not there any more.")


def test_a_file_for_another_purpose_is_refused(plain: OpenAI, evals: Any) -> None:
    source = {"type": "file_id", "id": upload(plain, {"item": {}}, purpose="batch")}
    with pytest.raises(openai.BadRequestError, match="Expected a file with purpose 'evals'"):
        evals.runs.create(create(evals).id, data_source={"type": "jsonl", "source": source})


LOGS = {"type": "logs", "metadata": {"use": "chat"}}


@pytest.fixture
def logged(answering: MockServer, plain: OpenAI) -> MockServer:
    """Has stored completions and responses, of which two each are of the use `chat`."""
    for question, use in (("France?", "chat"), ("Peru?", "chat"), ("Peru?", "other")):
        message: Any = {"role": "user", "content": question}
        plain.chat.completions.create(model="gpt-4o", messages=[message], store=True, metadata={"use": use})
        plain.responses.create(model="gpt-4o", input=question, instructions=f"For {use}", metadata={"use": use}, user=use)
        answering.clock.advance(10)
    return answering


@pytest.mark.parametrize(("kind", "source"), [("completions", "stored_completions"), ("responses", "responses")])
def test_what_is_stored_is_judged_as_it_is(logged: MockServer, evals: Any, kind: str, source: str) -> None:
    eval_id = create(evals, SAME | {"reference": "Paris"}, data_source_config=LOGS).id
    before = len(logged.calls())
    ended = run(evals, eval_id, {"type": kind, "source": {"type": source}})
    assert counts(ended) == {"total": 2, "passed": 1, "failed": 1, "errored": 0}
    assert len(logged.calls()) == before + 2  # nothing was sampled
    item = items(evals, ended)[0]
    assert item.datasource_item["metadata"] == {"use": "chat"}
    assert item.sample.output[0].content == "Paris"
    assert item.sample.model == item.datasource_item["model"]


@pytest.mark.parametrize(("kind", "source"), [("completions", "stored_completions"), ("responses", "responses")])
def test_a_model_can_answer_again_what_was_stored(logged: MockServer, evals: Any, kind: str, source: str) -> None:
    logged.when(deployment="gpt-4.1-nano").respond("Paris", priority=1)
    eval_id = create(evals, SAME | {"reference": "Paris"}, data_source_config=LOGS).id
    ended = run(evals, eval_id, {"type": kind, "model": "gpt-4.1-nano", "source": {"type": source}})
    assert counts(ended) == {"total": 2, "passed": 2, "failed": 0, "errored": 0}


@pytest.mark.parametrize(
    ("source", "total"),
    [
        ({"type": "stored_completions"}, 3),
        ({"type": "stored_completions", "limit": 1}, 1),
        ({"type": "stored_completions", "metadata": {"use": "other"}}, 1),
        ({"type": "stored_completions", "model": "gpt-4o-2024-11-20"}, 3),
        ({"type": "stored_completions", "created_after": NOW + 10, "created_before": NOW + 15}, 1),
        ({"type": "responses", "instructions_search": "for CHAT"}, 2),
        ({"type": "responses", "users": ["other", "nobody"]}, 1),
        ({"type": "responses", "temperature": 1, "top_p": 1}, 3),
        ({"type": "responses", "created_after": NOW + 20}, 1),
    ],
)
def test_filters_choose_among_what_is_stored(logged: MockServer, evals: Any, source: Json, total: int) -> None:
    eval_id = create(evals, SAME | {"reference": "Paris"}, data_source_config={"type": "logs"}).id
    kind = "completions" if source["type"] == "stored_completions" else "responses"
    assert counts(run(evals, eval_id, {"type": kind, "source": source}))["total"] == total


@pytest.mark.parametrize("unfit", [{"model": "o3"}, {"tools": ["f"]}, {"reasoning_effort": "low"}, {"temperature": 0.5}])
def test_filters_that_nothing_fits_fail_the_run(logged: MockServer, evals: Any, unfit: Json) -> None:
    eval_id = create(evals, SAME | {"reference": "Paris"}, data_source_config=LOGS).id
    ended = run(evals, eval_id, {"type": "responses", "source": {"type": "responses"} | unfit})
    assert (ended.status, ended.error.message) == ("failed", "The data source has no items.")
