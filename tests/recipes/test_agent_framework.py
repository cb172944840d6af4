"""Microsoft agent-framework: a tool loop on both surfaces, and a stream."""

import pytest

pytest.importorskip("agent_framework.openai", reason="an optional recipe: pip install agent-framework-openai")

from agent_framework import Agent
from agent_framework.openai import OpenAIChatClient, OpenAIChatCompletionClient

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


@pytest.mark.parametrize("surface", [OpenAIChatClient, OpenAIChatCompletionClient])
async def test_an_agent_calls_its_tool(azure_openai, surface):
    azure_openai.when(user="weather", tool_result=False).respond(tool_calls=[("get_weather", {"city": "Paris"})])
    azure_openai.when(tool_result="get_weather").respond("It is {{ tool_result }}.")
    agent = Agent(surface(model="gpt-4.1"), instructions="Be brief.", tools=[get_weather])
    assert (await agent.run("How is the weather?")).text == "It is sunny in Paris."
    azure_openai.assert_called(system="brief", times=2)


async def test_an_agent_streams(azure_openai):
    azure_openai.when(user="hello").respond("Hi there, and welcome!")
    agent = Agent(OpenAIChatClient(model="gpt-4.1"))
    run = agent.run("hello", stream=True)
    updates = [update.text async for update in run]
    assert len(updates) > 1
    assert (await run.get_final_response()).text == "Hi there, and welcome!"  # the updates have it twice: in parts, then whole
