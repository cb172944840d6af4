"""Errors that only this family sends, each with where its wording was seen."""

from __future__ import annotations

from typing import Any, Literal

from mockserver.errors import ApiError, invalid_value, request_error

Json = Any
_DOCUMENTATION = "https://platform.openai.com/docs/api-reference/responses/create"
_MOVED = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
    "verbosity": "text.verbosity",
}
_WITHHELD = (
    "The response was filtered due to the prompt triggering Azure OpenAI\u2019s content management policy. Please modify your "
    "prompt and retry. To learn more about our content filtering policies please read our documentation: "
    "https://go.microsoft.com/fwlink/?linkid=2198766"
)


def moved(document: Json) -> ApiError | None:
    """A parameter of chat completions that has another name here (reported by many projects); None where there is none."""
    for old, new in _MOVED.items():
        if isinstance(document, dict) and old in document:
            message = (
                f"Unsupported parameter: '{old}'. In the Responses API, this parameter has moved to '{new}'. Try again with the "
                f"new parameter. See the API documentation for more information: {_DOCUMENTATION}."
            )
            return request_error(message, param=None if old == "messages" else old, code="unsupported_parameter")
    return None


def nothing_to_answer() -> ApiError:
    """Empty input and nothing to continue (measured on the sister service, August 2026)."""
    message = "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided."
    return request_error(message, code="missing_required_parameter")


def two_pasts() -> ApiError:
    """Both `previous_response_id` and `conversation` (measured on the sister service; the odd names are its own)."""
    message = "Mutually exclusive parameters: ''. Ensure you are only providing one of: 'pre..._id' or 'conversation'."
    return request_error(message, code="mutually_exclusive_parameters")


def malformed_previous(response_id: str) -> ApiError:
    """A `previous_response_id` that cannot be one (recalled)."""
    message = f"Invalid 'previous_response_id': '{response_id}'. Expected an ID that begins with 'resp'."
    return invalid_value("previous_response_id", message)


def malformed_file(path: str, file_id: str) -> ApiError:
    """The id of a file that is no tool's (reported in October 2026)."""
    return invalid_value(path, f"Invalid '{path}': '{file_id}'. Expected an ID that begins with 'assistant'.")


def response_not_found(response_id: str) -> ApiError:
    """A response that is not stored, or no longer (recorded)."""
    return request_error(f"Response with id '{response_id}' not found.", status=404)


def previous_response_not_found(response_id: str) -> ApiError:
    """`previous_response_id` names no stored response (reported)."""
    message = f"Previous response with id '{response_id}' not found."
    return request_error(message, param="previous_response_id", code="previous_response_not_found")


def output_without_call(kind: str, call_id: str) -> ApiError:
    """A tool's output whose call is nowhere in the conversation (widely reported)."""
    return request_error(f"No tool call found for {kind} call output with call_id {call_id}.", param="input")


def call_without_output(kind: str, call_id: str) -> ApiError:
    """A tool call that the next turn leaves unanswered (widely reported)."""
    return request_error(f"No tool output found for {kind} call {call_id}.", param="input")


def vector_stores_not_found(vector_store_ids: list[str]) -> ApiError:
    """Vector stores of a file search that are not there (reported by users of the sister service)."""
    return request_error(f"Vector store with id {vector_store_ids} not found.", status=404)


def no_image_deployment(header: str) -> ApiError:
    """A request with the tool `image_generation`, used or not, that names no deployment for it (reported in July and September 2026)."""
    message = f"imagegen deployment must be provided through header: {header}"
    return request_error(message, param="tools", code="invalid_request_error", type="image_generation_user_error")


def prompt_not_found(prompt_id: str) -> ApiError:
    """A prompt template that the scenario does not define (measured on the sister service)."""
    return request_error(f"Prompt with id '{prompt_id}' not found.", status=404)


def prompt_version_not_found(prompt_id: str, version: str) -> ApiError:
    """A version that a prompt template does not have (the wording is inferred)."""
    return request_error(f"Prompt with id '{prompt_id}' and version '{version}' not found.", status=404)


