"""What resources remember as one JSON document."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from mockserver.errors import StateError
from mockserver.state.dump import dump, parse, restore
from mockserver.state.memory import MemoryStore
from mockserver.state.store import Store

LARGE = os.urandom(2_000_000)


def fill(store: Store) -> None:
    store.put("file", "a", {"id": "a", "text": "Grüße \u0000", "numbers": [1, 1.0, 10**30]}, names=["y", "x"], content=LARGE)
    store.put("store", "s", {}, due=1_790_000_000.25)
    store.put("part", "p", {"id": "p"}, parent=("file", "a"), content=b"", text="words of a text")
    store.put("file", "a/b", {"id": "a/b"}, parent=("part", "p"))


def facts(store: Store) -> list[Any]:
    found = []
    for entry in store.entries():
        with entry.blob.open() if entry.blob is not None else open(os.devnull, "rb") as file:
            found.append((*entry[:7], entry.blob is None, file.read()))
    return found


def exported(**stores: Store) -> Any:
    return json.loads(b"".join(dump(stores)))


def changed(change: Callable[[Any], object]) -> bytes:
    store = MemoryStore()
    fill(store)
    found = exported(contoso=store)
    change(found)
    return json.dumps(found).encode()


def test_what_is_exported_is_the_same_when_it_is_imported(store: Store, make_store: Callable[..., Store]) -> None:
    fill(store)
    text = b"".join(dump({"contoso": store, "empty": MemoryStore()}))
    found = parse(text)
    other = make_store()
    restore(other, found.resources["contoso"])
    assert facts(other) == facts(store)
    assert [entry[1] for entry in facts(store)] == ["a", "s", "p", "a/b"]
    assert [match.id for match in other.search("part", {"text": 1.0}, below=[("file", "a")], limit=5).found] == ["p"]
    assert found.resources["empty"] == []
    assert b"".join(dump({"contoso": other, "empty": MemoryStore()})) == text


def test_the_format_is_that_of_the_page() -> None:
    store = MemoryStore(generation=3)
    store.put("file", "a", {"id": "a"}, names=["n"], due=5.5, content=b"bytes")
    store.put("part", "p", {}, parent=("file", "a"))
    assert exported(contoso=store) == {
        "mockserver_state": 1,
        "generation": 3,
        "resources": {
            "contoso": [
                {"kind": "file", "id": "a", "document": {"id": "a"}, "due": 5.5, "names": ["n"], "content": "Ynl0ZXM="},
                {"kind": "part", "id": "p", "document": {}, "parent": ["file", "a"]},
            ]
        },
    }


def test_each_document_has_a_line() -> None:
    store = MemoryStore()
    fill(store)
    assert b"".join(dump({"contoso": store})).count(b"\n") == 8


def test_objects_with_the_same_id_are_replaced_with_all_that_hangs_below(store: Store) -> None:
    store.put("file", "a", {"old": True})
    store.put("old", "o", {}, parent=("file", "a"))
    store.put("file", "other", {})
    restore(store, parse(changed(lambda _: None)).resources["contoso"])
    assert store.get("old", "o") is None
    assert store.count("file") == 2
    assert [entry.id for entry in store.entries()] == ["other", "a", "s", "p", "a/b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "this is not JSON"),
        (b"{", "this is not JSON"),
        (b"\xff", "this is not JSON"),
        (b"[" * 100_000, "this is not JSON"),
        (b"[]", "it has no member mockserver_state"),
        (b"{}", "it has no member mockserver_state"),
        (changed(lambda found: found.update(mockserver_state=2)), "has format 2; this version reads format 1"),
        (changed(lambda found: found.pop("resources")), "resources: field required"),
        (changed(lambda found: found.update(more=1)), "more: extra inputs are not permitted"),
        (changed(lambda found: found["resources"]["contoso"][1].pop("kind")), "resources.contoso.1.kind: field required"),
        (changed(lambda found: found["resources"]["contoso"][1].update(document=[])), "resources.contoso.1.document: "),
        (changed(lambda found: found["resources"]["contoso"][2].update(parent=["a"])), "resources.contoso.2.parent: "),
    ],
    ids=lambda one: one if isinstance(one, str) else "",  # the bytes have the time in them, and ids are the same in all workers
)
def test_what_cannot_be_read_is_refused_in_one_line(text: bytes, message: str) -> None:
    with pytest.raises(StateError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.pop(0), "entry 1, the part 'p': there is no file 'a' for a part to hang below"),
        (lambda rows: rows[2].update(content="%%%"), "entry 2, the part 'p': "),
    ],
)
def test_what_cannot_be_put_is_refused_in_one_line(change: Callable[[list[Any]], object], message: str) -> None:
    found = parse(changed(lambda found: change(found["resources"]["contoso"])))
    with pytest.raises(StateError, match=message):
        restore(MemoryStore(), found.resources["contoso"])
