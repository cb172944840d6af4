"""Every list of the surface is paged in one way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai import OpenAI
from support.azure_errors import assert_azure_error
from support.examples import EXAMPLES, Caller, Ids, make

from mockserver import MockServer
from mockserver.operations.table import TABLE, Operation
from mockserver.resource.conversations import add_items

Json = Any
NO_PAGES = ("}", "/content", "/copy", "/models")
"""How the paths end that lead to one thing, or to a list that the document does not page."""
PAGED = [one for one in TABLE.all() if one.emulated and one.method == "GET" and not one.path.endswith(NO_PAGES)]
UNORDERED = ("listBatches", "listPaginatedFineTuningJobs", "listFineTuningEvents", "listFineTuningJobCheckpoints")
"""Lists that have no `order` (spec)."""
OLDEST_FIRST = ("listEvals", "getEvalRuns", "getEvalRunOutputItems")
"""Lists that begin with the oldest where no order is named (spec)."""
IN_WORDS = ("listFineTuningCheckpointPermissions",)
"""Lists whose orders are `ascending` and `descending` (spec)."""
WITHOUT_ENDS = ("listPaginatedFineTuningJobs", "listFineTuningEvents")
"""Lists that do not name the first and the last of a page (spec)."""
MADE_TOGETHER = ("getEvalRunOutputItems", "listFineTuningCheckpointPermissions", "listFineTuningJobCheckpoints")
"""Lists whose entries come all at once; their families' own tests page them."""
COUNT = 7


def listed(operation: Operation) -> str | None:
    """The path of what a list holds, None where that is not created one by one."""
    return next((path for path in EXAMPLES if path.startswith(operation.path + "/{")), None)


GROWING = [operation for operation in PAGED if listed(operation) is not None and operation.id not in MADE_TOGETHER]


@pytest.fixture(scope="module")
def owner(http: httpx2.Client) -> Iterator[Caller]:
    """One for all lists: nothing is deleted, and each is made below a parent of its own or counted from what there is."""
    with MockServer(profile="2026-03") as mock:
        mock.clock.freeze(1_790_000_000)
        yield Caller(http, mock.base_url, mock.api_key)


def fill(owner: Caller, operation: Operation) -> tuple[str, list[str]]:
    """The URL of a list, and the ids of what is new in it, the oldest first."""
    path = listed(operation)
    assert path is not None
    example = EXAMPLES[path]
    assert example is not None
    parents: Ids = make(owner, operation.path) or {}
    return operation.path.format_map(parents), [example(owner, dict(parents)) for _ in range(COUNT)]


def page(owner: Caller, operation: Operation, url: str, **query: Json) -> dict[str, Json]:
    if query.get("order") and operation.id in IN_WORDS:
        query["order"] += "ending"
    response = owner.send("GET", url, params={name: value for name, value in query.items() if value is not None})
    assert response.status_code == 200, response.text
    body: dict[str, Json] = response.json()
    found = [one["id"] for one in body["data"]]
    ends = (found[0], found[-1]) if found else (None, None)
    assert body["object"] == "list"
    assert operation.id in WITHOUT_ENDS or (body["first_id"], body["last_id"]) == ends
    return body | {"ids": found}


@pytest.mark.parametrize("operation", GROWING, ids=lambda operation: operation.id)
def test_a_page_is_a_piece_of_its_list(owner: Caller, operation: Operation) -> None:
    url, new = fill(owner, operation)
    everything = page(owner, operation, url, limit=100, order="asc")["ids"]
    assert everything[-COUNT:] == new
    assert page(owner, operation, url, limit=100)["ids"] == (everything if operation.id in OLDEST_FIRST else everything[::-1])
    ends = st.none() | st.sampled_from(everything)

    @settings(max_examples=25, deadline=None)
    @given(st.integers(1, 9), st.sampled_from(["asc", "desc"]), ends, ends)
    def check(limit: int, order: str, after: str | None, before: str | None) -> None:
        ordered = everything if order == "asc" else everything[::-1]
        start = ordered.index(after) + 1 if after is not None else 0
        end = ordered.index(before) if before is not None else len(ordered)
        between = ordered[start:end]
        touching_end = before is not None and after is None
        found = page(owner, operation, url, limit=limit, order=order, after=after, before=before)
        assert found["ids"] == (between[-limit:] if touching_end else between[:limit])
        assert found["has_more"] is (len(between) > limit)

    check()


