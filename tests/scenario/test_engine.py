"""Which rule answers when, how often, and in which state; and the same rules written in Python."""

from __future__ import annotations

from typing import Any

import pytest
from scenario.calls import answer_to, call, script_of, text

from mockserver.errors import ScenarioError
from mockserver.model.reply import Reasoning, Text, ToolCall
from mockserver.scenario.engine import Script
from mockserver.scenario.load import parse


def test_the_first_rule_that_fits_answers() -> None:
    script = script_of("rules: [{when: {user: x}, respond: a}, {respond: b}, {respond: c}]")
    assert text(script) == "b"
    assert script.uses == {"<string>:1": 1}
    assert script.unused() == []


def test_higher_priority_is_asked_first_and_equal_ones_in_file_order() -> None:
    script = script_of("rules: [{respond: a, name: a}, {respond: b, name: b, priority: 1}, {respond: c, name: c, priority: 1}]")
    assert [rule.name for rule in script.rules] == ["b", "c", "a"]
    assert text(script) == "b"


def test_a_sequence_is_gone_through_and_its_last_entry_repeats() -> None:
    script = script_of("rules: [{respond: [a, {text: b}, c]}]")
    assert [text(script) for _ in range(5)] == ["a", "b", "c", "c", "c"]


def test_a_rule_with_times_is_passed_over_once_used_up() -> None:
    script = script_of("rules: [{name: twice, respond: [a, b, c], times: 2}, {respond: z}]")
    assert [text(script) for _ in range(4)] == ["a", "b", "z", "z"]


def test_a_used_up_rule_is_a_near_miss_that_says_so() -> None:
    script = script_of("rules: [{name: once, respond: a, times: 1}]")
    assert answer_to(script)
    assert answer_to(script) is None
    (miss,) = script.near_misses(call())
    assert [str(mismatch) for mismatch in miss.mismatches] == ["times: expected at most 1, got call 2"]


def test_states_make_a_machine() -> None:
    script = script_of(
        """
        rules:
          - {when: {user: login, state: start}, respond: welcome, set_state: inside}
          - {when: {user: logout, state: inside}, respond: bye, set_state: start}
          - {when: {state: start}, respond: log in first}
          - {respond: working}
        """
    )
    texts = [text(script, call(user)) for user in ("work", "login", "work", "logout", "work")]
    assert texts == ["log in first", "welcome", "working", "bye", "log in first"]


def test_machines_move_separately() -> None:
    script = script_of(
        """
        rules:
          - {when: {user: open}, respond: opened, set_state: {door: open}}
          - {when: {user: light}, respond: lit, set_state: {lamp: lit}}
          - {when: {state: {door: open, lamp: lit}}, respond: both}
          - {when: {state: {door: open}}, respond: only the door}
        """
    )
    texts = [text(script, call(user)) for user in ("?", "open", "?", "light", "?")]
    assert texts == [None, "opened", "only the door", "lit", "both"]


def test_reset_forgets_counts_and_states_and_rules_only_when_asked() -> None:
    script = script_of("rules: [{when: {state: start}, respond: [a, b], set_state: used}]")
    script.when().respond("python")
    assert [text(script), text(script)] == ["a", "python"]
    script.reset()
    assert script.uses == {"<string>:1": 0, "when()": 0}
    assert [text(script), text(script)] == ["a", "python"]
    script.reset(rules=True)
    assert [text(script), text(script)] == ["a", None]


def test_replacing_rules_keeps_states_python_rules_and_their_counts() -> None:
    script = script_of("rules: [{respond: old, times: 1, set_state: ready}]")
    python = script.when(user="py").respond("a", "b")
    assert [text(script), text(script, call("py"))] == ["old", "a"]
    script.replace(parse("rules: [{when: {state: ready, user: new}, respond: new}]").rules)
    assert [text(script, call("new")), text(script, call("py")), text(script, call("old"))] == ["new", "b", None]
    assert script.rules[-1] is python


