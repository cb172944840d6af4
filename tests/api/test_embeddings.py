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
        ({"input": "x", "dimensions": -42}, "-42 is less than the minimum of 1 - 'dimensions'"),
        ({"input": "x", "dimensions": 1537}, "Must be less than or equal to 1536."),
        ({"input": "x", "encoding_format": "hex"}, "Supported values are: 'float' and 'base64'."),
        ({"input": "word " * 9000}, "This model's maximum context length is 8192 tokens, however you requested"),
        ({"input": [5, 123_456]}, "Invalid token in prompt: 123456. Minimum value is 0, maximum value is 100255 (inclusive)."),
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


WRONG: list[Any] = ["", [], [""], ["x", ""], ["x"] * 2049, 5, None, {}, [None], [[]], [[5], [-1]], ["x", 5]]


@pytest.mark.parametrize("given", WRONG, ids=lambda one: repr(one)[:20])
def test_whatever_is_wrong_with_the_input_is_said_in_one_way(http: httpx2.Client, mock: MockServer, given: Any) -> None:
    body = {"model": SMALL, "input": given}
    answer = http.post(mock.base_url + "embeddings", json=body, headers={"api-key": mock.api_key})
    message = "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    assert (answer.status_code, answer.json()) == (400, {"error": error})


@pytest.mark.parametrize("body", [{"input": ""}, {"input": "x", "dimensions": -1}, {"input": "word " * 9000}])
def test_refusals_name_the_models_own_status(http: httpx2.Client, mock: MockServer, body: Any) -> None:
    answer = http.post(mock.base_url + "embeddings", json={"model": SMALL} | body, headers={"api-key": mock.api_key})
    assert answer.headers["ms-azureml-model-error-reason"] == "model_error"
    assert answer.headers["ms-azureml-model-error-statuscode"] == str(answer.status_code) == "400"


# -- Cohere's models

COHERE = "Cohere-embed-v3-english"


def embed(http: httpx2.Client, mock: MockServer, **body: Any) -> httpx2.Response:
    return http.post(mock.base_url + "embeddings", json={"model": COHERE} | body, headers={"api-key": mock.api_key})


def test_coheres_vectors_have_a_shape_of_their_own(http: httpx2.Client, mock: MockServer) -> None:
    mock.when().respond(embedding=[0.6, 0.8])
    answer = embed(http, mock, input=["Ruby is great", "Yes"])
    assert list(answer.json()) == ["id", "object", "data", "model", "usage"]
    assert answer.json()["data"] == [{"index": at, "object": "embedding", "embedding": [0.6, 0.8]} for at in (0, 1)]
    assert list(answer.json()["data"][1]) == ["index", "object", "embedding"]
    assert answer.json()["model"] == "embed-english-v3.0"
    assert answer.json()["usage"] == {"prompt_tokens": 4, "completion_tokens": 0, "total_tokens": 4}
    assert answer.text.endswith('"total_tokens":4}}')
    assert len(answer.json()["id"].split("-")) == 5


def test_coheres_answers_have_headers_of_their_own(http: httpx2.Client, mock: MockServer) -> None:
    headers = embed(http, mock, input=["Ruby is great", "Yes"]).headers
    assert (headers["num-chars"], headers["num-tokens"], headers["prompt-token-len"], headers["sampling-token-len"]) == (
        "16",
        "4",
        "4",
        "0",
    )
    assert headers["content-type"] == "application/json"
    assert headers["transfer-encoding"] == "chunked"
    assert headers["pragma"] == "no-cache"
    absent = ("content-length", "x-request-id", "azureml-model-session", "x-ratelimit-remaining-tokens")
    assert not [name for name in absent if name in headers]


@pytest.mark.parametrize(
    ("model", "name", "size"),
    [
        (COHERE, "embed-english-v3.0", 1_024),
        ("my-cohere-embed-v3-multilingual", "embed-multilingual-v3.0", 1_024),
        ("embed-v-4-0", "embed-v4.0", 1_536),
    ],
)
def test_coheres_models_answer_by_the_vendors_names(plain: OpenAI, model: str, name: str, size: int) -> None:
    answer = plain.embeddings.create(model=model, input=["hello"])
    assert (answer.model, len(answer.data[0].embedding)) == (name, size)
    numbers = plain.embeddings.create(model=model, input=["hello"], encoding_format="float")
    assert numbers.data[0].embedding == answer.data[0].embedding


@pytest.mark.parametrize(
    ("body", "kind", "location", "message"),
    [
        ({"input": "hello"}, "list_type", ["input"], "Input should be a valid list"),
        ({"input": [5, 6]}, "string_type", ["input", 0], "Input should be a valid string"),
        ({"input": ["x"], "dimensions": 8}, "literal_error", ["dimensions"], "Input should be 1024"),
        (
            {"input": ["x"], "dimensions": 8, "model": "embed-v-4-0"},
            "literal_error",
            ["dimensions"],
            "Input should be 256, 512, 1024 or 1536",
        ),
    ],
)
def test_what_coheres_server_does_not_take(
    http: httpx2.Client, mock: MockServer, body: Any, kind: str, location: list[Any], message: str
) -> None:
    answer = embed(http, mock, **body)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert list(error) == ["code", "status", "message", "details"]
    assert (error["code"], error["status"], error["message"]) == ("Invalid input", 422, "invalid input error")
    (finding,) = error["details"]
    assert (finding["type"], finding["loc"], finding["msg"]) == (kind, ["body", *location], message)


def test_coheres_texts_are_cut_rather_than_refused(http: httpx2.Client, mock: MockServer) -> None:
    assert embed(http, mock, input=["word " * 900]).json()["usage"]["prompt_tokens"] == 512
    assert len(embed(http, mock, model="embed-v-4-0", input=["x"], dimensions=256).json()["data"][0]["embedding"]) == 256
