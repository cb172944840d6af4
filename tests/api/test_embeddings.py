"""`/embeddings` as the real SDK and raw HTTP see it."""

from __future__ import annotations

import math
from typing import Any

import httpx2
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer

SMALL = "text-embedding-3-small"


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def vectors(client: OpenAI, texts: Any, **options: Any) -> list[list[float]]:
    return [row.embedding for row in client.embeddings.create(model=SMALL, input=texts, **options).data]


def test_texts_that_share_words_are_near(plain: OpenAI) -> None:
    cat, kitten, tax = vectors(plain, ["the cat sat on the mat", "a cat sat on a mat", "quarterly corporate income tax"])
    assert cosine(cat, kitten) > 0.5 > 0.2 > cosine(cat, tax)
    assert all(math.isclose(cosine(one, one), 1, abs_tol=1e-5) for one in (cat, kitten, tax))


def test_base64_and_numbers_are_the_same_vector(plain: OpenAI) -> None:
    assert vectors(plain, "hello") == vectors(plain, "hello", encoding_format="float")


def test_dimensions_are_honoured(plain: OpenAI) -> None:
    assert len(vectors(plain, "hello")[0]) == 1536
    short = vectors(plain, "hello", dimensions=8)[0]
    assert len(short) == 8
    assert math.isclose(cosine(short, short), 1, abs_tol=1e-5)


@pytest.mark.parametrize("given", ["hello world", ["hello world", "bye"], [15339, 1917], [[15339, 1917], [29474]]])
def test_every_form_of_input_is_taken(plain: OpenAI, given: Any) -> None:
    answer = plain.embeddings.create(model=SMALL, input=given)
    assert [row.index for row in answer.data] == list(range(len(answer.data)))
    assert len(answer.data) == (2 if isinstance(given[0], list) or given == ["hello world", "bye"] else 1)
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 0


def test_tokens_and_their_text_have_the_same_vector(plain: OpenAI) -> None:
    assert vectors(plain, [15339, 1917]) == vectors(plain, "hello world")


def test_the_object_is_indented_and_ends_in_a_newline(http: httpx2.Client, mock: MockServer) -> None:
    body = {"model": SMALL, "input": "x", "encoding_format": "base64", "dimensions": 1}
    answer = http.post(mock.base_url + "embeddings", json=body, headers={"api-key": mock.api_key})
    assert answer.text.startswith(
        '{\n  "object": "list",\n  "data": [\n    {\n      "object": "embedding",\n      "index": 0,\n      "embedding": "'
    )
    assert answer.text.endswith(
        '  "model": "text-embedding-3-small",\n  "usage": {\n    "prompt_tokens": 1,\n    "total_tokens": 1\n  }\n}\n'
    )
    assert answer.headers["access-control-allow-origin"] == "*"


def test_ada_is_shown_under_its_short_name(plain: OpenAI) -> None:
    assert plain.embeddings.create(model="text-embedding-ada-002", input="x").model == "ada"


def test_a_script_gives_the_vector(plain: OpenAI, mock: MockServer) -> None:
    mock.when(user="north").respond(embedding=[0.0, 1.0])
    assert vectors(plain, "go north") == [[0.0, 1.0]]
    assert len(vectors(plain, "go south")[0]) == 1536


@pytest.mark.anyio
async def test_the_asynchronous_client_embeds_too(async_client: AsyncOpenAI) -> None:
    assert len((await async_client.embeddings.create(model=SMALL, input="x")).data) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"input": ""}, "Input cannot be an empty string."),
        ({"input": []}, "Invalid 'input': empty array."),
        ({"input": ["x"] * 2049}, "Invalid 'input': array too long."),
        ({"input": 5}, "Invalid type for 'input': expected one of a string"),
        ({"input": "x", "dimensions": -42}, "-42 is less than the minimum of 1 - 'dimensions'"),
        ({"input": "x", "dimensions": 1537}, "Must be less than or equal to 1536."),
        ({"input": "x", "encoding_format": "hex"}, "Supported values are: 'float' and 'base64'."),
        ({"input": "word " * 9000}, "This model's maximum context length is 8192 tokens, however you requested"),
        ({"input": [5, 123_456]}, "Invalid token in prompt: 123456. Minimum value is 0, maximum value is 100255 (inclusive)."),
        (
            {"input": [[5], [-1]]},
            "Invalid 'input[1][0]': integer below minimum value. Expected a value >= 0, but got -1 instead.",
        ),
        ({"input": "x", "foo": 1}, "Unknown parameter: 'foo'."),
        ({}, "Missing required parameter: 'input'."),
    ],
)
def test_a_wrong_body_is_explained(http: httpx2.Client, mock: MockServer, body: Any, message: str) -> None:
    answer = http.post(mock.base_url + "embeddings", json={"model": SMALL} | body, headers={"api-key": mock.api_key})
    assert_azure_error(answer, 400, contains=message)


def test_only_newer_models_take_dimensions(plain: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="does not support specifying dimensions"):
        plain.embeddings.create(model="text-embedding-ada-002", input="x", dimensions=8)
