"""jinja2's immutable sandbox, with limits on loops, sizes and work, and with the call's chance as the only one."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta, nodes, pass_context, pass_environment
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.visitor import NodeTransformer

from mockserver.scenario.limits import (
    LONGEST,
    MOST_ROUNDS,
    OPERATORS,
    LimitError,
    Limits,
    calculate,
    check_size,
    longest_text,
    percent,
)
from mockserver.scenario.values import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2.runtime import Context

__all__ = ["LimitError", "Limits", "compile_template", "json_of", "text_of"]

Json = Any
_DEEPEST = 100  # far below Python's own limit on recursion
_FORBIDDEN = (
    nodes.Macro,
    nodes.CallBlock,
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.Extends,
    nodes.Block,
    nodes.EvalContextModifier,
)
# Nothing in an answer is HTML, and these take a time that grows with the square of a text.
_ABSENT_FILTERS = ("pprint", "striptags", "urlize", "wordwrap", "xmlattr")
_SIZED_FILTERS = frozenset({"batch", "center", "indent", "map", "slice", "tojson", "truncate"})


def compile_template(source: str, names: Collection[str], *, typed: bool) -> tuple[Template, list[str], bool]:
    """A template, which of `names` it uses, and whether it is one lone expression that keeps its type (only where `typed`).

    Raises ValueError for a syntax error, for a name that is not one of `names`, and for macros, blocks and includes.
    """
    environment = _environment()
    try:
        tree = environment.parse(source)
        _refuse(tree)
        _Weighing().visit(tree)  # before anything reads the tree, which works out what is constant
        used = sorted(meta.find_undeclared_variables(tree) - set(environment.globals))
        for name in used:
            if name not in names:
                raise ValueError(f"a template does not know {name!r}; {suggestion(name, names)}")
        lone = _lone_expression(tree) if typed else None
        if lone is not None:
            tree.body = [nodes.Assign(nodes.Name("value", "store", lineno=1), lone, lineno=1)]
        tree.set_environment(environment)
        return environment.from_string(tree), used, lone is not None
    except TemplateSyntaxError as error:
        raise ValueError(f"this is not a template: {error.message}") from None
    except (RecursionError, SyntaxError, MemoryError) as error:
        raise ValueError(f"this is not a template: {type(error).__name__}") from None


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
        return {_encodable(str(key)): json_of(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)) and depth < _DEEPEST:
        return [json_of(inner, depth + 1) for inner in value]
    if isinstance(value, StrictUndefined):
        str(value)  # raises UndefinedError, which names it
    if type(value).__module__ in ("datetime", "decimal") or hasattr(value, "as_text"):
        return str(value)
    raise LimitError(f"{type(value).__name__} is not a JSON value")


def _refuse(tree: nodes.Template) -> None:
    forbidden = next((node for kind in _FORBIDDEN for node in tree.find_all(kind)), None)
    if forbidden is not None:
        kind = "autoescape" if isinstance(forbidden, nodes.EvalContextModifier) else type(forbidden).__name__.lower()
        raise ValueError(f"a template cannot use {kind} here, only expressions, if, for and set")
    if any(loop.recursive for loop in tree.find_all(nodes.For)):
        raise ValueError("a template cannot use recursive loops here")


class _Weighing(NodeTransformer):
    """Has everything weighed that a template builds or reads as a whole, and its loops counted."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor's names, like those below
        self.generic_visit(node)
        written = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        node.iter = _filtered(node.iter, "_rounds", [nodes.Const(written, lineno=node.lineno)])
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.node = _filtered(node.node, "_weighed")  # None stands for the block that is filtered
        if node.name in _SIZED_FILTERS:
            node.args = [_filtered(one, "_size") for one in node.args]
            for pair in node.kwargs:
                pair.value = _filtered(pair.value, "_size")
        return _filtered(node, "_weighed")

    def visit_Test(self, node: nodes.Test) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.node = _filtered(node.node, "_weighed")
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _filtered(node.expr, "_weighed")
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, "_weighed")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.nodes = [_filtered(one, "_weighed") for one in node.nodes]
        return _filtered(node, "_weighed")

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, "_weighed") if isinstance(node.arg, nodes.Slice) else node

    def _visit_literal(self, node: Any) -> nodes.Node:
        self.generic_visit(node)
        return node if getattr(node, "ctx", "load") == "store" else _filtered(node, "_weighed")

    visit_List = visit_Tuple = visit_Dict = _visit_literal  # noqa: N815


def _filtered(node: Any, name: str, arguments: list[nodes.Expr] | None = None) -> nodes.Filter:
    return nodes.Filter(node, name, arguments or [], [], None, None, lineno=getattr(node, "lineno", 1))