def prompt_variables(kind: Literal["Missing", "Unknown"], names: list[str]) -> ApiError:
    """Variables that a prompt template needs or does not know (the beginning is reported, the rest inferred)."""
    return request_error(f"{kind} prompt variables: {', '.join(names)}", param="prompt.variables")


def unacknowledged(check_ids: list[str]) -> ApiError:
    """Safety checks of a computer call that its output does not acknowledge (reported)."""
    return request_error(f"Computer tool has unacknowledged safety check for {check_ids}", param="input")


def approval_without_request(request_id: str) -> ApiError:
    """An approval whose request is nowhere in the conversation (the wording is inferred from that of outputs)."""
    message = f"No approval request found for approval response with approval_request_id {request_id}."
    return request_error(message, param="input")


def reasoning_alone(item_id: str) -> ApiError:
    """A reasoning item that was sent back without what it led to (recorded on the sister service)."""
    return request_error(
        f"Item '{item_id}' of type 'reasoning' was provided without its required following item.", param="input"
    )


def tool_not_offered(choice: str) -> ApiError:
    """`tool_choice` names a tool that is not in `tools` (widely reported)."""
    return request_error(f"Tool choice '{choice}' not found in 'tools' parameter.", param="tool_choice")


def no_tools() -> ApiError:
    """`tool_choice: required` without tools (reported, also from Azure)."""
    return request_error("Tool choice 'required' must be specified with 'tools' parameter.", param="tool_choice")


def tool_of_other_models(kind: str, model: str) -> ApiError:
    """A hosted tool that the model does not have (reported from Azure)."""
    return request_error(f"Hosted tool '{kind}' is not supported with {model}.", param="tools")


def tools_with_minimal_effort(names: list[str]) -> ApiError:
    """Hosted tools while the model hardly thinks (reported)."""
    listed = ", ".join(names)
    return request_error(f"The following tools cannot be used with reasoning.effort 'minimal': {listed}.", param="tools")


def no_image_type(path: str, media_type: str) -> ApiError:
    """Data of another type in the place of an image (reported)."""
    expected = "Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=')"
    return invalid_value(path, f"Invalid '{path}'. {expected}, but got unsupported MIME type '{media_type}'.")


def not_with_this_model(param: str, value: str, model: str, supported: list[str]) -> ApiError:
    """A value that other models take (measured on the sister service)."""
    quoted = [f"'{one}'" for one in supported]
    listed = quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f"{',' if len(quoted) > 2 else ''} and {quoted[-1]}"
    message = f"Unsupported value: '{value}' is not supported with the '{model}' model. Supported values are: {listed}."
    return request_error(message, param=param, code="unsupported_value")


def no_logprobs(param: str) -> ApiError:
    """Log probabilities of a model that reasons (recorded on the sister service)."""
    return request_error("logprobs are not supported with reasoning models.", param=param, code="unsupported_parameter")


def no_mention_of_json() -> ApiError:
    """`json_object` with no mention of JSON in the input; instructions do not count (reported, also from Azure)."""
    message = "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'."
    return request_error(message, param="input")


def background_unstored() -> ApiError:
    """`background` with `store: false` (docs; the wording is inferred)."""
    return request_error("Background mode requires 'store' to be true.", param="store")


def not_background() -> ApiError:
    """Cancelling a response that was not made in the background (recalled)."""
    return request_error("Cannot cancel a synchronous response.")


def not_streamed() -> ApiError:
    """Replaying a response that was neither streamed nor made in the background (the wording of Azure's own agent servers)."""
    return request_error("This response cannot be streamed because it was not created with stream=true.", param="stream")


def prompt_withheld(filters: Json) -> ApiError:
    """The content filter withheld the prompt (four independent reports from Azure, 2026). `filters` is `content_filters`."""
    error = {
        "message": _WITHHELD,
        "type": "invalid_request_error",
        "param": "prompt",
        "code": "content_filter",
        "content_filters": filters,
        "innererror": {"code": "ContentFiltered"},
    }
    return ApiError(400, {"error": error})


def withheld_in_stream() -> dict[str, Json]:
    """The inner error of the frame that ends a stream whose prompt was withheld (reported from Azure, August 2026)."""
    return {"code": "content_policy_violation", "message": _WITHHELD, "param": "prompt", "type": "invalid_request_error"}
