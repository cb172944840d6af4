"""Resources from scenarios and settings.

Throughout, `overrides` are the settings of the command line or of Python, as `settings.check` returns them: they win over those
in scenario files.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver.errors import ScenarioError
from mockserver.model.catalogue import CATALOGUE, Model, find, infer
from mockserver.operations.table import TABLE
from mockserver.resource.resource import DEFAULT_KEYS, DEFAULT_NAME, Resource
from mockserver.resource.resources import Resources
from mockserver.scenario.identity import Identity
from mockserver.settings import NO_KEYS, resolve
from mockserver.state.work import Lifecycles

if TYPE_CHECKING:
    from mockserver.scenario.load import DeploymentSpec, Scenario
    from mockserver.scenario.plan import Planned
    from mockserver.state.sqlite_file import StateFile
    from mockserver.state.store import Store

Source = str | Path | Mapping[str, Any]


def load_scenarios(sources: Sequence[Source]) -> list[Scenario]:
    """Scenarios from paths of files and folders, and from mappings. Raises ScenarioError with every problem found."""
    if not sources:
        return []
    from mockserver.scenario import load

    paths = [Path(source) for source in sources if isinstance(source, (str, Path))]
    scenarios = load.load(paths) if paths else []
    return scenarios + [load.build(dict(source)) for source in sources if isinstance(source, Mapping)]


def build_resources(scenarios: Sequence[Scenario], overrides: Mapping[str, Any], *, surviving: bool = False) -> Resources:
    """One resource per scenario, the first being the default. Raises ScenarioError for what does not go together.

    With `surviving`, the setting `state` is heeded: what a resource stores is in that file. Raises StateError for one that cannot
    be used. Otherwise everything is in memory, for resources of single tests, and for those that only show what a scenario does.
    """
    files = StateFiles() if surviving else None
    try:
        return Resources(
            [_resource(scenario, overrides, files, first=at == 0) for at, scenario in enumerate(scenarios or [None])]
        )
    except BaseException as error:
        if files is not None:
            files.close()
        if isinstance(error, ValueError):
            raise ScenarioError([str(error)]) from None
        raise


def apply_scenario(resource: Resource, scenario: Scenario | None, overrides: Mapping[str, Any]) -> None:
    """Put what a scenario says in the place of the old rules, deployments, prompt templates and identity, all at once.

    What its `state` gives is made at the next call, as far as it is not there; what the old one gave stays. Raises ScenarioError
    before any change.
    """
    planned = _deployments(scenario, overrides)
    state = scenario.state if scenario is not None else ()
    _check_state(state, planned)
    resource.script.replace(scenario.rules if scenario is not None else ())
    resource.script.strict = resolve(overrides, scenario.settings if scenario is not None else {})["strict"]
    resource.redeclare(planned)
    resource.prompts = scenario.prompts if scenario is not None else {}
    resource.identity = Identity.of(scenario.settings.get("identity", {}) if scenario is not None else {})
    resource.preload.replace(state)


def _check_state(state: Sequence[Planned], deployments: Mapping[str, tuple[Model, DeploymentSpec | None]]) -> None:
    """Raise ScenarioError for objects that the service would refuse."""
    if not state:
        return  # mostly so, and what checks it need not be imported
    from mockserver.resource.planning import check

    problems = check(state, {name: model for name, (model, _) in deployments.items()})
    if problems:
        raise ScenarioError(problems)


def _deployments(scenario: Scenario | None, overrides: Mapping[str, Any]) -> dict[str, tuple[Model, DeploymentSpec | None]]:
    """The deployments that a scenario and the caller declare; where both declare one, the caller's model serves it."""
    specs = scenario.deployments if scenario is not None else {}
    names = {name: spec.model for name, spec in specs.items()} | overrides.get("deployments", {})
    return {name: (_model(name, model, specs.get(name)), specs.get(name)) for name, model in names.items()}


def _model(name: str, model: str | None, spec: DeploymentSpec | None) -> Model:
    """The model of a deployment. One that is `like` another has that one's traits under its own name."""
    if spec is not None and spec.like is not None:
        own = model or name
        return replace(model_of(spec.like), name=own, snapshot=own, versions=())
    return infer(name) if model is None else model_of(model)


def model_of(name: str) -> Model:
    """The catalogue's model of this name or snapshot. Raises ScenarioError with a near name for an unknown one."""
    model = find(name)
    if model is not None:
        return model
    from difflib import get_close_matches

    near = get_close_matches(name, CATALOGUE, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise ScenarioError([f"there is no model '{name}' in the catalogue{hint} (GET /openai/v1/models lists them)"])


class StateFiles:
    """The state files of one server, each opened once. Several resources may share one."""

    def __init__(self) -> None:
        self._open: dict[str, StateFile] = {}

    def store(self, name: str, settings: Mapping[str, Any]) -> Store:
        """The store of a resource in the file that its settings name. Raises StateError."""
        from mockserver.state.sqlite import SqliteStore
        from mockserver.state.sqlite_file import StateFile

        path = settings["state"]
        place = os.path.realpath(path)
        if place not in self._open or self._open[place].closed:
            # Work that is due may be of any family; its stages are known once that is imported.
            deque(TABLE.all(), maxlen=0)
            self._open[place] = StateFile(path)
        return SqliteStore(self._open[place], name, settings["store_documents"], settings["store_bytes"])

    def close(self) -> None:
        """Close them all."""
        for file in self._open.values():
            file.close()


def _resource(scenario: Scenario | None, overrides: Mapping[str, Any], files: StateFiles | None, *, first: bool) -> Resource:
    in_file = scenario.settings if scenario is not None else {}
    name = (scenario.name if scenario is not None else None) or DEFAULT_NAME
    # The caller's keys open the first resource; two resources cannot share a key.
    keys = overrides.get("keys") if first else None
    if keys is None:
        keys = (scenario.keys if scenario is not None else ()) or _default_keys(name, first=first)
    settings = resolve(overrides, in_file)
    resource = Resource(
        name,
        keys=None if NO_KEYS in keys else keys or None,
        settings=settings,
        open_store=partial(files.store, name, settings) if files is not None and settings["state"] is not None else None,
        lifecycles=Lifecycles.of(in_file.get("lifecycle", {})),
    )
    if settings["jwks"] is not None:
        from mockserver.resource.signatures import read_key_set

        resource.token_keys = read_key_set(settings["jwks"])
    apply_scenario(resource, scenario, overrides)
    return resource


def _default_keys(name: str, *, first: bool) -> tuple[str, ...]:
    return DEFAULT_KEYS if first else tuple(f"{key}-{name}" for key in DEFAULT_KEYS)
