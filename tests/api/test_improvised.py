"""Calls that nothing is scripted for, as clients make them: what the prompt gives comes back, streamed and not alike."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel


class Person(BaseModel):
    name: str
    age: int


PARAMETERS = {
    "type": "object",
    "properties": {"input": {"type": "integer"}},
    "required": ["input"],
    "additionalProperties": False,
}
MAGIC: Any = {"type": "function", "function": {"name": "magic_function", "parameters": PARAMETERS}}


@pytest.mark.parametrize("choice", ["auto", "required"])
def test_a_tool_is_called_with_the_number_of_the_prompt(plain: openai.OpenAI, choice: Any) -> None:
    wanted: Any = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "What is magic_function(3)?"}],
        "tools": [MAGIC],
        "tool_choice": choice,
    }
    (call,) = plain.chat.completions.create(**wanted).choices[0].message.tool_calls or []
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"input": 3}
    streamed = ""
    for chunk in plain.chat.completions.create(stream=True, **wanted):
        for delta in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            streamed += delta.function.arguments or "" if delta.function else ""
    assert streamed == call.function.arguments


def test_structured_output_holds_what_the_prompt_gives_on_either_surface(plain: openai.OpenAI) -> None:
    messages: Any = [{"role": "user", "content": "Ada Lovelace is 36"}]
    ada = Person(name="Ada Lovelace", age=36)
    chat = plain.chat.completions.parse(model="gpt-4o", messages=messages, response_format=Person)
    assert chat.choices[0].message.parsed == ada
    assert plain.responses.parse(model="gpt-4o", input="Ada Lovelace is 36", text_format=Person).output_parsed == ada
    with plain.responses.stream(model="gpt-4o", input="Ada Lovelace is 36", text_format=Person) as stream:
        assert stream.get_final_response().output_parsed == ada


def test_json_mode_has_the_members_that_the_prompt_names(plain: openai.OpenAI) -> None:
    joke = "Tell me a joke. Return the result as a JSON with 'setup' and 'punchline' keys."
    wanted: Any = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": joke}],
        "response_format": {"type": "json_object"},
    }
    text = plain.chat.completions.create(**wanted).choices[0].message.content or ""
    assert list(json.loads(text)) == ["setup", "punchline"]
    pieces = [
        chunk.choices[0].delta.content or "" for chunk in plain.chat.completions.create(stream=True, **wanted) if chunk.choices
    ]
    assert "".join(pieces) == text


@pytest.mark.parametrize("content", ['Say "\ud800" to \udfff', "'\x00' is 3", "{{{" * 50, "٣ is " + "9" * 5000])
def test_prompts_of_odd_characters_are_answered(plain: openai.OpenAI, content: str) -> None:
    answer = plain.post(
        "/chat/completions",
        body={
            "model": "gpt-4o",
            "messages": [{"role": "user", "content": content.encode("utf-8", "replace").decode()}],
            "tools": [MAGIC, {"type": "function", "function": {"name": "echo", "parameters": Person.model_json_schema()}}],
        },
        cast_to=object,
    )
    assert answer
