"""LlamaIndex: an answer, a stream, and questions about files in a vector store. It needs openai 2, so it has its own environment."""

import pytest

pytest.importorskip("llama_index.llms.openai", reason="an optional recipe: pip install llama-index-llms-openai")

from llama_index.llms.openai import OpenAIResponses


def test_a_model_answers(azure_openai):
    azure_openai.when(user="hello").respond("Hi there!")
    # It does not read OPENAI_BASE_URL.
    model = OpenAIResponses(model="gpt-4.1", api_base=azure_openai.base_url)
    assert model.complete("hello").text == "Hi there!"
    assert "".join(part.delta for part in model.stream_complete("hello")) == "Hi there!"


def test_files_are_searched(azure_openai):
    state = azure_openai.given(
        files={"refunds": "Refunds are paid within 14 days.", "hours": "The shop opens at nine."},
        vector_stores={"handbook": {"files": ["refunds", "hours"]}},
    )
    search = {"type": "file_search", "vector_store_ids": [state.vector_stores["handbook"].id]}
    model = OpenAIResponses(model="gpt-4.1", api_base=azure_openai.base_url, built_in_tools=[search])
    answer = model.complete("When are refunds paid?")
    assert "Refunds are paid within 14 days." in answer.text
    (citation,) = answer.additional_kwargs["annotations"]
    assert citation.file_id == state.files["refunds"].id
