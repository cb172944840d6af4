from __future__ import annotations

import copy
import json
import re
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from mockserver.model.json_schema import loose_problem, make_instance, normalise_strict, strict_problem
from mockserver.state.chance import Chance

Json = Any

NAMES = st.sampled_from(
    ["name", "email", "home_city", "score", "createdAt", "tags", "is_open", "description", "x", "größe", "a b"]
)
FORMATS = ["date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"]
PATTERNS = [
    r"^[A-Z]{2}-\d{4,6}(?:x|yz)+$",
    r"^(?P<word>\w+)@(?P=word)$",
    r"[^a-z0-9]",
    r"^\S+\s\D?$",
    r"^@[a-zA-Z0-9_]+$",
    r"colou?r|gr[ae]y",
    r"^.{3,}$",
    r"(\d+)\.\1$",
    r"^(?=.*\d)[a-z\d]{2,8}$",
    r"^[一-龥]{2}$",
    r"^(?=.*[A-Z])(?=.*\d).{8,}$",
]
DEFINITIONS = {
    "Tree": {
        "type": "object",
        "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
        "required": ["value", "children"],
        "additionalProperties": False,
    },
    "List": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "next": {"anyOf": [{"$ref": "#/$defs/List"}, {"type": "null"}]}},
        "required": ["name", "next"],
        "additionalProperties": False,
    },
    "Expression": {"anyOf": [{"$ref": "#/$defs/Sum"}, {"$ref": "#/$defs/Negation"}, {"$ref": "#/$defs/Literal"}]},
    "Sum": {
        "type": "object",
        "properties": {"left": {"$ref": "#/$defs/Expression"}, "right": {"$ref": "#/$defs/Expression"}},
        "required": ["left", "right"],
        "additionalProperties": False,
    },
    "Negation": {
        "type": "object",
        "properties": {"of": {"$ref": "#/$defs/Expression"}},
        "required": ["of"],
        "additionalProperties": False,
    },
    "Literal": {
        "type": "object",
        "properties": {"sign": {"$ref": "#/$defs/Sign"}},
        "required": ["sign"],
        "additionalProperties": False,
    },
    "Sign": {"type": "string", "enum": ["+", "-"]},
}


def closed(properties: dict[str, Json]) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def spans(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high)).map(lambda pair: (min(pair), max(pair)))


STRINGS = st.one_of(
    st.just({"type": "string"}),
    spans(0, 60).map(lambda span: {"type": "string", "minLength": span[0], "maxLength": span[1]}),
    st.sampled_from(PATTERNS).map(lambda pattern: {"type": "string", "pattern": pattern}),
    spans(0, 40).map(
        lambda span: {"type": "string", "pattern": "^[a-z_]+$", "minLength": 1 + span[0], "maxLength": 1 + span[1]}
    ),
    st.sampled_from(FORMATS).map(lambda wanted: {"type": "string", "format": wanted}),
)
NUMBERS = st.one_of(
    st.sampled_from([{"type": "integer"}, {"type": "number"}]),
    spans(-50, 50).map(lambda span: {"type": "integer", "minimum": span[0], "maximum": span[1]}),
    spans(-50, 50).map(lambda span: {"type": "integer", "exclusiveMinimum": span[0] - 1, "exclusiveMaximum": span[1] + 1}),
    st.integers(1, 9).map(lambda step: {"type": "integer", "multipleOf": step, "minimum": 10, "maximum": 30}),
    st.integers(-9, 9).map(lambda low: {"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + 0.001}),
    st.sampled_from([0.1, 0.25, 3, 0.3]).map(lambda step: {"type": "number", "multipleOf": step}),
    st.integers(-(10**20), 10**20).map(lambda low: {"type": "number", "minimum": low}),
    st.integers(-(10**20), 10**20).map(lambda high: {"type": "integer", "maximum": high}),
)
SCALARS = st.one_of(
    STRINGS,
    NUMBERS,
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}, {"type": ["number", "boolean"]}]),
    st.lists(st.one_of(st.integers(), st.text(max_size=5), st.none()), min_size=1, max_size=4).map(
        lambda options: {"enum": options}
    ),
    st.one_of(st.booleans(), st.text(max_size=5)).map(lambda value: {"const": value}),
    st.sampled_from([{"$ref": f"#/$defs/{name}"} for name in DEFINITIONS]),
    st.just({"anyOf": [{"$ref": "#"}, {"type": "null"}]}),
)


