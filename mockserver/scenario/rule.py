"""Rules in the form in which they run: conditions as checks, answers as steps. They never change, so scripts can share them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mockserver.model.reply import DEFAULT_TIMING
from mockserver.scenario import match
from mockserver.scenario.match import CallView, Check
from mockserver.scenario.step import Answer, Step, combine, compile_step
from mockserver.scenario.template import Capture, Moment, Report

if TYPE_CHECKING:
    from mockserver.scenario.answers import BehaviourSection
    from mockserver.scenario.schema import RuleSection
    from mockserver.state.chance import Chance

Json = Any


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule of one script or of many.

    `place` is where it is written, as `file:line:column`. `tests` are those of `checks` without the checks of the operation:
    a script selects its rules by operation once, and not for every call.
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
        """Whether the operation that is called passes the checks for it."""
        return all(check.test(view) for check in self.checks if check.of_operation)

    def answer(self, view: CallView, chance: Chance, now: float, count: int) -> Answer:
        """The answer to a call that passes all checks; `count` is how often the rule has answered, this call included."""
        step = self.steps[min(count, len(self.steps)) - 1]
        return step.ready or step.make(Moment(view, chance, now, count, self.captures))


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a deployment does to all its calls: an error, whatever the rules are, or pace, faults and filter results."""

    step: Step
    refuses: bool = False

    @property
    def decides(self) -> bool:
        """Whether it answers calls by itself, and does not only add to improvised answers."""
        ready = self.step.ready
        return (
            ready is None
            or ready.reply is not None
            or ready.error is not None
            or (ready.fault is not None and ready.fault.kind == "reset")
        )

    def answer(self, view: CallView, chance: Chance, now: float) -> Answer:
        """The answer to a call that no rule answers."""
        return self.step.ready or self.step.make(Moment(view, chance, now))

    def apply_to(self, answer: Answer | None, view: CallView, chance: Chance, now: float) -> Answer:
        """A rule's answer in which the deployment supplies what it leaves open; without one, the deployment's own."""
        own = self.answer(view, chance, now)
        if answer is None:
            return own
        timing = own.timing if answer.timing is DEFAULT_TIMING else answer.timing
        if answer.error is not None or answer.raw is not None:
            return replace(answer, timing=timing)
        overlay = own.overlay or own.reply
        changed = replace(answer, timing=timing, fault=answer.fault or own.fault)
        if overlay is not None and answer.reply is not None:
            changed.reply = combine(answer.reply, overlay)
        elif overlay is not None:
            changed.overlay = combine(answer.overlay, overlay) if answer.overlay is not None else overlay
        return changed


def compile_rule(section: RuleSection, name: str, place: str, report: Report) -> Rule:
    """Compile a rule of the file. Mistakes that validation does not see go to `report`, with their path inside the rule."""
    keys = section.model_fields_set
    name = section.name if "name" in keys else name
    steps = _compile_steps(section.respond, name, report)
    kinds = {step.kind for step in steps} - {"model"}
    if len(kinds) > 1:
        report(["respond"], "a sequence gives either words, or vectors, or jobs")
    checks = match.compile_conditions(section.when) if "when" in keys else []
    if kinds:
        checks = [match.answered_by(min(kinds)), *checks]
    elif "when" not in keys or not match.names_operation(section.when):
        checks = [match.answered_by("model"), *checks]
    return Rule(
        name,
        place,
        tuple(checks),
        tuple(check.test for check in checks if not check.of_operation),
        steps,
        section.times,
        section.priority or 0,
        {"": section.set_state} if isinstance(section.set_state, str) else section.set_state,
        # In templates, `match[1]` is a group of the user's text wherever a condition searches that.
        tuple(capture for check in sorted(checks, key=lambda check: check.field != "user") for capture in check.captures),
    )


def compile_behaviour(section: BehaviourSection, name: str, report: Report) -> Behaviour | None:
    """Compile what a deployment does to its answers; None where it leaves them as they are."""
    data = section.model_dump(exclude_unset=True, by_alias=True, exclude={"model", "like", "rpm", "tpm", "enqueued_tokens"})
    return Behaviour(compile_step(data, f"deployment {name}", report), refuses="error" in data) if data else None


def _compile_steps(respond: Any, rule: str, report: Report) -> tuple[Step, ...]:
    if not isinstance(respond, list):
        return (_compile_step(respond, rule, lambda path, message: report(["respond", *path], message)),)

    def report_at(index: int) -> Report:
        return lambda path, message: report(["respond", index, *path], message)

    return tuple(_compile_step(entry, rule, report_at(index)) for index, entry in enumerate(respond))


def _compile_step(respond: Any, rule: str, report: Report) -> Step:
    if isinstance(respond, str):
        # The file has no key `text` here, so a path must not name it.
        return compile_step({"text": respond}, rule, lambda path, message: report(path[1:], message))
    return compile_step(respond.model_dump(exclude_unset=True, by_alias=True), rule, report)
