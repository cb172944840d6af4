"""An application that answers questions from documents. It knows nothing of mocks: where to go is in the environment."""

from openai import OpenAI


def index(paths):
    with OpenAI() as client:
        store = client.vector_stores.create(name="handbook", expires_after={"anchor": "last_active_at", "days": 7})
        batch = client.vector_stores.file_batches.upload_and_poll(store.id, files=paths)
        if batch.file_counts.failed:
            failed = client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id, filter="failed")
            raise ValueError("; ".join(f"{file.id}: {file.last_error.message}" for file in failed))
        return store.id


def answer(store_id, question):
    with OpenAI() as client:
        options = {"max_num_results": 3, "ranking_options": {"score_threshold": 0.4}}
        found = client.vector_stores.search(store_id, query=question, **options).data
        notes = [f"[{one.filename}] {' '.join(part.text.split())}" for one in found for part in one.content]
        prompt = "\n".join([*(notes or ["[nothing found]"]), "", question])
        return client.responses.create(model="gpt-4.1-nano", input=prompt).output_text


def answer_with_sources(store_id, question):
    with OpenAI() as client:
        tool = {"type": "file_search", "vector_store_ids": [store_id], "ranking_options": {"score_threshold": 0.4}}
        message = client.responses.create(model="gpt-4.1-nano", input=question, tools=[tool]).output[-1]
        return message.content[0].text, [source.filename for source in message.content[0].annotations]
