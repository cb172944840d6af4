"""The text of PDF documents, read by pypdf, which the extra `files` installs."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any, BinaryIO

from mockserver.model.extract.plain import MOST_BYTES
from mockserver.model.extract.unreadable import UnreadableError, broken, too_large

_MOST_PAGES = 5_000
_WITHOUT = (
    "The file type is not supported. mockserver reads PDF with its extra `files`: pip install 'azure-openai-mockserver[files]'"
)


def read(file: BinaryIO) -> str:
    """The text of all pages. Raises UnreadableError."""
    try:
        pypdf = import_module("pypdf")
    except ImportError:
        raise UnreadableError("unsupported_file", _WITHOUT) from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong with a caller's file is reported to the caller
    try:
        return _pages(pypdf.PdfReader(file))
    except UnreadableError:
        raise
    except Exception:  # pypdf raises whatever it stumbles over
        raise broken() from None


def _pages(reader: Any) -> str:
    if len(reader.pages) > _MOST_PAGES:
        raise too_large()
    texts, left = [], MOST_BYTES
    for page in reader.pages:
        texts.append(page.extract_text())
        left -= len(texts[-1])
        if left < 0:
            raise too_large()
    return "\n".join(texts)
