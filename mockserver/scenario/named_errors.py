"""The errors of a script: those that it names, in the service's words, and those that it spells out itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mockserver.errors import (
    ApiError,
    bad_token,
    context_length_exceeded,
    deployment_not_found,
    gateway_error,
    local_auth_disabled,
    prompt_filtered,
    rate_limited,
    request_error,
    retry_headers,
    server_error,
    unrouted,
    wrong_key,
)

Json = Any


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The facts of a call that a named error may mention; `retry_after` is in seconds."""

    deployment: str = ""
    model: str = ""
    region: str = ""
    quota_name: str = ""
    retry_after: float | None = None


def _rate_limit(c: Circumstances, unit: Literal["call", "token"]) -> ApiError:
    retry_after = 1.0 if c.retry_after is None else c.retry_after
    return rate_limited(c.deployment, c.model, c.region, c.quota_name, retry_after, unit=unit)


def _unavailable(code: str, message: str) -> Callable[[Circumstances], ApiError]:
    return lambda c: gateway_error(503, code, message)


def _context_length(c: Circumstances) -> ApiError:
    return context_length_exceeded("messages" if c.quota_name == "ChatCompletions_Create" else "input", 128_000, 130_000)


def _content_filter() -> ApiError:
    safe = {"filtered": False, "severity": "safe"}
    results = {"hate": safe, "jailbreak": {"detected": False, "filtered": False}, "self_harm": safe, "sexual": safe}
    return prompt_filtered(results | {"violence": {"filtered": True, "severity": "medium"}})


def _quota_exhausted() -> ApiError:
    message = "You exceeded your current quota, please check your plan and billing details."
    return request_error(message, code="insufficient_quota", type="insufficient_quota", status=429)


NAMED_ERRORS: Mapping[str, Callable[[Circumstances], ApiError]] = {
    "rate_limit": lambda c: _rate_limit(c, "call"),
    "token_rate_limit": lambda c: _rate_limit(c, "token"),
    "quota_exhausted": lambda c: _quota_exhausted(),
    "server_error": lambda c: server_error(),
    "bad_gateway": lambda c: server_error(502),
    "unavailable": _unavailable(
        "ServiceUnavailable", "The service is temporarily unable to process your request. Please try again later."
    ),
    "overloaded": _unavailable("503", "System is experiencing high demand. Please try again later."),
    "timeout": lambda c: gateway_error(408, "Timeout", "The operation was timeout."),
    "gateway_timeout": lambda c: gateway_error(504, "GatewayTimeout", "The request timed out."),
    "unauthorized": lambda c: wrong_key(),
    "token_expired": lambda c: bad_token(),
    "forbidden": lambda c: local_auth_disabled(),
    "firewall": lambda c: gateway_error(403, "403", "Access denied due to Virtual Network/Firewall rules."),
    "not_found": lambda c: unrouted(),
    "deployment_not_found": lambda c: deployment_not_found(),
    "bad_request": lambda c: request_error("Invalid request."),
    "conflict": lambda c: gateway_error(409, "Conflict", "The request conflicts with the current state of the resource."),
    "content_filter": lambda c: _content_filter(),
    "context_length": _context_length,
}


def build(
    name: str,
    *,
    deployment: str = "",
    model: str = "",
    region: str = "",
    quota_name: str = "",
    retry_after: float | None = None,
    status: int | None = None,
    code: str | None = None,
    message: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> ApiError:
    """A named error, with the status, code, message and headers that a script overrides. Raises KeyError for an unknown name."""
    error = NAMED_ERRORS[name](Circumstances(deployment, model, region, quota_name, retry_after))
    if code is not None or message is not None:
        _reword(error, code, message)
    error.status = status or error.status
    error.headers |= _extra_headers(retry_after, headers)
    return error


def _extra_headers(retry_after: float | None, headers: Mapping[str, str] | None) -> dict[str, str]:
    extra = {} if retry_after is None else retry_headers(retry_after)
    return extra | {key.lower(): value for key, value in (headers or {}).items()}


def _reword(error: ApiError, code: str | None, message: str | None) -> None:
    changes = {key: value for key, value in (("code", code), ("message", message)) if value is not None}
    payload = json.loads(error.payload) if isinstance(error.payload, bytes) else error.payload
    error.payload = {"error": {**payload["error"], **changes}} if "error" in payload else {**payload, **changes}


def custom(
    status: int,
    *,
    code: str | None = None,
    message: str | None = None,
    type: str | None = "invalid_request_error",
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
    retry_after: float | None = None,
) -> ApiError:
    """An error that a script spells out itself, in the model layer's envelope."""
    error = request_error(message or f"Scripted error {status}.", param=param, code=code, type=type, status=status)
    error.headers |= _extra_headers(retry_after, headers)
    return error