def nested(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(
        st.dictionaries(NAMES, inner, max_size=4).map(closed),
        st.tuples(inner, spans(0, 4)).map(
            lambda parts: {"type": "array", "items": parts[0], "minItems": parts[1][0], "maxItems": parts[1][1]}
        ),
        st.integers(1, 6).map(
            lambda size: {
                "type": "array",
                "items": {"type": "integer", "minimum": 1, "maximum": 6},
                "minItems": size,
                "uniqueItems": True,
            }
        ),
        st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: {"type": "array", "prefixItems": items, "items": False}),
    )


STRICT_SCHEMAS = st.dictionaries(NAMES, st.recursive(SCALARS, nested, max_leaves=6), max_size=5).map(
    lambda properties: {**closed(properties), "$defs": DEFINITIONS}
)
KEYWORD_NAMES = """type properties required additionalProperties enum const anyOf oneOf allOf $ref $defs items prefixItems
minItems maxItems uniqueItems minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern format
minProperties propertyNames"""
KEYWORDS = st.sampled_from(KEYWORD_NAMES.split())
SHORT_TEXTS = st.sampled_from(
    ["object", "array", "string", "integer", "#", "#/anyOf/0", "#/properties/x", "x", "(a+", "(?i)[a-z]{9}"]
)
ANY_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), SHORT_TEXTS, st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(KEYWORDS, st.text(max_size=5)), inner, max_size=6)
    ),
    max_leaves=25,
)


# What texts mention, also such as is nearly a number, a date, an address or a quotation.
MENTIONS = st.sampled_from(
    [
        "3",
        "-7.25",
        "1,000",
        "0",
        "99999999999999999999",
        "٣",
        "1e999",
        "36 years",
        "3 tags",
        "score 5",
        "x = 4",
        '"red"',
        "'go'",
        "`12`",
        "“ok",
        "你好",
        "größe: 7",
        "Ada Lovelace",
        "Bob",
        "in Paris\n",
        "to Rome",
        "ada@example.org",
        "a@b",
        "2026-02-30",
        "2026-02-28",
        "March 3, 2026",
        "2026-01-01T10:00",
        "2026-01-01T10:00:00+14:00",
        "https://example.org/a?b=c#d\n",
        "https://a..b/",
        "http://x:99999/",
        "AB-1234",
        "AA-12345x",
        "10.0.0.1",
        "256.1.1.1",
        "+49 30 123456",
        "15:30",
        "report.pdf",
        "is_open: yes",
        "email: none",
        '{"score": 3}\n',
        "name: O'Neil, age=2",
        "createdAt 2026-05-05",
        "on",
        "12x",
        "�",
        '"�"',
        "x: \x00",
        "a b: 1",
    ]
)
CONTEXTS = st.lists(st.one_of(MENTIONS, st.text(max_size=12)), max_size=12).map(" ".join)


def make(schema: Json, key: str = "seed", context: str = "") -> Json:
    return make_instance(schema, Chance(key), context)


@settings(max_examples=60, deadline=None)
@given(STRICT_SCHEMAS, st.integers(0, 9))
def test_an_instance_of_a_random_strict_schema_is_valid_and_is_the_same_for_the_same_chance(schema: Json, seed: int) -> None:
    value = make(schema, f"{seed}")
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)
    assert json.dumps(value) == json.dumps(make(schema, f"{seed}"))


@settings(max_examples=150, deadline=None)
@given(STRICT_SCHEMAS, CONTEXTS)
def test_an_instance_stays_valid_whatever_the_prompt_mentions(schema: Json, context: str) -> None:
    value = make(schema, context=context)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)
    assert json.dumps(value) == json.dumps(make(schema, context=context))


@settings(max_examples=60, deadline=None)
@given(ANY_JSON, CONTEXTS)
def test_any_json_value_is_accepted_as_a_schema_and_left_as_it_was(schema: Json, context: str) -> None:
    before = repr(schema)
    json.dumps(make(schema, context=context))
    strict_problem(schema)
    loose_problem(schema)
    normalise_strict(schema)
    assert repr(schema) == before


def test_properties_keep_the_order_of_the_schema_and_optional_ones_are_filled_too() -> None:
    properties = {name: {"type": "string"} for name in ("zebra", "apple", "mango")}
    assert list(make({"type": "object", "properties": properties, "required": ["mango"]})) == ["zebra", "apple", "mango"]


def test_different_chances_give_different_values() -> None:
    schema = closed({"name": {"type": "string"}, "count": {"type": "integer"}})
    assert len({json.dumps(make(schema, f"{seed}")) for seed in range(20)}) > 15


