import my_app
import pytest


def test_a_stream(azure_openai):
    azure_openai.when().respond("one two three")
    stream = azure_openai.client.responses.create(model="gpt-4.1-nano", input="count", stream=True)
    assert "".join(event.delta for event in stream if event.type == "response.output_text.delta") == "one two three"


@pytest.mark.anyio
async def test_asynchronous_clients(azure_openai):
    azure_openai.when(user="hello").respond("Hi there!")
    assert await my_app.greet_later("hello") == "Hi there!"
    answer = await azure_openai.async_client.responses.create(model="gpt-4.1-nano", input="hello")
    assert answer.output_text == "Hi there!"
