"""The file in which a state survives: restarts, crashes, files that cannot be used, disks that are full."""

from __future__ import annotations

import gc
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from openai import InternalServerError, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer, ScenarioError, StateError, create_app
from mockserver.cli.main import main
from mockserver.errors import ApiError
from mockserver.state import work
from mockserver.state.blobs import CHUNK
from mockserver.state.sqlite import SqliteStore
from mockserver.state.sqlite_file import FORMAT, StateFile
from mockserver.state.store import NEVER, Cursor
from mockserver.state.work import Lifecycle, Lifecycles

MODEL = "gpt-4.1-nano"


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "my.state")


@pytest.fixture
def file(path: str) -> Iterator[StateFile]:
    opened = StateFile(path)
    yield opened
    opened.close()


@pytest.fixture
def store(file: StateFile) -> SqliteStore:
    return SqliteStore(file, "contoso")


def sdk(mock: MockServer, http: httpx2.Client) -> OpenAI:
    return OpenAI(base_url=mock.base_url, api_key=mock.api_key, http_client=http, max_retries=0)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python. Its coverage is not measured: that takes files and sqlite3, which are what is tested here."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment)


def content_of(store: SqliteStore, name: str) -> bytes:
    blob = store.blob("file", name)
    assert blob is not None
    with blob.open() as reader:
        return reader.read()


# -- restarts


def test_what_is_stored_is_there_after_a_restart(path: str, http: httpx2.Client) -> None:
    with MockServer(state=path) as mock:
        first = sdk(mock, http).responses.create(model=MODEL, input="My name is Ada.")
    with MockServer({"resource": {"state": path}}) as mock:
        mock.when(turn=2).respond("You are Ada.")
        client = sdk(mock, http)
        assert client.responses.retrieve(first.id).output_text == first.output_text
        assert (
            client.responses.create(model=MODEL, input="Who am I?", previous_response_id=first.id).output_text == "You are Ada."
        )


def test_a_server_that_starts_again_goes_on_with_its_file(path: str, http: httpx2.Client) -> None:
    mock = MockServer([{"resource": {"name": name}} for name in ("one", "two")], state=path)
    ids = []
    for _ in range(3):
        with mock:
            client = sdk(mock, http)
            assert all(client.responses.retrieve(name).id == name for name in ids)
            ids.append(client.responses.create(model=MODEL, input="hi").id)
        StateFile(path).close()
    assert len(set(ids)) == 3


def test_ids_are_new_after_a_restart(path: str, http: httpx2.Client) -> None:
    ids = []
    for generation in range(3):
        with MockServer(state=path) as mock:
            assert mock.resource.store.generation == generation
            ids += [sdk(mock, http).responses.create(model=MODEL, input="hi").id for _ in range(2)]
    assert len(set(ids)) == 6


def test_work_that_came_due_while_nobody_served_is_done_by_any_first_request(path: str, http: httpx2.Client) -> None:
    scenario = {"resource": {"state": path, "lifecycle": {"seconds": "1h"}}}
    with MockServer(scenario) as mock:
        work = sdk(mock, http).responses.create(model=MODEL, input="hi", background=True)
        assert work.status == "queued"
    program = (
        "import sys; from mockserver import create_app; from mockserver.gateway.headers import RequestHeaders;"
        "from mockserver.gateway.pipeline import respond; from mockserver.gateway.rendering import Request;"
        "resources = create_app(state=sys.argv[1]).state.resources; resources.default.clock.advance('2h');"
        "headers = RequestHeaders([(b'api-key', b'mock-key')]);"
        "print(respond(resources, Request('GET', '/openai/v1/models', '', headers)).status);"
        "print(resources.default.store.get('response', sys.argv[2])['stage'])"
    )
    ran = run("-c", program, path, work.id)
    assert (ran.stdout.split(), ran.stderr) == (["200", "done"], "")


def test_resources_share_a_file_and_see_their_own_documents_only(path: str) -> None:
    scenarios = [{"resource": {"name": name}} for name in ("one", "two")]
    resources = create_app(*scenarios, state=path).state.resources
    one, two = (resource.store for resource in resources)
    one.put("file", "a", {"id": "a"}, due=1.0, names=["n"], content=b"one")
    two.put("file", "a", {"id": "a", "of": "two"}, content=b"two")
    assert (two.find("file", "n"), two.pop_due(9.0), one.count("file")) == ([], None, 1)
    one.clear()
    resources.close()
    resources = create_app(*scenarios, state=path).state.resources
    one, two = (resource.store for resource in resources)
    assert (one.get("file", "a"), two.get("file", "a")) == (None, {"id": "a", "of": "two"})
    assert content_of(two, "a") == b"two"
    resources.close()


