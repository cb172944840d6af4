"""Semantic Kernel: an agent that answers from files in a vector store, and a stream. It accepts https endpoints only."""

import asyncio

import pytest

pytest.importorskip("semantic_kernel", reason="an optional recipe: pip install semantic-kernel")

from semantic_kernel.agents import AzureResponsesAgent


async def index(client, path):
    """Upload a file and put it into a new vector store; return the id of each."""
    file = await client.files.create(file=path, purpose="assistants")
    store = await client.vector_stores.create(name="handbook", file_ids=[file.id])
    return file.id, store.id


@pytest.mark.azure_openai(intercept=True)
def test_an_agent_answers_from_files(azure_openai, tmp_path):
    (tmp_path / "refunds.md").write_text("Refunds are paid within 14 days.")
    azure_openai.when(user="thanks").respond("You are welcome!")

    async def converse():
        client = AzureResponsesAgent.create_client(
            endpoint="https://contoso.openai.azure.com", deployment_name="gpt-4.1", api_version="2025-03-01-preview"
        )
        file_id, store_id = await index(client, tmp_path / "refunds.md")
        tools = [AzureResponsesAgent.configure_file_search_tool(store_id)]
        agent = AzureResponsesAgent(ai_model_id="gpt-4.1", client=client, name="Helper", instructions="Help.", tools=tools)
        answer = await agent.get_response("When are refunds paid?")
        text, citation = answer.message.items
        assert "Refunds are paid within 14 days." in text.text
        assert citation.file_id == file_id
        parts = [str(part.message) async for part in agent.invoke_stream("thanks", thread=answer.thread)]
        assert "".join(parts) == "You are welcome!"
        await client.close()

    asyncio.run(converse())
    first, second = azure_openai.assert_called("createResponse", times=2)
    assert second.body["previous_response_id"] == first.response["id"]
