"""The environment variables from which SDKs read where to go, and with which key.

The SDK's two clients read different ones, and disturb each other: with `OPENAI_BASE_URL` set, Node's `AzureOpenAI` calls
`/openai/v1/deployments/…`, which Azure does not have.
"""

from __future__ import annotations

API_VERSION = "2025-04-01-preview"
"""A version of the legacy API under which every operation that has one is served."""

UNSET = (
    "AZURE_AD_TOKEN",
    "AZURE_OPENAI_AD_TOKEN",
    "OPENAI_ADMIN_KEY",
    "OPENAI_API_BASE",
    "OPENAI_CUSTOM_HEADERS",
    "OPENAI_ORGANIZATION",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "OPENAI_PROXY",
)
"""Variables of openai, LangChain and LiteLLM that would select another endpoint or credential."""


def for_openai(endpoint: str, key: str) -> dict[str, str]:
    """The variables of the client `OpenAI`, which calls v1. `endpoint` is scheme, host and port."""
    return {"OPENAI_BASE_URL": f"{endpoint}/openai/v1/", "OPENAI_API_KEY": key}


def for_entra(endpoint: str, key: str) -> dict[str, str]:
    """The variables of the client `OpenAI` with a token: credentials find a managed identity, whose tokens are for the key's resource."""
    identity = {"IDENTITY_ENDPOINT": f"{endpoint}/_mock/identity/app-service", "IDENTITY_HEADER": key}
    return {"OPENAI_BASE_URL": f"{endpoint}/openai/v1/", **identity}


def for_azure_openai(endpoint: str, key: str) -> dict[str, str]:
    """The variables of the older client `AzureOpenAI`, which calls the legacy API and must be told its version."""
    return {"AZURE_OPENAI_ENDPOINT": endpoint, "AZURE_OPENAI_API_KEY": key, "OPENAI_API_VERSION": API_VERSION}


def for_every_client(endpoint: str, key: str) -> dict[str, str]:
    """The variables of both clients, with a key or a token, and the same under the names of LangChain and LiteLLM."""
    return {
        **for_openai(endpoint, key),
        **for_entra(endpoint, key),
        **for_azure_openai(endpoint, key),
        "AZURE_OPENAI_BASE_URL": f"{endpoint}/openai/v1/",
        "AZURE_API_BASE": endpoint,
        "AZURE_API_KEY": key,
        "AZURE_API_VERSION": API_VERSION,
    }
