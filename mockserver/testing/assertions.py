"""Assertions about the calls of a resource. A failure shows the nearest call, field by field, and lists all calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mockserver.testing.calls import RecordedCall, checks_for, mismatches, recorded_calls

if TYPE_CHECKING:
    from mockserver.resource.resource import Resource
    from mockserver.scenario.match import Check, Mismatch
    from mockserver.scenario.rule import Rule

Json = Any
MAX_LISTED = 20
_NO_CALLS = "This resource has received no calls. Does the client use its URL and key?"


def assert_called(
    resource: Resource, operation: str | None, times: int | None, conditions: Mapping[str, Json]
) -> list[RecordedCall]:
    """The calls that match, oldest first. Raises AssertionError if there are none, or not exactly `times`.

    Raises TypeError for a condition that does not exist, ScenarioError for a value that a condition does not take.
    """
    __tracebackhide__ = True
    checks, calls = checks_for(operation, conditions), recorded_calls(resource)
    found = [call for call in calls if not mismatches(call, checks)]
    if (not found) if times is None else len(found) != times:
        raise AssertionError(_not_called(operation, times, conditions, found, calls, checks))
    return found


def assert_not_called(resource: Resource, operation: str | None, conditions: Mapping[str, Json]) -> None:
    """Raises AssertionError if a call matches; TypeError and ScenarioError as `assert_called` does."""
    __tracebackhide__ = True
    checks, calls = checks_for(operation, conditions), recorded_calls(resource)
    found = [call for call in calls if not mismatches(call, checks)]
    if found:
        expected = f"expected no {_describe(operation, conditions)}, but there {_count(len(found))}."
        raise AssertionError("\n\n".join([expected, _list_calls(calls, found)]))


def assert_all_rules_used(resource: Resource) -> None:
    """Raises AssertionError if a rule of the scenario, or one that `when` added, has never been used."""
    __tracebackhide__ = True
    uses = resource.script.uses
    unused = [rule for rule in resource.script.rules if not uses[rule.name]]
    if unused:
        raise AssertionError(_never_used(unused, len(resource.script.rules), recorded_calls(resource)))


def _describe(operation: str | None, conditions: Mapping[str, Json], noun: str = "call") -> str:
    """The calls that were expected, as the test wrote it: `createResponse call with user='hello', stream=True`."""
    arguments = ", ".join(f"{name}={value!r:.200}" for name, value in conditions.items())
    return " ".join(filter(None, (operation, noun, arguments and f"with {arguments}")))


def _not_called(
    operation: str | None,
    times: int | None,
    conditions: Mapping[str, Json],
    found: Sequence[RecordedCall],
    calls: Sequence[RecordedCall],
    checks: Sequence[Check],
) -> str:
    number = "a" if times is None else "no" if times == 0 else "exactly one" if times == 1 else str(times)
    expected = _describe(operation, conditions, "call" if times in (None, 0, 1) else "calls")
    parts = [f"expected {number} {expected}, but there {_count(len(found))}."]
    if not calls:
        return f"{parts[0]}\n\n{_NO_CALLS}"
    others = [call for call in calls if call not in found]
    if others and (times is None or len(found) < times):
        parts.append(_nearest(others, checks))
    return "\n\n".join([*parts, _list_calls(calls, found)])


def _count(number: int) -> str:
    return "was none" if number == 0 else "was one" if number == 1 else f"were {number}"


def _nearest(calls: Sequence[RecordedCall], checks: Sequence[Check], indent: str = "") -> str:
    """The call that differs least, of several the last, with a line for every field that differs."""
    candidates = ((call, mismatches(call, checks)) for call in reversed(calls))
    call, differing = min(candidates, key=lambda candidate: _distance(candidate[1]))
    fields = [f"{indent}    {mismatch}" for mismatch in differing]
    return "\n".join([f"{indent}The nearest is call {call.summary}", *fields])


def _distance(differing: Sequence[Mismatch]) -> float:
    return sum(mismatch.distance for mismatch in differing)


def _list_calls(calls: Sequence[RecordedCall], found: Sequence[RecordedCall]) -> str:
    """The last calls, one a line; those in `found` are marked."""
    last = calls[-MAX_LISTED:]
    head = f"The last {MAX_LISTED} of {len(calls)} calls:" if len(last) < len(calls) else "All calls:"
    return "\n".join([head, *(f"  {'>' if call in found else ' '} {call.summary}" for call in last)])


def _never_used(unused: Sequence[Rule], rules: int, calls: Sequence[RecordedCall]) -> str:
    which = "the only rule" if rules == 1 else f"{len(unused)} of {rules} rules"
    parts = [f"{which} {'was' if len(unused) == 1 else 'were'} never used."]
    for rule in unused:
        name = rule.name if rule.place.endswith(rule.name) else f"{rule.name} ({rule.place})"
        parts.append("\n".join([f"  {name}", *([_why_unused(rule, calls)] if calls else [])]))
    return "\n\n".join([*parts, _list_calls(calls, ()) if calls else _NO_CALLS])


def _why_unused(rule: Rule, calls: Sequence[RecordedCall]) -> str:
    # The journal does not record the script's states, so whether a call arrived in the right one is unknown.
    checks = [check for check in rule.checks if check.field.partition(".")[0] != "state"]
    matching = [call for call in calls if not mismatches(call, checks)]
    if not matching:
        return _nearest(calls, checks, "    ")
    call, except_state = matching[-1], " (apart from its state)" if len(checks) < len(rule.checks) else ""
    return f"    Call {call.number} matches it{except_state}, but the outcome was: {call.outcome}."
