"""The options of the pytest fixtures, declared once, and what a test's marker, the flags and the ini file make of them.

The plugin reads the declarations in every run, so this module imports nothing but them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from mockserver.settings import (
    NO_KEYS,
    REFUSALS,
    SETTINGS,
    Flag,
    Kind,
    Setting,
    Settings,
    Surface,
    Text,
    check,
    declarations,
    names,
)

if TYPE_CHECKING:
    import pytest

    from mockserver.resource.build import Source

FAIL = "fail"
OK = "ok"
MARKER = "azure_openai"


class OptionError(Exception):
    """An option that does not exist, or a value that it does not take."""


def _hosts(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, bool):
        return () if value else None
    return names(value)


def _time(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError
    return value


_Hosts = Annotated[bool | str | Sequence[str] | None, Kind("hosts", "True, False, a host or a list of hosts", _hosts)]
_Time = Annotated[float | None, Kind("time", "a time in Unix seconds", _time)]


class Keywords(Settings, total=False):
    """What the marker and `azure_openai_factory` take: the settings of a resource, and how a test uses it."""

    frozen: Annotated[_Time, Setting(help="The time at which its clock stands, in Unix seconds.", at=("python",))]
    guard: Annotated[Flag, Setting(True, "Whether calls to real Azure and OpenAI hosts are stopped.", ("python", "ini"))]
    intercept: Annotated[_Hosts, Setting(help="Hosts to answer for; True: all of Azure and OpenAI.", at=("python",))]
    unmatched: Annotated[
        Text,
        Setting(FAIL, "'ok': a strict test may make calls that no rule answers.", ("python", "ini"), choices=(FAIL, OK)),
    ]
    rules_unused: Annotated[Text, Setting(FAIL, "'ok': rules may answer no call.", ("python", "ini"), choices=(FAIL, OK))]


class _Wider(TypedDict):
    """A setting that means more here: besides refusals it names real hosts."""

    allow: Annotated[
        str | Sequence[str] | None,
        Kind("names", "text or a list of texts", names),
        Setting((), "Refusals that are let through, and real hosts that the guard lets through.", ("python", "ini")),
    ]


OPTIONS: Mapping[str, Setting] = declarations(Keywords) | declarations(_Wider)


@dataclass(slots=True, kw_only=True)
class Options:
    """The options of one resource.

    `common` says that the scenarios are those of the ini file, whose rules no single test has to use. `settings` are those of the
    resource, as `settings.check` returns them, and `keys` are accepted besides its own. `frozen` is in Unix seconds. `allow` and
    `intercept` name hosts; `intercept` without any means all of Azure and OpenAI.
    """

    scenarios: tuple[Source, ...] = ()
    common: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    frozen: float | None = None
    guard: bool = True
    allow: tuple[str, ...] = ()
    intercept: tuple[str, ...] | None = None
    unmatched: Literal["fail", "ok"] = "fail"
    rules_unused: Literal["fail", "ok"] = "fail"


def of_test(node: pytest.Item) -> Options:
    """The options of a test: its marker's, then its class's and module's, then those of the whole run. Raises OptionError."""
    keywords: dict[str, Any] = {}
    scenarios: tuple[Source, ...] = ()
    for marker in node.iter_markers(MARKER):
        scenarios = scenarios or marker.args
        keywords = _check(marker.kwargs, "the marker azure_openai") | keywords
    return _options(node.config, find_scenarios(scenarios, (node.path.parent, node.config.rootpath)), keywords)


def of_call(config: pytest.Config, scenarios: Sequence[Source], keywords: Mapping[str, Any]) -> Options:
    """The options of a resource from a call of `azure_openai_factory`. Rules may stay unused by default. Raises OptionError."""
    keywords = {"rules_unused": OK} | _check(keywords, "azure_openai_factory")
    return _options(config, find_scenarios(scenarios, (config.rootpath,)), keywords)


def find_scenarios(scenarios: Sequence[Source], folders: Sequence[Path]) -> tuple[Source, ...]:
    """Scenarios with relative paths made absolute, by the first of `folders` that has them. Raises OptionError."""
    return tuple(_find(scenario, folders) for scenario in scenarios)


def _find(scenario: object, folders: Sequence[Path]) -> Source:
    if isinstance(scenario, Mapping):
        return scenario
    if not isinstance(scenario, (str, Path)):
        raise OptionError(f"a scenario is a path or a mapping, not {scenario!r:.60}")
    for folder in folders:
        if (folder / scenario).exists():
            return _relative(folder / scenario)
    places = " or ".join(str(folder) for folder in dict.fromkeys(folders))
    raise OptionError(f"there is no scenario {str(scenario)!r} in {places}")


def _relative(path: Path) -> Path:
    """A path as messages show it: relative to where pytest was started, if it is below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _options(config: pytest.Config, scenarios: tuple[Source, ...], keywords: dict[str, Any]) -> Options:
    """The options: `keywords` win over flags, flags over the ini file."""
    values = _of_run("ini", config.getini) | _of_run("pytest", config.getoption) | keywords
    keys, allowed = values.pop("keys", ()), values.pop("allow", ())
    settings = {name: values.pop(name) for name in SETTINGS if name in values}
    if NO_KEYS in keys:
        keys, settings["keys"] = (), ()
    if refusals := [name for name in allowed if name in REFUSALS]:
        settings["allow"] = tuple(refusals)
    hosts = tuple(_host(name) for name in allowed if name not in REFUSALS)
    used = scenarios or find_scenarios(config.getini(f"{MARKER}_scenario") or (), (config.rootpath,))
    return Options(scenarios=used, common=not scenarios, settings=settings, keys=keys, allow=hosts, **values)


def _host(name: str) -> str:
    """A host that is allowed; what is nearly a refusal's name is taken for a mistake."""
    from difflib import get_close_matches

    near = get_close_matches(name, REFUSALS, n=1, cutoff=0.8)
    if near:
        raise OptionError(f"allow={name!r}: there is no such refusal; did you mean {near[0]!r}?")
    return name


def _of_run(surface: Surface, get: Callable[[str], Any]) -> dict[str, Any]:
    """The options of all tests, from the ini file or the command line."""
    values = {name: _read(setting, get(f"{MARKER}_{name}")) for name, setting in OPTIONS.items() if surface in setting.at}
    return _check(values, "the ini file" if surface == "ini" else "the command line")


def _read(setting: Setting, value: Any) -> Any:
    """A value from pytest: text that its kind reads, or what pytest has read already."""
    if not isinstance(value, str):
        return value
    try:
        return setting.kind.read(value)
    except ValueError:
        return value  # `check` describes what is wrong with it


def _check(values: Mapping[str, Any], where: str) -> dict[str, Any]:
    try:
        return check(values, OPTIONS)
    except TypeError as error:
        raise OptionError(f"{where}: {error}") from None
