"""What makes an answer Azure's error, in one place: its status, its envelope, and what stands in it."""

from __future__ import annotations

from typing import Any

import httpx2
import openai

Json = Any

_ENVELOPES = {
    "the gateway's": {"code", "message"},
    "the model layer's": {"message", "type", "param", "code"},
    "a filtered prompt's": {"message", "type", "param", "code", "status", "innererror"},
    "a filtered prompt's, on /responses": {"message", "type", "param", "code", "content_filters", "innererror"},
    "an unknown deployment's": {"type", "code", "message"},
    "a missing deployment's": {"message"},
}
"""The members of the inner error; documented and recorded, see docs/fidelity.md."""


def assert_azure_error(
    response: httpx2.Response | openai.APIStatusError, status: int, *, contains: str = "", **expected: Json
) -> dict[str, Json]:
    """Fail unless this is an error as Azure sends it, with this status and these members; return its inner error.

    `contains` is a part of the message. The SDK's exceptions are taken for the answers that they stand for.
    """
    answer: Any = response.response if isinstance(response, openai.APIStatusError) else response
    assert answer.status_code == status, answer.text
    error = _inner(answer)
    assert {name: error.get(name) for name in expected} == expected
    assert contains in error["message"]
    return error


def _inner(answer: Any) -> dict[str, Json]:
    body = answer.json()
    if "statusCode" in body:  # what checks tokens has no `error` around it
        assert body.keys() == {"statusCode", "message"}
        assert body["statusCode"] == answer.status_code
        return dict(body)
    assert body.keys() == {"error"}
    error: dict[str, Json] = body["error"]
    assert error.keys() in _ENVELOPES.values()
    assert isinstance(error["message"], str)
    untyped = error.get("code") == "DeploymentNotFound" or error.keys() == {"message"}  # recorded so
    assert answer.headers.get("content-type") == (None if untyped else "application/json")
    return error
