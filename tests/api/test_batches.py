"""Batches: what they run, what is wrong with their files, and when they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI
from openai.types import Batch
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.api.batches.run import _steps
from mockserver.gateway import pipeline
from mockserver.state import work

Json = Any
NOW = 1_790_000_000
DEPLOYMENTS = {
    "nano": {"model": "gpt-4.1-nano"},
    "mini": {"model": "gpt-4.1-mini"},
    "embed": {"model": "text-embedding-3-small"},
}
KEYS = [
    "cancelled_at",
    "cancelling_at",
    "completed_at",
    "completion_window",
    "created_at",
    "error_file_id",
    "expired_at",
    "expires_at",
    "failed_at",
    "finalizing_at",
    "id",
    "in_progress_at",
    "input_file_id",
    "errors",
    "metadata",
    "object",
    "output_file_id",
    "request_counts",
    "status",
    "endpoint",
]


def chat(custom_id: str = "a", question: str = "hi", **changes: Json) -> dict[str, Json]:
    body = {"model": "nano", "messages": [{"role": "user", "content": question}]}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body} | changes


def written(lines: Iterable[Json]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def submit(client: OpenAI, content: bytes, endpoint: str = "/v1/chat/completions", **options: Json) -> Batch:
    file = client.files.create(file=("in.jsonl", content), purpose="batch")
    options.setdefault("completion_window", "24h")
    return client.batches.create(input_file_id=file.id, endpoint=endpoint, **options)  # type: ignore[arg-type]


def run(client: OpenAI, *lines: Json, **options: Json) -> Batch:
    return client.batches.retrieve(submit(client, written(lines), **options).id)


def outputs(client: OpenAI, file_id: str | None) -> list[Json]:
    assert file_id
    return [json.loads(line) for line in client.files.content(file_id).text.splitlines()]


def codes(batch: Batch) -> list[tuple[str | None, int | None]]:
    assert batch.status == "failed"
    assert batch.errors is not None
    return [(one.code, one.line) for one in batch.errors.data or []]


def serving(lifecycle: Json = None, **deployment: Json) -> MockServer:
    nano = DEPLOYMENTS["nano"] | deployment
    server = MockServer(
        {"resource": {"lifecycle": {"batch": lifecycle or {"polls": 0}}}, "deployments": DEPLOYMENTS | {"nano": nano}}
    )
    server.clock.freeze(NOW)
    return server


# -- what runs


def test_every_line_is_answered_by_the_rules_that_answer_other_calls(mock: MockServer, client: OpenAI) -> None:
    mock.when(user="one").respond("first")
    mock.when(user="two").respond(error={"name": "content_filter"})
    batch = run(client, chat("1", "one"), chat("2", "two"), chat("3", "three"))
    assert batch.status == "completed"
    assert batch.request_counts is not None
    assert batch.request_counts.to_dict() == {"total": 3, "completed": 2, "failed": 1}
    first, third = outputs(client, batch.output_file_id)
    assert list(first) == ["custom_id", "response", "error"]
    assert list(first["response"]) == ["request_id", "status_code", "body"]
    assert first["response"]["body"]["choices"][0]["message"]["content"] == "first"
    assert (third["custom_id"], third["error"], third["response"]["status_code"]) == ("3", None, 200)
    (second,) = outputs(client, batch.error_file_id)
    assert (second["custom_id"], second["response"]["status_code"]) == ("2", 400)
    assert second["response"]["body"]["error"]["code"] == "content_filter"


def test_a_batch_without_failures_has_an_empty_error_file(client: OpenAI) -> None:
    batch = run(client, chat())
    assert batch.error_file_id
    assert client.files.content(batch.error_file_id).read() == b""
    file = client.files.retrieve(batch.error_file_id)
    assert (file.purpose, file.bytes) == ("batch_output", 0)


@pytest.mark.parametrize(
    ("url", "body", "member"),
    [
        ("/v1/chat/completions", {"model": "nano", "messages": [{"role": "user", "content": "hi"}]}, "choices"),
        ("/chat/completions", {"model": "nano", "messages": [{"role": "user", "content": "hi"}]}, "choices"),
        ("/v1/responses", {"model": "nano", "input": "hi"}, "output"),
        ("/responses", {"model": "nano", "input": "hi"}, "output"),
        ("/v1/embeddings", {"model": "embed", "input": "hi"}, "data"),
        ("/v1/completions", {"model": "gpt-35-turbo-instruct", "prompt": "hi"}, "choices"),
    ],
)
def test_all_surfaces_run_with_and_without_v1(client: OpenAI, url: str, body: Json, member: str) -> None:
    batch = run(client, chat(url=url, body=body), endpoint=url)
    (line,) = outputs(client, batch.output_file_id)
    assert line["response"]["body"][member]
    assert batch.endpoint == url.removeprefix("/v1")


def test_the_lines_decide_what_is_called_whatever_the_endpoint_says(client: OpenAI) -> None:
    batch = run(client, chat(url="/responses", body={"model": "nano", "input": "hi"}), endpoint="/v1/chat/completions")
    assert batch.status == "completed"
    assert outputs(client, batch.output_file_id)[0]["response"]["body"]["object"] == "response"


def test_usage_is_the_sum_over_all_answers(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond("one two three")
    batch = run(client, chat("1"), chat("2"))
    bodies = [line["response"]["body"]["usage"] for line in outputs(client, batch.output_file_id)]
    assert batch.usage is not None
    assert batch.usage.input_tokens == sum(usage["prompt_tokens"] for usage in bodies) > 0
    assert batch.usage.output_tokens == sum(usage["completion_tokens"] for usage in bodies) > 0
    assert batch.usage.total_tokens == batch.usage.input_tokens + batch.usage.output_tokens


def test_usage_of_responses_counts_reasoning(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond(reasoning={"summary": "Hm.", "tokens": 40}, text="Done.")
    batch = run(client, chat(url="/v1/responses", body={"model": "gpt-5-mini", "input": "hi"}))
    assert batch.usage is not None
    assert batch.usage.output_tokens_details.reasoning_tokens == 40


def test_the_journal_has_every_line_below_its_batch(mock: MockServer, client: OpenAI) -> None:
    batch = run(client, chat("1", "one"), chat("2", "two"))
    creation = next(exchange for exchange in mock.requests if exchange.operation == "createBatch")
    lines = [exchange for exchange in mock.requests if exchange.headers.get("x-mockserver-batch-id") == batch.id]
    assert [exchange.parent for exchange in lines] == [creation.number] * 2
    assert [call.user for call in mock.calls("createChatCompletion")] == ["one", "two"]
    mock.assert_called("createChatCompletion", header={"x-mockserver-batch-id": batch.id}, times=2)


def test_lines_do_not_count_against_the_deployments_minute() -> None:
    with serving(rpm=1) as mock:
        batch = run(mock.client, *[chat(str(number)) for number in range(5)])
        assert batch.request_counts is not None
        assert batch.request_counts.completed == 5
        assert mock.client.chat.completions.create(model="nano", messages=[{"role": "user", "content": "hi"}]).choices


def test_output_files_expire_when_the_batch_says(mock: MockServer, client: OpenAI) -> None:
    batch = run(client, chat(), extra_body={"output_expires_after": {"anchor": "created_at", "seconds": 1_209_600}})
    assert batch.output_file_id is not None
    assert client.files.retrieve(batch.output_file_id).expires_at == NOW + 1_209_600
    mock.clock.advance("15d")
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(batch.output_file_id)


@pytest.mark.anyio
async def test_the_asynchronous_client_runs_one_too(mock: MockServer) -> None:
    async with AsyncOpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=mock.async_http_client()) as client:
        file = await client.files.create(file=("in.jsonl", written([chat()])), purpose="batch")
        batch = await client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
        assert (await client.batches.retrieve(batch.id)).status == "completed"
        assert [one.id async for one in client.batches.list()] == [batch.id]


# -- the object


def test_a_new_batch_is_as_recorded(mock: MockServer, http: httpx2.Client, client: OpenAI) -> None:
    file = client.files.create(file=("in.jsonl", written([chat("1", "x" * 40), chat("2", "y" * 40)])), purpose="batch")
    body = {"input_file_id": file.id, "endpoint": "/v1/chat/completions", "completion_window": "24h", "metadata": {"a": "b"}}
    response = http.post(mock.base_url + "batches", json=body, headers={"api-key": mock.api_key})
    batch = response.json()
    assert response.status_code == 200
    assert list(batch) == KEYS
    assert (batch["status"], batch["endpoint"], batch["metadata"]) == ("validating", "/chat/completions", {"a": "b"})
    assert (batch["output_file_id"], batch["error_file_id"], batch["errors"]) == ("", "", None)
    assert batch["expires_at"] == batch["created_at"] + 86_400
    assert response.text == json.dumps(batch, indent=2)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert {"mise-correlation-id", "request-context", "x-aml-cluster", "x-request-time"} <= response.headers.keys()
    assert response.headers["deployment-enqueued-tokens"] == "20"
    assert response.headers["deployment-maximum-enqueued-tokens"] == "24487000"


def test_times_follow_the_stages() -> None:
    with serving({"seconds": 3_600}) as mock:
        batch_id = submit(mock.client, written([chat()])).id
        steps = []
        for _ in range(5):
            batch = mock.client.batches.retrieve(batch_id)
            steps.append((batch.status, batch.in_progress_at, batch.finalizing_at, batch.completed_at))
            mock.clock.advance(1_200)
        assert steps == [
            ("validating", None, None, None),
            ("in_progress", NOW + 1_200, None, None),
            ("finalizing", NOW + 1_200, NOW + 2_400, None),
            ("completed", NOW + 1_200, NOW + 2_400, NOW + 3_600),
            ("completed", NOW + 1_200, NOW + 2_400, NOW + 3_600),
        ]


def test_looks_move_a_batch_one_stage_each() -> None:
    with serving({"polls": 2}) as mock:
        batch_id = submit(mock.client, written([chat()])).id
        statuses = [mock.client.batches.retrieve(batch_id).status for _ in range(4)]
        assert statuses == ["in_progress", "finalizing", "completed", "completed"]


def test_what_is_due_has_run_whoever_comes_first() -> None:
    with serving({"seconds": 60}) as mock:
        submit(mock.client, written([chat()]))
        mock.clock.advance("1h")
        assert [file.purpose for file in mock.client.files.list()] == ["batch_output", "batch_output", "batch"]
        assert [batch.status for batch in mock.client.batches.list()] == ["completed"]


def test_batches_are_listed_newest_first_and_page_by_page(mock: MockServer, client: OpenAI) -> None:
    ids = [submit(client, written([chat()])).id for _ in range(5)]
    assert [batch.id for batch in client.batches.list(limit=2)] == ids[::-1]
    page = client.batches.list(limit=2, after=ids[3])
    assert [batch.id for batch in page.data] == [ids[2], ids[1]]
    assert page.has_more


# -- files that are wrong


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([""], [("empty_file", None)]),
        (["{"], [("invalid_json_line", 1)]),
        ([chat("1"), "nonsense", chat("2"), "[1"], [("invalid_json_line", 2), ("invalid_json_line", 4)]),
        ([[1]], [("invalid_request", 1)]),
        ([{"custom_id": "a"}], [("invalid_request", 1)]),
        ([chat(custom_id=7)], [("invalid_request", 1)]),  # type: ignore[arg-type]
        ([chat(method="GET")], [("invalid_request", 1)]),
        ([chat(body=[])], [("invalid_request", 1)]),
        ([chat(body={"messages": []})], [("invalid_request", 1)]),
        ([chat("1"), chat("1")], [("duplicate_custom_id", 2)]),
        ([chat(url="/v1/images/generations")], [("url_mismatch", 1)]),
        ([chat("1"), chat("2", url="/v1/responses")], [("url_mismatch", 2)]),
        ([chat("1"), chat("2", body={"model": "mini", "messages": []})], [("model_mismatch", 2)]),
        ([chat(body={"model": "unknown", "messages": []})], [("model_not_found", None)]),
        ([chat(body={"model": "embed", "messages": []})], [("invalid_request", None)]),
    ],
)
def test_a_file_with_mistakes_fails_with_azures_codes_and_lines(lines: list[Json], expected: list[Json]) -> None:
    content = b"\n".join(line.encode() if isinstance(line, str) else json.dumps(line).encode() for line in lines) + b"\n"
    with serving() as mock:
        batch = mock.client.batches.retrieve(submit(mock.client, content).id)
        assert codes(batch) == expected
        assert (batch.failed_at, batch.output_file_id, batch.error_file_id) == (NOW, None, None)
        assert batch.errors is not None
        assert all(one.message for one in batch.errors.data or [])
        assert mock.calls("createChatCompletion") == []


def test_a_byte_order_mark_is_a_mistake_of_its_own(client: OpenAI) -> None:
    batch = client.batches.retrieve(submit(client, b"\xef\xbb\xbf" + written([chat()])).id)
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert "valid model deployment name couldn't be extracted" in (batch.errors.data[0].message or "")


def test_blank_lines_are_no_lines_but_are_counted(client: OpenAI) -> None:
    content = b"\n\n" + written([chat("1")]) + b"  \n\n{\n"
    assert codes(client.batches.retrieve(submit(client, content).id)) == [("invalid_json_line", 6)]
    batch = client.batches.retrieve(submit(client, b"\n" + written([chat("1")]) + b"\n \n").id)
    assert batch.request_counts is not None
    assert batch.request_counts.total == 1


def test_the_last_line_needs_no_end(client: OpenAI) -> None:
    batch = client.batches.retrieve(submit(client, written([chat("1"), chat("2")]).rstrip()).id)
    assert [line["custom_id"] for line in outputs(client, batch.output_file_id)] == ["1", "2"]


def test_another_window_fails_the_batch(client: OpenAI) -> None:
    batch = run(client, chat(), completion_window="48h")
    assert codes(batch) == [("invalid_request", None)]
    assert batch.errors is not None
    assert batch.errors.data is not None
    assert "48h" in (batch.errors.data[0].message or "")


def test_more_tokens_than_a_deployment_may_have_enqueued_fail_the_batch() -> None:
    with serving({"polls": 2}, enqueued_tokens=30) as mock:
        client, question = mock.client, "x" * 80  # 20 tokens, as they are estimated
        first = submit(client, written([chat("1", question)]))
        assert client.batches.retrieve(first.id).status == "in_progress"
        second = run(client, chat("1", question))
        assert codes(second) == [("token_limit_exceeded", None)]
        assert [client.batches.retrieve(first.id).status for _ in range(2)] == ["finalizing", "completed"]
        assert run(client, chat("1", question)).status == "in_progress"


def test_a_file_that_is_gone_before_the_batch_begins_fails_it(client: OpenAI) -> None:
    batch = submit(client, written([chat()]))
    client.files.delete(batch.input_file_id)
    assert codes(client.batches.retrieve(batch.id)) == [("input_modified", None)]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.builds(
                lambda value: json.dumps(value).encode(),
                st.recursive(
                    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                    lambda inner: (
                        st.lists(inner, max_size=3)
                        | st.dictionaries(st.sampled_from(["custom_id", "method", "url", "body", "model"]), inner)
                    ),
                ),
            ),
        )
    )
)
def test_any_bytes_get_a_verdict(lines: list[bytes]) -> None:
    with MockServer() as mock:
        batch = mock.client.batches.retrieve(submit(mock.client, b"\n".join(lines) or b"\n").id)
        assert batch.status in ("failed", "completed")
        assert [exchange.status for exchange in mock.requests if exchange.status >= 500] == []


# -- requests that are wrong


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"endpoint": "/v1/images"}, {"param": "endpoint"}),
        ({"input_file_id": "file-none"}, {"param": "input_file_id"}),
        ({"input_file_id": None}, {"param": "input_file_id"}),
        ({"completion_window": 24}, {"param": "completion_window"}),
        ({"metadata": {"a": 1}}, {"param": "metadata.a"}),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 60}}, {}),
        ({"priority": "high"}, {"param": "priority", "code": "unknown_parameter"}),
    ],
)
def test_a_request_that_is_wrong_is_refused(
    mock: MockServer, http: httpx2.Client, client: OpenAI, changes: Json, expected: Json
) -> None:
    file = client.files.create(file=("in.jsonl", written([chat()])), purpose="batch")
    body = {"input_file_id": file.id, "endpoint": "/v1/chat/completions", "completion_window": "24h"} | changes
    response = http.post(mock.base_url + "batches", json=body, headers={"api-key": mock.api_key})
    assert_azure_error(response, 400, **expected)


def test_a_file_for_tools_cannot_be_run(client: OpenAI) -> None:
    file = client.files.create(file=("in.jsonl", written([chat()])), purpose="assistants")
    with pytest.raises(openai.BadRequestError) as caught:
        client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    assert_azure_error(caught.value, 400, param="input_file_id")


def test_an_unknown_batch_is_not_found(client: OpenAI) -> None:
    for call in (client.batches.retrieve, client.batches.cancel):
        with pytest.raises(openai.NotFoundError):
            call("batch_none")


# -- the end


def test_cancelling_before_the_first_look_knows_the_total_and_has_no_files(client: OpenAI) -> None:
    batch = submit(client, written([chat("1"), chat("2")]))
    cancelling = client.batches.cancel(batch.id)
    assert cancelling.request_counts is not None
    assert (cancelling.status, cancelling.cancelling_at, cancelling.request_counts.total) == ("cancelling", NOW, 2)
    assert client.batches.cancel(batch.id).status == "cancelling"
    cancelled = client.batches.retrieve(batch.id)
    assert (cancelled.status, cancelled.cancelled_at) == ("cancelled", NOW)
    assert (cancelled.output_file_id, cancelled.error_file_id) == (None, None)


def test_cancelling_keeps_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({"polls": 2}) as mock:
        batch = submit(mock.client, written([chat("1"), chat("2")]))
        assert [mock.client.batches.retrieve(batch.id).status for _ in range(2)] == ["in_progress", "finalizing"]
        assert mock.client.batches.cancel(batch.id).status == "cancelling"
        cancelled = mock.client.batches.retrieve(batch.id)
        assert [line["custom_id"] for line in outputs(mock.client, cancelled.output_file_id)] == ["1", "2"]
        assert cancelled.error_file_id is None


@pytest.mark.parametrize("content", [written([chat()]), b"{"])
def test_what_has_ended_cannot_be_cancelled(client: OpenAI, content: bytes) -> None:
    batch = client.batches.retrieve(submit(client, content).id)
    with pytest.raises(openai.BadRequestError, match=f"Cannot cancel a batch with status '{batch.status}'"):
        client.batches.cancel(batch.id)


def test_cancelling_finds_the_mistakes_of_a_file_first(client: OpenAI) -> None:
    batch = submit(client, b"{")
    with pytest.raises(openai.BadRequestError, match="'failed'"):
        client.batches.cancel(batch.id)
    assert codes(client.batches.retrieve(batch.id)) == [("invalid_json_line", 1)]


def test_a_batch_that_takes_longer_than_its_window_expires() -> None:
    with serving({"seconds": 90 * 3_600}) as mock:
        batch = submit(mock.client, written([chat()]))
        mock.clock.advance("31h")
        expired = mock.client.batches.retrieve(batch.id)
        assert (expired.status, expired.expired_at) == ("expired", NOW + 86_400)
        assert mock.calls("createChatCompletion") == []
        with pytest.raises(openai.BadRequestError):
            mock.client.batches.cancel(batch.id)


def test_a_batch_that_has_ended_does_not_expire(mock: MockServer, client: OpenAI) -> None:
    batch = run(client, chat())
    mock.clock.advance("48h")
    assert client.batches.retrieve(batch.id).status == "completed"


# -- long ones


@pytest.mark.anyio
async def test_others_are_answered_while_a_batch_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_TURN", 0.0)  # a turn after every line
    with serving() as mock:
        batch = submit(mock.client, written([chat(str(number)) for number in range(40)]))
        async with AsyncOpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=mock.async_http_client()) as client:
            looks = [asyncio.create_task(client.batches.retrieve(batch.id)) for _ in range(3)]
            await asyncio.sleep(0)
            between = await client.models.list()
            assert between.data
            assert mock.resource.store.get("batch", batch.id)["status"] != "completed"  # type: ignore[index]
            assert {look.status for look in await asyncio.gather(*looks)} == {"completed"}
        assert len(mock.calls("createChatCompletion")) == 40


@pytest.mark.parametrize("late", [100, 600, 801, 802, 803])
@pytest.mark.parametrize("early", [803, 804, 805, 806])
def test_whoever_comes_late_to_a_batch_leaves_its_files_alone(tmp_path: Path, late: int, early: int) -> None:
    """400 lines are checked and sent in a step each, and then copied, kept and forgotten in some steps more."""
    with MockServer(state=str(tmp_path / "state.db")) as mock:
        batch = submit(mock.client, written([chat(str(number)) for number in range(400)]))
        with pytest.raises(work.Unfinished) as caught:
            work.poll(mock.resource, "batch", batch.id, mock.clock.now())
        with mock.resource.store.transaction:
            one, other = caught.value.steps, _steps(mock.resource, batch.id)
            for _ in range(late):
                next(other, None)
            for _ in range(early - min(late, 800)):
                next(one, None)
            for _ in (*other, *one):
                pass
        ended = mock.client.batches.retrieve(batch.id)
        assert len(outputs(mock.client, ended.output_file_id)) == 400
        assert len(mock.calls("createChatCompletion")) == 400
        assert {entry.kind for entry in mock.resource.store.entries()} == {"batch", "file"}


def test_a_line_that_breaks_in_us_fails_the_look_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as mock:
        batch = submit(mock.client, written([chat("1"), chat("2")]))
        send, calls = mock.resource.send, []

        def broken(*arguments: Json, **options: Json) -> Any:
            calls.append(arguments)
            if len(calls) == 2:
                raise RuntimeError("a defect")
            return send(*arguments, **options)

        monkeypatch.setattr(mock.resource, "send", broken)
        with pytest.raises(openai.InternalServerError):
            mock.client.with_options(max_retries=0).batches.retrieve(batch.id)
        ended = mock.client.batches.retrieve(batch.id)
        assert ended.request_counts is not None
        assert (ended.status, ended.request_counts.completed) == ("completed", 2)
        assert [line["custom_id"] for line in outputs(mock.client, ended.output_file_id)] == ["1", "2"]


@pytest.mark.parametrize("seen", [0, 3])
def test_a_batch_that_was_cut_off_goes_on_from_its_state_file(tmp_path: Any, seen: int) -> None:
    state = str(tmp_path / "state.db")
    with MockServer(state=state) as mock:
        batch = submit(mock.client, written([chat(str(number)) for number in range(6)]))
        store = mock.resource.store
        with store.transaction:
            try:
                work.poll(mock.resource, "batch", batch.id, mock.clock.now())
            except work.Unfinished as unfinished:
                for _ in range(6 + seen):  # six lines are checked first
                    next(unfinished.steps)
    with MockServer(state=state) as mock:
        mock.client.models.list()  # it is served
        ended = mock.client.batches.retrieve(batch.id)
        assert ended.status == "completed"
        assert [line["custom_id"] for line in outputs(mock.client, ended.output_file_id)] == list("012345")
        assert len(mock.calls("createChatCompletion")) == 6 - seen
