"""What the service refuses to answer, and in which words."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from support.azure_errors import assert_azure_error

from mockserver import MockServer

HI: dict[str, Any] = {"model": "gpt-4.1-nano", "input": "hi"}
THINKER: dict[str, Any] = {"model": "gpt-5-mini", "input": "hi"}
FUNCTION: dict[str, Any] = {
    "type": "function",
    "name": "f",
    "parameters": {"type": "object", "properties": {"a": {"type": "string"}}},
}
STRICT: dict[str, Any] = {"type": "json_schema", "name": "n", "strict": True, "schema": {"type": "object", "properties": {}}}


def post(http: httpx2.Client, mock: MockServer, body: Any, path: str = "responses") -> httpx2.Response:
    return http.post(f"{mock.base_url}{path}", json=body, headers={"api-key": mock.api_key})


def message(*parts: Any, role: str = "user") -> dict[str, Any]:
    return {"input": [{"role": role, "content": list(parts)}]}


CASES: list[tuple[str, dict[str, Any], str | None, str | None, str]] = [
    ("no input", {"model": "gpt-4o"}, "input", "missing_required_parameter", "Missing required parameter: 'input'."),
    ("null input", {**HI, "input": None}, "input", "invalid_type",
     "Invalid type for 'input': expected a string, but got an object instead."),
    ("empty input", {**HI, "input": []}, None, "missing_required_parameter", "must be provided."),
    ("number as input", {**HI, "input": 1}, "input", "invalid_type", "Invalid type for 'input': expected one of a string or array"),
    ("unknown parameter", {**HI, "foo": 1}, "foo", "unknown_parameter", "Unknown parameter: 'foo'."),
    ("chat's messages", {"model": "gpt-4o", "messages": []}, None, "unsupported_parameter",
     "Unsupported parameter: 'messages'. In the Responses API, this parameter has moved to 'input'."),
    ("chat's format", {**HI, "response_format": {}}, "response_format", "unsupported_parameter", "has moved to 'text.format'."),
    ("text as number", {**HI, "temperature": "1"}, "temperature", "invalid_type", "expected a decimal, but got a string"),
    ("temperature", {**HI, "temperature": 3}, "temperature", "decimal_above_max_value", "Expected a value <= 2, but got 3 instead."),
    ("cold", {**HI, "temperature": -1}, "temperature", "decimal_below_min_value",
     "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead."),
    ("few tokens", {**HI, "max_output_tokens": 15}, "max_output_tokens", "integer_below_min_value",
     "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead."),
    ("many tokens", {**HI, "max_output_tokens": 10**6}, "max_output_tokens", "integer_above_max_value", "<= 32768"),
    ("no tool calls", {**HI, "max_tool_calls": 0}, "max_tool_calls", "integer_below_min_value", ">= 1"),
    ("logprobs", {**HI, "top_logprobs": 21}, "top_logprobs", "integer_above_max_value", "<= 20"),
    ("include", {**HI, "include": ["nothing"]}, "include[0]", "invalid_value",
     "Invalid value: 'nothing'. Supported values are: 'code_interpreter_call.outputs', "),
    ("truncation", {**HI, "truncation": "no"}, "truncation", "invalid_value", "Supported values are: 'auto' and 'disabled'."),
    ("metadata", {**HI, "metadata": {"a": 1}}, "metadata.a", "invalid_type", "expected a string, but got an integer"),
    ("much metadata", {**HI, "metadata": {str(at): "" for at in range(17)}}, "metadata", "object_above_max_properties", "at most 16"),
    ("unknown effort", {**THINKER, "reasoning": {"effort": "huge"}}, "reasoning.effort", "invalid_value",
     "'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'."),
    ("other models' effort", {**THINKER, "reasoning": {"effort": "none"}}, "reasoning.effort", "unsupported_value",
     "Unsupported value: 'none' is not supported with the 'gpt-5-mini' model. "
     "Supported values are: 'minimal', 'low', 'medium', and 'high'."),
    ("effort without reasoning", {**HI, "reasoning": {"effort": "low"}}, "reasoning.effort", "unsupported_parameter",
     "Unsupported parameter: 'reasoning.effort' is not supported with this model."),
    ("summary without reasoning", {**HI, "reasoning": {"summary": "auto"}}, "reasoning.summary", "unsupported_parameter", ""),
    ("temperature while reasoning", {**THINKER, "temperature": 0.5}, "temperature", "unsupported_parameter",
     "Unsupported parameter: 'temperature' is not supported with this model."),
    ("top_p while reasoning", {**THINKER, "top_p": 0.5}, "top_p", "unsupported_parameter", ""),
    ("logprobs while reasoning", {**THINKER, "top_logprobs": 1}, "top_logprobs", "unsupported_parameter",
     "logprobs are not supported with reasoning models."),
    ("included logprobs while reasoning", {**THINKER, "include": ["message.output_text.logprobs"]}, "include",
     "unsupported_parameter", "logprobs are not supported with reasoning models."),
    ("penalty", {**HI, "presence_penalty": 1.0}, "presence_penalty", None, "not supported with this model"),
    ("verbosity", {**HI, "text": {"verbosity": "low"}}, "text.verbosity", "unsupported_value",
     "Unsupported value: 'low' is not supported with the 'gpt-4.1-nano' model. Supported values are: 'medium'."),
    ("background unstored", {**HI, "background": True, "store": False}, "store", None, "store"),
    ("two pasts", {**HI, "previous_response_id": "resp_1", "conversation": "conv_1"}, None, "mutually_exclusive_parameters",
     "Mutually exclusive parameters"),
    ("unknown past", {**HI, "previous_response_id": "resp_1"}, "previous_response_id", "previous_response_not_found",
     "Previous response with id 'resp_1' not found."),
    ("malformed past", {**HI, "previous_response_id": "abc"}, "previous_response_id", "invalid_value", "begins with 'resp'"),
    # tools
    ("tool without type", {**HI, "tools": [{}]}, "tools[0].type", "missing_required_parameter", ""),
    ("unknown tool", {**HI, "tools": [{"type": "x"}]}, "tools[0].type", "invalid_value",
     "Invalid value: 'x'. Supported values are: 'function', 'file_search', "),
    ("chat's function", {**HI, "tools": [{"type": "function", "function": {"name": "f"}}]}, "tools[0].name",
     "missing_required_parameter", "Missing required parameter: 'tools[0].name'."),
    ("tool's name", {**HI, "tools": [{**FUNCTION, "name": "a b"}]}, "tools[0].name", "invalid_value", "does not match pattern"),
    ("tool's empty name", {**HI, "tools": [{**FUNCTION, "name": ""}]}, "tools[0].name", "empty_string", ""),
    ("tool's long name", {**HI, "tools": [{**FUNCTION, "name": "a" * 65}]}, "tools[0].name", "string_above_max_length", ""),
    ("strict function", {**HI, "tools": [{**FUNCTION, "strict": True}]}, "tools[0].parameters", "invalid_function_parameters",
     "Invalid schema for function 'f': In context=(), 'additionalProperties' is required to be supplied and to be false."),
    ("file search's stores", {**HI, "tools": [{"type": "file_search"}]}, "tools[0].vector_store_ids",
     "missing_required_parameter", ""),
    ("file search's count", {**HI, "tools": [{"type": "file_search", "vector_store_ids": [], "max_num_results": 51}]},
     "tools[0].max_num_results", "integer_above_max_value", "Expected a value <= 50, but got 51 instead."),
    ("images on the way", {**HI, "tools": [{"type": "image_generation", "partial_images": 4}]}, "tools[0].partial_images",
     "integer_above_max_value", "Expected a value <= 3, but got 4 instead."),
    ("MCP's server", {**HI, "tools": [{"type": "mcp", "server_label": "s"}]}, "tools[0].server_url",
     "missing_required_parameter", ""),
    ("namespace's tools", {**HI, "tools": [{"type": "namespace", "name": "n", "description": "", "tools": [{}]}]},
     "tools[0].tools[0].type", "missing_required_parameter", ""),
    ("absent tool chosen", {**HI, "tools": [FUNCTION], "tool_choice": {"type": "function", "name": "g"}}, "tool_choice", None,
     "Tool choice 'g' not found in 'tools' parameter."),
    ("absent built-in chosen", {**HI, "tool_choice": {"type": "image_generation"}}, "tool_choice", None,
     "Tool choice 'image_generation' not found in 'tools' parameter."),
    ("required without tools", {**HI, "tool_choice": "required"}, "tool_choice", None,
     "Tool choice 'required' must be specified with 'tools' parameter."),
    ("unknown choice", {**HI, "tool_choice": "maybe"}, "tool_choice", "invalid_value", ""),
    ("unknown kind of choice", {**HI, "tool_choice": {"type": "x"}}, "tool_choice.type", "invalid_value", ""),
    # formats
    ("strict format", {**HI, "text": {"format": STRICT}}, "text.format.schema", "invalid_json_schema",
     "Invalid schema for response_format 'n': In context=(), 'additionalProperties' is required to be supplied and to be false."),
    ("format's name", {**HI, "text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name",
     "missing_required_parameter", ""),
    ("unknown format", {**HI, "text": {"format": {"type": "xml"}}}, "text.format.type", "invalid_value",
     "Invalid value: 'xml'. Supported values are: 'json_object', 'text', and 'json_schema'."),
    ("json_object", {**HI, "text": {"format": {"type": "json_object"}}, "instructions": "json"}, "input", None,
     "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'."),
    # items
    ("item", {**HI, "input": [1]}, "input[0]", "invalid_type", "but got an integer instead"),
    ("unknown item", {**HI, "input": [{"type": "x"}]}, "input[0]", "invalid_value",
     "Invalid value: 'x'. Supported values are: 'message', 'reasoning', 'function_call', "),
    ("unknown role", {**HI, "input": [{"role": "tool", "content": ""}]}, "input[0]", "invalid_value",
     "Invalid value: 'tool'. Supported values are: 'assistant', 'system', 'developer', and 'user'."),
    ("no content", {**HI, "input": [{"role": "user"}]}, "input[0].content", "missing_required_parameter", ""),
    ("content", {**HI, "input": [{"role": "user", "content": 1}]}, "input[0].content", "invalid_type", ""),
    ("unknown part", HI | message({"type": "text", "text": ""}), "input[0].content[0].type", "invalid_value",
     "Invalid value: 'text'. Supported values are: 'input_text', 'input_image', 'output_text', 'refusal', 'input_file', "
     "'computer_screenshot', and 'summary_text'."),
    ("the user's part in the model's mouth", HI | message({"type": "input_text", "text": ""}, role="assistant"),
     "input[0].content[0]", "invalid_value", "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'."),
    ("part without text", HI | message({"type": "input_text"}), "input[0].content[0].text", "missing_required_parameter", ""),
    ("image without source", HI | message({"type": "input_image"}), "input[0].content[0].image_url",
     "missing_required_parameter", ""),
    ("call without arguments", {**HI, "input": [{"type": "function_call", "call_id": "c", "name": "f"}]}, "input[0].arguments",
     "missing_required_parameter", "Missing required parameter: 'input[0].arguments'."),
    ("arguments as object", {**HI, "input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": {}}]},
     "input[0].arguments", "invalid_type", "expected a string, but got an object instead."),
    ("output without call", {**HI, "input": [{"type": "function_call_output", "call_id": "c", "output": ""}]}, "input", None,
     "No tool call found for function call output with call_id c."),
    ("call without output", {**HI, "input": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}]}, "input",
     None, "No tool output found for function call c."),
    ("custom call without output", {**HI, "input": [{"type": "custom_tool_call", "call_id": "c", "name": "f", "input": ""}]},
     "input", None, "No tool output found for custom tool call c."),
    ("reasoning alone", {**HI, "input": [{"type": "reasoning", "id": "rs_1", "summary": []}, {"role": "user", "content": "x"}]},
     "input", None, "Item 'rs_1' of type 'reasoning' was provided without its required following item."),
]  # fmt: skip


@pytest.mark.parametrize(("body", "param", "code", "text"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_wrong_requests_are_refused_in_the_services_words(
    http: httpx2.Client, mock: MockServer, body: Any, param: str | None, code: str | None, text: str
) -> None:
    answer = post(http, mock, body)
    assert_azure_error(answer, 400, type="invalid_request_error", param=param, code=code, contains=text)
    assert answer.text.startswith('{\n  "error": {\n    "message": ')


def test_an_unknown_reference_is_a_404(http: httpx2.Client, mock: MockServer) -> None:
    answer = post(http, mock, {**HI, "input": [{"type": "item_reference", "id": "msg_1"}]})
    assert_azure_error(answer, 404, message="Item with id 'msg_1' not found.")
    bare = post(http, mock, {**HI, "input": [{"id": "msg_1"}]})
    assert bare.json() == answer.json()


def test_default_sampling_is_taken_even_while_reasoning(http: httpx2.Client, mock: MockServer) -> None:
    assert post(http, mock, {**THINKER, "temperature": 1, "top_p": 1.0, "presence_penalty": 0}).status_code == 200


def test_without_effort_a_reasoning_model_takes_sampling_parameters(http: httpx2.Client, mock: MockServer) -> None:
    body = {"model": "gpt-5.1", "input": "hi", "temperature": 0.2, "top_logprobs": 1, "reasoning": {"effort": "none"}}
    assert post(http, mock, body).json()["temperature"] == 0.2


@pytest.mark.parametrize("path", ["responses", "responses/compact", "responses/input_tokens"])
def test_a_model_must_be_named(http: httpx2.Client, mock: MockServer, path: str) -> None:
    answer = post(http, mock, {"input": "hi"}, path)
    assert_azure_error(answer, 400, contains="model")


@pytest.mark.parametrize("path", ["responses", "responses/compact", "responses/input_tokens"])
def test_embedding_models_do_not_converse(http: httpx2.Client, mock: MockServer, path: str) -> None:
    mock.resource.declare("vectors", mock.resource.deployment("text-embedding-3-small", "embedding").model)
    answer = post(http, mock, {"model": "vectors", "input": "hi"}, path)
    assert_azure_error(answer, 400, code="OperationNotSupported")
    assert_azure_error(post(http, mock, {"model": "other", "input": "hi"}, path), 404, code="DeploymentNotFound")
