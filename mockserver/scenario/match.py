"""What a call looks like to a script, and whether it has what a rule asks for; where not, in which field it differs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from mockserver.model.prompt import parsed
from mockserver.scenario.jsonpath import find, parse_path
from mockserver.scenario.predicate import NOTHING, Predicate, Value, equals, exists, predicate_of, shown

if TYPE_CHECKING:
    from mockserver.model.prompt import Prompt, Turn
    from mockserver.scenario.conditions import WhenSection

Json = Any
EMBEDDINGS = "createEmbedding"
START = "start"
OPERATION = "operation"


@dataclass(slots=True)
class CallView:
    """A call as rules see it.

    `operation` is the operationId, `body` the parsed JSON ({} where there is none), `headers` have lower-case names, `prompt`
    is None for operations that no model answers, `path` holds the path's parameters. `states` is filled in by the script,
    `values` by `value`.
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
        """The value of one of `_VALUES`, computed once a call however many rules ask for it."""
        found = self.values.get(name)
        if found is None:
            found = self.values[name] = Value(_VALUES[name](self))
        return found

    @property
    def results(self) -> list[Turn]:
        """The tool results at the end of the conversation, oldest first."""
        if self._results is None:
            self._results = self.prompt.tool_results if self.prompt is not None else []
        return self._results

    @property
    def tool_result(self) -> Json:
        """The last tool result, parsed where it is JSON; None where there is none."""
        return parsed(self.results[-1].text) if self.results else None


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
    """One field in which a call differs from what a rule asks for. `distance` runs from just above 0 (close) to 1."""

    field: str
    expected: str
    actual: str
    distance: float = 1.0

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}, got {self.actual}"


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a rule, and what to say where it fails.

    `captures` are the expressions whose groups templates may use, each with the text that it searches.
    """

    field: str
    test: Callable[[CallView], bool]
    differ: Callable[[CallView], Mismatch]
    cost: int = 0
    captures: tuple[tuple[Callable[[CallView], str], re.Pattern[str]], ...] = ()

    @property
    def of_operation(self) -> bool:
        """Whether it looks at nothing but which operation was called."""
        return self.field == OPERATION


def _check(
    name: str,
    predicate: Predicate,
    look: Callable[[CallView], Value],
    cost: int,
    holds: Callable[[CallView], bool] | None = None,
) -> Check:
    test = predicate.test

    def differ(view: CallView) -> Mismatch:
        seen = look(view)
        return Mismatch(name, predicate.words, str(seen), predicate.distance(seen))

    captures = tuple(((lambda view: look(view).text), pattern) for pattern in predicate.patterns)
    return Check(name, holds or (lambda view: test(look(view))), differ, cost + 10 * bool(captures), captures)


def _value_check(name: str, cost: int, bare: Literal["contains", "equals"] = "equals") -> Callable[[Any], Check]:
    def make(matcher: Any) -> Check:
        predicate = exists(matcher) if isinstance(matcher, bool) and name == "previous" else predicate_of(matcher, bare)
        test = predicate.test
        return _check(
            name,
            predicate,
            lambda view: view.value(name),
            cost,
            lambda view: test(view.values.get(name) or view.value(name)),
        )

    return make


def _operation(wanted: str | list[str]) -> Check:
    names = frozenset([wanted] if isinstance(wanted, str) else wanted)
    words = " or ".join(map(shown, sorted(names)))
    everything = "*" in names
    return Check(
        OPERATION,
        lambda view: everything or view.operation in names,
        lambda view: Mismatch(OPERATION, words, shown(view.operation)),
        -2,
    )


def _tools(wanted: bool | str | list[str]) -> Check:
    def offered(view: CallView) -> list[str]:
        return [tool.name for tool in view.prompt.tools] if view.prompt is not None else []

    def differ(view: CallView) -> Mismatch:
        return Mismatch("tools", _listed(wanted), _listed(offered(view)))

    if isinstance(wanted, bool):
        return Check("tools", lambda view: bool(offered(view)) is wanted, differ, 2)
    names = {wanted} if isinstance(wanted, str) else set(wanted)
    return Check("tools", lambda view: names.issubset(offered(view)), differ, 2)


def _listed(names: bool | str | list[str]) -> str:
    if isinstance(names, str):
        return shown(names)
    if isinstance(names, bool):
        return "some" if names else "none"
    return ", ".join(map(shown, names)) or "none"


def _tool_results(wanted: bool | str | dict[str, Any]) -> list[Check]:
    if not isinstance(wanted, dict):
        return [_tool_result(wanted)]
    return [_tool_result_text(name, matcher) for name, matcher in wanted.items()]


def _tool_result(wanted: bool | str) -> Check:
    def differ(view: CallView) -> Mismatch:
        return Mismatch("tool_result", _listed(wanted), _listed([turn.name or "unnamed" for turn in view.results]))

    if isinstance(wanted, bool):
        return Check("tool_result", lambda view: bool(view.results) is wanted, differ, 1)
    return Check("tool_result", lambda view: any(turn.name == wanted for turn in view.results), differ, 1)


def _tool_result_text(name: str, matcher: Any) -> Check:
    def look(view: CallView) -> Value:
        texts = [turn.text for turn in view.results if name in (turn.name, "*")]
        return Value(texts[-1] if texts else NOTHING)

    predicate = exists(matcher) if isinstance(matcher, bool) else predicate_of(matcher, "contains")
    return _check(f"tool_result.{name}", predicate, look, 5)


def _headers(wanted: Mapping[str, Any]) -> list[Check]:
    return [_held("header", name, name.lower(), matcher, lambda view: view.headers) for name, matcher in wanted.items()]


def _metadata(wanted: Mapping[str, Any]) -> list[Check]:
    def metadata(view: CallView) -> Mapping[str, str]:
        return view.prompt.metadata if view.prompt is not None else {}

    return [_held("metadata", name, name, matcher, metadata) for name, matcher in wanted.items()]


def _held(where: str, name: str, key: str, matcher: Any, holder: Callable[[CallView], Mapping[str, Any]]) -> Check:
    predicate = exists(matcher) if isinstance(matcher, bool) else predicate_of(matcher, "equals")
    return _check(f"{where}.{name}", predicate, lambda view: Value(holder(view).get(key, NOTHING)), 2)


def _states(wanted: str | Mapping[str, str]) -> list[Check]:
    machines = {"": wanted} if isinstance(wanted, str) else wanted
    return [_state(machine, state) for machine, state in machines.items()]


def _state(machine: str, wanted: str) -> Check:
    name = f"state.{machine}" if machine else "state"
    return _check(name, equals(wanted), lambda view: Value(view.states.get(machine, START)), 0)


def _json(wanted: Mapping[str, Any]) -> list[Check]:
    return [_json_value(path, matcher) for path, matcher in wanted.items()]


def _json_value(path: str, matcher: Any) -> Check:
    steps, predicate, name = parse_path(path), predicate_of(matcher, "equals"), f"json.{path}"

    def look(view: CallView) -> list[Value]:
        return [Value(value) for value in find(view.body, steps)] or [Value(NOTHING)]

    def differ(view: CallView) -> Mismatch:
        found = look(view)
        actual = str(found[0]) if len(found) == 1 else shown([seen.value for seen in found])
        return Mismatch(name, predicate.words, actual, min(map(predicate.distance, found)))

    captures = tuple(((lambda view: look(view)[0].text), pattern) for pattern in predicate.patterns)
    return Check(name, lambda view: any(map(predicate.test, look(view))), differ, 6, captures)


def _any(alternatives: Sequence[WhenSection]) -> Check:
    groups = [checks_of(alternative) for alternative in alternatives]

    def differ(view: CallView) -> Mismatch:
        nearest = min((differences(group, view) for group in groups), key=_distance)
        expected = " and ".join(f"{mismatch.field} {mismatch.expected}" for mismatch in nearest)
        actual = ", ".join(mismatch.actual for mismatch in nearest)
        return Mismatch(
            "any", f"one of {len(groups)} conditions, the nearest being {expected}", actual, min(1.0, _distance(nearest))
        )

    captures = tuple(capture for group in groups for check in group for capture in check.captures)
    return Check("any", lambda view: any(holds(group, view) for group in groups), differ, 8, captures)


def _not(when: WhenSection) -> Check:
    group = checks_of(when)
    words = f"{', '.join(check.field for check in group) or 'the call'} to differ"
    return Check("not", lambda view: not holds(group, view), lambda view: Mismatch("not", words, "a call that fits"), 8)


_MAKERS: dict[str, Callable[[Any], Check | list[Check]]] = {
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
    "all": lambda whens: [check for when in whens for check in checks_of(when)],
    "any": _any,
    "not_": _not,
}


def checks_of(when: WhenSection) -> list[Check]:
    """The checks that a `when` of the file stands for, cheap ones first."""
    checks: list[Check] = []
    for name in when.model_fields_set:
        made = _MAKERS[name](getattr(when, name))
        checks += made if isinstance(made, list) else [made]
    return sorted(checks, key=lambda check: (check.cost, check.field))


def names_operation(when: WhenSection) -> bool:
    """Whether the conditions name an operation anywhere; a rule that names none is about those that a model answers."""
    given = when.model_fields_set
    inner = [
        *(when.any if "any" in given else ()),
        *(when.all if "all" in given else ()),
        *([when.not_] if "not_" in given else ()),
    ]
    return "operation" in given or any(map(names_operation, inner))


_SUITED: dict[str, tuple[str, Callable[[CallView], bool]]] = {
    "words": ("one that is answered in words", lambda view: view.prompt is not None and view.operation != EMBEDDINGS),
    "vectors": (shown(EMBEDDINGS), lambda view: view.operation == EMBEDDINGS),
    "model": ("one that a model answers (others have to be named)", lambda view: view.prompt is not None),
}


def suits(answer: Literal["words", "vectors", "model"]) -> Check:
    """The check that a rule's answer suits the operation: words or vectors, or anything where a `model` answers."""
    words, test = _SUITED[answer]
    return Check(OPERATION, test, lambda view: Mismatch(OPERATION, words, shown(view.operation)), -3)


def holds(checks: Sequence[Check], view: CallView) -> bool:
    """Whether all `checks` hold."""
    return all(check.test(view) for check in checks)


def differences(checks: Sequence[Check], view: CallView) -> list[Mismatch]:
    """Where the call differs from what `checks` ask for."""
    return [check.differ(view) for check in checks if not check.test(view)]


def _distance(mismatches: Sequence[Mismatch]) -> float:
    return sum(mismatch.distance for mismatch in mismatches)
