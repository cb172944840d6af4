"""The file in which a state survives: an SQLite database. Opening it, and writing to it all or nothing.

One server has it at a time. The lock is the system's own, so that it ends with the process, however that ends.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from threading import RLock
from types import TracebackType
from typing import Any

from mockserver import errors
from mockserver.errors import ApiError, StateError
from mockserver.state import fulltext
from mockserver.state.sqlite_blobs import Blobs

log = logging.getLogger("mockserver")
Row = tuple[Any, ...]
FORMAT = 1  # of the tables; another one is another version's
_APPLICATION = 0x6D6F636B  # "mock": how a file says that it is one of ours
_MAGIC = b"SQLite format 3\0"
_CHECKED_WHOLE = 64 * 1024 * 1024  # bytes of a file that are looked through at each opening: a third of a second
_WAL_KEPT = 16 * 1024 * 1024  # bytes that the log may keep on disk after something large was written
_SCHEMA = """
CREATE TABLE state (generation INTEGER NOT NULL);
INSERT INTO state VALUES (-1);
CREATE TABLE resource (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, documents INTEGER NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE document (
    number INTEGER PRIMARY KEY AUTOINCREMENT, -- the number of what was deleted is a place in a list, and nobody else's
    resource INTEGER NOT NULL, kind TEXT NOT NULL, id BLOB NOT NULL, parent INTEGER NOT NULL, due REAL,
    blob INTEGER, content INTEGER NOT NULL, text INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (resource, kind, id)
);
CREATE INDEX below ON document (parent, kind);
CREATE INDEX schedule ON document (resource, due) WHERE due IS NOT NULL;
CREATE UNIQUE INDEX blob ON document (blob) WHERE blob IS NOT NULL;
CREATE TABLE name (
    resource INTEGER NOT NULL, kind TEXT NOT NULL, name BLOB NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (resource, kind, name, number)
) WITHOUT ROWID;
CREATE INDEX named ON name (number);
CREATE TABLE chunk (blob INTEGER NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (blob, at));
"""
_REASONS = {
    sqlite3.SQLITE_BUSY: "is in use by another server",
    sqlite3.SQLITE_NOTADB: "is none of mockserver's",
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: it must be a file in a folder that exists, both of which may be written",
    sqlite3.SQLITE_READONLY: "cannot be written: it, its folder or its disk is read-only",
    sqlite3.SQLITE_FULL: "cannot be written: the disk is full",
}


class Transaction:
    """What is written to a file while this context lasts: whole or not at all. Within itself it is a part that can be taken back.

    It ends with an `ApiError` as it does without: whoever refuses a call has decided what stays, as in a store in memory. Any other
    exception takes back what was written. A failure of the file takes back everything, and is raised as an `ApiError` to the end.
    """

    def __init__(self, db: sqlite3.Connection, committing: Callable[[], None], undone: Callable[[], None]) -> None:
        self._db, self._committing, self._undone = db, committing, undone
        self._lock = RLock()  # in-process clients may call from several threads
        self._depth = 0
        self._failure: ApiError | None = None

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1
        if self._depth > 1:
            self._attempt(self._begin_part)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            self._depth -= 1
            self._note(error)
            self._attempt(self._end_part if self._depth else self._end, keep=error is None or isinstance(error, ApiError))
            if self._failure is not None:
                raise self._failure from None
        finally:
            if self._depth == 0:
                self._failure = None
            self._lock.release()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One change: a transaction by itself, or within the one that is going on."""
        with self._lock:
            if self._depth == 0:
                with self:
                    yield
                return
            try:
                yield
            except sqlite3.Error as error:
                self._note(error)
                assert self._failure is not None
                raise self._failure from None

    def write(self, statement: str, *values: Any) -> int:
        """Run a statement that changes something; return the number of the row that it has inserted, if any."""
        self._begin()
        return self._db.execute(statement, values).lastrowid or 0

    def _note(self, error: BaseException | None) -> None:
        if isinstance(error, sqlite3.Error) and self._failure is None:
            self._failure = _failure(error)

    def _attempt(self, step: Callable[..., None], **options: bool) -> None:
        try:
            step(**options)
        except sqlite3.Error as error:
            self._note(error)

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN")

    def _begin_part(self) -> None:
        self._begin()
        self._committing()
        self._db.execute("SAVEPOINT part")

    def _end_part(self, *, keep: bool) -> None:
        if self._failure is None:
            if not keep:
                self._db.execute("ROLLBACK TO part")
                self._undone()
            self._db.execute("RELEASE part")

    def _end(self, *, keep: bool) -> None:
        if keep and self._failure is None:
            self._attempt(self._commit)
        if not keep or self._failure is not None:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._undone()

    def _commit(self) -> None:
        self._committing()
        if self._db.in_transaction:
            self._db.execute("COMMIT")


class StateFile:
    """An open state file. `generation` counts how often it was opened before.

    Raises StateError for a file that another server has, that is none of ours, or that cannot be read or written; that one stays
    as it is. Committing costs no wait for the disk (`synchronous=NORMAL`): what a process has handed to the system survives its
    death, and only that of the machine can take the last answers with it. It never leaves half of one.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._members: list[Member] = []
        self._db = _open(path)
        self.transaction = Transaction(self._db, self._committing, self._undone)
        self.blobs = Blobs(self)
        self.texts = fulltext.FullText(self._db)
        self._close = weakref.finalize(self, _close, self._db, os.getpid())
        self.generation: int = self.all("SELECT generation FROM state")[0][0]

    def join(self, member: Member) -> None:
        """Have a member of the file take part in its transactions."""
        self._members.append(member)

    def resources(self) -> list[str]:
        """The names of the resources that are in it, the first one first."""
        return [name for (name,) in self.all("SELECT name FROM resource ORDER BY number")]

    def one(self, query: str, *values: Any) -> Row | None:
        """The first row of a query, None where there is none."""
        row: Row | None = self._db.execute(query, values).fetchone()
        return row

    def all(self, query: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        return self._db.execute(query, values).fetchall()

    def each(self, query: str, *values: Any) -> Generator[Row]:
        """The rows of a query, each as it is read. Close the iterator where it is not read to its end."""
        cursor = self._db.execute(query, values)
        try:
            yield from cursor
        finally:
            cursor.close()

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return not self._close.alive

    def close(self) -> None:
        """Give the file free. It cannot be used any more."""
        self._close()

    def _committing(self) -> None:
        for member in self._members:
            member.committing()

    def _undone(self) -> None:
        self.texts.changed()
        for member in self._members:
            member.undone()


class Member:
    """What keeps a part of a file's facts in memory too."""

    def committing(self) -> None:
        """Write what is not in the file yet."""

    def undone(self) -> None:
        """Read anew, because what was written was taken back."""


def _open(path: str) -> sqlite3.Connection:
    _refuse_foreign(path)
    try:
        db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _unusable(path, error) from None
    try:
        _prepare(db, path)
    except sqlite3.Error as error:
        db.close()
        raise _unusable(path, error) from None
    except BaseException:
        db.close()
        raise
    return db


def _refuse_foreign(path: str) -> None:
    """Raise StateError for a file that is no database, before SQLite can take a short one for an empty one."""
    try:
        with open(path, "rb") as file:
            start = file.read(len(_MAGIC))
    except OSError:
        return  # there is none yet, or SQLite says why it cannot be read
    if start and start != _MAGIC:
        raise StateError(f"{path}: this state file {_REASONS[sqlite3.SQLITE_NOTADB]}")


def _prepare(db: sqlite3.Connection, path: str) -> None:
    db.execute("PRAGMA locking_mode = EXCLUSIVE")  # others are kept out from the first read on, until the process ends
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables:
        _check(db, path)
    for setting in ("journal_mode = WAL", "synchronous = NORMAL", f"journal_size_limit = {_WAL_KEPT}"):
        db.execute(f"PRAGMA {setting}").fetchall()
    db.execute("BEGIN EXCLUSIVE")
    if not tables:
        for statement in filter(str.strip, _SCHEMA.split(";")):
            db.execute(statement)
        fulltext.create(db)
        db.execute(f"PRAGMA application_id = {_APPLICATION}")
        db.execute(f"PRAGMA user_version = {FORMAT}")
    db.execute("UPDATE state SET generation = generation + 1")
    # What a reader still had when the last process ended.
    db.execute("DELETE FROM chunk WHERE blob NOT IN (SELECT blob FROM document WHERE blob IS NOT NULL)")
    db.execute("COMMIT")


def _check(db: sqlite3.Connection, path: str) -> None:
    """Raise StateError for a database that is none of ours, of another version, or damaged."""
    (application,), (version,) = (db.execute(f"PRAGMA {name}").fetchone() for name in ("application_id", "user_version"))
    if application != _APPLICATION:
        raise StateError(f"{path}: this state file {_REASONS[sqlite3.SQLITE_NOTADB]}, but another program's database")
    if version != FORMAT:
        raise StateError(
            f"{path}: this state file has format {version}, of another version of mockserver; this one has {FORMAT}"
        )
    if os.path.getsize(path) <= _CHECKED_WHOLE:
        (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise StateError(f"{path}: this state file {_REASONS[sqlite3.SQLITE_CORRUPT]} ({' '.join(found.split())})")


def _unusable(path: str, error: sqlite3.Error) -> StateError:
    # In WAL mode, SQLite calls it an error of the disk if it may not write the file.
    read_only = os.path.isfile(path) and not os.access(path, os.W_OK)
    reason = _REASONS.get(sqlite3.SQLITE_READONLY if read_only else _code(error), f"cannot be used: {error}")
    return StateError(f"{path}: this state file {reason}")


def _failure(error: sqlite3.Error) -> ApiError:
    """What a caller gets whose request could not be carried out because of the file; the log says so too."""
    log.error("the state file failed: %s; what the request has changed is taken back", error)
    return errors.state_failed(str(error), full=_code(error) == sqlite3.SQLITE_FULL)


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary code of an error; the more precise ones hold it in their last byte."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _close(db: sqlite3.Connection, process: int) -> None:
    # A process that was forked has the file open too, but no lock on it: it must leave it as it is.
    if os.getpid() == process:
        db.close()
