"""What an object that a resource is given is going to be: its id, its deployment, and whether the service would take it.

Only resources that are given something need it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from mockserver.errors import ApiError
from mockserver.resource import file_limits, files, vector_stores
from mockserver.scenario.plan import Kind, Planned
from mockserver.scenario.values import suggestion
from mockserver.state.ids import ResponseIds, SharedIds

if TYPE_CHECKING:
    from mockserver.model.catalogue import Model
    from mockserver.state.chance import Chance

DEFAULT_MODEL = "gpt-4.1-nano"
_WRITTEN = 1_767_225_600  # ids of some objects carry their time in Unix seconds; these are the same at any time


def new_id(planned: Planned, chance: Chance) -> str:
    """The id of an object that has none of its own, in the form that the service gives it."""
    return _NEW_ID[planned.kind](planned, chance)


def _file_id(planned: Planned, chance: Chance) -> str:
    return files.new_id(planned.body["purpose"], chance)


_NEW_ID: Mapping[Kind, Callable[[Planned, Chance], str]] = {
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
