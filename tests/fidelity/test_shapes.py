"""The check of shapes finds what it is for; the conformance suite would pass with one that finds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fidelity.document import findings, operation
from fidelity.shapes import problems, table

Json = Any

PERSON = {"members": {"name": "string", "age?": "integer", "nick?": ["string", "null"]}}
PART = {
    "members": {"type": {"enum": ["text", "image"]}},
    "by": "type",
    "cases": {"text": {"members": {"type": {"enum": ["text"]}, "text": "string"}}, "image": {"members": {"url": "string"}}},
}


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("a", "string"),
        (1, "integer"),
        (1.0, "integer"),
        (1.5, "number"),
        (None, "null"),
        ([1], "any"),
        (None, ["string", "null"]),
        (2, {"enum": [1, 2]}),
        ([], {"items": "string"}),
        (["a"], {"items": "string", "minItems": 1, "maxItems": 1}),
        (5, {"type": "integer", "minimum": 5, "maximum": 5}),
        ("https://x", {"type": "string", "pattern": "^https://", "maxLength": 9}),
        ({"name": "a", "nick": None, "other": 1}, PERSON),
        ({"a": "b"}, {"rest": "string"}),
        ({"type": "text", "text": "a"}, PART),
    ],
)
def test_a_value_of_the_shape_is_let_through(value: Json, shape: Json) -> None:
    assert problems(value, shape) == []


@pytest.mark.parametrize(
    ("value", "shape", "problem"),
    [
        (1, "string", "$: 1 is not of type 'string'"),
        (True, "integer", "$: True is not of type 'integer'"),
        (True, "number", "$: True is not of type 'number'"),
        (1.5, "integer", "$: 1.5 is not of type 'integer'"),
        (None, "object", "$: None is not of type 'object'"),
        (1, ["string", "null"], "$: 1 is none of ['string', 'null']"),
        (True, {"enum": [1]}, "$: True is not one of [1]"),
        ([1, "a"], {"items": "integer"}, "$[1]: 'a' is not of type 'integer'"),
        ([], {"items": "string", "minItems": 1}, "$: [] is out of its minItems 1"),
        (6, {"type": "integer", "maximum": 5}, "$: 6 is out of its maximum 5"),
        ("ftp://x", {"type": "string", "pattern": "^https://"}, "$: 'ftp://x' is out of its pattern '^https://'"),
        ({"age": 1}, PERSON, "$.name: 'name' is required and absent"),
        ({"name": "a", "age": "1"}, PERSON, "$.age: '1' is not of type 'integer'"),
        ({"a": 1}, {"rest": "string"}, "$.a: 1 is not of type 'string'"),
        ({"type": "text"}, PART, "$.text: 'text' is required and absent"),
        ({"type": "video"}, PART, "$.type: 'video' is not one of ['image', 'text']"),
    ],
)
def test_a_value_of_another_shape_is_found(value: Json, shape: Json, problem: str) -> None:
    assert problem in map(str, problems(value, shape))


def test_the_nearest_branch_of_a_union_is_the_one_that_is_reported() -> None:
    union = [PERSON, {"members": {"type": {"enum": ["dog"]}, "name": "string", "legs": "integer"}}]
    assert list(map(str, problems({"type": "dog", "name": 4}, union))) == [
        "$.name: 4 is not of type 'string'",
    ]
    assert list(map(str, problems({"type": "dog", "legs": "four", "name": "Rex"}, union[1:]))) == [
        "$.legs: 'four' is not of type 'integer'"
    ]


def references(shape: Json) -> Iterator[str]:
    """The types that a part of the table names."""
    if isinstance(shape, str) and shape.startswith("#"):
        yield shape[1:]
    elif isinstance(shape, dict | list):
        for inner in shape.values() if isinstance(shape, dict) else shape:
            yield from references(inner)


def test_every_type_that_the_table_names_is_in_it() -> None:
    assert set(references(table())) <= table()["types"].keys()


def test_the_table_names_its_source() -> None:
    assert table()["source"] == "azure-v1-2026-03.yaml"
    assert len(table()["sha256"]) == 64


def test_operations_are_found_by_method_and_path() -> None:
    assert operation("GET", "/models/gpt-4o") == "GET /models/{model}"
    assert operation("GET", "/responses/resp_1?stream=true") == "GET /responses/{response_id}"
    assert operation("GET", "/nowhere") is None


@pytest.mark.parametrize(
    ("status", "media", "body", "finding"),
    [
        (201, "application/json", "{}", "status 201 is not documented"),
        (200, "text/plain", "{}", "'text/plain' is not among ['application/json']"),
        (404, "text/html", "<p>", "an error of type 'text/html'"),
        (404, "application/json", "{}", "no 'error' object"),
        (404, "application/json", '{"error": {"code": "404"}}', "'message' is required and absent"),
    ],
)
def test_what_is_wrong_with_an_answer_as_a_whole_is_found(status: int, media: str, body: str, finding: str) -> None:
    (found,) = findings("GET", "/models", status, media, body)
    assert finding in found
