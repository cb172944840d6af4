"""Filters on attributes do what a naive evaluation does, and say what is wrong with those that are none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.model.search.filters import FilterError, compile_filter

Json = Any
KEYS = st.sampled_from(["team", "year", "open"])
VALUES = st.sampled_from(["a", "b", "", "10", "9"]) | st.integers(0, 3) | st.sampled_from([0.5, 1.0, 2.5]) | st.booleans()
ATTRIBUTES = st.dictionaries(KEYS, VALUES)
ONE = st.fixed_dictionaries({"type": st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]), "key": KEYS, "value": VALUES})
AMONG = st.fixed_dictionaries({"type": st.sampled_from(["in", "nin"]), "key": KEYS, "value": st.lists(VALUES, max_size=3)})
FILTERS = st.recursive(
    ONE | AMONG,
    lambda inner: st.fixed_dictionaries({"type": st.sampled_from(["and", "or"]), "filters": st.lists(inner, max_size=3)}),
    max_leaves=6,
)


def evaluate(document: Json, attributes: Json) -> bool:
    match document:
        case {"type": "and", "filters": filters}:
            return all(evaluate(one, attributes) for one in filters)
        case {"type": "or", "filters": filters}:
            return any(evaluate(one, attributes) for one in filters)
    found, value = tagged(attributes.get(document["key"])), document["value"]
    match document["type"]:
        case "eq":
            return found == tagged(value)
        case "ne":
            return found != tagged(value)
        case "in":
            return found in [tagged(one) for one in value]
        case "nin":
            return found not in [tagged(one) for one in value]
    kind, plain = found
    if kind != tagged(value)[0]:
        return False
    return bool({"gt": plain > value, "gte": plain >= value, "lt": plain < value, "lte": plain <= value}[document["type"]])


def tagged(value: Json) -> tuple[str, Json]:
    match value:
        case None:
            return "missing", None
        case bool():
            return "boolean", value
        case str():
            return "string", value
    return "number", float(value)


@given(FILTERS, ATTRIBUTES)
def test_filters_do_what_a_naive_evaluation_does(document: Json, attributes: Json) -> None:
    assert compile_filter(document)(attributes) is evaluate(document, attributes)


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ("team", "", "object"),
        (None, "", "object"),
        ({}, "type", "eq, ne, gt"),
        ({"type": "like", "key": "a", "value": 1}, "type", "and, or"),
        ({"type": ["eq"]}, "type", "eq"),
        ({"type": "eq", "value": 1}, "key", "string"),
        ({"type": "eq", "key": 1, "value": 1}, "key", "string"),
        ({"type": "eq", "key": "a"}, "value", "boolean"),
        ({"type": "eq", "key": "a", "value": [1]}, "value", "eq takes"),
        ({"type": "gt", "key": "a", "value": None}, "value", "gt takes"),
        ({"type": "in", "key": "a", "value": "x"}, "value", "list"),
        ({"type": "nin", "key": "a", "value": [[1]]}, "value", "nin takes"),
        ({"type": "and"}, "filters", "list"),
        ({"type": "or", "filters": {}}, "filters", "list"),
        (
            {"type": "and", "filters": [{"type": "or", "filters": [{"type": "eq", "key": "a"}]}]},
            "filters[0].filters[0].value",
            "",
        ),
    ],
)
def test_what_is_no_filter_is_refused_with_the_path_to_what_is_wrong(document: Json, path: str, message: str) -> None:
    with pytest.raises(FilterError) as error:
        compile_filter(document)
    assert error.value.path == path
    assert message in error.value.message
    assert str(error.value).startswith(path)


def test_a_path_begins_where_the_caller_says() -> None:
    with pytest.raises(FilterError) as error:
        compile_filter({"type": "and", "filters": [{}]}, "tools[0].filters")
    assert error.value.path == "tools[0].filters.filters[0].type"
