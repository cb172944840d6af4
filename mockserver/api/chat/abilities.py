"""What the model of a chat cannot do. Every refusal has a name (`settings.REFUSALS`), under which it can be let through.

Other vendors' models are taken to ignore what they do not know (inferred).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.chat.requests import ChatRequest, FilePart, FunctionTool, ImagePart, TextPart
from mockserver.operations.media import refuse_file_data, refuse_image

if TYPE_CHECKING:
    from mockserver.model.catalogue import Model
    from mockserver.operations.call import ModelCall
    from mockserver.resource.resource import Resource

_ONLY_DEFAULT = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}


def screen(call: ModelCall) -> None:
    """Refuse parameters that the model does not have. They come before other mistakes, so the body has not been validated (reported)."""
    model, resource = call.deployment.model, call.resource
    if model.dialect != "openai":
        return
    if not model.chat and resource.refuses("chat_operation"):
        raise errors.operation_not_supported(call.operation.capability, model.name)
    for name in _unsupported(call.raw, model, resource):
        raise errors.unsupported_parameter(name, "max_completion_tokens" if name == "max_tokens" else None)


def _unsupported(raw: dict[str, Any], model: Model, resource: Resource) -> list[str]:
    """The parameters of a body that its model does not have (documented; texts as reported and recorded)."""
    found = []
    if model.reasons and resource.refuses("sampling_parameters"):
        found += ["max_tokens"] if raw.get("max_tokens") is not None else []
        found += [name for name in ("logprobs", "top_logprobs", "logit_bias") if raw.get(name)]
        found += ["stop"] if not model.stop and raw.get("stop") is not None else []
    if not model.parallel and raw.get("parallel_tool_calls") is not None and resource.refuses("parallel_tool_calls"):
        found.append("parallel_tool_calls")
    if not model.tools and resource.refuses("tools"):
        found += [name for name in ("tools", "tool_choice", "functions", "function_call") if raw.get(name) is not None]
    if not model.efforts and raw.get("reasoning_effort") is not None and resource.refuses("reasoning_efforts"):
        found.append("reasoning_effort")
    return found


def refuse_unable(call: ModelCall) -> None:
    """Raise ApiError 400 for values and combinations that the model does not take."""
    body: ChatRequest = call.body
    model, resource = call.deployment.model, call.resource
    if model.dialect != "openai":
        return
    if model.reasons and resource.refuses("sampling_parameters"):
        _refuse_values(body)
    effort = body.reasoning_effort
    if effort is not None and model.efforts and effort not in model.efforts and resource.refuses("reasoning_efforts"):
        raise _other_value("reasoning_effort", effort, list(model.efforts))
    if body.verbosity not in (None, "medium") and not model.verbosity and resource.refuses("verbosity"):
        raise _other_value("verbosity", str(body.verbosity), ["medium"])
    if not model.tools_with_effort and resource.refuses("effort_with_tools"):
        _refuse_effort_with_tools(body, model)
    if not model.system and resource.refuses("system_messages"):
        _refuse_instructions(body)


def _refuse_values(body: ChatRequest) -> None:
    for name, default in _ONLY_DEFAULT.items():
        value = getattr(body, name)
        if value is not None and value != default:
            raise errors.unsupported_value(name, value, f" Only the default ({default}) value is supported.")


def _other_value(param: str, value: str, supported: list[str]) -> errors.ApiError:
    listed = errors.unsupported_choice(param, value, supported).detail["message"].partition(". ")[2]
    return errors.unsupported_value(param, value, f" {listed.replace('Value must be', 'Supported values are')}")


def _refuse_effort_with_tools(body: ChatRequest, model: Model) -> None:
    """Functions go with thinking in responses only, also where the model thinks by default (reported from Azure, to September 2026)."""
    functions = body.functions or any(isinstance(tool, FunctionTool) for tool in body.tools or ())
    if functions and (body.reasoning_effort or model.default_effort) != "none":
        message = (
            f"Function tools with reasoning_effort are not supported for {model.name} in /v1/chat/completions. "
            "Please use /v1/responses instead."
        )
        raise errors.request_error(message, param="reasoning_effort")


def _refuse_instructions(body: ChatRequest) -> None:
    """Messages that instruct, to models that take none (recorded on the sister service)."""
    for at, message in enumerate(body.messages):
        if message.role in ("system", "developer"):
            raise errors.unsupported_value(f"messages[{at}].role", message.role)


def refuse_parts(call: ModelCall) -> None:
    """Raise ApiError 400 for images, sounds and files that the model does not take, and for images that are none."""
    model, resource = call.deployment.model, call.resource
    if model.dialect != "openai":
        return
    for at, message in enumerate(call.body.messages):
        if message.role == "user" and isinstance(message.content, list):
            for index, part in enumerate(message.content):
                _refuse_part(part, model, resource, at, index)


def _refuse_part(part: Any, model: Model, resource: Resource, at: int, index: int) -> None:
    if isinstance(part, TextPart):
        return
    if isinstance(part, ImagePart):
        _refuse_image(part, model, resource, at, index)
    elif isinstance(part, FilePart):
        _refuse_file(part, resource, f"messages[{at}].content[{index}]")
    elif not model.audio and resource.refuses("audio_input"):
        message = f"Invalid 'messages[{at}]'. Content blocks are expected to be either text or image_url type."
        raise errors.invalid_value(f"messages[{at}]", message)


def _refuse_image(part: ImagePart, model: Model, resource: Resource, at: int, index: int) -> None:
    """Images for models that see none (reported from Azure); models for sound have other words for it (reported likewise)."""
    if not model.images and resource.refuses("image_input"):
        if model.audio:
            raise errors.invalid_value(f"messages[{at}].content", "This model does not support image_url content.")
        message = "Invalid content type. image_url is only supported by certain models."
        raise errors.request_error(message, param=f"messages.[{at}].content.[{index}].type")
    if resource.refuses("image_data"):
        refuse_image(part.image_url.url, _no_image_type)


def _no_image_type(media_type: str) -> errors.ApiError:
    """Data of another type in the place of an image (reported)."""
    return errors.request_error("Invalid MIME type. Only image types are supported.", code="invalid_image_format")


def _refuse_file(part: FilePart, resource: Resource, path: str) -> None:
    """Files, which no model takes in chats on Azure (four reports, to March 2026); else their data has to be a PDF (reported)."""
    if resource.refuses("file_parts"):
        message = "Invalid Value: 'file'. This model does not support file content types."
        raise errors.invalid_value(f"{path}.type", message)
    data = part.file.file_data
    if data is not None and resource.refuses("file_data"):
        refuse_file_data(data, f"{path}.file.file_data")
