"""openai-agents: a tool loop, a typed answer and a stream."""

import pytest

pytest.importorskip("agents", reason="an optional recipe: pip install openai-agents")

from agents import Agent, Runner, function_tool, set_default_openai_client, set_tracing_disabled
from openai import AsyncOpenAI
from pydantic import BaseModel

set_tracing_disabled(True)  # traces go to api.openai.com, wherever the model is


@pytest.fixture(autouse=True)
def _client_of_this_test(azure_openai):
    # By itself the package keeps one HTTP pool for good, which fails in the event loop of the next test.
    set_default_openai_client(AsyncOpenAI(), use_for_tracing=False)


class Person(BaseModel):
    name: str
    age: int


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def test_an_agent_calls_its_tool(azure_openai):
    azure_openai.when(user="weather", tool_result=False).respond(tool_calls=[("get_weather", {"city": "Paris"})])
    azure_openai.when(tool_result="get_weather").respond("It is {{ tool_result }}.")
    agent = Agent(name="Forecaster", instructions="Be brief.", model="gpt-4.1", tools=[get_weather])
    assert Runner.run_sync(agent, "How is the weather?").final_output == "It is sunny in Paris."
    azure_openai.assert_called("createResponse", system="brief", times=2)


def test_an_agent_answers_with_a_type(azure_openai):
    azure_openai.when(user="Ada").respond(json={"name": "Ada", "age": 36})
    agent = Agent(name="Biographer", model="gpt-4.1", output_type=Person)
    assert Runner.run_sync(agent, "Who is Ada?").final_output == Person(name="Ada", age=36)


def test_a_run_hands_over_to_another_agent(azure_openai):
    azure_openai.when(system="triage").respond(tool_calls=[("transfer_to_forecaster", {})])
    azure_openai.when(system="forecast").respond("Sunny.")
    forecaster = Agent(name="Forecaster", instructions="You forecast.", model="gpt-4.1")
    triage = Agent(name="Triage", instructions="You triage.", model="gpt-4.1", handoffs=[forecaster])
    result = Runner.run_sync(triage, "How is the weather?")
    assert (result.last_agent.name, result.final_output) == ("Forecaster", "Sunny.")


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_run_is_streamed(azure_openai):
    azure_openai.when(user="hello").respond("Hi there!")
    run = Runner.run_streamed(Agent(name="Greeter", model="gpt-4.1"), "hello")
    kinds = [event.data.type async for event in run.stream_events() if event.type == "raw_response_event"]
    assert run.final_output == "Hi there!"
    assert kinds[-1] == "response.completed"
