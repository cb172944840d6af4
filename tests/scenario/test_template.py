"""What templates can say, and that they can do no harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario.calls import answer_to, call, outcome, text, tool_result

from mockserver.model.prompt import Turn
from mockserver.model.reply import Text, ToolCall
from mockserver.scenario.engine import Answer, Script
from mockserver.scenario.load import build
from mockserver.scenario.match import CallView

BODY = {"model": "gpt-4o", "metadata": {"team": "blue"}, "items": [1, 2]}


def scripted(respond: Any, when: Any = None) -> Script:
    return Script(build({"rules": [{"name": "it", "when": when or {}, "respond": respond}]}).rules)


def failed(answer: Answer | None) -> str:
    assert answer is not None
    assert answer.error is not None
    assert answer.error.status == 400
    assert answer.error.detail["code"] == "scenario_error"
    return str(answer.error.detail["message"])


@pytest.mark.parametrize(
    ("template", "view", "expected"),
    [
        ("{{ user }}!", call("hello"), "hello!"),
        ("{{ system }}", call(system="be brief"), "be brief"),
        ("{{ turn }}", call(turns=[Turn("assistant")]), "2"),
        ("{{ operation }} {{ deployment }}", call(), "createChatCompletion gpt-4o"),
        ("{{ request.model }} {{ request['items'] | sum }}", call(body=BODY), "gpt-4o 3"),
        ("{{ metadata.team }}", call(metadata={"team": "blue"}), "blue"),
        ("{{ headers['x-a'] }}", call(headers={"x-a": "b"}), "b"),
        ("{{ tool_result.temp }}", call(turns=tool_result('{"temp": 18}')), "18"),
        ("{{ tool_result }}", call(turns=tool_result("sunny")), "sunny"),
        ("{{ tool_results.get_weather.temp }}", call(turns=tool_result('{"temp": 18}')), "18"),
        ("{{ now }} {{ today }}", call(), "1790000000 2026-09-21"),
        ("{{ state }} {{ count }}", call(), "start 1"),
        ("{% for word in user.split() %}{{ loop.index }}:{{ word }} {% endfor %}", call("a b"), "1:a 2:b "),
        ("{% if 'x' in user %}yes{% else %}no{% endif %}", call("y"), "no"),
        ("{{ request.nope | default('none') }}", call(), "none"),
        ("{{ request | tojson }}", call(body={"a": ["<é>"]}), '{"a":["<é>"]}'),
        ("{% raw %}{{ user }}{% endraw %}", call(), "{{ user }}"),
        ("{{ user }}\n", call("a"), "a\n"),
        ("{{ user }}", call("\ud800"), "?"),
    ],
)
def test_a_template_sees_the_call(template: str, view: CallView, expected: str) -> None:
    assert text(scripted(template), view) == expected


def test_groups_of_the_rules_expressions_are_captured() -> None:
    when = {"user": {"matches": r"from (?P<from>\w+) to (\w+)"}, "system": {"matches": r"(?P<tone>loud|quiet)"}}
    script = scripted("{{ match.from }} {{ match[2] }} {{ match.tone }} [{{ match[0] }}]", when)
    assert text(script, call("fly from Rome to Oslo", system="be quiet")) == "Rome Oslo quiet [from Rome to Oslo]"


def test_numbered_groups_are_those_of_the_user_turn_where_it_is_matched() -> None:
    when = {"deployment": {"matches": "(gpt)"}, "user": {"matches": "(hel)lo"}, "json": {"a": {"matches": "(b)"}}}
    assert text(scripted("{{ match[1] }}", when), call("hello", body={"a": "b"})) == "hel"
    when = {"deployment": {"matches": "(gpt)"}, "user": "hello"}
    assert text(scripted("{{ match[1] }}", when), call("hello")) == "gpt"


def test_count_tells_which_answer_of_the_rule_it_is() -> None:
    script = scripted(["first", "again: {{ count }}"])
    assert [text(script) for _ in range(3)] == ["first", "again: 2", "again: 3"]


def test_a_lone_expression_keeps_its_type_where_json_is_written() -> None:
    arguments = {
        "n": "{{ tool_result.temp }}",
        "s": "{{ tool_result.temp }} C",
        "all": ["{{ tool_result }}"],
        "none": "{{ none }}",
    }
    script = scripted({"tool_calls": [{"name": "f", "arguments": arguments}], "json": {"t": "{{ tool_result.temp > 10 }}"}})
    answer = answer_to(script, call(turns=tool_result('{"temp": 18}')))
    assert answer is not None
    assert answer.reply is not None
    assert answer.reply.parts == [Text('{"t":true}'), ToolCall("f", '{"n":18,"s":"18 C","all":[{"temp":18}],"none":null}')]


def test_templates_may_stand_in_errors_headers_and_bodies() -> None:
    script = scripted(
        [
            {"error": {"status": 404, "message": "no {{ deployment }}", "headers": {"x-who": "{{ user }}"}}},
            {"body": "{{ request }}"},
        ]
    )
    first, second = answer_to(script), answer_to(script, call(body=BODY))
    assert first is not None
    assert first.error is not None
    assert (first.error.detail["message"], first.error.headers["x-who"]) == ("no gpt-4o", "hello")
    assert second is not None
    assert second.raw is not None
    assert second.raw.body == b'{"model":"gpt-4o","metadata":{"team":"blue"},"items":[1,2]}'


CHANCE = "{{ uuid() }} {{ random() }} {{ randint(1, 6) }} {{ choice(['a', 'b']) }} {{ [1, 2, 3] | random }} {{ fake.name() }} {{ fake.city }}"


def test_chance_in_templates_is_the_calls() -> None:
    texts = [text(scripted(CHANCE), seed=seed) for seed in ("a", "a", "b")]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ tool_result.temp }}", "'None' has no attribute 'temp'"),
        ("{{ request.nope }}", "'dict object' has no attribute 'nope'"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ match[1] }}", "failed: match has no element 1"),
        ("{{ user.__class__ }}", "unsafe"),
        ("{{ request.clear() }}", "unsafe"),
        ("{{ fake.seed(1) }}", "'fake' has no attribute 'seed'"),
        ("{{ fake.nope() }}", "nope"),
        ("{{ range(10 ** 9) | list }}", "a range is longer than"),
        ("{% for a in range(9999) %}{% for b in range(9999) %}{% set c = 1 %}{% endfor %}{% endfor %}", "loops went round"),
        ("{{ 'a' * 10 ** 9 }}", "grew beyond"),
        ("{{ 10 ** 10001 }}", "a power is too large"),
        ("{% for a in range(100) %}{{ 'x' * 99999 }}{% endfor %}", "grew beyond 1,000,000 characters"),
    ],
)
def test_a_template_that_fails_is_an_error_of_the_call(template: str, message: str) -> None:
    error = failed(answer_to(scripted(template)))
    assert error.startswith("mockserver: the template of rule 'it' failed: ")
    assert message in error


@pytest.mark.parametrize(
    ("respond", "user"),
    [({"json": "{{ user.upper }}"}, "x"), ({"body": "", "headers": {"x": "{{ user }}"}}, "a\r\nset-cookie: b")],
)
def test_a_value_that_an_answer_cannot_hold_is_an_error_of_the_call(respond: Any, user: str) -> None:
    assert "failed" in failed(answer_to(scripted(respond), call(user)))


@given(st.text() | st.text(alphabet="{}%|.()'\" abuser0123+-*~[]#\n", min_size=3).map("{{ ".__add__))
@settings(max_examples=60, deadline=None)
def test_any_text_answers_or_fails_cleanly(template: str) -> None:
    result = outcome(lambda: scripted(template))
    if not isinstance(result, Script):
        assert result
        return
    answer = answer_to(result)
    assert answer is not None
    assert answer.reply is not None or failed(answer)
