"""The environment of a test: every variable from which an SDK reads where to go leads to the mock, and none elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from mockserver.testing.mock import Mock

# What openai, LangChain and LiteLLM would read besides: other places, other credentials.
FOREIGN = (
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
_KEPT = (
    "_client",
    "admin_api_key",
    "api_key",
    "api_version",
    "azure_ad_token",
    "azure_endpoint",
    "base_url",
    "organization",
    "project",
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@contextmanager
def pointed(mock: Mock) -> Iterator[None]:
    """Lead this process, and those that it starts, to the mock."""
    import pytest

    with pytest.MonkeyPatch.context() as patch, _module_client(patch):
        _lead(patch, mock)
        yield


def _lead(patch: pytest.MonkeyPatch, mock: Mock) -> None:
    for name in FOREIGN:
        patch.delenv(name, raising=False)
    for name, value in variables(mock).items():
        patch.setenv(name, value)
    if "OPENAI_API_TYPE" not in os.environ:
        # With the variables of both clients set, the SDK refuses to guess which of them `openai.responses` is.
        patch.setenv("OPENAI_API_TYPE", "openai")
    _pass_proxies_by(patch, mock.endpoint)


def variables(mock: Mock) -> dict[str, str]:
    """A mock's own variables, and LiteLLM's spelling of them."""
    own = mock.environment
    return own | {
        "AZURE_API_BASE": own["AZURE_OPENAI_ENDPOINT"],
        "AZURE_API_KEY": own["AZURE_OPENAI_API_KEY"],
        "AZURE_API_VERSION": own["OPENAI_API_VERSION"],
    }


def _pass_proxies_by(patch: pytest.MonkeyPatch, endpoint: str) -> None:
    """Where a proxy is set, have the mock's host reached without it."""
    if not any(name.lower() in _PROXIES for name in os.environ):
        return
    host = endpoint.partition("://")[2].rpartition(":")[0].strip("[]")
    for name in ("NO_PROXY", "no_proxy"):
        hosts = os.environ.get(name, "")
        patch.setenv(name, f"{hosts},{host}" if hosts else host)


@contextmanager
def _module_client(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have `openai.responses.create(…)` read the environment anew: the SDK keeps a client for it, and what it was made from."""
    sdk: Any = sys.modules.get("openai")
    before = getattr(sdk, "http_client", None)
    if sdk is not None:
        patch.setattr(sdk, "http_client", before, raising=False)
        patch.setattr(sdk, "api_type", getattr(sdk, "api_type", None) or "openai", raising=False)
        for name in _KEPT:
            patch.setattr(sdk, name, None, raising=False)
    try:
        yield
    finally:
        used: Any = sys.modules.get("openai")
        client = getattr(used, "http_client", None)
        if client is not None and client is not before:
            client.close()
        if sdk is None and used is not None:
            for name in (*_KEPT, "api_type", "http_client"):
                setattr(used, name, None)
