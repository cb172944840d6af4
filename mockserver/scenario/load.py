"""Scenario files become scenarios: found, read, validated, compiled and merged, with every problem told at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver.errors import ScenarioError
from mockserver.scenario.document import LONGEST, Document, UnreadableError, dotted, from_python, read
from mockserver.scenario.rule import Behaviour, Rule, behaviour_of, rule_of
from mockserver.scenario.template import Report

if TYPE_CHECKING:
    from pydantic import BaseModel

    from mockserver.scenario.schema import ScenarioFile

Json = Any
SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    """A declared deployment. `model` None is the one that the name suggests; limits are per minute, None where none is set."""

    name: str
    model: str | None = None
    rpm: int | None = None
    tpm: int | None = None
    behaviour: Behaviour | None = None


@dataclass(slots=True)
class Scenario:
    """What one resource is scripted to be and do. `settings` is what `resource` says besides name and keys."""

    name: str | None = None
    keys: tuple[str, ...] = ()
    settings: dict[str, Json] = field(default_factory=dict)
    deployments: dict[str, DeploymentSpec] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    files: tuple[Path, ...] = ()


def load(paths: Sequence[str | Path]) -> list[Scenario]:
    """The scenarios in files and folders, one for each resource, in the order in which they are first named.

    Files that name the same resource, or none, are merged. Raises ScenarioError with all problems of all files.
    """
    problems: list[str] = []
    merged: dict[str | None, Scenario] = {}
    for path in files_of(paths, problems):
        try:
            scenario = parse(_text(path), str(path))
            scenario.files = (path,)
            _merge(merged.setdefault(scenario.name, Scenario(scenario.name)), scenario, problems)
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return list(merged.values())


def files_of(paths: Iterable[str | Path], problems: list[str] | None = None) -> list[Path]:
    """The scenario files that `paths` mean: files as they are, folders as the sorted files in them.

    What cannot be found is told to `problems`, where given.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        try:
            inside = _inside(path)
        except OSError as error:
            inside = []
            if problems is not None:
                problems.append(f"{path}: {error.strerror or error}")
        found |= dict.fromkeys(inside)
    return list(found)


def _inside(path: Path) -> list[Path]:
    if not path.is_dir():
        path.stat()
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
    if not files:
        raise FileNotFoundError(f"there is no scenario in this folder: no {', '.join(SUFFIXES)} file")
    return files


def parse(text: str, name: str = "<string>") -> Scenario:
    """A scenario from YAML or JSON text. Raises ScenarioError; `name` stands for the file in its problems."""
    try:
        return _scenario(read(text, name))
    except UnreadableError as error:
        raise ScenarioError(error.problems) from None


def build(document: Mapping[str, Json], name: str = "<dict>") -> Scenario:
    """A scenario from a mapping, as a file would say it. Raises ScenarioError."""
    return _scenario(_of_python(document, name))


def rule(document: Mapping[str, Json], name: str) -> Rule:
    """One rule from a mapping; `name` is its name where it says none. Raises ScenarioError."""
    from mockserver.scenario.schema import RuleSection

    source = _of_python(document, name)
    section: Any = _validated(source, RuleSection)
    problems: list[str] = []
    made = rule_of(section, name, name, lambda path, message: problems.append(source.problem(path, message)))
    if problems:
        raise ScenarioError(problems)
    return made


def _of_python(document: Mapping[str, Json], name: str) -> Document:
    try:
        return from_python(document, name)
    except UnreadableError as error:
        raise ScenarioError(error.problems) from None


def _text(path: Path) -> str:
    try:
        data = path.read_bytes() if path.stat().st_size <= 4 * LONGEST else b" " * (LONGEST + 1)
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ScenarioError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScenarioError([f"{path}:{line}:1: is not UTF-8 text: byte 0x{data[error.start]:02x}"]) from None


def _scenario(document: Document) -> Scenario:
    from mockserver.scenario.schema import ScenarioFile

    if not isinstance(document.value, dict):
        kind = "a list" if isinstance(document.value, list) else "a single value"
        raise ScenarioError([document.problem([], f"a scenario is a mapping with resource, deployments or rules, not {kind}")])
    file: Any = _validated(document, ScenarioFile)
    problems: list[str] = []
    made = _compiled(file, document, problems)
    if problems:
        raise ScenarioError(problems)
    return made


def _validated(document: Document, model: type[BaseModel]) -> BaseModel:
    from pydantic import ValidationError

    from mockserver.scenario.problems import problems

    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise ScenarioError(problems(document, error, model)) from None


def _compiled(file: ScenarioFile, document: Document, problems: list[str]) -> Scenario:
    said = file.resource.model_dump(exclude_unset=True) if file.resource is not None else {}
    return Scenario(
        said.pop("name", None),
        tuple(said.pop("keys", ())),
        said,
        _deployments(file, document, problems),
        _rules(file, document, problems),
    )


def _deployments(file: ScenarioFile, document: Document, problems: list[str]) -> dict[str, DeploymentSpec]:
    specs = {}
    for name, said in (file.deployments or {}).items():
        if isinstance(said, str):
            specs[name] = DeploymentSpec(name, said)
            continue
        path: list[str | int] = ["deployments", name]
        behaviour = behaviour_of(said, name, _reporter(problems, document, path))
        specs[name] = DeploymentSpec(name, said.model, said.rpm, said.tpm, behaviour)
    return specs


def _rules(file: ScenarioFile, document: Document, problems: list[str]) -> tuple[Rule, ...]:
    rules = []
    for index, section in enumerate(file.rules or ()):
        path: list[str | int] = ["rules", index]
        place = document.where(path) if document.root is not None else dotted(path)
        name = Path(place.rpartition(":")[0]).name if document.root is not None else f"rule {index + 1}"
        rules.append(rule_of(section, name, place, _reporter(problems, document, path)))
    return tuple(rules)


def _reporter(problems: list[str], document: Document, path: list[str | int]) -> Report:
    return lambda inner, message: problems.append(document.problem([*path, *inner], message))


def _merge(into: Scenario, more: Scenario, problems: list[str]) -> None:
    """Add what one more file says. What contradicts the files before it is told to `problems`."""
    file = more.files[0]
    for key, value in more.settings.items():
        if into.settings.setdefault(key, value) != value:
            problems.append(f"{file}: resource.{key}: {value!r} contradicts {into.settings[key]!r} of {_names(into.files)}")
    for name, spec in more.deployments.items():
        if name in into.deployments:
            problems.append(f"{file}: deployments.{name}: is declared in {_names(into.files)} too")
        into.deployments[name] = spec
    into.keys = tuple(dict.fromkeys((*into.keys, *more.keys)))
    into.rules += more.rules
    into.files += more.files


def _names(files: Sequence[Path]) -> str:
    return ", ".join(file.name for file in files)
