"""The environment variables from which SDKs read where to go, and with which key.

The SDK's two clients read different ones, and disturb each other: with `OPENAI_BASE_URL` set, Node's `AzureOpenAI` calls
`/openai/v1/deployments/…`, which Azure does not have.
"""

from __future__ import annotations

API_VERSION = "2025-04-01-preview"
"""A version of the legacy API under which every operation that has one is served."""


def for_openai(endpoint: str, key: str) -> dict[str, str]:
    """The variables of the client `OpenAI`, which calls v1. `endpoint` is scheme, host and port."""
    return {"OPENAI_BASE_URL": f"{endpoint}/openai/v1/", "OPENAI_API_KEY": key}


def for_azure_openai(endpoint: str, key: str) -> dict[str, str]:
    """The variables of the older client `AzureOpenAI`, which calls the legacy API and must be told its version."""
    return {"AZURE_OPENAI_ENDPOINT": endpoint, "AZURE_OPENAI_API_KEY": key, "OPENAI_API_VERSION": API_VERSION}
