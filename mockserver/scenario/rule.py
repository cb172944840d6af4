"""Rules as they run: conditions compiled to checks, answers to steps. They never change, so many scripts can share them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mockserver.model.reply import DEFAULT_TIMING
from mockserver.scenario import match
from mockserver.scenario.match import CallView, Check
from mockserver.scenario.step import Answer, Step, overlaid, step
from mockserver.scenario.template import Capture, Moment, Report

if TYPE_CHECKING:
    from mockserver.scenario.answers import BehaviourSection
    from mockserver.scenario.schema import RuleSection
    from mockserver.state.chance import Chance

Json = Any


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule of one script or of many.

    `place` is where it was written; `tests` are the tests of `checks`, less those of the operation.
    """

    name: str
    place: str
    checks: tuple[Check, ...]
    tests: tuple[Callable[[CallView], bool], ...]
    steps: tuple[Step, ...]
    times: int | None = None
    priority: int = 0
    set_state: Mapping[str, str] | None = None
    captures: tuple[Capture, ...] = ()

    def concerns(self, view: CallView) -> bool:
        """Whether it is about the operation that is called."""
        return all(check.test(view) for check in self.checks if check.of_operation)

    def answer(self, view: CallView, chance: Chance, now: float, count: int) -> Answer:
        """The answer to a call that fits; `count` is how often the rule has answered, this call included."""
        due = self.steps[min(count, len(self.steps)) - 1]
        return due.ready or due.make(Moment(view, chance, now, count, self.captures))


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a deployment does to all its calls: an error, whatever the rules say, or pace, faults and the filter's findings."""

    step: Step
    refuses: bool = False

    @property
    def decides(self) -> bool:
        """Whether it answers a call by itself, instead of only marking an improvised answer."""
        ready = self.step.ready
        return (
            ready is None
            or ready.reply is not None
            or ready.error is not None
            or (ready.fault is not None and ready.fault.kind == "reset")
        )

    def answer(self, view: CallView, chance: Chance, now: float) -> Answer:
        """The answer to a call that no rule decides."""
        return self.step.ready or self.step.make(Moment(view, chance, now))

    def applied(self, answer: Answer | None, view: CallView, chance: Chance, now: float) -> Answer:
        """A rule's answer with what it leaves open said by the deployment; without one, the deployment's own."""
        own = self.answer(view, chance, now)
        if answer is None:
            return own
        timing = own.timing if answer.timing is DEFAULT_TIMING else answer.timing
        if answer.error is not None or answer.raw is not None:
            return replace(answer, timing=timing)
        marks = own.overlay or own.reply
        changed = replace(answer, timing=timing, fault=answer.fault or own.fault)
        if marks is not None and answer.reply is not None:
            changed.reply = overlaid(answer.reply, marks)
        elif marks is not None:
            changed.overlay = overlaid(answer.overlay, marks) if answer.overlay is not None else marks
        return changed


def rule_of(section: RuleSection, name: str, place: str, report: Report) -> Rule:
    """Compile a rule of the file. Faults that only compiling shows go to `report`, with their path inside the rule."""
    given = section.model_fields_set
    name = section.name if "name" in given else name
    steps = _steps(section.respond, name, report)
    suits = {one.suits for one in steps} - {"model"}
    if len(suits) > 1:
        report(["respond"], "a sequence gives either words or vectors, not both")
    checks = match.checks_of(section.when) if "when" in given else []
    if suits:
        checks = [match.suits(min(suits)), *checks]
    elif "when" not in given or not match.names_operation(section.when):
        checks = [match.suits("model"), *checks]
    return Rule(
        name,
        place,
        tuple(checks),
        tuple(check.test for check in checks if not check.of_operation),
        steps,
        section.times,
        section.priority or 0,
        {"": section.set_state} if isinstance(section.set_state, str) else section.set_state,
        tuple(capture for check in sorted(checks, key=lambda check: check.field != "user") for capture in check.captures),
    )


def behaviour_of(section: BehaviourSection, name: str, report: Report) -> Behaviour | None:
    """Compile what a deployment says about its answers; None where it says nothing."""
    data = section.model_dump(exclude_unset=True, by_alias=True, exclude={"model", "rpm", "tpm"})
    return Behaviour(step(data, f"deployment {name}", report), refuses="error" in data) if data else None


def _steps(respond: Any, rule: str, report: Report) -> tuple[Step, ...]:
    if not isinstance(respond, list):
        return (_step(respond, rule, lambda path, message: report(["respond", *path], message)),)

    def reporting(index: int) -> Report:
        return lambda path, message: report(["respond", index, *path], message)

    return tuple(_step(one, rule, reporting(index)) for index, one in enumerate(respond))


def _step(respond: Any, rule: str, report: Report) -> Step:
    data = {"text": respond} if isinstance(respond, str) else respond.model_dump(exclude_unset=True, by_alias=True)
    return step(data, rule, (lambda path, message: report(path[1:], message)) if isinstance(respond, str) else report)
