"""A call as scripts see it, the checks that the conditions of a rule compile to, and the fields in which a call differs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mockserver.model.prompt import parse_json
from mockserver.scenario.paths import parse_path
from mockserver.scenario.predicate import NOTHING, Predicate, Value, abbreviate, compile_matcher, equals, exists

if TYPE_CHECKING:
    from mockserver.model.bounded_regex import BoundedPattern
    from mockserver.model.prompt import Prompt, Turn
    from mockserver.scenario.conditions import WhenSection

Json = Any
AnswerKind = Literal["words", "vectors", "job", "model"]
EMBEDDINGS = "createEmbedding"
JOBS = "createFineTuningJob"
START = "start"
OPERATION = "operation"


@dataclass(slots=True)
class CallView:
    """A call as rules see it.

    `operation` is the operationId, `body` the parsed JSON ({} where there is none), `headers` have lower-case names, `prompt`
    is None for operations that no model answers, `path` holds the path's parameters. The script sets `states`; `values` holds
    what `value` has computed.
    """

    operation: str
    deployment: str
    body: Json
    headers: Mapping[str, str]
    prompt: Prompt | None
    path: Mapping[str, str] = field(default_factory=dict)
    region: str = ""
    states: Mapping[str, str] = field(default_factory=dict, repr=False)
    values: dict[str, Value] = field(default_factory=dict, init=False, repr=False, compare=False)
    _results: list[Turn] | None = field(default=None, init=False, repr=False, compare=False)

    def value(self, name: str) -> Value:
        """The value of one of `_VALUES`, computed once a call however many rules compare it."""
        value = self.values.get(name)
        if value is None:
            value = self.values[name] = Value(_VALUES[name](self))
        return value

    @property
    def results(self) -> list[Turn]:
        """The tool results at the end of the conversation, oldest first."""
        if self._results is None:
            self._results = self.prompt.tool_results if self.prompt is not None else []
        return self._results

    @property
    def tool_result(self) -> Json:
        """The last tool result, parsed where it is JSON; None where there is none."""
        return parse_json(self.results[-1].text) if self.results else None


_VALUES: dict[str, Callable[[CallView], Json]] = {
    "user": lambda view: view.prompt.user if view.prompt is not None else "",
    "system": lambda view: view.prompt.system if view.prompt is not None else "",
    "deployment": lambda view: view.deployment,
    "turn": lambda view: view.prompt.turn if view.prompt is not None else NOTHING,
    "previous": lambda view: view.prompt.previous or NOTHING if view.prompt is not None else NOTHING,
    "stream": lambda view: isinstance(view.body, dict) and view.body.get("stream") is True,
}


@dataclass(slots=True)
class Mismatch:
    """A field in which a call differs from what a rule expects. `distance` is above 0 (near) and at most 1."""

    field: str
    expected: str
    actual: str
    distance: float = 1.0

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}, got {self.actual}"


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a rule: `test` decides it, `mismatch` describes a call that fails it.

    Checks of low `cost` run first. `captures` are the regular expressions whose groups templates may use, each with the text
    that it searches.
    """

    field: str
    test: Callable[[CallView], bool]
    mismatch: Callable[[CallView], Mismatch]
    cost: int = 0
    captures: tuple[tuple[Callable[[CallView], str], re.Pattern[str] | BoundedPattern], ...] = ()

    @property
    def of_operation(self) -> bool:
        """Whether its outcome depends on nothing but the operation."""
        return self.field == OPERATION


def _check(
    name: str,
    predicate: Predicate,
    read: Callable[[CallView], Value],
    cost: int,
    fast_test: Callable[[CallView], bool] | None = None,
) -> Check:
    test = predicate.test

    def mismatch(view: CallView) -> Mismatch:
        value = read(view)
        return Mismatch(name, predicate.expected, str(value), predicate.distance(value))

    captures = tuple(((lambda view: read(view).text), pattern) for pattern in predicate.patterns)
    # A regular expression costs more than any other test, so it runs after them.
    return Check(name, fast_test or (lambda view: test(read(view))), mismatch, cost + 10 * bool(captures), captures)


