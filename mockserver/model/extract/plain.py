"""Plain text: UTF-8, UTF-16 or ASCII (docs)."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from mockserver.model.extract.unreadable import UnreadableError, too_large

MOST_BYTES = 64 * 1024 * 1024
"""Of a text. It is some 16 million tokens, three times as many as the service takes."""

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read(file: BinaryIO, most: int = MOST_BYTES) -> str:
    """The text of a file. Raises UnreadableError for another encoding, and for more than `most` bytes."""
    data = file.read(most + 1)
    if len(data) > most:
        raise too_large()
    try:
        text = data.decode(_encoding(data))
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        message = "The file could not be parsed because its encoding is not one of: utf-8, utf-16, ascii."
        raise UnreadableError("invalid_file", message)
    return text.replace("\r\n", "\n")


def _encoding(data: bytes) -> str:
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    zeros = data.count(0)
    if not zeros:
        return "utf-8"
    # No text in UTF-8 has a zero; in UTF-16 every other byte of most texts is one.
    even = data[::2].count(0)
    return "utf-16-be" if even > zeros - even else "utf-16-le"
