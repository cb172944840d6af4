"""Judgements on where a client calls: the dated paths and versions that v1 has replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from mockserver.gateway.paths import DEPLOYMENTS, ROOT, locate
from mockserver.verdict.attempts import named
from mockserver.verdict.findings import Finding

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange

_OF_V1 = ("v1", "preview", "")


def old_ways(exchanges: Sequence[Exchange]) -> list[Finding]:
    """Calls by a path outside v1, and dated versions on the paths of v1; one finding for each operation and version."""
    alike: dict[str, list[int]] = {}
    for one in exchanges:
        told = _old_way(one)
        if told is not None:
            alike.setdefault(told, []).append(one.number)
    return [Finding("deprecated_api", told, tuple(numbers)) for told, numbers in alike.items()]


def _old_way(one: Exchange) -> str | None:
    versions = [value for name, value in parse_qsl(one.query) if name == "api-version"]
    told = f"api-version={versions[0]:.40}" if versions else "no api-version"
    place = locate(one.path)
    if place.dated if place is not None else one.path.startswith(ROOT + DEPLOYMENTS):
        return f"{named(one)} was called by a path outside v1, {one.path:.100}, with {told}."
    if place is not None and any(version not in _OF_V1 for version in versions):
        return f"{named(one)} was called by its v1 path with {told}, which belongs to the dated paths."
    return None
