"""Evals: how they are created, listed, changed and deleted, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import AsyncOpenAI, OpenAI
from support.azure_errors import assert_azure_error
from support.evals import CONFIG, CRITERIA, ENDPOINT, LABEL, PREVIEW, PYTHON, SAME, SCHEMA, SIMILAR, create

from mockserver import MockServer
from mockserver.api.evals.schema import leads, mistake

Json = Any


@pytest.fixture
def evals(client: OpenAI) -> Any:
    """The SDK's operations on evals, with the header that the default profile demands; every answer is checked strictly."""
    return client.with_options(default_headers=PREVIEW).evals


# -- the object


def test_an_eval_has_the_recorded_members_in_their_order(mock: MockServer, http: httpx2.Client) -> None:
    body = {"data_source_config": CONFIG, "testing_criteria": [LABEL, SAME], "name": "an eval", "statusCode": 201}
    response = http.post(mock.base_url + "evals", json=body, headers=PREVIEW | {"api-key": mock.api_key})
    assert response.status_code == 201
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["x-ms-response-type"] == "standard"
    assert response.text.startswith('{\n  "object": "eval",')
    document = response.json()
    assert list(document) == [
        "object",
        "created_at",
        "modified_at",
        "created_by",
        "id",
        "name",
        "metadata",
        "properties",
        "data_source_config",
        "testing_criteria",
    ]
    assert document["id"].removeprefix("eval_").isalnum()
    assert list(document["data_source_config"]) == ["type", "item_schema", "include_sample_schema", "schema"]
    assert document["data_source_config"]["item_schema"] == {}
    assert document["data_source_config"]["schema"]["item"] == SCHEMA
    label, same = document["testing_criteria"]
    assert list(label) == ["type", "id", "name", "input", "labels", "model", "passing_labels"]
    assert list(same) == ["type", "id", "name", "input", "operation", "reference"]
    assert label["input"][0]["type"] == "message"
    assert same["id"].startswith("same_")


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda one: one["type"])
def test_every_kind_of_testing_criterion_is_taken(evals: Any, criterion: Json) -> None:
    created = create(evals, criterion)
    assert (
        evals.with_raw_response.retrieve(created.id).http_response.json()["testing_criteria"][0]["id"]
        == created.testing_criteria[0].id
    )
    assert created.testing_criteria[0].type == criterion["type"]


@pytest.mark.parametrize("kind", ["logs", "stored_completions"])
def test_logs_have_a_schema_that_knows_no_fields(evals: Any, kind: str) -> None:
    criterion = SAME | {"reference": "{{item.whatever}}"}
    created = create(evals, criterion, data_source_config={"type": kind, "metadata": {"use": "chat"}})
    assert created.data_source_config.to_dict()["metadata"] == {"use": "chat"}
    assert set(created.data_source_config.schema_) == {"item", "sample"}


def test_an_eval_is_changed_member_by_member(mock: MockServer, evals: Any) -> None:
    created = create(evals, metadata={"a": "b"})
    mock.clock.advance(60)
    changed = evals.update(created.id, name="another")
    assert (changed.name, changed.metadata) == ("another", {"a": "b"})
    assert changed.to_dict()["modified_at"] == created.created_at + 60
    assert evals.update(created.id, metadata={"c": "d"}).metadata == {"c": "d"}
    assert evals.update(created.id, metadata=None).metadata == {}
    assert evals.retrieve(created.id).name == "another"


def test_what_is_deleted_is_gone_with_its_runs(evals: Any, plain: OpenAI) -> None:
    created = create(evals)
    source = {"type": "file_content", "content": [{"item": {"question": "x", "answer": "y"}}]}
    runs: Any = plain.with_options(default_headers=PREVIEW).evals.runs
    run = runs.create(created.id, data_source={"type": "jsonl", "source": source})
    assert evals.delete(created.id).to_dict() == {"object": "eval.deleted", "deleted": True, "eval_id": created.id}
    for gone in (evals.retrieve, evals.update, evals.delete, evals.runs.list):
        with pytest.raises(openai.NotFoundError, match=f"Eval {created.id} not found"):
            gone(created.id)
    with pytest.raises(openai.NotFoundError):
        runs.retrieve(run.id, eval_id=created.id)


# -- lists


def test_evals_are_listed_the_oldest_first_or_as_the_query_says(mock: MockServer, evals: Any) -> None:
    ids = []
    for _ in range(3):
        ids.append(create(evals).id)
        mock.clock.advance(1)
    evals.update(ids[0], name="changed last")

    def listed(**options: Json) -> list[str]:
        return [one.id for one in evals.list(limit=2, **options)]

    assert listed() == ids
    assert listed(order="desc") == ids[::-1]
    assert listed(order_by="updated_at") == [ids[1], ids[2], ids[0]]
    assert listed(order_by="updated_at", order="desc") == [ids[0], ids[2], ids[1]]
    assert listed(after=ids[1], order_by="created_at") == [ids[2]]


