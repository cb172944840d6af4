"""Key and address from the environment: OPENAI_API_KEY and OPENAI_BASE_URL."""
# ruff: noqa: T201 - a sample prints

from openai import OpenAI

client = OpenAI()

response = client.responses.create(
    model="gpt-4o",
    input="This is a test.",
)

print(response.model_dump_json(indent=2))
