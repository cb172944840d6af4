"""Prompt templates that a scenario defines, and that responses name under `prompt`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer, ScenarioError
from mockserver.scenario.load import load, parse

Json = Any
MODEL = "gpt-4.1-nano"
SCENARIO: dict[str, Json] = {
    "prompts": {
        "pmpt_weather": {"instructions": "You report the weather in {{ city }}, in {{unit}}."},
        "pmpt_greeting": {
            "versions": {
                "1": {"instructions": "Greet {{name}}."},
                "2": {"messages": [{"role": "developer", "content": "Greet."}, {"role": "user", "content": "I am {{name}}."}]},
                "draft": {"instructions": "Greet {{name}} and {{friend}}."},
            },
            "current": "2",
        },
        "pmpt_picture": {"messages": [{"role": "user", "content": "What is in {{picture}}, {{name}}?"}]},
        "pmpt_latest": {"versions": {"1": {"instructions": "one"}, "2": {"instructions": "two"}}},
    },
    "rules": [{"respond": "{{ system }}|{{ user }}"}],
}


@pytest.fixture
def mock() -> Iterator[MockServer]:
    with MockServer(SCENARIO) as server:
        yield server


def post(http: httpx2.Client, mock: MockServer, prompt: Json, **rest: Json) -> httpx2.Response:
    body = {"model": MODEL, "input": "Hi.", "prompt": prompt, **rest}
    return http.post(f"{mock.base_url}responses", json=body, headers={"api-key": mock.api_key})


def text(answer: httpx2.Response) -> str:
    assert answer.status_code == 200, answer.text
    words: str = answer.json()["output"][0]["content"][0]["text"]
    return words


def test_variables_are_filled_in(client: OpenAI) -> None:
    prompt: Json = {"id": "pmpt_weather", "variables": {"city": "Oslo", "unit": {"type": "input_text", "text": "kelvin"}}}
    answer = client.responses.create(model=MODEL, input="Now?", prompt=prompt)
    assert answer.output_text == "You report the weather in Oslo, in kelvin.|Now?"
    assert answer.prompt is not None
    assert answer.prompt.to_dict() == {**prompt, "version": "1"}
    (instructions,) = answer.to_dict()["instructions"]  # type: ignore[misc]
    content = [{"type": "input_text", "text": "You report the weather in Oslo, in kelvin."}]
    assert instructions == {"type": "message", "content": content, "role": "developer"}


@pytest.mark.parametrize(
    ("prompt", "version", "words"),
    [
        ({"id": "pmpt_greeting", "variables": {"name": "Ann"}}, "2", "Greet.|Hi."),
        ({"id": "pmpt_greeting", "version": "1", "variables": {"name": "Ann"}}, "1", "Greet Ann.|Hi."),
        ({"id": "pmpt_greeting", "version": "draft", "variables": {"name": "A", "friend": "B"}}, "draft", "Greet A and B.|Hi."),
        ({"id": "pmpt_latest"}, "2", "two|Hi."),
    ],
)
def test_a_request_chooses_the_version(http: httpx2.Client, mock: MockServer, prompt: Json, version: str, words: str) -> None:
    answer = post(http, mock, prompt)
    assert text(answer) == words
    assert answer.json()["prompt"]["version"] == version


def test_a_prompt_can_be_answered_without_input(http: httpx2.Client, mock: MockServer) -> None:
    assert text(post(http, mock, {"id": "pmpt_greeting", "variables": {"name": "Ann"}}, input=[])) == "Greet.|I am Ann."


def test_the_requests_own_instructions_come_instead(http: httpx2.Client, mock: MockServer) -> None:
    answer = post(http, mock, {"id": "pmpt_latest"}, instructions="Mine.")
    assert text(answer) == "Mine.|Hi."
    assert answer.json()["instructions"][0]["content"][0]["text"] == "Mine."


def test_what_a_template_says_is_not_an_input_item_and_not_carried_over(client: OpenAI) -> None:
    prompt: Json = {"id": "pmpt_greeting", "variables": {"name": "Ann"}}
    first = client.responses.create(model=MODEL, input="Hi.", prompt=prompt)
    assert len(client.responses.input_items.list(first.id).data) == 1
    second = client.responses.create(model=MODEL, input="Again.", previous_response_id=first.id)
    assert second.output_text == "|Again."


def test_images_become_parts_of_their_own(http: httpx2.Client, mock: MockServer) -> None:
    image = {"type": "input_image", "image_url": "https://x/cat.png"}
    answer = post(http, mock, {"id": "pmpt_picture", "variables": {"picture": image, "name": "Ann"}}).json()
    parts = answer["instructions"][0]["content"]
    assert [part["type"] for part in parts] == ["input_text", "input_image", "input_text"]
    assert (parts[0]["text"], parts[1]["image_url"], parts[2]["text"]) == ("What is in ", "https://x/cat.png", ", Ann?")


@pytest.mark.parametrize(
    ("prompt", "status", "param", "words"),
    [
        ({"id": "pmpt_x"}, 404, None, "Prompt with id 'pmpt_x' not found."),
        ({"id": "pmpt_weather", "version": "7"}, 404, None, "Prompt with id 'pmpt_weather' and version '7' not found."),
        ({"id": "pmpt_weather", "variables": {"unit": "K"}}, 400, "prompt.variables", "Missing prompt variables: city"),
        ({"id": "pmpt_weather"}, 400, "prompt.variables", "Missing prompt variables: city, unit"),
        ({"id": "pmpt_latest", "variables": {"a": "b"}}, 400, "prompt.variables", "Unknown prompt variables: a"),
        ({"id": "pmpt_weather", "variables": {"city": 1, "unit": "K"}}, 400, "prompt.variables.city",
         "expected one of a string or an input part, but got an integer"),
        ("pmpt_weather", 400, "prompt", "expected an object, but got a string"),
        ({"version": "1"}, 400, "prompt.id", "Missing required parameter: 'prompt.id'."),
    ],
)  # fmt: skip
def test_wrong_prompts_are_refused(
    http: httpx2.Client, mock: MockServer, prompt: Json, status: int, param: str | None, words: str
) -> None:
    assert words in assert_azure_error(post(http, mock, prompt), status, param=param)["message"]


def test_what_is_looked_for_first(http: httpx2.Client, mock: MockServer) -> None:
    unknown = {"id": "pmpt_x"}
    both = assert_azure_error(post(http, mock, unknown, conversation="conv_x"), 404)
    assert both["message"] == "Conversation with id 'conv_x' not found."
    chained = assert_azure_error(post(http, mock, unknown, previous_response_id="resp_x"), 404)
    assert chained["message"] == "Prompt with id 'pmpt_x' not found."


@pytest.mark.parametrize(
    ("section", "problem"),
    [
        ("{}", "s.yaml:1:14: prompts.p: expected instructions, messages or versions"),
        ("{instructions: a, versions: {'1': {instructions: a}}}", "cannot be combined with versions; put it into one of them"),
        ("{versions: {}}", "prompts.p.versions"),
        ("{versions: {'1': {instructions: a}}, current: '2'}", "there is no version '2'"),
        ("{instructions: a, current: '1'}", "there is no version '1'"),
        ("{messages: [{role: robot, content: a}]}", "s.yaml:1:33: prompts.p.messages[0].role"),
        ("{messages: [{role: user}]}", "prompts.p.messages[0]"),
        ("{instruction: a}", "did you mean 'instructions'?"),
    ],
)
def test_mistakes_are_found_with_their_place(section: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        parse(f"prompts: {{p: {section}}}", "s.yaml")
    assert problem in str(raised.value)


def test_a_prompt_is_defined_in_one_file(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("prompts: {p: {instructions: x}}")
    with pytest.raises(ScenarioError, match=r"b.yaml: prompts.p: is defined in a.yaml too"):
        load([tmp_path])
