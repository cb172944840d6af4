"""Calls, their outputs and approvals, sent back: what belongs together has to come together."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from openai import OpenAI
from support.azure_errors import assert_azure_error

from mockserver import MockServer

Json = Any
SCREENSHOT = {"type": "computer_screenshot", "image_url": "data:image/png;base64,iVBORw0KGgo="}
CHECKS = [{"id": "cu_sc_1", "code": "malicious_instructions", "message": "?"}, {"id": "cu_sc_2", "code": None, "message": None}]
PAIRS: list[tuple[str, Json, Json]] = [
    ("function", {"type": "function_call", "name": "f", "arguments": "{}"}, {"type": "function_call_output", "output": "x"}),
    ("custom tool", {"type": "custom_tool_call", "name": "f", "input": ""}, {"type": "custom_tool_call_output", "output": "x"}),
    ("computer", {"type": "computer_call", "action": {"type": "screenshot"}, "pending_safety_checks": []},
     {"type": "computer_call_output", "output": SCREENSHOT}),
    ("local shell", {"type": "local_shell_call", "action": {"type": "exec", "command": ["ls"], "env": {}}},
     {"type": "local_shell_call_output", "output": "a.txt"}),
    ("shell", {"type": "shell_call", "action": {"commands": ["ls"]}},
     {"type": "shell_call_output", "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]}),
    ("apply patch", {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a"}},
     {"type": "apply_patch_call_output", "status": "completed"}),
]  # fmt: skip
each_pair = pytest.mark.parametrize(("kind", "called", "output"), PAIRS, ids=[pair[0] for pair in PAIRS])


def post(http: httpx2.Client, mock: MockServer, *items: Json, **rest: Json) -> httpx2.Response:
    body = {"model": "gpt-4.1-nano", "input": list(items), **rest}
    return http.post(f"{mock.base_url}responses", json=body, headers={"api-key": mock.api_key})


@each_pair
def test_a_call_needs_its_output(http: httpx2.Client, mock: MockServer, kind: str, called: Json, output: Json) -> None:
    answer = post(http, mock, {**called, "call_id": "c1"})
    error = assert_azure_error(answer, 400, param="input", code=None)
    assert error["message"] == f"No tool output found for {kind} call c1."


@each_pair
def test_an_output_needs_its_call(http: httpx2.Client, mock: MockServer, kind: str, called: Json, output: Json) -> None:
    answer = post(http, mock, {**called, "call_id": "c1"}, {**output, "call_id": "c1"}, {**output, "call_id": "c2"})
    error = assert_azure_error(answer, 400, param="input", code=None)
    assert error["message"] == f"No tool call found for {kind} call output with call_id c2."


@each_pair
def test_a_call_and_its_output_are_taken_together(
    http: httpx2.Client, mock: MockServer, kind: str, called: Json, output: Json
) -> None:
    assert post(http, mock, {**called, "call_id": "c1"}, {**output, "call_id": "c1"}).status_code == 200


@each_pair
def test_a_chained_call_has_to_be_answered_and_can_be(
    mock: MockServer, client: OpenAI, kind: str, called: Json, output: Json
) -> None:
    if kind in ("function", "custom tool"):
        scripted: Json = {"tool_calls": [{"name": "f", "arguments": "{}", "kind": kind.split()[0], "id": "c1"}]}
    else:
        scripted = {"items": [{**called, "call_id": "c1"}]}
    mock.when(turn=1).respond(**scripted)
    mock.when(turn=2).respond("Thank you.")
    first = client.responses.create(model="gpt-4.1-nano", input="go")
    answered: Json = {**output, "call_id": "c1"}
    second = client.responses.create(model="gpt-4.1-nano", input=[answered], previous_response_id=first.id)
    assert second.output_text == "Thank you."


def test_a_local_shells_output_can_name_its_call_by_id(http: httpx2.Client, mock: MockServer) -> None:
    called = {"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "action": {"type": "exec", "command": [], "env": {}}}
    assert post(http, mock, called, {"type": "local_shell_call_output", "id": "lsh_1", "output": ""}).status_code == 200
    assert post(http, mock, called, {"type": "local_shell_call_output", "id": "c1", "output": ""}).status_code == 200
    assert_azure_error(post(http, mock, called, {"type": "local_shell_call_output", "id": "lsh_2", "output": ""}), 400)


def test_a_shell_in_a_container_needs_no_output_of_the_callers(http: httpx2.Client, mock: MockServer) -> None:
    called = {"type": "shell_call", "call_id": "c1", "action": {"commands": ["ls"]}}
    hosted = {"type": "container_reference", "container_id": "cntr_1"}
    assert post(http, mock, {**called, "environment": hosted}).status_code == 200
    assert_azure_error(post(http, mock, {**called, "environment": {"type": "local"}}), 400)


@pytest.mark.parametrize(("acknowledged", "missing"), [(0, "['cu_sc_1', 'cu_sc_2']"), (1, "['cu_sc_2']"), (2, None)])
def test_safety_checks_have_to_be_acknowledged(
    http: httpx2.Client, mock: MockServer, acknowledged: int, missing: str | None
) -> None:
    called = {"type": "computer_call", "call_id": "c1", "action": {"type": "wait"}, "pending_safety_checks": CHECKS}
    output = {
        "type": "computer_call_output",
        "call_id": "c1",
        "output": SCREENSHOT,
        "acknowledged_safety_checks": CHECKS[:acknowledged],
    }
    answer = post(http, mock, called, output)
    if missing is None:
        assert answer.status_code == 200
    else:
        error = assert_azure_error(answer, 400, param="input", code=None)
        assert error["message"] == f"Computer tool has unacknowledged safety check for {missing}"


def test_an_approval_needs_its_request(http: httpx2.Client, mock: MockServer) -> None:
    request = {"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "s", "name": "n", "arguments": "{}"}
    response = {"type": "mcp_approval_response", "approval_request_id": "mcpr_2", "approve": True}
    error = assert_azure_error(post(http, mock, request, response), 400, param="input", code=None)
    assert error["message"] == "No approval request found for approval response with approval_request_id mcpr_2."
    assert post(http, mock, request, {**response, "approval_request_id": "mcpr_1"}).status_code == 200
