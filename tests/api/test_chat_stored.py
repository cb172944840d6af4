"""Stored chat completions."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai import OpenAI

from mockserver import MockServer

HI: Any = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": [{"type": "text", "text": "hi"}], "name": "Ann"},
]


def create(client: OpenAI, **options: Any) -> str:
    return client.chat.completions.create(**({"model": "gpt-4o", "messages": HI, "store": True} | options)).id


def test_only_what_is_to_be_stored_is_stored(plain: OpenAI) -> None:
    kept, dropped = create(plain), create(plain, store=False)
    assert plain.chat.completions.retrieve(kept).id == kept
    with pytest.raises(openai.NotFoundError, match=f"Completion {dropped} not found"):
        plain.chat.completions.retrieve(dropped)


def test_a_streamed_completion_is_stored_too(plain: OpenAI) -> None:
    chunks = list(plain.chat.completions.create(model="gpt-4o", messages=HI, store=True, stream=True))
    told = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert plain.chat.completions.retrieve(chunks[1].id).choices[0].message.content == told


def test_they_are_listed_newest_first_by_page_model_and_label(plain: OpenAI) -> None:
    ids = [create(plain, metadata={"batch": str(at % 2)}) for at in range(5)]
    create(plain, model="gpt-4.1")
    assert [one.id for one in plain.chat.completions.list(model="gpt-4o-2024-11-20", limit=2)] == ids[::-1]
    assert [one.id for one in plain.chat.completions.list(metadata={"batch": "1"})] == [ids[3], ids[1]]
    assert [one.id for one in plain.chat.completions.list(model="gpt-4o-2024-11-20", order="asc")] == ids


def test_labels_are_replaced(plain: OpenAI) -> None:
    kept = create(plain, metadata={"a": "1"})
    assert plain.chat.completions.update(kept, metadata={"b": "2"}).metadata == {"b": "2"}  # type: ignore[attr-defined]
    assert plain.chat.completions.retrieve(kept).metadata == {"b": "2"}  # type: ignore[attr-defined]


def test_the_messages_that_asked_are_kept(plain: OpenAI) -> None:
    kept = create(plain)
    first, second = plain.chat.completions.messages.list(kept, limit=1)
    assert (first.id, first.role, first.content) == (f"{kept}-0", "system", "be kind")
    assert (second.id, second.name, second.content) == (f"{kept}-1", "Ann", None)
    assert second.content_parts[0].text == "hi"  # type: ignore[index, union-attr]


def test_what_is_deleted_is_gone(plain: OpenAI) -> None:
    kept = create(plain)
    assert plain.chat.completions.delete(kept).deleted
    for call in (plain.chat.completions.delete, plain.chat.completions.retrieve, plain.chat.completions.messages.list):
        with pytest.raises(openai.NotFoundError):
            call(kept)


def test_they_stay_until_they_are_deleted(mock: MockServer, plain: OpenAI) -> None:
    kept = create(plain)
    mock.clock.advance("400d")
    assert plain.chat.completions.retrieve(kept).id == kept
