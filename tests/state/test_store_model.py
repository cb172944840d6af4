"""Every backend of the store against a model of plain dicts: the same steps, the same results."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from mockserver.errors import ApiError
from mockserver.state import fulltext
from mockserver.state.sqlite import SqliteStore
from mockserver.state.sqlite_file import StateFile
from mockserver.state.store import NEVER, Cursor, Store, rarity

Key = tuple[str, str]
DOCUMENTS, BYTES = 5, 150
KINDS = st.sampled_from(["file", "part"])
IDS = st.sampled_from("abc")
KEYS = st.tuples(KINDS, IDS)
ALL_KEYS = [(kind, name) for kind in ("file", "part") for name in "abc"]
PARENTS = st.none() | KEYS
VALUES = st.none() | st.integers(0, 2) | st.text(max_size=3) | st.lists(st.integers(0, 9), max_size=2)
BODIES = st.dictionaries(st.sampled_from("xy"), VALUES, max_size=2)
DUE = st.none() | st.integers(0, 9).map(float)
NAMES = st.lists(st.sampled_from("mn"), max_size=2)
CONTENT = st.none() | st.binary(max_size=20)
WORDS = ["red", "redder", "blue"]
TEXTS = st.none() | st.lists(st.sampled_from(WORDS), max_size=3).map(" ".join)
QUERIES = st.dictionaries(st.sampled_from([*WORDS, "red*", "none"]), st.sampled_from([1.0, 0.5]), max_size=2)
CURSORS = st.builds(Cursor, st.integers(1, 4), st.sampled_from(["asc", "desc"]), st.none() | IDS, st.none() | IDS)
WHERE = st.none() | st.dictionaries(st.sampled_from("xy"), VALUES, max_size=1)


@dataclass
class Kept:
    document: dict[str, Any]
    parent: Key | None
    number: int
    due: float | None = None
    names: tuple[str, ...] = ()
    content: bytes | None = None
    text: str = ""

    @property
    def size(self) -> int:
        text = json.dumps(self.document, ensure_ascii=False, separators=(",", ":"))
        return len(text.encode()) + len(self.content or b"") + len(self.text)

    def has(self, word: str) -> bool:
        return any(one == word or (word.endswith("*") and one.startswith(word[:-1])) for one in self.text.split())


class StoreMachine(RuleBasedStateMachine):
    """`kept` holds what the store should, in the order in which it came."""

    make: Callable[..., Store]

    def __init__(self) -> None:
        super().__init__()
        self.store = type(self).make(store_documents=DOCUMENTS, store_bytes=BYTES)
        self.kept: dict[Key, Kept] = {}
        self.numbers = 0
        self.places: dict[tuple[str, str, int | None], int] = {}

    @rule(key=KEYS, body=BODIES, parent=PARENTS, due=DUE, names=NAMES, content=CONTENT, text=TEXTS, accepted=st.booleans())
    def put(
        self,
        key: Key,
        body: dict[str, Any],
        parent: Key | None,
        due: float | None,
        names: list[str],
        content: bytes | None,
        text: str | None,
        accepted: bool,
    ) -> None:
        old = self.kept.get(key)
        document = body | {"id": key[1]}
        place = (old.parent, old.number) if old is not None else (parent, self.numbers)
        new = Kept(document, *place, due, tuple(names), content, text or "")
        if old is not None and content is None:
            new.content = old.content
        if old is not None and text is None:
            new.text = old.text
        source = BytesIO(content) if content is not None and len(content) % 2 else content

        def put() -> None:
            self.store.put(*key, document, parent=parent, due=due, names=names, content=source, text=text, accepted=accepted)

        if old is None and parent is not None and parent not in self.kept:
            with pytest.raises(LookupError):
                put()
        elif not accepted and (refusal := self.refusal(old, new)):
            with pytest.raises(ApiError, match=refusal):
                put()
        else:
            put()
            self.kept[key] = new
            self.numbers += 1

    @precondition(lambda self: self.kept)
    @rule(key=KEYS, body=BODIES, at=st.integers(0, DOCUMENTS), due=DUE, names=NAMES, text=TEXTS)
    def put_below(self, key: Key, body: dict[str, Any], at: int, due: float | None, names: list[str], text: str | None) -> None:
        self.put(key, body, list(self.kept)[at % len(self.kept)], due, names, None, text, accepted=False)

    @precondition(lambda self: self.kept)
    @rule(at=st.integers(0, DOCUMENTS))
    def delete_one(self, at: int) -> None:
        self.delete(list(self.kept)[at % len(self.kept)])

    def refusal(self, old: Kept | None, new: Kept) -> str | None:
        if old is None and len(self.kept) >= DOCUMENTS:
            return "store_documents"
        used = sum(kept.size for kept in self.kept.values()) - (old.size if old is not None else 0)
        return "store_bytes" if used + new.size > BYTES else None

    @rule(key=KEYS, changes=BODIES)
    def update(self, key: Key, changes: dict[str, Any]) -> None:
        kept = self.kept.get(key)
        if kept is not None:
            kept.document = kept.document | changes
        assert self.store.update(*key, changes) == (kept.document if kept is not None else None)

    @rule(key=KEYS)
    def delete(self, key: Key) -> None:
        assert self.store.delete(*key) is (key in self.kept)
        if key in self.kept:
            kept = self.kept[key]
            self.places[(*key, self.above(kept.parent))] = kept.number
        self.forget(key)

    def above(self, parent: Key | None) -> int | None:
        return self.kept[parent].number if parent is not None else None

    def forget(self, key: Key) -> None:
        if self.kept.pop(key, None) is not None:
            for below in [below for below, kept in self.kept.items() if kept.parent == key]:
                self.forget(below)

    @rule(kind=KINDS, parent=PARENTS, cursor=CURSORS, where=WHERE)
    def page(self, kind: str, parent: Key | None, cursor: Cursor, where: dict[str, Any] | None) -> None:
        ends = [self.place(kind, end, parent) for end in (cursor.after, cursor.before)]
        if parent is None or parent in self.kept:
            for end, place in zip((cursor.after, cursor.before), ends, strict=True):
                if end is not None and place is None:
                    with pytest.raises(ApiError, match="no object with such an ID"):
                        self.store.page(kind, cursor, parent=parent, where=where)
                    return
        low, high = ends if cursor.order == "asc" else ends[::-1]
        fitting = [
            kept.document
            for key, kept in self.kept.items()
            if (key[0], kept.parent) == (kind, parent)
            and (low is None or kept.number > low)
            and (high is None or kept.number < high)
            and all(kept.document.get(name) == value for name, value in (where or {}).items())
        ]
        fitting = fitting if cursor.order == "asc" else fitting[::-1]
        from_end = cursor.before is not None and cursor.after is None
        expected = fitting[-cursor.limit :] if from_end else fitting[: cursor.limit]
        page = self.store.page(kind, cursor, parent=parent, where=where)
        assert page.data == expected
        assert page.has_more is (len(fitting) > cursor.limit)

    def place(self, kind: str, name: str | None, parent: Key | None) -> int | None:
        if name is None or not (parent is None or parent in self.kept):
            return None
        kept = self.kept.get((kind, name))
        return kept.number if kept is not None and kept.parent == parent else self.places.get((kind, name, self.above(parent)))

    def below(self, kind: str, parent: Key | None) -> list[dict[str, Any]]:
        return [kept.document for key, kept in self.kept.items() if key[0] == kind and kept.parent == parent]

    @rule(kind=KINDS, words=QUERIES, below=st.lists(KEYS, max_size=2, unique=True), limit=st.integers(0, 3))
    def search(self, kind: str, words: dict[str, float], below: list[Key], limit: int) -> None:
        below = [key for key in below if key in self.kept]
        roots = {self.root(key) for key in below}
        texts = [(key, kept) for key, kept in self.kept.items() if key[0] == kind and kept.text and self.root(key) in roots]
        counts = {word: sum(kept.has(word) for _, kept in texts) for word in words}
        weights = {word: round(1_000 * weight * rarity(counts[word], len(texts))) for word, weight in words.items()}
        scores = {
            key: sum([weight for word, weight in weights.items() if kept.has(word)])
            for key, kept in texts
            if kept.parent in below or self.root(key) in below
        }
        best = sorted([key for key in scores if scores[key]], key=lambda key: -scores[key])
        expected = [(key[1], self.kept[key].text) for key in best[:limit]]
        found = self.store.search(kind, words, below=below, limit=limit)
        assert (found.found, found.counts) == (expected, counts)
        assert (found.texts, found.words) == (len(texts), sum(len(kept.text.split()) for _, kept in texts))

    def root(self, key: Key) -> Key:
        while (parent := self.kept[key].parent) is not None:
            key = parent
        return key

    @rule(now=st.integers(0, 9))
    def pop_due(self, now: float) -> None:
        waiting = [(kept.due, at, key) for at, (key, kept) in enumerate(self.kept.items()) if kept.due is not None]
        expected = min(waiting, default=None)
        popped = self.store.pop_due(now)
        if expected is None or expected[0] > now:
            assert popped is None
        else:
            assert popped == (expected[0], *expected[2])
            self.kept[expected[2]].due = None

    @precondition(lambda self: len(self.kept) == DOCUMENTS)
    @rule()
    def clear(self) -> None:
        self.store.clear()
        self.kept.clear()
        self.places.clear()

    @invariant()
    def the_same_documents_are_there(self) -> None:
        for key in ALL_KEYS:
            kept = self.kept.get(key)
            assert self.store.get(*key) == (kept.document if kept is not None else None)
            assert self.content(key) == (kept.content if kept is not None else None)

    def content(self, key: Key) -> bytes | None:
        blob = self.store.blob(*key)
        if blob is None:
            return None
        with blob.open() as file:
            return file.read()

    @invariant()
    def they_are_found_below_their_parents_by_their_names_and_when_they_are_due(self) -> None:
        for kind in ("file", "part"):
            for parent in (None, *ALL_KEYS):
                assert list(self.store.documents(kind, parent)) == self.below(kind, parent)
                assert self.store.count(kind, parent) == len(self.below(kind, parent))
            for name in "mn":
                expected = [kept.document for key, kept in self.kept.items() if key[0] == kind and name in kept.names]
                assert self.store.find(kind, name) == expected
        assert self.store.next_due == min((kept.due for kept in self.kept.values() if kept.due is not None), default=NEVER)


class FileMachine(StoreMachine):
    """The same for a store in a file, which is opened again at any time, and takes back what a failure has cut short."""

    def __init__(self) -> None:
        super().__init__()
        self.store.clear()  # of the example before

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = type(self).make(store_documents=DOCUMENTS, store_bytes=BYTES)
        self.places.clear()  # where documents were is kept in memory alone

    @rule(keys=st.lists(KEYS, max_size=3), gone=KEYS, due=DUE, names=NAMES, content=CONTENT, text=TEXTS)
    def take_back(
        self, keys: list[Key], gone: Key, due: float | None, names: list[str], content: bytes | None, text: str | None
    ) -> None:
        before = deepcopy(self.kept)
        with suppress(InterruptedError), self.store.transaction:
            self.delete(gone)
            for key in keys:
                self.put(key, {"x": 2}, None, due, names, content, text, accepted=True)
            raise InterruptedError
        self.kept = before

    @rule(first=KEYS, second=KEYS, due=DUE, content=CONTENT, text=TEXTS)
    def take_back_a_part(self, first: Key, second: Key, due: float | None, content: bytes | None, text: str | None) -> None:
        with self.store.transaction:
            self.put(first, {"x": 1}, None, due, [], content, text, accepted=True)
            self.take_back([first, second], second, due, ["m"], content, text)

    def teardown(self) -> None:
        self.store.close()


def test_a_store_in_a_file_does_what_dicts_do_after_failures_and_when_it_is_opened_again(tmp_path: Path) -> None:
    def make(**limits: int) -> Store:
        return SqliteStore(StateFile(str(tmp_path / "my.state")), "contoso", **limits)

    machine = type("Machine", (FileMachine,), {"make": staticmethod(make)})
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))


def test_a_store_does_what_dicts_do(make_store: Callable[..., Store], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fulltext, "_FEW_REMOVED", 1)
    machine = type("Machine", (StoreMachine,), {"make": staticmethod(make_store)})
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=40, deadline=None))
