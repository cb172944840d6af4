"""Bytes beside documents: short ones are kept in memory, longer ones in temporary files, so that half a gigabyte costs little."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Protocol

CHUNK = 1024 * 1024
_SHORT = CHUNK


class Readable(Protocol):
    """An open file, as far as it is needed here."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size`; none at the end."""


Content = bytes | Readable


class Blob(Protocol):
    """The bytes beside a document."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def open(self) -> BinaryIO:
        """A new reader from the first byte on. The caller closes it."""


@dataclass(frozen=True, slots=True)
class _InMemory:
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> BinaryIO:
        return BytesIO(self.data)


@dataclass(frozen=True, slots=True)
class _InFile:
    path: str
    size: int

    def open(self) -> BinaryIO:
        return open(self.path, "rb")


class Spool:
    """Keeps blobs for as long as it lives itself."""

    def __init__(self) -> None:
        self._folder: str | None = None

    def write(self, content: Content, most: int) -> Blob | None:
        """Keep bytes, or what an open file holds from where it stands; None where these are more than `most` bytes."""
        if isinstance(content, bytes):
            content = BytesIO(content)
        first = _read(content, _SHORT + 1)
        if len(first) <= _SHORT:
            return _InMemory(first) if len(first) <= most else None
        return self._write_file(first, content, most)

    def remove(self, blob: Blob) -> None:
        """Forget a blob. Readers that are open go on where the system allows it."""
        if isinstance(blob, _InFile):
            _unlink(blob.path)

    def _write_file(self, first: bytes, rest: Readable, most: int) -> Blob | None:
        handle, path = tempfile.mkstemp(dir=self._directory())
        size = 0
        with open(handle, "wb") as file:
            for chunk in _chunks(first, rest):
                size += len(chunk)
                if size > most:
                    break
                file.write(chunk)
        if size > most:
            _unlink(path)
            return None
        return _InFile(path, size)

    def _directory(self) -> str:
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="mockserver-")
            # Not a TemporaryDirectory: that one warns when it is collected, and nobody closes a store.
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder


def pieces(content: Content) -> Iterator[bytes]:
    """Bytes, or what an open file holds from where it stands, in pieces of `CHUNK` bytes; the last is shorter, and the only one may
    be empty.
    """
    file = BytesIO(content) if isinstance(content, bytes) else content
    piece = _read(file, CHUNK)
    yield piece
    while len(piece) == CHUNK and (piece := _read(file, CHUNK)):
        yield piece


def _read(file: Readable, size: int) -> bytes:
    """`size` bytes, less only at the end: a file may give less than it is asked for."""
    parts, missing = [], size
    while missing and (part := file.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _chunks(first: bytes, rest: Readable) -> Iterator[bytes]:
    yield first
    while chunk := rest.read(CHUNK):
        yield chunk


def _unlink(path: str) -> None:
    with suppress(OSError):  # where open files cannot be removed, one that is being read stays until its folder goes
        os.unlink(path)
