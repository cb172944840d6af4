"""Which calls the conditions of a rule match, and how mismatches are described."""

from __future__ import annotations

import json
import re
import warnings
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario.calls import answer_to, call, tool_result

from mockserver.model import regex
from mockserver.model.bounded_regex import BoundedPattern
from mockserver.scenario.engine import Script
from mockserver.scenario.load import build
from mockserver.scenario.match import CallView
from mockserver.scenario.paths import parse_path
from mockserver.scenario.pattern import compile_pattern

RESULT = tool_result('{"temp": 18}')
CHAT = {"messages": [{"role": "user", "content": "hello"}], "temperature": 1, "stream": True, "stop": None, "user": "u-1"}


def fits(when: Any, view: CallView) -> bool:
    script = Script(build({"rules": [{"when": when, "respond": "yes"}]}).rules)
    return answer_to(script, view) is not None


@pytest.mark.parametrize(
    ("when", "fitting", "other"),
    [
        pytest.param({"user": "WEATHER"}, call("the weather?"), call("hello"), id="bare text is a part, in any case"),
        pytest.param({"user": {"equals": "hello"}}, call("hello"), call("Hello"), id="equals is exact"),
        pytest.param({"user": {"contains": "straße"}}, call("in der STRASSE"), call("road"), id="case is folded"),
        pytest.param({"user": {"starts_with": "hel"}}, call("Hello"), call("oh hello"), id="starts_with"),
        pytest.param({"user": {"ends_with": "LO"}}, call("hello"), call("hello."), id="ends_with"),
        pytest.param({"user": {"matches": r"^h\w+o$"}}, call("hello"), call("Hello"), id="matches respects case"),
        pytest.param(
            {"user": {"contains": "a", "ends_with": "b"}}, call("ab"), call("a"), id="keys of a matcher hold together"
        ),
        pytest.param({"user": ["hi", "hello"]}, call("oh hello"), call("bye"), id="a list is any of it"),
        pytest.param({"user": {"any": ["hi", {"equals": "yo"}]}}, call("yo"), call("yo!"), id="any"),
        pytest.param({"user": {"all": ["a", "b"]}}, call("b a"), call("a"), id="all"),
        pytest.param({"user": {"not": "secret"}}, call("hello"), call("a secret"), id="not"),
        pytest.param({"user": {"not": ["a", "b"]}}, call("xyz"), call("b"), id="not any"),
        pytest.param({"system": "pirate"}, call(system="You are a PIRATE"), call(), id="system"),
        pytest.param({"deployment": "gpt-4o"}, call(), call(deployment="gpt-4o-mini"), id="a deployment is its whole name"),
        pytest.param({"deployment": ["a", "b"]}, call(deployment="b"), call(deployment="ab"), id="one of some deployments"),
        pytest.param(
            {"deployment": {"starts_with": "gpt-4o"}},
            call(deployment="gpt-4o-mini"),
            call(deployment="o1"),
            id="deployment prefix",
        ),
        pytest.param({"operation": "createChatCompletion"}, call(), call(operation="createCompletion"), id="operation"),
        pytest.param(
            {"operation": ["createCompletion", "createChatCompletion"]}, call(), call(operation="createRun"), id="operations"
        ),
        pytest.param(
            {"operation": "*"}, call(operation="createRun"), call(operation="createEmbedding"), id="every operation in words"
        ),
        pytest.param({"tool_result": False}, call(), call(turns=RESULT), id="no tool result"),
        pytest.param({"tool_result": True}, call(turns=RESULT), call(), id="some tool result"),
        pytest.param(
            {"tool_result": "get_weather"}, call(turns=RESULT), call(turns=tool_result("", "other")), id="a tool's result"
        ),
        pytest.param(
            {"tool_result": {"get_weather": "18"}}, call(turns=RESULT), call(turns=tool_result("20")), id="what a result says"
        ),
        pytest.param(
            {"tool_result": {"*": {"matches": r"\d"}}},
            call(turns=tool_result("7", "x")),
            call(turns=tool_result("a")),
            id="any tool",
        ),
        pytest.param({"tool_result": {"get_weather": True}}, call(turns=RESULT), call(), id="a tool's result is there"),
        pytest.param({"tool_result": {"get_weather": False}}, call(), call(turns=RESULT), id="a tool's result is not there"),
        pytest.param({"tools": True}, call(tools=("a",)), call(), id="some tools"),
        pytest.param({"tools": False}, call(), call(tools=("a",)), id="no tools"),
        pytest.param({"tools": "a"}, call(tools=("a", "b")), call(tools=("b",)), id="a tool"),
        pytest.param({"tools": ["a", "b"]}, call(tools=("b", "a", "c")), call(tools=("a",)), id="all of some tools"),
        pytest.param(
            {"header": {"X-Test": "7"}}, call(headers={"x-test": "7"}), call(headers={"x-test": "77"}), id="header, in any case"
        ),
        pytest.param({"header": {"x-test": True}}, call(headers={"x-test": ""}), call(), id="header is there"),
        pytest.param({"header": {"x-test": False}}, call(), call(headers={"x-test": "1"}), id="header is not there"),
        pytest.param(
            {"header": {"x-test": {"not": "1"}}}, call(), call(headers={"x-test": "1"}), id="not holds for what is absent"
        ),
        pytest.param({"metadata": {"team": "a"}}, call(metadata={"team": "a"}), call(metadata={"team": "A"}), id="metadata"),
        pytest.param({"turn": 1}, call(), call(turns=RESULT), id="turn"),
        pytest.param({"turn": {"at_least": 2, "at_most": 3}}, call(turns=RESULT), call(), id="turns"),
        pytest.param({"previous": True}, call(previous="resp_1"), call(), id="previous"),
        pytest.param({"previous": False}, call(), call(previous="resp_1"), id="no previous"),
        pytest.param({"previous": "resp_1"}, call(previous="resp_1"), call(previous="resp_12"), id="which previous"),
        pytest.param({"stream": True}, call(body=CHAT), call(), id="stream"),
        pytest.param({"stream": False}, call(), call(body=CHAT), id="no stream"),
        pytest.param({"state": "start"}, call(), None, id="every machine begins in start"),
        pytest.param({"state": {"door": "open"}}, None, call(), id="another state"),
        pytest.param({"json": {"messages[0].content": "hello"}}, call(body=CHAT), call(body={"messages": []}), id="json path"),
        pytest.param({"json": {"$.messages[-1].role": {"contains": "USE"}}}, call(body=CHAT), call(), id="json from the end"),
        pytest.param(
            {"json": {"messages[*].role": ["system", "user"]}},
            call(body=CHAT),
            call(body={"messages": [{"role": "x"}]}),
            id="any of all",
        ),
        pytest.param({"json": {"temperature": 1}}, call(body=CHAT), call(body={"temperature": True}), id="1 is not true"),
        pytest.param({"json": {"stream": True}}, call(body=CHAT), call(body={"stream": 1}), id="true is not 1"),
        pytest.param({"json": {"stop": None}}, call(body=CHAT), call(), id="null is something"),
        pytest.param({"json": {"stop": {"exists": False}}}, call(), call(body=CHAT), id="absent"),
        pytest.param(
            {"json": {"temperature": {"at_least": 0.5}}}, call(body=CHAT), call(body={"temperature": "1"}), id="numbers only"
        ),
        pytest.param({"json": {"messages": {"contains": '"role": "user"'}}}, call(body=CHAT), call(), id="a value as text"),
        pytest.param({"json": {'metadata["a.b"]': "c"}}, call(body={"metadata": {"a.b": "c"}}), call(), id="quoted key"),
        pytest.param({"any": [{"user": "a"}, {"turn": 2}]}, call("a"), call("b"), id="any condition"),
        pytest.param({"all": [{"user": "a"}, {"user": "b"}]}, call("ab"), call("a"), id="all conditions"),
        pytest.param({"not": {"user": "a", "turn": 1}}, call("b"), call("a"), id="not all of the conditions"),
        pytest.param(
            {}, call(), call(with_model=False, operation="listModels"), id="without operation: those that a model answers"
        ),
    ],
)
def test_conditions(when: Any, fitting: CallView | None, other: CallView | None) -> None:
    assert fitting is None or fits(when, fitting)
    assert other is None or not fits(when, other)


