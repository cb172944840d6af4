"""What a resource is given: by its scenario, and by a test in Python. It is made when the resource is first called.

Ids are known before. They depend on the resource's seed and the object's name alone, so that they can be written into an
application's settings, and so that a state that survives is not given the same again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mockserver.errors import ApiError
from mockserver.resource import file_limits, files, vector_stores
from mockserver.scenario.preload import KINDS, Kind, Planned
from mockserver.scenario.values import suggestion
from mockserver.state.chance import Chance
from mockserver.state.ids import ResponseIds, SharedIds

if TYPE_CHECKING:
    from mockserver.model.catalogue import Model

DEFAULT_MODEL = "gpt-4.1-nano"
_WRITTEN = 1_767_225_600  # ids of some objects carry their time in Unix seconds; these are the same at any time


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
        return planned.id or _ID_OF[planned.kind](planned, self.chance(planned))

    def chance(self, planned: Planned) -> Chance:
        """The chance of an object."""
        return Chance(f"{self._seed}/state/{planned.kind}/{planned.name}")

    def given(self) -> Given:
        """All of it, by name."""
        entries: dict[str, dict[str, Entry]] = {kind: {} for kind in KINDS}
        for one in self:
            entries[one.kind][one.name] = Entry(one.name, self.id_of(one))
        return Given(**entries)


def _file_id(planned: Planned, chance: Chance) -> str:
    return files.new_id(planned.body["purpose"], chance)


_ID_OF: Mapping[Kind, Any] = {
    "files": _file_id,
    "vector_stores": lambda planned, chance: vector_stores.new_id(chance),
    "conversations": lambda planned, chance: SharedIds(chance, _WRITTEN).new("conv"),
    "responses": lambda planned, chance: ResponseIds(chance, _WRITTEN, stored=True).new("resp"),
}


def check(planned: Iterable[Planned], deployments: Mapping[str, Model]) -> list[str]:
    """What the service would refuse of a plan, in its words, and models that no deployment of these serves."""
    problems = []
    for one in planned:
        try:
            if one.kind == "files":
                _check_file(one)
            elif one.kind == "responses":
                _check_model(one, deployments)
        except ApiError as error:
            problems.append(f"{one.place}: {error.detail['message']}")
        except ValueError as error:
            problems.append(f"{one.place}: {error}")
    return problems


def _check_file(planned: Planned) -> None:
    purpose = file_limits.check_purpose(planned.body["purpose"])
    file_limits.check_name(purpose, planned.body["file"])
    expiry = planned.body.get("expires_after")
    file_limits.check_lifetime(purpose, None if expiry is None else expiry["seconds"])


def _check_model(planned: Planned, deployments: Mapping[str, Model]) -> None:
    name = model_of(planned, deployments)
    if not deployments:
        return
    if name is None:
        raise ValueError("no deployment can chat, so none can have made a response")
    served = deployments.get(name)
    if served is None:
        raise ValueError(f"there is no deployment {name!r:.80}; {suggestion(name, deployments)}")
    if served.kind != "chat":
        raise ValueError(f"the deployment {name!r:.80} serves {served.name}, which makes no responses")


def model_of(planned: Planned, deployments: Mapping[str, Model]) -> str | None:
    """The deployment that made a response: its own, the first that can chat, or any where none is declared."""
    own: str | None = planned.body.get("model")
    if own is not None or not deployments:
        return own or DEFAULT_MODEL
    return next((name for name, model in deployments.items() if model.kind == "chat"), None)
