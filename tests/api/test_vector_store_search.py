"""What is in vector stores, searched and read."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer

Json = Any
NOW = 1_790_000_000
DAY = 24 * 3_600
TEXTS = {
    "food.md": "Travis likes pizza with mushrooms.",
    "cars.txt": "Anna drives a red car, and washes it on Sundays.",
    "dogs.html": "<title>Dogs</title><p>Anna has two dogs.</p>",
}


def call(http: httpx2.Client, mock: MockServer, method: str, path: str = "", **options: Any) -> httpx2.Response:
    return http.request(method, f"{mock.base_url}vector_stores{path}", headers={"api-key": mock.api_key}, **options)


def add(client: OpenAI, store_id: str, name: str, text: str | bytes, **options: Any) -> str:
    content = text.encode() if isinstance(text, str) else text
    file = client.files.create(file=(name, content), purpose="assistants")
    return client.vector_stores.files.create_and_poll(file.id, vector_store_id=store_id, **options).id


@pytest.fixture
def store_id(plain: OpenAI) -> str:
    store_id = plain.vector_stores.create(name="notes").id
    for year, (name, text) in enumerate(TEXTS.items(), 2024):
        add(plain, store_id, name, text, attributes={"year": year, "kind": name.partition(".")[2]})
    return store_id


def names(client: OpenAI, store_id: str, query: Any, **options: Any) -> list[str]:
    return [found.filename for found in client.vector_stores.search(store_id, query=query, **options)]


# -- search


def test_a_search_is_written_as_documented(http: httpx2.Client, mock: MockServer, store_id: str) -> None:
    body = {"query": "Which pizza does Travis like?", "max_num_results": 1}
    page = call(http, mock, "POST", f"/{store_id}/search", json=body).json()
    (result,) = page["data"]
    assert list(page.items()) == [
        ("object", "vector_store.search_results.page"),
        ("search_query", ["Which pizza does Travis like?"]),
        ("data", [result]),
        ("has_more", False),
        ("next_page", None),
    ]
    assert list(result) == ["file_id", "filename", "score", "attributes", "content"]
    assert 0 < result["score"] <= 1
    assert (result["filename"], result["attributes"]) == ("food.md", {"year": 2024, "kind": "md"})
    assert result["content"] == [{"type": "text", "text": TEXTS["food.md"]}]


def test_the_best_comes_first_and_a_threshold_cuts_the_rest(plain: OpenAI, store_id: str) -> None:
    assert names(plain, store_id, "red car")[0] == "cars.txt"
    assert names(plain, store_id, "two dogs")[0] == "dogs.html"
    assert len(names(plain, store_id, "Anna")) == 3
    assert names(plain, store_id, "mushrooms", ranking_options={"score_threshold": 0.3}) == ["food.md"]
    assert names(plain, store_id, "zebra", ranking_options={"score_threshold": 0.3, "ranker": "none"}) == []


def test_several_queries_and_rewritten_ones(plain: OpenAI, store_id: str) -> None:
    threshold: Json = {"score_threshold": 0.3}
    assert set(names(plain, store_id, ["pizza", "car"], ranking_options=threshold)) == {"food.md", "cars.txt"}
    page = plain.vector_stores.search(store_id, query="What is the name of the dogs?", rewrite_query=True).to_dict()
    assert page["search_query"] == ["name dogs"]
    weights: Json = {"hybrid_search": {"embedding_weight": 0, "text_weight": 1}}
    assert names(plain, store_id, "washes", ranking_options=weights)[0] == "cars.txt"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"type": "eq", "key": "kind", "value": "md"}, {"food.md"}),
        ({"type": "gte", "key": "year", "value": 2025}, {"cars.txt", "dogs.html"}),
        ({"type": "in", "key": "kind", "value": ["md", "html"]}, {"food.md", "dogs.html"}),
        (
            {
                "type": "and",
                "filters": [
                    {"type": "lt", "key": "year", "value": 2026},
                    {"type": "or", "filters": [{"type": "ne", "key": "kind", "value": "md"}]},
                ],
            },
            {"cars.txt"},
        ),
        ({"type": "eq", "key": "absent", "value": True}, set()),
    ],
)
def test_filters_take_files_by_their_attributes(plain: OpenAI, store_id: str, filters: Json, found: set[str]) -> None:
    assert set(names(plain, store_id, "anything", filters=filters)) == found


def test_updated_attributes_count_from_then_on(plain: OpenAI, store_id: str) -> None:
    new: Json = {"type": "eq", "key": "kind", "value": "new"}
    file_id = plain.vector_stores.search(store_id, query="pizza").data[0].file_id
    plain.vector_stores.files.update(file_id, vector_store_id=store_id, attributes={"kind": "new"})
    assert names(plain, store_id, "pizza", filters=new) == ["food.md"]


def test_what_has_left_is_not_found(plain: OpenAI, store_id: str) -> None:
    ids = {found.filename: found.file_id for found in plain.vector_stores.search(store_id, query="Anna")}
    plain.vector_stores.files.delete(ids["food.md"], vector_store_id=store_id)
    plain.files.delete(ids["cars.txt"])
    assert names(plain, store_id, "Anna pizza car") == ["dogs.html"]
    plain.vector_stores.files.create_and_poll(ids["food.md"], vector_store_id=store_id)
    assert names(plain, store_id, "pizza")[0] == "food.md"


def test_a_file_that_is_indexed_anew_is_found_once(plain: OpenAI, store_id: str) -> None:
    file_id = plain.vector_stores.search(store_id, query="pizza").data[0].file_id
    plain.vector_stores.files.create_and_poll(file_id, vector_store_id=store_id)
    assert sorted(names(plain, store_id, "pizza")) == sorted(TEXTS)


def test_a_search_waits_for_nothing(plain: OpenAI) -> None:
    file = plain.files.create(file=("a.txt", b"A needle."), purpose="assistants")
    store_id = plain.vector_stores.create(file_ids=[file.id]).id
    assert names(plain, store_id, "needle") == ["a.txt"]


def test_an_empty_store_has_no_results(plain: OpenAI) -> None:
    assert names(plain, plain.vector_stores.create().id, "anything") == []


def test_a_search_keeps_a_store_alive_and_an_expired_one_refuses(mock: MockServer, http: httpx2.Client, plain: OpenAI) -> None:
    store_id = plain.vector_stores.create(expires_after={"anchor": "last_active_at", "days": 1}).id
    mock.clock.advance(0.9 * DAY)
    names(plain, store_id, "anything")
    store = plain.vector_stores.retrieve(store_id)
    assert (store.last_active_at, store.expires_at) == (NOW + 0.9 * DAY, NOW + 1.9 * DAY)
    mock.clock.advance(DAY)
    refused = call(http, mock, "POST", f"/{store_id}/search", json={"query": "x"})
    assert_azure_error(refused, 400, message=f"The vector store with id '{store_id}' is expired.", param=None, code=None)
    unknown = call(http, mock, "POST", "/vs_unknown/search", json={"query": "x"})
    assert_azure_error(unknown, 404, message="No vector store found with id 'vs_unknown'.")


@pytest.mark.anyio
async def test_the_asynchronous_client_searches_too(async_client: AsyncOpenAI) -> None:
    store = await async_client.vector_stores.create()
    await async_client.vector_stores.files.upload_and_poll(vector_store_id=store.id, file=("a.md", b"# Ahoy"))
    page = await async_client.vector_stores.search(store.id, query="ahoy")
    assert [found.content[0].text async for found in page] == ["# Ahoy"]
    content = await async_client.vector_stores.files.content(page.data[0].file_id, vector_store_id=store.id)
    assert [part.text async for part in content] == ["# Ahoy"]


X = {"query": "x"}
WRONG: list[tuple[Json, str, str]] = [
    ({}, "query", "missing_required_parameter"),
    ({"query": 5}, "query", "invalid_type"),
    ({"query": []}, "query", "empty_array"),
    (X | {"max_num_results": 0}, "max_num_results", "integer_below_min_value"),
    (X | {"max_num_results": 51}, "max_num_results", "integer_above_max_value"),
    (X | {"rewrite_query": "yes"}, "rewrite_query", "invalid_type"),
    (X | {"ranking_options": {"ranker": "best"}}, "ranking_options.ranker", "invalid_value"),
    (X | {"ranking_options": {"score_threshold": 1.5}}, "ranking_options.score_threshold", "decimal_above_max_value"),
    (X | {"filters": "a"}, "filters", "invalid_value"),
    (X | {"filters": {"type": "like", "key": "a", "value": 1}}, "filters.type", "invalid_value"),
    (X | {"filters": {"type": "and", "filters": [{"type": "eq", "value": 1}]}}, "filters.filters[0].key", "invalid_value"),
    (X | {"page": 2}, "page", "unknown_parameter"),
]


@pytest.mark.parametrize(("body", "param", "code"), WRONG)
def test_wrong_searches_are_refused(
    http: httpx2.Client, mock: MockServer, plain: OpenAI, body: Json, param: str, code: str
) -> None:
    refused = call(http, mock, "POST", f"/{plain.vector_stores.create().id}/search", json=body)
    assert_azure_error(refused, 400, type="invalid_request_error", param=param, code=code)


# -- chunks and texts


def test_long_files_are_cut_into_chunks_of_the_size_that_they_were_added_with(plain: OpenAI) -> None:
    text = " ".join(f"word{at}" for at in range(400))
    store_id = plain.vector_stores.create().id
    static: Json = {"type": "static", "static": {"max_chunk_size_tokens": 200, "chunk_overlap_tokens": 0}}
    file_id = add(plain, store_id, "long.txt", text, chunking_strategy=static)
    parts = [found.content[0].text for found in plain.vector_stores.search(store_id, query="zebra", max_num_results=50)]
    assert len(parts) > 2
    assert "".join(parts) == text
    usage = plain.vector_stores.files.retrieve(file_id, vector_store_id=store_id).usage_bytes
    assert usage == len(text) + 1_024 * len(parts)
    assert plain.vector_stores.retrieve(store_id).usage_bytes == usage


def test_the_content_of_a_file_is_its_text(http: httpx2.Client, mock: MockServer, plain: OpenAI, store_id: str) -> None:
    file_id = plain.vector_stores.search(store_id, query="dogs").data[0].file_id
    page = call(http, mock, "GET", f"/{store_id}/files/{file_id}/content").json()
    (part,) = page["data"]
    assert list(page.items()) == [
        ("object", "vector_store.file_content.page"),
        ("data", [part]),
        ("has_more", False),
        ("next_page", None),
    ]
    assert list(part) == ["type", "text"]
    assert "Anna has two dogs." in part["text"]
    assert "<p>" not in part["text"]
    missing = call(http, mock, "GET", f"/{store_id}/files/assistant-1/content")
    assert_azure_error(missing, 404, message=f"No file found with id 'assistant-1' in vector store '{store_id}'.")


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("a.exe", b"MZ", "unsupported_file", "The file type is not supported."),
        ("noname", b"text", "unsupported_file", "The file type is not supported."),
        ("a.docx", b"PK\x03\x04 not really", "invalid_file", "The file could not be parsed."),
        ("a.txt", b"\xc3\x28\xa0\xff", "invalid_file", "The file could not be parsed"),
    ],
)
def test_a_file_that_cannot_be_read_fails(plain: OpenAI, name: str, content: bytes, code: str, message: str) -> None:
    store_id = plain.vector_stores.create().id
    file_id = add(plain, store_id, name, content)
    file = plain.vector_stores.files.retrieve(file_id, vector_store_id=store_id)
    assert (file.status, file.usage_bytes) == ("failed", 0)
    assert file.last_error is not None
    assert file.last_error.code == code
    assert file.last_error.message.startswith(message)
    store = plain.vector_stores.retrieve(store_id)
    assert (store.status, store.file_counts.failed, store.file_counts.total) == ("completed", 1, 1)
    assert plain.vector_stores.files.content(file_id, vector_store_id=store_id).data == []
    assert names(plain, store_id, "text") == []


def test_a_batch_fails_where_all_its_files_do(plain: OpenAI) -> None:
    store_id = plain.vector_stores.create().id
    bad, good = ("a.exe", b"MZ"), ("a.txt", b"text")
    batches = plain.vector_stores.file_batches
    assert batches.upload_and_poll(store_id, files=[bad]).status == "failed"
    mixed = batches.upload_and_poll(store_id, files=[bad, good])
    assert (mixed.status, mixed.file_counts.failed, mixed.file_counts.completed) == ("completed", 1, 1)
    failed = batches.list_files(mixed.id, vector_store_id=store_id, filter="failed").data
    assert [file.last_error.code for file in failed if file.last_error] == ["unsupported_file"]