@pytest.mark.parametrize("operation", ["listModels", ["listModels"], "*"])
def test_an_error_can_be_scripted_for_operations_that_no_model_answers(operation: Any) -> None:
    script = Script(build({"rules": [{"when": {"operation": operation}, "respond": {"error": "unavailable"}}]}).rules)
    answer = answer_to(script, call(operation="listModels", with_model=False))
    assert answer is not None
    assert answer.error is not None


@pytest.mark.parametrize(
    ("respond", "operation", "expected"),
    [
        ("hi", "createEmbedding", False),
        ({"embedding": [1]}, "createEmbedding", True),
        ({"embedding": [1]}, "createResponse", False),
    ],
)
def test_words_never_answer_embeddings_nor_vectors_a_chat(respond: Any, operation: str, expected: bool) -> None:
    script = Script(build({"rules": [{"respond": respond}]}).rules)
    assert (answer_to(script, call(operation=operation)) is not None) is expected


@pytest.mark.parametrize(
    ("when", "view", "line"),
    [
        ({"user": "weather"}, call("hello there"), "user: expected to contain 'weather', got 'hello there'"),
        ({"user": {"not": "hello"}}, call(), "user: expected not to contain 'hello', got 'hello'"),
        ({"user": ["a"]}, call("x"), "user: expected to contain 'a', got 'x'"),
        ({"user": "z"}, call("x" * 500), "user: expected to contain 'z', got '" + "x" * 77 + "…'"),
        ({"user": "z"}, call("two\nlines"), r"user: expected to contain 'z', got 'two\nlines'"),
        ({"deployment": "gpt-4o"}, call(deployment="gpt-4.1"), "deployment: expected 'gpt-4o', got 'gpt-4.1'"),
        ({"tool_result": False}, call(turns=RESULT), "tool_result: expected none, got 'get_weather'"),
        ({"tool_result": "b"}, call(turns=RESULT), "tool_result: expected 'b', got 'get_weather'"),
        ({"tools": ["a", "b"]}, call(tools=("a",)), "tools: expected 'a', 'b', got 'a'"),
        ({"header": {"X-Test": "1"}}, call(), "header.X-Test: expected '1', got nothing"),
        ({"turn": {"at_least": 2}}, call(), "turn: expected at least 2, got 1"),
        ({"stream": True}, call(), "stream: expected true, got false"),
        ({"previous": True}, call(), "previous: expected something, got nothing"),
        ({"state": "ready"}, call(), "state: expected 'ready', got 'start'"),
        ({"json": {"a[*]": 3}}, call(body={"a": [1, 2]}), "json.a[*]: expected 3, got [1, 2]"),
        ({"operation": "createRun"}, call(), "operation: expected 'createRun', got 'createChatCompletion'"),
        ({"not": {"user": "hello"}}, call(), "not: expected user to differ, got a call that fits"),
        (
            {"any": [{"user": "helo"}, {"turn": 2}]},
            call(),
            "any: expected one of 2 conditions, the nearest being user to contain 'helo', got 'hello'",
        ),
    ],
)
def test_a_difference_is_one_line(when: Any, view: CallView, line: str) -> None:
    script = Script(build({"rules": [{"when": when, "respond": "yes"}]}).rules)
    (miss,) = script.near_misses(view)
    assert [str(mismatch) for mismatch in miss.mismatches] == [line]


