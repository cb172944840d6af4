"""Where the content of files comes from that a scenario gives its resource: texts, and files below the scenario's own folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

Finder = Callable[[str], "Source"]
LARGEST = 512 * 1024 * 1024  # bytes: the service takes no larger file


@dataclass(frozen=True, slots=True)
class Source:
    """Where the content of a file comes from: bytes, or a file that must be in `folder`, if that is given."""

    data: bytes = b""
    path: Path | None = None
    folder: Path | None = None

    @property
    def size(self) -> int:
        """How many bytes there are. Raises OSError where the file cannot be read."""
        return len(self.data) if self.path is None else self.path.stat().st_size

    def open(self) -> BinaryIO:
        """The content. Raises ValueError for a file that has left its folder, OSError for one that cannot be read."""
        if self.path is None:
            return BytesIO(self.data)
        return _inside(self.path, self.folder).open("rb")


def below(folder: Path) -> Finder:
    """Finds files by paths that start at `folder` and stay in it. It raises ValueError for others."""

    def find(text: str) -> Source:
        path = Path(text)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("must stay below the scenario's folder: an absolute path, or one with '..', does not")
        return _checked(Source(path=folder / path, folder=folder))

    return find


def anywhere(text: str) -> Source:
    """Finds files by paths that programs give. Raises ValueError for what is no readable file."""
    return _checked(Source(path=Path(text)))


def nowhere(text: str) -> Source:
    """Refuses all paths, for scenarios that are no files and come from anybody. Raises ValueError."""
    raise ValueError("is for scenarios in files; give the file's text")


def _checked(source: Source) -> Source:
    try:
        source.open().close()
        size = source.size
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from None
    if not 0 < size <= LARGEST:
        raise ValueError(f"has {size:,} bytes; a file has at least one, and at most {LARGEST:,}")
    return source


def _inside(path: Path, folder: Path | None) -> Path:
    """The file itself behind a path. Raises ValueError where it is none, or is not in the folder, as through a link; OSError."""
    found = path.resolve(strict=True)
    if folder is not None and not found.is_relative_to(folder.resolve()):
        raise ValueError("leads out of the scenario's folder")
    if not found.is_file():
        raise ValueError("is not a file")
    return found