def test_an_optional_value_is_mostly_there_and_sometimes_null() -> None:
    schema = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    nulls = [make(schema, f"{seed}") for seed in range(200)].count(None)
    assert 10 < nulls < 70


@pytest.mark.parametrize("key", ["a", "b", "c"])
def test_a_recursion_goes_a_few_rounds_and_ends(key: str) -> None:
    value = make({"$ref": "#/$defs/List", "$defs": DEFINITIONS}, key)
    rounds = 0
    while value is not None:
        value, rounds = value["next"], rounds + 1
    assert 1 <= rounds <= 4


def test_a_schema_that_nothing_satisfies_gets_a_bounded_best_effort() -> None:
    endless = closed({"left": {"$ref": "#"}, "right": {"$ref": "#"}})
    assert len(json.dumps(make(endless))) < 1_000_000
    assert make({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}) is not ...
    assert make({"type": "integer", "minimum": 5, "maximum": 3}) == 5


def test_shared_definitions_do_not_multiply_without_bound() -> None:
    levels = {f"l{level}": closed({side: {"$ref": f"#/$defs/l{level + 1}"} for side in "ab"}) for level in range(25)}
    schema = {"$ref": "#/$defs/l0", "$defs": {**levels, "l25": {"type": "string"}}}
    assert len(json.dumps(make(schema))) < 1_000_000


def test_all_of_is_merged_and_one_of_takes_one_branch() -> None:
    cat = closed({"kind": {"const": "cat"}, "lives": {"type": "integer"}})
    dog = closed({"kind": {"const": "dog"}, "name": {"type": "string"}})
    schema = {
        "allOf": [
            {"type": "object", "properties": {"id": {"type": "integer", "minimum": 3}}, "required": ["id"]},
            {"properties": {"id": {"maximum": 4}, "pet": {"oneOf": [cat, dog]}}, "required": ["pet"]},
        ]
    }
    for seed in range(10):
        Draft202012Validator(schema).validate(make(schema, f"{seed}"))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "additionalProperties": {"type": "number"}},
        {
            "type": "object",
            "additionalProperties": {"type": "integer"},
            "minProperties": 4,
            "propertyNames": {"pattern": "^k[a-z]$"},
        },
        {"properties": {"a": {"type": "string"}}, "required": ["a", "b"], "additionalProperties": {"type": "integer"}},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "b"]},
    ],
    ids=["dictionary", "named keys", "extra required", "unknown required"],
)
def test_open_objects_are_filled_by_their_rules(schema: Json) -> None:
    value = make(schema)
    Draft202012Validator(schema).validate(value)
    assert value


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_format_is_met_as_pydantic_reads_it(wanted: str) -> None:
    kinds: dict[str, Any] = {"date-time": datetime, "time": time, "duration": timedelta}
    for seed in range(5):
        value = make({"type": "string", "format": wanted}, f"{seed}")
        TypeAdapter(kinds.get(wanted, str)).validate_python(value)
        assert not Draft202012Validator.FORMAT_CHECKER.checkers.get(wanted) or Draft202012Validator.FORMAT_CHECKER.conforms(
            value, wanted
        )


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_is_met(pattern: str) -> None:
    for seed in range(10):
        assert re.search(pattern, make({"type": "string", "pattern": pattern}, f"{seed}"))


def test_a_pattern_that_python_cannot_read_or_meet_falls_back_to_words() -> None:
    for pattern in (r"^\p{Lu}+$", "(((", r"[\ud83c-\udbff]", "a(?!a)a"):
        value = make({"type": "string", "pattern": pattern, "minLength": 8})
        assert len(value) >= 8
        value.encode()


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("email", r"^[a-z]+\.[a-z]+@example\.com$"),
        ("billingEmail", r"@example\.com$"),
        ("first_name", r"^[A-Z][a-z]+$"),
        ("phone_number", r"\d{3}"),
        ("website_url", r"^https://www\.example\.com/"),
        ("created_at", r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"),
        ("price", r"^\d+\.\d\d$"),
        ("currency", r"^[A-Z]{3}$"),
        ("order_id", r"^[0-9a-f]{12}$"),
        ("title", r"^[A-Z]\w*( [A-Z]\w*)+$"),
        ("description", r"^[A-Z].* .*\.$"),
        ("address", r"^\d+ .*, "),
    ],
)
def test_a_property_name_suggests_its_value(name: str, shape: str) -> None:
    assert re.search(shape, make(closed({name: {"type": "string"}}))[name])
    assert all(
        re.search(shape, text)
        for text in make(closed({f"{name}s": {"type": "array", "items": {"type": "string"}}}))[f"{name}s"]
    )