def test_the_nearest_rules_come_first() -> None:
    script = Script(
        build(
            {
                "rules": [
                    {"name": "far", "when": {"user": "zzz", "deployment": "qqq"}, "respond": "1"},
                    {"name": "slip", "when": {"user": "wether"}, "respond": "2"},
                    {"name": "half", "when": {"user": "zzz", "turn": 1, "stream": False}, "respond": "3"},
                    {"name": "middle", "when": {"user": "zzz", "turn": 1}, "respond": "4"},
                ]
            }
        ).rules
    )
    misses = script.near_misses(call("the weather"), count=3)
    assert [miss.rule for miss in misses] == ["slip", "half", "middle"]
    assert script.explain_near_misses(call("the weather"), count=1).splitlines() == [
        "The nearest rules:",
        "  slip (rules[1])",
        "    user: expected to contain 'wether', got 'the weather'",
    ]


def test_explain_tells_which_rule_answers_and_why_the_others_do_not() -> None:
    script = Script(
        build(
            {
                "rules": [
                    {"name": "a", "when": {"user": "x"}, "respond": "1"},
                    {"name": "b", "respond": "2"},
                    {"name": "c", "respond": "3"},
                ]
            }
        ).rules
    )
    answered, text = script.explain_all(call())
    assert answered
    assert text.splitlines() == [
        "a: does not fit",
        "    user: expected to contain 'x', got 'hello'",
        "b: answers",
        "c: fits too, but an earlier rule answers",
    ]
    assert script.unused() == ["a", "b", "c"]


