"""What a request's body says, read once: callers repeat themselves, in retries and loops and from test to test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from mockserver import errors
from mockserver.operations.body import validate
from mockserver.resource.quota import estimate

if TYPE_CHECKING:
    from mockserver.model.prompt import Prompt
    from mockserver.operations.table import Operation

Json = Any
_MOST_MET = 2_048
_MOST_KEPT = 256
_LONGEST_KEPT = 16_384


@dataclass(slots=True)
class Reading:
    """A body as parsed JSON, its weight against a quota in tokens, and later its model and the prompt that it stands for.

    Calls share it, so nobody changes what is in it.
    """

    raw: Json
    weight: int
    body: Any = None
    prompt: Prompt | None = None


class Readings:
    """The bodies that came twice lately, with what was read from them. Long ones are read anew each time."""

    def __init__(self) -> None:
        self._met: set[int] = set()
        self._kept: dict[tuple[str, str | None, bytes], Reading] = {}

    def read(self, operation: Operation, deployment: str | None, body: bytes) -> Reading:
        """What a body of this operation says; `deployment` takes the place of its `model`. Raises ApiError 400 for no JSON."""
        key = (operation.id, deployment, body)
        known = self._kept.get(key)
        if known is not None:
            return known
        raw = parse(body)
        if deployment is not None and isinstance(raw, dict):
            raw["model"] = deployment
        reading = Reading(raw, estimate(raw) if operation.inference and isinstance(raw, dict) else 0)
        if len(body) <= _LONGEST_KEPT:
            self._meet(key, reading)
        return reading

    def _meet(self, key: tuple[str, str | None, bytes], reading: Reading) -> None:
        """Keep what comes for the second time: most bodies never do, and keeping those costs more than it saves."""
        met = hash(key)
        if met not in self._met:
            if len(self._met) >= _MOST_MET:
                self._met.clear()
            self._met.add(met)
            return
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = reading


def checked(reading: Reading, operation: Operation) -> Any:
    """The body as the operation's model. Raises ApiError 400 for the first mistake in it."""
    if reading.body is None:
        assert operation.body is not None
        reading.body = validate(operation.body, reading.raw)
    return reading.body


def parse(body: bytes) -> Json:
    """A JSON body; {} where it is empty. Raises ApiError 400 for anything that is not JSON."""
    if not body:
        return {}
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        raise errors.unreadable_body() from None
