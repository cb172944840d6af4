"""An application that trains a model on answers that people have approved of, and waits for it."""

import json
import time

from openai import OpenAI


def train(pairs, suffix):
    with OpenAI() as client:
        lines = [
            {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}
            for question, answer in pairs
        ]
        content = "\n".join(map(json.dumps, lines)).encode()
        file = client.files.create(file=("approved.jsonl", content), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model="gpt-4.1-mini", training_file=file.id, suffix=suffix)
        for _ in range(1_000):
            job = client.fine_tuning.jobs.retrieve(job.id)
            if job.status in ("succeeded", "failed", "cancelled"):
                break
            time.sleep(0.01)
        if job.status != "succeeded":
            raise RuntimeError(job.error.message if job.error else job.status)
        return job


def answer(model, question):
    with OpenAI() as client:
        return client.responses.create(model=model, input=question).output_text


def copy(client, job, checkpoint, account, region):
    """The SDK has no method for this preview, so this is a request of our own."""
    path = f"/fine_tuning/jobs/{job.id}/checkpoints/{checkpoint}/copy"
    options = {"headers": {"aoai-copy-ft-checkpoints": "preview"}}
    client.post(path, body={"destinationResourceId": account, "region": region}, options=options, cast_to=object)
    while True:
        copied = client.get(path, options=options, cast_to=object)["copiedAccountDetails"][0]
        if copied["status"] != "InProgress":
            return copied["status"]
