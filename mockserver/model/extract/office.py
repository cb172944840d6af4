"""The text of Word and PowerPoint documents: XML in a zip archive."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from mockserver.model.extract.plain import MOST_BYTES
from mockserver.model.extract.unreadable import UnreadableError, broken, too_large

if TYPE_CHECKING:
    from zipfile import ZipFile

_SLIDE = re.compile(r"ppt/(slides/slide|notesSlides/notesSlide)(\d+)\.xml")
_DOCUMENT = ("word/document.xml", "word/footnotes.xml", "word/endnotes.xml")
_DIRECTORY = struct.Struct("<4s4H2LH")  # the end of an archive, which says how long its directory is
_LONGEST_DIRECTORY = 8 * 1024 * 1024
_LONGEST_COMMENT = 0xFFFF
_OLE = b"\xd0\xcf\x11\xe0"  # what Office's older formats begin with, and documents with a password
_BREAKS = {"br": "\n", "cr": "\n", "p": "\n", "tab": "\t", "tc": "\t"}


def read_docx(file: BinaryIO) -> str:
    """The paragraphs of a Word document, then its notes. Raises UnreadableError."""
    return _read(file, lambda names: [name for name in _DOCUMENT if name in names], _DOCUMENT[0])


def read_pptx(file: BinaryIO) -> str:
    """The paragraphs of a presentation's slides, each followed by its notes. Raises UnreadableError."""
    return _read(file, _slides, "ppt/presentation.xml")


def _slides(names: Iterable[str]) -> list[str]:
    found = [(int(match[2]), match[1], name) for name in names if (match := _SLIDE.fullmatch(name)) is not None]
    return [name for _, _, name in sorted(found, key=lambda one: (one[0], one[1] != "slides/slide"))]


def _read(file: BinaryIO, select: Callable[[list[str]], list[str]], needed: str) -> str:
    from zipfile import ZipFile

    _check_archive(file)
    try:
        with ZipFile(file) as archive:
            names = archive.namelist()
            if needed not in names:
                raise broken()
            return "\n".join(_paragraphs(archive, select(names))).strip()
    except UnreadableError:
        raise
    except Exception:  # of zipfile, its codecs and expat, each of which has its own kinds for what is damaged
        raise broken() from None


def _check_archive(file: BinaryIO) -> None:
    """Look at the end of an archive before its directory is read: one of millions of entries would take minutes."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _LONGEST_COMMENT - _DIRECTORY.size))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + _DIRECTORY.size > len(tail):
        raise _protected() if _starts_with(file, _OLE) else broken()
    if _DIRECTORY.unpack_from(tail, at)[5] > _LONGEST_DIRECTORY:
        raise too_large()
    file.seek(0)


def _starts_with(file: BinaryIO, mark: bytes) -> bool:
    file.seek(0)
    return file.read(len(mark)) == mark


def _protected() -> UnreadableError:
    return UnreadableError("invalid_file", "The file could not be parsed because it is of an older format, or has a password.")


def _paragraphs(archive: ZipFile, names: Iterable[str]) -> Iterator[str]:
    left = MOST_BYTES
    for name in names:
        with archive.open(name) as member:
            data = member.read(left + 1)
        if len(data) > left:
            raise too_large()
        left -= len(data)
        yield "".join(_Text(data).found).strip("\n")


class _Text:
    """The text of an XML document in Office's language. One that declares entities or a type is none of Office's, and not read."""

    def __init__(self, data: bytes) -> None:
        from xml.parsers.expat import ParserCreate

        self.found: list[str] = []
        self._shown = False
        parser = ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.Parse(data, True)

    def _refuse(self, *_: object) -> None:
        raise broken()

    def _start(self, name: str, attributes: object) -> None:
        self._shown = name.endswith(":t")

    def _end(self, name: str) -> None:
        self._shown = False
        self.found.append(_BREAKS.get(name.rpartition(":")[2], ""))

    def _text(self, text: str) -> None:
        if self._shown:
            self.found.append(text)
