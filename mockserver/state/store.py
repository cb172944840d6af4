"""What a resource remembers: JSON documents in the order in which they came, and bytes beside them. Nothing above knows the backend.

A document has a kind and an id that is its own within the kind. It may hang below another one, its parent, and goes with it.
Documents go in and come out by value: what a caller got is its own to change, and changes nothing here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from pydantic_core import from_json, to_json

from mockserver import errors

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from mockserver.state.blobs import Blob, Content

Json = Any
Document = dict[str, Json]
Key = tuple[str, str]
NEVER = float("inf")
_PLACES = 10_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins and how long it is. `after` and `before` are ids of documents outside the page."""

    limit: int = 20
    order: Literal["asc", "desc"] = "desc"
    after: str | None = None
    before: str | None = None


class Page(NamedTuple):
    """A page's documents, and whether there are more in the direction in which it was read."""

    data: list[Document]
    has_more: bool


class Due(NamedTuple):
    """A document whose time has come, and that time in Unix seconds."""

    at: float
    kind: str
    id: str


class Match(NamedTuple):
    """A document that has some of the words that were searched for: its id, and the words of its text."""

    id: str
    text: str


class Matches(NamedTuple):
    """What a search finds, best first, and what to judge it by.

    `counts` says how many texts have each word, `texts` how many texts there are, and `words` how many words they have, all of
    them counted in everything below the documents at the top that the search was in.
    """

    found: list[Match]
    counts: dict[str, int]
    texts: int
    words: int


class Entry(NamedTuple):
    """A document and all that was put with it; `text` are the words of its text."""

    kind: str
    id: str
    document: Document
    parent: Key | None
    due: float | None
    names: tuple[str, ...]
    text: str | None
    blob: Blob | None


class Store(Protocol):
    """The documents of one resource.

    `generation` counts how often a state that survives was opened before; it is 0 for one that does not. `next_due` is the
    earliest time that a document is due, `NEVER` where none is: looking at it costs nothing, so every request does.
    """

    generation: int
    next_due: float

    @property
    def transaction(self) -> AbstractContextManager[object]:
        """What is written within this context is durable when it ends, whole or not at all. Within itself it is a part of it.

        One thread at a time is in it. An `ApiError` ends it like success, since whoever refuses has decided what stays. Any other
        exception takes back what was written, where the store survives: in memory nothing can be half after a crash. A write
        outside is durable by itself.
        """

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
        """Keep a document: a new one behind all others, one whose id is known in its old place.

        `parent` is where a new one hangs; a known one stays where it is. `due` is when `pop_due` gives it out, in Unix seconds.
        `names` are what `find` finds it by. `content` are its bytes; without, a known one keeps those that it has.
        `text` are the words that `search` finds it by, with spaces between; without, a known one keeps those that it has.
        A full store refuses with ApiError 507, unless the document is part of one that was `accepted` before: then refusing
        it would leave half an object. Raises LookupError for a parent that is not there.
        """

    def get(self, kind: str, id: str) -> Document | None:
        """The document, None where there is none."""

    def update(self, kind: str, id: str, changes: Document) -> Document | None:
        """Replace members of a document, which keeps all else; return it, None where there is none. Never refused."""

    def delete(self, kind: str, id: str) -> bool:
        """Forget a document, its bytes, and all that hangs below it; say whether there was one."""

    def page(
        self,
        kind: str,
        cursor: Cursor,
        *,
        parent: Key | None = None,
        where: Mapping[str, Json] | None = None,
    ) -> Page:
        """The documents of a kind that hang directly below `parent` (None: below nothing), from a cursor on.

        `where` holds members that they must have; a mapping in it holds members of a member. A cursor's document that was
        deleted, and is among the last 10,000 of them, keeps its place. Raises ApiError 400 for one that is not known at all.
        """

    def documents(self, kind: str, parent: Key | None = None) -> Iterator[Document]:
        """All documents of a kind directly below `parent`, oldest first: those that are there now, each as it is when it is read."""

    def find(self, kind: str, name: str) -> list[Document]:
        """The documents of a kind that go by `name`, whatever they hang below, oldest first."""

    def count(self, kind: str, parent: Key | None = None) -> int:
        """How many documents of a kind there are directly below `parent`."""

    def search(self, kind: str, words: Mapping[str, float], *, below: Sequence[Key], limit: int) -> Matches:
        """The documents of a kind whose texts have most of `words`, at most `limit`: best first, then oldest first.

        Each word has a weight, and counts the more the fewer texts have it. One that ends with `*` stands for all words that
        begin so. `below` are documents at the top, whose every text is searched, or others, where it is the texts directly
        below them; those that are not there are passed over. Of many words only the rarest are looked for.
        """

    def blob(self, kind: str, id: str) -> Blob | None:
        """The bytes beside a document, None where there are none."""

    def pop_due(self, now: float) -> Due | None:
        """The document that is due first, None where none is due by `now`. It is not due any more."""

    def entries(self) -> Iterator[Entry]:
        """Everything, in the order in which it came: a parent before what hangs below it. Nothing may change meanwhile."""

    def clear(self) -> None:
        """Forget everything."""

    def close(self) -> None:
        """Give free what the store holds. One that survives cannot be used any more."""