def test_resources_have_files_of_their_own_if_their_scenarios_name_them(tmp_path: Path) -> None:
    scenarios = [{"resource": {"name": name, "state": str(tmp_path / name)}} for name in ("one", "two")]
    resources = create_app(*scenarios).state.resources
    assert sorted(file.name for file in tmp_path.iterdir() if "-" not in file.name) == ["one", "two"]
    resources.close()


def test_a_scenario_that_is_only_checked_touches_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("scenario.yaml").write_text("resource: {state: my.state}\n")
    assert CliRunner().invoke(main, ["check", "scenario.yaml"]).exit_code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["scenario.yaml"]


def test_files_are_free_again_when_the_application_cannot_be_built(path: str) -> None:
    twice = {"resource": {"name": "contoso", "state": path}}
    with pytest.raises(ScenarioError, match="two resources"):
        create_app(twice, twice | {"rules": []})
    StateFile(path).close()


def test_an_application_that_is_forgotten_gives_its_file_free(path: str) -> None:
    create_app(state=path)
    gc.collect()
    StateFile(path).close()


def test_limits_hold_over_restarts(path: str) -> None:
    for expected in (1, 2):
        file = StateFile(path)
        store = SqliteStore(file, "contoso", store_documents=2, store_bytes=100)
        store.put("file", f"{expected}", {}, content=bytes(40))
        file.close()
    store = SqliteStore(StateFile(path), "contoso", store_documents=2, store_bytes=100)
    with pytest.raises(ApiError, match="store_documents"):
        store.put("file", "3", {})
    with pytest.raises(ApiError, match="store_bytes"):
        store.put("file", "2", {}, content=bytes(60))
    store.close()


def test_resources_of_single_tests_are_in_memory(path: str) -> None:
    with MockServer(state=path) as mock:
        minted = mock.mint(state=path)
        minted.resource.store.put("file", "a", {})
        assert mock.resource.store.count("file") == 0


def test_sqlite_is_imported_only_for_a_state_file() -> None:
    program = "import sys, mockserver; mockserver.create_app(); print('sqlite3' in sys.modules)"
    assert run("-c", program).stdout == "False\n"


# -- crashes


def test_no_kill_loses_what_was_acknowledged_or_leaves_half(path: str) -> None:
    script = str(Path(__file__).with_name("killed.py"))
    ran = run(script, path, "50")
    assert ran.stderr == ""
    found = json.loads(ran.stdout)
    assert found["faults"] == []
    assert found["acknowledged"] > 150


def test_a_transaction_is_whole_or_taken_back(path: str, store: SqliteStore) -> None:
    store.put("file", "old", {"id": "old"}, due=5.0, content=b"bytes")

    def change() -> None:
        with store.transaction:
            store.put("file", "new", {}, due=1.0, content=b"more")
            store.put("file", "old", {"changed": True}, content=b"other")
            with store.transaction:
                store.delete("file", "old")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change()
    assert (store.get("file", "old"), store.get("file", "new"), store.next_due) == ({"id": "old"}, None, 5.0)
    assert content_of(store, "old") == b"bytes"


def test_a_part_that_fails_is_taken_back_alone(store: SqliteStore) -> None:
    def fail() -> None:
        with store.transaction:
            store.put("file", "b", {}, content=b"b", text="word")
            store.delete("file", "a")
            raise RuntimeError

    with store.transaction:
        store.put("file", "a", {"id": "a"}, content=b"a", text="word")
        with pytest.raises(RuntimeError):
            fail()
        with store.transaction:
            store.put("file", "c", {"id": "c"})
    assert [entry.id for entry in store.entries()] == ["a", "c"]
    assert content_of(store, "a") == b"a"


