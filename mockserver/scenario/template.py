"""Templates in answers: how they are compiled, the names that they can use, and how they are rendered for a call.

jinja2 is imported when the first template is compiled, Faker when a template first uses `fake`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mockserver.model.prompt import parse_json
from mockserver.scenario.match import START
from mockserver.scenario.pattern import SEARCH_LIMIT

if TYPE_CHECKING:
    from jinja2 import Template

    from mockserver.model.bounded_regex import BoundedPattern
    from mockserver.scenario.match import CallView
    from mockserver.state.chance import Chance

Json = Any
Capture = tuple[Callable[["CallView"], str], "re.Pattern[str] | BoundedPattern"]
Report = Callable[[list[str | int], str], None]

_TYPED_KEYS = frozenset({"json", "tool_calls", "items", "annotations", "body"})  # their values are JSON, not only text
# Methods of Faker's generator that make no fake value, but give access to its providers, formats or source of chance.
_GENERATOR_METHODS = frozenset({"format", "parse", "provider", "providers", "random", "arguments"})
_MOST_FAKE = 1_000  # words, characters, digits, rows
_OF_NUMBERS = frozenset({"random_int", "pyint"})  # they make numbers up to what they are given
_BOUNDS = frozenset({"min", "max", "min_value", "max_value", "start_datetime", "end_datetime", "start_date", "end_date"})


class TemplateError(Exception):
    """A template could not be rendered for this call."""


@dataclass(slots=True)
class Moment:
    """What a template is rendered for: the call, its chance, the time in Unix seconds.

    `count` is how often the rule has answered, this call included; `captures` are the rule's regular expressions.
    """

    view: CallView
    chance: Chance
    now: float
    count: int = 1
    captures: tuple[Capture, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A compiled template. `names` are those of `_NAMES` that it uses; `typed` marks a lone expression, which keeps its type."""

    template: Template
    names: tuple[str, ...]
    typed: bool

    def render(self, moment: Moment) -> Json:
        """The template's text or value for one call. Raises TemplateError."""
        from mockserver.scenario.sandbox import Limits, json_of, text_of

        try:
            context: dict[str, Any] = {name: _NAMES[name](moment) for name in self.names}
            limits = context["_limits"] = Limits(moment.chance)
            if self.typed:
                return json_of(limits.weighed(vars(self.template.make_module(context))["value"]))
            return text_of(self.template, context)
        except Exception as error:  # a template can fail in every way that an expression can
            raise TemplateError(_describe(error)) from None


def _describe(error: Exception) -> str:
    """The error's message, with `match` and `fake` in place of the classes behind them."""
    message = re.sub(rf"{__name__}\._(\w+) object", lambda match: match[1].lower(), str(error))
    own = type(error).__module__.startswith(("jinja2", "mockserver"))
    return (message if own else f"{type(error).__name__}: {message}")[:300]


def is_template(text: str) -> bool:
    """Whether a text of a scenario is a template."""
    return "{{" in text or "{%" in text


def compile_templates(data: Json, report: Report) -> tuple[Json, bool]:
    """An answer's data with every template in it compiled, and whether it has any. Mistakes go to `report` with their path."""
    templated = False

    def walk(value: Json, path: list[str | int], typed: bool) -> Json:
        nonlocal templated
        if isinstance(value, str) and is_template(value):
            templated = True
            return _compile(value, typed, lambda message: report(path, message))
        if isinstance(value, dict):
            return {key: walk(inner, [*path, key], typed or (not path and key in _TYPED_KEYS)) for key, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner, [*path, index], typed) for index, inner in enumerate(value)]
        return value

    return walk(data, [], False), templated


def render(data: Json, moment: Moment) -> Json:
    """The data with every template in it rendered. Raises TemplateError."""
    if isinstance(data, CompiledTemplate):
        return data.render(moment)
    if isinstance(data, dict):
        return {key: render(value, moment) for key, value in data.items()}
    if isinstance(data, list):
        return [render(value, moment) for value in data]
    return data


def _compile(source: str, typed: bool, report: Callable[[str], None]) -> CompiledTemplate | str:
    from mockserver.scenario.sandbox import compile_template

    try:
        template, names, lone = compile_template(source, _NAMES, typed=typed)
    except ValueError as error:
        report(str(error))
        return source
    return CompiledTemplate(template, tuple(names), lone)


class _Match:
    """`match`: groups of the rule's regular expressions, by number those of the first that matches, by name those of all."""

    def __init__(self, moment: Moment) -> None:
        self._groups: dict[int | str, str | None] = {}
        for text, pattern in moment.captures:
            match = pattern.search(text(moment.view), 0, SEARCH_LIMIT)
            if match is None:
                continue
            if 0 not in self._groups:
                self._groups.update(enumerate((match[0], *match.groups())))
            for name, group in match.groupdict().items():
                self._groups.setdefault(name, group)

    def __getitem__(self, group: int | str) -> str | None:
        return self._groups[group]


class _Fake:
    """`fake`: Faker's methods, seeded by the call's chance."""

    def __init__(self, moment: Moment) -> None:
        from faker import Factory

        self._generator = Factory.create("en_US")
        self._generator.seed_instance(int.from_bytes(moment.chance.fork("fake").bytes(8), "big"))

    def __getattr__(self, name: str) -> _FakeMethod:
        if name in _GENERATOR_METHODS or name.startswith(("_", "seed", "set_", "get_", "add_", "del_")):
            raise AttributeError(f"fake has no {name!r}")
        return _FakeMethod(getattr(self._generator, name))


def _is_small(value: Any) -> bool:
    size = abs(value) if isinstance(value, (int, float)) else len(value) if hasattr(value, "__len__") else 0
    return size <= _MOST_FAKE


class _FakeMethod:
    """A method of Faker that can also be written without parentheses: `{{ fake.name }}`."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        for name, value in [*enumerate(arguments), *named.items()]:
            if not _is_small(value) and not (self._method.__name__ in _OF_NUMBERS or name in _BOUNDS):
                raise ValueError(f"fake makes no more than {_MOST_FAKE:,} of anything")
        return self._method(*arguments, **named)

    def __str__(self) -> str:
        return str(self._method())

    as_text = __str__


def _search(moment: Moment) -> dict[str, Json]:
    """What the request's file search finds; `best` is empty where it finds nothing."""
    prompt = moment.view.prompt
    results = [passage.result() for passage in prompt.passages()] if prompt is not None else []
    return {"results": results, "best": results[0] if results else {}}


def _today(moment: Moment) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment.now, UTC).date().isoformat()


_NAMES: dict[str, Callable[[Moment], Any]] = {
    "request": lambda moment: moment.view.body,
    "operation": lambda moment: moment.view.operation,
    "deployment": lambda moment: moment.view.deployment,
    "path": lambda moment: moment.view.path,
    "headers": lambda moment: moment.view.headers,
    "user": lambda moment: moment.view.value("user").json,
    "system": lambda moment: moment.view.value("system").json,
    "turn": lambda moment: moment.view.prompt.turn if moment.view.prompt is not None else 0,
    "metadata": lambda moment: moment.view.prompt.metadata if moment.view.prompt is not None else {},
    "tool_result": lambda moment: moment.view.tool_result,
    "tool_results": lambda moment: {turn.name: parse_json(turn.text) for turn in moment.view.results},
    "search": _search,
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
