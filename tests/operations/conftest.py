"""A server with one more family than the surface has."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import httpx2
import pytest

from mockserver import MockServer
from mockserver.operations.table import TABLE

Ask = Callable[..., httpx2.Response]


@pytest.fixture
def notes(mock: MockServer, http: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Sends a request to the family of `notes.py`."""
    importlib.import_module("operations.notes")  # declares its operations, once

    monkeypatch.setitem(TABLE.families, "notes", False)

    def send(method: str, path: str = "", **request: object) -> httpx2.Response:
        headers = {"api-key": mock.api_key} | request.pop("headers", {})  # type: ignore[operator]
        return http.request(method, f"{mock.base_url}notes{path}", headers=headers, **request)  # type: ignore[arg-type]

    return send
