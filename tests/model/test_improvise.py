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


def prompt(*turns: Turn | str, model: str = "gpt-4o", **settings: Any) -> Prompt:
    made = [Turn("user", turn) if isinstance(turn, str) else turn for turn in turns]
    return Prompt(model, CATALOGUE[model], made, **settings)


def reply(asked: Prompt, key: str = "seed") -> Reply:
    return improvise(asked, Chance(key))


def called(asked: Prompt) -> ToolCall:
    (part,) = reply(asked).parts
    assert isinstance(part, ToolCall)
    return part


def call(name: str, number: int = 1) -> Turn:
    return Turn("assistant", tool_calls=(ToolUse(f"call_{number}", name, "{}"),))


def result(text: str, name: str | None = "get_weather", number: int = 1) -> Turn:
    return Turn("tool", text, tool_call_id=f"call_{number}", name=name)


def test_plain_text_is_answered_with_text_that_does_not_change() -> None:
    asked = prompt("Tell me about tides.")
    (part,) = reply(asked).parts
    assert isinstance(part, Text)
    assert part.text.strip()
    assert reply(asked) == reply(asked)
    assert len({reply(asked, f"{seed}").text for seed in range(10)}) > 1


@settings(max_examples=30, deadline=None)
@given(STRICT_SCHEMAS)
def test_arguments_fit_any_strict_schema_and_are_compact_json(schema: Json) -> None:
    arguments = called(prompt("Go on.", tools=(Tool("f", parameters=schema, strict=True),))).arguments
    made = json.loads(arguments)
    Draft202012Validator(schema).validate(made)
    assert arguments == json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def test_arguments_take_what_the_user_names() -> None:
    made = json.loads(called(prompt("How warm is it in Paris, in Fahrenheit?", tools=(WEATHER,))).arguments)
    assert made == {"city": "Paris", "unit": "fahrenheit"}


@pytest.mark.parametrize("parameters", [None, {}, {"type": "object", "properties": {}}, {"type": "string"}, True, 5])
def test_a_tool_without_usable_parameters_gets_an_empty_object(parameters: Json) -> None:
    assert called(prompt("x", tools=(Tool("f", parameters=parameters),))).arguments == "{}"


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
    assert called(prompt(user, tools=(WEATHER, MAIL))).name == name


def test_auto_calls_one_tool_only() -> None:
    asked = prompt("weather in Paris and email it", tools=(WEATHER, MAIL), parallel_tool_calls=True)
    assert len(reply(asked).tool_calls) == 1


def test_auto_with_allowed_names_keeps_to_them() -> None:
    asked = prompt("What is the weather?", tools=(WEATHER, MAIL), tool_choice=ToolChoice("auto", ("send_email",)))
    assert called(asked).name == "send_email"


def test_none_answers_in_text() -> None:
    asked = prompt("What is the weather?", tools=(WEATHER,), tool_choice=ToolChoice("none"))
    assert isinstance(reply(asked).parts[0], Text)


def test_a_named_or_required_tool_is_called_whatever_the_user_says() -> None:
    tools = (WEATHER, MAIL)
    assert called(prompt("weather", tools=tools, tool_choice=ToolChoice("required", ("send_email",)))).name == "send_email"
    assert called(prompt("email", tools=tools, tool_choice=REQUIRED)).name == "get_weather"


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_built_in_tools_are_not_used(mode: Any) -> None:
    tools = (Tool("file_search", kind="file_search"), Tool("web_search", kind="web_search"))
    asked = prompt("search", tools=tools, tool_choice=ToolChoice(mode))
    assert [type(part) for part in reply(asked).parts] == [Text]


def test_a_custom_tool_gets_free_text() -> None:
    part = called(prompt("x", tools=(Tool("run", kind="custom"),)))
    assert part.kind == "custom"
    assert part.arguments.strip()
    assert not part.arguments.startswith("{")