def _value_check(name: str, cost: int, bare: Literal["contains", "equals"] = "equals") -> Callable[[Any], Check]:
    def make(matcher: Any) -> Check:
        predicate = exists(matcher) if isinstance(matcher, bool) and name == "previous" else compile_matcher(matcher, bare)
        test = predicate.test
        return _check(
            name,
            predicate,
            lambda view: view.value(name),
            cost,
            # Two calls less for every rule after the first: these are the conditions that long scripts consist of.
            lambda view: test(view.values.get(name) or view.value(name)),
        )

    return make


def _operation(matcher: str | list[str]) -> Check:
    names = frozenset([matcher] if isinstance(matcher, str) else matcher)
    expected = " or ".join(map(abbreviate, sorted(names)))
    every = "*" in names
    return Check(
        OPERATION,
        lambda view: every or view.operation in names,
        lambda view: Mismatch(OPERATION, expected, abbreviate(view.operation)),
        -2,
    )


def _tools(matcher: bool | str | list[str]) -> Check:
    def offered(view: CallView) -> list[str]:
        return [tool.name for tool in view.prompt.tools] if view.prompt is not None else []

    def mismatch(view: CallView) -> Mismatch:
        return Mismatch("tools", _join_names(matcher), _join_names(offered(view)))

    if isinstance(matcher, bool):
        return Check("tools", lambda view: bool(offered(view)) is matcher, mismatch, 2)
    names = {matcher} if isinstance(matcher, str) else set(matcher)
    return Check("tools", lambda view: names.issubset(offered(view)), mismatch, 2)


def _join_names(names: bool | str | list[str]) -> str:
    if isinstance(names, str):
        return abbreviate(names)
    if isinstance(names, bool):
        return "some" if names else "none"
    return ", ".join(map(abbreviate, names)) or "none"


def _tool_results(matcher: bool | str | dict[str, Any]) -> list[Check]:
    if not isinstance(matcher, dict):
        return [_tool_result(matcher)]
    return [_tool_result_text(name, inner) for name, inner in matcher.items()]


def _tool_result(matcher: bool | str) -> Check:
    def mismatch(view: CallView) -> Mismatch:
        names = [turn.name or "unnamed" for turn in view.results]
        return Mismatch("tool_result", _join_names(matcher), _join_names(names))

    if isinstance(matcher, bool):
        return Check("tool_result", lambda view: bool(view.results) is matcher, mismatch, 1)
    return Check("tool_result", lambda view: any(turn.name == matcher for turn in view.results), mismatch, 1)


def _tool_result_text(name: str, matcher: Any) -> Check:
    def last_text(view: CallView) -> Value:
        texts = [turn.text for turn in view.results if name in (turn.name, "*")]
        return Value(texts[-1] if texts else NOTHING)

    predicate = exists(matcher) if isinstance(matcher, bool) else compile_matcher(matcher, "contains")
    return _check(f"tool_result.{name}", predicate, last_text, 5)


def _headers(matchers: Mapping[str, Any]) -> list[Check]:
    return [_entry("header", name, name.lower(), matcher, lambda view: view.headers) for name, matcher in matchers.items()]


def _metadata(matchers: Mapping[str, Any]) -> list[Check]:
    def metadata(view: CallView) -> Mapping[str, str]:
        return view.prompt.metadata if view.prompt is not None else {}

    return [_entry("metadata", name, name, matcher, metadata) for name, matcher in matchers.items()]


def _entry(condition: str, name: str, key: str, matcher: Any, mapping: Callable[[CallView], Mapping[str, Any]]) -> Check:
    predicate = exists(matcher) if isinstance(matcher, bool) else compile_matcher(matcher, "equals")
    return _check(f"{condition}.{name}", predicate, lambda view: Value(mapping(view).get(key, NOTHING)), 2)


def _states(matcher: str | Mapping[str, str]) -> list[Check]:
    machines = {"": matcher} if isinstance(matcher, str) else matcher
    return [_state(machine, state) for machine, state in machines.items()]


def _state(machine: str, state: str) -> Check:
    name = f"state.{machine}" if machine else "state"
    return _check(name, equals(state), lambda view: Value(view.states.get(machine, START)), 0)


def _json(matchers: Mapping[str, Any]) -> list[Check]:
    return [_json_value(path, matcher) for path, matcher in matchers.items()]


