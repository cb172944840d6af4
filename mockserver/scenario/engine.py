"""The script of one resource: which rule answers a call, what has been used, which states it is in; and why no rule fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mockserver.scenario.match import CallView, Mismatch, differences
from mockserver.scenario.rule import Behaviour, Rule
from mockserver.scenario.step import Answer

if TYPE_CHECKING:
    from mockserver.state.chance import Chance

Json = Any
__all__ = ["Answer", "Behaviour", "Explained", "NearMiss", "Rule", "Script", "When", "format_near_misses"]

_RULE_KEYS = ("name", "times", "priority", "set_state")


@dataclass(slots=True)
class Explained:
    """What a rule makes of a call. `answers` is True for the one that answers, `differs` is empty where its conditions hold."""

    rule: str
    place: str
    answers: bool
    differs: list[Mismatch] = field(default_factory=list)

    def __str__(self) -> str:
        if self.answers:
            return f"{self.rule}: answers"
        if not self.differs:
            return f"{self.rule}: fits too, but an earlier rule answers"
        return "\n".join([f"{self.rule}: does not fit", *(f"    {mismatch}" for mismatch in self.differs)])


@dataclass(slots=True)
class NearMiss:
    """A rule that did not fit, and where the call differs. `distance` is 0 to 1: the share of it that is missing."""

    rule: str
    place: str
    differs: list[Mismatch]
    distance: float


def format_near_misses(misses: Sequence[NearMiss]) -> str:
    """The rules that came nearest, each with a line for every field that differs."""
    if not misses:
        return "The scenario has no rules."
    lines = ["The nearest rules:"]
    for miss in misses:
        lines.append(f"  {miss.rule}" if miss.place.endswith(miss.rule) else f"  {miss.rule} ({miss.place})")
        lines += [f"    {mismatch}" for mismatch in miss.differs]
    return "\n".join(lines)


class Script:
    """What one resource is scripted to do.

    Rules are asked by priority, then the file's in their order, then those of `when` in theirs; the first that fits answers.
    Rules can be replaced from any thread; calls are answered on one.
    """

    def __init__(self, rules: Sequence[Rule] = (), *, strict: bool = False) -> None:
        self.strict = strict
        self.states: dict[str, str] = {}
        self._file = tuple(rules)
        self._python: tuple[Rule, ...] = ()
        self._counts: dict[Rule, int] = {}
        self._rules: tuple[Rule, ...] = ()
        self._concerned: dict[tuple[str, bool], tuple[Rule, ...]] = {}
        self._sort()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules in the order in which they are asked."""
        return self._rules

    @property
    def uses(self) -> dict[str, int]:
        """How often each rule has answered, by name."""
        uses: dict[str, int] = {}
        for rule in self._rules:
            uses[rule.name] = uses.get(rule.name, 0) + self._counts.get(rule, 0)
        return uses

    def answer(self, view: CallView, chance: Chance, now: float) -> Answer | None:
        """What the first fitting rule says to a call, None where none fits. Counts the use, and moves the states."""
        view.states = self.states
        counts = self._counts
        rules = self._concerned.get((view.operation, view.prompt is None))
        for rule in self._about(view) if rules is None else rules:
            if rule.times is not None and counts.get(rule, 0) >= rule.times:
                continue
            for test in rule.tests:
                if not test(view):
                    break
            else:
                count = counts[rule] = counts.get(rule, 0) + 1
                answer = rule.answer(view, chance, now, count)
                if rule.set_state is not None:
                    self.states.update(rule.set_state)
                return answer
        return None

    def explain(self, view: CallView) -> list[Explained]:
        """What every rule makes of a call, in the order in which they are asked. Counts nothing, changes nothing."""
        view.states = self.states
        explained, answered = [], False
        for rule in self._rules:
            differs = self._differences(rule, view)
            explained.append(Explained(rule.name, rule.place, not differs and not answered, differs))
            answered = answered or not differs
        return explained

    def explain_all(self, view: CallView) -> tuple[bool, str]:
        """Whether a rule answers a call, and what every rule makes of it, as text."""
        explained = self.explain(view)
        answered = any(one.answers for one in explained)
        return answered, "\n".join(map(str, explained)) or "The scenario has no rules."

    def near_misses(self, view: CallView, count: int = 3) -> list[NearMiss]:
        """The rules that came nearest to fitting a call, nearest first."""
        view.states = self.states
        misses = []
        for rule in self._rules:
            differs = self._differences(rule, view)
            if differs:
                conditions = len(rule.checks) + (rule.times is not None)
                misses.append(
                    NearMiss(rule.name, rule.place, differs, sum(mismatch.distance for mismatch in differs) / conditions)
                )
        return sorted(misses, key=lambda miss: miss.distance)[:count]

    def explain_near_misses(self, view: CallView, count: int = 3) -> str:
        """`near_misses` as text."""
        return format_near_misses(self.near_misses(view, count))

    def unused(self) -> list[str]:
        """The names of rules that have answered nothing."""
        return [name for name, count in self.uses.items() if not count]

    def reset(self, *, rules: bool = False) -> None:
        """Forget counts and states, and with `rules` the rules that were added in Python."""
        self._counts.clear()
        self.states.clear()
        if rules:
            self._python = ()
            self._sort()

    def replace(self, rules: Sequence[Rule]) -> None:
        """Put other rules in the place of the file's, all at once. Counts of the rules that stay, and states, are kept."""
        self._file = tuple(rules)
        self._sort()
        kept = set(self._rules)
        self._counts = {rule: count for rule, count in self._counts.items() if rule in kept}

    def add(self, rule: Rule) -> None:
        """Add a rule behind those that were added in Python before."""
        self._python += (rule,)
        self._sort()

    def when(self, **conditions: Json) -> When:
        """Begin a rule in Python, in the words of the file (`not_` for `not`); `respond` completes and adds it.

        Raises TypeError for a condition that does not exist.
        """
        from mockserver.scenario.conditions import WhenSection

        return When(self, _worded(conditions, WhenSection, "when", hints=dict.fromkeys(_RULE_KEYS, "it belongs to respond()")))

    def _sort(self) -> None:
        self._rules = tuple(sorted((*self._file, *self._python), key=lambda rule: -rule.priority))
        self._concerned = {}

    def _about(self, view: CallView) -> tuple[Rule, ...]:
        """The rules about the operation that is called: the same for every call of it."""
        concerned = self._concerned
        rules = tuple(rule for rule in self._rules if rule.concerns(view))
        return concerned.setdefault((view.operation, view.prompt is None), rules)

    def _differences(self, rule: Rule, view: CallView) -> list[Mismatch]:
        differs = differences(rule.checks, view)
        used = self._counts.get(rule, 0)
        if rule.times is not None and used >= rule.times:
            differs.append(Mismatch("times", f"at most {rule.times}", f"call {used + 1}"))
        return differs