def test_a_tool_loop_ends_with_an_answer_that_tells_the_results() -> None:
    asked = prompt("weather?", call("get_weather"), result('{"temp": 21, "unit": "C"}'), tools=(WEATHER,))
    assert reply(asked).text == "According to get_weather: temp: 21, unit: C."
    asked.turns += [call("f", 2), result("sunny  all\nday.", None, 2), result("", "g", 3)]
    assert reply(asked).text == "According to the tool: sunny all day. G returned nothing."


def test_a_result_followed_by_a_user_turn_still_ends_the_loop() -> None:
    asked = prompt("weather?", call("get_weather"), result("21"), "Here is the picture", tools=(WEATHER,))
    assert reply(asked).text == "According to get_weather: 21."


def test_a_long_result_is_told_briefly() -> None:
    assert len(reply(prompt("x", call("get_weather"), result("word " * 1_000))).text) < 250


def test_a_new_question_after_an_answered_loop_calls_again() -> None:
    asked = prompt("weather?", call("get_weather"), result("21"), Turn("assistant", "It is 21."), "And now?", tools=(WEATHER,))
    assert called(asked).name == "get_weather"


def test_a_forced_loop_goes_on_to_the_tools_not_called_yet() -> None:
    asked = prompt("weather?", tools=(WEATHER, FINAL), tool_choice=REQUIRED)
    assert called(asked).name == "get_weather"
    asked.turns += [call("get_weather"), result("21")]
    assert called(asked).name == "final_result"
    asked.turns += [call("final_result", 2), result("Please correct the answer.", "final_result", 2)]
    assert called(asked).name == "final_result"
    asked.turns += [call("final_result", 3), Turn("assistant", "done"), Turn("user", "next question")]
    assert called(asked).name == "get_weather"


def test_a_json_schema_is_answered_with_a_compact_instance() -> None:
    asked = prompt("Extract: it rains in Oslo, in celsius", output=OutputFormat("json_schema", "w", CITY, strict=True))
    assert reply(asked).text == '{"city":"Oslo","unit":"celsius"}'


def test_a_json_schema_is_answered_with_tools_at_hand_once_they_were_called() -> None:
    output = OutputFormat("json_schema", "w", CITY)
    asked = prompt("weather?", tools=(WEATHER,), output=output)
    assert called(asked).name == "get_weather"
    asked.turns += [call("get_weather"), result("21")]
    Draft202012Validator(CITY).validate(json.loads(reply(asked).text))


@pytest.mark.parametrize("schema", [None, {}])
def test_an_empty_schema_is_answered_with_an_object(schema: Json) -> None:
    assert json.loads(reply(prompt("x", output=OutputFormat("json_schema", "x", schema))).text) == {}


def in_json_mode(system: str, user: str = "Judge the reply.") -> dict[str, Json]:
    asked = prompt(Turn("system", system), user, output=OutputFormat("json_object"))
    made = json.loads(reply(asked).text)
    assert isinstance(made, dict)
    return made


def test_json_mode_follows_an_example_and_keeps_its_numbers_and_short_words() -> None:
    made = in_json_mode(
        'Data: {"x": 1}. Respond in JSON: {"score": 4, "result": "pass", "reason": "...", "notes": {"why": "<text>"}}'
    )
    assert list(made) == ["score", "result", "reason", "notes"]
    assert made["score"] == 4
    assert made["result"] == "pass"
    assert "..." not in made["reason"]
    assert len(made["reason"].split()) > 5
    assert made["notes"]["why"] != "<text>"


def test_json_mode_follows_the_last_example_of_several() -> None:
    first, last = {"why": "Fine.", "score": 5}, {"why": "your words", "score": 2, "extra": True}
    made = in_json_mode(f"OUTPUT: {json.dumps(first)}\nUse this format:\n{json.dumps(last)}\nNever use {{other}} braces.")
    assert list(made) == ["why", "score", "extra"]