def _json_value(path: str, matcher: Any) -> Check:
    body_path, predicate, name = parse_path(path), compile_matcher(matcher, "equals"), f"json.{path}"

    def values(view: CallView) -> list[Value]:
        return [Value(value) for value in body_path.find(view.body)] or [Value(NOTHING)]

    def mismatch(view: CallView) -> Mismatch:
        actual = values(view)
        quoted = str(actual[0]) if len(actual) == 1 else abbreviate([value.json for value in actual])
        return Mismatch(name, predicate.expected, quoted, min(map(predicate.distance, actual)))

    captures = tuple(((lambda view: values(view)[0].text), pattern) for pattern in predicate.patterns)
    return Check(name, lambda view: any(map(predicate.test, values(view))), mismatch, 6, captures)


def _any(alternatives: Sequence[WhenSection]) -> Check:
    groups = [compile_conditions(alternative) for alternative in alternatives]

    def mismatch(view: CallView) -> Mismatch:
        nearest = min((find_mismatches(group, view) for group in groups), key=_distance)
        expected = " and ".join(f"{mismatch.field} {mismatch.expected}" for mismatch in nearest)
        actual = ", ".join(mismatch.actual for mismatch in nearest)
        return Mismatch(
            "any", f"one of {len(groups)} conditions, the nearest being {expected}", actual, min(1.0, _distance(nearest))
        )

    captures = tuple(capture for group in groups for check in group for capture in check.captures)
    return Check("any", lambda view: any(holds(group, view) for group in groups), mismatch, 8, captures)


def _not(when: WhenSection) -> Check:
    group = compile_conditions(when)
    expected = f"{', '.join(check.field for check in group) or 'the call'} to differ"
    return Check("not", lambda view: not holds(group, view), lambda view: Mismatch("not", expected, "a call that fits"), 8)


# The numbers are costs: conditions that most calls fail, or that do not read the prompt, are tested first.
_COMPILERS: dict[str, Callable[[Any], Check | list[Check]]] = {
    "operation": _operation,
    "deployment": _value_check("deployment", -1),
    "stream": _value_check("stream", 0),
    "state": _states,
    "previous": _value_check("previous", 1),
    "tool_result": _tool_results,
    "tools": _tools,
    "turn": _value_check("turn", 2),
    "header": _headers,
    "metadata": _metadata,
    "user": _value_check("user", 3, "contains"),
    "system": _value_check("system", 4, "contains"),
    "json_": _json,
    "all": lambda whens: [check for when in whens for check in compile_conditions(when)],
    "any": _any,
    "not_": _not,
}


def compile_conditions(when: WhenSection) -> list[Check]:
    """The checks for a `when` of the file, those of low cost first."""
    checks: list[Check] = []
    for name in when.model_fields_set:
        compiled = _COMPILERS[name](getattr(when, name))
        checks += compiled if isinstance(compiled, list) else [compiled]
    return sorted(checks, key=lambda check: (check.cost, check.field))


def names_operation(when: WhenSection) -> bool:
    """Whether the conditions name an operation anywhere; a rule that names none is about those that a model answers."""
    keys = when.model_fields_set
    inner = [
        *(when.any if "any" in keys else ()),
        *(when.all if "all" in keys else ()),
        *([when.not_] if "not_" in keys else ()),
    ]
    return "operation" in keys or any(map(names_operation, inner))


_ANSWERED_BY: dict[str, tuple[str, Callable[[CallView], bool]]] = {
    "words": ("one that is answered in words", lambda view: view.prompt is not None and view.operation != EMBEDDINGS),
    "vectors": (abbreviate(EMBEDDINGS), lambda view: view.operation == EMBEDDINGS),
    "job": (abbreviate(JOBS), lambda view: view.operation == JOBS),
    "model": ("one that a model answers (others have to be named)", lambda view: view.prompt is not None),
}


def answered_by(kind: AnswerKind) -> Check:
    """The check that an answer of this kind suits the operation; `model` suits every operation that a model answers."""
    expected, test = _ANSWERED_BY[kind]
    return Check(OPERATION, test, lambda view: Mismatch(OPERATION, expected, abbreviate(view.operation)), -3)


def holds(checks: Sequence[Check], view: CallView) -> bool:
    """Whether the call passes all `checks`."""
    return all(check.test(view) for check in checks)


def find_mismatches(checks: Sequence[Check], view: CallView) -> list[Mismatch]:
    """The mismatch of every check that fails, in their order."""
    return [check.mismatch(view) for check in checks if not check.test(view)]


def _distance(mismatches: Sequence[Mismatch]) -> float:
    return sum(mismatch.distance for mismatch in mismatches)
