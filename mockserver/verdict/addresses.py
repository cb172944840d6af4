"""Findings about where a client calls: the paths and versions of the legacy API, which v1 has replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from mockserver.gateway.paths import DEPLOYMENTS, ROOT, locate
from mockserver.verdict.attempts import target
from mockserver.verdict.findings import Finding

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange

_V1_VERSIONS = ("v1", "preview", "")


def deprecated_api(exchanges: Sequence[Exchange]) -> list[Finding]:
    """Calls at a path outside v1, and dated versions at the paths of v1: one finding for each operation and version."""
    numbers: dict[str, list[int]] = {}
    for exchange in exchanges:
        message = _message(exchange)
        if message is not None:
            numbers.setdefault(message, []).append(exchange.number)
    return [Finding("deprecated_api", message, tuple(calls)) for message, calls in numbers.items()]


def _message(exchange: Exchange) -> str | None:
    versions = [value for name, value in parse_qsl(exchange.query) if name == "api-version"]
    version = f"api-version={versions[0]:.40}" if versions else "no api-version"
    place = locate(exchange.path)
    if place.legacy_api if place is not None else exchange.path.startswith(ROOT + DEPLOYMENTS):
        return f"{target(exchange)} was called at a path outside v1 ({exchange.path:.100}) with {version}."
    if place is not None and any(version not in _V1_VERSIONS for version in versions):
        return f"{target(exchange)} was called at its v1 path with {version}, which belongs to the legacy API."
    return None
