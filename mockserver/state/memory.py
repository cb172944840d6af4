"""The store in memory, which is what a resource has by default. It keeps documents encoded: by value, small, and exactly counted."""

from __future__ import annotations

import sys
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from threading import RLock
from typing import TYPE_CHECKING

from mockserver import errors
from mockserver.settings import SETTINGS
from mockserver.state.blobs import Blob, Content, Spool
from mockserver.state.store import (
    NEVER,
    Cursor,
    Document,
    Due,
    Entry,
    Json,
    Key,
    Match,
    Matches,
    Page,
    Places,
    decode,
    encode,
    fill_page,
    span,
)

if TYPE_CHECKING:
    from mockserver.state.fulltext import FullText

STORE_DOCUMENTS: int = SETTINGS["store_documents"].default
STORE_BYTES: int = SETTINGS["store_bytes"].default
_ORDER = attrgetter("order")


@dataclass(slots=True, eq=False)
class _Entry:
    """A document and its place. `order` is its number among all documents of the store, from the oldest on."""

    kind: str
    id: str
    parent: Key | None
    order: int
    body: bytes = b""
    due: float | None = None
    names: Sequence[str] = ()
    blob: Blob | None = None
    text_size: int = 0

    @property
    def size(self) -> int:
        return len(self.body) + self.text_size + (self.blob.size if self.blob is not None else 0)


