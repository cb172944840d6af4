"""The backends of the store: whatever holds for one holds for all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mockserver.state.memory import MemoryStore
from mockserver.state.store import Store

MakeStore = Callable[..., Store]
BACKENDS: dict[str, MakeStore] = {"memory": MemoryStore}


@pytest.fixture(params=BACKENDS)
def make_store(request: pytest.FixtureRequest) -> MakeStore:
    """Makes stores of one backend; it takes the limits `store_documents` and `store_bytes`."""
    return BACKENDS[request.param]


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    """An empty store."""
    return make_store()
