"""Assertions about the calls that a resource got. A failure says what came nearest, field by field, and lists the calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mockserver.testing.calls import RecordedCall, compiled, differing, recorded

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.scenario.match import Check, Mismatch
    from mockserver.scenario.rule import Rule

Json = Any
LISTED = 20
_SILENCE = "No call has reached this resource. Has the client been given its URL and its key?"


def assert_called(
    resource: Resource, operation: str | None, times: int | None, conditions: Mapping[str, Json]
) -> list[RecordedCall]:
    """The calls that fit, oldest first. Raises AssertionError where there is none, or where there are not `times`.

    Raises TypeError for a condition that does not exist, ScenarioError for a value of it that does not fit.
    """
    __tracebackhide__ = True
    checks, calls = compiled(operation, conditions), recorded(resource)
    found = [call for call in calls if not differing(call, checks)]
    if (not found) if times is None else len(found) != times:
        raise AssertionError(_not_called(operation, times, conditions, found, calls, checks))
    return found


def assert_not_called(resource: Resource, operation: str | None, conditions: Mapping[str, Json]) -> None:
    """Raises AssertionError where a call fits, TypeError and ScenarioError as `assert_called` does."""
    __tracebackhide__ = True
    checks, calls = compiled(operation, conditions), recorded(resource)
    found = [call for call in calls if not differing(call, checks)]
    if found:
        expected = f"expected no {described(operation, conditions)}, but there {_number(len(found))}."
        raise AssertionError("\n\n".join([expected, _listed(calls, found)]))


def assert_all_rules_used(resource: Resource) -> None:
    """Raises AssertionError where a rule of the scenario, or one that `when` added, has answered nothing."""
    __tracebackhide__ = True
    uses = resource.script.uses
    unused = [rule for rule in resource.script.rules if not uses[rule.name]]
    if unused:
        raise AssertionError(_unused(unused, len(resource.script.rules), recorded(resource)))


def described(operation: str | None, conditions: Mapping[str, Json], noun: str = "call") -> str:
    """What was asked for, as it was written: `createResponse call with user='hello', stream=True`."""
    told = ", ".join(f"{name}={value!r:.200}" for name, value in conditions.items())
    return " ".join(filter(None, (operation, noun, told and f"with {told}")))


def _not_called(
    operation: str | None,
    times: int | None,
    conditions: Mapping[str, Json],
    found: Sequence[RecordedCall],
    calls: Sequence[RecordedCall],
    checks: Sequence[Check],
) -> str:
    some = "a" if times is None else "no" if times == 0 else "exactly one" if times == 1 else str(times)
    wanted = described(operation, conditions, "call" if times in (None, 0, 1) else "calls")
    parts = [f"expected {some} {wanted}, but there {_number(len(found))}."]
    if not calls:
        return f"{parts[0]}\n\n{_SILENCE}"
    others = [call for call in calls if call not in found]
    if others and (times is None or len(found) < times):
        parts.append(_nearest(others, checks))
    return "\n\n".join([*parts, _listed(calls, found)])


def _number(count: int) -> str:
    return "was none" if count == 0 else "was one" if count == 1 else f"were {count}"


def _nearest(calls: Sequence[RecordedCall], checks: Sequence[Check], indent: str = "") -> str:
    """The call that differs least (of equals the last), with a line for every field that differs."""
    call, differs = min(((call, differing(call, checks)) for call in reversed(calls)), key=lambda pair: _distance(pair[1]))
    lines = [f"{indent}The nearest is call {call.summary}"]
    return "\n".join([*lines, *(f"{indent}    {mismatch}" for mismatch in differs)])


def _distance(differs: Sequence[Mismatch]) -> float:
    return sum(mismatch.distance for mismatch in differs)


def _listed(calls: Sequence[RecordedCall], found: Sequence[RecordedCall]) -> str:
    """Every call on a line of its own, those that fit marked; of many the last ones."""
    shown = calls[-LISTED:]
    left_out = len(calls) - len(shown)
    head = f"The last {LISTED} of {len(calls)} calls:" if left_out else "All calls:"
    return "\n".join([head, *(f"  {'>' if call in found else ' '} {call.summary}" for call in shown)])


def _unused(unused: Sequence[Rule], rules: int, calls: Sequence[RecordedCall]) -> str:
    which = "the only rule" if rules == 1 else f"{len(unused)} of {rules} rules"
    parts = [f"{which} {'was' if len(unused) == 1 else 'were'} never used."]
    for rule in unused:
        name = rule.name if rule.place.endswith(rule.name) else f"{rule.name} ({rule.place})"
        parts.append("\n".join([f"  {name}", *([_why_unused(rule, calls)] if calls else [])]))
    return "\n\n".join([*parts, _listed(calls, ()) if calls else _SILENCE])


def _why_unused(rule: Rule, calls: Sequence[RecordedCall]) -> str:
    # The journal does not keep the script's states, so it cannot be told whether a call came in the right one.
    checks = [check for check in rule.checks if check.field.partition(".")[0] != "state"]
    fitting = [call for call in calls if not differing(call, checks)]
    if not fitting:
        return _nearest(calls, checks, "    ")
    call, aside = fitting[-1], " its state aside," if len(checks) < len(rule.checks) else ""
    return f"    Call {call.number} fits,{aside} but got another answer: {call.outcome}."
