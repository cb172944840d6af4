"""The script of one resource: it finds the rule that answers a call, counts uses, keeps states, and explains why no rule fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mockserver.scenario.match import CallView, Mismatch, find_mismatches
from mockserver.scenario.rule import Behaviour, Rule
from mockserver.scenario.step import Answer

if TYPE_CHECKING:
    from mockserver.state.chance import Chance

Json = Any
__all__ = ["Answer", "Behaviour", "Explanation", "NearMiss", "Rule", "Script", "When", "format_near_misses"]

_RULE_KEYS = ("name", "times", "priority", "set_state")


@dataclass(slots=True)
class Explanation:
    """Why a rule answers a call or does not. `answers` is True for one rule at most; `mismatches` is empty where it fits."""

    rule: str
    place: str
    answers: bool
    mismatches: list[Mismatch] = field(default_factory=list)

    def __str__(self) -> str:
        if self.answers:
            return f"{self.rule}: answers"
        if not self.mismatches:
            return f"{self.rule}: fits too, but an earlier rule answers"
        return "\n".join([f"{self.rule}: does not fit", *(f"    {mismatch}" for mismatch in self.mismatches)])


@dataclass(slots=True)
class NearMiss:
    """A rule that did not fit, and where the call differs. `distance` is above 0 and at most 1, the mean of its conditions."""

    rule: str
    place: str
    mismatches: list[Mismatch]
    distance: float


def format_near_misses(misses: Sequence[NearMiss]) -> str:
    """The nearest rules as text, each with a line for every field that differs."""
    if not misses:
        return "The scenario has no rules."
    lines = ["The nearest rules:"]
    for miss in misses:
        lines.append(f"  {miss.rule}" if miss.place.endswith(miss.rule) else f"  {miss.rule} ({miss.place})")
        lines += [f"    {mismatch}" for mismatch in miss.mismatches]
    return "\n".join(lines)


class Script:
    """The rules of one resource, how often each has answered, and the states of its state machines.

    Rules are tried by priority, then those of the file in their order, then those of `when` in theirs; the first that fits
    answers. Rules can be replaced from any thread; calls are answered on one.
    """

    def __init__(self, rules: Sequence[Rule] = (), *, strict: bool = False) -> None:
        self.strict = strict
        self.states: dict[str, str] = {}
        self._file = tuple(rules)
        self._python: tuple[Rule, ...] = ()
        self._counts: dict[Rule, int] = {}
        self._rules: tuple[Rule, ...] = ()
        # The rules for an operation, with or without a model: the same for every call of it, and often few of many.
        self._rules_by_operation: dict[tuple[str, bool], tuple[Rule, ...]] = {}
        self._sort()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules in the order in which they are tried."""
        return self._rules

    @property
    def uses(self) -> dict[str, int]:
        """How often each rule has answered, by name."""
        uses: dict[str, int] = {}
        for rule in self._rules:
            uses[rule.name] = uses.get(rule.name, 0) + self._counts.get(rule, 0)
        return uses

    def answer(self, view: CallView, chance: Chance, now: float) -> Answer | None:
        """The answer of the first rule that fits a call, None where none does. Counts the use and moves the states."""
        view.states = self.states
        counts = self._counts
        rules = self._rules_by_operation.get((view.operation, view.prompt is None))
        for rule in self._select_rules(view) if rules is None else rules:
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

    def explain(self, view: CallView) -> list[Explanation]:
        """Why each rule answers a call or does not, in the order in which they are tried. Counts and changes nothing."""
        view.states = self.states
        explanations, answered = [], False
        for rule in self._rules:
            mismatches = self._find_mismatches(rule, view)
            explanations.append(Explanation(rule.name, rule.place, not mismatches and not answered, mismatches))
            answered = answered or not mismatches
        return explanations

    def explain_all(self, view: CallView) -> tuple[bool, str]:
        """Whether a rule answers a call, and `explain` as text."""
        explanations = self.explain(view)
        answered = any(explanation.answers for explanation in explanations)
        return answered, "\n".join(map(str, explanations)) or "The scenario has no rules."

    def near_misses(self, view: CallView, count: int = 3) -> list[NearMiss]:
        """The `count` rules that come nearest to fitting a call, nearest first."""
        view.states = self.states
        misses = []
        for rule in self._rules:
            mismatches = self._find_mismatches(rule, view)
            if mismatches:
                conditions = len(rule.checks) + (rule.times is not None)
                distance = sum(mismatch.distance for mismatch in mismatches) / conditions
                misses.append(NearMiss(rule.name, rule.place, mismatches, distance))
        return sorted(misses, key=lambda miss: miss.distance)[:count]

    def explain_near_misses(self, view: CallView, count: int = 3) -> str:
        """`near_misses` as text."""
        return format_near_misses(self.near_misses(view, count))

    def unused(self) -> list[str]:
        """The names of rules that have not answered any call."""
        return [name for name, count in self.uses.items() if not count]

    def reset(self, *, rules: bool = False) -> None:
        """Forget counts and states, and with `rules` the rules that were added in Python."""
        self._counts.clear()
        self.states.clear()
        if rules:
            self._python = ()
            self._sort()

    def replace(self, rules: Sequence[Rule]) -> None:
        """Replace the rules of the file, all at once. States are kept, and the counts of rules that stay."""
        self._file = tuple(rules)
        self._sort()
        kept = set(self._rules)
        self._counts = {rule: count for rule, count in self._counts.items() if rule in kept}

    def add(self, rule: Rule) -> None:
        """Add a rule after those that were added in Python before."""
        self._python += (rule,)
        self._sort()

    def when(self, **conditions: Json) -> When:
        """Begin a rule in Python, in the words of the file (`not_` for `not`); `respond` completes and adds it.

        Raises TypeError for a condition that does not exist.
        """
        from mockserver.scenario.conditions import WhenSection

        hints = dict.fromkeys(_RULE_KEYS, "it belongs to respond()")
        return When(self, _keys_of_file(conditions, WhenSection, "when", hints))

    def _sort(self) -> None:
        self._rules = tuple(sorted((*self._file, *self._python), key=lambda rule: -rule.priority))
        self._rules_by_operation = {}

    def _select_rules(self, view: CallView) -> tuple[Rule, ...]:
        # The dict comes first: if the rules are replaced meanwhile, what is written goes to the old one.
        rules_by_operation = self._rules_by_operation
        rules = tuple(rule for rule in self._rules if rule.concerns(view))
        return rules_by_operation.setdefault((view.operation, view.prompt is None), rules)

    def _find_mismatches(self, rule: Rule, view: CallView) -> list[Mismatch]:
        mismatches = find_mismatches(rule.checks, view)
        count = self._counts.get(rule, 0)
        if rule.times is not None and count >= rule.times:
            mismatches.append(Mismatch("times", f"at most {rule.times}", f"call {count + 1}"))
        return mismatches