def _lone_expression(tree: nodes.Template) -> nodes.Expr | None:
    if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output) and len(tree.body[0].nodes) == 1:
        only = tree.body[0].nodes[0]
        return None if isinstance(only, nodes.TemplateData) else only
    return None


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = OPERATORS

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        return _limits(context).weighed(calculate(operator, left, right))

    def call(self, context: Context, function: Any, /, *arguments: Any, **named: Any) -> Any:
        limits = _limits(context)
        limits.check_call(function, [*arguments, *named.values()])
        return limits.weighed(super().call(context, function, *arguments, **named))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        if super().wrap_str_format(value) is None:
            return None
        return functools.partial(_format_map if value.__name__ == "format_map" else _format, self, str(value.__self__))


class _Formatter(SandboxedFormatter):
    """`str.format`, which counts what it makes: a width can be larger than any text."""

    size = 0

    def format_field(self, value: Any, format_spec: str) -> Any:
        for width in "".join(char if char.isascii() and char.isdigit() else " " for char in format_spec).split():
            check_size(int(width[:9]))
        field = super().format_field(value, format_spec)
        self.size = check_size(self.size + len(field))
        return field


def _format(environment: _Environment, text: str, *values: Any, **named: Any) -> str:
    return _Formatter(environment).vformat(text, values, named)


def _format_map(environment: _Environment, text: str, named: Mapping[str, Any]) -> str:
    return _Formatter(environment).vformat(text, (), named)


@functools.cache  # setting it up takes longer than compiling a template, and nothing in it depends on the scenario
def _environment() -> _Environment:
    # A `finalize` that takes the context, and no optimizer: so nothing is worked out while a template is loaded.
    environment = _Environment(undefined=StrictUndefined, keep_trailing_newline=True, optimized=False, finalize=_weighed)
    for name in ("lipsum", "cycler", "joiner"):
        del environment.globals[name]
    for name in _ABSENT_FILTERS:
        del environment.filters[name]
    environment.globals["range"] = _range
    environment.filters |= {
        "format": lambda text, *values, **named: percent(str(text), named or values),
        "indent": _bounded_indent(environment.filters["indent"]),
        "join": _join,
        "random": pass_context(lambda context, options: _limits(context).chance.choice(list(options))),
        "replace": _replace,
        "round": _bounded_round(environment.filters["round"]),
        "sum": _bounded_sum(environment.filters["sum"]),
        "tojson": _dump,
        "trim": _trim,
        "_rounds": pass_context(lambda context, values, cost: _limits(context).rounds(values, cost)),
        "_size": check_size,
        "_weighed": _weighed,
    }
    return environment


def _limits(context: Context) -> Limits:
    limits: Limits = context["_limits"]
    return limits


@pass_context
def _weighed(context: Context, value: Any) -> Any:
    return _limits(context).weighed(value)


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > MOST_ROUNDS:
        raise LimitError(f"a range is longer than {MOST_ROUNDS:,}")
    return numbers


def _bounded_indent(original: Callable[..., str]) -> Callable[..., str]:
    def indent(text: Any, width: int | str = 4, *flags: Any, **named: Any) -> str:
        text = str(text)
        check_size((text.count("\n") + 1) * (width if isinstance(width, int) else len(width)))
        return original(text, width, *flags, **named)

    return indent


def _bounded_round(original: Callable[..., float]) -> Callable[..., float]:
    def rounded(value: float, precision: int = 0, method: Any = "common") -> float:
        if abs(precision) > 300:  # beyond what any float has
            raise LimitError("the precision is too large")
        return original(value, precision, method)

    return rounded


def _bounded_sum(original: Callable[..., Any]) -> Callable[..., Any]:
    @pass_environment
    def total(environment: _Environment, values: Any, attribute: Any = None, start: float = 0) -> Any:
        if not isinstance(start, (int, float)):
            raise LimitError("a sum begins with a number")  # lists would be copied at every step
        return original(environment, values, attribute, start)

    return total


@pass_context
def _join(context: Context, values: Any, separator: str = "", attribute: str | None = None) -> str:
    if attribute is not None:
        values = context.environment.call_filter("map", values, kwargs={"attribute": attribute}, context=context)
    texts = [str(value) for value in _limits(context).rounds(values)]
    check_size(sum(map(len, texts)) + len(separator) * len(texts))
    return str(separator).join(texts)


def _replace(text: Any, old: str, new: str, count: int = -1) -> str:
    old, new, whole = str(old), str(new), str(text)
    check_size(len(whole) + whole.count(old) * len(new))
    return whole.replace(old, new, -1 if count is None else count)


def _trim(text: Any, characters: str | None = None) -> str:
    check_size(len(str(text)) * (longest_text(characters) // 100))
    return str(text).strip(characters)


def _dump(value: Any, indent: int | None = None) -> str:
    plain = json_of(value)
    if indent is not None and not 0 <= indent <= 16:
        raise LimitError("an indentation is from 0 to 16 characters")
    return json.dumps(plain, ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))


def _encodable(text: str) -> str:
    # A client's JSON can hold half of a surrogate pair, which no answer can carry.
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