class MemoryStore:
    """Documents in memory, at most `store_documents`, which together with their blobs have at most `store_bytes`."""

    def __init__(self, store_documents: int = STORE_DOCUMENTS, store_bytes: int = STORE_BYTES, *, generation: int = 0) -> None:
        self.generation = generation
        self.transaction = RLock()  # in-process clients may call from several threads
        self.next_due = NEVER
        self._most_documents, self._most_bytes = store_documents, store_bytes
        self._spool = Spool()
        self._texts: FullText | None = None
        self._puts = 0
        self._forget()

    def _forget(self) -> None:
        self._entries: dict[Key, _Entry] = {}
        self._chains: dict[Key | None, dict[str, list[_Entry]]] = {}
        self._names: dict[tuple[str, str], list[_Entry]] = {}
        self._schedule: list[tuple[float, int, _Entry]] = []
        self._with_text: dict[int, _Entry] = {}
        self._places = Places()
        self._bytes = 0
        self.next_due = NEVER

    # -- reading

    def get(self, kind: str, id: str) -> Document | None:
        """The document, None where there is none."""
        entry = self._entries.get((kind, id))
        return decode(entry.body) if entry is not None else None

    def page(
        self,
        kind: str,
        cursor: Cursor,
        *,
        parent: Key | None = None,
        where: Mapping[str, Json] | None = None,
    ) -> Page:
        """The documents of a kind directly below `parent` that have the members of `where`, from a cursor on."""
        if parent is not None and parent not in self._entries:
            return Page([], False)
        chain, above = self._chain(kind, parent), self._above(parent)

        def order(id: str) -> int | None:
            entry = self._entries.get((kind, id))
            return entry.order if entry is not None and entry.parent == parent else self._places.find(kind, id, above)

        low, high, ascending = span(cursor, order)
        start = 0 if low is None else bisect_right(chain, low, key=_ORDER)
        end = len(chain) if high is None else bisect_left(chain, high, key=_ORDER)
        numbers = range(start, end) if ascending else reversed(range(start, end))
        return fill_page((decode(chain[number].body) for number in numbers), cursor, where)

    def documents(self, kind: str, parent: Key | None = None) -> Iterator[Document]:
        """All documents of a kind directly below `parent`, oldest first."""
        return (decode(entry.body) for entry in tuple(self._chain(kind, parent)))

    def find(self, kind: str, name: str) -> list[Document]:
        """The documents of a kind that go by `name`, oldest first."""
        return [decode(entry.body) for entry in sorted(self._names.get((kind, name), ()), key=_ORDER)]

    def count(self, kind: str, parent: Key | None = None) -> int:
        """How many documents of a kind there are directly below `parent`."""
        return len(self._chain(kind, parent))

    def blob(self, kind: str, id: str) -> Blob | None:
        """The bytes beside a document, None where there are none."""
        entry = self._entries.get((kind, id))
        return entry.blob if entry is not None else None

    def entries(self) -> Iterator[Entry]:
        """Everything, in the order in which it came."""
        for one in self._entries.values():
            text = self._texts.words(one.order) if self._texts is not None and one.text_size else None
            yield Entry(one.kind, one.id, decode(one.body), one.parent, one.due, tuple(sorted(one.names)), text, one.blob)

    # -- writing

    def put(
        self,
        kind: str,
        id: str,
        document: Document,
        *,
        parent: Key | None = None,
        due: float | None = None,
        names: Sequence[str] = (),
        content: Content | None = None,
        text: str | None = None,
        accepted: bool = False,
    ) -> None:
        """Keep a document: a new one behind all others, one whose id is known in its old place."""
        body = encode(document)
        entry = self._entries.get((kind, id))
        if entry is None:
            self._refuse_new(kind, parent, accepted=accepted)
        text_size = _text_size(entry, text)
        room = sys.maxsize if accepted else self._room(entry, len(body) + text_size, content)
        blob = self._blob(entry, content, room)
        if entry is None:
            entry = self._add(kind, id, parent)
        else:
            self._release(entry, blob)
        entry.body, entry.due, entry.names, entry.blob = body, due, tuple(dict.fromkeys(names)), blob
        if text is not None:
            self._put_text(entry, text)
        entry.text_size = text_size
        self._index(entry)

    def update(self, kind: str, id: str, changes: Document) -> Document | None:
        """Replace members of a document, which keeps all else; return it, None where there is none."""
        entry = self._entries.get((kind, id))
        if entry is None:
            return None
        document = decode(entry.body) | changes
        body = encode(document)
        self._bytes += len(body) - len(entry.body)
        entry.body = body
        return document

    def delete(self, kind: str, id: str) -> bool:
        """Forget a document, its bytes, and all that hangs below it; say whether there was one."""
        entry = self._entries.get((kind, id))
        if entry is None:
            return False
        chain = self._chains[entry.parent][kind]
        del chain[_position(chain, entry)]
        self._places.leave(kind, id, self._above(entry.parent), entry.order)
        doomed = [entry]
        texts = []
        while doomed:
            entry = doomed.pop()
            del self._entries[entry.kind, entry.id]
            self._release(entry, None)
            if entry.text_size:
                texts.append(entry.order)
            for below in self._chains.pop((entry.kind, entry.id), {}).values():
                doomed += below
        self._remove_texts(texts)
        return True

    def pop_due(self, now: float) -> Due | None:
        """The document that is due first, None where none is due by `now`. It is not due any more."""
        if self.next_due > now:
            return None
        at, _, entry = self._schedule[0]
        self._unschedule(entry)
        return Due(at, entry.kind, entry.id)

    def clear(self) -> None:
        """Forget everything."""
        for entry in self._entries.values():
            if entry.blob is not None:
                self._spool.remove(entry.blob)
        if self._texts is not None:
            self._texts.clear()
        self._forget()

    def close(self) -> None:
        """Nothing: what it holds goes with it."""

    # -- texts

    def search(self, kind: str, words: Mapping[str, float], *, below: Sequence[Key], limit: int) -> Matches:
        """The documents of a kind whose texts have most of `words`: best first, then oldest first."""
        if self._texts is None:
            return Matches([], dict.fromkeys(words, 0), 0, 0)
        branches = [(entry.order, self._root(entry).order) for key in below if (entry := self._entries.get(key)) is not None]
        hits = self._texts.search(kind, words, branches, limit)
        found = [(self._with_text.get(number), text) for number, text in hits.found]
        return Matches([Match(entry.id, text) for entry, text in found if entry is not None], *hits[1:])

    def _put_text(self, entry: _Entry, text: str) -> None:
        if not text:
            self._remove_texts([entry.order])
            return
        # Loaded by the first text: sqlite3 takes 4 ms, and few resources have texts.
        if self._texts is None:
            from mockserver.state.fulltext import open_in_memory

            self._texts = open_in_memory()
        parent = self._entries[entry.parent] if entry.parent is not None else entry
        self._texts.put(entry.order, parent.order, self._root(entry).order, entry.kind, text)
        self._with_text[entry.order] = entry

    def _remove_texts(self, orders: Sequence[int]) -> None:
        if self._texts is not None and orders:
            self._texts.remove(orders)
            for order in orders:
                self._with_text.pop(order, None)

    def _root(self, entry: _Entry) -> _Entry:
        """The document at the top of the tree that a document is in."""
        while entry.parent is not None:
            entry = self._entries[entry.parent]
        return entry

    # -- limits

    def _refuse_new(self, kind: str, parent: Key | None, *, accepted: bool) -> None:
        if parent is not None and parent not in self._entries:
            raise LookupError(f"there is no {parent[0]} {parent[1]!r} for a {kind} to hang below")
        if len(self._entries) >= self._most_documents and not accepted:
            raise errors.store_full("store_documents", self._most_documents)

    def _room(self, entry: _Entry | None, size: int, content: Content | None) -> int:
        """How many bytes are left beside a body and text of `size` bytes that come in the place of those of `entry`.

        A blob that is replaced leaves its room.
        """
        freed = (
            0 if entry is None else entry.size if content is not None or entry.blob is None else entry.size - entry.blob.size
        )
        return self._most_bytes - self._bytes + freed - size

    def _blob(self, entry: _Entry | None, content: Content | None, room: int) -> Blob | None:
        """The blob that an entry has from now on. Raises ApiError where there is no room for it, or for the entry itself."""
        if content is None and room >= 0:
            return entry.blob if entry is not None else None
        blob = self._spool.write(content, room) if content is not None else None
        if blob is None:
            raise errors.store_full("store_bytes", self._most_bytes)
        return blob

    # -- places

    def _chain(self, kind: str, parent: Key | None) -> list[_Entry]:
        chains = self._chains.get(parent)
        return chains.get(kind, []) if chains is not None else []

    def _above(self, parent: Key | None) -> int | None:
        """A parent's number, which no later one of the same key has."""
        return self._entries[parent].order if parent is not None else None

    def _add(self, kind: str, id: str, parent: Key | None) -> _Entry:
        self._puts += 1
        entry = self._entries[kind, id] = _Entry(kind, id, parent, self._puts)
        self._chains.setdefault(parent, {}).setdefault(kind, []).append(entry)
        return entry

    def _release(self, entry: _Entry, blob: Blob | None) -> None:
        """Take an entry out of all counts and indexes; `blob` is the one that stays."""
        self._bytes -= entry.size
        if entry.due is not None:
            self._unschedule(entry)
        for name in entry.names:
            named = self._names[entry.kind, name]
            named.remove(entry)
            if not named:
                del self._names[entry.kind, name]
        if entry.blob is not None and entry.blob is not blob:
            self._spool.remove(entry.blob)

    def _index(self, entry: _Entry) -> None:
        self._bytes += entry.size
        for name in entry.names:
            self._names.setdefault((entry.kind, name), []).append(entry)
        if entry.due is not None:
            insort(self._schedule, (entry.due, entry.order, entry))
            self.next_due = self._schedule[0][0]

    def _unschedule(self, entry: _Entry) -> None:
        assert entry.due is not None
        del self._schedule[bisect_left(self._schedule, (entry.due, entry.order, entry))]
        entry.due = None
        self.next_due = self._schedule[0][0] if self._schedule else NEVER


def _text_size(entry: _Entry | None, text: str | None) -> int:
    if text is None:
        return entry.text_size if entry is not None else 0
    return len(text.encode())


def _position(chain: Sequence[_Entry], entry: _Entry) -> int:
    return bisect_left(chain, entry.order, key=_ORDER)
