"""Templates in answers: what they may see of a call, when they are compiled, and how their values take the place of their text.

jinja2 is imported when the first template is compiled, Faker when one first says `fake`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mockserver.model.prompt import parsed
from mockserver.scenario.match import START
from mockserver.scenario.pattern import LOOKS_AT

if TYPE_CHECKING:
    from jinja2 import Template

    from mockserver.scenario.match import CallView
    from mockserver.state.chance import Chance

Json = Any
Capture = tuple[Callable[["CallView"], str], re.Pattern[str]]
Report = Callable[[list[str | int], str], None]

_TYPED = frozenset({"json", "tool_calls", "items", "annotations", "body"})
_OF_THE_GENERATOR = frozenset({"format", "parse", "provider", "providers", "random", "arguments"})


class TemplateError(Exception):
    """A template could not be rendered for this call."""


@dataclass(slots=True)
class Moment:
    """What a template can see: the call, its chance, the time in Unix seconds, and which answer of its rule is due."""

    view: CallView
    chance: Chance
    now: float
    count: int = 1
    captures: tuple[Capture, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A compiled template. `names` are what it uses of a `Moment`; `typed` is one lone expression, which keeps its type."""

    template: Template
    names: tuple[str, ...]
    typed: bool

    def render(self, moment: Moment) -> Json:
        """Its text or value. Raises TemplateError."""
        from mockserver.scenario.sandbox import Limits, json_of, text_of

        try:
            context: dict[str, Any] = {name: _NAMES[name](moment) for name in self.names}
            context["_limits"] = Limits(moment.chance)
            if self.typed:
                return json_of(vars(self.template.make_module(context))["value"])
            return text_of(self.template, context)
        except Exception as error:  # a template can fail in every way that an expression can
            raise TemplateError(_reason(error)) from None


def _reason(error: Exception) -> str:
    """What went wrong, with `match` and `fake` by the names that templates know them by."""
    words = re.sub(rf"{__name__}\._(\w+) object", lambda found: found[1].lower(), str(error))
    return (words if type(error).__module__.startswith(("jinja2", "mockserver")) else f"{type(error).__name__}: {words}")[:300]


def is_template(text: str) -> bool:
    """Whether a text of a scenario is a template."""
    return "{{" in text or "{%" in text


def compiled(data: Json, report: Report) -> tuple[Json, bool]:
    """An answer's data with every template in it compiled, and whether there is any. Faults go to `report`, with their path."""
    found = False

    def walk(value: Json, path: list[str | int], typed: bool) -> Json:
        nonlocal found
        if isinstance(value, str) and is_template(value):
            found = True
            return _piece(value, typed, lambda message: report(path, message))
        if isinstance(value, dict):
            return {key: walk(inner, [*path, key], typed or (not path and key in _TYPED)) for key, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner, [*path, index], typed) for index, inner in enumerate(value)]
        return value

    return walk(data, [], False), found


def rendered(data: Json, moment: Moment) -> Json:
    """The data with every template in it rendered. Raises TemplateError."""
    if isinstance(data, Piece):
        return data.render(moment)
    if isinstance(data, dict):
        return {key: rendered(value, moment) for key, value in data.items()}
    if isinstance(data, list):
        return [rendered(value, moment) for value in data]
    return data


def _piece(source: str, typed: bool, report: Callable[[str], None]) -> Piece | str:
    from mockserver.scenario.sandbox import compile_template

    try:
        template, names, lone = compile_template(source, _NAMES, typed=typed)
    except ValueError as error:
        report(str(error))
        return source
    return Piece(template, tuple(names), lone)


class _Match:
    """`match`: the groups of the rule's regular expressions; numbers are of the first that is found, names of all."""

    def __init__(self, moment: Moment) -> None:
        self._groups: dict[int | str, str | None] = {}
        for text, pattern in moment.captures:
            found = pattern.search(text(moment.view), 0, LOOKS_AT)
            if found is None:
                continue
            if 0 not in self._groups:
                self._groups.update(enumerate((found[0], *found.groups())))
            for name, group in found.groupdict().items():
                self._groups.setdefault(name, group)

    def __getitem__(self, group: int | str) -> str | None:
        return self._groups[group]


class _Fake:
    """`fake`: Faker's methods, seeded by the call."""

    def __init__(self, moment: Moment) -> None:
        from faker import Factory

        self._generator = Factory.create("en_US")
        self._generator.seed_instance(int.from_bytes(moment.chance.fork("fake").bytes(8), "big"))

    def __getattr__(self, name: str) -> _Faked:
        if name in _OF_THE_GENERATOR or name.startswith(("_", "seed", "set_", "get_", "add_", "del_")):
            raise AttributeError(f"fake has no {name!r}")
        return _Faked(getattr(self._generator, name))


class _Faked:
    """A method of Faker, which works with and without parentheses."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._method(*arguments, **named)

    def __str__(self) -> str:
        return str(self._method())

    as_text = __str__


def _today(moment: Moment) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment.now, UTC).date().isoformat()


_NAMES: dict[str, Callable[[Moment], Any]] = {
    "request": lambda moment: moment.view.body,
    "operation": lambda moment: moment.view.operation,
    "deployment": lambda moment: moment.view.deployment,
    "path": lambda moment: moment.view.path,
    "headers": lambda moment: moment.view.headers,
    "user": lambda moment: moment.view.value("user").value,
    "system": lambda moment: moment.view.value("system").value,
    "turn": lambda moment: moment.view.prompt.turn if moment.view.prompt is not None else 0,
    "metadata": lambda moment: moment.view.prompt.metadata if moment.view.prompt is not None else {},
    "tool_result": lambda moment: moment.view.tool_result,
    "tool_results": lambda moment: {turn.name: parsed(turn.text) for turn in moment.view.results},
    "match": _Match,
    "count": lambda moment: moment.count,
    "state": lambda moment: moment.view.states.get("", START),
    "states": lambda moment: moment.view.states,
    "now": lambda moment: int(moment.now),
    "today": _today,
    "fake": _Fake,
    "uuid": lambda moment: moment.chance.uuid,
    "random": lambda moment: moment.chance.uniform,
    "randint": lambda moment: lambda low, high: low + moment.chance.below(high - low + 1),
    "choice": lambda moment: moment.chance.choice,
}