class When:
    """The first half of a rule in Python: its conditions, which `respond` makes a rule of."""

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
        from mockserver.scenario.load import build_rule

        if answers and answer:
            raise TypeError(f"respond() takes answers or keywords, not both: put {', '.join(answer)} into a dict")
        sequence = list(answers) if answers else [_keys_of_file(answer, RespondSection, "respond")]
        settings = {"name": name, "times": times, "priority": priority, "set_state": set_state}
        document: dict[str, Json] = {key: value for key, value in settings.items() if value is not None}
        document["when"] = self._conditions
        document["respond"] = [_expand_pairs(entry) for entry in sequence] if len(sequence) > 1 else _expand_pairs(sequence[0])
        conditions = ", ".join(f"{key}={value!r:.60}" for key, value in self._conditions.items())
        rule = build_rule(document, f"when({conditions})")
        self._script.add(rule)
        return rule


def _keys_of_file(
    keywords: dict[str, Json], section: Any, function: str, hints: Mapping[str, str] | None = None
) -> dict[str, Json]:
    """Keywords as keys of the file. Raises TypeError for one that it does not have."""
    from mockserver.scenario.values import suggestion

    known = [field.alias or name for name, field in section.model_fields.items()]
    keys = {keyword.rstrip("_"): value for keyword, value in keywords.items()}
    for key in keys:
        if key not in known:
            hint = (hints or {}).get(key) or suggestion(key, known)
            raise TypeError(f"{function}() got an unexpected keyword {key!r}; {hint}")
    return keys


def _expand_pairs(answer: Json) -> Json:
    """An answer in which tool calls that are pairs of name and arguments are mappings, as in the file."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("tool_calls"), (list, tuple)):
        return answer
    calls = [
        {"name": call[0], **({"arguments": call[1]} if len(call) > 1 else {})}
        if isinstance(call, tuple) and 1 <= len(call) <= 2
        else call
        for call in answer["tool_calls"]
    ]
    return {**answer, "tool_calls": calls}
