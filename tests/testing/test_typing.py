"""The types that users see: mypy reads this file in `scripts/check`, and the tests hold what it says at run time.

A wrong use carries the error that mypy must report: where it reports none, the comment is unused, and that is an error too.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, assert_type

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from mockserver import MockServer, ScenarioError, create_app
from mockserver.app import Application
from mockserver.resource.journal import Exchange
from mockserver.scenario.rule import Rule
from mockserver.state.clock import Clock
from mockserver.testing.calls import RecordedCall
from mockserver.testing.mock import Mock
from mockserver.verdict import Verdict


def test_a_server_is_its_own_context_and_has_typed_clients() -> None:
    with MockServer({"rules": []}, seed="1", strict=True) as server:
        assert_type(server, MockServer)
        assert_type(server.base_url, str)
        assert_type(server.environment, dict[str, str])
        assert isinstance(assert_type(server.client, OpenAI), OpenAI)
        assert isinstance(assert_type(server.async_client, AsyncOpenAI), AsyncOpenAI)
        with assert_type(server.http_client(), httpx2.Client) as http:
            assert isinstance(http, httpx2.Client)
        assert isinstance(assert_type(server.clock, Clock), Clock)
        assert isinstance(assert_type(server.mint(region="westus"), Mock), Mock)


def test_a_rule_a_call_and_a_verdict_have_types() -> None:
    with MockServer() as server:
        rule = server.when(user="hi").respond("Hello!")
        assert isinstance(assert_type(rule, Rule), Rule)
        server.client.responses.create(model="gpt-4o", input="hi")
        calls = assert_type(server.assert_called("createResponse", times=1), list[RecordedCall])
        assert assert_type(calls[0].text, str) == "Hello!"
        assert assert_type(calls[0].rule, str | None) == rule.name
        assert [exchange.status for exchange in assert_type(server.requests, list[Exchange])] == [200]
        assert isinstance(assert_type(server.verdict(), Verdict), Verdict)
        assert_type(server.intercept(), AbstractContextManager[None])


def test_an_application_is_made_of_scenarios_and_settings() -> None:
    app = create_app({"deployments": {"mine": {"model": "gpt-4o"}}}, keys=("one",), journal_limit=10)
    assert isinstance(assert_type(app, Application), Application)


def test_a_wrong_setting_is_seen_by_mypy_and_refused() -> None:
    with pytest.raises(TypeError, match="strikt"):
        create_app(strikt=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="journal_limit"):
        create_app(journal_limit="many")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="polls"):
        MockServer().mint(polls=3)  # type: ignore[call-arg]


def test_a_decorated_function_keeps_its_type_and_loses_the_server_for_pytest() -> None:
    @MockServer()
    def decorated(name: str, server: MockServer) -> str:
        return f"{name} {server.base_url}"

    assert list(inspect.signature(decorated).parameters) == ["name"]
    plain: Callable[..., Any] = decorated
    assert plain("at").startswith("at http://127.0.0.1:")


def test_errors_are_named_by_the_package() -> None:
    with pytest.raises(ScenarioError) as caught:
        create_app({"ruls": []})
    assert_type(caught.value, ScenarioError)
