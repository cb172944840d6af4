"""What a resource remembers: documents by kind and id, in the order in which they were put."""

from __future__ import annotations

from typing import Any, Protocol

Document = Any
KEPT = 10_000


class Store(Protocol):
    """A small, ordered collection of documents. Nothing above knows how it keeps them."""

    def put(self, kind: str, id: str, document: Document) -> None:
        """Keep a document, in its old place where its id is known."""

    def get(self, kind: str, id: str) -> Document | None:
        """The document, None where there is none."""

    def delete(self, kind: str, id: str) -> bool:
        """Forget a document; say whether there was one."""

    def list(self, kind: str) -> list[Document]:
        """All documents of a kind, oldest first."""

    def clear(self) -> None:
        """Forget everything."""


class MemoryStore:
    """A store in memory, bounded: the oldest document of a kind goes when there are more than `limit`."""

    def __init__(self, limit: int = KEPT) -> None:
        self._kinds: dict[str, dict[str, Document]] = {}
        self._limit = limit

    def put(self, kind: str, id: str, document: Document) -> None:
        """Keep a document, in its old place where its id is known."""
        documents = self._kinds.setdefault(kind, {})
        documents[id] = document
        if len(documents) > self._limit:
            del documents[next(iter(documents))]

    def get(self, kind: str, id: str) -> Document | None:
        """The document, None where there is none."""
        return self._kinds.get(kind, {}).get(id)

    def delete(self, kind: str, id: str) -> bool:
        """Forget a document; say whether there was one."""
        return self._kinds.get(kind, {}).pop(id, None) is not None

    def list(self, kind: str) -> list[Document]:
        """All documents of a kind, oldest first."""
        return list(self._kinds.get(kind, {}).values())

    def clear(self) -> None:
        """Forget everything."""
        self._kinds.clear()
