"""What the prompt gives goes into the properties that it fits."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from mockserver.model.json_schema import make_instance
from mockserver.state.chance import Chance

Json = Any
TEXT, WHOLE, NUMBER, TRUTH = ({"type": kind} for kind in ("string", "integer", "number", "boolean"))


def closed(properties: dict[str, Json]) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def array(items: Json, **limits: Json) -> Json:
    return {"type": "array", "items": items, **limits}


def optional(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def written(form: str) -> Json:
    return {"type": "string", "format": form}


def check(prompt: str, properties: dict[str, Json], expected: dict[str, Json]) -> None:
    """What is expected is there whatever chance does, and all of it is valid."""
    schema = closed(properties)
    for seed in range(6):
        value = make_instance(schema, Chance(f"{seed}"), prompt)
        Draft202012Validator(schema).validate(value)
        assert {name: value[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("prompt", "properties", "expected"),
    [
        ("What is the value of magic_function(3)? Use the tool.", {"input": WHOLE}, {"input": 3}),
        ("What is 15 plus 27?", {"a": WHOLE, "b": WHOLE}, {"a": 15, "b": 27}),
        ("Transfer -1,250.75 to her", {"amount": NUMBER}, {"amount": -1250.75}),
        ("Book 2 nights for 3 guests", {"guests": WHOLE, "nights": WHOLE}, {"guests": 3, "nights": 2}),
        ("height = 180 and the weight is 75", {"weight": WHOLE, "height": WHOLE}, {"weight": 75, "height": 180}),
        ("Set the volume to 30%", {"volume": WHOLE}, {"volume": 30}),
        ("maxResults: 7, page 2", {"page": WHOLE, "max_results": WHOLE}, {"page": 2, "max_results": 7}),
        ("GPT-4 on 2026-05-01 at 10:30, the 3rd try, weighs 5kg", {"n": WHOLE}, {"n": 5}),
        ("size 2 please", {"size": {"enum": [1, 2, 3]}}, {"size": 2}),
        ("Is 12 or 40 enough?", {"n": {"type": "integer", "minimum": 20, "multipleOf": 10}}, {"n": 40}),
        ("A pi of 3.14 or 3", {"n": WHOLE, "x": NUMBER}, {"n": 3, "x": 3.14}),
        ("x: 1, y: 2", {"y": WHOLE, "x": WHOLE}, {"y": 2, "x": 1}),
    ],
)
def test_numbers_go_to_the_properties_that_they_fit(
    prompt: str, properties: dict[str, Json], expected: dict[str, Json]
) -> None:
    check(prompt, properties, expected)


@pytest.mark.parametrize(
    ("prompt", "properties", "expected"),
    [
        ("Ada Lovelace is 36", {"name": TEXT, "age": WHOLE}, {"name": "Ada Lovelace", "age": 36}),
        ("Extract Jason is 25 years old.", {"age": WHOLE, "name": TEXT}, {"age": 25, "name": "Jason"}),
        ("My name is Ludwig van Beethoven", {"name": TEXT}, {"name": "Ludwig van Beethoven"}),
        (
            "Meet Dr. Mary O'Neil in London",
            {"last_name": TEXT, "first_name": TEXT},
            {"first_name": "Mary", "last_name": "O'Neil"},
        ),
        ("Create a customer named '你好啊集团' (Hello Group)", {"customer_name": TEXT}, {"customer_name": "你好啊集团"}),
        ("Translate 你好 to English", {"text": TEXT, "target_language": TEXT}, {"text": "你好", "target_language": "English"}),
        ("Echo “good day” to me", {"message": TEXT}, {"message": "good day"}),
        ('The title is "Dune", the body "Sand"', {"body": TEXT, "title": TEXT}, {"body": "Sand", "title": "Dune"}),
        ("Fly from Paris to Rome", {"destination": TEXT, "origin": TEXT}, {"destination": "Rome", "origin": "Paris"}),
        ("Rain in Oslo?", {"q": {**TEXT, "description": "The name of the city"}}, {"q": "Oslo"}),
        ("city: new york, unit: kelvin", {"city": TEXT, "unit": TEXT}, {"city": "new york", "unit": "kelvin"}),
        ("a red car", {"color": TEXT}, {"color": "red"}),
        ("active: yes; done = false", {"active": TRUTH, "done": TRUTH}, {"active": True, "done": False}),
    ],
)
def test_texts_go_to_the_properties_whose_names_they_fit(
    prompt: str, properties: dict[str, Json], expected: dict[str, Json]
) -> None:
    check(prompt, properties, expected)


@pytest.mark.parametrize(
    ("form", "prompt", "expected"),
    [
        ("date", "on 2026-05-01", "2026-05-01"),
        ("date", "on March 3, 2026", "2026-03-03"),
        ("date", "on the 3rd of March 2026", "2026-03-03"),
        ("date-time", "at 2026-05-01T10:30", "2026-05-01T10:30:00Z"),
        ("email", "Write to ada.l@mail.example.org.", "ada.l@mail.example.org"),
        ("uri", "See https://example.org/a?b=c.", "https://example.org/a?b=c"),
        ("uuid", "It is 2f1d7a52-5b7e-4c9a-8f1e-0a4f2a6f9c11", "2f1d7a52-5b7e-4c9a-8f1e-0a4f2a6f9c11"),
        ("ipv4", "Ping 10.0.0.7!", "10.0.0.7"),
    ],
)
def test_what_has_a_format_is_found_by_its_form(form: str, prompt: str, expected: str) -> None:
    check(prompt, {"x": written(form)}, {"x": expected})


@pytest.mark.parametrize(
    ("name", "prompt", "expected"),
    [
        ("contact_email", "Ask bob@example.org", "bob@example.org"),
        ("to", "Mail bob@example.org 'hi'", "bob@example.org"),
        ("website", "Open http://example.org", "http://example.org"),
        ("start_date", "from 2026-05-01", "2026-05-01"),
        ("time", "at 15:30", "15:30"),
        ("phone", "Call +49 30 1234567", "+49 30 1234567"),
        ("order_id", "Where is order AB-1234?", "AB-1234"),
        ("order_id", "Where is order 1234?", "1234"),
        ("filename", "Open report.csv", "report.csv"),
    ],
)
def test_names_alone_tell_what_kind_of_text_is_wanted(name: str, prompt: str, expected: str) -> None:
    check(prompt, {name: TEXT}, {name: expected})


def test_a_pattern_takes_what_matches_it() -> None:
    check("AB-12 or CD-1234?", {"code": {**TEXT, "pattern": "^[A-Z]{2}-[0-9]{4}$"}}, {"code": "CD-1234"})


def test_lists_hold_what_the_prompt_lists_and_no_more() -> None:
    person = closed({"name": TEXT, "age": WHOLE})
    pair = [{"name": "Jason", "age": 25}, {"name": "Sarah", "age": 30}]
    check("Jason is 25, Sarah is 30", {"people": array(person)}, {"people": pair})
    check("Add 3, 4, 5 and -5.5", {"numbers": array(NUMBER)}, {"numbers": [3, 4, 5, -5.5]})
    check("Tag it 'a', 'b' and 'c'", {"tags": array(TEXT, maxItems=2)}, {"tags": ["a", "b"]})
    songs = array(closed({"title": TEXT, "seconds": WHOLE}))
    album = [{"title": "Warszawa", "seconds": 383}, {"title": "Ashes", "seconds": 175}]
    check("An album with songs 'Warszawa' (383) and 'Ashes' (175)", {"songs": songs}, {"songs": album})
    check("Map 'a' to 1, 'b' to 2", {"x": {"type": "object", "additionalProperties": WHOLE}}, {"x": {"a": 1, "b": 2}})


@pytest.mark.parametrize(
    ("name", "items", "prompt"),
    [("facts", TEXT, "Give me 4 facts"), ("value", {**closed({"age": WHOLE}), "title": "Superhero"}, "Create 4 superheroes")],
)
def test_a_list_has_as_many_items_as_are_wanted(name: str, items: Json, prompt: str) -> None:
    for seed in range(4):
        assert len(make_instance(closed({name: array(items)}), Chance(f"{seed}"), prompt)[name]) == 4


def test_a_number_of_other_things_is_no_age() -> None:
    assert make_instance(closed({"age": WHOLE}), Chance("a"), "Create 3 superheroes")["age"] >= 18


def test_what_stands_beside_another_property_is_for_that_one() -> None:
    check("How old is Ada? The age of Bob is 7", {"age": WHOLE, "name": TEXT}, {"age": 7, "name": "Ada"})
    check("An album 'Low' by David Bowie", {"artist": TEXT, "title": TEXT}, {"title": "Low", "artist": "David Bowie"})


def test_what_may_be_null_is_not_where_the_prompt_gives_it() -> None:
    types = {"age": {"type": ["null", "integer"]}, "name": optional(TEXT), "n": {"anyOf": [TEXT, WHOLE]}}
    check("Ada is 36, n = 4", types, {"age": 36, "name": "Ada", "n": 4})


def test_nothing_is_taken_twice_or_out_of_its_limits() -> None:
    value = make_instance(closed({"name": TEXT, "author": TEXT, "confidence": NUMBER}), Chance("a"), "Ada is 36")
    assert value["name"] == "Ada"
    assert value["author"] != "Ada"
    assert 0 <= value["confidence"] <= 1


def test_names_of_properties_and_of_formats_are_no_values() -> None:
    prompt = "Return JSON with 'setup' and 'punchline' keys."
    value = make_instance(closed({"setup": TEXT, "punchline": TEXT, "name": TEXT}), Chance("a"), prompt)
    assert not {"setup", "punchline", "JSON"} & set(value.values())


def test_what_a_model_says_itself_is_not_quoted_from_the_prompt() -> None:
    value = make_instance(closed({"reasoning": TEXT, "answer": TEXT}), Chance("a"), "Is 'hello' a greeting?")
    assert "hello" not in value.values()


def test_without_a_mention_all_stays_as_it_was() -> None:
    schema = closed({"name": TEXT, "age": WHOLE, "tags": array(TEXT), "email": written("email")})
    assert make_instance(schema, Chance("a"), "Who was that?") == make_instance(schema, Chance("a"))


@pytest.mark.parametrize(
    "piece", ["1 ", "a", "'", "A ", "Ab ", "1.", "a.", "a@", "x: ", "2026-01-", "+1 ", "的", '"a" ', "1-", "in A "]
)
def test_any_text_can_be_read(piece: str) -> None:
    names = ["name", "email", "date", "start_time", "phone", "n", "order_id", "filename", "city", "text", "url", "language"]
    schema = closed(dict.fromkeys(names, TEXT) | {f"n{count}": WHOLE for count in range(40)})
    Draft202012Validator(schema).validate(make_instance(schema, Chance("a"), piece * 4_000))
