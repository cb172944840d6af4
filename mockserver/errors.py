"""The errors that callers get: their envelopes, and those that more than one family or the gateway itself sends.

    Exception
    ├── ApiError              a response, worded and laid out as Azure's; raised anywhere, rendered by the pipeline alone
    │     gateway_error()     {"error": {"code", "message"}}                    who, where, how large: the front door
    │     request_error()     {"error": {"message", "type", "param", "code"}}   the model layer; compact or indented as its family
    │     bad_token()         {"statusCode", "message"}                         the token check
    ├── ScenarioError         our user's mistake: file, line, column, key, and what was expected
    └── StateError            a state file that cannot be used, in one line

Errors that only one family sends stand in that family, those that only scripts name in `scenario.named_errors`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

Json = Any
Style = Literal["compact", "pretty", "family"]
HeaderSet = Literal["bare", "gateway", "deployment", "inference"]


class ApiError(Exception):
    """An error answer. Raise it anywhere below the pipeline, which alone renders it.

    `payload` is the body: bytes are sent as they are, anything else is written in `style` (`family` follows the operation's
    own JSON style). `header_set` names how much of Azure's usual headers go with it: `bare` (the 401's few), `gateway`
    (plus transport security), `deployment` (plus the region, but no content type), `inference` (all of the family's).
    `content_type` None sends none. `headers` are added to the set. `reason` is what the status line says in place of the usual.
    """

    def __init__(
        self,
        status: int,
        payload: Json | bytes,
        *,
        style: Style = "family",
        header_set: HeaderSet = "inference",
        content_type: str | None = "application/json",
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(status, payload)
        self.status = status
        self.payload = payload
        self.style = style
        self.header_set = header_set
        self.content_type = content_type
        self.headers = dict(headers or {})
        self.reason = reason

    @property
    def detail(self) -> dict[str, Json]:
        """The inner error object, for the journal, the log and for errors inside a stream."""
        payload = json.loads(self.payload) if isinstance(self.payload, bytes) else self.payload
        inner = payload.get("error", payload) if isinstance(payload, dict) else payload
        return inner if isinstance(inner, dict) else {"message": str(inner)}

    def __str__(self) -> str:
        return f"{self.status} {self.detail.get('message', '')}"


class ScenarioError(Exception):
    """A scenario that cannot be used. `problems` are lines of the form `file:line:column: key: what is wrong`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StateError(Exception):
    """A state file that cannot be used: another server has it, it is none, or it cannot be read or written."""


def request_error(
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    status: int = 400,
    type: str | None = "invalid_request_error",
    headers: Mapping[str, str] | None = None,
) -> ApiError:
    """An error of the model layer: the body is `{"error": {"message", "type", "param", "code"}}`."""
    return ApiError(status, {"error": {"message": message, "type": type, "param": param, "code": code}}, headers=headers)


MODEL_ERROR = {"ms-azureml-model-error-reason": "model_error", "ms-azureml-model-error-statuscode": "400"}
"""Headers of a refusal that came from the model's own server (recorded with filtered prompts and with embeddings)."""


def gateway_error(status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> ApiError:
    """An error of Azure's gateway: the body is `{"error": {"code", "message"}}`, written compactly."""
    payload = {"error": {"code": code, "message": message}}
    return ApiError(status, payload, style="compact", header_set="deployment", headers=headers)


# -- the gateway: who, where ------------------------------------------------------------------------------------------


def wrong_key() -> ApiError:
    """No key, or not one of the resource's: 224 fixed bytes and hardly a header (three recordings, unchanged since 2023)."""
    body = (
        b'{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint. Make sure to '
        b'provide a valid key for an active subscription and use a correct regional API endpoint for your resource."}}'
    )
    return ApiError(401, body, header_set="bare", reason="PermissionDenied")


def bad_token(audience: str = "https://cognitiveservices.azure.com") -> ApiError:
    """A token that is malformed, expired or meant for another audience (docs; many reports)."""
    message = f"Unauthorized. Access token is missing, invalid, audience is incorrect ({audience}), or have expired."
    return ApiError(401, {"statusCode": 401, "message": message}, style="compact", header_set="bare")


def permission_denied(principal: str, action: str, operation: str) -> ApiError:
    """A token whose principal has no role for the operation (reported, word for word); the few headers are inferred."""
    message = f"The principal `{principal}` lacks the required data action `{action}` to perform `{operation}` operation."
    payload = {"error": {"code": "PermissionDenied", "message": message}}
    return ApiError(401, payload, style="compact", header_set="bare", reason="PermissionDenied")


def local_auth_disabled() -> ApiError:
    """A key, where the resource accepts tokens only (reported)."""
    return gateway_error(403, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource.")


def unrouted() -> ApiError:
    """A path outside the surface: 56 fixed bytes (recorded)."""
    body = b'{"error":{"code":"404","message": "Resource not found"}}'
    return ApiError(404, body, header_set="gateway", reason="Resource Not Found")


def method_not_allowed(method: str, allowed: list[str]) -> ApiError:
    """A known path with another method. What Azure says is not recorded; the gateway's envelope is inferred."""
    return gateway_error(405, "405", f"Method {method} is not allowed on this path.", headers={"allow": ", ".join(allowed)})


def dated_api_version() -> ApiError:
    """A dated `api-version` on a v1 path (reported by ten independent projects in 2026)."""
    return gateway_error(400, "BadRequest", "api-version query parameter is not allowed when using /v1 path")


def not_emulated(operation_id: str) -> ApiError:
    """An operation of the official document that this emulator does not have yet. Azure never sends it: it is ours."""
    message = f"mockserver does not emulate the operation {operation_id} yet. See `mockserver operations` for what it does."
    error = gateway_error(501, "NotImplemented", message)
    error.headers["x-should-retry"] = "false"  # the SDKs would send it twice more
    return error


def nested_too_deeply(limit: int) -> ApiError:
    """Operations that send requests to each other in a circle. Azure never sends it: it is ours."""
    return request_error(f"mockserver: requests are sent by requests more than {limit} deep.", code="nested_too_deeply")


def store_full(setting: str, limit: int) -> ApiError:
    """The state has reached a limit of ours, named like its setting. Azure never sends it: it is ours. Trying again does not help."""
    held = f"{limit:,} {'documents' if setting == 'store_documents' else 'bytes'}"
    message = (
        f"mockserver: the state of this resource is full; it holds at most {held}. Delete what is no longer needed, reset the "
        f"state, or raise the setting `{setting}`."
    )
    error = request_error(message, code="store_full", type="server_error", status=507)
    error.headers["x-should-retry"] = "false"
    return error


def state_failed(reason: str, *, full: bool) -> ApiError:
    """The state file cannot be read or written, mostly because the disk is `full`. Azure never sends it: it is ours."""
    message = f"mockserver: the state file cannot be read or written ({reason}). What this request has changed was taken back."
    error = request_error(message, code="state_failed", type="server_error", status=507 if full else 500)
    error.headers["x-should-retry"] = "false"
    return error


def preview_header_missing(header: str) -> ApiError:
    """A preview operation without its opt-in header. The sentence is the official document's; status and envelope are inferred."""
    message = f"This feature requires the '{header}' header to be set to 'preview'."
    return request_error(message, param=header, code="preview_feature_required")


def body_too_large(limit: int) -> ApiError:
    """A body beyond what the server takes (docs: RequestEntityTooLarge)."""
    return gateway_error(413, "RequestEntityTooLarge", f"The request body is too large. The limit is {limit} bytes.")


def unreadable_body() -> ApiError:
    """A body that is not JSON (the model layer's own words, as often reported)."""
    return request_error(
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. "
        "The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix "
        "this, please contact us through our help center at help.openai.com.)"
    )


def unsupported_content_type(got: str, accepted: Sequence[str]) -> ApiError:
    """A body of a type that the operation does not take (recalled from the sister service)."""
    listed = " or ".join(f"'{one}'" for one in accepted)
    message = (
        f"Unsupported content type: '{got}'. This API method only accepts {listed} requests, but you specified the header "
        f"'Content-Type: {got}'. Please try again with a supported content type."
    )
    return request_error(message, code="unsupported_content_type")


def unreadable_form(reason: str) -> ApiError:
    """A multipart body that is none (inferred)."""
    return request_error(f"We could not parse the multipart form of your request. {reason}")


# -- the front end: deployments and quotas ----------------------------------------------------------------------------


def deployment_not_found() -> ApiError:
    """A deployment that the resource does not have: indented, without a content type (recorded)."""
    message = (
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a "
        "moment and try again."
    )
    payload = {"error": {"type": "invalid_request_error", "code": "DeploymentNotFound", "message": message}}
    return ApiError(404, payload, style="pretty", header_set="deployment", content_type=None)


def unknown_switch(name: str, near: str) -> ApiError:
    """A deployment's name whose suffix is nearly one of ours. Azure never sends it: it is ours."""
    message = f"mockserver has no switch for the deployment '{name[:80]}'; did you mean '{near[:80]}'?"
    payload = {"error": {"type": "invalid_request_error", "code": "DeploymentNotFound", "message": message}}
    return ApiError(404, payload, style="pretty", header_set="deployment", content_type=None)


def model_missing() -> ApiError:
    """No `model` in the body: indented, without a content type (recorded)."""
    payload = {"error": {"message": "Missed model deployment"}}
    return ApiError(400, payload, style="pretty", header_set="deployment", content_type=None)


def operation_not_supported(quota_name: str, model: str) -> ApiError:
    """A deployment whose model cannot do this, such as an embedding model in a chat (reported)."""
    message = (
        f"The {quota_name} operation does not work with the specified model, {model}. Please choose different model and try again. "
        "You can learn more about which models can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993."
    )
    return gateway_error(400, "OperationNotSupported", message)


def whole_seconds(retry_after: float) -> int:
    """A wait as `retry-after` has it: whole seconds, at least one unless there is none."""
    return max(1, round(retry_after)) if retry_after else 0


def retry_headers(retry_after: float) -> dict[str, str]:
    """`retry-after` in seconds and `retry-after-ms` in milliseconds."""
    return {"retry-after": str(whole_seconds(retry_after)), "retry-after-ms": str(round(retry_after * 1000))}


def rate_limited(
    deployment: str, model: str, region: str, quota_name: str, retry_after: float, *, unit: Literal["call", "token"] = "call"
) -> ApiError:
    """A deployment's requests or tokens for this minute are used up (body as reported in December 2025, headers as of August 2026)."""
    message = (
        f"Your requests to {deployment} for {model} in {region} have exceeded the {unit} rate limit for your current AIServices S0 "
        f"pricing tier. This request was for {quota_name} under Azure OpenAI API version v1. "
        f"Please retry after {whole_seconds(retry_after)} seconds."
    )
    kind = "Tokens" if unit == "token" else "Requests"
    headers = retry_headers(retry_after) | {"x-ratelimit-type": kind}
    error = gateway_error(429, "RateLimitReached", message, headers=headers)
    error.header_set = "inference"
    return error


# -- the model layer: parameters --------------------------------------------------------------------------------------


def missing_parameter(param: str) -> ApiError:
    """A required member is absent."""
    return request_error(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def unknown_parameter(param: str) -> ApiError:
    """A member that the operation does not have."""
    return request_error(f"Unknown parameter: '{param}'.", param=param, code="unknown_parameter")


def invalid_type(param: str | None, expected: str, got: str) -> ApiError:
    """A member of the wrong JSON type; `expected` and `got` carry their article ("an array of objects", "a string")."""
    where = f"'{param}'" if param else "the request body"
    return request_error(
        f"Invalid type for {where}: expected {expected}, but got {got} instead.", param=param, code="invalid_type"
    )


def invalid_value(param: str, message: str, code: str = "invalid_value") -> ApiError:
    """A member with a value it cannot have."""
    return request_error(message, param=param, code=code)


def unknown_cursor(param: str) -> ApiError:
    """A cursor that names nothing in its list, and never did (inferred: the SDKs only send what the service has sent)."""
    return invalid_value(param, f"Invalid '{param}': this list has no object with such an ID.")


def unsupported_choice(param: str, value: str, supported: list[str]) -> ApiError:
    """A string that is not one of those allowed."""
    quoted = [f"'{choice}'" for choice in supported]
    listed = quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f"{',' if len(quoted) > 2 else ''} and {quoted[-1]}"
    lead = "Supported values are" if len(quoted) > 1 else "Value must be"
    return invalid_value(param, f"Invalid value: '{value}'. {lead}: {listed}.")


def unsupported_parameter(param: str, instead: str | None = None) -> ApiError:
    """A parameter that this model does not take (recorded; on Azure reported)."""
    hint = f" Use '{instead}' instead." if instead else ""
    message = f"Unsupported parameter: '{param}' is not supported with this model.{hint}"
    return request_error(message, param=param, code="unsupported_parameter")


def unsupported_value(param: str, value: object, rest: str = "") -> ApiError:
    """A value that this model does not take, though others do."""
    spelled = value if isinstance(value, str) else json.dumps(value)
    quoted = f"'{spelled}'" if isinstance(value, str) else spelled
    message = f"Unsupported value: '{param}' does not support {quoted} with this model.{rest}"
    return request_error(message, param=param, code="unsupported_value")


def invalid_token(token: int, largest: int) -> ApiError:
    """A token id that the model's vocabulary does not have (recorded on the sister service)."""
    return request_error(f"Invalid token in prompt: {token}. Minimum value is 0, maximum value is {largest} (inclusive).")


def context_length_exceeded(param: str, limit: int, used: int) -> ApiError:
    """More input than the model's window holds. Chat counts (recalled wording), Responses does not (recorded wording)."""
    message = (
        f"This model's maximum context length is {limit} tokens. However, your messages resulted in {used} tokens. Please reduce the "
        "length of the messages."
        if param == "messages"
        else "Your input exceeds the context window of this model. Please adjust your input and try again."
    )
    return request_error(message, param=param, code="context_length_exceeded")


def prompt_filtered(results: Json) -> ApiError:
    """The prompt was withheld by the content filter (recorded; docs). `results` is the wire-shaped filter result."""
    message = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and "
        "retry. To learn more about our content filtering policies please read our documentation: "
        "https://go.microsoft.com/fwlink/?linkid=2198766"
    )
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": results}
    error = {"message": message, "type": None, "param": "prompt", "code": "content_filter", "status": 400, "innererror": inner}
    return ApiError(400, {"error": error}, style="compact", headers=MODEL_ERROR)


# -- the service itself -----------------------------------------------------------------------------------------------


def server_error(status: int = 500) -> ApiError:
    """The model layer failed (recorded on the sister service)."""
    message = "The server had an error processing your request. Sorry about that!"
    return request_error(message, type="server_error", status=status)


def unmatched(explanation: str) -> ApiError:
    """Strict mode: no rule answers the call. Azure never sends it: it is ours, and says which rules came nearest."""
    return request_error(
        f"mockserver: no rule of the scenario matches this request.\n{explanation}", code="unmatched_request", status=404
    )
