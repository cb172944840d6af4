"""The journal is bounded by count and by bytes."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from mockserver.model.catalogue import infer
from mockserver.model.prompt import Media, Prompt, Turn
from mockserver.resource.journal import Exchange, Journal

MEGABYTE = 1024 * 1024


def exchange(number: int, body: bytes = b"", answer: bytes = b"", frames: list[bytes] | None = None) -> Exchange:
    return Exchange(number, "POST", "/", {}, request_body=body, response_body=answer, frames=frames)


def test_the_oldest_exchanges_make_room_for_new_ones_by_count() -> None:
    journal = Journal(limit=2)
    for number in range(5):
        journal.add(exchange(number))
    assert [one.number for one in journal] == [3, 4]
    assert journal.dropped == 3


def test_the_oldest_exchanges_make_room_for_new_ones_by_bytes() -> None:
    journal = Journal(most_bytes=MEGABYTE)
    for number in range(20):
        journal.add(exchange(number, answer=b"x" * 100_000))
    assert [one.number for one in journal][-1] == 19
    assert 5 < len(journal) < 12


def test_a_body_that_alone_fills_the_journal_is_kept_as_size_and_digest() -> None:
    journal = Journal(most_bytes=MEGABYTE)
    body = b"y" * 500_000
    journal.add(exchange(1))
    journal.add(exchange(2, body=body, answer=body))
    first, second = journal
    assert first.number == 1
    assert second.request == second.response == {"bytes": 500_000, "sha256": sha256(body).hexdigest()}


def test_events_of_streams_count_too() -> None:
    journal = Journal(most_bytes=MEGABYTE)
    for number in range(5):
        journal.add(exchange(number, frames=[b"z" * 100_000] * 4))
    assert len(journal) == 2


def test_a_text_counts_as_much_as_it_takes() -> None:
    narrow, wide = Journal(most_bytes=2 * MEGABYTE), Journal(most_bytes=2 * MEGABYTE)
    for number in range(40):
        for journal, text in ((narrow, "x" * 50_000), (wide, "x" * 49_999 + "🙂")):
            one = exchange(number)
            one.prompt = Prompt("gpt-4o", infer("gpt-4o"), [Turn("user", text)])
            journal.add(one)
    assert 3 * len(wide) < len(narrow) == 40


def test_the_stored_conversation_that_a_prompt_goes_on_counts_too() -> None:
    journal, turns = Journal(most_bytes=MEGABYTE), [Turn("user", "a" * 25_000, (Media("image", "b" * 25_000),))] * 2
    for number in range(20):
        one = exchange(number, body=b"short")
        one.prompt = Prompt("gpt-4o", infer("gpt-4o"), turns)
        journal.add(one)
    assert 5 < len(journal) < 12


def test_a_prompt_that_alone_fills_the_journal_is_not_kept() -> None:
    journal, one = Journal(most_bytes=MEGABYTE), exchange(1, body=b'{"input":"hi"}')
    one.prompt = Prompt("gpt-4o", infer("gpt-4o"), [Turn("user", "a" * 500_000)])
    journal.add(one)
    assert (one.prompt, one.request) == (None, {"input": "hi"})


def test_clearing_makes_room() -> None:
    journal = Journal(limit=1)
    journal.add(exchange(1))
    journal.add(exchange(2))
    journal.clear()
    assert (len(journal), journal.dropped) == (0, 0)


@given(st.lists(st.integers(0, 200_000), max_size=60), st.integers(1, 20))
def test_it_never_holds_more_than_its_room_and_always_the_last(sizes: list[int], limit: int) -> None:
    journal = Journal(limit, MEGABYTE)
    for number, size in enumerate(sizes):
        journal.add(exchange(number, answer=b"x" * size))
    kept = list(journal)
    assert len(kept) <= limit
    assert sum(len(one.response_body) for one in kept) <= MEGABYTE
    assert len(kept) + journal.dropped == len(sizes)
    assert not sizes or kept[-1].number == len(sizes) - 1
