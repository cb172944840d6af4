"""What a scenario or a test gives a resource before its first call."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import OpenAI

from mockserver import MockServer
from mockserver.cli.main import main
from mockserver.errors import ScenarioError
from mockserver.gateway import preload
from mockserver.resource.build import build_resources
from mockserver.scenario.load import build

MODEL = "gpt-4.1-nano"
STATE: dict[str, Any] = {
    "files": {
        "handbook": {"text": "Refunds are paid within 14 days.", "filename": "handbook.md", "id": "assistant-handbook"},
        "note": "Parcels to Norway take five days.",
        "lines": {"text": '{"a": 1}\n', "filename": "lines.jsonl", "purpose": "fine-tune", "expires_after": "30d"},
    },
    "vector_stores": {
        "docs": {
            "name": "Docs",
            "id": "vs_docs",
            "files": ["handbook", {"file": "note", "attributes": {"lang": "en", "page": 3, "draft": False}}],
            "expires_after": "7d",
            "metadata": {"team": "support"},
        },
        "small": {"files": ["handbook"], "chunks": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}},
    },
    "conversations": {
        "chat": {"items": [{"role": "user", "content": f"Line {at}"} for at in range(50)], "metadata": {"topic": "lines"}}
    },
    "responses": {
        "first": {"input": "Hello", "respond": "Hi there!", "instructions": "Be nice.", "metadata": {"at": "1"}},
        "second": {"input": "And now?", "respond": {"text": "{{ user }} Goodbye!"}, "previous_response": "first"},
        "third": {"input": "Last line?", "conversation": "chat", "id": "resp_third"},
    },
}


def server(state: dict[str, Any] | None = None, **options: Any) -> MockServer:
    return MockServer({"state": STATE if state is None else state}, **options)


def test_files_are_there() -> None:
    with server() as mock:
        mock.clock.freeze(1_790_000_000)
        found = {file.filename: file for file in mock.client.files.list()}
        assert list(found) == ["lines.jsonl", "note.txt", "handbook.md"], "newest first, in the order of the scenario"
        handbook, lines = found["handbook.md"], found["lines.jsonl"]
        assert (handbook.id, handbook.bytes, handbook.status) == ("assistant-handbook", 32, "processed")
        assert (lines.purpose, lines.status, lines.expires_at) == ("fine-tune", "processed", 1_790_000_000 + 30 * 86_400)
        assert mock.client.files.content(lines.id).content == b'{"a": 1}\n'


def test_vector_stores_are_indexed() -> None:
    with server() as mock:
        store = mock.client.vector_stores.retrieve("vs_docs")
        assert (store.name, store.status, store.file_counts.completed) == ("Docs", "completed", 2)
        assert (store.metadata, store.expires_after and store.expires_after.days) == ({"team": "support"}, 7)
        best = mock.client.vector_stores.search("vs_docs", query="When are refunds paid?").data[0]
        assert (best.filename, best.attributes) == ("handbook.md", {})
        filters: Any = {"type": "eq", "key": "page", "value": 3}
        (note,) = mock.client.vector_stores.search("vs_docs", query="parcels", filters=filters).data
        assert note.attributes == {"lang": "en", "page": 3, "draft": False}
        small = mock.given().vector_stores["small"].id
        (file,) = mock.client.vector_stores.files.list(small)
        assert file.chunking_strategy is not None
        assert file.chunking_strategy.to_dict()["static"] == {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 0}


def test_conversations_have_their_items() -> None:
    with server({"conversations": STATE["conversations"]}) as mock:
        chat = mock.given().conversations["chat"].id
        assert mock.client.conversations.retrieve(chat).metadata == {"topic": "lines"}
        items = list(mock.client.conversations.items.list(chat, order="asc", limit=100))
        assert [item.content[0].text for item in items] == [f"Line {at}" for at in range(50)]  # type: ignore[union-attr]
        assert len({item.id for item in items}) == 50
        mock.client.responses.create(model=MODEL, input="more", conversation=chat)
        prompt = mock.requests[-1].prompt
        assert prompt is not None
        assert [turn.text for turn in prompt.turns] == [*(f"Line {at}" for at in range(50)), "more"]


def test_responses_can_be_continued() -> None:
    with server() as mock:
        state = mock.given()
        first = mock.client.responses.retrieve(state.responses["first"].id)
        assert (first.output_text, first.instructions, first.metadata, first.model) == (
            "Hi there!",
            "Be nice.",
            {"at": "1"},
            MODEL,
        )
        second = mock.client.responses.retrieve(state.responses["second"].id)
        assert (second.output_text, second.previous_response_id) == ("And now? Goodbye!", first.id)
        mock.when(turn=3).respond("The third turn.")
        third = mock.client.responses.create(model=MODEL, input="And then?", previous_response_id=second.id)
        assert third.output_text == "The third turn."


def test_a_response_without_words_is_improvised_and_adds_to_its_conversation() -> None:
    with server() as mock:
        chat = mock.given().conversations["chat"].id
        words = mock.client.responses.retrieve("resp_third").output_text
        items = mock.client.conversations.items.list(chat, limit=2).data
        assert [item.content[0].text for item in items] == [words, "Last line?"]  # type: ignore[union-attr]


def test_it_is_no_call() -> None:
    state = {"responses": STATE["responses"], "conversations": STATE["conversations"]}
    scenario = {
        "deployments": {"chat": {"model": MODEL, "rpm": 1}},
        "resource": {"strict": True},
        "rules": [{"name": "any", "respond": "By a rule."}],
        "state": state,
    }
    with MockServer(scenario) as mock:
        first = mock.given().responses["first"].id
        assert mock.client.responses.retrieve(first).output_text == "Hi there!"
        assert [call.operation for call in mock.requests] == ["getResponse"]
        assert mock.script.unused() == ["any"]
        mock.client.responses.create(model="chat", input="the only one in a minute")


def test_the_first_deployment_that_can_chat_made_the_responses() -> None:
    scenario = {
        "deployments": {"vectors": "text-embedding-3-small", "mine": "gpt-4o"},
        "state": {"responses": {"first": {"input": "Hello"}}},
    }
    with MockServer(scenario) as mock:
        assert mock.client.responses.retrieve(mock.given().responses["first"].id).model == "mine"


# -- ids


def test_ids_are_the_same_at_any_time_and_for_any_order() -> None:
    reverse = {kind: dict(reversed(objects.items())) for kind, objects in STATE.items() if kind != "responses"}
    with server() as one, server({**reverse, "responses": STATE["responses"]}) as other:
        one.clock.freeze(1_790_000_000)
        other.clock.freeze(1_800_000_000)
        assert one.given() == other.given()
        assert one.client.files.retrieve(one.given().files["note"].id).id.startswith("assistant-")


def test_ids_depend_on_the_seed_and_the_name() -> None:
    state = {"files": {"a": "text", "b": "text"}, "vector_stores": {"a": {}}}
    with server(state) as one, server(state, seed=7) as other:
        ids = [entry.id for mock in (one, other) for entry in mock.given().files.values()]
    assert len(set(ids)) == 4


def test_what_callers_make_has_other_ids() -> None:
    with server({"files": {"a": "text"}}) as mock:
        made = mock.client.files.create(file=("a.txt", b"text"), purpose="assistants")
        assert made.id != mock.given().files["a"].id


# -- in Python


def test_a_test_gives_more(mock: MockServer, client: OpenAI, tmp_path: Path) -> None:
    (tmp_path / "rules.md").write_text("Dogs are welcome.")
    state = mock.given(files={"rules": tmp_path / "rules.md", "hours": {"path": tmp_path / "rules.md", "filename": "h.md"}})
    state = mock.given(files={"more": "Cats are not."}, vector_stores={"docs": {"files": ["rules", "more"]}})
    assert list(state.files) == ["rules", "hours", "more"]
    assert [client.files.retrieve(entry.id).filename for entry in state.files.values()] == ["rules.md", "h.md", "more.txt"]
    found = client.vector_stores.search(state.vector_stores["docs"].id, query="dogs")
    assert found.data[0].file_id == state.files["rules"].id
    assert {call.operation for call in mock.requests} == {"retrieveFile", "searchVectorStore"}
    mock.reset()
    assert mock.given().files == {}
    assert list(client.files.list()) == []


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ({"files": {"a": Path("/nowhere/a.md")}}, r"given\(…\): state.files.a.path: cannot be read: No such file"),
        ({"files": {"a": {"txt": "x"}}}, r"given\(…\): state.files.a.txt: unknown key; did you mean 'text'\?"),
        ({"files": {"\ud800": "x"}}, "the key '.*' is not text"),
        ({"files": {"known": "x"}}, "state.files.known: the resource has another one of this name"),
        ({"files": {"a": {"text": "x", "id": "assistant-known"}}}, "state.files.a: has the id of 'known'"),
        ({"vector_stores": {"a": {"files": ["knwn"]}}}, "there is no 'knwn' under state.files; did you mean 'known'"),
        (
            {"files": {"a": "x"}, "responses": {"r": {"input": [{"type": "item_reference", "id": "msg_1"}]}}},
            "state.responses.r: Item with id 'msg_1' not found",
        ),
    ],
)
def test_what_cannot_be_given_is_refused_as_a_whole(
    mock: MockServer, client: OpenAI, state: dict[str, Any], problem: str
) -> None:
    mock.given(files={"known": {"text": "x", "id": "assistant-known"}})
    with pytest.raises(ScenarioError, match=problem):
        mock.given(**state)
    assert list(mock.given().files) == ["known"]
    assert [file.id for file in client.files.list()] == ["assistant-known"]


def test_what_is_refused_takes_nothing_of_others_with_it(mock: MockServer, client: OpenAI) -> None:
    mock.given(files={"kept": {"text": "x", "id": "assistant-kept"}})
    reference = [{"type": "item_reference", "id": "msg_1"}]
    mock.resource.preload.remove(tuple(mock.resource.preload))
    with pytest.raises(ScenarioError):
        mock.given(files={"a": {"text": "y", "id": "assistant-kept"}}, responses={"r": {"input": reference}})
    assert client.files.content("assistant-kept").text == "x"


names = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=30)


@given(name=names, text=st.text(st.characters(blacklist_categories=["Cs"]), min_size=1))
@settings(max_examples=30, deadline=None)
def test_any_name_and_any_text(name: str, text: str) -> None:
    resources = build_resources([build({"state": {"files": {name: {"text": text, "filename": name}}}})], {})
    resource = resources.default
    preload.fill(resource)
    file_id = resource.preload.given().files[name].id
    document, blob = resource.store.get("file", file_id), resource.store.blob("file", file_id)
    assert document is not None
    assert blob is not None
    assert document["filename"] == name
    with blob.open() as content:
        assert content.read() == text.encode()


# -- again


def test_a_reset_brings_it_back(http: httpx2.Client) -> None:
    with server() as mock:
        for forget in (
            mock.reset,
            lambda: http.post(f"{mock.endpoint}/_mock/reset"),
            lambda: http.post(f"{mock.endpoint}/_mock/reset", json={"what": "state"}),
            lambda: http.delete(f"{mock.endpoint}/_mock/state"),
        ):
            mock.client.files.delete("assistant-handbook")
            mock.client.files.create(file=("mine.txt", b"mine"), purpose="assistants")
            forget()
            assert [file.filename for file in mock.client.files.list()] == ["lines.jsonl", "note.txt", "handbook.md"]
            assert mock.client.vector_stores.search("vs_docs", query="refunds").data[0].file_id == "assistant-handbook"


def test_a_file_that_was_changed_is_read_anew_after_a_reset(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("Old.")
    (tmp_path / "s.yaml").write_text("state: {files: {a: {path: a.md, id: assistant-a}}}")
    with MockServer(tmp_path / "s.yaml") as mock:
        assert mock.client.files.content("assistant-a").text == "Old."
        (tmp_path / "a.md").write_text("New.")
        assert mock.client.files.content("assistant-a").text == "Old."
        mock.reset()
        assert mock.client.files.content("assistant-a").text == "New."


def test_a_file_that_has_gone_is_logged_and_holds_up_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.md").write_text("Here.")
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        "state:\n  files:\n    a: {path: a.md}\n    b: Text.\n  vector_stores: {docs: {id: vs_docs, files: [a]}}"
    )
    with MockServer(scenario) as mock, caplog.at_level(logging.ERROR, "mockserver"):
        (tmp_path / "a.md").unlink()
        assert [file.filename for file in mock.client.files.list()] == ["b.txt"]
        (tmp_path / "a.md").symlink_to(Path(__file__))
        mock.reset()
        assert [file.filename for file in mock.client.files.list()] == ["b.txt"]
    assert f"{scenario}:3:8: state.files.a: cannot be read: No such file or directory" in caplog.messages
    assert f"{scenario}:3:8: state.files.a: leads out of the scenario's folder" in caplog.messages


def test_a_state_that_survives_gets_what_it_does_not_have(tmp_path: Path) -> None:
    with MockServer({"state": STATE}, state=tmp_path / "my.state") as mock:
        ids = mock.given()
        made = mock.client.files.create(file=("mine.txt", b"mine"), purpose="assistants").id
        mock.client.vector_stores.update("vs_docs", name="Renamed")
        mock.client.files.delete(ids.files["note"].id)
    more = {**STATE, "files": {**STATE["files"], "new": "New."}}
    with MockServer({"state": more}, state=tmp_path / "my.state") as mock:
        names = [file.filename for file in mock.client.files.list()]
        assert names == ["new.txt", "note.txt", "mine.txt", "lines.jsonl", "handbook.md"]
        assert mock.client.files.retrieve(made).filename == "mine.txt"
        assert mock.client.vector_stores.retrieve("vs_docs").name == "Renamed"
        assert len(list(mock.client.vector_stores.list())) == 2
        assert len(list(mock.client.conversations.items.list(ids.conversations["chat"].id, limit=100))) == 52
        assert mock.client.responses.retrieve(ids.responses["second"].id).output_text == "And now? Goodbye!"


def test_explain_sees_it(tmp_path: Path) -> None:
    scenario = tmp_path / "s.yaml"
    scenario.write_text(
        "state: {responses: {first: {id: resp_first, input: Hello, respond: Hi}}}\nrules: [{name: two, when: {turn: 2}, respond: x}]"
    )
    body = json.dumps({"model": MODEL, "input": "more", "previous_response_id": "resp_first"})
    result = CliRunner().invoke(main, ["explain", str(scenario), "-"], input=body)
    assert (result.exit_code, "two: answers" in result.output) == (0, True)


@pytest.mark.parametrize("backend", ["memory", "file"])
def test_the_first_calls_may_come_at_once(tmp_path: Path, backend: str) -> None:
    options: dict[str, Any] = {"state": tmp_path / "my.state"} if backend == "file" else {}
    with MockServer({"state": STATE}, **options) as mock:

        def look(_: int) -> list[str]:
            with mock.http_client() as http:
                headers = {"api-key": mock.api_key}
                return [file["id"] for file in http.get(f"{mock.base_url}files", headers=headers).json()["data"]]

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(look, range(16)))
        assert found == [[entry.id for entry in reversed(mock.given().files.values())]] * 16
        assert mock.resource.store.count("vector_store") == 2


def test_resources_of_one_scenario_each_have_their_own() -> None:
    with MockServer() as shared:
        scenario = build({"state": {"files": {"a": {"text": "A.", "id": "assistant-a"}}}})
        mocks = [shared.adopt(build_resources([scenario], {}).default) for _ in range(2)]
        mocks[0].client.files.delete("assistant-a")
        assert [len(list(mock.client.files.list())) for mock in mocks] == [0, 1]


# -- through the control API


def test_the_control_api_gives_and_names_it(mock: MockServer, client: OpenAI, http: httpx2.Client) -> None:
    url = f"{mock.endpoint}/_mock/scenario"
    put = http.put(url, json={"state": {"files": {"a": {"text": "A.", "id": "assistant-a"}}}}).json()
    assert put["state"] == {"files": {"a": "assistant-a"}}
    assert client.files.content("assistant-a").text == "A."
    posted = http.post(url, json={"state": {"files": {"b": "B."}}}).json()
    assert list(posted["state"]["files"]) == ["a", "b"]
    assert client.files.content(posted["state"]["files"]["b"]).text == "B."
    again = http.post(url, json={"state": {"files": {"a": "Again."}}})
    assert (again.status_code, again.json()["error"]["problems"]) == (
        400,
        ["body:1:24: state.files.a: the resource has another one of this name"],
    )
    outside = http.put(url, json={"state": {"files": {"a": {"path": "pyproject.toml"}}}})
    assert outside.status_code == 400
    assert "is for scenarios in files" in outside.json()["error"]["problems"][0]


def test_another_scenario_adds_what_is_new_and_keeps_what_is_there(
    mock: MockServer, client: OpenAI, http: httpx2.Client
) -> None:
    url = f"{mock.endpoint}/_mock/scenario"
    http.put(url, json={"state": {"files": {"a": {"text": "A.", "id": "assistant-a"}}}})
    assert client.files.content("assistant-a").text == "A."
    changed = {"a": {"text": "Changed.", "id": "assistant-a"}, "b": {"text": "B.", "id": "assistant-b"}}
    http.put(url, json={"state": {"files": changed}})
    assert [client.files.content(f"assistant-{name}").text for name in "ab"] == ["A.", "B."]
    mock.reset()
    assert [client.files.content(f"assistant-{name}").text for name in "ab"] == ["Changed.", "B."]


def test_what_refers_to_a_scenario_that_was_replaced_is_left_out(
    mock: MockServer, client: OpenAI, http: httpx2.Client, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"{mock.endpoint}/_mock/scenario"
    http.put(url, json={"state": {"files": {"a": "A."}}})
    store_id = mock.given(vector_stores={"docs": {"files": ["a"]}}).vector_stores["docs"].id
    http.put(url, json={"state": {"files": {"b": "B."}}})
    client.vector_stores.delete(store_id)
    http.put(url, json={"state": {"files": {"c": "C."}}})
    assert [file.filename for file in client.files.list()] == ["c.txt", "b.txt", "a.txt"]
    assert list(client.vector_stores.list()) == []
    assert "given(…): state.vector_stores.docs: there is no 'a' any more" in caplog.messages


def test_what_is_exported_has_it_and_what_is_imported_is_all_there_is(http: httpx2.Client) -> None:
    with server({"files": {"a": {"text": "A.", "id": "assistant-a"}}}) as mock:
        exported = http.get(f"{mock.endpoint}/_mock/state").content
        assert b"assistant-a" in exported
        http.put(f"{mock.endpoint}/_mock/state", content=b'{"mockserver_state": 1, "generation": 0, "resources": {}}')
        assert list(mock.client.files.list()) == []
