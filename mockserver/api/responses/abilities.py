"""What the model of a response cannot do. Every refusal has a name (`settings.REFUSALS`), under which it can be let through.

Other vendors' models are taken to ignore what they do not know (inferred).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mockserver import errors
from mockserver.api.responses import refusals
from mockserver.api.responses.requests import ResponseRequest
from mockserver.operations.media import refuse_file_data, refuse_image

if TYPE_CHECKING:
    from mockserver.model.catalogue import Model
    from mockserver.operations.call import ModelCall
    from mockserver.resource.resource import Resource

Json = Any
Object = dict[str, Json]
_VERSION = re.compile(r"_20\d\d_\d\d_\d\d$")
_DEFAULTS = {"temperature": 1.0, "top_p": 1.0}
# Hosted tools that do not go with minimal effort, as the refusal calls them.
_NOT_WITH_MINIMAL = {
    "web_search": "web_search",
    "web_search_preview": "web_search_preview",
    "file_search": "file_search",
    "code_interpreter": "code_interpreter",
    "image_generation": "image_gen",
}


def screen(call: ModelCall) -> None:
    """Refuse parameters that the model does not have. They come before other mistakes, so the body has not been validated (reported)."""
    model, resource, raw = call.deployment.model, call.resource, call.raw
    if model.dialect != "openai":
        return
    if not model.parallel and raw.get("parallel_tool_calls") is not None and resource.refuses("parallel_tool_calls"):
        raise errors.unsupported_parameter("parallel_tool_calls")
    if not model.tools and raw.get("tools") and resource.refuses("tools"):
        raise errors.unsupported_parameter("tools")
    if model.reasons and _effort(raw, model) != "none" and resource.refuses("sampling_parameters"):
        _refuse_sampling(raw, model)


def _effort(raw: Object, model: Model) -> Json:
    reasoning = raw.get("reasoning")
    return (isinstance(reasoning, dict) and reasoning.get("effort")) or model.default_effort


def _refuse_sampling(raw: Object, model: Model) -> None:
    for name, default in _DEFAULTS.items():
        if raw.get(name) not in (None, default, getattr(model, name, default)):
            raise errors.unsupported_parameter(name)
    include = raw.get("include")
    if isinstance(include, list) and "message.output_text.logprobs" in include:
        raise refusals.no_logprobs("include")
    if raw.get("top_logprobs"):
        raise refusals.no_logprobs("top_logprobs")


def refuse_unable(call: ModelCall) -> None:
    """Raise ApiError 400 for what the deployment's model cannot do (documented)."""
    body: ResponseRequest = call.body
    model, resource = call.deployment.model, call.resource
    for name in ("presence_penalty", "frequency_penalty"):
        if getattr(body, name) and resource.refuses("sampling_parameters"):
            raise errors.request_error(f"Unsupported parameter: '{name}' is not supported with this model.", param=name)
    if model.dialect != "openai":
        return
    if resource.refuses("reasoning_efforts"):
        _refuse_reasoning(body, model)
    verbosity = body.text.verbosity if body.text is not None else None
    if verbosity not in (None, "medium") and not model.verbosity and resource.refuses("verbosity"):
        raise refusals.not_with_this_model("text.verbosity", str(verbosity), model.name, ["medium"])
    _refuse_tools(body, model, resource)


def _refuse_reasoning(body: ResponseRequest, model: Model) -> None:
    reasoning = body.reasoning
    if reasoning is None:
        return
    if not model.reasons:
        for name in ("effort", "summary", "generate_summary"):
            if getattr(reasoning, name) is not None:
                raise errors.unsupported_parameter(f"reasoning.{name}")
    elif reasoning.effort is not None and reasoning.effort not in model.efforts:
        raise refusals.not_with_this_model("reasoning.effort", reasoning.effort, model.name, list(model.efforts))


def _refuse_tools(body: ResponseRequest, model: Model, resource: Resource) -> None:
    """Hosted tools that the model does not have, at all or while it hardly thinks (both reported, the first from Azure)."""
    kinds = [_VERSION.sub("", tool["type"]) for tool in body.tools or ()]
    if resource.refuses("hosted_tools"):
        for kind in kinds:
            if kind in model.lacks:
                raise refusals.tool_of_other_models(kind, model.snapshot)
    if body.reasoning is not None and body.reasoning.effort == "minimal" and resource.refuses("minimal_with_tools"):
        names = dict.fromkeys(_NOT_WITH_MINIMAL[kind] for kind in kinds if kind in _NOT_WITH_MINIMAL)
        if names:
            raise refusals.tools_with_minimal_effort(list(names))


def refuse_images(call: ModelCall, items: list[Object]) -> None:
    """Raise ApiError 400 for images that the model cannot see (in chat's words, which is inferred)."""
    model = call.deployment.model
    if model.images or model.dialect != "openai" or not call.resource.refuses("image_input"):
        return
    for path, part in _parts(items):
        if part["type"] == "input_image":
            message = "Invalid content type. image_url is only supported by certain models."
            raise errors.request_error(message, param=f"{path}.type")


def refuse_media(resource: Resource, items: list[Object]) -> None:
    """Raise ApiError 400 for images and files in a request's own items that are none."""
    for path, part in _parts(items):
        url, data = part.get("image_url"), part.get("file_data")
        if isinstance(url, str) and resource.refuses("image_data"):
            here = f"{path}.image_url"
            refuse_image(url, lambda media_type, here=here: refusals.no_image_type(here, media_type))  # type: ignore[misc]
        if isinstance(data, str) and part["type"] == "input_file" and resource.refuses("file_data"):
            refuse_file_data(data, f"{path}.file_data")


def _parts(items: list[Object]) -> Iterator[tuple[str, Object]]:
    """The images and files of items, and where they stand."""
    for at, item in enumerate(items):
        for member in ("content", "output"):
            inside = item.get(member)
            here = f"input[{at}].{member}"
            if isinstance(inside, dict) and "image_url" in inside:
                yield here, {"type": "input_image", **inside}
            for number, part in enumerate(inside if isinstance(inside, list) else ()):
                if isinstance(part, dict) and part.get("type") in ("input_image", "input_file"):
                    yield f"{here}[{number}]", part
