"""mockserver: an in-process emulator of the Azure OpenAI v1 surface.

`MockServer` is a real server on a free port, `create_app` the ASGI application behind it. Both are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockserver.app import create_app
    from mockserver.errors import ScenarioError, StateError
    from mockserver.testing.server import MockServer

__all__ = ["MockServer", "ScenarioError", "StateError", "__version__", "create_app"]
__version__ = "0.1.0"

_HOMES = {
    "MockServer": "mockserver.testing.server",
    "ScenarioError": "mockserver.errors",
    "StateError": "mockserver.errors",
    "create_app": "mockserver.app",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'mockserver' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
