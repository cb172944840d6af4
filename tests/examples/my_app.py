"""An application under test. It knows nothing of mocks: where to go is in the environment."""

from openai import AsyncOpenAI, AzureOpenAI, OpenAI


def greet(text):
    with OpenAI() as client:
        return client.responses.create(model="gpt-4.1-nano", input=text).output_text


def chat(text, make=OpenAI):
    with make() as client:
        messages = [{"role": "user", "content": text}]
        return client.chat.completions.create(model="gpt-4o", messages=messages).choices[0].message.content


def chat_the_old_way(text):
    return chat(text, AzureOpenAI)


async def greet_later(text):
    async with AsyncOpenAI() as client:
        return (await client.responses.create(model="gpt-4.1-nano", input=text)).output_text


def greet_from_afar(text):
    with OpenAI(base_url="https://contoso.openai.azure.com/openai/v1/", api_key="the-key-of-contoso") as client:
        return client.responses.create(model="gpt-4.1-nano", input=text).output_text


if __name__ == "__main__":
    import sys

    sys.stdout.write(greet(sys.argv[1]))
