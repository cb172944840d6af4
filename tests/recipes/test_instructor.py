"""instructor: an object from an answer, requested again if it does not validate."""

import pytest

pytest.importorskip("instructor", reason="an optional recipe: pip install instructor")

import instructor
from openai import OpenAI
from pydantic import BaseModel, Field


class Person(BaseModel):
    name: str
    age: int = Field(ge=0)


def ask(client: instructor.Instructor) -> Person:
    question = [{"role": "user", "content": "Who is Ada?"}]
    return client.chat.completions.create(model="gpt-4o", response_model=Person, messages=question, max_retries=2)


def test_an_object_comes_as_a_tool_call(azure_openai):
    azure_openai.when(user="Ada", tools="Person").respond(tool_calls=[("Person", {"name": "Ada", "age": 36})])
    assert ask(instructor.from_openai(OpenAI())).model_dump() == {"name": "Ada", "age": 36}


def test_an_object_comes_as_json(azure_openai):
    azure_openai.when(user="Ada").respond(json={"name": "Ada", "age": 36})
    client = instructor.from_openai(OpenAI(), mode=instructor.Mode.JSON_SCHEMA)
    assert ask(client).model_dump() == {"name": "Ada", "age": 36}


def test_an_invalid_object_is_asked_for_again(azure_openai):
    azure_openai.when(tools="Person").respond(
        {"tool_calls": [{"name": "Person", "arguments": {"name": "Ada", "age": -1}}]},
        {"tool_calls": [{"name": "Person", "arguments": {"name": "Ada", "age": 36}}]},
    )
    assert ask(instructor.from_openai(OpenAI())).age == 36
    azure_openai.assert_called("createChatCompletion", times=2)
