"""Turns scenario files into scenarios: finds, reads, validates, compiles and merges them, and reports all problems at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockserver.errors import ScenarioError
from mockserver.scenario.document import LONGEST, Document, UnreadableError, dotted, from_python, read
from mockserver.scenario.plan import KINDS, Planned
from mockserver.scenario.preload import check_links, compile_state
from mockserver.scenario.rule import Behaviour, Rule, compile_behaviour, compile_rule
from mockserver.scenario.sources import Finder, anywhere, below, nowhere
from mockserver.scenario.template import Report
from mockserver.settings import SETTINGS, check

if TYPE_CHECKING:
    from pydantic import BaseModel

    from mockserver.scenario.prompts import PromptTemplate
    from mockserver.scenario.schema import ScenarioFile

Json = Any
SUFFIXES = (".yaml", ".yml", ".json")


@dataclass(frozen=True, slots=True)
class DeploymentSpec:
    """A declared deployment. `model` None means the one that the name suggests; limits are per minute, None where none is set.

    `enqueued_tokens` is how many tokens batches may have waiting for it. `like` is the model of the catalogue that one behaves like
    which the catalogue does not have.
    """

    name: str
    model: str | None = None
    rpm: int | None = None
    tpm: int | None = None
    behaviour: Behaviour | None = None
    enqueued_tokens: int | None = None
    like: str | None = None


@dataclass(slots=True)
class Scenario:
    """What is scripted of one resource, and what it has. `settings` are those of `resource` besides name and keys."""

    name: str | None = None
    keys: tuple[str, ...] = ()
    settings: dict[str, Json] = field(default_factory=dict)
    deployments: dict[str, DeploymentSpec] = field(default_factory=dict)
    prompts: dict[str, PromptTemplate] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    state: tuple[Planned, ...] = ()
    files: tuple[Path, ...] = ()


def load(paths: Sequence[str | Path]) -> list[Scenario]:
    """The scenarios in files and folders, one for each resource, in the order in which they are first named.

    Files that name the same resource, or none, are merged. Raises ScenarioError with all problems of all files.
    """
    problems: list[str] = []
    merged: dict[str | None, Scenario] = {}
    for path in files_of(paths, problems):
        try:
            scenario = _parse(_text(path), str(path), below(path.parent))
            scenario.files = (path,)
            _merge(merged.setdefault(scenario.name, Scenario(scenario.name)), scenario, problems)
        except ScenarioError as error:
            problems += error.problems
    for scenario in merged.values():
        scenario.state = tuple(sorted(scenario.state, key=lambda planned: KINDS.index(planned.kind)))
        problems += check_links(scenario.state)
    if problems:
        raise ScenarioError(problems)
    return list(merged.values())


def files_of(paths: Iterable[str | Path], problems: list[str] | None = None) -> list[Path]:
    """The scenario files that `paths` mean: files as they are, folders as the sorted files in them.

    Paths that do not exist, or cannot be read, are added to `problems`.
    """
    files: dict[Path, None] = {}  # each once, in their order
    for path in map(Path, paths):
        try:
            files |= dict.fromkeys(_files_at(path))
        except OSError as error:
            if problems is not None:
                problems.append(f"{path}: {error.strerror or error}")
    return list(files)


def _files_at(path: Path) -> list[Path]:
    if not path.is_dir():
        path.stat()  # raises FileNotFoundError
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())
    if not files:
        raise FileNotFoundError(f"there is no scenario in this folder: no {', '.join(SUFFIXES)} file")
    return files


def parse(text: str, name: str = "<string>", known: Iterable[Planned] = ()) -> Scenario:
    """A scenario from YAML or JSON text. Raises ScenarioError; `name` stands for the file in its problems.

    Its `state` may refer to what is `known`. Such a text may be anybody's, so it cannot name files of this machine.
    """
    return _linked(_parse(text, name, nowhere), known)


def _parse(text: str, name: str, find: Finder) -> Scenario:
    try:
        return _scenario(read(text, name), find)
    except UnreadableError as error:
        raise ScenarioError(error.problems) from None


def _linked(scenario: Scenario, known: Iterable[Planned]) -> Scenario:
    problems = check_links(scenario.state, known)
    if problems:
        raise ScenarioError(problems)
    return scenario


def build(document: Mapping[str, Json], name: str = "<dict>", known: Iterable[Planned] = ()) -> Scenario:
    """A scenario from a mapping with the keys of the file, whose `state` may refer to what is `known`.

    Raises ScenarioError; `name` stands for the file in its problems.
    """
    return _linked(_scenario(_from_python(document, name), anywhere), known)


def build_rule(document: Mapping[str, Json], name: str) -> Rule:
    """One rule from a mapping with the keys of the file, called `name` unless it has one. Raises ScenarioError."""
    from mockserver.scenario.schema import RuleSection

    source = _from_python(document, name)
    section: Any = _validate(source, RuleSection)
    problems: list[str] = []
    rule = compile_rule(section, name, name, lambda path, message: problems.append(source.problem(path, message)))
    if problems:
        raise ScenarioError(problems)
    return rule


def _from_python(document: Mapping[str, Json], name: str) -> Document:
    try:
        return from_python(document, name)
    except UnreadableError as error:
        raise ScenarioError(error.problems) from None


def _text(path: Path) -> str:
    try:
        # A character has at most four bytes. A larger file is not read: any text that is too long is refused with its length.
        data = path.read_bytes() if path.stat().st_size <= 4 * LONGEST else b" " * (LONGEST + 1)
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ScenarioError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScenarioError([f"{path}:{line}:1: is not UTF-8 text: byte 0x{data[error.start]:02x}"]) from None


def _scenario(document: Document, find: Finder) -> Scenario:
    from mockserver.scenario.schema import ScenarioFile

    if not isinstance(document.value, dict):
        kind = "a list" if isinstance(document.value, list) else "a single value"
        raise ScenarioError([document.problem([], f"a scenario is a mapping with resource, deployments or rules, not {kind}")])
    file: Any = _validate(document, ScenarioFile)
    problems: list[str] = []
    scenario = _compile(file, document, problems, find)
    if problems:
        raise ScenarioError(problems)
    return scenario


def _validate(document: Document, model: type[BaseModel]) -> BaseModel:
    from pydantic import ValidationError

    from mockserver.scenario.problems import problems

    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        raise ScenarioError(problems(document, error, model)) from None


def _compile(file: ScenarioFile, document: Document, problems: list[str], find: Finder) -> Scenario:
    resource = file.resource.model_dump(exclude_unset=True, by_alias=True) if file.resource is not None else {}
    settings = check({name: value for name, value in resource.items() if name in SETTINGS})
    sections = {name: resource[name] for name in ("lifecycle", "identity") if name in resource}
    return Scenario(
        resource.get("name"),
        settings.pop("keys", ()),
        settings | sections,
        _deployments(file, document, problems),
        _prompts(file),
        _rules(file, document, problems),
        compile_state(file.state, document, problems, find) if file.state is not None else (),
    )


def _deployments(file: ScenarioFile, document: Document, problems: list[str]) -> dict[str, DeploymentSpec]:
    specs = {}
    for name, section in (file.deployments or {}).items():
        if isinstance(section, str):
            specs[name] = DeploymentSpec(name, section)
            continue
        path: list[str | int] = ["deployments", name]
        behaviour = compile_behaviour(section, name, _reporter(problems, document, path))
        specs[name] = DeploymentSpec(
            name, section.model, section.rpm, section.tpm, behaviour, section.enqueued_tokens, section.like
        )
    return specs


def _prompts(file: ScenarioFile) -> dict[str, PromptTemplate]:
    if not file.prompts:
        return {}
    from mockserver.scenario.prompts import compile_prompt

    return {name: compile_prompt(section) for name, section in file.prompts.items()}


def _rules(file: ScenarioFile, document: Document, problems: list[str]) -> tuple[Rule, ...]:
    rules = []
    for index, section in enumerate(file.rules or ()):
        path: list[str | int] = ["rules", index]
        place = document.place(path) if document.root is not None else dotted(path)
        name = Path(place.rpartition(":")[0]).name if document.root is not None else f"rule {index + 1}"
        rules.append(compile_rule(section, name, place, _reporter(problems, document, path)))
    return tuple(rules)


def _reporter(problems: list[str], document: Document, path: list[str | int]) -> Report:
    return lambda inner, message: problems.append(document.problem([*path, *inner], message))


def _merge(into: Scenario, more: Scenario, problems: list[str]) -> None:
    """Merge one more file. Contradictions with the files before it are added to `problems`."""
    file = more.files[0]
    for key, value in more.settings.items():
        if into.settings.setdefault(key, value) != value:
            problems.append(f"{file}: resource.{key}: {value!r} contradicts {into.settings[key]!r} of {_names(into.files)}")
    for name, spec in more.deployments.items():
        if name in into.deployments:
            problems.append(f"{file}: deployments.{name}: is declared in {_names(into.files)} too")
        into.deployments[name] = spec
    for name, prompt in more.prompts.items():
        if name in into.prompts:
            problems.append(f"{file}: prompts.{name}: is defined in {_names(into.files)} too")
        into.prompts[name] = prompt
    into.keys = tuple(dict.fromkeys((*into.keys, *more.keys)))
    into.rules += more.rules
    into.state += more.state
    into.files += more.files


def _names(files: Sequence[Path]) -> str:
    return ", ".join(file.name for file in files)
