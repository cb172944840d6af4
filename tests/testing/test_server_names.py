"""What a mock says of itself, and of conditions without a name."""

from __future__ import annotations

import pytest

from mockserver import MockServer


def test_a_mock_shows_where_it_is_and_how_many_calls_it_got() -> None:
    with MockServer() as mock:
        assert repr(mock) == f"<MockServer 'mockserver' at {mock.endpoint}, 0 calls>"
        mock.client.models.list()
        assert repr(mock).endswith(", 1 call>")
        assert repr(mock.mint()).startswith("<Mock 'test-1' at http://127.0.0.1:")


def test_a_condition_without_a_name_gets_a_suggestion() -> None:
    with MockServer() as mock, pytest.raises(TypeError, match=r"did you mean when\(user='hello'\)\?"):
        mock.when("hello")
