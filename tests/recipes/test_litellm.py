"""LiteLLM: both of its providers, a stream, embeddings and a retried limit."""

import pytest

pytest.importorskip("litellm", reason="an optional recipe: pip install litellm")

import litellm

QUESTION = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize("provider", ["openai", "azure"])
def test_a_completion(azure_openai, provider):
    azure_openai.when(user="hello").respond("Hi there!")
    answer = litellm.completion(model=f"{provider}/gpt-4o", messages=QUESTION)
    assert answer.choices[0].message.content == "Hi there!"
    azure_openai.assert_called("createChatCompletion", deployment="gpt-4o", times=1)


@pytest.mark.parametrize("provider", ["openai", "azure"])
def test_a_stream(azure_openai, provider):
    azure_openai.when(user="hello").respond("Hi there, and welcome!")
    stream = litellm.completion(model=f"{provider}/gpt-4o", messages=QUESTION, stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "Hi there, and welcome!"


def test_a_limit_is_waited_for(azure_openai):
    azure_openai.when(user="hello").respond({"error": "rate_limit", "retry_after": 0.1}, "Hello at last!")
    answer = litellm.completion(model="azure/gpt-4o", messages=QUESTION, max_retries=1)
    assert answer.choices[0].message.content == "Hello at last!"
    assert [exchange.status for exchange in azure_openai.requests] == [429, 200]


def test_embeddings(azure_openai):
    answer = litellm.embedding(model="azure/text-embedding-3-small", input=["hello"])
    assert len(answer.data[0]["embedding"]) == 1536
    azure_openai.assert_called("createEmbedding", deployment="text-embedding-3-small", times=1)
