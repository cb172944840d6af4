"""Text out of files: plain text and code, HTML and XML, Office documents, and PDF with the extra `files`.

What cannot be read is an `UnreadableError`, whatever is wrong with it: nothing here hangs, fills the memory or raises anything else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import BinaryIO

from mockserver.model.extract import markup, office, pdf, plain
from mockserver.model.extract.unreadable import UnreadableError as UnreadableError

# What the service documents for file search, and three that are text as well: csv, xml and yaml.
_TEXT = "c cpp cs css go java js json md php py rb sh tex ts txt csv yaml yml"
_READERS: dict[str, Callable[[BinaryIO], str]] = {
    **dict.fromkeys([f".{name}" for name in _TEXT.split()], plain.read),
    **dict.fromkeys((".html", ".htm"), markup.read_html),
    ".xml": markup.read_xml,
    ".docx": office.read_docx,
    ".pptx": office.read_pptx,
    ".pdf": pdf.read,
}


def extract_text(filename: str, file: BinaryIO) -> str:
    """The text of a file, by the ending of its name. `file` must be seekable. Raises UnreadableError."""
    reader = _READERS.get(PurePosixPath(filename).suffix.lower())
    if reader is None:
        raise UnreadableError("unsupported_file", "The file type is not supported.")
    text = reader(file)
    if not text.strip():
        raise UnreadableError("invalid_file", "The file could not be parsed because it has no text.")
    return text
