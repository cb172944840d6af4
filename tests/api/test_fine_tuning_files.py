"""The files of fine-tuning jobs: what is wrong with them, and jobs that fail or hang by a script."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob
from support.training import WORDS, chat, chats, jsonl, preference

from mockserver import MockServer
from mockserver.api.fine_tuning import reading
from mockserver.errors import ScenarioError
from mockserver.scenario.load import parse

Json = Any
BASE = "gpt-4.1"
BAD_FORMAT = "The job failed due to a file format error in the training file. "
INVALID = BAD_FORMAT + "Invalid file format. "
DPO: Json = {"type": "dpo"}


def run(client: OpenAI, content: bytes, validation: bytes | None = None, **options: Json) -> FineTuningJob:
    """A job on such files, after its first poll."""
    ids = [
        client.files.create(file=("a.jsonl", one), purpose="fine-tune").id if one is not None else None
        for one in (content, validation)
    ]
    job = client.fine_tuning.jobs.create(
        **{"model": BASE, "training_file": ids[0], "validation_file": ids[1]} | options  # type: ignore[arg-type]
    )
    return client.fine_tuning.jobs.retrieve(job.id)


def failure(job: FineTuningJob) -> tuple[str, str, str | None]:
    assert job.status == "failed"
    assert job.error is not None
    return job.error.code, job.error.message, job.error.param


def spoilt(line: Json, at: int = 3) -> bytes:
    """A file of chats, one of whose lines, counted from 1, is another one."""
    lines = [json.dumps(chat(word)) for word in WORDS]
    lines[at - 1] = line if isinstance(line, str) else json.dumps(line)
    return "\n".join(lines).encode()


def with_message(**changes: Json) -> Json:
    """A chat whose second message is changed; a member that is None is taken away."""
    example = chat("beta")
    message = example["messages"][1] | changes
    example["messages"][1] = {name: value for name, value in message.items() if value is not None}
    return example


CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            '{"messages": [',
            BAD_FORMAT
            + "Expected file to have JSONL format, where every line is a JSON dictionary. Line 3 is not a dictionary "
            '(HINT: line starts with: "{"messag...").',
        ),
        (
            "[1, 2]",
            BAD_FORMAT
            + "Expected file to have JSONL format, where every line is a JSON dictionary. Line 3 is not a dictionary "
            '(HINT: line starts with: "[1, 2]...").',
        ),
        ({}, INVALID + 'Line 3, key "messages": Field required'),
        (
            {"prompt": "a", "completion": "b"},
            BAD_FORMAT + "Unexpected file format, expected either prompt/completion pairs or chat messages.",
        ),
        (
            preference("x"),
            INVALID + "Input file {id} is in the fine-tune-preference format, but the specified fine-tuning job is not "
            "using 'dpo' as the training method (provided method=supervised).",
        ),
        (chat("x", weight=1), INVALID + 'Example 3 contains an extra "weight".'),
        ({"messages": []}, INVALID + 'Line 3, key "messages": List should have at least 1 item after validation, not 0'),
        ({"messages": "hi"}, INVALID + 'Line 3, key "messages": Input should be a valid list'),
        ({"messages": ["hi"]}, INVALID + "Example 3, message 1 Input should be a valid dictionary"),
        ({"messages": chat("x")["messages"][:2]}, INVALID + "Example 3 last message must be from the assistant, not 'user'."),
        (with_message(role=None), INVALID + "Example 3, message 2 Discriminator 'role' is missing in value"),
        (
            with_message(role="human"),
            INVALID
            + "Example 3, message 2 Input tag 'human' found using 'role' does not match any of the expected tags: 'system', "
            "'developer', 'user', 'assistant', 'tool', 'function'",
        ),
        (
            with_message(role=["user"]),
            INVALID + "Example 3, message 2 Input tag '['user']' found using 'role' does not match any of the "
            "expected tags: 'system', 'developer', 'user', 'assistant', 'tool', 'function'",
        ),
        (with_message(content=None), INVALID + 'Line 3, message 2, key "content": Field required'),
        (with_message(content=7), INVALID + 'Line 3, message 2, key "content": Input should be a valid string'),
        (with_message(content=[]), INVALID + 'Line 3, message 2, key "content": Input should be a valid string'),
        (
            with_message(content=[{"type": "sound"}]),
            INVALID
            + "Line 3, message 2, key \"content\": Input tag 'sound' does not match any of the expected tags: 'text', 'image_url'",
        ),
        (
            with_message(content=[{"type": "text"}]),
            INVALID + 'Line 3, message 2, key "content": Input should be a valid string',
        ),
        (with_message(weight=1), INVALID + 'Example 3, message 2 contains an extra "weight".'),
        (with_message(role="assistant", weight=2), INVALID + 'Line 3, message 2, key "weight": Input should be 0 or 1'),
        (with_message(role="assistant", weight=True), INVALID + 'Line 3, message 2, key "weight": Input should be 0 or 1'),
        (with_message(tool_calls=[CALL]), INVALID + 'Example 3, message 2 contains an extra "tool_calls".'),
        (
            with_message(role="assistant", tool_calls=7),
            INVALID + 'Line 3, message 2, key "tool_calls": Input should be a valid list',
        ),
        (
            with_message(role="assistant", tool_calls=[7]),
            INVALID + 'Line 3, message 2, key "tool_calls": Field required: function',
        ),
        (
            with_message(role="assistant", tool_calls=[CALL | {"id": 1}]),
            INVALID + 'Line 3, message 2, key "tool_calls": Input should be a valid string',
        ),
        (with_message(role="tool"), INVALID + 'Line 3, message 2, key "tool_call_id": Field required'),
        (
            with_message(role="tool", content=["x"], tool_call_id="a"),
            INVALID + 'Line 3, message 2, key "content": Input should be a valid string',
        ),
        (chat("x", tools=7), INVALID + 'Line 3, key "tools": Input should be a valid list'),
        (chat("x", tools=[{}]), INVALID + 'Line 3, key "tools": Field required: function.name'),
    ],
)
def test_a_line_with_a_mistake_fails_the_job_which_says_where(plain: OpenAI, line: Json, message: str) -> None:
    job = run(plain, spoilt(line))
    assert failure(job) == ("invalid_file_format", message.replace("{id}", job.training_file), "training_file")
    last = plain.fine_tuning.jobs.list_events(job.id).data[0]
    assert (last.level, last.message) == ("error", job.error.message if job.error else "")
    assert (job.fine_tuned_model, job.trained_tokens, job.finished_at is not None) == (None, None, True)
    assert not plain.fine_tuning.jobs.checkpoints.list(job.id).data


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            chat("x"),
            "Input file {id} is in the fine-tune-chat format, but the specified fine-tuning job is not using 'supervised' as the training "
            "method (provided method=dpo).",
        ),
        ({}, 'Line 3, key "input": Field required'),
        (preference("x") | {"input": 1}, 'Line 3, key "input": Input should be a valid dictionary'),
        (preference("x") | {"input": {}}, 'Line 3, key "messages": Field required'),
        (preference("x") | {"input": {"messages": [], "n": 1}}, 'Example 3 contains an extra "n".'),
        (preference("x") | {"note": 1}, 'Example 3 contains an extra "note".'),
        (preference("x") | {"preferred_output": []}, 'Line 3, key "preferred_output": Input should be a valid list'),
        (
            preference("x") | {"non_preferred_output": [{"role": "user", "content": "no"}]},
            'Line 3, key "non_preferred_output": the last message must be from the assistant',
        ),
    ],
)
def test_a_preference_with_a_mistake_fails_the_job(plain: OpenAI, line: Json, message: str) -> None:
    lines = [preference(word) for word in WORDS]
    lines[2] = line
    job = run(plain, jsonl(lines), method=DPO)
    assert failure(job)[1] == INVALID + message.replace("{id}", job.training_file)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"prompt": "a"}, "Unexpected file format, expected either prompt/completion pairs or chat messages."),
        (chat("x"), "Unexpected file format, expected either prompt/completion pairs or chat messages."),
        ({"prompt": "a", "completion": 1}, 'Invalid file format. Line 1, key "completion": Input should be a valid string'),
        ({"prompt": "a", "completion": "b", "c": 1}, 'Invalid file format. Example 1 contains an extra "c".'),
    ],
)
def test_a_completion_with_a_mistake_fails_the_job(plain: OpenAI, line: Json, message: str) -> None:
    assert failure(run(plain, jsonl([line] * 10), model="babbage-002"))[1] == BAD_FORMAT + message


@pytest.mark.parametrize("count", [1, 9])
def test_a_file_needs_ten_examples(plain: OpenAI, count: int) -> None:
    message = f"Training file has {count} example(s), but must have at least 10 examples"
    assert failure(run(plain, chats(count))) == ("invalid_n_examples", message, "training_file")


def test_a_validation_file_is_read_too(plain: OpenAI) -> None:
    assert run(plain, chats(), chats(1)).status == "succeeded"
    code, message, param = failure(run(plain, chats(), spoilt("nonsense", 2)))
    assert (code, param) == ("invalid_file_format", "validation_file")
    assert "in the validation file." in message
    assert "Line 2 " in message


def test_lines_are_counted_with_those_that_are_blank(plain: OpenAI) -> None:
    blank = chats().replace(b"\n", b"\r\n\r\n")
    assert run(plain, blank).status == "succeeded"
    assert "Line 21 " in failure(run(plain, blank + b"x"))[1]


def test_a_byte_order_mark_is_taken_and_nothing_else_that_is_not_utf_8(plain: OpenAI) -> None:
    mark = "\ufeff".encode()
    assert run(plain, mark + chats()).status == "succeeded"
    assert failure(run(plain, mark)) == (
        "invalid_n_examples",
        "Training file has 0 example(s), but must have at least 10 examples",
        "training_file",
    )
    assert failure(run(plain, chats() + b'{"messages": "\xff"}'))[1] == INVALID + "Line 11 is not valid UTF-8."
    assert "Line 1 " in failure(run(plain, chats().decode().encode("utf-16")))[1]


def test_an_example_that_is_too_long_fails_the_job(plain: OpenAI) -> None:
    long = chat("x")
    long["messages"][1]["content"] = "word " * 5_000
    content = spoilt(long)
    code, message, _ = failure(run(plain, content, model="gpt-35-turbo-0613"))
    assert code == "invalid_file_format"
    assert message.startswith(INVALID + "Example 3 has 5")
    assert message.endswith("tokens, but gpt-35-turbo-0613 is trained on examples of at most 4096 tokens.")
    assert run(plain, content, model="gpt-4.1").status == "succeeded"


def test_more_tokens_than_a_job_may_have_fail_it(plain: OpenAI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_TOKENS", 1_000)
    code, message, param = failure(run(plain, chats()))
    assert (code, param) == ("token_limit_exceeded", "training_file")
    assert message.endswith("tokens over all epochs, but may have at most 1000.")
    assert run(plain, chats(), hyperparameters={"n_epochs": 1}).status == "succeeded"


def test_a_file_that_vanishes_before_the_job_begins_fails_it(plain: OpenAI) -> None:
    file = plain.files.create(file=("a.jsonl", chats()), purpose="fine-tune")
    job = plain.fine_tuning.jobs.create(model=BASE, training_file=file.id)
    plain.files.delete(file.id)
    found = failure(plain.fine_tuning.jobs.retrieve(job.id))
    assert found == ("invalid_file", f"The file {file.id} does not exist any more.", "training_file")


def test_a_picture_and_several_turns_can_be_trained_on(plain: OpenAI) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
    ]
    example = {"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": "A city."}]}
    assert run(plain, jsonl([example] * 10)).status == "succeeded"


LINES = st.one_of(
    st.binary(max_size=60).map(lambda line: line.replace(b"\n", b" ")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["messages", "role", "content", "tools", "input", "weight"]), inner, max_size=3)
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from([json.dumps(chat("alpha")).encode(), json.dumps(preference("beta")).encode()]),
)


@settings(max_examples=60, deadline=None)
@given(content=st.lists(LINES, min_size=1, max_size=14).map(b"\n".join), method=st.sampled_from(["supervised", "dpo"]))
def test_any_file_gets_a_clean_verdict(http: httpx2.Client, content: bytes, method: str) -> None:
    if not content:
        return
    with MockServer() as mock:
        client = OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)
        job = run(client, content, method={"type": method})
        assert job.status in ("succeeded", "failed")
        if job.status == "failed":
            code, message, param = failure(job)
            assert code in ("invalid_file_format", "invalid_n_examples")
            assert message
            assert param == "training_file"


# -- scripts


def scripted(**job: Json) -> Json:
    return {
        "resource": {"lifecycle": {"fine_tuning.job": {"polls": 1}}},
        "rules": [{"when": {"operation": "createFineTuningJob", "json": {"suffix": "doomed"}}, "respond": {"job": job}}],
    }


def statuses(mock: MockServer, suffix: str = "doomed", polls: int = 3) -> list[str]:
    job = start(mock, suffix)
    return [mock.client.fine_tuning.jobs.retrieve(job.id).status for _ in range(polls)]


def start(mock: MockServer, suffix: str) -> FineTuningJob:
    file = mock.client.files.create(file=("a.jsonl", chats()), purpose="fine-tune")
    return mock.client.fine_tuning.jobs.create(model=BASE, training_file=file.id, suffix=suffix)


@pytest.mark.parametrize(
    ("where", "found", "code", "words"),
    [
        ("data_evaluation", ["failed", "failed"], "harmful_training_data", "failed RAI checks for harm types"),
        ("training", ["running", "failed"], "server_error", "internal error"),
        ("model_evaluation", ["running", "failed"], "harmful_model", "This model is unable to be deployed."),
    ],
)
def test_a_script_has_a_job_fail(where: str, found: list[str], code: str, words: str) -> None:
    with MockServer(scripted(fails=where)) as mock:
        assert statuses(mock, polls=2) == found
        assert statuses(mock, "fine") == ["running", "succeeded", "succeeded"]
        job = mock.client.fine_tuning.jobs.list().data[1]
        assert failure(job)[0] == code
        assert words in failure(job)[1]
        assert len([one for one in mock.client.models.list() if ".ft-" in one.id]) == 1
        steps = [event for event in mock.client.fine_tuning.jobs.list_events(job.id) if event.type == "metrics"]
        assert len(steps) == {"data_evaluation": 0, "training": 6, "model_evaluation": 11}[where]


def test_a_script_words_the_failure() -> None:
    with MockServer(scripted(fails="training", code="out_of_memory", message="No room.")) as mock:
        statuses(mock)
        assert failure(mock.client.fine_tuning.jobs.list().data[0]) == ("out_of_memory", "No room.", None)


@pytest.mark.parametrize("status", ["pending", "running"])
def test_a_script_has_a_job_hang_which_can_be_cancelled(status: str) -> None:
    with MockServer(scripted(hangs=status)) as mock:
        assert statuses(mock, polls=4)[-2:] == [status, status]
        job = mock.client.fine_tuning.jobs.list().data[0]
        assert mock.client.fine_tuning.jobs.cancel(job.id).status == "cancelled"


def test_a_job_is_scripted_in_python_and_needs_no_operation() -> None:
    with MockServer() as mock:
        mock.when().respond(job={"fails": "training"})
        job = start(mock, "any")
        assert mock.client.fine_tuning.jobs.retrieve(job.id).status == "failed"
        answer = mock.client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
        assert answer.choices[0].message.content


def test_a_quota_is_an_error_of_the_call_that_creates_a_job() -> None:
    rule = {
        "when": {"operation": "createFineTuningJob"},
        "respond": {"error": {"status": 429, "code": "quotaExceeded", "message": "Full."}},
    }
    with MockServer({"rules": [rule]}) as mock:
        client = mock.client.with_options(max_retries=0)
        with pytest.raises(Exception, match="Full") as caught:
            client.fine_tuning.jobs.create(model=BASE, training_file="file-x")
        assert getattr(caught.value, "code", None) == "quotaExceeded"


@pytest.mark.parametrize(
    ("job", "problem"),
    [
        ("{fails: never}", "s.yaml:3:21: rules[0].respond.job.fails: "),
        ("{}", "s.yaml:3:13: rules[0].respond.job: expected either fails or hangs"),
        ("{fails: training, hangs: running}", "expected either fails or hangs"),
        (
            "{hangs: running, code: x}",
            "s.yaml:3:30: rules[0].respond.job.code: belongs to a job that fails, and this one hangs",
        ),
        ("{hangs: running}, text: hi", "rules[0].respond.text: cannot be combined with a job"),
        ("{fails: training, mesage: x}", "did you mean 'message'?"),
    ],
)
def test_a_mistake_in_a_scripted_job_is_reported_with_its_place(job: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse("rules:\n  - respond:\n      {job: " + job + "}\n", "s.yaml")
    assert problem in str(caught.value)
