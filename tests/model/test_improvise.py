from __future__ import annotations

import base64
import io
import json
import re
import wave
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mockserver.model.catalogue import CATALOGUE
from mockserver.model.improvise import improvise
from mockserver.model.prompt import OutputFormat, Prompt, Tool, ToolChoice, ToolUse, Turn
from mockserver.model.reply import Audio, Reasoning, Reply, Text, ToolCall
from mockserver.state.chance import Chance

Json = Any


def closed(properties: dict[str, Json]) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


STRICT_SCHEMAS = st.dictionaries(
    st.sampled_from(["city", "email", "count", "is_open", "x", "größe"]),
    st.recursive(
        st.sampled_from(
            [
                {"type": "string"},
                {"type": "string", "format": "date-time"},
                {"type": ["integer", "null"], "minimum": 3, "maximum": 4},
                {"type": "number"},
                {"type": "boolean"},
                {"enum": ["on", "go", 3, None]},
                {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
            ]
        ),
        lambda inner: st.one_of(
            inner.map(lambda items: {"type": "array", "items": items, "minItems": 1, "maxItems": 2}),
            st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(closed),
            st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
        ),
        max_leaves=5,
    ),
    max_size=4,
).map(closed)

CITY = closed({"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}})
WEATHER = Tool("get_weather", parameters=CITY, description="Current weather of a city")
MAIL = Tool("send_email", parameters=closed({"to": {"type": "string", "format": "email"}}), description="Send an email")
FINAL = Tool("final_result", parameters=closed({"answer": {"type": "string"}}))
REQUIRED = ToolChoice("required")


def prompt_of(*turns: Turn | str, model: str = "gpt-4o", **settings: Any) -> Prompt:
    conversation = [Turn("user", turn) if isinstance(turn, str) else turn for turn in turns]
    return Prompt(model, CATALOGUE[model], conversation, **settings)


def reply(prompt: Prompt, key: str = "seed") -> Reply:
    return improvise(prompt, Chance(key))


def called(prompt: Prompt) -> ToolCall:
    (part,) = reply(prompt).parts
    assert isinstance(part, ToolCall)
    return part


def call(name: str, number: int = 1) -> Turn:
    return Turn("assistant", tool_calls=(ToolUse(f"call_{number}", name, "{}"),))


def result(text: str, name: str | None = "get_weather", number: int = 1) -> Turn:
    return Turn("tool", text, tool_call_id=f"call_{number}", name=name)


def test_plain_text_is_answered_with_text_that_does_not_change() -> None:
    prompt = prompt_of("Tell me about tides.")
    (part,) = reply(prompt).parts
    assert isinstance(part, Text)
    assert part.text.strip()
    assert reply(prompt) == reply(prompt)
    assert len({reply(prompt, f"{seed}").text for seed in range(10)}) > 1


@settings(max_examples=30, deadline=None)
@given(STRICT_SCHEMAS)
def test_arguments_fit_any_strict_schema_and_are_compact_json(schema: Json) -> None:
    arguments = called(prompt_of("Go on.", tools=(Tool("f", parameters=schema, strict=True),))).arguments
    value = json.loads(arguments)
    Draft202012Validator(schema).validate(value)
    assert arguments == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_arguments_take_what_the_user_names() -> None:
    value = json.loads(called(prompt_of("How warm is it in Paris, in Fahrenheit?", tools=(WEATHER,))).arguments)
    assert value == {"city": "Paris", "unit": "fahrenheit"}


@pytest.mark.parametrize("parameters", [None, {}, {"type": "object", "properties": {}}, {"type": "string"}, True, 5])
def test_a_tool_without_usable_parameters_gets_an_empty_object(parameters: Json) -> None:
    assert called(prompt_of("x", tools=(Tool("f", parameters=parameters),))).arguments == "{}"


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ("Please email the report", "send_email"),
        ("What is the weather?", "get_weather"),
        ("Which CITIES are warm", "get_weather"),
        ("Something else", "get_weather"),
    ],
)
def test_auto_calls_the_tool_that_shares_most_words_with_the_user_else_the_first(user: str, name: str) -> None:
    assert called(prompt_of(user, tools=(WEATHER, MAIL))).name == name


def test_auto_calls_one_tool_only() -> None:
    prompt = prompt_of("weather in Paris and email it", tools=(WEATHER, MAIL), parallel_tool_calls=True)
    assert len(reply(prompt).tool_calls) == 1


def test_auto_with_allowed_names_keeps_to_them() -> None:
    prompt = prompt_of("What is the weather?", tools=(WEATHER, MAIL), tool_choice=ToolChoice("auto", ("send_email",)))
    assert called(prompt).name == "send_email"


def test_none_answers_in_text() -> None:
    prompt = prompt_of("What is the weather?", tools=(WEATHER,), tool_choice=ToolChoice("none"))
    assert isinstance(reply(prompt).parts[0], Text)


def test_a_named_or_required_tool_is_called_whatever_the_user_says() -> None:
    tools = (WEATHER, MAIL)
    assert called(prompt_of("weather", tools=tools, tool_choice=ToolChoice("required", ("send_email",)))).name == "send_email"
    assert called(prompt_of("email", tools=tools, tool_choice=REQUIRED)).name == "get_weather"


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_built_in_tools_are_not_used(mode: Any) -> None:
    tools = (Tool("file_search", kind="file_search"), Tool("web_search", kind="web_search"))
    prompt = prompt_of("search", tools=tools, tool_choice=ToolChoice(mode))
    assert [type(part) for part in reply(prompt).parts] == [Text]


def test_a_custom_tool_gets_free_text() -> None:
    part = called(prompt_of("x", tools=(Tool("run", kind="custom"),)))
    assert part.kind == "custom"
    assert part.arguments.strip()
    assert not part.arguments.startswith("{")


def test_a_tool_loop_ends_with_an_answer_that_tells_the_results() -> None:
    prompt = prompt_of("weather?", call("get_weather"), result('{"temp": 21, "unit": "C"}'), tools=(WEATHER,))
    assert reply(prompt).text == "According to get_weather: temp: 21, unit: C."
    prompt.turns += [call("f", 2), result("sunny  all\nday.", None, 2), result("", "g", 3)]
    assert reply(prompt).text == "According to the tool: sunny all day. G returned nothing."


def test_a_result_followed_by_a_user_turn_still_ends_the_loop() -> None:
    prompt = prompt_of("weather?", call("get_weather"), result("21"), "Here is the picture", tools=(WEATHER,))
    assert reply(prompt).text == "According to get_weather: 21."


def test_a_long_result_is_told_briefly() -> None:
    assert len(reply(prompt_of("x", call("get_weather"), result("word " * 1_000))).text) < 250


def test_a_new_question_after_an_answered_loop_calls_again() -> None:
    prompt = prompt_of(
        "weather?", call("get_weather"), result("21"), Turn("assistant", "It is 21."), "And now?", tools=(WEATHER,)
    )
    assert called(prompt).name == "get_weather"


def test_a_forced_loop_goes_on_to_the_tools_not_called_yet() -> None:
    prompt = prompt_of("weather?", tools=(WEATHER, FINAL), tool_choice=REQUIRED)
    assert called(prompt).name == "get_weather"
    prompt.turns += [call("get_weather"), result("21")]
    assert called(prompt).name == "final_result"
    prompt.turns += [call("final_result", 2), result("Please correct the answer.", "final_result", 2)]
    assert called(prompt).name == "final_result"
    prompt.turns += [call("final_result", 3), Turn("assistant", "done"), Turn("user", "next question")]
    assert called(prompt).name == "get_weather"


def test_a_json_schema_is_answered_with_a_compact_instance() -> None:
    prompt = prompt_of("Extract: it rains in Oslo, in celsius", output=OutputFormat("json_schema", "w", CITY, strict=True))
    assert reply(prompt).text == '{"city":"Oslo","unit":"celsius"}'


def test_a_json_schema_is_answered_with_tools_at_hand_once_they_were_called() -> None:
    output = OutputFormat("json_schema", "w", CITY)
    prompt = prompt_of("weather?", tools=(WEATHER,), output=output)
    assert called(prompt).name == "get_weather"
    prompt.turns += [call("get_weather"), result("21")]
    Draft202012Validator(CITY).validate(json.loads(reply(prompt).text))


@pytest.mark.parametrize("schema", [None, {}])
def test_an_empty_schema_is_answered_with_an_object(schema: Json) -> None:
    assert json.loads(reply(prompt_of("x", output=OutputFormat("json_schema", "x", schema))).text) == {}


def in_json_mode(system: str, user: str = "Judge the reply.") -> dict[str, Json]:
    prompt = prompt_of(Turn("system", system), user, output=OutputFormat("json_object"))
    value = json.loads(reply(prompt).text)
    assert isinstance(value, dict)
    return value


def test_json_mode_follows_an_example_and_keeps_its_numbers_and_short_words() -> None:
    value = in_json_mode(
        'Data: {"x": 1}. Respond in JSON: {"score": 4, "result": "pass", "reason": "...", "notes": {"why": "<text>"}}'
    )
    assert list(value) == ["score", "result", "reason", "notes"]
    assert value["score"] == 4
    assert value["result"] == "pass"
    assert "..." not in value["reason"]
    assert len(value["reason"].split()) > 5
    assert value["notes"]["why"] != "<text>"


def test_json_mode_follows_the_last_example_of_several() -> None:
    first, last = {"why": "Fine.", "score": 5}, {"why": "your words", "score": 2, "extra": True}
    value = in_json_mode(f"OUTPUT: {json.dumps(first)}\nUse this format:\n{json.dumps(last)}\nNever use {{other}} braces.")
    assert list(value) == ["why", "score", "extra"]


def test_json_mode_follows_a_sketch_that_is_no_json() -> None:
    value = in_json_mode(
        'Return {"score": <1 to 5>, "passed": true/false, "level": "low" | "high", "tags": [..], "n": <int>, "why": <>}'
    )
    assert list(value) == ["score", "passed", "level", "tags", "n", "why"]
    assert value["score"] in range(1, 6)
    assert isinstance(value["passed"], bool)
    assert value["level"] in ("low", "high")
    assert isinstance(value["tags"], list)
    assert isinstance(value["n"], int)
    assert isinstance(value["why"], str)


@pytest.mark.parametrize("text", ["Answer in JSON with the keys `city` and `age`.", 'JSON, fields: "city", "age"'])
def test_json_mode_uses_the_keys_that_are_named(text: str) -> None:
    for value in (in_json_mode(text), in_json_mode("", text)):
        assert list(value) == ["city", "age"]
        assert isinstance(value["age"], int)


@pytest.mark.parametrize(
    "text",
    [
        "Return the result as a JSON with 'city' and 'age' keys. Use no other text.",
        "A JSON object with fields: city and age",
        "JSON with these keys:\n- city (string): where\n- age: years",
    ],
)
def test_json_mode_follows_members_however_they_are_spelled_out(text: str) -> None:
    assert list(in_json_mode("", text)) == ["city", "age"]


PERSON = closed(
    {"name": {"type": "string"}, "age": {"type": "integer"}, "likes": {"type": "array", "items": {"type": "string"}}}
)


def test_json_mode_follows_a_schema_and_takes_what_the_user_gives() -> None:
    value = in_json_mode(f"Answer with JSON that matches this schema:\n{json.dumps(PERSON)}", "Ada Lovelace is 36.")
    Draft202012Validator(PERSON).validate(value)
    assert (value["name"], value["age"]) == ("Ada Lovelace", 36)
    example = in_json_mode('Respond like {"name": "...", "born": "<place of birth>"}', "Ada was born in London")
    assert example["name"] == "Ada"


def test_an_answer_in_text_follows_the_schema_that_the_instructions_demand() -> None:
    system = Turn("system", f"Always respond with JSON that is compatible with this schema:\n{json.dumps(PERSON)}")
    value = json.loads(reply(prompt_of(system, "Bob is 7")).text)
    Draft202012Validator(PERSON).validate(value)
    assert value["name"] == "Bob"
    doubled = json.dumps(PERSON).replace("{", "{{").replace("}", "}}")
    value = json.loads(
        reply(prompt_of(f"Bob is 7\nHere's a JSON schema to follow:\n{doubled}\nOutput a valid JSON object.")).text
    )
    Draft202012Validator(PERSON).validate(value)
    assert (value["name"], value["age"]) == ("Bob", 7)
    data = json.dumps({"schema": PERSON})
    assert not reply(prompt_of(f"Is this a good one? {data}")).text.startswith("{")


def test_a_schema_is_filled_with_what_tools_have_returned() -> None:
    schema = closed({"city": {"type": "string"}, "temp": {"type": "integer"}})
    prompt = prompt_of("How warm is it in Paris?", call("get_weather"), result('{"temp": 21}'))
    prompt.output = OutputFormat("json_schema", "w", schema)
    assert json.loads(reply(prompt).text) == {"city": "Paris", "temp": 21}


def test_a_last_tool_is_called_with_what_others_have_returned() -> None:
    final = Tool("final_result", parameters=closed({"name": {"type": "string"}, "age": {"type": "integer"}}))
    prompt = prompt_of(
        "How old is Ada?", call("look_up"), result('{"age": 36}', "look_up"), tools=(final,), tool_choice=REQUIRED
    )
    assert json.loads(called(prompt).arguments) == {"name": "Ada", "age": 36}


def test_json_mode_without_any_hint_answers_in_an_object() -> None:
    assert list(in_json_mode("Speak JSON.", "Hello {there}")) == ["answer"]


def test_a_spoken_answer_is_a_playable_wav_that_grows_with_its_transcript() -> None:
    sizes = {}
    for seed in range(6):
        (part,) = reply(prompt_of("Say hello", modalities=("text", "audio")), f"{seed}").parts
        assert isinstance(part, Audio)
        with wave.open(io.BytesIO(base64.b64decode(part.data))) as sound:
            assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 24_000)
            sizes[len(part.transcript)] = sound.getnframes()
    assert [sizes[length] for length in sorted(sizes)] == sorted(sizes.values())
    assert len(set(sizes.values())) == len(sizes)


