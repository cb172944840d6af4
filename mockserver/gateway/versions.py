"""The versions of the legacy API: which there are, and what each of them does not have yet.

What came when is in Microsoft's changelog of the API. The service has since taught old versions some of what came later: tools and
`stream_options` are taken by versions before theirs (recorded), and so they are here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from mockserver import errors

if TYPE_CHECKING:
    from mockserver.model.catalogue import Model

Json = Any
VERSIONS = [
    "2022-12-01",
    "2023-03-15-preview",
    "2023-05-15",
    "2023-06-01-preview",
    "2023-07-01-preview",
    "2023-08-01-preview",
    "2023-09-01-preview",
    "2023-10-01-preview",
    "2023-12-01-preview",
    "2024-02-01",
    "2024-02-15-preview",
    "2024-03-01-preview",
    "2024-04-01-preview",
    "2024-04-15-preview",
    "2024-05-01-preview",
    "2024-06-01",
    "2024-07-01-preview",
    "2024-08-01-preview",
    "2024-09-01-preview",
    "2024-10-01-preview",
    "2024-10-21",
    "2024-11-01-preview",
    "2024-12-01-preview",
    "2025-01-01-preview",
    "2025-02-01-preview",
    "2025-03-01-preview",
    "2025-04-01-preview",
    "2025-04-28",
]
"""All of them, as the service lists them in a header of stored objects (recorded)."""
_KNOWN = frozenset(VERSIONS)
_RESPONSES = "2025-03-01-preview"
_SCHEMAS = "2024-08-01-preview"
_FIRST_OF_FAMILIES = {
    "chat": "2023-03-15-preview",
    "vector_stores": "2024-05-01-preview",
    "batches": "2024-07-01-preview",
    "uploads": "2024-08-01-preview",
    "evals": "2025-04-01-preview",
}
_FIRST_OF_PARAMETERS = {
    "max_completion_tokens": "2024-09-01-preview",
    "parallel_tool_calls": "2024-09-01-preview",
    "store": "2024-12-01-preview",
    "metadata": "2024-12-01-preview",
    "reasoning_effort": "2024-12-01-preview",
    "user_security_context": "2024-12-01-preview",
    "prediction": "2025-01-01-preview",
    "modalities": "2025-01-01-preview",
    "audio": "2025-01-01-preview",
}


def version_of(query: str) -> str:
    """The last `api-version` of a query string, "" where it has none."""
    return dict(parse_qsl(query, keep_blank_values=True)).get("api-version", "")


def check_operation(path: str, version: str) -> None:
    """Raise ApiError 400 for responses before their first version (reported), 404 for other paths and versions that are not there."""
    family = path[1:].partition("/")[0]
    if version not in _KNOWN or version < _FIRST_OF_FAMILIES.get(family, ""):
        raise errors.unrouted()
    if family == "responses" and version < _RESPONSES:
        raise _only_later(f"Azure OpenAI Responses API is enabled only for api-version {_RESPONSES} and later")


def check_call(body: dict[str, Json], model: Model, version: str) -> None:
    """Raise ApiError 400 for a model, an output format or a parameter that came later than the version (reported; documented)."""
    if version < model.since:
        # The name is not filled in: a dozen reports quote it so.
        raise _only_later(f"Model {{modelName}} is enabled only for api versions {model.since} and later")
    form = body.get("response_format")
    if version < _SCHEMAS and isinstance(form, dict) and form.get("type") == "json_schema":
        raise _only_later(f"response_format value as json_schema is enabled only for api versions {_SCHEMAS} and later")
    for name, first in _FIRST_OF_PARAMETERS.items():
        if version < first and body.get(name) is not None:
            raise errors.unknown_parameter(name)


def _only_later(message: str) -> errors.ApiError:
    return errors.gateway_error(400, "BadRequest", message)
