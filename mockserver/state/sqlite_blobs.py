"""The bytes beside documents in a state file: in chunks, so that half a gigabyte takes little memory, written and taken back like
the documents themselves.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from io import SEEK_CUR, SEEK_END, SEEK_SET, BufferedReader, RawIOBase
from typing import TYPE_CHECKING, BinaryIO

from mockserver.state.blobs import CHUNK, pieces

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from mockserver.state.blobs import Blob, Content
    from mockserver.state.sqlite_file import StateFile


class Blobs:
    """The blobs of a file, by their numbers. One that is deleted while it is read goes when its last reader is closed."""

    def __init__(self, file: StateFile) -> None:
        self._file = file
        self._readers: Counter[int] = Counter()
        (last,) = file.one("SELECT max(blob) FROM chunk") or (None,)
        self._last: int = last or 0

    def write(self, content: Content, most: int) -> tuple[int, int] | None:
        """Keep bytes, or what an open file holds from where it stands; its number and size, None for more than `most` bytes."""
        number = self._last = self._last + 1
        size = 0
        for at, piece in enumerate(pieces(content)):  # an empty one too has a chunk, so that its number is taken
            size += len(piece)
            if size > most:
                self._forget(number)
                return None
            self._file.transaction.write("INSERT INTO chunk VALUES (?, ?, ?)", number, at, piece)
        return number, size

    def blob(self, number: int, size: int) -> Blob:
        """The blob with this number."""
        return _Stored(self, number, size)

    def delete(self, number: int) -> None:
        """Forget a blob."""
        if not self._readers[number]:
            self._forget(number)

    def chunk(self, number: int, at: int) -> bytes:
        """One chunk. Raises FileNotFoundError where the blob was deleted before it was opened."""
        row = self._file.one("SELECT data FROM chunk WHERE blob = ? AND at = ?", number, at)
        if row is None:
            raise FileNotFoundError("these bytes were deleted")
        data: bytes = row[0]
        return data

    def opened(self, number: int) -> None:
        """Keep a blob until it is `closed` as often."""
        self._readers[number] += 1

    def closed(self, number: int) -> None:
        """Note that a reader has gone."""
        self._readers[number] -= 1
        if self._readers[number] or self._file.closed:
            return
        del self._readers[number]
        with self._file.transaction.writing():
            if self._file.one("SELECT 1 FROM document WHERE blob = ?", number) is None:
                self._forget(number)

    def _forget(self, number: int) -> None:
        self._file.transaction.write("DELETE FROM chunk WHERE blob = ?", number)


@dataclass(frozen=True, slots=True)
class _Stored:
    blobs: Blobs
    number: int
    size: int

    def open(self) -> BinaryIO:
        return BufferedReader(_Reader(self), CHUNK // 16)


class _Reader(RawIOBase):
    def __init__(self, blob: _Stored) -> None:
        super().__init__()
        self._blob = blob
        self._position = 0
        self._at, self._chunk = -1, b""
        blob.blobs.opened(blob.number)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if self._position >= self._blob.size:
            return 0
        at, start = divmod(self._position, CHUNK)
        if at != self._at:
            self._at, self._chunk = at, self._blob.blobs.chunk(self._blob.number, at)
        view = memoryview(buffer)
        part = self._chunk[start : start + len(view)]
        view[: len(part)] = part
        self._position += len(part)
        return len(part)

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        base = {SEEK_SET: 0, SEEK_CUR: self._position, SEEK_END: self._blob.size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._blob.blobs.closed(self._blob.number)
