"""Ranks and tokens from a packaged table, which is unpacked page by page: a text needs few of them.

A table is a header (`HEADER`: how many pages, and the bytes of the packed directory), the directory and the pages. A page holds
tokens of one width in the order of their bytes, so that the first tokens of all pages decide which one can have a token.
The directory has a line for each page (`LINE`: bytes a token, tokens, bytes packed), then those first tokens. A record is a
token and its rank; a page has the first byte of all its records, then the second of all, and so on, which packs smaller.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator
from struct import Struct, iter_unpack

UNKNOWN = -1
HEADER = Struct("<HI")
LINE = Struct("<BHH")
RAW_DEFLATE = -15
_RANK = 4

Page = tuple[int, int, int, int]  # bytes a token, tokens, and where its packed bytes start and end
Record = tuple[bytes, int]


class Ranks(dict[bytes, int]):
    """The ranks of tokens, `UNKNOWN` for other bytes. It holds the tokens of the pages that were read so far."""

    __slots__ = ("_content", "_shelves")

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._content = content
        self._shelves: dict[int, tuple[list[bytes], list[Page | None]]] = {}
        for first, page in _directory(content):
            firsts, pages = self._shelves.setdefault(page[0], ([], []))
            firsts.append(first)
            pages.append(page)

    def __missing__(self, token: bytes) -> int:
        shelf = self._shelves.get(len(token))
        if shelf is None:
            return UNKNOWN
        firsts, pages = shelf
        at = bisect_right(firsts, token) - 1
        if at >= 0 and (page := pages[at]) is not None:
            self.update(_records(self._content, page))
            pages[at] = None
        return self.get(token, UNKNOWN)  # Even where the page was read before: another thread may have done so just now.

    def by_id(self) -> list[bytes]:
        """All tokens in the order of their ranks, which are their ids. Reads the whole table again."""
        pages = [page for _, page in _directory(self._content)]
        tokens = [b""] * sum([count for _, count, _, _ in pages])
        for page in pages:
            for token, rank in _records(self._content, page):
                tokens[rank] = token
        return tokens


def _directory(content: bytes) -> Iterator[tuple[bytes, Page]]:
    count, size = HEADER.unpack_from(content)
    start = HEADER.size + size
    directory = zlib.decompress(content[HEADER.size : start])
    lines = count * LINE.size
    at = lines
    for width, tokens, packed in LINE.iter_unpack(directory[:lines]):
        yield directory[at : at + width], (width, tokens, start, start + packed)
        at, start = at + width, start + packed


def _records(content: bytes, page: Page) -> Iterator[Record]:
    width, tokens, start, end = page
    columns = zlib.decompress(content[start:end], RAW_DEFLATE)
    size = width + _RANK
    records = bytearray(len(columns))
    for byte in range(size):
        records[byte::size] = columns[byte * tokens : (byte + 1) * tokens]
    return iter_unpack(f"<{width}sI", records)
