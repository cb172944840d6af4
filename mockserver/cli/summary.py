"""What `mockserver run` says at the end: the calls, those that no rule answered, the rules that answered none, the refused hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mockserver.cli.loading import counted

if TYPE_CHECKING:
    from mockserver.resource.journal import Exchange
    from mockserver.resource.resources import Resources


def lines(resources: Resources, refused: Mapping[str, int]) -> Iterator[str]:
    """The summary. `refused` counts the attempts to reach each host that is not Azure's."""
    exchanges = [exchange for resource in resources for exchange in resource.journal if exchange.parent is None]
    dropped = sum(resource.journal.dropped for resource in resources)
    yield "mockserver: " + ", ".join(_counts(resources, exchanges, dropped))
    unused = [name for resource in resources for name, uses in resource.script.uses.items() if not uses]
    if unused:
        yield f"  unused: {', '.join(unused)}"
    for place, attempts in refused.items():
        yield f"  refused: {place} ({counted(attempts, 'attempt')}); --allow-host {place.rpartition(':')[0]} passes it on"


def _counts(resources: Resources, exchanges: list[Exchange], dropped: int) -> Iterator[str]:
    yield counted(len(exchanges) + dropped, "call")
    rules = [use for resource in resources for use in resource.script.uses.values()]
    if rules:
        unmatched = sum(exchange.prompt is not None and exchange.rule is None for exchange in exchanges)
        yield f"{unmatched} that no rule answered"
        yield f"{counted(rules.count(0), 'rule')} unused"
    failed = sum(exchange.status >= 400 for exchange in exchanges)
    if failed:
        yield f"{failed} answered with an error (--log-level info shows each)"
