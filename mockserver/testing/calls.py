"""Calls as a test looks at them, and those among them that fit conditions in the words of a scenario's `when`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from mockserver.errors import ScenarioError
from mockserver.model.prompt import parsed
from mockserver.scenario.match import CallView, Check, Mismatch, compile_conditions, find_mismatches
from mockserver.scenario.predicate import NOTHING, Predicate, Value, abbreviate, any_of, equals, exists
from mockserver.verdict import transcript

if TYPE_CHECKING:
    from mockserver.model.prompt import Prompt
    from mockserver.resource.journal import Exchange
    from mockserver.resource.resource import Resource

Json = Any
OUTCOMES = ("status", "rule", "error")


class ToolCall(NamedTuple):
    """A call of the caller's tool in an answer; `arguments` are parsed where they are JSON, else the text."""

    name: str
    arguments: Json


class ToolResult(NamedTuple):
    """What a tool gave, as the caller sent it; `output` is parsed where it is JSON, else the text."""

    name: str
    output: Json


@dataclass(slots=True)
class RecordedView(CallView):
    """A call as conditions see it: what rules saw, and how it ended."""

    status: int = 0
    rule: str | None = None
    error: str | None = None


class RecordedCall:
    """One call from the journal. What is costly to work out is worked out when it is first asked for.

    `exchange` is the journal's own entry, with the raw bytes, the response's headers and the frames of a stream.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def __repr__(self) -> str:
        return f"<call {self.summary}>"

    @property
    def summary(self) -> str:
        """One line: number, operation, deployment, what the user said, what answered, status."""
        asked = self.operation or f"{self.exchange.method} {abbreviate(self.exchange.path)}"
        said = abbreviate(self.user, 60) if self.prompt is not None else ""
        flag = self.exchange.fault or ("client hung up" if self.hung_up else "")
        what = " ".join(filter(None, (asked, self.deployment, said)))
        return " · ".join(filter(None, (f"{self.number}: {what}", self.outcome, str(self.status), flag)))

    @property
    def outcome(self) -> str:
        """What answered: a rule, an error's code, or the improviser."""
        if self.rule is not None:
            return f"rule {abbreviate(self.rule, 60)}"
        if self.error is not None:
            return "refused" if self.error == str(self.status) else self.error[:60]
        return "improvised" if self.prompt is not None else "answered"

    # -- the request

    @property
    def number(self) -> int:
        """Its number in the journal; the first request to a server is 1."""
        return self.exchange.number

    @property
    def operation(self) -> str:
        """The operationId, "" outside the surface."""
        return self.exchange.operation

    @property
    def deployment(self) -> str:
        """The deployment that it names, "" where it names none."""
        return self.exchange.deployment

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers by their names in lower case."""
        return dict(self.exchange.headers)

    @cached_property
    def body(self) -> Json:
        """The request's body as JSON, None where there is none."""
        return self.exchange.request

    @property
    def prompt(self) -> Prompt | None:
        """The prompt with all its turns, a stored chain's earlier ones included; None where no model was asked."""
        return self.exchange.prompt

    @property
    def user(self) -> str:
        """The text of the last user turn."""
        return self.prompt.user if self.prompt is not None else ""

    @property
    def system(self) -> str:
        """The instructions and all system and developer turns."""
        return self.prompt.system if self.prompt is not None else ""

    @property
    def tools(self) -> list[str]:
        """The names of the tools that are offered."""
        return [tool.name for tool in self.prompt.tools] if self.prompt is not None else []

    @property
    def tool_results(self) -> list[ToolResult]:
        """The tool results at the end of the conversation."""
        turns = self.prompt.tool_results if self.prompt is not None else []
        return [ToolResult(turn.name or "", parsed(turn.text)) for turn in turns]

    # -- the answer

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.exchange.status

    @property
    def rule(self) -> str | None:
        """The name of the rule that answered, None where none did."""
        return self.exchange.rule

    @property
    def error(self) -> str | None:
        """The error's code (or message), None where the answer was none."""
        return self.exchange.error

    @cached_property
    def response(self) -> Json:
        """The answer as JSON, None for a stream."""
        return self.exchange.response

    @cached_property
    def text(self) -> str:
        """The answer's text; of a stream, as far as it was sent."""
        return transcript.text(self.exchange)

    @cached_property
    def tool_calls(self) -> list[ToolCall]:
        """The calls of the caller's tools in the answer."""
        return [ToolCall(call.name, parsed(call.arguments)) for call in transcript.tool_calls(self.exchange)]

    @cached_property
    def chunks(self) -> list[dict[str, Json]]:
        """A stream's events, parsed, as far as they were sent; without `[DONE]`."""
        return transcript.events(self.exchange)

    @property
    def streamed(self) -> bool:
        """Whether the answer was a stream."""
        return self.exchange.streamed

    @property
    def hung_up(self) -> bool:
        """Whether the client left before the end."""
        return self.exchange.hung_up

    @property
    def at(self) -> float:
        """WhenSection it came, in Unix seconds of the resource's clock."""
        return self.exchange.at

    @property
    def ms(self) -> float:
        """How many real milliseconds it took to find the answer."""
        return self.exchange.ms

    @cached_property
    def view(self) -> RecordedView:
        """The call as conditions see it."""
        sent, one = {} if self.body is None else self.body, self.exchange
        if one.legacy_api and one.deployment and isinstance(sent, dict):
            # Rules see the deployment that a path of the legacy API names where v1 has it.
            sent = {**sent, "model": one.deployment}
        return RecordedView(
            one.operation,
            one.deployment,
            sent,
            one.headers,
            one.prompt,
            status=one.status,
            rule=one.rule,
            error=one.error,
        )