@pytest.mark.parametrize(
    ("effort", "allowed"),
    [("minimal", {0}), ("low", {64}), ("medium", {64, 128, 192}), ("high", {256, 320, 384, 448, 512}), (None, {64, 128, 192})],
)
def test_a_reasoning_model_thinks_first_for_as_long_as_its_effort_allows(effort: str | None, allowed: set[int]) -> None:
    token_counts = set()
    for seed in range(40):
        thoughts, answer = reply(prompt_of("x", model="gpt-5-mini", effort=effort), f"{seed}").parts
        assert isinstance(thoughts, Reasoning)
        assert isinstance(answer, Text)
        assert (thoughts.summary, thoughts.text) == ((), "")
        token_counts.add(thoughts.tokens)
    assert token_counts == allowed


@pytest.mark.parametrize(("summary", "counts"), [("auto", {1, 2}), ("concise", {1}), ("detailed", {2})])
def test_summaries_come_only_when_requested(summary: str, counts: set[int]) -> None:
    lengths = set()
    for seed in range(20):
        thoughts = reply(prompt_of("x", model="o4-mini", effort="high", summary=summary), f"{seed}").parts[0]
        assert isinstance(thoughts, Reasoning)
        assert all(re.fullmatch(r"\*\*[A-Z][^*]+\*\*\n\n[A-Z].+\.", paragraph) for paragraph in thoughts.summary)
        assert len(set(thoughts.summary)) == len(thoughts.summary)
        lengths.add(len(thoughts.summary))
    assert lengths == counts


