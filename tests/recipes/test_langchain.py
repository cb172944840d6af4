"""LangChain: a chat model, structured output, embeddings, an agent's tool loop, and questions about files in a vector store."""

import pytest

pytest.importorskip("langchain_openai", reason="an optional recipe: pip install langchain-openai langchain")
pytest.importorskip("langchain", reason="an optional recipe: pip install langchain-openai langchain")

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel


class Person(BaseModel):
    name: str
    age: int


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def test_a_chat_model_answers(azure_openai):
    azure_openai.when(user="hello").respond("Hi there!")
    assert ChatOpenAI(model="gpt-4o").invoke("hello").text == "Hi there!"


def test_a_chat_model_streams(azure_openai):
    azure_openai.when(user="hello").respond("Hi there, and welcome!")
    chunks = [chunk.text for chunk in ChatOpenAI(model="gpt-4o").stream("hello")]
    assert "".join(chunks) == "Hi there, and welcome!"
    assert len([chunk for chunk in chunks if chunk]) > 1


def test_structured_output(azure_openai):
    azure_openai.when(user="Ada").respond(json={"name": "Ada", "age": 36})
    model = ChatOpenAI(model="gpt-4o").with_structured_output(Person)
    assert model.invoke("Who is Ada?") == Person(name="Ada", age=36)


def test_an_agent_calls_its_tool(azure_openai):
    azure_openai.when(user="weather", tool_result=False).respond(tool_calls=[("get_weather", {"city": "Paris"})])
    azure_openai.when(tool_result="get_weather").respond("It is {{ tool_result }}.")
    agent = create_agent(ChatOpenAI(model="gpt-4o"), tools=[get_weather])
    answer = agent.invoke({"messages": [{"role": "user", "content": "How is the weather?"}]})
    assert answer["messages"][-1].text == "It is sunny in Paris."


def test_embeddings(azure_openai):
    # Without this LangChain sends token ids, for which tiktoken downloads its vocabulary.
    embeddings = OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False)
    first, second = embeddings.embed_documents(["hello", "goodbye"])
    assert len(first) == len(second) == 1536
    assert first != second
    azure_openai.assert_called("createEmbedding", deployment="text-embedding-3-small", times=1)


def test_files_are_searched(azure_openai):
    state = azure_openai.given(
        files={"refunds": "Refunds are paid within 14 days.", "hours": "The shop opens at nine."},
        vector_stores={"handbook": {"files": ["refunds", "hours"]}},
    )
    search = {"type": "file_search", "vector_store_ids": [state.vector_stores["handbook"].id]}
    answer = ChatOpenAI(model="gpt-4.1").bind_tools([search]).invoke("When are refunds paid?")
    assert "Refunds are paid within 14 days." in answer.text
    (citation,) = answer.content_blocks[-1]["annotations"]
    assert citation["extras"]["file_id"] == state.files["refunds"].id
