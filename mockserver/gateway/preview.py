"""Which operations must be opted into by a header, and under which surface profile.

The rules are data: an operation names its header, a profile (`settings.PROFILES`) the headers that it does not require any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mockserver import errors
from mockserver.settings import PROFILES

if TYPE_CHECKING:
    from mockserver.operations.table import Operation


def check(operation: Operation, headers: Mapping[str, str], profile: str) -> None:
    """Raise ApiError 400 where the operation's preview header is absent or does not say `preview`."""
    header = operation.preview
    if header is None or header in PROFILES[profile]:
        return
    if headers.get(header, "").strip().lower() != "preview":
        raise errors.preview_header_missing(header)
