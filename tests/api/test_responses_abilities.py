"""What models cannot do in responses, ids and media that are none, opaque content, and how each refusal is let through."""

from __future__ import annotations

import base64
from typing import Any

import httpx2
import pytest
from openai import BadRequestError, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer

Json = Any
PNG = "data:image/png;base64,iVBORw0KGgo="
TEXT = "data:text/plain;base64,SGVsbG8="
SCREEN = {"type": "computer_use_preview", "display_width": 800, "display_height": 600, "environment": "browser"}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "x"}
HI = {"role": "user", "content": "hi"}


def post(http: httpx2.Client, mock: MockServer, model: str, path: str = "responses", **body: Json) -> httpx2.Response:
    whole = {"model": model, "input": "hi", **body}
    return http.post(f"{mock.base_url}{path}", json=whole, headers={"api-key": mock.api_key})


def saying(*parts: Json) -> Json:
    return {"input": [HI, {"role": "user", "content": [{"type": "input_text", "text": "this"}, *parts]}]}


def image(url: str) -> Json:
    return saying({"type": "input_image", "image_url": url})


def file(data: str) -> Json:
    return saying({"type": "input_file", "filename": "a", "file_data": data})


def function(parameters: Json, **more: Json) -> Json:
    return {"tools": [{"type": "function", "name": "f", "parameters": parameters, **more}]}


ARRAY: Json = {"type": "object", "properties": {"a": {"type": "array"}}}
MISSING = "Invalid schema for function 'f': In context=('properties', 'a'), array schema missing items."
CASES: list[tuple[str, str, Json, str | None, str | None, str]] = [
    ("parallel_tool_calls", "o3", {"parallel_tool_calls": False}, "parallel_tool_calls", "unsupported_parameter",
     "Unsupported parameter: 'parallel_tool_calls' is not supported with this model."),
    ("sampling_parameters", "gpt-5-mini", {"temperature": -1}, "temperature", "unsupported_parameter",
     "Unsupported parameter: 'temperature' is not supported with this model."),
    ("reasoning_efforts", "gpt-4.1", {"reasoning": {"effort": "low"}}, "reasoning.effort", "unsupported_parameter", "Unsupported"),
    ("reasoning_efforts", "o3", {"reasoning": {"effort": "minimal"}}, "reasoning.effort", "unsupported_value", "'o3' model."),
    ("verbosity", "gpt-5-codex", {"text": {"verbosity": "low"}}, "text.verbosity", "unsupported_value",
     "Unsupported value: 'low' is not supported with the 'gpt-5-codex' model. Supported values are: 'medium'."),
    ("tools", "o1-mini", function({"type": "object", "properties": {}}), "tools", "unsupported_parameter",
     "Unsupported parameter: 'tools' is not supported with this model."),
    ("hosted_tools", "gpt-4o", {"tools": [SCREEN]}, "tools", None,
     "Hosted tool 'computer_use_preview' is not supported with gpt-4o-2024-11-20."),
    ("hosted_tools", "o3-mini", {"tools": [{"type": "web_search_preview_2025_03_11"}]}, "tools", None,
     "Hosted tool 'web_search_preview' is not supported with o3-mini-2025-01-31."),
    ("minimal_with_tools", "gpt-5", {"reasoning": {"effort": "minimal"}, "tools": [{"type": "web_search"}, {"type": "web_search"}]},
     "tools", None, "The following tools cannot be used with reasoning.effort 'minimal': web_search."),
    ("image_input", "o3-mini", image(PNG), "input[1].content[1].type", None, "image_url is only supported by certain models."),
    ("image_data", "gpt-4o", image("iVBORw0KGgo="), None, "BadRequest",
     "Invalid image URL. The URL must be a valid HTTP or HTTPS URL, or a data URL with base64 encoding."),
    ("image_data", "gpt-4o", image("data:image/png;base64,SGVsbG8="), None, "invalid_image_format", "an unsupported image."),
    ("image_data", "gpt-4o", image(TEXT), "input[1].content[1].image_url", "invalid_value",
     "Invalid 'input[1].content[1].image_url'. Expected a base64-encoded data URL with an image MIME type (e.g. "
     "'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got unsupported MIME type 'text/plain'."),
    ("image_data", "gpt-4o", {"input": [CALL, {**OUTPUT, "output": [{"type": "input_image", "image_url": TEXT}]}]},
     "input[1].output[0].image_url", "invalid_value", "Invalid 'input[1].output[0].image_url'."),
    ("file_data", "gpt-4o", file(TEXT), "input[1].content[1].file_data", "invalid_value",
     "Invalid file data: 'input[1].content[1].file_data'. Expected a base64-encoded data URL with an application/pdf MIME type "
     "(e.g. 'data:application/pdf;base64,SGVsbG8sIFdvcmxkIQ=='), but got unsupported MIME type 'text/plain'."),
    ("file_data", "gpt-4o", file("SGVsbG8="), "input[1].content[1].file_data", "invalid_value", "an invalid base64-encoded value."),
    ("function_schemas", "gpt-4o", function(ARRAY), "tools[0].parameters", "invalid_function_parameters", MISSING),
    ("function_schemas", "gpt-4o", function(ARRAY, strict=False), "tools[0].parameters", "invalid_function_parameters", MISSING),
    ("function_schemas", "gpt-4o", {"tools": [{"type": "namespace", "name": "n", "description": "", **function(ARRAY)}]},
     "tools[0].tools[0].parameters", "invalid_function_parameters", MISSING),
    ("encrypted_content", "gpt-5-mini", {"input": [HI, {"type": "compaction", "encrypted_content": "gAAAAABnope"}], "store": False},
     None, "invalid_encrypted_content", "The encrypted content gAAA...nope could not be verified."),
    ("item_ids", "gpt-4o", {"input": [HI, {**CALL, "id": "__fake_id__"}, OUTPUT]}, "input[1].id", "invalid_value",
     "Invalid 'input[1].id': '__fake_id__'. Expected an ID that begins with 'fc'."),
    ("item_ids", "gpt-4o", {"input": [{**HI, "id": "item_1"}]}, "input[0].id", "invalid_value", "an ID that begins with 'msg'."),
    ("item_ids", "gpt-4o", {"input": [CALL, {**OUTPUT, "id": ""}]}, "input[1].id", "invalid_value",
     "Invalid 'input[1].id': ''. Expected an ID that contains letters, numbers, underscores, or dashes, but this value contained "
     "additional characters."),
    ("item_ids", "gpt-4o", {"input": [{**HI, "id": "msg:1"}]}, "input[0].id", "invalid_value", "contained additional characters."),
    ("item_ids", "gpt-4o", {"input": [{**HI, "id": "msg_" + "a" * 61}]}, "input[0].id", "string_above_max_length",
     "Invalid 'input[0].id': string too long. Expected a string with maximum length 64, but got a string with length 65 instead."),
    ("item_ids", "gpt-4o", {"input": [{**CALL, "call_id": "c" * 65}, {**OUTPUT, "call_id": "c" * 65}]}, "input[0].call_id",
     "string_above_max_length", "maximum length 64, but got a string with length 65"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "model", "body", "param", "code", "text"), CASES)