def test_scripts_share_rules_but_nothing_else() -> None:
    rules = parse("rules: [{respond: [a, b], times: 1, set_state: moved}]").rules
    first, second = Script(rules), Script(rules)
    assert [text(first), text(first), text(second)] == ["a", None, "a"]


def test_rules_written_in_python_come_after_the_files_unless_they_have_priority() -> None:
    script = script_of("rules: [{when: {user: hello}, respond: file}]")
    script.when(user="hello").respond("python")
    assert text(script) == "file"
    script.when(user="hello").respond("first", priority=1, times=1)
    assert [text(script), text(script)] == ["first", "file"]


@pytest.mark.parametrize(
    ("answers", "keywords", "expected"),
    [
        (("hi",), {}, [Text("hi")]),
        ((), {"text": "hi"}, [Text("hi")]),
        (({"json": {"a": [1, None]}},), {}, [Text('{"a":[1,null]}')]),
        ((), {"json": (1, 2)}, [Text("[1,2]")]),
        ((), {"tool_calls": [("f", {"a": 1}), ("g",)]}, [ToolCall("f", '{"a":1}'), ToolCall("g", "{}")]),
        ((), {"tool_calls": [{"name": "f", "arguments": "raw", "kind": "custom"}]}, [ToolCall("f", "raw", "custom")]),
        ((), {"reasoning": {"summary": ["a", "b"], "tokens": 9}, "text": "c"}, [Reasoning(("a", "b"), "", 9), Text("c")]),
    ],
)
def test_respond_takes_the_words_of_the_file(answers: Any, keywords: Any, expected: Any) -> None:
    script = Script()
    script.when(user="hello").respond(*answers, **keywords)
    answer = answer_to(script)
    assert answer is not None
    assert answer.reply is not None
    assert answer.reply.parts == expected


def test_several_answers_are_a_sequence() -> None:
    script = Script()
    rule = script.when(not_={"user": "x"}, any=[{"turn": 1}]).respond({"error": "rate_limit"}, "ok", name="flaky")
    first = answer_to(script)
    assert first is not None
    assert first.error is not None
    assert (first.rule, first.error.status, text(script), rule.name) == ("flaky", 429, "ok", "flaky")


@pytest.mark.parametrize(
    ("when", "respond", "message"),
    [
        ({"usr": "x"}, {}, "when() got an unexpected keyword 'usr'; did you mean 'user'?"),
        ({"times": 1}, {}, "when() got an unexpected keyword 'times'; it belongs to respond()"),
        ({}, {"tool_cals": []}, "respond() got an unexpected keyword 'tool_cals'; did you mean 'tool_calls'?"),
    ],
)
def test_an_unknown_keyword_is_a_type_error_with_the_nearest_one(when: Any, respond: Any, message: str) -> None:
    with pytest.raises(TypeError) as raised:
        Script().when(**when).respond(**respond)
    assert str(raised.value) == message


def test_answers_and_keywords_do_not_mix() -> None:
    with pytest.raises(TypeError, match="takes answers or keywords, not both: put delay into a dict"):
        Script().when().respond("hi", delay=1)


@pytest.mark.parametrize(
    ("when", "respond", "problem"),
    [
        (
            {"user": 5},
            {"text": "a"},
            "when(user=5): when.user: expected text, a list of texts, or conditions such as contains; got 5",
        ),
        ({}, {"error": "x"}, "when(): respond.error: there is no error named 'x'; expected one of bad_gateway"),
        ({}, {"text": "{{ nope }}"}, "when(): respond.text: a template does not know 'nope'; expected one of"),
        ({}, {"json": object()}, "when(): respond.json: <object object at"),
        ({}, {"text": "a", "times": 0}, "when(): times: must be at least 1, got 0"),
    ],
)
def test_a_bad_value_is_a_scenario_error_that_names_the_rule(when: Any, respond: Any, problem: str) -> None:
    script = Script()
    with pytest.raises(ScenarioError) as raised:
        script.when(**when).respond(**respond)
    assert raised.value.problems[0].startswith(problem)
    assert script.rules == ()
