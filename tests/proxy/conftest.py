"""A mock with its proxy, and an environment that leads there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockserver import MockServer
from mockserver.proxy.serving import Surroundings, surroundings

pytest.importorskip("cryptography", reason="the extra `tls` is not installed")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the authority is kept, which is not the user's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mockserver"


@pytest.fixture
def resource() -> MockServer:
    """Scripted, and not started: the proxy serves its application."""
    return MockServer({"resource": {"name": "contoso"}, "rules": [{"respond": "It is a test."}]})


@pytest.fixture
def around(resource: MockServer, cache: Path) -> Iterator[Surroundings]:
    before = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
    with surroundings(resource.app, before=before, allowed=["localhost"]) as found:
        yield found