def test_json_mode_follows_a_sketch_that_is_no_json() -> None:
    made = in_json_mode(
        'Return {"score": <1 to 5>, "passed": true/false, "level": "low" | "high", "tags": [..], "n": <int>, "why": <>}'
    )
    assert list(made) == ["score", "passed", "level", "tags", "n", "why"]
    assert made["score"] in range(1, 6)
    assert isinstance(made["passed"], bool)
    assert made["level"] in ("low", "high")
    assert isinstance(made["tags"], list)
    assert isinstance(made["n"], int)
    assert isinstance(made["why"], str)


@pytest.mark.parametrize("text", ["Answer in JSON with the keys `city` and `age`.", 'JSON, fields: "city", "age"'])
def test_json_mode_uses_the_keys_that_are_named(text: str) -> None:
    for made in (in_json_mode(text), in_json_mode("", text)):
        assert list(made) == ["city", "age"]
        assert isinstance(made["age"], int)


def test_json_mode_without_any_hint_answers_in_an_object() -> None:
    assert list(in_json_mode("Speak JSON.", "Hello {there}")) == ["answer"]


def test_a_spoken_answer_is_a_playable_wav_that_grows_with_its_transcript() -> None:
    sizes = {}
    for seed in range(6):
        (part,) = reply(prompt("Say hello", modalities=("text", "audio")), f"{seed}").parts
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
def test_a_reasoning_model_thinks_first_for_as_long_as_its_effort_says(effort: str | None, allowed: set[int]) -> None:
    seen = set()
    for seed in range(40):
        thoughts, answer = reply(prompt("x", model="gpt-5-mini", effort=effort), f"{seed}").parts
        assert isinstance(thoughts, Reasoning)
        assert isinstance(answer, Text)
        assert (thoughts.summary, thoughts.text) == ((), "")
        seen.add(thoughts.tokens)
    assert seen == allowed


@pytest.mark.parametrize(("summary", "counts"), [("auto", {1, 2}), ("concise", {1}), ("detailed", {2})])
def test_summaries_come_only_when_asked_for(summary: str, counts: set[int]) -> None:
    seen = set()
    for seed in range(20):
        thoughts = reply(prompt("x", model="o4-mini", effort="high", summary=summary), f"{seed}").parts[0]
        assert isinstance(thoughts, Reasoning)
        assert all(re.fullmatch(r"\*\*[A-Z][^*]+\*\*\n\n[A-Z].+\.", paragraph) for paragraph in thoughts.summary)
        assert len(set(thoughts.summary)) == len(thoughts.summary)
        seen.add(len(thoughts.summary))
    assert seen == counts


def test_no_thought_has_no_summary() -> None:
    thoughts = reply(prompt("x", model="gpt-5-mini", effort="minimal", summary="auto")).parts[0]
    assert thoughts == Reasoning(tokens=0)


def test_reasoning_stands_before_a_tool_call_too() -> None:
    parts = reply(prompt("weather", model="o4-mini", tools=(WEATHER,))).parts
    assert [type(part) for part in parts] == [Reasoning, ToolCall]


def test_effort_none_and_models_that_do_not_reason_have_no_reasoning() -> None:
    unhurried = replace(CATALOGUE["gpt-5-mini"], default_effort="none")
    asked = Prompt("gpt-5.1", unhurried, [Turn("user", "x")])
    assert [type(part) for part in reply(asked).parts] == [Text]
    assert [type(part) for part in reply(prompt("x", model="gpt-5-mini", effort="none")).parts] == [Text]
    assert [type(part) for part in reply(prompt("x", effort="high")).parts] == [Text]


@pytest.mark.parametrize("model", ["DeepSeek-R1", "grok-3-mini", "MAI-DS-R1"])
def test_other_vendors_models_show_their_thoughts(model: str) -> None:
    thoughts = reply(prompt("Why is the sky blue?", model=model)).parts[0]
    assert isinstance(thoughts, Reasoning)
    assert "Why is the sky blue?" in thoughts.text
    assert thoughts.tokens is None


def test_other_vendors_models_that_do_not_think_show_none() -> None:
    assert [type(part) for part in reply(prompt("x", model="DeepSeek-V3-0324", effort="high")).parts] == [Text]
