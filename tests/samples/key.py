"""The key from the environment, the resource's address in the code."""
# ruff: noqa: T201 - a sample prints

import os

from openai import OpenAI

client = OpenAI(
    api_key=os.getenv("AZURE_OPENAI_API_KEY"),
    base_url=os.environ["AZURE_OPENAI_ENDPOINT"] + "/openai/v1/",
)

response = client.responses.create(
    model="gpt-4.1-nano",  # the name of a deployment
    input="This is a test.",
)

print(response.model_dump_json(indent=2))
