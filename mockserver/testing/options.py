"""What a test wants of its resource: said by its marker, by flags, by the ini file; the first of them that speaks decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pytest

    from mockserver.resource.settings import Source

FAIL = "fail"
OK = "ok"
MARKER = "azure_openai"


class OptionError(Exception):
    """An option that does not exist, or a value that it does not take."""


@dataclass(slots=True, kw_only=True)
class Options:
    """The options of one resource; None leaves a thing to the scenario, or to the default.

    `common` says that the scenarios are those of the ini file, whose rules no single test has to use. `frozen` is in Unix
    seconds. `allow` and `intercept` name hosts; `intercept` without any means all of Azure and OpenAI.
    """

    scenarios: tuple[Source, ...] = ()
    common: bool = False
    strict: bool | None = None
    seed: int | str | None = None
    profile: str | None = None
    region: str | None = None
    dated: bool | None = None
    deployments: dict[str, str] = field(default_factory=dict)
    key: str | None = None
    keys: tuple[str, ...] = ()
    journal_limit: int = 1_000
    frozen: float | None = None
    guard: bool = True
    allow: tuple[str, ...] = ()
    intercept: tuple[str, ...] | None = None
    unmatched: Literal["fail", "ok"] = "fail"
    rules_unused: Literal["fail", "ok"] = "fail"

    @property
    def accepted(self) -> tuple[str, ...]:
        """The keys that the resource accepts besides its own."""
        return self.keys if self.key in (None, "none") else (*self.keys, self.key)


def of_test(node: pytest.Item) -> Options:
    """The options of a test: its marker's, then its class's and module's, then those of the whole run. Raises OptionError."""
    said: dict[str, Any] = {}
    scenarios: tuple[Source, ...] = ()
    for marker in node.iter_markers(MARKER):
        scenarios = scenarios or marker.args
        said = {**marker.kwargs, **said}
    return _options(node.config, found(scenarios, (node.path.parent, node.config.rootpath)), said, "the marker azure_openai")


def of_call(config: pytest.Config, scenarios: Sequence[Source], said: Mapping[str, Any]) -> Options:
    """The options of a resource that a fixture asks for. Unused rules are fine where it says nothing. Raises OptionError."""
    told = {"rules_unused": OK, **said}
    return _options(config, found(scenarios, (config.rootpath,)), told, "azure_openai_factory")


def found(scenarios: Sequence[Source], folders: Sequence[Path]) -> tuple[Source, ...]:
    """Scenarios with relative paths made absolute, by the first of `folders` that has them. Raises OptionError."""
    return tuple(_found(scenario, folders) for scenario in scenarios)


def _found(scenario: object, folders: Sequence[Path]) -> Source:
    if isinstance(scenario, Mapping):
        return scenario
    if not isinstance(scenario, (str, Path)):
        raise OptionError(f"a scenario is a path or a mapping, not {scenario!r:.60}")
    for folder in folders:
        if (folder / scenario).exists():
            return _short(folder / scenario)
    looked = " or ".join(str(folder) for folder in dict.fromkeys(folders))
    raise OptionError(f"there is no scenario {str(scenario)!r} in {looked}")


def _short(path: Path) -> Path:
    """A path as messages should show it: from where pytest was started, if it is below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _options(config: pytest.Config, scenarios: tuple[Source, ...], said: Mapping[str, Any], where: str) -> Options:
    common = _of_run(config)
    used = common.pop("scenario", ())
    options: dict[str, Any] = {name: _checked(name, value, "the ini file") for name, value in common.items()}
    options |= {name: _checked(name, value, where) for name, value in said.items()}
    return Options(scenarios=scenarios or found(used, (config.rootpath,)), common=not scenarios, **options)


def _of_run(config: pytest.Config) -> dict[str, Any]:
    """What the ini file and the flags say; flags win."""
    from mockserver.testing.pytest_plugin import INI

    said = {name: config.getini(f"azure_openai_{name}") for name in INI}
    said |= {name: value for name in ("strict", "seed") if (value := config.getoption(f"azure_openai_{name}")) is not None}
    return {name: value for name, value in said.items() if value is not None}


def _checked(name: str, value: object, where: str) -> object:
    check = CHECKS.get(name)
    if check is None:
        from mockserver.scenario.values import suggestion

        raise OptionError(f"{where} has an option {name!r} that does not exist; {suggestion(name, CHECKS)}")
    try:
        return check(value)
    except TypeError as error:
        raise OptionError(f"{where} has {name}={value!r:.60}: expected {error}") from None


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise TypeError("True or False")
    return value


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _seed(value: object) -> object:
    if not isinstance(value, (int, str)) or isinstance(value, bool):
        raise TypeError("a whole number or text")
    return value


def _count(value: object) -> object:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise TypeError("a whole number above 0")
    return value


def _time(value: object) -> object:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError("a time in Unix seconds")
    return value


def _names(value: object) -> object:
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, (list, tuple, set, frozenset)) or not all(isinstance(name, str) for name in names):
        raise TypeError("text or a list of texts")
    return tuple(names)


def _hosts(value: object) -> object:
    if isinstance(value, bool):
        return () if value else None
    return _names(value)


def _models(value: object) -> object:
    if not isinstance(value, Mapping) or not all(isinstance(part, str) for pair in value.items() for part in pair):
        raise TypeError("a mapping of deployments to models")
    return dict(value)


def _outcome(value: object) -> object:
    if value not in (FAIL, OK):
        raise TypeError("'fail' or 'ok'")
    return value


CHECKS: Mapping[str, Callable[[object], object]] = {
    "strict": _flag,
    "seed": _seed,
    "profile": _text,
    "region": _text,
    "dated": _flag,
    "deployments": _models,
    "key": _text,
    "keys": _names,
    "journal_limit": _count,
    "frozen": _time,
    "guard": _flag,
    "allow": _names,
    "intercept": _hosts,
    "unmatched": _outcome,
    "rules_unused": _outcome,
}
