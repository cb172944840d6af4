"""What models cannot do in chats, in the service's words, and how each refusal is let through."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import httpx2
import pytest
from openai import BadRequestError, OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer
from mockserver.settings import REFUSALS

Json = Any
HI: Json = [{"role": "user", "content": "Hi"}]
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
PDF = "data:application/pdf;base64,JVBERi0="


def tool(parameters: Json, **more: Json) -> Json:
    return {"type": "function", "function": {"name": "f", "parameters": parameters, **more}}


TOOLS: Json = [tool({"type": "object", "properties": {}})]


def chat(http: httpx2.Client, mock: MockServer, model: str, **body: Json) -> httpx2.Response:
    whole = {"model": model, "messages": HI, **body}
    return http.post(f"{mock.base_url}chat/completions", json=whole, headers={"api-key": mock.api_key})


def saying(*parts: Json) -> Json:
    return [{"role": "system", "content": "see"}, {"role": "user", "content": [{"type": "text", "text": "this"}, *parts]}]


def image(url: str) -> Json:
    return {"messages": saying({"type": "image_url", "image_url": {"url": url}})}


def file(**members: Json) -> Json:
    return {"messages": saying({"type": "file", "file": members})}


SOUND: Json = {"messages": saying({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}})}
BY_MODEL: list[tuple[str, str, Json, str | None, str | None, str]] = [
    ("parallel_tool_calls", "o3-mini", {"tools": TOOLS, "parallel_tool_calls": False}, "parallel_tool_calls",
     "unsupported_parameter", "Unsupported parameter: 'parallel_tool_calls' is not supported with this model."),
    ("effort_with_tools", "gpt-6-astra", {"tools": TOOLS, "reasoning_effort": "medium"}, "reasoning_effort", None,
     "Function tools with reasoning_effort are not supported for gpt-6-astra in /v1/chat/completions. "
     "Please use /v1/responses instead."),
    ("effort_with_tools", "gpt-5.6-sol", {"tools": TOOLS}, "reasoning_effort", None, "are not supported for gpt-5.6-sol in"),
    ("effort_with_tools", "gpt-5.4-mini", {"functions": [TOOLS[0]["function"]], "reasoning_effort": "low"}, "reasoning_effort",
     None, "are not supported for gpt-5.4-mini in"),
    ("file_parts", "gpt-5-mini", file(file_data=PDF), "messages[1].content[1].type", "invalid_value",
     "Invalid Value: 'file'. This model does not support file content types."),
    ("image_input", "o3-mini", image("https://example.com/a.png"), "messages.[1].content.[1].type", None,
     "Invalid content type. image_url is only supported by certain models."),
    ("image_input", "gpt-audio", image("https://example.com/a.png"), "messages[1].content", "invalid_value",
     "This model does not support image_url content."),
    ("audio_input", "gpt-4o", SOUND, "messages[1]", "invalid_value",
     "Invalid 'messages[1]'. Content blocks are expected to be either text or image_url type."),
    ("chat_operation", "gpt-5-codex", {}, None, "OperationNotSupported",
     "The chatCompletion operation does not work with the specified model, gpt-5-codex. Please choose different model and try"),
    ("chat_operation", "o3-pro", {}, None, "OperationNotSupported", "the specified model, o3-pro."),
    ("system_messages", "o1-mini", {"messages": saying()}, "messages[0].role", "unsupported_value",
     "Unsupported value: 'messages[0].role' does not support 'system' with this model."),
    ("tools", "o1-mini", {"tools": TOOLS}, "tools", "unsupported_parameter",
     "Unsupported parameter: 'tools' is not supported with this model."),
    ("tools", "o1-preview", {"functions": [{"name": "g"}], "function_call": "auto"}, "functions", "unsupported_parameter",
     "Unsupported parameter: 'functions' is not supported with this model."),
    ("sampling_parameters", "gpt-6-sol", {"temperature": 0.2}, "temperature", "unsupported_value",
     "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported."),
    ("sampling_parameters", "gpt-6-sol", {"stop": ["x"]}, "stop", "unsupported_parameter", "'stop' is not supported with this"),
    ("reasoning_efforts", "gpt-4o", {"reasoning_effort": "low"}, "reasoning_effort", "unsupported_parameter", "Unsupported"),
    ("reasoning_efforts", "gpt-5", {"reasoning_effort": "none"}, "reasoning_effort", "unsupported_value",
     "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported values are: 'minimal', 'low', "),
    ("verbosity", "gpt-4.1", {"verbosity": "low"}, "verbosity", "unsupported_value",
     "Unsupported value: 'verbosity' does not support 'low' with this model. Supported values are: 'medium'."),
    ("image_data", "gpt-4o", image("iVBORw0KGgo="), None, "BadRequest",
     "Invalid image URL. The URL must be a valid HTTP or HTTPS URL, or a data URL with base64 encoding."),
    ("image_data", "gpt-4o", image("ftp://example.com/a.png"), None, "BadRequest", "Invalid image URL."),
    ("image_data", "gpt-4o", image("data:image/png;base64,SGVsbG8="), None, "invalid_image_format",
     "You uploaded an unsupported image. Please make sure your image has of one the following formats: "
     "['png', 'jpeg', 'gif', 'webp']."),
    ("image_data", "gpt-4o", image(PDF), None, "invalid_image_format", "Invalid MIME type. Only image types are supported."),
    ("function_schemas", "gpt-4o", {"tools": [tool({"type": "object", "properties": {"a": {"type": "array"}}})]},
     "tools[0].function.parameters", "invalid_function_parameters",
     "Invalid schema for function 'f': In context=('properties', 'a'), array schema missing items."),
    ("function_schemas", "gpt-4o", {"functions": [{"name": "g", "parameters": {"type": "object"}}]},
     "functions[0].parameters", "invalid_function_parameters",
     "Invalid schema for function 'g': In context=(), object schema missing properties."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "model", "body", "param", "code", "text"), BY_MODEL)
def test_a_refusal_and_its_name_that_lets_it_through(
    http: httpx2.Client, mock: MockServer, name: str, model: str, body: Json, param: str | None, code: str | None, text: str
) -> None:
    assert_azure_error(chat(http, mock, model, **body), 400, param=param, code=code, contains=text)
    with MockServer({"resource": {"allow": [name]}}) as lenient:
        assert chat(http, lenient, model, **body).status_code == 200


ANY_MODEL: list[tuple[Json, str, str | None, str]] = [
    ({"tool_choice": "auto"}, "tool_choice", None,
     "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified."),
    ({"tool_choice": "none"}, "tool_choice", None, "'tool_choice' is only allowed when 'tools' are specified."),
    ({"parallel_tool_calls": True}, "parallel_tool_calls", None, "is only allowed when 'tools' are specified."),
    ({"function_call": "auto"}, "function_call", None, "'function_call' is only allowed when 'functions' are specified."),
    ({"messages": [*HI, {"role": "tool", "content": "", "tool_call_id": "c" * 41}]}, "messages[1].tool_call_id",
     "string_above_max_length", "Expected a string with maximum length 40, but got a string with length 41 instead."),
    ({"temperature": -1}, "temperature", "decimal_below_min_value",
     "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead."),
    ({"n": 0}, "n", "integer_below_min_value", "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "param", "code", "text"), ANY_MODEL)
def test_what_no_model_takes(
    http: httpx2.Client, mock: MockServer, body: Json, param: str, code: str | None, text: str
) -> None:
    assert_azure_error(chat(http, mock, "gpt-4o", **body), 400, param=param, code=code, contains=text)


@pytest.mark.parametrize("body", [{"max_tokens": 0, "messages": [{"role": "user", "content": None}]}, {"max_tokens": "many"}])
def test_the_parameter_that_a_model_lacks_is_reported_before_other_mistakes(
    http: httpx2.Client, mock: MockServer, body: Json
) -> None:
    error = chat(http, mock, "gpt-5-nano", **body).json()["error"]
    assert (error["param"], error["code"]) == ("max_tokens", "unsupported_parameter")


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("gpt-6-astra", {"tools": TOOLS, "reasoning_effort": "none"}),
        ("gpt-5.4", {"tools": TOOLS}),  # which does not think unless it is wanted
        ("gpt-5.1", {"tools": TOOLS, "reasoning_effort": "high"}),
        ("gpt-5-mini", {"tools": TOOLS, "parallel_tool_calls": True}),
        ("gpt-audio", SOUND),
        ("gpt-4o", image(f"data:image/png;base64,{PNG}")),
        ("gpt-4o", image("HTTPS://example.com/a.png")),
        ("grok-4", image("iVBORw0KGgo=")),  # other vendors' models are not known well enough
        ("DeepSeek-R1", {"reasoning_effort": "low"}),
        ("gpt-4o", {"functions": [{"name": "g"}], "function_call": "auto"}),
    ],
)
def test_what_is_not_refused(http: httpx2.Client, mock: MockServer, model: str, body: Json) -> None:
    assert chat(http, mock, model, **body).status_code == 200


@pytest.mark.parametrize(
    ("data", "got"),
    [("JVBERi0=", "an invalid base64-encoded value"), (f"data:image/png;base64,{PNG}", "unsupported MIME type 'image/png'")],
)
def test_a_file_that_is_let_through_has_to_be_a_pdf(http: httpx2.Client, data: str, got: str) -> None:
    with MockServer(allow=["file_parts"]) as mock:
        error = chat(http, mock, "gpt-4o", **file(file_data=data)).json()["error"]
        assert chat(http, mock, "gpt-4o", **file(file_data=PDF)).status_code == 200
    assert error["message"].startswith("Invalid file data: 'messages[1].content[1].file.file_data'. Expected a base64-encoded")
    assert error["message"].endswith(f"but got {got}.")


def test_the_sdk_raises_them_as_bad_requests(client: OpenAI) -> None:
    with pytest.raises(BadRequestError) as caught:
        client.chat.completions.create(model="o4-mini", messages=HI, tools=TOOLS, parallel_tool_calls=True)
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "parallel_tool_calls")


def test_every_refusal_that_can_be_let_through_is_documented_with_its_evidence() -> None:
    page = (Path(__file__).parents[2] / "docs" / "fidelity.md").read_text()
    assert [name for name in REFUSALS if f"| `{name}` |" not in page] == []