def test_a_refusal_and_its_name_that_lets_it_through(
    http: httpx2.Client, mock: MockServer, name: str, model: str, body: Json, param: str | None, code: str | None, text: str
) -> None:
    assert_azure_error(post(http, mock, model, **body), 400, param=param, code=code, contains=text)
    mock.resource.allowed = frozenset([name])  # type: ignore[list-item]
    allowed = post(http, mock, model, **body)
    # What it does not do is answer for numbers that no model takes.
    assert allowed.status_code == 200 or allowed.json()["error"]["code"] == "decimal_below_min_value"


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("computer-use-preview", {"tools": [SCREEN]}),
        ("gpt-5.1", {"temperature": 0.5}),  # which does not think unless it is wanted
        ("gpt-6-sol", {"text": {"verbosity": "low"}}),
        ("gpt-6-astra", {"reasoning": {"effort": "high"}, **function({"type": "object", "properties": {}})}),
        ("gpt-5", {"reasoning": {"effort": "minimal"}, **function(None)}),
        ("gpt-5-codex", {}),
        ("gpt-4o", image("https://example.com/a.png")),
        ("gpt-4o", image(PNG)),
        ("gpt-4o", file("data:application/pdf;base64,JVBERi0=")),
        ("gpt-4o", {"input": [{**CALL, "id": "fc_1"}, {**OUTPUT, "id": "any-1"}]}),
        ("grok-4", {"parallel_tool_calls": True, "temperature": 1.5}),
    ],
)
def test_what_is_not_refused(http: httpx2.Client, mock: MockServer, model: str, body: Json) -> None:
    answer = post(http, mock, model, **body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", ["responses/compact", "responses/input_tokens"])
def test_ids_and_content_are_checked_wherever_items_are_sent(http: httpx2.Client, mock: MockServer, path: str) -> None:
    forged = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAAABnope"}
    answer = post(http, mock, "gpt-5-mini", path, input=[HI, forged, {"role": "assistant", "content": "a"}])
    assert_azure_error(answer, 400, code="invalid_encrypted_content", param=None)
    assert_azure_error(post(http, mock, "gpt-5-mini", path, input=[{**HI, "id": "x"}]), 400, param="input[0].id")


def test_ids_of_a_conversations_items_are_checked(http: httpx2.Client, mock: MockServer) -> None:
    body = {"items": [{**CALL, "id": "__fake_id__"}]}
    answer = http.post(f"{mock.base_url}conversations", json=body, headers={"api-key": mock.api_key})
    assert_azure_error(answer, 400, param="items[0].id", code="invalid_value", contains="Expected an ID that begins with 'fc'.")


# -- opaque content


def thought(client: OpenAI, model: str = "gpt-5-mini") -> Json:
    response = client.responses.create(model=model, input="hi", store=False, include=["reasoning.encrypted_content"])
    return [item.to_dict() for item in response.output]


def go_on(client: OpenAI, items: Json, model: str = "gpt-5-mini") -> str | None:
    return client.responses.create(model=model, input=[HI, *items, HI], store=False).status


def test_a_resource_takes_its_own_thoughts_back_with_any_model(client: OpenAI, mock: MockServer) -> None:
    assert thought(client)[0]["encrypted_content"].startswith("gAAAAA")
    assert go_on(client, thought(client)) == "completed"
    assert go_on(client, thought(client), "o4-mini") == "completed"


def test_streamed_replayed_and_listed_thoughts_are_its_own_too(client: OpenAI) -> None:
    include: Json = ["reasoning.encrypted_content"]
    events = list(client.responses.create(model="gpt-5-mini", input="hi", stream=True, include=include))
    done = [event.item.to_dict() for event in events if event.type == "response.output_item.done"]
    assert go_on(client, done) == "completed"
    last: Json = events[-1]
    kept = client.responses.retrieve(last.response.id, include=include)
    assert go_on(client, [item.to_dict() for item in kept.output]) == "completed"


def test_compacted_conversations_are_taken_back(http: httpx2.Client, mock: MockServer) -> None:
    items = post(http, mock, "gpt-5-mini", "responses/compact").json()["output"]
    assert items[-1]["type"] == "compaction"
    assert post(http, mock, "gpt-5-mini", input=[*items, HI]).status_code == 200


@pytest.mark.parametrize("at", [0, 30, -4])
def test_thoughts_that_were_altered_are_refused(client: OpenAI, at: int) -> None:
    reasoning, message = thought(client)
    content = reasoning["encrypted_content"]
    at %= len(content)
    reasoning["encrypted_content"] = content[:at] + ("A" if content[at] != "A" else "B") + content[at + 1 :]
    with pytest.raises(BadRequestError, match="could not be verified") as caught:
        go_on(client, [reasoning, message])
    assert (caught.value.code, caught.value.param) == ("invalid_encrypted_content", None)


def test_thoughts_of_another_spelling_are_refused(client: OpenAI) -> None:
    reasoning, message = thought(client)
    decoded = base64.urlsafe_b64decode(reasoning["encrypted_content"])
    for content in (reasoning["encrypted_content"].rstrip("="), base64.urlsafe_b64encode(decoded[:-1]).decode(), "é", ""):
        if content != reasoning["encrypted_content"]:
            with pytest.raises(BadRequestError):
                go_on(client, [{**reasoning, "encrypted_content": content}, message])


def test_thoughts_are_bound_to_their_resource(client: OpenAI, http: httpx2.Client) -> None:
    items = thought(client)
    with MockServer({"resource": {"name": "contoso"}}) as contoso:
        other = OpenAI(base_url=contoso.base_url, api_key=contoso.api_key, http_client=http, max_retries=0)
        with pytest.raises(BadRequestError, match="could not be verified"):
            go_on(other, items)
    with MockServer() as restarted:
        again = OpenAI(base_url=restarted.base_url, api_key=restarted.api_key, http_client=http, max_retries=0)
        assert go_on(again, items) == "completed"
