"""Models of other vendors take chat completions, by the same client."""
# ruff: noqa: T201 - a sample prints

import os

from openai import OpenAI

client = OpenAI(
    api_key=os.getenv("AZURE_OPENAI_API_KEY"),
    base_url=os.environ["AZURE_OPENAI_ENDPOINT"] + "/openai/v1/",
)

for model in ("MAI-DS-R1", "grok-3-mini"):
    completion = client.chat.completions.create(
        model=model,
        messages=[
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": "Tell me about the attention is all you need paper"},
        ],
    )
    print(completion.model_dump_json())
