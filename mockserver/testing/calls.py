"""Recorded calls as tests read them, and their selection by conditions, which are the keys of a scenario's `when`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from mockserver.errors import ScenarioError
from mockserver.model.prompt import parse_json
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
    """A response's call of one of the caller's tools. `arguments` are parsed if they are JSON, else text."""

    name: str
    arguments: Json


class ToolResult(NamedTuple):
    """A tool's result that the caller sent. `output` is parsed if it is JSON, else text."""

    name: str
    output: Json


@dataclass(slots=True)
class RecordedView(CallView):
    """A call as conditions see it: what rules see, and the outcome."""

    status: int = 0
    rule: str | None = None
    error: str | None = None


class RecordedCall:
    """One call from the journal. Members that take parsing are computed on first use.

    `exchange` is the journal's own entry, with the raw bytes, the response's headers and the frames of a stream.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange

    def __repr__(self) -> str:
        return f"<call {self.summary}>"

    @property
    def summary(self) -> str:
        """One line: number, operation, deployment, the user's text, the outcome, the status, and a fault if there was one."""
        operation = self.operation or f"{self.exchange.method} {abbreviate(self.exchange.path)}"
        user = abbreviate(self.user, 60) if self.prompt is not None else ""
        request = " ".join(filter(None, (operation, self.deployment, user)))
        fault = self.exchange.fault or ("client hung up" if self.hung_up else "")
        return " · ".join(filter(None, (f"{self.number}: {request}", self.outcome, str(self.status), fault)))

    @property
    def outcome(self) -> str:
        """What decided the response: a rule, an error (by its code), or the improviser."""
        if self.rule is not None:
            return f"rule {abbreviate(self.rule, 60)}"
        if self.error is not None:
            return "refused" if self.error == str(self.status) else self.error[:60]
        return "improvised" if self.prompt is not None else "answered"

    # -- the request

    @property
    def number(self) -> int:
        """Its number; the first request to a server is 1."""
        return self.exchange.number

    @property
    def operation(self) -> str:
        """The operationId, "" for a path that is none of the API's."""
        return self.exchange.operation

    @property
    def deployment(self) -> str:
        """The deployment that it names, "" if it names none."""
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
        """The prompt with all its turns, a stored chain's earlier ones included; None for operations that no model answers."""
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
        """The names of the tools that it offers."""
        return [tool.name for tool in self.prompt.tools] if self.prompt is not None else []

    @property
    def tool_results(self) -> list[ToolResult]:
        """The tool results at the end of the conversation."""
        turns = self.prompt.tool_results if self.prompt is not None else []
        return [ToolResult(turn.name or "", parse_json(turn.text)) for turn in turns]

    # -- the response

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.exchange.status

    @property
    def rule(self) -> str | None:
        """The name of the rule that answered, None if none did."""
        return self.exchange.rule

    @property
    def error(self) -> str | None:
        """The error's code (or message), None if there was no error."""
        return self.exchange.error

    @cached_property
    def response(self) -> Json:
        """The response's JSON, None for a stream."""
        return self.exchange.response

    @cached_property
    def text(self) -> str:
        """The response's text; of a stream, as far as it was sent."""
        return transcript.text(self.exchange)

    @cached_property
    def tool_calls(self) -> list[ToolCall]:
        """The calls of the caller's tools in the response."""
        return [ToolCall(call.name, parse_json(call.arguments)) for call in transcript.tool_calls(self.exchange)]

    @cached_property
    def chunks(self) -> list[dict[str, Json]]:
        """A stream's events, parsed, as far as they were sent; without `[DONE]`."""
        return transcript.events(self.exchange)

    @property
    def streamed(self) -> bool:
        """Whether the response was a stream."""
        return self.exchange.streamed

    @property
    def hung_up(self) -> bool:
        """Whether the client left before the end."""
        return self.exchange.hung_up

    @property
    def at(self) -> float:
        """When it arrived, in Unix seconds of the resource's clock."""
        return self.exchange.at

    @property
    def ms(self) -> float:
        """Real milliseconds until the first byte of the response was ready."""
        return self.exchange.ms

    @cached_property
    def view(self) -> RecordedView:
        """The call as conditions see it."""
        exchange = self.exchange
        body = {} if self.body is None else self.body
        if exchange.legacy_api and exchange.deployment and isinstance(body, dict):
            # A path of the legacy API names the deployment; rules see it in the body, as in v1.
            body = {**body, "model": exchange.deployment}
        return RecordedView(
            exchange.operation,
            exchange.deployment,
            body,
            exchange.headers,
            exchange.prompt,
            status=exchange.status,
            rule=exchange.rule,
            error=exchange.error,
        )