@pytest.mark.parametrize("order_by", ["created_at", "updated_at"])
def test_a_page_says_where_it_ends(evals: Any, order_by: str) -> None:
    ids = [create(evals).id for _ in range(3)]
    page = evals.list(limit=2, order_by=order_by)
    assert list(page.to_dict()) == ["data", "has_more", "object", "first_id", "last_id"]
    assert (page.to_dict()["first_id"], page.to_dict()["last_id"], page.has_more) == (ids[0], ids[1], True)


@pytest.mark.parametrize(
    ("options", "param"),
    [({"order_by": "name"}, "order_by"), ({"order": "up"}, "order"), ({"limit": 0}, "limit"), ({"after": "eval_x"}, "after")],
)
def test_a_list_that_cannot_be_is_refused(evals: Any, options: Json, param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        evals.list(**options)
    assert refusal.value.param == param


# -- what is refused


@pytest.mark.parametrize(
    ("criterion", "param", "text"),
    [
        (SAME | {"reference": "{{item.anwser}}"}, "testing_criteria[0]", "'{{item.anwser}}' names no field of the item schema"),
        (SAME | {"reference": "{{item.question.text}}"}, "testing_criteria[0]", "names no field"),
        (SAME | {"reference": "{{item.tags[0].label}}"}, "testing_criteria[0]", "names no field"),
        (SAME | {"reference": "{{other.answer}}"}, "testing_criteria[0].reference", "unknown namespace"),
        (SAME | {"input": "{{sample.text}}"}, "testing_criteria[0].input", "not a variable of a sample"),
        (LABEL | {"input": [{"role": "user", "content": "{{item.x}}"}]}, "testing_criteria[0]", "names no field"),
        (LABEL | {"passing_labels": ["great"]}, "testing_criteria[0].passing_labels", "'great' is not one of the labels"),
        (LABEL | {"labels": []}, "testing_criteria[0].labels", "array"),
        (SIMILAR | {"evaluation_metric": "chrf"}, "testing_criteria[0].evaluation_metric", "'chrf'"),
        ({**SIMILAR, "pass_threshold": None}, "testing_criteria[0].pass_threshold", "null"),
        ({"type": "multi", "graders": {}, "calculate_output": "1"}, "testing_criteria[0].type", "'multi'"),
        ({name: value for name, value in PYTHON.items() if name != "name"}, "testing_criteria[0].name", "Missing"),
        ({"name": "x"}, "testing_criteria[0].type", "Missing"),
        (ENDPOINT | {"url": "http://grader.test"}, "testing_criteria[0].url", "https"),
    ],
)
def test_a_criterion_that_cannot_be_is_refused(evals: Any, criterion: Json, param: str, text: str) -> None:
    with pytest.raises(openai.BadRequestError) as refusal:
        create(evals, criterion)
    assert refusal.value.param == param
    assert text in refusal.value.message


def test_a_sample_is_named_only_where_there_is_one(evals: Any) -> None:
    config = {"type": "custom", "item_schema": SCHEMA}
    assert set(create(evals, SAME | {"input": "{{item.question}}"}, data_source_config=config).data_source_config.schema_) == {
        "item"
    }
    with pytest.raises(openai.BadRequestError, match="include_sample_schema"):
        create(evals, data_source_config=config)


@pytest.mark.parametrize(
    "reference", ["{{item}}", "{{item.tags[0].name}}", "{{item.tags.1.name}}", "{{item.more.of.this[3]}}", "no variable"]
)
def test_what_a_schema_allows_is_taken(evals: Any, reference: str) -> None:
    assert create(evals, SAME | {"reference": reference}).id


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "data_source_config", "missing_required_parameter"),
        ({"data_source_config": CONFIG}, "testing_criteria", "missing_required_parameter"),
        ({"data_source_config": {"type": "csv"}, "testing_criteria": []}, "data_source_config.type", "invalid_value"),
        ({"data_source_config": {"type": "custom"}, "testing_criteria": []}, "data_source_config.item_schema", "missing_required_parameter"),
        ({"data_source_config": CONFIG, "testing_criteria": ["same"]}, "testing_criteria[0]", "invalid_type"),
        ({"data_source_config": CONFIG, "testing_criteria": [], "name": 1}, "name", "invalid_type"),
        ({"data_source_config": CONFIG, "testing_criteria": [], "x": 1}, "x", "unknown_parameter"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_is_refused(mock: MockServer, http: httpx2.Client, body: Json, param: str, code: str) -> None:
    response = http.post(mock.base_url + "evals", json=body, headers=PREVIEW | {"api-key": mock.api_key})
    assert_azure_error(response, 400, param=param, code=code)


# -- the preview header


def test_every_operation_asks_for_the_header_under_the_default_profile(client: OpenAI, evals: Any) -> None:
    created = create(evals)
    bare: Any = client.evals
    calls = [
        lambda: bare.list(),
        lambda: create(bare),
        lambda: bare.retrieve(created.id),
        lambda: bare.update(created.id, name="x"),
        lambda: bare.delete(created.id),
        lambda: bare.runs.list(created.id),
        lambda: bare.runs.create(created.id, data_source={"type": "jsonl", "source": {"type": "file_id", "id": "x"}}),
        lambda: bare.runs.retrieve("x", eval_id=created.id),
        lambda: bare.runs.cancel("x", eval_id=created.id),
        lambda: bare.runs.delete("x", eval_id=created.id),
        lambda: bare.runs.output_items.list("x", eval_id=created.id),
        lambda: bare.runs.output_items.retrieve("1", eval_id=created.id, run_id="x"),
    ]
    for call in calls:
        with pytest.raises(openai.BadRequestError) as refusal:
            call()
        assert refusal.value.param == "aoai-evals"
    assert evals.retrieve(created.id).to_dict() == created.to_dict()


@pytest.mark.parametrize("headers", [{}, PREVIEW])
def test_no_operation_asks_for_it_under_the_profile_of_march_2026(headers: dict[str, str]) -> None:
    with MockServer(profile="2026-03") as mock:
        evals: Any = mock.client.with_options(default_headers=headers).evals
        created = create(evals)
        assert [one.id for one in evals.list()] == [created.id]
        assert evals.delete(created.id).deleted


@pytest.mark.anyio
async def test_the_asynchronous_client_does_all_of_it(async_client: AsyncOpenAI) -> None:
    evals: Any = async_client.with_options(default_headers=PREVIEW).evals
    created = await evals.create(name="x", data_source_config=CONFIG, testing_criteria=[SAME])
    assert (await evals.update(created.id, name="y")).name == "y"
    assert [one.name async for one in evals.list()] == ["y"]
    assert (await evals.retrieve(created.id)).id == created.id
    assert (await evals.delete(created.id)).deleted


# -- laws of schemas

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(("type", "properties", "required", "items", "additionalProperties", "a", "b")), inner, max_size=4
        )
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(("type", "properties", "required", "items", "a")), ANYTHING, max_size=5)
STEPS = st.lists(st.sampled_from(("a", "b", "type", "0")) | st.integers(0, 3), max_size=4)


