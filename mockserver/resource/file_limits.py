"""What the service takes as a file: purposes, names, sizes, lifetimes, and how much of each a resource may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mockserver import errors
from mockserver.operations.complaints import check_range
from mockserver.resource.files import FILE

if TYPE_CHECKING:
    from mockserver.errors import ApiError
    from mockserver.resource.files import Purpose
    from mockserver.state.store import Document, Store

MIB = 1024 * 1024
DAY = 24 * 3_600
PURPOSES: tuple[Purpose, ...] = ("fine-tune", "assistants", "batch", "evals")
"""What callers may upload, in the order of the refusal; all others are only written by the service itself (spec)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one purpose, None where there is none: bytes of a file, bytes and number of all of them, seconds until expiry.

    `lasting` is the number of those that do not expire. `suffix` is what a file's name must end in.
    """

    size: int = 512 * MIB
    total: int | None = None
    count: int | None = None
    lasting: int | None = None
    least_seconds: int = 3_600
    most_seconds: int = 30 * DAY
    suffix: str = ""


LIMITS: dict[str, Limits] = {
    "assistants": Limits(),
    "batch": Limits(size=200 * MIB, count=10_000, lasting=500, least_seconds=14 * DAY, suffix=".jsonl"),
    "evals": Limits(),
    "fine-tune": Limits(total=1_024 * MIB, count=100, suffix=".jsonl"),
}
"""Documented; the shortest lifetime is an hour on the sister service, two weeks for batches on Azure."""


def check_purpose(purpose: str) -> Purpose:
    """The purpose. Raises ApiError 400 for one that nobody may upload for (recorded; the list is the spec's)."""
    if purpose not in PURPOSES:
        raise errors.request_error(f"'{purpose}' is not one of {list(PURPOSES)} - 'purpose'", param="purpose")
    return purpose


def check_name(purpose: Purpose, filename: str) -> None:
    """Raise ApiError 400 for a name with another suffix than the service behind a purpose takes (reported)."""
    if not filename.lower().endswith(LIMITS[purpose].suffix):
        raise errors.gateway_error(400, "invalidPayload", "fileName contains an invalid filename: wrong suffix.")


def check_size(purpose: Purpose, size: int) -> None:
    """Raise ApiError 400 for an empty file (recalled), 413 for one that is too large (documented by name only)."""
    if not size:
        raise errors.request_error("File is empty.", param="file")
    if size > LIMITS[purpose].size:
        raise errors.body_too_large(LIMITS[purpose].size)


def check_lifetime(purpose: Purpose, seconds: int | None) -> None:
    """Raise ApiError 400 for a file that would expire too early or too late."""
    check_range("expires_after.seconds", seconds, LIMITS[purpose].least_seconds, LIMITS[purpose].most_seconds)


def check_room(store: Store, purpose: Purpose, size: int, *, expires: bool) -> None:
    """Raise ApiError 400 where a resource has as many files of a purpose as it may have (the limits are documented, the text inferred)."""
    limits = LIMITS[purpose]
    fewest = min(limit for limit in (limits.count, limits.lasting, store.count(FILE) + 1) if limit is not None)
    if limits.total is None and store.count(FILE) < fewest:
        return  # mostly so: there are too few files of any purpose
    found = [file for file in store.documents(FILE) if file["purpose"] == purpose]
    lasting = sum(1 for file in found if not file.get("expires_at"))
    if limits.count is not None and len(found) >= limits.count:
        raise _exhausted(purpose, f"{limits.count} files")
    if limits.lasting is not None and not expires and lasting >= limits.lasting:
        raise _exhausted(purpose, f"{limits.lasting} files that do not expire")
    if limits.total is not None and _bytes(found) + size > limits.total:
        raise _exhausted(purpose, f"{limits.total} bytes")


def _bytes(files: list[Document]) -> int:
    return sum(file["bytes"] for file in files)


def _exhausted(purpose: str, limit: str) -> ApiError:
    message = f"The resource has reached its limit of {limit} with purpose '{purpose}'. Delete files that are no longer needed."
    return errors.request_error(message, param="purpose", code="quotaExceeded")