def find_calls(resource: Resource, operation: str | None, conditions: Mapping[str, Json]) -> list[RecordedCall]:
    """The calls that match, oldest first.

    Raises TypeError for a condition that does not exist, ScenarioError for a value that a condition does not take.
    """
    __tracebackhide__ = True
    checks = checks_for(operation, conditions)
    return [call for call in recorded_calls(resource) if not mismatches(call, checks)]


def recorded_calls(resource: Resource) -> list[RecordedCall]:
    """Every call in a resource's journal, oldest first."""
    return [RecordedCall(exchange) for exchange in resource.journal]


def mismatches(call: RecordedCall, checks: Sequence[Check]) -> list[Mismatch]:
    """The fields in which a call differs from what `checks` expect; [] if it matches."""
    return find_mismatches(checks, call.view)


def checks_for(operation: str | None, conditions: Mapping[str, Json]) -> list[Check]:
    """Conditions as checks of a `RecordedView`: keys of `when` (`any_` and `not_` as Python needs them), and `OUTCOMES`.

    Raises TypeError for a condition that does not exist, ScenarioError for a value that a condition does not take.
    """
    __tracebackhide__ = True
    keys = {name.rstrip("_"): value for name, value in conditions.items()}
    _refuse_unknown(keys)
    outcomes = []
    for name in OUTCOMES:
        if name in keys:
            outcomes.append(_outcome_check(name, keys.pop(name)))  # no comprehension: its frame would be in the traceback
    if operation is not None:
        keys["operation"] = operation
    return [*compile_conditions(_when_section(keys)), *outcomes]


def _refuse_unknown(keys: Mapping[str, Json]) -> None:
    __tracebackhide__ = True
    from mockserver.scenario.conditions import WhenSection
    from mockserver.scenario.values import suggestion

    if "state" in keys:
        raise TypeError("calls cannot be selected by 'state': the journal does not record the script's states")
    known = {field.alias or name for name, field in WhenSection.model_fields.items()} - {"operation", "state"} | set(OUTCOMES)
    for key in keys:
        if key not in known:
            raise TypeError(f"there is no condition {key!r}; {suggestion(key, known)}")


def _when_section(keys: Mapping[str, Json]) -> Any:
    __tracebackhide__ = True
    from pydantic import ValidationError

    from mockserver.scenario.conditions import WhenSection
    from mockserver.scenario.document import UnreadableError, from_python
    from mockserver.scenario.problems import problems

    try:
        document = from_python(keys, "conditions")
        return WhenSection.model_validate(document.value)
    except UnreadableError as error:
        raise ScenarioError(error.problems) from None
    except ValidationError as error:
        raise ScenarioError(problems(document, error, WhenSection)) from None


def _outcome_check(name: str, expected: Json) -> Check:
    __tracebackhide__ = True
    alternatives = expected if isinstance(expected, (list, tuple)) else [expected]
    kind: Any = int if name == "status" else (str, type(None))
    if not alternatives or not all(isinstance(one, kind) and not isinstance(one, bool) for one in alternatives):
        words = "a number such as 429" if name == "status" else "text or None"
        raise TypeError(f"{name} must be {words}, or a list of these, not {expected!r:.60}")
    predicate = any_of([exists(False) if one is None else equals(one) for one in alternatives])
    return _member_check(name, predicate)


def _member_check(name: str, predicate: Predicate) -> Check:
    def value_of(view: CallView) -> Value:
        value = getattr(view, name)
        return Value(NOTHING if value is None else value)

    def differ(view: CallView) -> Mismatch:
        # Half the distance: a call with the same request and another outcome is nearer than the reverse.
        return Mismatch(name, predicate.expected, str(value_of(view)), predicate.distance(value_of(view)) / 2)

    return Check(name, lambda view: predicate.test(value_of(view)), differ)
