"""Cuts text for a stream: by token, as the service does, or by word, character or a number of characters."""

from __future__ import annotations

import re
from typing import Literal

from mockserver.model import tokens

ChunkSize = Literal["token", "word", "char"] | int
_WORD = re.compile(r"\s*\S+|\s+$")


def cut(text: str, size: ChunkSize, encoding: str) -> list[tuple[str, int]]:
    """`text` in pieces that join to it again, each with the number of tokens it stands for (at least one)."""
    if not text:
        return []
    if size == "token":
        return [(piece, 1) for piece in tokens.split(text, encoding)]
    if size == "word":
        return [(word, 1) for word in _WORD.findall(text)]
    width = 1 if size == "char" else size
    # A token has about four characters.
    return [(text[at : at + width], max(1, width // 4)) for at in range(0, len(text), width)]
