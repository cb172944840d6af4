"""What templates can say, and that they can do no harm."""

from __future__ import annotations

import resource
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
        ("{{ 10 ** 1000 * 10 ** 1000 }}", "a number is too large"),
        ("{{ '%999999999d' % 1 }}", "grew beyond"),
        ("{{ '%.999999999f' | format(1.5) }}", "grew beyond"),
        ("{{ '%*d' % (999999999, 1) }}", "a width cannot be a value"),
        ("{{ ('%(a)s' * 100000) % {'a': 'x' * 100000} }}", "grew beyond"),
        ("{{ '{:999999999}'.format(1) }}", "grew beyond"),
        ("{{ '{:{}}'.format(1, 999999999) }}", "grew beyond"),
        ("{{ '{a:999999999}'.format_map({'a': 1}) }}", "grew beyond"),
        ("{{ ('{0}' * 100000).format('x' * 100000) }}", "grew beyond"),
        ("{{ 'a' | center(999999999) }}", "grew beyond"),
        ("{{ 'a'.center(999999999) }}", "grew beyond"),
        ("{{ ['a'] | map('center', 999999999) | list }}", "grew beyond"),
        ("{% filter center(999999999) %}a{% endfilter %}", "grew beyond"),
        ("{{ 'a\nb' | indent(999999) }}", "grew beyond"),
        ("{{ [1] | batch(999999999, 'x') | list }}", "grew beyond"),
        ("{{ [1] | slice(999999999) | list }}", "grew beyond"),
        ("{{ [1] | tojson(indent=17) }}", "an indentation is from 0 to 16"),
        ("{{ 5 | round(-999999999) }}", "the precision is too large"),
        ("{{ (1).to_bytes(999999999, 'big') | length }}", "grew beyond"),
        ("{{ ('f' * 100000) | int(0, 16) }}", "a number is too large"),
        ("{% set a = 'a' * 9999 %}{{ a | replace('a', a) }}", "grew beyond"),
        ("{% set a = 'a' * 9999 %}{{ a.replace('a', a) }}", "grew beyond"),
        ("{% set a = 'a' * 9999 %}{{ a.join(a) }}", "grew beyond"),
        ("{% set a = 'a' * 9999 %}{{ a | join(a) }}", "grew beyond"),
        ("{% set a = 'a' * 9999 %}{{ a.translate({97: a}) }}", "grew beyond"),
        ("{{ ('x' * 9999).expandtabs(99999) }}", "grew beyond"),
        ("{% set a = 'a' * 99999 %}{{ a.strip(a) }}{{ a | trim(a) }}", "grew beyond"),
        ("{{ 'x'.encode('punycode') }}", "grew beyond"),
        ("{{ ('x' | safe).striptags() }}", "grew beyond"),
        ("{{ [[1]] | sum(start=[]) }}", "a sum begins with a number"),
        (
            "{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}",
            "grew beyond 5,000,000",
        ),
        (
            "{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = [n.a] * 2 %}{% endfor %}{{ n.a }}",
            "grew beyond 5,000,000",
        ),
        (
            "{% set n = namespace(a={}) %}{% for i in range(60) %}{% set n.a = dict(a=n.a, b=n.a) %}{% endfor %}",
            "grew beyond 5,000,000",
        ),
        ("{% set a = 'a' * 99999 %}{% for i in range(999) %}{% set b = a[1:] %}{% endfor %}", "grew beyond 5,000,000"),
        ("{% set a = 'a' * 99999 %}{% for i in range(999) %}{% if 'b' in a %}{% endif %}{% endfor %}", "grew beyond 5,000,000"),
        ("{% set a = 'a' * 99999 %}{% for i in range(999) %}{{ a.count('b') }}{% endfor %}", "grew beyond 5,000,000"),
        ("{% set a = 'a' * 99999 %}{% for i in range(999) %}{% set b = a ~ i %}{% endfor %}", "grew beyond 5,000,000"),
        ("{% set a %}{% for i in range(99999) %}" + "y" * 999 + "{% endfor %}{% endset %}", "grew beyond 5,000,000"),
        ("{{ fake.text(999999999) }}", "fake makes no more than 1,000"),
        ("{{ fake.bothify('#' * 99999) }}", "fake makes no more than 1,000"),
        ("{% for a in range(100) %}{{ 'x' * 99999 }}{% endfor %}", "grew beyond 1,000,000 characters"),
    ],
)
def test_a_template_that_fails_is_an_error_of_the_call(template: str, message: str) -> None:
    error = failed(answer_to(scripted(template)))
    assert error.startswith("mockserver: the template of rule 'it' failed: ")
    assert message in error


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ ['a', 'b'] | map('upper') | join('-') }} {{ [{'n': 1}, {'n': 2}] | join('+', attribute='n') }}", "A-B 1+2"),
        ("{{ '%s-%05d %(x)' % ('a', 3) if false else '%s-%05d' % ('a', 3) }} {{ '%(a)s' | format(a=1) }}", "a-00003 1"),
        ("{{ '{} {:>3} {a[0]}'.format('x', 1, a=[2]) }} {{ '{a}'.format_map({'a': 1}) }}", "x   1 2 1"),
        ("{{ user.replace('l', 'L', 1) }} {{ user | replace('l', '') }} {{ user[1:3] }} {{ ' a ' | trim }}", "heLlo heo el a"),
        ("{{ 'a\nb' | indent(2) }} {{ 2.345 | round(2) }} {{ [1, 2] | sum }} {{ 'ab'.center(4) }}|", "a\n  b 2.35 3  ab |"),
        ("{% filter upper %}a{{ 1 }}{% endfilter %}{% for a, b in {'x': 1}.items() %}{{ a }}{{ b }}{% endfor %}", "A1x1"),
        (
            "{{ request.nope is defined }} {{ request.nope | default('d') }} {{ 2 in [1, 2] }} {{ 3 % 2 }} {{ 7 // 2 }}",
            "False d True 1 3",
        ),
        ("{{ [1699999999] | select('eq', 1699999999) | list }} {{ fake.random_int(5, 5) }}", "[1699999999] 5"),
    ],
)
def test_what_is_bounded_still_works(template: str, expected: str) -> None:
    assert text(scripted(template), call("hello", body=BODY)) == expected


@pytest.mark.parametrize(
    "template", ["{{ 'a' | center(999999999) }}", "{{ '%999999999d' % 1 }}", "{{ [1] | batch(10 ** 12, 'x') }}"]
)
def test_nothing_is_worked_out_while_a_template_is_loaded(template: str) -> None:
    def outgrown() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = outgrown()
    scripted({"json": template})
    scripted(template)
    assert outgrown() - before < 100_000  # kilobytes


@pytest.mark.parametrize(
    "template", ["{% autoescape 'a' | center(99) %}{% endautoescape %}", "{{ 'a' | wordwrap(1) }}", "{{ '<' | striptags }}"]
)
def test_what_takes_long_whatever_it_is_given_is_not_there(template: str) -> None:
    assert not isinstance(outcome(lambda: scripted(template)), Script)


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
