"""Where a request goes: the v1 paths, and those of the legacy API, which are other names for the same operations.

`AzureOpenAI(azure_endpoint=…, api_version=…)` calls `/openai/deployments/{deployment}/chat/completions?api-version=…` and
`/openai/responses?api-version=…`. The legacy API differs little from v1 on the wire (recordings of both), so one engine answers both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from mockserver import errors

ROOT = "/openai/"
V1 = "/openai/v1/"
DEPLOYMENTS = "deployments"
_BY_DEPLOYMENT = ("/chat/completions", "/completions", "/embeddings")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_V1_VERSIONS = ("v1", "preview", "")


@dataclass(frozen=True, slots=True)
class Target:
    """A path below the surface's root, whether it is one of the legacy API, and the deployment that such a path names."""

    path: str
    deployment: str | None = None
    legacy_api: bool = False


@lru_cache(maxsize=256)  # callers use few paths, and each of them often
def locate(path: str) -> Target | None:
    """What a URL's path leads to, None outside the surface.

    Doubled slashes and one at the end are let through, as Azure does.
    """
    while "//" in path:
        path = path.replace("//", "/")
    if path.startswith(V1):
        return Target(path[len(V1) - 1 :].rstrip("/") or "/")
    if not path.startswith(ROOT):
        return None
    below = path[len(ROOT) - 1 :].rstrip("/") or "/"
    first, _, rest = below[1:].partition("/")
    if first != DEPLOYMENTS:
        return Target(below, legacy_api=True)
    deployment, _, operation = rest.partition("/")
    return Target(f"/{operation}", deployment, legacy_api=True) if f"/{operation}" in _BY_DEPLOYMENT else None


def check_version(target: Target, query: str) -> None:
    """Check `api-version` against the kind of path.

    On v1 paths it may be absent, `v1` or `preview` (others: ApiError 400); on paths of the legacy API it must be a date
    (else the path is not there: ApiError 404).
    """
    if "api-version" not in query:
        if target.legacy_api:
            raise errors.unrouted()
        return
    versions = [value for name, value in parse_qsl(query, keep_blank_values=True) if name == "api-version"]
    if target.legacy_api:
        if not all(_DATED.fullmatch(version) for version in versions):
            raise errors.unrouted()
    elif any(version not in _V1_VERSIONS for version in versions):
        raise errors.dated_api_version()
