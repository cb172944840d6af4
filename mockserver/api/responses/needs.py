"""What the tools of a request need to be there: the deployment that draws, containers, and the files for new ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mockserver.api.responses import refusals
from mockserver.resource import containers, files

if TYPE_CHECKING:
    from mockserver.operations.call import Call

Json = Any
Object = dict[str, Json]
IMAGE_DEPLOYMENT = "x-ms-oai-image-generation-deployment"


def refuse_missing(call: Call, tools: list[Object] | None) -> None:
    """Raise ApiError 400 or 404 for the first thing that a tool needs and the request or the resource does not have."""
    for tool in tools or ():
        if tool["type"] == "image_generation":
            _refuse_image_deployment(call)
        for container_id, file_ids in _containers(tool):
            if container_id is not None:
                containers.use(call.resource, container_id, call.now)
            for file_id in file_ids:
                files.find(call.resource.store, file_id)


def _refuse_image_deployment(call: Call) -> None:
    """The tool draws with a deployment of its own, which a header names (documented); that it has to exist is inferred."""
    name = call.headers.get(IMAGE_DEPLOYMENT)
    if not name:
        raise refusals.no_image_deployment(IMAGE_DEPLOYMENT)
    call.resource.deployment(name)


def _containers(tool: Object) -> Iterator[tuple[str | None, list[str]]]:
    """The container that a tool names, or the files that its new one gets."""
    wanted = tool.get("container") if tool["type"] == "code_interpreter" else tool.get("environment")
    if tool["type"] not in ("code_interpreter", "shell") or wanted is None:
        return
    if isinstance(wanted, str):
        yield wanted, []
    else:
        yield wanted.get("container_id"), wanted.get("file_ids") or []
