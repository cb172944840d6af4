"""Deployment names that need no scenario: a suffix makes any model throttle, fail, filter, crawl, stall or cut.

`gpt-4o-mock-throttled` serves gpt-4o behind a rate limit. It works unchanged in every SDK, since a deployment is only a name.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from mockserver import errors

if TYPE_CHECKING:
    from mockserver.scenario.rule import Behaviour

MARK = "-mock-"
SWITCHES: dict[str, dict[str, Any]] = {
    "throttled": {"error": "rate_limit", "retry_after": 1},
    "failing": {"error": "server_error"},
    "unavailable": {"error": "unavailable"},
    "filtered": {"content_filter": {"prompt": {"violence": "high"}}},
    "censored": {"content_filter": {"completion": {"violence": "high"}}},
    "slow": {"stream": {"ttft": "1s", "tokens_per_second": 10}, "delay": "1s"},
    "stalled": {"stream": {"stall_after": 3}},
    "cut": {"stream": {"cut_after": 3}},
    "garbled": {"stream": {"garbage_after": 3}},
    "reset": {"reset": True},
}


def split_switch(name: str) -> tuple[str, Behaviour | None]:
    """The deployment that a name stands for and the behaviour of its suffix; the name itself and None without such a suffix.

    Raises ApiError 404 for a suffix that is nearly one: who wrote it wants a failure, and would take an ordinary answer for a defect.
    """
    served, mark, switch = name.rpartition(MARK)
    if not (mark and served):
        return name, None
    if switch in SWITCHES:
        return served, _behaviour(switch)
    from difflib import get_close_matches

    near = get_close_matches(switch, SWITCHES, n=1)
    if near:
        raise errors.unknown_switch(name, f"{served}{MARK}{near[0]}")
    return name, None


@cache  # compiled once for each of the few suffixes, and not for every deployment
def _behaviour(switch: str) -> Behaviour | None:
    from mockserver.scenario.load import build

    return build({"deployments": {switch: SWITCHES[switch]}}, f"the suffix {MARK}{switch}").deployments[switch].behaviour