def test_a_number_name_suggests_its_range() -> None:
    value = make(closed({"age": {"type": "integer"}, "confidence": {"type": "number"}, "year": {}}))
    assert 18 <= value["age"] <= 90
    assert 0 <= value["confidence"] <= 1
    assert 1990 <= value["year"] <= 2029


@pytest.mark.parametrize("least", [47926110529944929, -47926110529944929, 10**20 + 1])
@pytest.mark.parametrize("span", [0, 1, 100])
def test_a_number_stays_within_bounds_that_no_float_can_hold(least: int, span: int) -> None:
    for seed in range(10):
        assert least <= make({"type": "number", "minimum": least, "maximum": least + span}, f"{seed}") <= least + span


@pytest.mark.parametrize("kind", ["integer", "number"])
def test_a_number_may_be_too_large_for_a_float(kind: str) -> None:
    least = 10**400
    for multiple in (3, 0.5):
        assert make({"type": kind, "minimum": least, "multipleOf": multiple}) >= least


def test_the_context_decides_enum_members_and_places_that_it_names() -> None:
    schema = closed(
        {
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit", "deg_kelvin"]},
            "city": {"type": "string"},
            "query": {"type": "string"},
        }
    )
    question = "Tell me in English: what is the weather in New York, in deg Kelvin?"
    for seed in range(5):
        assert make(schema, f"{seed}", question) == {"unit": "deg_kelvin", "city": "New York", "query": question}


OPEN = {"type": "object", "properties": {}, "required": []}
LISTED = "'required' is required to be supplied and to be an array including every key in properties."


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (closed({"a": {"type": "string"}}), None),
        ({**closed({"a": {"$ref": "#/$defs/List"}}), "$defs": {"List": DEFINITIONS["List"]}}, None),
        (closed({"a": {"type": "integer", "minimum": 1}, "b": {"type": "string", "pattern": "^x$", "format": "uuid"}}), None),
        (closed({"a": {"type": "array", "items": {"type": "string"}, "maxItems": 3}}), None),
        (OPEN, "In context=(), 'additionalProperties' is required to be supplied and to be false."),
        (
            closed({"x": {**OPEN, "additionalProperties": True}}),
            "In context=('properties', 'x'), 'additionalProperties' is required to be supplied and to be false.",
        ),
        (
            closed({"x": {"type": "object", "additionalProperties": False}}),
            "In context=('properties', 'x'), object schema missing properties.",
        ),
        ({**closed({"a": {"type": "string"}}), "required": []}, f"In context=(), {LISTED} Missing 'a'."),
        ({**closed({}), "required": ["a"]}, f"In context=(), {LISTED} Extra required key 'a' supplied."),
        (
            closed({"x": {"anyOf": [{**closed({"a": {"type": "string"}}), "required": None}, {"type": "null"}]}}),
            f"In context=('properties', 'x', 'anyOf', '0'), {LISTED} Missing 'a'.",
        ),
        (
            {**closed({"x": {"type": "array", "items": {"$ref": "#/$defs/Y"}}}), "$defs": {"Y": OPEN}},
            "In context=('$defs', 'Y'), 'additionalProperties' is required to be supplied and to be false.",
        ),
        ({"anyOf": [closed({})]}, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'."),
        ({"type": "array", "items": {}}, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'."),
        (None, "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'."),
        (
            {**closed({}), "anyOf": [closed({})]},
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
        ),
        ({**closed({}), "allOf": [closed({})]}, "In context=(), 'allOf' is not permitted."),
        (closed({"x": {"oneOf": [{"type": "string"}]}}), "In context=('properties', 'x'), 'oneOf' is not permitted."),
        (closed({"x": {"type": "string", "minLength": 1}}), "In context=('properties', 'x'), 'minLength' is not permitted."),
        (closed({"x": {"type": "string", "format": "uri"}}), "In context=('properties', 'x'), 'uri' is not a valid format."),
        (closed({"x": {"description": "anything"}}), "In context=('properties', 'x'), schema must have a 'type' key."),
        (closed({"x": True}), "In context=('properties', 'x'), schema must have a 'type' key."),
        (closed({"x": {"type": "array"}}), "In context=('properties', 'x'), array schema missing items."),
        (
            {**closed({"x": {"$ref": "#/$defs/List", "description": "d"}}), "$defs": {"List": DEFINITIONS["List"]}},
            "context=('properties', 'x'), $ref cannot have keywords {'description'}.",
        ),
        (
            closed({"x": {"type": "string"}, "y": {"$ref": "#/properties/x"}}),
            "In context=('properties', 'y'), reference can only point to definitions defined at the top level of the schema.",
        ),
    ],
)
def test_a_strict_problem_is_told_in_the_words_of_the_service(schema: Json, problem: str | None) -> None:
    assert strict_problem(schema) == problem


