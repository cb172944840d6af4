"""pydantic-ai: a tool loop, typed output, and both surfaces."""

import pytest

pytest.importorskip("pydantic_ai", reason='an optional recipe: pip install "pydantic-ai-slim[openai]"')

from pydantic import BaseModel
from pydantic_ai import Agent


class Person(BaseModel):
    name: str
    age: int


@pytest.mark.parametrize("surface", ["openai-responses", "openai-chat"])
def test_an_agent_calls_its_tool(azure_openai, surface):
    azure_openai.when(user="weather", tool_result=False).respond(tool_calls=[("get_weather", {"city": "Paris"})])
    azure_openai.when(tool_result="get_weather").respond("It is {{ tool_result }}.")
    agent = Agent(f"{surface}:gpt-4.1", instructions="Be brief.")

    @agent.tool_plain
    def get_weather(city: str) -> str:
        return f"sunny in {city}"

    assert agent.run_sync("How is the weather?").output == "It is sunny in Paris."
    azure_openai.assert_called(system="brief", times=2)


def test_an_answer_of_the_wrong_shape_is_asked_for_again(azure_openai):
    azure_openai.when(tools="final_result").respond(
        {"tool_calls": [{"name": "final_result", "arguments": {"name": "Ada", "age": "unknown"}}]},
        {"tool_calls": [{"name": "final_result", "arguments": {"name": "Ada", "age": 36}}]},
    )
    agent = Agent("openai-chat:gpt-4.1", output_type=Person)
    assert agent.run_sync("Who is Ada?").output == Person(name="Ada", age=36)
    azure_openai.assert_called("createChatCompletion", times=2)