def matching(resource: Resource, operation: str | None, conditions: Mapping[str, Json]) -> list[RecordedCall]:
    """The calls that fit, oldest first. Raises TypeError for a condition that does not exist, ScenarioError for its value."""
    checks = compiled(operation, conditions)
    return [call for call in recorded(resource) if not differing(call, checks)]


def recorded(resource: Resource) -> list[RecordedCall]:
    """Every call in a resource's journal, oldest first."""
    return [RecordedCall(exchange) for exchange in resource.journal]


def differing(call: RecordedCall, checks: Sequence[Check]) -> list[Mismatch]:
    """Where a call differs from what `checks` ask for; [] where it fits."""
    return find_mismatches(checks, call.view)


def compiled(operation: str | None, conditions: Mapping[str, Json]) -> list[Check]:
    """Conditions as checks of a `RecordedView`: the keys of `when` (`any_`, `not_` where Python wants it), and `OUTCOMES`.

    Raises TypeError for a condition that does not exist, ScenarioError for a value that does not fit.
    """
    worded = {name.rstrip("_"): value for name, value in conditions.items()}
    _refuse_unknown(worded)
    outcomes = [_outcome(name, worded.pop(name)) for name in OUTCOMES if name in worded]
    if operation is not None:
        worded["operation"] = operation
    return [*compile_conditions(_section(worded)), *outcomes]


def _refuse_unknown(worded: Mapping[str, Json]) -> None:
    from mockserver.scenario.conditions import WhenSection
    from mockserver.scenario.values import suggestion

    if "state" in worded:
        raise TypeError("a call cannot be found by 'state': the journal does not keep the script's states")
    known = {field.alias or name for name, field in WhenSection.model_fields.items()} - {"operation", "state"} | set(OUTCOMES)
    for name in worded:
        if name not in known:
            raise TypeError(f"there is no condition {name!r}; {suggestion(name, known)}")


def _section(worded: Mapping[str, Json]) -> Any:
    from pydantic import ValidationError

    from mockserver.scenario.conditions import WhenSection
    from mockserver.scenario.document import UnreadableError, from_python
    from mockserver.scenario.problems import problems

    try:
        document = from_python(worded, "conditions")
        return WhenSection.model_validate(document.value)
    except UnreadableError as error:
        raise ScenarioError(error.problems) from None
    except ValidationError as error:
        raise ScenarioError(problems(document, error, WhenSection)) from None


def _outcome(name: str, wanted: Json) -> Check:
    allowed = wanted if isinstance(wanted, (list, tuple)) else [wanted]
    kind: Any = int if name == "status" else (str, type(None))
    if not allowed or not all(isinstance(one, kind) and not isinstance(one, bool) for one in allowed):
        expected = "a number such as 429" if name == "status" else "text, or None"
        raise TypeError(f"{name} is {expected}, or a list of such, not {wanted!r:.60}")
    predicate = any_of([exists(False) if one is None else equals(one) for one in allowed])
    return _check(name, predicate)


def _check(name: str, predicate: Predicate) -> Check:
    def look(view: CallView) -> Value:
        value = getattr(view, name)
        return Value(NOTHING if value is None else value)

    def differ(view: CallView) -> Mismatch:
        # What was asked counts for more than how it ended: the same question with another outcome is nearer than the reverse.
        return Mismatch(name, predicate.expected, str(look(view)), predicate.distance(look(view)) / 2)

    return Check(name, lambda view: predicate.test(look(view)), differ)