@pytest.mark.parametrize("operation", GROWING, ids=lambda operation: operation.id)
def test_walking_on_sees_everything_once_while_others_come(owner: Caller, operation: Operation) -> None:
    url, new = fill(owner, operation)
    path = listed(operation)
    example = EXAMPLES[path or ""]
    assert example is not None
    seen: list[str] = []
    more = True
    while more:
        found = page(owner, operation, url, limit=3, order="desc", after=seen[-1] if seen else None)
        seen += found["ids"]
        more = found["has_more"]
        if more and len(seen) <= 9:
            example(owner, _parents(operation, url))
    assert seen[:COUNT] == new[::-1]
    assert len(seen) == len(set(seen))


def _parents(operation: Operation, url: str) -> Ids:
    """The ids in a list's URL, by their names."""
    names = [part for part in operation.path.split("/") if part.startswith("{")]
    at = [operation.path.split("/").index(name) for name in names]
    return {name[1:-1]: url.split("/")[index] for name, index in zip(names, at, strict=True)}


WRONG = [
    ({"limit": 0}, "limit", "integer_below_min_value"),
    ({"limit": -1}, "limit", "integer_below_min_value"),
    ({"limit": 100_000}, "limit", "integer_above_max_value"),
    ({"limit": "many"}, "limit", "invalid_type"),
    ({"limit": "9" * 40}, "limit", "invalid_type"),
    ({"order": "sideways"}, "order", "invalid_value"),
    ({"after": "nothing"}, "after", "invalid_value"),
    ({"before": "nothing"}, "before", "invalid_value"),
]


@pytest.mark.parametrize(("query", "param", "code"), WRONG, ids=lambda one: str(one))
@pytest.mark.parametrize("operation", PAGED, ids=lambda operation: operation.id)
def test_what_is_no_page_is_refused(owner: Caller, operation: Operation, query: Json, param: str, code: str) -> None:
    if param == "order" and operation.id in UNORDERED:
        pytest.skip("it has one order")
    if param == "before" and operation.id in IN_WORDS:
        pytest.skip("it has no such cursor (spec)")
    url = operation.path.format_map(make(owner, operation.path) or {})
    refused = owner.send("GET", url, params=query)
    assert_azure_error(refused, 400, type="invalid_request_error", param=param, code=code)


# -- with the SDK


def user(text: str) -> Json:
    return {"type": "message", "role": "user", "content": text}


def test_whoever_deletes_what_a_page_has_still_sees_everything(plain: OpenAI) -> None:
    conversation = plain.conversations.create(items=[user(f"{at}") for at in range(20)])
    plain.conversations.items.create(conversation.id, items=[user(f"{at}") for at in range(20)])
    seen = []
    for at, item in enumerate(plain.conversations.items.list(conversation.id, limit=4)):
        assert item.id is not None
        seen.append(item.id)
        if at % 4 in (0, 3):
            plain.conversations.items.delete(item.id, conversation_id=conversation.id)
    assert len(seen) == len(set(seen)) == 40
    assert len(list(plain.conversations.items.list(conversation.id))) == 20


def test_five_thousand_objects_are_each_seen_once(mock: MockServer, plain: OpenAI) -> None:
    conversation = plain.conversations.create()
    items = [{"id": f"msg_{at}", "type": "message", "role": "user", "content": []} for at in range(5_000)]
    add_items(mock.resource, conversation.id, items)
    found = [item.id for item in plain.conversations.items.list(conversation.id, limit=100)]
    assert found == [f"msg_{at}" for at in reversed(range(5_000))]


def test_lists_inside_one_document_are_paged_alike(plain: OpenAI) -> None:
    response = plain.responses.create(model="gpt-4.1-nano", input=[user(f"{at}") for at in range(COUNT)])
    newest_first = [item.to_dict()["id"] for item in plain.responses.input_items.list(response.id, limit=100)]
    for limit in (1, 2, 3, COUNT):
        assert [item.to_dict()["id"] for item in plain.responses.input_items.list(response.id, limit=limit)] == newest_first
    backwards: Json = {"before": newest_first[3], "limit": "2"}
    found = plain.responses.input_items.list(response.id, extra_query=backwards)
    assert [item.to_dict()["id"] for item in found.data] == newest_first[1:3]
