"""What a resource is given: by its scenario, and by a test in Python. It is made when the resource is first called.

Ids are known before. They depend on the resource's seed and the object's name alone, so that they can be written into an
application's settings, and so that a state that survives is not given the same again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mockserver.scenario.plan import KINDS, Kind, Planned
from mockserver.state.chance import Chance


class Entry(NamedTuple):
    """An object that a resource was given: its name in the scenario, and its id."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Given:
    """What a resource was given, by name: `given.files["handbook"].id`."""

    files: Mapping[str, Entry]
    vector_stores: Mapping[str, Entry]
    conversations: Mapping[str, Entry]
    responses: Mapping[str, Entry]


class Preload:
    """What a resource of this seed is given. `pending` is what it has not got yet; looking at it costs nothing."""

    def __init__(self, seed: str) -> None:
        self.pending: tuple[Planned, ...] = ()
        self._seed = seed
        self._scenario: tuple[Planned, ...] = ()
        self._added: tuple[Planned, ...] = ()

    def __iter__(self) -> Iterator[Planned]:
        return iter((*self._scenario, *self._added))

    def replace(self, planned: Sequence[Planned]) -> None:
        """Have the plan of another scenario. What was made already stays, and so does what was added."""
        self._scenario = tuple(planned)
        self.resume()

    def add(self, planned: Sequence[Planned]) -> None:
        """Give more, until everything is forgotten."""
        self._added += tuple(planned)

    def remove(self, planned: Sequence[Planned]) -> None:
        """Take back what was added."""
        self._added = tuple(one for one in self._added if one not in planned)

    def renew(self) -> None:
        """Give the scenario's plan once more, since everything was forgotten."""
        self._added = ()
        self.resume()

    def resume(self) -> None:
        """Give whatever is not there, in a store of which it is not known what it has."""
        self.pending = tuple(self)

    def id(self, kind: Kind, name: str) -> str:
        """The id of the object of this name. Raises KeyError where there is none."""
        for one in self:
            if (one.kind, one.name) == (kind, name):
                return self.id_of(one)
        raise KeyError(name)

    def id_of(self, planned: Planned) -> str:
        """The id that an object has, or is going to have."""
        from mockserver.resource.planning import new_id

        return planned.id or new_id(planned, self.chance(planned))

    def chance(self, planned: Planned) -> Chance:
        """The chance of an object."""
        return Chance(f"{self._seed}/state/{planned.kind}/{planned.name}")

    def given(self) -> Given:
        """All of it, by name."""
        entries: dict[str, dict[str, Entry]] = {kind: {} for kind in KINDS}
        for one in self:
            entries[one.kind][one.name] = Entry(one.name, self.id_of(one))
        return Given(**entries)
