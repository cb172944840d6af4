"""Everything that depends on time is worked out from the resource's clock, for every kind of object in the same way.

Time stands still in these tests. What is due is due at its second and not before it, whoever looks or does not look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from openai import APIStatusError, OpenAI
from support.training import chats

from mockserver import MockServer

NOW = 1_790_000_000
MINUTE, HOUR, DAY = 60, 3_600, 86_400
MODEL = "gpt-4.1-nano"
WORK = 90  # seconds that all work takes here, so that three stages begin 45 seconds apart
Make = Callable[[OpenAI], str]
Look = Callable[[OpenAI, str], str]


@dataclass(frozen=True)
class Case:
    """A kind of object: how one is made, how its state is read, and the states that it is in from which second on."""

    name: str
    make: Make
    look: Look
    states: tuple[tuple[int, str], ...]
    due: tuple[str, ...]  # kinds of documents that are to end

    def __str__(self) -> str:
        return self.name


def upload(client: OpenAI, purpose: Any = "assistants", seconds: int | None = None) -> str:
    expiry: Any = {} if seconds is None else {"expires_after": {"anchor": "created_at", "seconds": seconds}}
    return client.files.create(file=("a.jsonl", b'{"custom_id": "a"}\n'), purpose=purpose, **expiry).id


def vector_store(client: OpenAI) -> str:
    return client.vector_stores.create(expires_after={"anchor": "last_active_at", "days": 7}).id


def indexing(client: OpenAI) -> str:
    return client.vector_stores.create(file_ids=[client.files.create(file=("a.md", b"x"), purpose="assistants").id]).id


def batch_of_files(client: OpenAI) -> str:
    store = client.vector_stores.create()
    files = [client.files.create(file=(f"{at}.md", b"x"), purpose="assistants").id for at in range(3)]
    return f"{store.id} {client.vector_stores.file_batches.create(store.id, file_ids=files).id}"


def large_upload(client: OpenAI) -> str:
    return client.uploads.create(bytes=3, filename="a.txt", mime_type="text/plain", purpose="assistants").id


def batch(client: OpenAI) -> str:
    line = (
        b'{"custom_id": "a", "method": "POST", "url": "/chat/completions", "body": {"model": "gpt-4.1-nano", "messages": []}}\n'
    )
    file = client.files.create(file=("a.jsonl", line), purpose="batch")
    return client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h").id


def tuning(client: OpenAI) -> str:
    file = client.files.create(file=("a.jsonl", chats()), purpose="fine-tune")
    return client.fine_tuning.jobs.create(model=MODEL, training_file=file.id).id


CASES = [
    Case(
        "a file of tools",
        lambda client: upload(client, seconds=HOUR),
        lambda client, name: client.files.retrieve(name).status,
        ((0, "processed"), (HOUR, "404")),
        ("file",),
    ),
    Case(
        "a file of jobs",
        lambda client: upload(client, "batch", 14 * DAY),
        lambda client, name: client.files.retrieve(name).status,
        ((0, "processed"), (14 * DAY, "404")),
        ("file",),
    ),
    Case(
        "a file without an end",
        upload,
        lambda client, name: client.files.retrieve(name).status,
        ((0, "processed"), (4_000 * DAY, "processed")),
        (),
    ),
    Case(
        "a file to train on",
        lambda client: upload(client, "fine-tune"),
        lambda client, name: client.files.retrieve(name).status,
        ((0, "pending"), (WORK // 2, "running"), (WORK, "processed")),
        ("work",),
    ),
    Case(
        "a fine-tuning job",
        tuning,
        lambda client, name: str(client.fine_tuning.jobs.retrieve(name).status),
        ((0, "pending"), (WORK // 2, "running"), (WORK, "succeeded")),
        ("work",),
    ),
    Case(
        "an upload in parts",
        large_upload,
        lambda client, name: client.uploads.cancel(name).status,
        ((0, "cancelled"), (HOUR, "400 expired")),
        (),
    ),
    Case(
        "a vector store",
        vector_store,
        lambda client, name: client.vector_stores.retrieve(name).status,
        ((0, "completed"), (7 * DAY, "expired")),
        (),
    ),
    Case(
        "a store that is indexing",
        indexing,
        lambda client, name: client.vector_stores.retrieve(name).status,
        ((0, "in_progress"), (WORK, "completed")),
        ("work",),
    ),
    Case(
        "a batch of files",
        batch_of_files,
        lambda client, names: (
            client.vector_stores.file_batches.retrieve(names.split()[1], vector_store_id=names.split()[0]).status
        ),
        ((0, "in_progress"), (WORK, "completed")),
        ("work",),
    ),
    Case(
        "a response",
        lambda client: client.responses.create(model=MODEL, input="hi").id,
        lambda client, name: str(client.responses.retrieve(name).status),
        ((0, "completed"), (30 * DAY, "404")),
        ("response", "response.items"),
    ),
    Case(
        "a response in the background",
        lambda client: client.responses.create(model=MODEL, input="hi", background=True).id,
        lambda client, name: str(client.responses.retrieve(name).status),
        ((0, "queued"), (WORK // 2, "in_progress"), (WORK, "completed"), (30 * DAY, "404")),
        ("response", "response.items", "work"),
    ),
    Case(
        "a stored completion",
        lambda client: client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "x"}], store=True).id,
        lambda client, name: client.chat.completions.retrieve(name).object,
        ((0, "chat.completion"), (4_000 * DAY, "chat.completion")),
        (),
    ),
    Case(
        "a conversation",
        lambda client: client.conversations.create().id,
        lambda client, name: client.conversations.retrieve(name).object,
        ((0, "conversation"), (4_000 * DAY, "conversation")),
        (),
    ),
    Case(
        "a container",
        lambda client: client.containers.create(name="work").id,
        lambda client, name: client.containers.retrieve(name).status,
        ((0, "running"), (20 * MINUTE, "expired")),
        (),
    ),
    Case(
        "a batch",
        batch,
        lambda client, name: client.batches.retrieve(name).status,
        ((0, "validating"), (WORK // 3, "in_progress"), (2 * WORK // 3, "finalizing"), (WORK, "completed")),
        ("work",),
    ),
]
MOMENTS = [
    pytest.param(case, at, state, id=f"{case.name} after {at} s")
    for case in CASES
    for (begin, state), end in zip(case.states, [*(at for at, _ in case.states[1:]), None], strict=True)
    for at in sorted({begin, end - 1 if end is not None else 2 * begin})
]


@pytest.fixture(scope="module", params=["memory", "file"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockServer]:
    options: dict[str, Any] = {"state": tmp_path_factory.mktemp("state") / "my.state"} if request.param == "file" else {}
    with MockServer({"resource": {"lifecycle": {"seconds": WORK}}}, profile="2026-03", **options) as mock:
        yield mock


@pytest.fixture
def frozen(server: MockServer) -> MockServer:
    """A resource whose time stands still, whose work takes 90 seconds, and that has nothing yet."""
    server.reset()
    server.clock.freeze(NOW)
    return server


@pytest.fixture
def client(frozen: MockServer, http: httpx2.Client) -> OpenAI:
    return OpenAI(base_url=frozen.base_url, api_key=frozen.api_key, http_client=http, max_retries=0)


def state_of(case: Case, client: OpenAI, name: str) -> str:
    try:
        return case.look(client, name)
    except APIStatusError as error:
        return f"{error.status_code} expired" if "'expired'" in error.message else f"{error.status_code}"


@pytest.mark.parametrize(("case", "at", "state"), MOMENTS)
def test_a_state_begins_at_its_second_and_not_before(
    frozen: MockServer, client: OpenAI, case: Case, at: int, state: str
) -> None:
    name = case.make(client)
    frozen.clock.advance(at)
    assert state_of(case, client, name) == state


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_due_is_done_though_nobody_looks(frozen: MockServer, client: OpenAI, case: Case) -> None:
    case.make(client)
    frozen.clock.advance(max(at for at, _ in case.states) + WORK)
    client.models.retrieve(MODEL)  # any request will do
    kinds = [entry.kind for entry in frozen.resource.store.entries()]
    assert not set(case.due) & set(kinds)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_time_that_stands_still_changes_nothing(frozen: MockServer, client: OpenAI, case: Case) -> None:
    if case.name == "an upload in parts":
        pytest.skip("it is read by cancelling it")
    name = case.make(client)
    assert {state_of(case, client, name) for _ in range(5)} == {case.states[0][1]}
