"""The page for people: what this server is, where clients find it, and the last calls of every resource."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver import __version__

if TYPE_CHECKING:
    from jinja2 import Template

    from mockserver.resource.journal import Exchange
    from mockserver.resource.resource import Resource
    from mockserver.resource.resources import Resources

Json = Any
LATEST = 20
_LONGEST = 60  # characters of a name


def render(resources: Resources, base: str, *, guarded: bool) -> str:
    """The page as HTML. `base` is the server's own URL, with a slash at its end; where it is `guarded`, no call is shown."""
    rows = [] if guarded else [_row(resource) for resource in resources]
    key = "…" if guarded else next(iter(resources.default.keys), "any-key")
    return template("page.html").render(version=__version__, base=base, key=key, guarded=guarded, resources=rows)


@cache
def template(name: str) -> Template:
    """A template of this folder; what it renders is escaped."""
    from jinja2 import Environment, FileSystemLoader

    return Environment(autoescape=True, loader=FileSystemLoader(Path(__file__).parent)).get_template(name)


def _row(resource: Resource) -> dict[str, Json]:
    script = resource.script
    return {
        "name": resource.name,
        "calls": len(resource.journal) + resource.journal.dropped,
        "rules": len(script.rules),
        "unused": len(script.unused()),
        "deployments": list(resource.deployments),
        "latest": [_call(exchange) for exchange in reversed(resource.journal.find(limit=LATEST))],
    }


def _call(exchange: Exchange) -> dict[str, Json]:
    return {
        "number": exchange.number,
        "call": exchange.operation or f"{exchange.method} {exchange.path}"[:_LONGEST],
        "deployment": exchange.deployment[:_LONGEST],
        "source": exchange.source[:_LONGEST],
        "status": exchange.status,
        "ms": exchange.ms,
    }
