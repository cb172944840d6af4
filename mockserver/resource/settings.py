"""Settings, in one place: flag > environment (`MOCKSERVER_…`) > scenario file > default; and the resources they make.

The environment reaches flags through the command line's own declaration; here a value that is not None was given by the
caller and wins over the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver.errors import ScenarioError
from mockserver.gateway.preview import DEFAULT_PROFILE
from mockserver.model.catalogue import CATALOGUE, Model, find, infer
from mockserver.resource.resource import DEFAULT_KEY, DEFAULT_NAME, DEFAULT_REGION, Resource
from mockserver.resource.resources import Resources
from mockserver.state.work import Lifecycles

if TYPE_CHECKING:
    from mockserver.scenario.load import DeploymentSpec, Scenario

Source = str | Path | Mapping[str, Any]


@dataclass(slots=True)
class Settings:
    """What a caller decided; None leaves it to the scenario file or the default. `keys` empty turns key checks off."""

    keys: tuple[str, ...] | None = None
    deployments: dict[str, str] = field(default_factory=dict)
    strict: bool | None = None
    profile: str | None = None
    seed: int | str | None = None
    region: str | None = None
    dated: bool | None = None
    journal_limit: int = 1_000


def load_scenarios(sources: Sequence[Source]) -> list[Scenario]:
    """Scenarios from paths of files and folders, and from mappings. Raises ScenarioError with every problem found."""
    if not sources:
        return []
    from mockserver.scenario import load

    paths = [Path(source) for source in sources if isinstance(source, (str, Path))]
    scenarios = load.load(paths) if paths else []
    return scenarios + [load.build(dict(source)) for source in sources if isinstance(source, Mapping)]


def build_resources(scenarios: Sequence[Scenario], settings: Settings) -> Resources:
    """One resource per scenario, the first being the default. Raises ScenarioError for what does not go together."""
    try:
        made = [_resource(scenario, settings, first=at == 0) for at, scenario in enumerate(scenarios)]
        return Resources(made or [_resource(None, settings, first=True)])
    except ValueError as error:
        raise ScenarioError([str(error)]) from None


def apply_scenario(resource: Resource, scenario: Scenario | None, settings: Settings) -> None:
    """Put a scenario's rules and deployments in the place of the old ones, all at once. Raises ScenarioError before any change."""
    planned = _deployments(scenario, settings)
    said = scenario.settings.get("strict") if scenario is not None else None
    resource.script.replace(scenario.rules if scenario is not None else ())
    resource.script.strict = _chosen(settings.strict, said, False)
    resource.redeclare(planned)


def _deployments(scenario: Scenario | None, settings: Settings) -> dict[str, tuple[Model, DeploymentSpec | None]]:
    """The deployments that a scenario and the caller declare; where both declare one, the caller's model serves it."""
    specs = scenario.deployments if scenario is not None else {}
    names = {name: spec.model for name, spec in specs.items()} | settings.deployments
    return {name: (infer(name) if model is None else model_of(model), specs.get(name)) for name, model in names.items()}


def model_of(name: str) -> Model:
    """The catalogue's model of this name or snapshot. Raises ScenarioError with a near name for an unknown one."""
    model = find(name)
    if model is not None:
        return model
    from difflib import get_close_matches

    near = get_close_matches(name, CATALOGUE, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    raise ScenarioError([f"there is no model '{name}' in the catalogue{hint} (GET /openai/v1/models lists them)"])


def _resource(scenario: Scenario | None, settings: Settings, *, first: bool) -> Resource:
    said = scenario.settings if scenario is not None else {}
    name = (scenario.name if scenario is not None else None) or DEFAULT_NAME
    keys = settings.keys if first else None
    if keys is None:
        keys = (scenario.keys if scenario is not None else ()) or ((DEFAULT_KEY,) if first else (f"{DEFAULT_KEY}-{name}",))
    resource = Resource(
        name,
        keys=keys or None,
        seed=_chosen(settings.seed, said.get("seed"), 0),
        profile=_chosen(settings.profile, said.get("profile"), DEFAULT_PROFILE),
        region=_chosen(settings.region, said.get("region"), DEFAULT_REGION),
        legacy_api=_chosen(settings.dated, said.get("dated"), True),
        lifecycles=Lifecycles.of(said.get("lifecycle", {})),
        journal_limit=settings.journal_limit,
    )
    apply_scenario(resource, scenario, settings)
    return resource


def _chosen(given: Any, said: Any, default: Any) -> Any:
    return given if given is not None else said if said is not None else default
