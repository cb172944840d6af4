"""What happened, as text under a failing test: the journal, calls that matched no rule, rules that were never used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mockserver.testing.calls import RecordedCall
from mockserver.verdict.findings import quantity

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange
    from mockserver.scenario.rule import Rule
    from mockserver.testing.guard import Attempt

UNMATCHED = "unmatched_request"
# How much of a long journal, body or stream is shown. A short response of the Responses API has about 3,000 characters.
_MAX_CALLS = 50
_LINE_WIDTH = 120
_EVENTS_AT_EACH_END = 6
_MAX_BODY = 4_000
_MAX_EVENT = 300


def journal(exchanges: Sequence[Exchange]) -> str:
    """The last exchanges, one a line; "" for none."""
    if not exchanges:
        return ""
    omitted = len(exchanges) - _MAX_CALLS
    first = [f"  … {omitted} earlier ones"] if omitted > 0 else []
    calls = [f"  {RecordedCall(exchange).summary}" for exchange in exchanges[-_MAX_CALLS:]]
    return "\n".join(["Calls to azure_openai:", *first, *calls])


def bodies(exchange: Exchange) -> str:
    """The request and the response of an exchange, and the rules that nearly matched."""
    request = [f"Request {exchange.number}:", _body(exchange.request, exchange.request_body)]
    body = [_body(exchange.response, exchange.response_body)] if exchange.frames is None else _events(exchange.frames)
    near_misses = [exchange.near_misses] if exchange.near_misses else []
    return "\n".join([*request, f"Response {exchange.number}:", *body, *near_misses])


def unmatched(exchanges: Sequence[Exchange]) -> str:
    """The calls that matched no rule of a strict script, each with the rules that nearly matched; "" for none."""
    found = [exchange for exchange in exchanges if exchange.error == UNMATCHED]
    if not found:
        return ""
    lines = [f"{quantity(len(found), 'call')} matched no rule, and the script is strict:"]
    for exchange in found:
        near_misses = (exchange.near_misses or "").splitlines()
        lines += [f"  {RecordedCall(exchange).summary}", *(f"    {line}" for line in near_misses)]
    return "\n".join([*lines, _advice("unmatched")])


def unused(rules: Sequence[Rule], uses: Mapping[str, int]) -> str:
    """Those of `rules` that answered no call; "" for none."""
    found = [rule for rule in rules if not uses[rule.name]]
    if not found:
        return ""
    lines = [f"{quantity(len(found), 'rule')} {'was' if len(found) == 1 else 'were'} never used:"]
    lines += [f"  {rule.name}" if rule.name == rule.place else f"  {rule.name} ({rule.place})" for rule in found]
    return "\n".join([*lines, _advice("rules_unused")])


def blocked(attempts: Sequence[Attempt]) -> str:
    """The calls to real hosts that the guard blocked; "" for none."""
    return "\n\n".join(dict.fromkeys(map(str, attempts)))


def _advice(option: str) -> str:
    return f'To allow this, set {option}="ok" in the marker azure_openai, or in the call of azure_openai_factory.'


def _body(parsed: Any, body: bytes) -> str:
    if parsed is None:
        return _shortened(body.decode("utf-8", "replace")) or "(empty)"
    return _shortened(_indented(parsed, ""))


def _indented(value: Any, indent: str) -> str:
    """JSON, with everything on one line that fits into one."""
    text = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(text) <= _LINE_WIDTH or not isinstance(value, (dict, list)) or not value:
        return text
    inner = f"{indent}  "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {_indented(member, inner)}" for key, member in value.items()]
    else:
        lines = [f"{inner}{_indented(member, inner)}" for member in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([opening, ",\n".join(lines), f"{indent}{closing}"])


def _events(frames: Sequence[bytes]) -> list[str]:
    """The first and the last events of a stream."""
    events = [_shortened(frame.decode("utf-8", "replace").strip(), _MAX_EVENT) for frame in frames]
    omitted = len(events) - 2 * _EVENTS_AT_EACH_END
    if omitted <= 0:
        return events
    return [*events[:_EVENTS_AT_EACH_END], f"… {omitted} more events …", *events[-_EVENTS_AT_EACH_END:]]


def _shortened(text: str, limit: int = _MAX_BODY) -> str:
    return text if len(text) <= limit else f"{text[:limit]} … {len(text) - limit} more characters"