def test_a_parent_is_reported_before_its_children() -> None:
    schema = {**closed({"unit": {"type": "string", "minLength": 3}}), "required": []}
    assert strict_problem(schema) == f"In context=(), {LISTED} Missing 'unit'."


def deep(levels: int) -> Json:
    return closed({"x": deep(levels - 1) if levels > 1 else {"type": "string"}})


def test_more_than_ten_levels_or_five_thousand_properties_are_refused() -> None:
    assert strict_problem(deep(10)) is None
    assert strict_problem(deep(11)) == "11 levels of nesting exceeds limit of 10."
    assert strict_problem(closed({f"p{number}": {"type": "string"} for number in range(5_000)})) is None
    many = closed({f"p{number}": {"type": "string"} for number in range(5_001)})
    assert strict_problem(many) == "5001 parameters exceeds limit of 5000."


def test_normalising_forbids_additional_properties_where_nothing_is_said_and_changes_nothing_else() -> None:
    schema: Json = {
        "type": "object",
        "properties": {
            "type": {"type": "object", "properties": {}},
            "open": {"type": ["object", "null"], "additionalProperties": {"type": "object"}},
            "list": {"type": "array", "items": {"type": "object"}},
            "plain": {"type": "string", "default": {"type": "object"}, "enum": [{"type": "object"}]},
        },
        "$defs": {"D": {"type": "object"}},
    }
    expected = copy.deepcopy(schema)
    expected["additionalProperties"] = False
    for found in (
        expected["properties"]["type"],
        expected["properties"]["open"]["additionalProperties"],
        expected["properties"]["list"]["items"],
        expected["$defs"]["D"],
    ):
        found["additionalProperties"] = False
    before = copy.deepcopy(schema)
    assert normalise_strict(schema) == expected
    assert schema == before


def open_object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties}


NOT_AN_OBJECT = "schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{}\"'."
NOT_FOUND = "In context=('properties', 'a'), reference to component '#/$defs/A' which was not found in the schema."


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (open_object(), None),
        (open_object(a={"type": ["array", "null"], "items": {}}, b={"type": "object"}, c={}, d=True), None),
        (open_object(a={"type": "array", "prefixItems": [{}]}, b={"$ref": "#/properties/a"}), None),
        (open_object(a={"$ref": "https://example.com/a.json"}), None),
        (open_object(type={"type": "string"}, a={"enum": ["type"], "default": {"type": "any"}}), None),
        ({"$defs": {"A": {}}, **open_object(a={"$ref": "#/$defs/A"})}, None),
        ({}, NOT_AN_OBJECT.format("None")),
        ({"type": "array", "items": {}}, NOT_AN_OBJECT.format("array")),
        ({"type": "object"}, "In context=(), object schema missing properties."),
        (open_object(a={"type": "array"}), "In context=('properties', 'a'), array schema missing items."),
        (
            open_object(a={"anyOf": [{"type": "string"}, {"type": ["array", "null"]}]}),
            "In context=('properties', 'a', 'anyOf', '1'), array schema missing items.",
        ),
        (open_object(a={"type": "float"}), "'float' is not valid under any of the given schemas."),
        (open_object(a={"type": 7}), "7 is not valid under any of the given schemas."),
        (open_object(a={"type": ["any", "null"]}), "['any', 'null'] is not valid under any of the given schemas."),
        (open_object(a={"$ref": "#/$defs/A"}), NOT_FOUND),
        (
            {**open_object(), "oneOf": []},
            "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
        ),
    ],
)
def test_any_schema_of_an_object_will_do_for_a_function_that_is_not_strict(schema: Json, problem: str | None) -> None:
    assert loose_problem(schema) == problem


def test_a_strict_reference_that_leads_nowhere_is_not_found() -> None:
    schema = {**open_object(a={"$ref": "#/$defs/A"}), "required": ["a"], "additionalProperties": False}
    assert strict_problem(schema) == NOT_FOUND
