"""Scenario text becomes a scenario, or problems that say where and what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario.calls import call, outcome, script_of, text

from mockserver.errors import ScenarioError
from mockserver.gateway import preview
from mockserver.model import content_filter
from mockserver.scenario import document
from mockserver.scenario.answers import FindingsSection
from mockserver.scenario.document import DEEPEST, resolve
from mockserver.scenario.load import Scenario, build, files_of, load, parse
from mockserver.scenario.schema import ResourceSection, ScenarioFile


def problems(source: str, name: str = "s.yaml") -> list[str]:
    with pytest.raises(ScenarioError) as raised:
        parse(source, name)
    return raised.value.problems


def rule(body: str) -> str:
    return "rules:\n  - " + body


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("", "s.yaml:1:1: is empty; write resource, deployments or rules"),
        ("# nothing\n", "s.yaml:1:1: is empty; write resource, deployments or rules"),
        ("- rules", "s.yaml:1:1: a scenario is a mapping with resource, deployments or rules, not a list"),
        ("hello", "s.yaml:1:1: a scenario is a mapping with resource, deployments or rules, not a single value"),
        ("rules:\n\t- respond: hi", "s.yaml:2:1: YAML is indented with spaces, not with tabs"),
        ("rules: [", "s.yaml:1:9: this is not YAML: did not find expected node content"),
        (rule("respond: a: b"), "s.yaml:2:15: this is not YAML: mapping values are not allowed in this context"),
        ("\x00\x01", "s.yaml:1:1: this is not text: control characters and unpaired surrogates are not allowed"),
        ("rules: []\n---\nrules: []", "s.yaml:3:1: a second document starts here; a scenario is one document"),
        ("rules: []\nrules: []", "s.yaml:2:1: the key 'rules' is a duplicate; it is already on line 1"),
        ("rules: *a", "s.yaml:1:8: there is no anchor &a before this"),
        ("rules: &a [*a]", "s.yaml:1:12: there is no anchor &a before this"),
        ("resource: {seed: 1e999}", "s.yaml:1:18: the number 1e999 is too large"),
        (
            "resource: !!python/name:os.system x",
            "s.yaml:1:11: the tag tag:yaml.org,2002:python/name:os.system is not supported",
        ),
        (rule("respond: {{ user }}"), "s.yaml:2:15: a key must be text; a value that starts with {{ or [ needs quotes"),
        ("true: 1", "s.yaml:1:1: a key must be text; put it in quotes"),
        ("rule: []", "s.yaml:1:1: rule: unknown key; did you mean 'rules'?"),
        ("fixtures: []", "s.yaml:1:1: fixtures: unknown key; did you mean 'rules'?"),
        ("qqq: 1", "s.yaml:1:1: qqq: unknown key; expected one of deployments, prompts, resource, rules"),
        ("rules: {}", "s.yaml:1:8: rules: expected a list, got a mapping"),
        (rule("when: {user: x}"), "s.yaml:2:5: rules[0].respond: is missing"),
        (rule("{respond: hi, when: {usr: x}}"), "s.yaml:2:26: rules[0].when.usr: unknown key; did you mean 'user'?"),
        (rule("{respond: hi, when: {model: x}}"), "s.yaml:2:26: rules[0].when.model: unknown key; did you mean 'deployment'?"),
        (
            rule("{respond: hi, when: {user: {contians: x}}}"),
            "s.yaml:2:33: rules[0].when.user.contians: unknown key; did you mean 'contains'?",
        ),
        (
            rule("{respond: hi, when: {user: {}}}"),
            "s.yaml:2:32: rules[0].when.user: expected a condition such as contains, equals or matches",
        ),
        (rule("{respond: hi, when: {turn: 1.5}}"), "s.yaml:2:32: rules[0].when.turn: expected a whole number, got 1.5"),
        (rule("{respond: 12}"), "s.yaml:2:15: rules[0].respond: expected text, a mapping, or a list of them; got 12"),
        (rule("{respond: {text: 12}}"), "s.yaml:2:22: rules[0].respond.text: expected text, got 12; put it in quotes"),
        (rule("{respond: []}"), "s.yaml:2:15: rules[0].respond: must not be empty"),
        (rule("{respond: {content: hi}}"), "s.yaml:2:16: rules[0].respond.content: unknown key; did you mean 'text'?"),
        (rule("{respond: {text: a, error: timeout}}"), "s.yaml:2:16: rules[0].respond.text: cannot be combined with an error"),
        (rule("{respond: hi, times: 0}"), "s.yaml:2:26: rules[0].times: must be at least 1, got 0"),
        (
            rule("{respond: {finish_reason: stopp}}"),
            "s.yaml:2:31: rules[0].respond.finish_reason: there is no 'stopp'; did you mean 'stop'?",
        ),
        (
            rule("{respond: {error: rate_limt}}"),
            "s.yaml:2:23: rules[0].respond.error: there is no error named 'rate_limt'; did you mean 'rate_limit'?",
        ),
        (rule("{respond: {error: {code: x}}}"), "s.yaml:2:23: rules[0].respond.error: expected a name or a status"),
        (
            rule("{respond: {reset: true, stream: {cut_after: 1}}}"),
            "s.yaml:2:16: rules[0].respond.reset: an answer breaks only once, and",
        ),
        (
            rule("{respond: {tool_calls: [{kind: custom, name: x}]}}"),
            "s.yaml:2:29: rules[0].respond.tool_calls[0].arguments: a custom tool",
        ),
        (rule("{respond: {stream: {ttft: -1}}}"), "s.yaml:2:31: rules[0].respond.stream.ttft: -1 is not a duration"),
        (rule("{respond: {delay: yes}}"), "s.yaml:2:23: rules[0].respond.delay: 'yes' is not a duration"),
        (rule("{respond: {text: a, content_filter: hate}}"), "s.yaml:2:41: rules[0].respond.content_filter: blocks the prompt"),
        (rule('{respond: "{{ usr }}"}'), "s.yaml:2:15: rules[0].respond: a template does not know 'usr'; did you mean 'user'?"),
        (
            rule('{respond: [a, "{% if %}"]}'),
            "s.yaml:2:19: rules[0].respond[1]: this is not a template: Expected an expression",
        ),
        (
            rule('{respond: ["{% macro m() %}{% endmacro %}"]}'),
            "s.yaml:2:16: rules[0].respond[0]: a template cannot use macro here",
        ),
        (
            rule("{respond: [a, {embedding: [1]}]}"),
            "s.yaml:2:15: rules[0].respond: a sequence gives either words, or vectors, or jobs",
        ),
        (
            rule("{respond: {headers: {a: b}}}"),
            "s.yaml:2:16: rules[0].respond.headers: belong to a status or body, and there is none here",
        ),
        (
            rule('{respond: {body: "", headers: {x: "a\\nb"}}}'),
            "s.yaml:2:39: rules[0].respond.headers.x: 'a\\nb' is not a header value",
        ),
        ("deployments: {a: {modl: x}}", "s.yaml:1:19: deployments.a.modl: unknown key; did you mean 'model'?"),
        ("deployments: {a: {text: x}}", "s.yaml:1:19: deployments.a.text: unknown key; expected one of"),
        ("resource: {name: a b}", "s.yaml:1:18: resource.name: 'a b' does not have the form"),
    ],
)
def test_a_problem_says_where_and_what(source: str, problem: str) -> None:
    found = problems(source)
    assert any(line.startswith(problem) for line in found), found


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    found = problems("rules:\n  - respond: {txt: a}\n    tmes: 1\n  - {}\nresource: {nam: x}\ndeployments: {a: {rpm: 0}}\n")
    assert [line.split(": ")[0] for line in found] == ["s.yaml:2:15", "s.yaml:3:5", "s.yaml:4:5", "s.yaml:5:12", "s.yaml:6:24"]


@pytest.mark.parametrize("keyword", ["createRespons", "createresponse", "chat"])
def test_an_unknown_operation_is_refused(keyword: str) -> None:
    (problem,) = problems(rule(f"{{respond: hi, when: {{operation: {keyword}}}}}"))
    assert problem.startswith(f"s.yaml:2:37: rules[0].when.operation: there is no operation '{keyword}'; ")


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", None)])
@pytest.mark.parametrize(("opening", "column"), [("[", 61), ("{", 61), ("[{", 61), ("{a: ", 238), ("- ", 121), ("? ", 121)])
def test_deep_nesting_is_refused(opening: str, column: int, loader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if loader is None:
        pytest.skip("this PyYAML was built without libyaml")
    monkeypatch.setattr(document, "_LOADER", loader)
    assert problems(opening * 5_000) == [f"s.yaml:1:{column}: is nested more than {DEEPEST} levels deep"]


def test_a_syntax_error_hides_no_nesting_and_is_hidden_by_no_other_problem() -> None:
    assert problems("a: 1\na: 2\nb: ]") == ["s.yaml:3:4: this is not YAML: did not find expected node content"]


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (problem,) = problems("\n".join(lines))
    assert "holds more than 200,000 values, counting every use of an alias" in problem


def test_anchors_and_aliases_may_share_parts() -> None:
    script = script_of("rules:\n  - when: &w {user: a}\n    respond: one\n    times: 1\n  - {when: *w, respond: two}\n")
    assert [text(script, call("a")), text(script, call("a")), text(script, call("b"))] == ["one", "two", None]


@pytest.mark.parametrize(
    ("written", "value"),
    [("no", "no"), ("on", "on"), ("12:30", "12:30"), ("2026-01-01", "2026-01-01"), ("010", 10), ("0o10", 8), ("0x1F", 31), ("~", None),
     ("", None), ("True", True), ("1.5", 1.5), ("-.5e3", -500.0), (".inf", ".inf"), ("1_000", "1_000"), ("+", "+"), ("1.", 1.0)],
)  # fmt: skip
def test_plain_scalars_mean_what_yaml_1_2_says(written: str, value: Any) -> None:
    assert resolve(written) == value
    assert type(resolve(written)) is type(value)


JSON_KEYS = st.text(max_size=80)  # YAML allows 1,024 characters, and an escaped one counts as up to twelve


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(JSON_KEYS, inner, max_size=4), max_leaves=12),
       st.sampled_from([None, 2, "\t"]), st.booleans())  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_json_file_means_what_json_says(value: Any, indent: int | str | None, ascii_only: bool) -> None:
    document = {"rules": [{"when": {"json": {"a": {"equals": value}}}, "respond": {"json": value}}]}
    script = script_of(json.dumps(document, indent=indent, ensure_ascii=ascii_only))
    answered = text(script, call(body={"a": value}))
    assert answered is not None
    assert json.loads(answered) == value


def test_a_path_that_is_missing_or_empty_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScenarioError) as raised:
        load([tmp_path / "empty", tmp_path / "none.yaml"])
    assert raised.value.problems == [
        f"{tmp_path / 'empty'}: there is no scenario in this folder: no .yaml, .yml, .json file",
        f"{tmp_path / 'none.yaml'}: No such file or directory",
    ]


def test_bytes_that_are_no_utf_8_are_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"rules:\n  - respond: \xff\xfe")
    with pytest.raises(ScenarioError, match=r"a\.yaml:2:1: is not UTF-8 text: byte 0xff"):
        load([path])


def test_files_of_one_resource_are_merged_and_others_kept_apart(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("resource: {name: contoso, keys: [k1], seed: 1}\nrules: [{respond: b}]")
    (tmp_path / "a.json").write_text('{"resource": {"name": "contoso", "keys": ["k1", "k2"]}, "rules": [{"respond": "a"}]}')
    (tmp_path / "c.yml").write_text("deployments: {x: gpt-4o}\nrules: [{respond: c}]")
    (tmp_path / "readme.txt").write_text("not a scenario")
    contoso, default = load([tmp_path])
    assert (contoso.name, contoso.keys, contoso.settings) == ("contoso", ("k1", "k2"), {"seed": 1})
    assert [rule.name for rule in contoso.rules] == ["a.json:1", "b.yaml:2"]
    assert contoso.files == (tmp_path / "a.json", tmp_path / "b.yaml")
    assert (default.name, default.deployments["x"].model) == (None, "gpt-4o")
    assert files_of([tmp_path, tmp_path / "c.yml"]) == [tmp_path / name for name in ("a.json", "b.yaml", "c.yml")]


def test_files_that_contradict_each_other_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("resource: {seed: 1}\ndeployments: {x: gpt-4o}")
    (tmp_path / "b.yaml").write_text("resource: {seed: 2}\ndeployments: {x: gpt-4.1}")
    with pytest.raises(ScenarioError) as raised:
        load([tmp_path])
    assert raised.value.problems == [
        f"{tmp_path / 'b.yaml'}: resource.seed: 2 contradicts 1 of a.yaml",
        f"{tmp_path / 'b.yaml'}: deployments.x: is declared in a.yaml too",
    ]


def test_problems_of_all_files_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("rulez: []")
    (tmp_path / "b.yaml").write_text("rules: 5")
    with pytest.raises(ScenarioError) as raised:
        load([tmp_path])
    assert [line.split(": ")[0] for line in raised.value.problems] == [
        f"{tmp_path / 'a.yaml'}:1:1",
        f"{tmp_path / 'b.yaml'}:1:8",
    ]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"rules": [{"respond": {"json": {1, 2}}}]}, "<dict>: rules[0].respond.json: {1, 2} is not a JSON value"),
        ({"rules": [{"respond": {"json": {1: 2}}}]}, "<dict>: rules[0].respond.json: the key 1 is not text"),
        ({"rules": [{"respond": "\ud800"}]}, "<dict>: rules[0].respond: '\\ud800' is not a JSON value"),
        ({"rules": [{"respond": {"json": float("nan")}}]}, "<dict>: rules[0].respond.json: nan is not a JSON value"),
        ({"rules": [{"respond": object()}]}, "<dict>: rules[0].respond: <object object"),
        ({"rulez": []}, "<dict>: rulez: unknown key; did you mean 'rules'?"),
    ],
)
def test_python_values_are_checked_like_text(document: Any, problem: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        build(document)
    assert raised.value.problems[0].startswith(problem)


def test_a_circular_python_value_is_a_problem() -> None:
    document: dict[str, Any] = {}
    document["rules"] = [document]
    with pytest.raises(ScenarioError, match="is nested more than"):
        build(document)


@given(st.text() | st.text(alphabet="{}[]:,-#&*!|>'\"%@` \nabrules~?") | st.binary().map(lambda data: data.decode("latin-1")))
@settings(max_examples=60, deadline=None)
def test_any_text_is_a_scenario_or_a_clean_error(source: str) -> None:
    result = outcome(lambda: parse(source))
    assert isinstance(result, Scenario) or (result and all(line.startswith("<string>:") for line in result))


KEYS = st.sampled_from(
    ["name", "when", "respond", "times", "user", "text", "error", "stream", "json", "tool_calls", "any", "x"]
)
SHAPES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["{{ user }}", "{{ x", "1s", "rate_limit", "(a+)+"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(st.dictionaries(KEYS, SHAPES, max_size=4), max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_rules_are_a_scenario_or_a_clean_error(rules: Any) -> None:
    result = outcome(lambda: build({"rules": rules}))
    assert isinstance(result, Scenario) or (result and all(line.startswith("<dict>: ") for line in result))


TEXTS = st.text(min_size=1, max_size=8)
MATCHERS = st.recursive(
    TEXTS | st.fixed_dictionaries({"equals": TEXTS}) | st.fixed_dictionaries({"contains": TEXTS, "starts_with": TEXTS}),
    lambda inner: (
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=2)}) | st.fixed_dictionaries({"not": inner})
    ),
    max_leaves=4,
)
WHENS = st.fixed_dictionaries(
    {},
    optional={"user": MATCHERS, "system": MATCHERS, "deployment": MATCHERS, "turn": st.integers(1, 3), "stream": st.booleans(),
              "tool_result": st.booleans() | TEXTS, "header": st.dictionaries(TEXTS, MATCHERS | st.booleans(), min_size=1, max_size=2),
              "state": TEXTS},
)  # fmt: skip
CALLS = st.lists(
    st.fixed_dictionaries({"name": TEXTS}, optional={"arguments": st.dictionaries(TEXTS, SHAPES.filter(lambda v: v == v), max_size=2)}),
    min_size=1, max_size=2,
)  # fmt: skip
RESPONDS = st.fixed_dictionaries(
    {},
    optional={"text": TEXTS, "refusal": TEXTS, "reasoning": TEXTS, "delay": st.sampled_from(["1s", "20ms", 3]),
              "stream": st.fixed_dictionaries({"chunk": st.sampled_from(["word", 5])}, optional={"cut_after": st.integers(0, 9)}),
              "usage": st.fixed_dictionaries({"prompt_tokens": st.integers(0, 9)})},
)  # fmt: skip
ERRORS = st.fixed_dictionaries({"error": st.sampled_from(["rate_limit", "timeout"]), "retry_after": st.integers(0, 9)})
RULES = st.fixed_dictionaries(
    {"respond": TEXTS | RESPONDS | st.lists(TEXTS | RESPONDS | ERRORS, min_size=1, max_size=3)},
    optional={"when": WHENS, "name": TEXTS, "times": st.integers(1, 3), "priority": st.integers(-2, 2), "set_state": TEXTS},
)


@given(st.lists(RULES, max_size=3))
@settings(max_examples=60, deadline=None)
def test_every_valid_scenario_loads_alike_as_python_and_as_text(rules: Any) -> None:
    document = {"rules": rules}
    built = outcome(lambda: build(document))
    if isinstance(built, Scenario):
        assert len(parse(json.dumps(document)).rules) == len(built.rules) == len(rules)
    else:  # a random text may be a template, or hold half a surrogate pair
        assert all("template" in line or "no JSON value" in line for line in built)


def test_the_format_knows_what_the_rest_of_the_product_knows() -> None:
    assert set(FindingsSection.model_fields) == {*content_filter.CATEGORIES, "blocked", "failed"}
    schema = ResourceSection.model_json_schema()
    assert schema["properties"]["profile"]["enum"] == list(preview.PROFILES)


def test_every_key_of_the_format_is_described() -> None:
    def undescribed(schema: Any, path: str = "") -> list[str]:
        sections = {"": schema, **schema.get("$defs", {})}
        return [f"{name}.{key}" for name, section in sections.items() for key, field in section.get("properties", {}).items()
                if "description" not in field]  # fmt: skip

    assert undescribed(ScenarioFile.model_json_schema()) == []
