"""The store in a file, which survives. Several resources share one file; each sees its own documents only."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from mockserver import errors
from mockserver.state.memory import STORE_BYTES, STORE_DOCUMENTS
from mockserver.state.sqlite_file import Member, Row
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
    from mockserver.state.blobs import Blob, Content
    from mockserver.state.sqlite_file import StateFile

_BATCH = 100
_BY_KEY = "resource = ? AND kind = ? AND id = ?"


class _Place(NamedTuple):
    """What is known of a document without reading it: its number in the file, which orders all; the sizes are in bytes."""

    number: int
    due: float | None
    body: int
    blob: int | None
    content: int
    text: int


class SqliteStore(Member):
    """The documents of the resource `name` in a file: at most `store_documents`, which with their blobs have at most `store_bytes`.

    Top-level documents have minus the resource's number as their parent, so that one index serves all pages.
    """

    def __init__(
        self, file: StateFile, name: str, store_documents: int = STORE_DOCUMENTS, store_bytes: int = STORE_BYTES
    ) -> None:
        self.next_due = NEVER
        self.transaction = file.transaction
        self._file, self._write, self._writing = file, file.transaction.write, file.transaction.writing
        self._most_documents, self._most_bytes = store_documents, store_bytes
        self._blobs, self._texts = file.blobs, file.texts
        self._places = Places()
        self._documents = self._bytes = 0
        self._written: Row = (0, 0)
        with self._writing():
            self._write("INSERT OR IGNORE INTO resource (name, documents, bytes) VALUES (?, 0, 0)", name)
        self._resource = _first(file.one("SELECT number FROM resource WHERE name = ?", name)) or 0
        self.undone()
        file.join(self)

    @property
    def generation(self) -> int:
        """How often the file was opened before; raised where it takes in documents of a state that was opened more often."""
        return self._file.generation

    @generation.setter
    def generation(self, generation: int) -> None:
        with self._writing():
            self._write("UPDATE state SET generation = ?", generation)
        self._file.generation = generation

    @property
    def size(self) -> int:
        """How many documents there are."""
        return self._documents

    # -- reading

    def get(self, kind: str, id: str) -> Document | None:
        """The document, None where there is none."""
        row = self._file.one(f"SELECT body FROM document WHERE {_BY_KEY}", self._resource, kind, _text(id))
        return decode(row[0]) if row is not None else None

    def page(
        self,
        kind: str,
        cursor: Cursor,
        *,
        parent: Key | None = None,
        where: Mapping[str, Json] | None = None,
    ) -> Page:
        """The documents of a kind directly below `parent` that have the members of `where`, from a cursor on."""
        above = self._above(parent)
        if above is None:
            return Page([], False)
        low, high, ascending = span(cursor, lambda name: self._position(kind, name, above))
        rows = self._file.each(
            "SELECT body FROM document WHERE parent = ? AND kind = ? AND number > ? AND number < ? "
            f"ORDER BY number {'ASC' if ascending else 'DESC'}",
            *(above, kind, 0 if low is None else low, sys.maxsize if high is None else high),
        )
        with closing(rows):
            return fill_page((decode(body) for (body,) in rows), cursor, where)

    def documents(self, kind: str, parent: Key | None = None) -> Iterator[Document]:
        """All documents of a kind directly below `parent`, oldest first."""
        above = self._above(parent)
        last = _first(self._file.one("SELECT max(number) FROM document WHERE parent = ? AND kind = ?", above, kind))
        return self._walk(above, kind, last or 0)

    def _walk(self, above: int | None, kind: str, last: int) -> Iterator[Document]:
        """In batches: who reads may write in between, and new documents come behind the last."""
        number = 0
        while rows := self._file.all(
            "SELECT number, body FROM document WHERE parent = ? AND kind = ? AND number > ? AND number <= ? "
            f"ORDER BY number LIMIT {_BATCH}",
            *(above, kind, number, last),
        ):
            for number, body in rows:  # noqa: B007 - the last one is where the next batch begins
                yield decode(body)

    def find(self, kind: str, name: str) -> list[Document]:
        """The documents of a kind that go by `name`, oldest first."""
        rows = self._file.all(
            "SELECT body FROM name JOIN document USING (number) WHERE name.resource = ? AND name.kind = ? AND name.name = ? "
            "ORDER BY name.number",
            *(self._resource, kind, _text(name)),
        )
        return [decode(body) for (body,) in rows]

    def count(self, kind: str, parent: Key | None = None) -> int:
        """How many documents of a kind there are directly below `parent`."""
        query = "SELECT count(*) FROM document WHERE parent = ? AND kind = ?"
        return _first(self._file.one(query, self._above(parent), kind)) or 0

    def blob(self, kind: str, id: str) -> Blob | None:
        """The bytes beside a document, None where there are none."""
        entry = self._entry(kind, id)
        return self._blobs.blob(entry.blob, entry.content) if entry is not None and entry.blob is not None else None

    def entries(self) -> Iterator[Entry]:
        """Everything, in the order in which it came."""
        rows = self._file.each(
            "SELECT one.number, one.kind, one.id, one.body, above.kind, above.id, one.due, one.blob, one.content, one.text "
            "FROM document AS one LEFT JOIN document AS above ON above.number = one.parent "
            "WHERE one.resource = ? ORDER BY one.number",
            self._resource,
        )
        with closing(rows):
            for number, kind, name, body, above, above_name, due, blob, size, text in rows:
                parent = (above, _untext(above_name)) if above is not None else None
                found = self._file.all("SELECT name FROM name WHERE number = ? ORDER BY name", number)
                names = tuple(_untext(one) for (one,) in found)
                content = self._blobs.blob(blob, size) if blob is not None else None
                words = self._texts.words(number) if text else None
                yield Entry(kind, _untext(name), decode(body), parent, due, names, words, content)

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
        with self._writing():
            old = self._entry(kind, id)
            above = self._place(kind, parent, accepted=accepted) if old is None else 0
            text_size = len(text.encode()) if text is not None else old.text if old is not None else 0
            room = sys.maxsize if accepted else self._room(old, len(body) + text_size, content)
            blob, size = self._content(old, content, room)
            number = self._insert(kind, id, above) if old is None else self._release(old, blob)
            self._write(
                "UPDATE document SET due = ?, blob = ?, content = ?, text = ?, body = ? WHERE number = ?",
                *(due, blob, size, text_size, body, number),
            )
            if text is not None:
                self._put_text(number, kind, text)
            for name in dict.fromkeys(names):
                self._write("INSERT INTO name VALUES (?, ?, ?, ?)", self._resource, kind, _text(name), number)
            self._bytes += len(body) + size + text_size
            self._reschedule(old.due if old is not None else None, due)

    def update(self, kind: str, id: str, changes: Document) -> Document | None:
        """Replace members of a document, which keeps all else; return it, None where there is none."""
        with self._writing():
            row = self._file.one(f"SELECT number, body FROM document WHERE {_BY_KEY}", self._resource, kind, _text(id))
            if row is None:
                return None
            number, before = row
            document = decode(before) | changes
            body = encode(document)
            self._write("UPDATE document SET body = ? WHERE number = ?", body, number)
            self._bytes += len(body) - len(before)
            return document

    def delete(self, kind: str, id: str) -> bool:
        """Forget a document, its bytes, and all that hangs below it; say whether there was one."""
        with self._writing():
            entry = self._entry(kind, id)
            if entry is None:
                return False
            above = _first(self._file.one("SELECT parent FROM document WHERE number = ?", entry.number))
            self._places.leave(kind, id, above, entry.number)
            doomed = self._file.all(
                "WITH RECURSIVE doomed (number) AS (VALUES (?) UNION ALL "
                "SELECT document.number FROM doomed JOIN document ON document.parent = doomed.number) "
                "SELECT number, due, length(body), blob, content, text FROM doomed JOIN document USING (number)",
                entry.number,
            )
            for row in doomed:
                self._write("DELETE FROM document WHERE number = ?", self._release(_Place(*row), None))
            self._texts.remove([entry.number for entry in map(_Place._make, doomed) if entry.text])
            self._documents -= len(doomed)
            self._reschedule(*(row[1] for row in doomed))
            return True

    def pop_due(self, now: float) -> Due | None:
        """The document that is due first, None where none is due by `now`. It is not due any more."""
        if self.next_due > now:
            return None
        with self._writing():
            row = self._first_due("number, due, kind, id")
            assert row is not None
            number, due, kind, name = row
            self._write("UPDATE document SET due = NULL WHERE number = ?", number)
            self._reschedule(due)
        return Due(due, kind, _untext(name))

    def clear(self) -> None:
        """Forget everything."""
        with self._writing():
            for (blob,) in self._file.all("SELECT blob FROM document WHERE resource = ? AND blob IS NOT NULL", self._resource):
                self._blobs.delete(blob)
            texts = self._file.all("SELECT number FROM document WHERE resource = ? AND text > 0", self._resource)
            for table in ("document", "name"):
                self._write(f"DELETE FROM {table} WHERE resource = ?", self._resource)
            self._texts.remove([number for (number,) in texts])
            self._documents = self._bytes = 0
            self._places = Places()
            self.next_due = NEVER

    def close(self) -> None:
        """Close the file, for all resources in it."""
        self._file.close()

    # -- texts

    def search(self, kind: str, words: Mapping[str, float], *, below: Sequence[Key], limit: int) -> Matches:
        """The documents of a kind whose texts have most of `words`: best first, then oldest first."""
        numbers = [number for key in below if (number := self._above(key)) is not None]
        hits = self._texts.search(kind, words, [(number, self._line(number)[-1]) for number in numbers], limit)
        return Matches([Match(self._id(number), text) for number, text in hits.found], *hits[1:])

    def _put_text(self, number: int, kind: str, text: str) -> None:
        line = self._line(number)
        self._texts.put(number, line[min(1, len(line) - 1)], line[-1], kind, text)

    def _line(self, number: int) -> list[int]:
        """A document and those that it hangs below, up to the one at the top."""
        line = [number]
        while (above := _first(self._file.one("SELECT parent FROM document WHERE number = ?", line[-1])) or 0) > 0:
            line.append(above)
        return line

    def _id(self, number: int) -> str:
        (name,) = self._file.one("SELECT id FROM document WHERE number = ?", number) or (b"",)
        return _untext(name)

    # -- as a member of the file

    def committing(self) -> None:
        """Write how much there is, since counting it would take a look at everything."""
        if (self._documents, self._bytes) != self._written:
            self._written = self._documents, self._bytes
            self._write("UPDATE resource SET documents = ?, bytes = ? WHERE number = ?", *self._written, self._resource)

    def undone(self) -> None:
        """Read how much there is, and what is due first."""
        row = self._file.one("SELECT documents, bytes FROM resource WHERE number = ?", self._resource)
        self._documents, self._bytes = self._written = row if row is not None else (0, 0)
        self._reschedule(NEVER)

    # -- limits

    def _place(self, kind: str, parent: Key | None, *, accepted: bool) -> int:
        """The number of what a new document hangs below. Raises LookupError where that is not there, ApiError for a full store."""
        above = self._above(parent)
        if above is None:
            assert parent is not None
            raise LookupError(f"there is no {parent[0]} {parent[1]!r} for a {kind} to hang below")
        if self._documents >= self._most_documents and not accepted:
            raise errors.store_full("store_documents", self._most_documents)
        return above

    def _room(self, old: _Place | None, size: int, content: Content | None) -> int:
        """How many bytes are left beside a body and text of `size` bytes that come in the place of those of `old`.

        A blob that is replaced leaves its room.
        """
        freed = 0 if old is None else old.body + old.text + (old.content if content is not None else 0)
        return self._most_bytes - self._bytes + freed - size

    def _content(self, old: _Place | None, content: Content | None, room: int) -> tuple[int | None, int]:
        """The blob that a document has from now on, and its size. Raises ApiError where there is no room for it, or for the document."""
        if content is None and room >= 0:
            return (old.blob, old.content) if old is not None else (None, 0)
        written = self._blobs.write(content, room) if content is not None else None
        if written is None:
            raise errors.store_full("store_bytes", self._most_bytes)
        return written

    # -- places

    def _entry(self, kind: str, id: str) -> _Place | None:
        row = self._file.one(
            f"SELECT number, due, length(body), blob, content, text FROM document WHERE {_BY_KEY}",
            self._resource,
            kind,
            _text(id),
        )
        return _Place(*row) if row is not None else None

    def _above(self, parent: Key | None) -> int | None:
        """The number that documents below `parent` have as theirs, None where it is not there."""
        if parent is None:
            return -self._resource
        query = f"SELECT number FROM document WHERE {_BY_KEY}"
        return _first(self._file.one(query, self._resource, parent[0], _text(parent[1])))

    def _position(self, kind: str, id: str, above: int) -> int | None:
        query = f"SELECT number FROM document WHERE {_BY_KEY} AND parent = ?"
        number = _first(self._file.one(query, self._resource, kind, _text(id), above))
        return number if number is not None else self._places.find(kind, id, above)

    def _insert(self, kind: str, id: str, above: int) -> int:
        self._documents += 1
        return self._write(
            "INSERT INTO document (resource, kind, id, parent, content, text, body) VALUES (?, ?, ?, ?, 0, 0, x'')",
            *(self._resource, kind, _text(id), above),
        )

    def _release(self, entry: _Place, blob: int | None) -> int:
        """Take a document out of all counts and indexes; `blob` is the one that stays. Returns its number."""
        self._bytes -= entry.body + entry.content + entry.text
        self._write("DELETE FROM name WHERE number = ?", entry.number)
        if entry.blob is not None and entry.blob != blob:
            self._blobs.delete(entry.blob)
        return entry.number

    def _first_due(self, columns: str) -> Row | None:
        query = f"SELECT {columns} FROM document WHERE resource = ? AND due IS NOT NULL ORDER BY due, number LIMIT 1"
        return self._file.one(query, self._resource)

    def _reschedule(self, *times: float | None) -> None:
        """See anew what is due first, if anything is due or was: `times` are those of the documents that have changed."""
        if any(time is not None for time in times):
            (self.next_due,) = self._first_due("due") or (NEVER,)


def _first(row: Row | None) -> int | None:
    """The number that a row has in its first column, None where there is none."""
    number: int | None = row[0] if row is not None else None
    return number


def _text(text: str) -> bytes:
    """Ids and names as they are kept: callers may send what is no proper Unicode."""
    return text.encode("utf-8", "surrogatepass")


def _untext(text: bytes) -> str:
    return text.decode("utf-8", "surrogatepass")
