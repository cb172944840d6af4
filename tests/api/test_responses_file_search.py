"""The tool `file_search`: answers that quote the resource's files, with citations that stand where they say."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from openai import OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer

Json = Any
MODEL = "gpt-4o-mini"
FILES = {
    "food.txt": "Travis's favorite food is pizza. Anna likes soup.\nNobody likes rain.",
    "sky.md": "The sky over Oslo is blue in June.",
}
QUESTION = "What is Travis's favorite food?"


@pytest.fixture
def store(client: OpenAI) -> str:
    """A vector store with two files."""
    name = client.vector_stores.create(name="notes").id
    for at, (filename, text) in enumerate(FILES.items()):
        file = client.files.create(file=(filename, text.encode()), purpose="assistants")
        client.vector_stores.files.create_and_poll(file.id, vector_store_id=name, attributes={"year": 2025 + at})
    return name


def ask(client: OpenAI, store: str, text: str = QUESTION, *, choice: Json = "auto", tools: Json = (), **settings: Json) -> Any:
    tool: Json = {"type": "file_search", "vector_store_ids": [store], **settings}
    return client.responses.create(
        model=MODEL, input=text, tools=[tool, *tools], tool_choice=choice, include=["file_search_call.results"]
    )


def post(http: httpx2.Client, mock: MockServer, tool: Json, **rest: Json) -> httpx2.Response:
    body = {"model": MODEL, "input": QUESTION, "tools": [{"type": "file_search", **tool}], **rest}
    return http.post(f"{mock.base_url}responses", json=body, headers={"api-key": mock.api_key})


def test_an_answer_quotes_the_best_passage_and_cites_its_file(client: OpenAI, store: str) -> None:
    answer = ask(client, store)
    found, message = answer.output
    assert (found.type, found.status, found.queries) == ("file_search_call", "completed", [QUESTION])
    assert answer.output_text == "According to food.txt: Travis's favorite food is pizza."
    (citation,) = message.content[0].annotations
    best = found.results[0]
    assert (citation.type, citation.filename, citation.file_id) == ("file_citation", "food.txt", best.file_id)
    assert answer.output_text[citation.index :] == "."
    assert (best.filename, best.text, best.attributes) == ("food.txt", FILES["food.txt"], {"year": 2025})
    assert 0.5 < best.score <= 1


def test_results_are_shown_only_when_asked_for(http: httpx2.Client, mock: MockServer, store: str) -> None:
    answer = post(http, mock, {"vector_store_ids": [store]}).json()
    found = answer["output"][0]
    assert list(found) == ["id", "type", "status", "queries", "results"]
    assert found["results"] is None
    shown = post(http, mock, {"vector_store_ids": [store]}, include=["file_search_call.results"]).json()["output"][0]
    assert list(shown["results"][0]) == ["attributes", "file_id", "filename", "score", "text"]


def test_a_search_streams_its_steps_and_its_citation(http: httpx2.Client, mock: MockServer, store: str) -> None:
    text = post(http, mock, {"vector_store_ids": [store]}, stream=True).text
    told = [json.loads(line.removeprefix("data: ")) for line in text.split("\n") if line.startswith("data: ")]
    kinds = [event["type"].removeprefix("response.") for event in told if not event["type"].endswith("text.delta")]
    assert kinds == [
        "created", "in_progress",
        "output_item.added", "file_search_call.in_progress", "file_search_call.searching", "file_search_call.completed",
        "output_item.done",
        "output_item.added", "content_part.added", "output_text.annotation.added", "output_text.done", "content_part.done",
        "output_item.done", "completed",
    ]  # fmt: skip
    assert told[2]["item"]["queries"] == []


def test_nothing_is_searched_where_nothing_fits(client: OpenAI, store: str) -> None:
    answer = ask(client, store, "Zebras?")
    assert [item.type for item in answer.output] == ["message"]
    assert answer.output[0].content[0].annotations == []
    assert [item.type for item in ask(client, store, choice="none").output] == ["message"]


@pytest.mark.parametrize("choice", ["required", {"type": "file_search"}])
def test_a_demanded_search_is_done_even_where_nothing_fits(client: OpenAI, store: str, choice: Json) -> None:
    assert [item.type for item in ask(client, store, "Zebras?", choice=choice).output] == ["file_search_call", "message"]
    assert [item.type for item in ask(client, store, choice=choice).output] == ["file_search_call", "message"]


def test_an_empty_store_finds_nothing(client: OpenAI) -> None:
    empty = client.vector_stores.create(name="empty").id
    found, message = ask(client, empty, choice="required").output
    assert (found.results, message.content[0].annotations) == ([], [])


def test_settings_of_the_search_are_heeded(client: OpenAI, store: str) -> None:
    assert len(ask(client, store).output[0].results) == 2
    assert len(ask(client, store, max_num_results=1).output[0].results) == 1
    strict = ask(client, store, ranking_options={"score_threshold": 0.5}).output[0].results
    assert [one.filename for one in strict] == ["food.txt"]
    later: Json = {"type": "gte", "key": "year", "value": 2026}
    assert [item.type for item in ask(client, store, filters=later).output] == ["message"]
    filtered = ask(client, store, "Which colour has the sky?", filters=later).output[0].results
    assert [one.filename for one in filtered] == ["sky.md"]
    weights = {"embedding_weight": 0.0, "text_weight": 1.0}
    assert ask(client, store, ranking_options={"hybrid_search": weights}).output[0].results[0].filename == "food.txt"


def test_other_demanded_tools_come_instead(client: OpenAI, store: str) -> None:
    answer = ask(client, store, choice={"type": "web_search_preview"}, tools=[{"type": "web_search_preview"}])
    assert [item.type for item in answer.output] == ["web_search_call", "message"]


def test_json_answers_do_not_quote(http: httpx2.Client, mock: MockServer, store: str) -> None:
    form = {"type": "json_schema", "name": "n", "schema": {"type": "object", "properties": {"a": {"type": "integer"}}}}
    found, message = post(http, mock, {"vector_store_ids": [store]}, text={"format": form}).json()["output"]
    assert found["type"] == "file_search_call"
    assert "a" in json.loads(message["content"][0]["text"])


def test_a_script_can_use_what_is_found(mock: MockServer, client: OpenAI, store: str) -> None:
    mock.when().respond(
        items=[{"type": "file_search_call"}],
        text="{{ search.results | length }}: {{ search.best.text[:6] }} ({{ search.best.filename }})",
        annotations=[{"type": "file_citation", "file_id": "{{ search.best.file_id }}", "filename": "x", "index": 9}],
    )
    answer = ask(client, store)
    found, message = answer.output
    assert answer.output_text == "2: Travis (food.txt)"
    assert [one.filename for one in found.results] == ["food.txt", "sky.md"]
    assert message.content[0].annotations[0].file_id == found.results[0].file_id


def test_a_script_decides_whether_there_is_a_search(mock: MockServer, client: OpenAI, store: str) -> None:
    mock.when().respond("Pizza, I think.")
    assert [item.type for item in ask(client, store).output] == ["message"]


def test_a_script_can_say_what_was_searched_and_found(mock: MockServer, client: OpenAI, store: str) -> None:
    result = {"file_id": "f", "filename": "a.txt", "score": 0.5, "text": "t"}
    mock.when().respond(items=[{"type": "file_search_call", "queries": ["food", "Travis"], "results": [result]}], text="Hm.")
    found = ask(client, store).output[0]
    assert (found.queries, [one.filename for one in found.results]) == (["food", "Travis"], ["a.txt"])


def test_without_a_search_a_template_finds_nothing(mock: MockServer, client: OpenAI) -> None:
    mock.when().respond("{{ search.results | length }}{{ search.best.text | default('-') }}")
    assert client.responses.create(model=MODEL, input="x").output_text == "0-"
    assert (
        client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "x"}]).choices[0].message.content
        == "0-"
    )


@pytest.mark.parametrize(
    ("tool", "status", "param", "text"),
    [
        ({"vector_store_ids": ["vs_x", "vs_y"]}, 404, None, "Vector store with id ['vs_x', 'vs_y'] not found."),
        ({"vector_store_ids": []}, 400, "tools[0].vector_store_ids", "but got an empty array instead"),
        ({"vector_store_ids": [1]}, 400, "tools[0].vector_store_ids[0]", "expected a string, but got an integer"),
        ({"vector_store_ids": ["v"], "max_num_results": 0}, 400, "tools[0].max_num_results", ">= 1"),
        ({"vector_store_ids": ["v"], "ranking_options": {"ranker": "x"}}, 400, "tools[0].ranking_options.ranker", "Invalid value: 'x'."),
        ({"vector_store_ids": ["v"], "ranking_options": {"score_threshold": 2}}, 400, "tools[0].ranking_options.score_threshold", "<= 1"),
        ({"vector_store_ids": ["v"], "ranking_options": {"hybrid_search": {"text_weight": 1}}}, 400,
         "tools[0].ranking_options.hybrid_search.embedding_weight", "Missing required parameter"),
        ({"vector_store_ids": ["v"], "filters": {"type": "like", "key": "a", "value": "b"}}, 400, "tools[0].filters.type", "Invalid"),
        ({"vector_store_ids": ["v"], "filters": {"type": "and", "filters": [{"type": "eq", "key": 1, "value": 1}]}}, 400,
         "tools[0].filters.filters[0].key", "Invalid"),
    ],
)  # fmt: skip
def test_wrong_searches_are_refused(
    http: httpx2.Client, mock: MockServer, tool: Json, status: int, param: str | None, text: str
) -> None:
    assert text in assert_azure_error(post(http, mock, tool), status, param=param)["message"]


def test_an_expired_store_cannot_be_searched(http: httpx2.Client, mock: MockServer, client: OpenAI) -> None:
    name = client.vector_stores.create(name="old", expires_after={"anchor": "last_active_at", "days": 1}).id
    mock.clock.advance(12 * 3600)
    assert post(http, mock, {"vector_store_ids": [name]}).status_code == 200
    mock.clock.advance(20 * 3600)
    assert post(http, mock, {"vector_store_ids": [name]}).status_code == 200, "being searched keeps a store alive"
    mock.clock.advance(25 * 3600)
    assert "expired" in assert_azure_error(post(http, mock, {"vector_store_ids": [name]}), 400)["message"]


def test_another_resources_store_is_not_there(http: httpx2.Client, store: str) -> None:
    with MockServer() as other:
        assert_azure_error(post(http, other, {"vector_store_ids": [store]}), 404)
