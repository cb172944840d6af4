"""What happened, as text under a failing test: the journal, the calls that no rule answered, rules that answered no call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mockserver.testing.calls import RecordedCall

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange
    from mockserver.scenario.rule import Rule

UNMATCHED = "unmatched_request"
_LINES = 50
_WIDTH = 120
_EVENTS = 6
_LONGEST = 3_000
_EVENT_LONGEST = 300


def journal(exchanges: Sequence[Exchange]) -> str:
    """A line for each exchange; "" where there was none."""
    if not exchanges:
        return ""
    left_out = len(exchanges) - _LINES
    first = [f"  … {left_out} earlier ones"] if left_out > 0 else []
    calls = [f"  {RecordedCall(exchange).summary}" for exchange in exchanges[-_LINES:]]
    return "\n".join(["What azure_openai was asked:", *first, *calls])


def bodies(exchange: Exchange) -> str:
    """An exchange's request, its answer, and the rules that came near."""
    told = [f"Request {exchange.number}:", _shown(exchange.request, exchange.request_body), "Its answer:"]
    if exchange.frames is None:
        told.append(_shown(exchange.response, exchange.response_body))
    else:
        told += _events(exchange.frames)
    return "\n".join([*told, *filter(None, [exchange.near_misses])])


def unmatched(exchanges: Sequence[Exchange]) -> str:
    """The calls that no rule answered although the script is strict, each with the rules that came nearest; "" for none."""
    found = [exchange for exchange in exchanges if exchange.error == UNMATCHED]
    if not found:
        return ""
    told = [f"{counted(len(found), 'call')} had no rule to answer, and the script is strict:"]
    for exchange in found:
        told += [f"  {RecordedCall(exchange).summary}", *(f"    {text}" for text in (exchange.near_misses or "").splitlines())]
    return "\n".join([*told, '(unmatched="ok" in the marker azure_openai lets it pass)'])


def unused(rules: Sequence[Rule], uses: Mapping[str, int]) -> str:
    """Those of `rules` that answered no call; "" where all did."""
    found = [rule for rule in rules if not uses[rule.name]]
    if not found:
        return ""
    told = [f"{counted(len(found), 'rule')} answered no call:"]
    told += [f"  {rule.name}" if rule.name == rule.place else f"  {rule.name} ({rule.place})" for rule in found]
    return "\n".join([*told, '(rules_unused="ok" in the marker azure_openai lets it pass)'])


def attempted(attempts: Sequence[Any]) -> str:
    """The connections to real hosts that the guard stopped; "" for none."""
    return "\n\n".join(dict.fromkeys(map(str, attempts)))


def counted(number: int, noun: str) -> str:
    """A number of things."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _shown(parsed: Any, body: bytes) -> str:
    if parsed is None:
        return _cut(body.decode("utf-8", "replace")) or "(empty)"
    return _cut(_spelled(parsed, ""))


def _spelled(value: Any, indent: str) -> str:
    """JSON with a line for everything that fits into one."""
    text = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(text) <= _WIDTH or not isinstance(value, (dict, list)) or not value:
        return text
    inner = f"{indent}  "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {_spelled(one, inner)}" for key, one in value.items()]
    else:
        lines = [f"{inner}{_spelled(one, inner)}" for one in value]
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    return "\n".join([opened, ",\n".join(lines), f"{indent}{closed}"])


def _events(frames: Sequence[bytes]) -> list[str]:
    """The events that begin and end a stream."""
    shown = [_cut(frame.decode("utf-8", "replace").strip(), _EVENT_LONGEST) for frame in frames]
    if len(shown) <= 2 * _EVENTS:
        return shown
    return [*shown[:_EVENTS], f"… {len(shown) - 2 * _EVENTS} more events …", *shown[-_EVENTS:]]


def _cut(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[:longest]} … {len(text) - longest} more characters"
