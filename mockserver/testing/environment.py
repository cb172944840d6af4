"""The environment of a test: every variable from which an SDK reads an endpoint or a key is set to the mock's, or unset."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mockserver.server.variables import UNSET, for_every_client

if TYPE_CHECKING:
    import pytest

    from mockserver.testing.mock import Mock

# Settings of the module `openai`, which read the environment once. `_client` is its cached client: private, and without a
# public way to reset it. tests/testing/test_pytest_plugin.py fails if the name changes.
_MODULE_SETTINGS = (
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
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


@contextmanager
def use_mock(mock: Mock) -> Iterator[None]:
    """Direct the SDKs in this process, and in those that it starts, to the mock."""
    import pytest

    with pytest.MonkeyPatch.context() as patch, _fresh_module_client(patch):
        _set_variables(patch, mock)
        yield


def _set_variables(patch: pytest.MonkeyPatch, mock: Mock) -> None:
    for name in UNSET:
        patch.delenv(name, raising=False)
    for name, value in variables(mock).items():
        patch.setenv(name, value)
    if "OPENAI_API_TYPE" not in os.environ:
        # With the variables of both clients set, the SDK refuses to guess which of them `openai.responses` is.
        patch.setenv("OPENAI_API_TYPE", "openai")
    _bypass_proxies(patch, mock.endpoint)


def variables(mock: Mock) -> dict[str, str]:
    """A mock's own variables, and the same under LiteLLM's names."""
    return for_every_client(mock.endpoint, mock.api_key)


def _bypass_proxies(patch: pytest.MonkeyPatch, endpoint: str) -> None:
    """If a proxy is set, exempt the mock's host from it."""
    if not any(name.lower() in _PROXY_VARIABLES for name in os.environ):
        return
    host = endpoint.partition("://")[2].rpartition(":")[0].strip("[]")
    for name in ("NO_PROXY", "no_proxy"):
        hosts = os.environ.get(name, "")
        patch.setenv(name, f"{hosts},{host}" if hosts else host)


@contextmanager
def _fresh_module_client(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let `openai.responses.create(…)` read the environment anew: the module keeps its client, and the settings of that."""
    sdk: Any = sys.modules.get("openai")
    before = getattr(sdk, "http_client", None)
    if sdk is not None:
        patch.setattr(sdk, "http_client", before, raising=False)
        patch.setattr(sdk, "api_type", getattr(sdk, "api_type", None) or "openai", raising=False)
        for name in _MODULE_SETTINGS:
            patch.setattr(sdk, name, None, raising=False)
    try:
        yield
    finally:
        imported: Any = sys.modules.get("openai")
        client = getattr(imported, "http_client", None)
        if client is not None and client is not before:
            client.close()
        if sdk is None and imported is not None:
            # The test imported the SDK, so there is nothing that `patch` could restore.
            for name in (*_MODULE_SETTINGS, "api_type", "http_client"):
                setattr(imported, name, None)