class When:
    """The conditions of a rule that is being written in Python."""

    def __init__(self, script: Script, conditions: dict[str, Json]) -> None:
        self._script = script
        self._conditions = conditions

    def respond(
        self,
        *answers: Json,
        name: str | None = None,
        times: int | None = None,
        priority: int | None = None,
        set_state: str | Mapping[str, str] | None = None,
        **answer: Json,
    ) -> Rule:
        """Add the rule: `respond("text")`, `respond(error="rate_limit", retry_after=1)`, or several answers as a sequence.

        Tool calls may be pairs: `tool_calls=[("get_weather", {"city": "Paris"})]`. Raises TypeError for a keyword that does not
        exist, ScenarioError for values that do not fit.
        """
        from mockserver.scenario.answers import RespondSection
        from mockserver.scenario.load import rule

        if answers and answer:
            raise TypeError(f"respond() takes answers or keywords, not both: put {', '.join(answer)} into a dict")
        given = list(answers) if answers else [_worded(answer, RespondSection, "respond")]
        settings = {"name": name, "times": times, "priority": priority, "set_state": set_state}
        document: dict[str, Json] = {key: value for key, value in settings.items() if value is not None}
        document["when"] = self._conditions
        document["respond"] = [_paired(one) for one in given] if len(given) > 1 else _paired(given[0])
        made = rule(document, f"when({', '.join(f'{key}={value!r:.60}' for key, value in self._conditions.items())})")
        self._script.add(made)
        return made


def _worded(keywords: dict[str, Json], section: Any, function: str, hints: Mapping[str, str] | None = None) -> dict[str, Json]:
    """Keywords as keys of the file. Raises TypeError for one that it does not have."""
    from mockserver.scenario.values import suggestion

    known = [field.alias or name for name, field in section.model_fields.items()]
    worded = {keyword.rstrip("_"): value for keyword, value in keywords.items()}
    for key in worded:
        if key not in known:
            hint = (hints or {}).get(key) or suggestion(key, known)
            raise TypeError(f"{function}() got an unexpected keyword {key!r}; {hint}")
    return worded


def _paired(answer: Json) -> Json:
    """An answer with tool calls that were written as (name, arguments) spelled out."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("tool_calls"), (list, tuple)):
        return answer
    calls = [
        {"name": call[0], **({"arguments": call[1]} if len(call) > 1 else {})}
        if isinstance(call, tuple) and 1 <= len(call) <= 2
        else call
        for call in answer["tool_calls"]
    ]
    return {**answer, "tool_calls": calls}
