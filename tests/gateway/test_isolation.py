"""What one resource keeps is closed to another's key: no operation reads it, lists it, changes it, deletes it or refers to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from support.examples import EXAMPLES, FABRIKAM, MODEL, ONE_POLL, Caller, body, make, perform, prefixes

from mockserver import MockServer
from mockserver.operations.table import TABLE, Operation

Json = Any
OPERATIONS = [operation for operation in TABLE.all() if operation.emulated]
WITH_IDS = [operation for operation in OPERATIONS if prefixes(operation.path)]
LISTS = [operation for operation in OPERATIONS if operation.method == "GET" and not prefixes(operation.path)]
PATHS = [path for path in EXAMPLES if any(operation.path.startswith(path) for operation in WITH_IDS)]


@pytest.fixture
def two(http: httpx2.Client) -> Iterator[tuple[Caller, Caller]]:
    """The owner of everything, and somebody with the key of another resource of the same server."""
    names = ("contoso", "fabrikam")
    contoso = {"name": "contoso", "keys": ["key of contoso"], **ONE_POLL}
    with MockServer([{"resource": contoso}, {"resource": FABRIKAM}]) as mock:
        owner, other = (Caller(http, mock.base_url, f"key of {name}") for name in names)
        yield owner, other


@pytest.mark.parametrize("operation", WITH_IDS, ids=lambda operation: operation.id)
def test_no_operation_finds_what_another_resource_keeps(two: tuple[Caller, Caller], operation: Operation) -> None:
    owner, other = two
    ids = make(owner, operation.path)
    if ids is None:
        pytest.skip("every resource has these")
    options = body(owner, operation, ids)
    refused = perform(other, operation, ids, options)
    assert refused.status_code == 404, (
        f"{refused.status_code}: {refused.text}\nDoes it need a body from tests/support/examples.py?"
    )
    assert "secret" not in refused.text
    unknown = perform(other, operation, {name: f"{known[:-2]}zz" for name, known in ids.items()}, options)
    assert unknown.text.replace("zz", "") == _without_ends(refused.text, ids), "it tells what exists from what does not"
    allowed = perform(owner, operation, ids, options)
    assert allowed.status_code < 300, allowed.text


def _counts(id: str) -> bool:
    """Whether an id only says which of its parent's it is."""
    return id.isdecimal()


def _without_ends(text: str, ids: dict[str, str]) -> str:
    for known in [one for one in ids.values() if not _counts(one)]:
        text = text.replace(known, known[:-2])
    return text


@pytest.mark.parametrize("operation", LISTS, ids=lambda operation: operation.id)
def test_no_list_has_what_another_resource_keeps(two: tuple[Caller, Caller], operation: Operation) -> None:
    owner, other = two
    ids = {known for path in PATHS for known in (make(owner, path) or {}).values() if not _counts(known)}
    before = perform(other, operation, {})
    assert before.status_code == 200, before.text
    assert [known for known in ids if known in before.text] == []
    if operation.path != "/models":
        assert [known for known in ids if known in perform(owner, operation, {}).text] != []


REFERENCES: list[tuple[str, str, Json]] = [
    ("/responses/{response_id}", "/responses", {"model": MODEL, "input": "x", "previous_response_id": "{response_id}"}),
    ("/conversations/{conversation_id}", "/responses", {"model": MODEL, "input": "x", "conversation": "{conversation_id}"}),
    (
        "/conversations/{conversation_id}/items/{item_id}",
        "/responses",
        {"model": MODEL, "input": [{"type": "item_reference", "id": "{item_id}"}]},
    ),
    (
        "/conversations/{conversation_id}/items/{item_id}",
        "/conversations",
        {"items": [{"type": "item_reference", "id": "{item_id}"}]},
    ),
    (
        "/files/{file_id}",
        "/responses",
        {"model": MODEL, "input": [{"role": "user", "content": [{"type": "input_file", "file_id": "{file_id}"}]}]},
    ),
    ("/files/{file_id}", "/containers", {"name": "x", "file_ids": ["{file_id}"]}),
]
"""The path of an object, and a request whose body refers to it."""


@pytest.mark.parametrize(("path", "url", "sent"), [reference for reference in REFERENCES if reference[0] in PATHS])
def test_no_body_refers_to_what_another_resource_keeps(two: tuple[Caller, Caller], path: str, url: str, sent: Json) -> None:
    owner, other = two
    ids = make(owner, path)
    assert ids is not None
    named = _filled(sent, ids)
    refused = other.send("POST", url, json=named)
    assert refused.status_code in (400, 404), refused.text
    assert owner.send("POST", url, json=named).status_code == 200


def _filled(value: Json, ids: dict[str, str]) -> Json:
    """A body whose strings name the ids."""
    if isinstance(value, dict):
        return {name: _filled(inner, ids) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, ids) for inner in value]
    return value.format_map(ids) if isinstance(value, str) else value