# -- what backends share ----------------------------------------------------------------------------------------------


def encode(document: Document) -> bytes:
    """A document as the bytes in which it is kept."""
    return to_json(document)


def decode(body: bytes) -> Document:
    """The document that was encoded."""
    try:
        document: Document = from_json(body)
    except ValueError:
        # A document nests a little deeper than the request that it holds, which may be as deep as this parser goes.
        document = json.loads(body)
    return document


class Span(NamedTuple):
    """Which documents of those that are numbered from the oldest on a page is chosen from: those between `low` and `high` (None:
    all on that side), read upwards if `ascending`.
    """

    low: int | None
    high: int | None
    ascending: bool


def span(cursor: Cursor, position: Callable[[str], int | None]) -> Span:
    """Where a page is read; `position` gives an id's number, None where it is not known: then ApiError 400 is raised."""
    after, before = _end("after", cursor.after, position), _end("before", cursor.before, position)
    low, high = (after, before) if cursor.order == "asc" else (before, after)
    return Span(low, high, (cursor.order == "asc") is not _from_end(cursor))


def _end(name: str, id: str | None, position: Callable[[str], int | None]) -> int | None:
    if id is None:
        return None
    number = position(id)
    if number is None:
        raise errors.unknown_cursor(name)
    return number


class Places:
    """Where documents were that have been deleted lately, so that whoever deletes what a page has can go on behind it."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str, int | None], int] = {}

    def leave(self, kind: str, id: str, above: int | None, number: int) -> None:
        """Remember the number that a document had; `above` is that of its parent."""
        self._numbers[kind, id, above] = number
        if len(self._numbers) > _PLACES:
            del self._numbers[next(iter(self._numbers))]

    def find(self, kind: str, id: str, above: int | None) -> int | None:
        """The number that a document below `above` had, None where that is not known."""
        return self._numbers.get((kind, id, above))


def paged(
    size: int,
    cursor: Cursor,
    position: Callable[[str], int | None],
    load: Callable[[int], Document],
    where: Mapping[str, Json] | None = None,
) -> Page:
    """One page of `size` documents that are numbered from the oldest on, with the members of `where`; `load` gives one by its number."""
    low, high, ascending = span(cursor, position)
    numbers = range(0 if low is None else low + 1, size if high is None else high)
    return fill_page(map(load, numbers if ascending else reversed(numbers)), cursor, where)


def fill_page(documents: Iterator[Document], cursor: Cursor, where: Mapping[str, Json] | None = None) -> Page:
    """One page of the documents of a span, which come as it reads them. It takes no more of them than it needs."""
    found: list[Document] = []
    more = False
    for document in documents:
        if where is not None and not matches(document, where):
            continue
        if len(found) == cursor.limit:
            more = True
            break
        found.append(document)
    return Page(found[::-1] if _from_end(cursor) else found, more)


def _from_end(cursor: Cursor) -> bool:
    """Whether a page is read backwards: one that has only an end is the one that touches it."""
    return cursor.before is not None and cursor.after is None


def matches(document: Document, where: Mapping[str, Json]) -> bool:
    """Whether a document has these members."""
    for name, wanted in where.items():
        value = document.get(name)
        if isinstance(wanted, Mapping):
            if not (isinstance(value, dict) and matches(value, wanted)):
                return False
        elif value != wanted:
            return False
    return True


def rarity(count: int, texts: int) -> float:
    """How much a word counts that `count` of `texts` have: the rarer the more, and always more than nothing."""
    return log(1 + (texts - count + 0.5) / (count + 0.5))
