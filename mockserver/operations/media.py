"""Images and files that stand in a request, as addresses or as data: what they are, and what can be wrong with them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import NamedTuple

from mockserver.errors import ApiError, invalid_value, request_error

_DATA = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w.+-]+=[^;,]*)*;base64,", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
_HEAD = 64  # characters of base64 that are looked at, which have any signature


class Data(NamedTuple):
    """What a data URL says: its media type, "" where it has none, and its first bytes, None where they are not base64."""

    media_type: str
    head: bytes | None


def data_of(url: str) -> Data | None:
    """A data URL with base64 taken apart; None for any other text."""
    found = _DATA.match(url)
    if found is None:
        return None
    return Data((found[1] or "").lower(), _decoded(url[found.end() : found.end() + _HEAD]))


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def refuse_image(url: str, other_type: Callable[[str], ApiError]) -> None:
    """Raise ApiError 400 for an image that is none. `other_type` makes the error for data of a media type that is no image's."""
    if _ADDRESS.match(url):
        return  # what is there is not looked at
    data = data_of(url)
    if data is None:
        raise bad_address()
    if not data.media_type.startswith("image/"):
        raise other_type(data.media_type)
    if data.head is None or not _is_image(data.head):
        raise no_image()


def _is_image(head: bytes) -> bool:
    return head.startswith(_SIGNATURES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def refuse_file_data(text: str, path: str) -> None:
    """Raise ApiError 400 for a file's data, at `path` in the body, that is no PDF (reported on the sister service, of both surfaces)."""
    data = data_of(text)
    if data is not None and data.head is not None and data.media_type == "application/pdf":
        return
    got = (
        "an invalid base64-encoded value" if data is None or data.head is None else f"unsupported MIME type '{data.media_type}'"
    )
    expected = "Expected a base64-encoded data URL with an application/pdf MIME type"
    example = "(e.g. 'data:application/pdf;base64,SGVsbG8sIFdvcmxkIQ==')"
    raise invalid_value(path, f"Invalid file data: '{path}'. {expected} {example}, but got {got}.")


def bad_address() -> ApiError:
    """An image's URL that is neither an address nor data (reported from Azure in 2024 and 2025; the null members are recalled)."""
    message = "Invalid image URL. The URL must be a valid HTTP or HTTPS URL, or a data URL with base64 encoding."
    return ApiError(400, {"error": {"code": "BadRequest", "message": message, "param": None, "type": None}})


def no_image() -> ApiError:
    """Data that is no image of a format that models read (recorded on the sister service, whose spelling this is)."""
    formats = "['png', 'jpeg', 'gif', 'webp']"
    message = f"You uploaded an unsupported image. Please make sure your image has of one the following formats: {formats}."
    return request_error(message, code="invalid_image_format")
