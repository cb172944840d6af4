"""The words of texts in an SQLite database: which texts have most of some words. Every backend of the store searches with it.

SQLite's FTS5 serves as a compact list of the texts that have a word. Its own ranking, `bm25()`, is not used: it takes 5 µs for
each text that has one of the words, which is 25 ms for a word of 5,000 texts where adding up weights takes 1.5 ms, and it weighs
words by all texts that there are, so that what one vector store holds would move the scores of another. For the same reason
every word is indexed with the number of its scope in front. Where a build lacks FTS5, all texts of the scope are looked through.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import RLock
from typing import NamedTuple

from mockserver.state.store import rarity

Execute = Callable[..., sqlite3.Cursor]

_TABLES = """
CREATE TABLE IF NOT EXISTS text_scope (
    scope INTEGER PRIMARY KEY AUTOINCREMENT, root INTEGER NOT NULL, kind TEXT NOT NULL,
    texts INTEGER NOT NULL, words INTEGER NOT NULL, UNIQUE (root, kind)
);
CREATE TABLE IF NOT EXISTS text (
    number INTEGER PRIMARY KEY, scope INTEGER NOT NULL, parent INTEGER NOT NULL, words TEXT NOT NULL
)
"""
# Whatever is not a space is part of a word: all that can be seen of ASCII, and all else, which this tokenizer takes anyway.
_SIGNS = "".join([chr(code) for code in range(33, 127) if not chr(code).isalnum()]).replace("'", "''").replace('"', '""')
_INDEX = f"""
CREATE VIRTUAL TABLE IF NOT EXISTS text_index USING fts5(
  words, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '{_SIGNS.replace("'", "''")}'"
)
"""
_WEIGHT = 1_000  # weights are added up as whole numbers: the sum of fractions would depend on their order
_MOST_WORDS = 100  # that are looked for: SQLite joins at most 500 queries
_FEW_REMOVED = 50  # texts that are taken out of the index one by one
_MOST_COUNTED = 10_000
_MOST_ENTRIES = 3_000  # that are added up for more than two words: a word that many texts have says little and costs much


class Hit(NamedTuple):
    """A document that has some of the words: its number, and the words of its text."""

    number: int
    text: str


class Hits(NamedTuple):
    """What a search finds; `mockserver.state.store.Matches` explains it."""

    found: list[Hit]
    counts: dict[str, int]
    texts: int
    words: int


Branch = tuple[int, int]  # the numbers of a document to search below and of the one at the top of its tree, maybe itself


@dataclass(slots=True)
class _Scope:
    """Texts of a kind with the same document at the top: how many they are, and how many words they have."""

    number: int
    texts: int
    words: int


class FullText:
    """The words of texts, on a connection whose transactions are the caller's.

    A document has a number that is its own, and orders it among all. `create` makes the tables.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute: Execute = connection.execute
        self._indexed = _has_index(connection)
        self._lock = RLock()  # in-process clients may call from several threads
        # How many texts have a word, by scope and word: counting takes longest, and a search asks for the same ones twice.
        self._counted: dict[tuple[int, str], int] = {}

    # -- writing

    def changed(self) -> None:
        """Note that texts have changed; whoever takes back what was written here must say so."""
        self._counted.clear()

    def put(self, number: int, parent: int, root: int, kind: str, text: str) -> None:
        """Keep the words of a document's text, in the place of those that it had.

        `parent` is the document that it hangs below directly, `root` the one at the top; it is itself where it has no parent.
        """
        words = text.split()
        with self._lock:
            self.remove([number])
            if words:
                self._add(number, parent, self._add_to_scope(root, kind, len(words)), words)

    def remove(self, numbers: Collection[int]) -> None:
        """Forget the words of documents; those that have none are passed over."""
        with self._lock:
            if len(numbers) > _FEW_REMOVED:
                numbers = self._drop_scopes(set(numbers))
            for number in numbers:
                row = self._execute("SELECT scope, words FROM text WHERE number = ?", (number,)).fetchone()
                if row is not None:
                    self._remove(number, *row)

    def clear(self) -> None:
        """Forget all texts."""
        with self._lock:
            self.changed()
            self._execute("DELETE FROM text")
            self._execute("DELETE FROM text_scope")
            if self._indexed:
                self._execute("INSERT INTO text_index (text_index) VALUES ('delete-all')")

    def _add(self, number: int, parent: int, scope: int, words: Sequence[str]) -> None:
        self.changed()
        row = (number, scope, parent, " ".join(words))
        self._execute("INSERT INTO text (number, scope, parent, words) VALUES (?, ?, ?, ?)", row)
        if self._indexed:
            self._execute("INSERT INTO text_index (rowid, words) VALUES (?, ?)", (number, _scoped(scope, words)))

    def _remove(self, number: int, scope: int, text: str) -> None:
        words = text.split()
        self.changed()
        self._execute("DELETE FROM text WHERE number = ?", (number,))
        change = "UPDATE text_scope SET texts = texts - 1, words = words - ? WHERE scope = ?"
        self._execute(change, (len(words), scope))
        self._execute("DELETE FROM text_scope WHERE scope = ? AND texts = 0", (scope,))
        if self._indexed:
            removal = "INSERT INTO text_index (text_index, rowid, words) VALUES ('delete', ?, ?)"
            self._execute(removal, (number, _scoped(scope, words)))

    def _drop_scopes(self, numbers: set[int]) -> set[int]:
        """Forget the scopes whose texts are all among `numbers`; return the others of these.

        To take 10,000 texts out of the index takes three seconds. As no scope gets the number of an earlier one, what is left of
        one there is never found, and may stay until it is more than all that is in use.
        """
        members: dict[int, list[int]] = {}
        for number, scope in self._execute("SELECT number, scope FROM text"):
            members.setdefault(scope, []).append(number)
        for scope, inside in members.items():
            if numbers.issuperset(inside):
                self.changed()
                self._execute("DELETE FROM text WHERE scope = ?", (scope,))
                self._execute("UPDATE text_scope SET root = -scope, texts = 0 WHERE scope = ?", (scope,))
                numbers = numbers.difference(inside)
        row = self._execute("SELECT total(CASE WHEN root < 0 THEN words ELSE -words END) FROM text_scope").fetchone()
        if row[0] > 0:
            self._index_anew()
        return numbers

    def _index_anew(self) -> None:
        self._execute("DELETE FROM text_scope WHERE root < 0")
        if self._indexed:
            self._execute("INSERT INTO text_index (text_index) VALUES ('delete-all')")
            for number, scope, words in self._execute("SELECT number, scope, words FROM text"):
                row = (number, _scoped(scope, words.split()))
                self._execute("INSERT INTO text_index (rowid, words) VALUES (?, ?)", row)

    def _add_to_scope(self, root: int, kind: str, words: int) -> int:
        """Count one more text; return its scope's number."""
        self._execute("INSERT OR IGNORE INTO text_scope (root, kind, texts, words) VALUES (?, ?, 0, 0)", (root, kind))
        scope = self._scope(root, kind)
        assert scope is not None
        change = "UPDATE text_scope SET texts = texts + 1, words = words + ? WHERE scope = ?"
        self._execute(change, (words, scope.number))
        return scope.number

    def words(self, number: int) -> str | None:
        """The words of a document's text, None where it has none."""
        row = self._execute("SELECT words FROM text WHERE number = ?", (number,)).fetchone()
        return row[0] if row is not None else None

    # -- searching

    def search(self, kind: str, words: Mapping[str, float], branches: Sequence[Branch], limit: int) -> Hits:
        """What `Store.search` finds; `branches` are the documents to search below."""
        with self._lock:
            return self._search(kind, words, branches, limit)

    def _search(self, kind: str, words: Mapping[str, float], branches: Sequence[Branch], limit: int) -> Hits:
        scopes = {root: scope for root in dict.fromkeys([root for _, root in branches]) if (scope := self._scope(root, kind))}
        numbers = [scope.number for scope in scopes.values()]
        wanted = dict([(word, weight) for word, weight in words.items() if word.isprintable()][:_MOST_WORDS])
        counts = {word: sum([self._texts_with(number, word) for number in numbers]) for word in wanted}
        texts = sum([scope.texts for scope in scopes.values()])
        weights = {
            word: round(_WEIGHT * weight * rarity(counts[word], texts)) for word, weight in wanted.items() if counts[word]
        }
        best = self._best(numbers, _worthwhile(weights, counts)) if weights and limit else iter(())
        best = self._below(best, branches, scopes)
        found = [self._read(number) for number, _ in zip(best, range(limit), strict=False)]
        return Hits(found, counts, texts, sum([scope.words for scope in scopes.values()]))

    def _scope(self, root: int, kind: str) -> _Scope | None:
        query = "SELECT scope, texts, words FROM text_scope WHERE root = ? AND kind = ?"
        row = self._execute(query, (root, kind)).fetchone()
        return _Scope(*row) if row is not None else None

    def _texts_with(self, scope: int, word: str) -> int:
        count = self._counted.get((scope, word))
        if count is None:
            source, parameters = self._having(scope, word)
            count = self._execute(f"SELECT count(*) FROM ({source})", parameters).fetchone()[0]
            if len(self._counted) >= _MOST_COUNTED:
                self._counted.clear()
            self._counted[scope, word] = count
        return count

    def _having(self, scope: int, word: str) -> tuple[str, tuple[int | str, ...]]:
        """A query for the numbers of a scope's texts that have a word."""
        start, any_end = word.removesuffix("*"), word.endswith("*")
        if not self._indexed:
            sought = f" {start}" if any_end else f" {start} "
            return "SELECT number FROM text WHERE scope = ? AND instr(' ' || words || ' ', ?)", (scope, sought)
        quoted = '"{}_{}"'.format(scope, start.replace('"', '""'))
        return "SELECT rowid AS number FROM text_index WHERE text_index MATCH ?", (quoted + "*" * any_end,)

    def _best(self, scopes: Sequence[int], weights: Mapping[str, int]) -> Iterator[int]:
        """The numbers of the texts that have some of the words, best first, then oldest first."""
        lists, parameters = [], list[int | str]()
        for scope in scopes:
            for word, weight in weights.items():
                source, values = self._having(scope, word)
                lists.append(f"SELECT number, {weight} AS weight FROM ({source})")
                parameters += values
        union = " UNION ALL ".join(lists)
        query = f"SELECT number FROM ({union}) GROUP BY number ORDER BY sum(weight) DESC, number"
        return (number for (number,) in self._execute(query, parameters))

    def _below(self, numbers: Iterator[int], branches: Sequence[Branch], scopes: Mapping[int, _Scope]) -> Iterator[int]:
        """Those of `numbers` whose texts are directly below one of the branches, or anywhere below one at the top."""
        whole = {scopes[root].number for number, root in branches if number == root in scopes}
        if len(whole) == len(scopes):
            return numbers
        return self._directly_below(numbers, {number for number, _ in branches}, whole)

    def _directly_below(self, numbers: Iterator[int], parents: set[int], scopes: set[int]) -> Iterator[int]:
        for number in numbers:
            parent, scope = self._execute("SELECT parent, scope FROM text WHERE number = ?", (number,)).fetchone()
            if parent in parents or scope in scopes:
                yield number

    def _read(self, number: int) -> Hit:
        return Hit(number, self._execute("SELECT words FROM text WHERE number = ?", (number,)).fetchone()[0])


def create(connection: sqlite3.Connection) -> None:
    """Make the tables, where they are missing."""
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    with suppress(sqlite3.OperationalError):  # of a build of SQLite that has no FTS5
        connection.execute(_INDEX)


def open_in_memory() -> FullText:
    """Texts that live as long as the process. Nothing is ever committed, which would only cost time."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("BEGIN")
    create(connection)
    return FullText(connection)


def _has_index(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("SELECT rowid FROM text_index WHERE text_index MATCH 'a'")
    except sqlite3.OperationalError:
        return False
    return True


def _scoped(scope: int, words: Sequence[str]) -> str:
    return f"{scope}_" + f" {scope}_".join(words)


def _worthwhile(weights: Mapping[str, int], counts: Mapping[str, int]) -> dict[str, int]:
    """The rarest words: two at least, and more as long as few texts have them."""
    entries, chosen = 0, dict[str, int]()
    for word in sorted(weights, key=counts.__getitem__):
        entries += counts[word]
        if len(chosen) >= 2 and entries > _MOST_ENTRIES:
            break
        chosen[word] = weights[word]
    return chosen