def test_no_thought_has_no_summary() -> None:
    thoughts = reply(prompt_of("x", model="gpt-5-mini", effort="minimal", summary="auto")).parts[0]
    assert thoughts == Reasoning(tokens=0)


def test_reasoning_stands_before_a_tool_call_too() -> None:
    parts = reply(prompt_of("weather", model="o4-mini", tools=(WEATHER,))).parts
    assert [type(part) for part in parts] == [Reasoning, ToolCall]


def test_effort_none_and_models_that_do_not_reason_have_no_reasoning() -> None:
    unhurried = replace(CATALOGUE["gpt-5-mini"], default_effort="none")
    prompt = Prompt("gpt-5.1", unhurried, [Turn("user", "x")])
    assert [type(part) for part in reply(prompt).parts] == [Text]
    assert [type(part) for part in reply(prompt_of("x", model="gpt-5-mini", effort="none")).parts] == [Text]
    assert [type(part) for part in reply(prompt_of("x", effort="high")).parts] == [Text]


@pytest.mark.parametrize("model", ["DeepSeek-R1", "grok-3-mini", "MAI-DS-R1"])
def test_other_vendors_models_show_their_thoughts(model: str) -> None:
    thoughts = reply(prompt_of("Why is the sky blue?", model=model)).parts[0]
    assert isinstance(thoughts, Reasoning)
    assert "Why is the sky blue?" in thoughts.text
    assert thoughts.tokens is None


def test_other_vendors_models_that_do_not_think_show_none() -> None:
    assert [type(part) for part in reply(prompt_of("x", model="DeepSeek-V3-0324", effort="high")).parts] == [Text]
