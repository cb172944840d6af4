"""The backends of the store: whatever holds for one holds for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mockserver.state.memory import MemoryStore
from mockserver.state.sqlite import SqliteStore
from mockserver.state.sqlite_file import StateFile
from mockserver.state.store import Store

MakeStore = Callable[..., Store]


@pytest.fixture(params=["memory", "file"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeStore]:
    """Makes stores of one backend; it takes the limits `store_documents` and `store_bytes`."""
    stores: list[Store] = []

    def in_file(**limits: Any) -> Store:
        stores.append(SqliteStore(StateFile(str(tmp_path / f"{next(numbers)}.state")), "contoso", **limits))
        return stores[-1]

    numbers = count()
    yield MemoryStore if request.param == "memory" else in_file
    for store in stores:
        store.close()


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    """An empty store."""
    return make_store()
