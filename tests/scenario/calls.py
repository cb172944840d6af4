"""Calls as the scenario engine sees them, for its tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from mockserver.errors import ScenarioError
from mockserver.model.catalogue import infer
from mockserver.model.prompt import Prompt, Tool, Turn
from mockserver.scenario.engine import Answer, Script
from mockserver.scenario.load import parse
from mockserver.scenario.match import CallView
from mockserver.state.chance import Chance

T = TypeVar("T")
NOW = 1_790_000_000.0


def call(
    user: str = "hello",
    *,
    operation: str = "createChatCompletion",
    deployment: str = "gpt-4o",
    system: str | None = None,
    turns: list[Turn] | None = None,
    tools: tuple[str, ...] = (),
    headers: dict[str, str] | None = None,
    body: Any = None,
    metadata: dict[str, str] | None = None,
    previous: str | None = None,
    with_model: bool = True,
) -> CallView:
    """A call; `turns` follow the user's turn, without a model it is one that no model answers."""
    conversation = [Turn("user", user), *(turns or [])]
    offered = tuple(Tool(name) for name in tools)
    prompt = Prompt(deployment, infer(deployment), conversation, system, offered, metadata=metadata or {}, previous=previous)
    return CallView(operation, deployment, {} if body is None else body, headers or {}, prompt if with_model else None)


def tool_result(text: str, name: str = "get_weather") -> list[Turn]:
    """The two turns of a tool call and its result."""
    return [Turn("assistant"), Turn("tool", text, tool_call_id="call_1", name=name)]


def script_of(text: str) -> Script:
    """A script from a scenario's text."""
    return Script(parse(text).rules)


def outcome(make: Callable[[], T]) -> T | list[str]:
    """The result of `make`, or the problems of a scenario that is refused."""
    try:
        return make()
    except ScenarioError as error:
        return error.problems


def answer_to(script: Script, view: CallView | None = None, seed: str = "seed") -> Answer | None:
    """The answer of a script, None where no rule fits."""
    return script.answer(view or call(), Chance(seed), NOW)


def text(script: Script, view: CallView | None = None, seed: str = "seed") -> str | None:
    """The text of a script's answer, None where no rule fits."""
    answer = answer_to(script, view, seed)
    if answer is None:
        return None
    assert answer.error is None, answer.error
    assert answer.reply is not None
    return answer.reply.text
