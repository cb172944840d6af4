"""Which operations must be opted into by a header, and under which surface profile.

The rules are data: an operation names its header, a profile names the headers that it no longer asks for. `2026-01` is
Microsoft's lifecycle page of January 2026; `2026-03` follows the official document of March 2026, where evals left preview.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mockserver import errors

if TYPE_CHECKING:
    from mockserver.operations.table import Operation

DROPPED: dict[str, frozenset[str]] = {"2026-01": frozenset(), "2026-03": frozenset({"aoai-evals"})}
PROFILES = tuple(DROPPED)
DEFAULT_PROFILE = PROFILES[0]


def check(operation: Operation, headers: Mapping[str, str], profile: str) -> None:
    """Raise ApiError 400 where the operation's preview header is absent or does not say `preview`."""
    header = operation.preview
    if header is None or header in DROPPED[profile]:
        return
    if headers.get(header, "").strip().lower() != "preview":
        raise errors.preview_header_missing(header)
