"""The vocabularies of the encodings: they split a text into words, a word into tokens, and decode the id of a token.

OpenAI publishes them; the tables beside this file hold them, under the licence that lies there too. `build` writes the tables.
"""

from __future__ import annotations

from pathlib import Path

from mockserver.model.vocabulary.merging import merge
from mockserver.model.vocabulary.splitting import Splitter
from mockserver.model.vocabulary.table import UNKNOWN, Ranks

LARGEST = {"o200k_base": 199_997, "cl100k_base": 100_255}
ENCODINGS = tuple(LARGEST)
TABLES = Path(__file__).parent


class Vocabulary:
    """The tokens of an encoding."""

    __slots__ = ("_by_id", "_ranks", "_splitter")

    def __init__(self, encoding: str) -> None:
        self._splitter = Splitter(encoding)
        self._ranks = Ranks((TABLES / f"{encoding}.bin").read_bytes())
        self._by_id: list[bytes] = []

    def split(self, text: str) -> list[str]:
        """The words of `text`; joined, they are `text` again. No token reaches over the end of a word."""
        return self._splitter.split(text)

    def parts(self, word: str) -> list[bytes]:
        """The tokens of a word, as bytes: they may end within a character."""
        data = word.encode("utf-8", "surrogatepass")
        return [data] if self._ranks[data] != UNKNOWN else merge(data, self._ranks)

    def token(self, identifier: int) -> bytes:
        """The bytes of the token with this id. Raises ValueError for an id that no token has."""
        if not self._by_id:
            self._by_id = self._ranks.by_id()
        if not 0 <= identifier < len(self._by_id):
            raise ValueError(f"no token has the id {identifier}")
        return self._by_id[identifier]


def load(encoding: str) -> Vocabulary:
    """The vocabulary of one of `ENCODINGS`. Raises ValueError for another encoding."""
    if encoding not in ENCODINGS:
        raise ValueError(f"unknown encoding {encoding!r}; known are {', '.join(ENCODINGS)}")
    return Vocabulary(encoding)