def test_a_deletion_alone_takes_its_texts_with_it_or_nothing(store: SqliteStore) -> None:
    store.put("file", "a", {"id": "a"}, text="word")

    def fail() -> None:
        with store.transaction:
            store.delete("file", "a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [entry.text for entry in store.entries()] == ["word"]


def test_work_that_fails_leaves_nothing_half_and_goes_on_later(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = True

    def _enter(owner: Any, document: dict[str, Any], stage: str, at: float) -> None:
        store.put("outcome", document["id"], {})
        if failing:
            raise RuntimeError

    monkeypatch.setitem(work._COURSES, "job", work._Course(("queued", "done"), _enter))
    owner = SimpleNamespace(store=store, lifecycles=Lifecycles(Lifecycle(seconds=1)))
    store.put("job", "a", {"id": "a"})
    work.begin(owner, "job", "a", 0.0)
    with store.transaction:
        work.advance(owner, 5.0)
    assert (store.count("outcome"), store.next_due) == (0, 1.0)
    failing = False
    with store.transaction:
        work.advance(owner, 5.0)
    assert (store.count("outcome"), store.next_due) == (1, NEVER)


def test_a_refusal_keeps_what_was_decided_before_as_in_memory(store: SqliteStore) -> None:
    def refuse() -> None:
        with store.transaction:
            store.put("file", "a", {})
            raise ApiError(404, {})

    with pytest.raises(ApiError):
        refuse()
    store.put("file", "b", {})
    assert store.count("file") == 2


def test_a_failure_of_ours_takes_back_the_whole_request(
    path: str, http: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MockServer(state=path) as mock:
        client = sdk(mock, http)
        client.models.list()

        def failing(kind: str, *rest: Any, **options: Any) -> None:
            put(kind, *rest, **options)
            if kind == "response.items":
                raise RuntimeError

        put = mock.resource.store.put
        monkeypatch.setattr(mock.resource.store, "put", failing)
        with pytest.raises(InternalServerError):
            client.responses.create(model=MODEL, input="hi")
        assert mock.resource.store.count("response") == 0


# -- readers


def test_bytes_that_are_read_stay_until_they_are_read(store: SqliteStore, file: StateFile) -> None:
    data = os.urandom(2 * CHUNK + 10)
    store.put("file", "a", {}, content=BytesIO(data))
    blob = store.blob("file", "a")
    assert blob is not None
    with blob.open() as one, blob.open() as two:
        store.delete("file", "a")
        assert one.read() == data
        one.close()
        two.seek(-5, os.SEEK_END)
        assert two.read() == data[-5:]
        assert file.all("SELECT count(*) FROM chunk") == [(3,)]
    assert file.all("SELECT count(*) FROM chunk") == [(0,)]
    with blob.open() as late, pytest.raises(FileNotFoundError):
        late.read()


def test_what_a_killed_reader_still_had_goes_at_the_next_opening(path: str) -> None:
    file = StateFile(path)
    store = SqliteStore(file, "contoso")
    store.put("file", "a", {}, content=b"bytes")
    store.put("file", "kept", {}, content=b"kept")
    blob = store.blob("file", "a")
    assert blob is not None
    reader = blob.open()
    store.delete("file", "a")
    file.close()
    reader.close()
    file = StateFile(path)
    assert file.all("SELECT count(*) FROM chunk") == [(1,)]
    file.close()


# -- files that cannot be used


def served(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["serve", "--port", "0", *arguments])
    return result.exit_code, result.stderr


def test_a_second_server_says_that_the_file_is_in_use(path: str, file: StateFile) -> None:
    assert served("--state", path) == (1, f"{path}: this state file is in use by another server\n")
    with pytest.raises(StateError, match="is in use by another server"):
        create_app(state=path)


def test_another_process_is_kept_out_too(path: str, file: StateFile) -> None:
    program = (
        "import sys, mockserver\ntry: mockserver.create_app(state=sys.argv[1])\nexcept mockserver.StateError as e: print(e)"
    )
    ran = run("-c", program, path)
    assert ran.stdout == f"{path}: this state file is in use by another server\n"


@pytest.mark.parametrize("content", [b"x", b"a text\n", b"%PDF-1.7 " * 1_000, b"SQLite format 2\0" * 100])
def test_a_file_that_is_none_of_ours_stays_as_it_is(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
    assert served("--state", path) == (1, f"{path}: this state file is none of mockserver's\n")
    assert Path(path).read_bytes() == content


def test_the_database_of_another_program_stays_as_it_is(path: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE document (text)")
    db.close()
    before = Path(path).read_bytes()
    with pytest.raises(StateError, match="is none of mockserver's, but another program's database"):
        StateFile(path)
    assert Path(path).read_bytes() == before


def test_a_file_of_another_version_stays_as_it_is(path: str) -> None:
    StateFile(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {FORMAT + 1}")
    db.close()
    before = Path(path).read_bytes()
    with pytest.raises(StateError, match=f"has format {FORMAT + 1}, of another version of mockserver; this one has {FORMAT}"):
        StateFile(path)
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "zeros", "noise"])
def test_a_damaged_file_stays_as_it_is(path: str, damage: str) -> None:
    file = StateFile(path)
    store = SqliteStore(file, "contoso")
    with store.transaction:
        for at in range(500):
            store.put("file", f"{at}", {"text": "x" * 300}, names=["n"])
    file.close()
    whole = Path(path).read_bytes()
    middle = len(whole) // 2 // 4_096 * 4_096
    broken = {
        "cut": whole[:middle],
        "zeros": whole[:middle] + bytes(8_192) + whole[middle + 8_192 :],
        "noise": whole[: middle + 5] + b"\xff" * 5_000 + whole[middle + 5_005 :],
    }[damage]
    Path(path).write_bytes(broken)
    with pytest.raises(StateError, match="is damaged") as caught:
        StateFile(path)
    assert "\n" not in str(caught.value)
    assert Path(path).read_bytes() == broken


@pytest.mark.parametrize("place", ["", "nowhere/my.state"])
def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path, place: str) -> None:
    assert served("--state", str(tmp_path / place))[1].endswith(
        "cannot be opened: it must be a file in a folder that exists, both of which may be written\n"
    )


def test_an_empty_file_is_a_new_state(path: str) -> None:
    Path(path).touch()
    file = StateFile(path)
    assert file.generation == 0
    file.close()


# -- disks


LIMITED = """
import json, resource, sys
from mockserver import StateError, create_app
from mockserver.gateway.headers import RequestHeaders
from mockserver.gateway.pipeline import respond
from mockserver.gateway.rendering import Request
path, most = sys.argv[1], int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    resources = create_app(state=path).state.resources
except StateError as error:
    sys.exit(f"StateError: {error}")
headers = RequestHeaders([(b"api-key", b"mock-key"), (b"content-type", b"application/json")])
for at in range(100):
    body = json.dumps({"model": "gpt-4.1-nano", "input": f"{at} " + "many words " * 2_000}).encode()
    response = respond(resources, Request("POST", "/openai/v1/responses", "", headers, body))
    print(response.status, response.json().get("id") or response.json()["error"]["code"])
"""


def limited(path: str, most: int) -> subprocess.CompletedProcess[str]:
    return run("-c", LIMITED, path, str(most))


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on files")
def test_a_disk_that_takes_no_more_refuses_and_leaves_nothing_half(path: str) -> None:
    ran = limited(path, 1_000_000)
    lines = [line.split() for line in ran.stdout.splitlines()]
    kept = [name for status, name in lines if status == "200"]
    assert kept
    assert {tuple(line) for line in lines[len(kept) :]} == {("500", "state_failed")}
    file = StateFile(path)
    store = SqliteStore(file, "mockserver")
    assert [response["id"] for response in store.documents("response")] == kept
    assert all(store.get("response.items", name) is not None for name in kept)
    assert store.page("response", Cursor(limit=1)).data[0]["id"] == kept[-1]
    file.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on files")
def test_a_disk_that_takes_nothing_is_a_clear_error_at_start(path: str) -> None:
    ran = limited(path, 0)
    assert ran.stderr.startswith(f"StateError: {path}: this state file cannot be")
    assert ran.stderr.count("\n") == 1


def test_a_full_disk_is_a_507(path: str, http: httpx2.Client) -> None:
    with MockServer(state=path) as mock:
        client = sdk(mock, http)
        client.responses.create(model=MODEL, input="hi")
        store: Any = mock.resource.store
        pages = store._file.one("PRAGMA page_count")[0]  # SQLite's own limit gives the same error as a full disk
        store._file.all(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(InternalServerError, match="database or disk is full") as caught:
            client.responses.create(model=MODEL, input="many words " * 5_000)
        assert_azure_error(caught.value, 507, code="state_failed")
        assert store.count("response") == 1
        store._file.all("PRAGMA max_page_count = 100000")
        client.responses.create(model=MODEL, input="many words " * 5_000)
        assert store.count("response") == 2


READ_ONLY = """
import os, sys
from mockserver import StateError
from mockserver.state.sqlite_file import StateFile
if os.geteuid() == 0:
    os.setuid(65534)  # nothing is read-only for root
for path in sys.argv[1:]:
    try:
        StateFile(path)
    except StateError as error:
        print(error)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs the rights of POSIX")
def test_what_may_not_be_written_is_refused() -> None:
    with TemporaryDirectory() as folder:  # not below pytest's own, which only its user may enter
        file, inside, new = (os.path.join(folder, name) for name in ("my.state", "sub/my.state", "sub/new.state"))
        os.mkdir(os.path.dirname(inside))
        for path in (file, inside):
            StateFile(path).close()
        for path, mode in ((folder, 0o777), (file, 0o444), (inside, 0o666), (os.path.dirname(inside), 0o555)):
            os.chmod(path, mode)
        ran = run("-c", READ_ONLY, file, inside, new)
        os.chmod(os.path.dirname(inside), 0o777)
    read_only = "this state file cannot be written: it, its folder or its disk is read-only"
    nowhere = "this state file cannot be opened: it must be a file in a folder that exists, both of which may be written"
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [f"{file}: {read_only}", f"{inside}: {read_only}", f"{new}: {nowhere}"]
