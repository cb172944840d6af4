"""jinja2's immutable sandbox, with limits on loops, sizes and powers, and with the call's chance as the only one."""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta, nodes, pass_context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mockserver.scenario.values import suggestion

if TYPE_CHECKING:
    from jinja2.runtime import Context

    from mockserver.state.chance import Chance

Json = Any
# Bounds on time and memory: a scenario can come from a stranger, and a template sees what a client sends.
LONGEST = 1_000_000  # characters of a text, items of a list
MOST_ROUNDS = 100_000  # of all loops together
_DEEPEST = 100  # far below Python's own limit on recursion
_FORBIDDEN = (nodes.Macro, nodes.CallBlock, nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)


class LimitError(Exception):
    """A template used more than its limits allow, or its value is none that an answer can hold."""


def compile_template(source: str, names: Collection[str], *, typed: bool) -> tuple[Template, list[str], bool]:
    """A template, which of `names` it uses, and whether it is one lone expression that keeps its type (only where `typed`).

    Raises ValueError for a syntax error, for a name that is not one of `names`, and for macros, blocks and includes.
    """
    environment = _environment()
    try:
        tree = environment.parse(source)
        used = sorted(meta.find_undeclared_variables(tree) - set(environment.globals))
        _check(tree, used, names)
        for loop in tree.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "_rounds", [], [], None, None, lineno=loop.lineno)
        lone = _lone_expression(tree) if typed else None
        if lone is not None:
            tree.body = [nodes.Assign(nodes.Name("value", "store", lineno=1), lone, lineno=1)]
        tree.set_environment(environment)
        return environment.from_string(tree), used, lone is not None
    except TemplateSyntaxError as error:
        raise ValueError(f"this is not a template: {error.message}") from None
    except (RecursionError, SyntaxError) as error:
        raise ValueError(f"this is not a template: {type(error).__name__}") from None


class Limits:
    """The limits and the chance of one rendering. A template's context has it as `_limits`."""

    def __init__(self, chance: Chance) -> None:
        self.chance = chance
        self._left = MOST_ROUNDS

    def rounds(self, values: Iterable[Any]) -> Iterator[Any]:
        """Yield the values. Raises LimitError once all loops together have gone round too often."""
        for value in values:
            self._left -= 1
            if self._left < 0:
                raise LimitError(f"its loops went round more than {MOST_ROUNDS:,} times")
            yield value


def text_of(template: Template, context: dict[str, Any]) -> str:
    """The text of a template. Raises LimitError where it grows too long."""
    parts, size = [], 0
    for part in template.generate(context):
        parts.append(part)
        size += len(part)
        if size > LONGEST:
            raise LimitError(f"the text grew beyond {LONGEST:,} characters")
    return _encodable("".join(parts))


def json_of(value: Any, depth: int = 0) -> Json:
    """A template's value as plain JSON. Raises LimitError for one that JSON does not have, UndefinedError for an undefined one."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return _encodable(str(value))
    if isinstance(value, float) and abs(value) < float("inf"):
        return value
    if isinstance(value, dict) and depth < _DEEPEST:
        return {str(key): json_of(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)) and depth < _DEEPEST:
        return [json_of(inner, depth + 1) for inner in value]
    if isinstance(value, StrictUndefined):
        str(value)  # raises UndefinedError, which names it
    if type(value).__module__ in ("datetime", "decimal") or hasattr(value, "as_text"):
        return str(value)
    raise LimitError(f"{type(value).__name__} is not a JSON value")


def _check(tree: nodes.Template, used: Collection[str], names: Collection[str]) -> None:
    forbidden = next((node for kind in _FORBIDDEN for node in tree.find_all(kind)), None)
    if forbidden is not None:
        raise ValueError(f"a template cannot use {type(forbidden).__name__.lower()} here, only expressions, if, for and set")
    if any(loop.recursive for loop in tree.find_all(nodes.For)):
        raise ValueError("a template cannot use recursive loops here")
    for name in used:
        if name not in names:
            raise ValueError(f"a template does not know {name!r}; {suggestion(name, names)}")


def _lone_expression(tree: nodes.Template) -> nodes.Expr | None:
    if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output) and len(tree.body[0].nodes) == 1:
        only = tree.body[0].nodes[0]
        return None if isinstance(only, nodes.TemplateData) else only
    return None


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        return _multiply(left, right) if operator == "*" else _raise_power(left, right)


@functools.cache  # setting it up takes longer than compiling a template, and nothing in it depends on the scenario
def _environment() -> _Environment:
    environment = _Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    for name in ("lipsum", "cycler", "joiner"):
        del environment.globals[name]
    environment.globals["range"] = _range
    environment.filters["tojson"] = _dump
    environment.filters["random"] = pass_context(lambda context, options: context["_limits"].chance.choice(list(options)))
    environment.filters["_rounds"] = pass_context(lambda context, values: context["_limits"].rounds(values))
    return environment


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > MOST_ROUNDS:
        raise LimitError(f"a range is longer than {MOST_ROUNDS:,}")
    return numbers


def _multiply(left: Any, right: Any) -> Any:
    for sequence, times in ((left, right), (right, left)):
        if isinstance(sequence, (str, list, tuple)) and isinstance(times, int) and len(sequence) * times > LONGEST:
            raise LimitError(f"a text or list grew beyond {LONGEST:,}")
    return operator.mul(left, right)


def _raise_power(left: Any, right: Any) -> Any:
    if abs(right) > 1_000 or abs(left) > 1e30:
        raise LimitError("a power is too large")
    return operator.pow(left, right)


def _dump(value: Any, indent: int | None = None) -> str:
    return json.dumps(json_of(value), ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))


def _encodable(text: str) -> str:
    # A client's JSON can hold half of a surrogate pair, which no answer can carry.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