EXPLOSIVE = [
    "(a+)+$", "(a|aa)+$", "(a|a)*b", "a*a*a*a*b", ".*foo.*bar.*x", r"(\w+\s?)*x$", "(x+x+)+y", "((a|b+)*)*$", "(a?){30}a{30}b",
    "(?:a*)*$", "^(?!.*foo).*bar.*q", "(?:(?!.*foo).)*bar", "(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)(a|a)b",
]  # fmt: skip


@pytest.mark.parametrize("pattern", EXPLOSIVE)
def test_no_expression_takes_long_whatever_the_text(pattern: str) -> None:
    searcher = compile_pattern(pattern)
    assert not isinstance(searcher, re.Pattern)
    for text in ("a" * 9_999 + "!", "foo" * 3_000 + "!", "x" * 9_999):
        searcher.search(text, 0, 2_000)


@pytest.mark.parametrize("pattern", [r"(.*)-(.*)-\1", "(?<!x)a.*b.*", "(?i:a).*b.*c", "(a{1,100}){1,100}b", "("])
def test_what_would_take_long_and_cannot_be_bounded_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"can take too long|is not a regular expression"):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"from (?P<a>\w+) to (?P<b>\w+)", "please go from Rome to Oslo now"),
        (r"(?i)^(HELLO|hi),?\s+(.*?)[.!]*$", "Hello, dear  world!!"),
        (r"(\d+)-(\d+)?.*(x|yy?)", "a 12-34 b yy"),
        (r"(?m)^b(.*)$", "a\nbcd\ne"),
        (r"(?s)a(.*)b(.*)", "a\nb\nc"),
        (r"^(?=.*\d)(?!.*no).*(z+)", "a1zz"),
        (r"(\w{2,3}?)(\w*)-(\w+)", "abcd-ef"),
    ],
)
def test_a_bounded_expression_finds_what_python_finds(pattern: str, text: str) -> None:
    compiled = re.compile(pattern)
    found, expected = BoundedPattern(compiled, regex.read(compiled)).search(text, 0, 10_000), compiled.search(text)
    assert found is not None
    assert expected is not None
    assert (found[0], found.groups(), found.groupdict()) == (expected[0], expected.groups(), expected.groupdict())


@given(st.text(alphabet="ab.|()*+?^$[]", max_size=12), st.text(alphabet="abc\n", max_size=8))
@settings(max_examples=300, deadline=None)
def test_a_bounded_expression_matches_where_python_does(pattern: str, text: str) -> None:
    with warnings.catch_warnings(), suppress(re.error, ValueError):
        warnings.simplefilter("ignore")
        compiled = re.compile(pattern)
        found = BoundedPattern(compiled, regex.read(compiled)).search(text, 0, 10_000)
        assert (found is None) is (compiled.search(text) is None)


@pytest.mark.parametrize(
    "pattern", [r"(\w+,)+", r"(?:foo\s+)*", r"^(\d+)-(?P<word>\w+)$", r"[a-z]+\s+\d{2,}", r"(?:,\s*\w+)+", "a++b", "(?>a+)+"]
)
def test_ordinary_expressions_are_let_through(pattern: str) -> None:
    assert compile_pattern(pattern).pattern == pattern


def test_an_expression_looks_at_the_beginning_of_a_long_text() -> None:
    assert fits({"user": {"matches": "needle"}}, call("x" * 9_000 + "needle"))
    assert not fits({"user": {"matches": "needle"}}, call("x" * 10_000 + "needle"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(JSON)
@settings(max_examples=50, deadline=None)
def test_every_value_of_a_document_can_be_found_by_its_path(document: Any) -> None:
    def paths(value: Any, path: str) -> list[tuple[str, Any]]:
        found = [(path, value)]
        if isinstance(value, dict):
            for key, inner in value.items():
                found += paths(inner, f"{path}[{json.dumps(key)}]")
        if isinstance(value, list):
            for index, inner in enumerate(value):
                found += paths(inner, f"{path}[{index}]")
        return found

    for path, value in paths(document, "$")[1:]:
        assert parse_path(path).find(document) == [value]


@pytest.mark.parametrize("path", ["", "$", "a..b", "a[", "a[x]", "a.", ".a", "a b", "[1]]", 'a["]'])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        parse_path(path)