@given(schema=OBJECTS, steps=STEPS, item=OBJECTS)
@settings(max_examples=150, deadline=None)
def test_any_schema_has_an_answer(schema: Json, steps: list[str | int], item: Json) -> None:
    assert leads(schema, steps) in (True, False)
    assert isinstance(mistake(schema, item), (str, type(None)))


@given(item=st.dictionaries(st.text(max_size=3), ANYTHING, max_size=4))
@settings(max_examples=100, deadline=None)
def test_what_an_item_has_can_be_named_by_the_schema_that_lists_it(item: dict[str, Json]) -> None:
    schema = {"type": "object", "properties": {name: {} for name in item}, "required": list(item)}
    assert mistake(schema, item) is None
    assert all(leads(schema, [name]) for name in item)
    assert not leads(schema, ["another name"])


@pytest.fixture(scope="module")
def long_lived() -> Any:
    with MockServer(profile="2026-03") as server:
        yield server


PIECES = st.sampled_from(
    ("{{", "}}", "item", "sample", ".", "answer", "output_text", "[0]", "['a']", "{", "}", " ", "é", "x", "\n")
)


@given(pieces=st.lists(PIECES, max_size=12))
@settings(max_examples=100, deadline=None)
def test_any_template_is_taken_or_refused_with_its_place(
    long_lived: MockServer, http: httpx2.Client, pieces: list[str]
) -> None:
    criterion = SAME | {"reference": "".join(pieces)}
    body = {"data_source_config": CONFIG, "testing_criteria": [criterion]}
    response = http.post(long_lived.base_url + "evals", json=body, headers={"api-key": long_lived.api_key})
    assert response.status_code in (201, 400), response.text
    if response.status_code == 400:
        assert response.json()["error"]["param"].startswith("testing_criteria[0]")
