"""The structure of a regular expression, as a tree. The parser of Python's `re` is private, so this is a reader of our own.

`re.compile` decides whether an expression is valid; the reader follows valid ones and checks nothing. The insides of character
classes and of most escapes stay text: `re` itself knows best which characters they match.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Nodes = tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Character:
    """Exactly one character: `source` itself where `literal`, else one that `source` matches (`.`, `[a-z]`, an escape)."""

    source: str
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """`node` from `least` to `most` times, None for any number, as often as possible or, where `lazy`, as seldom.

    Possessive repeats never give back what they have matched.
    """

    node: Node
    least: int
    most: int | None
    possessive: bool = False
    lazy: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """One of `alternatives`; `number` is None where the group captures nothing. Atomic ones never give back a match."""

    alternatives: tuple[Nodes, ...]
    number: int | None = None
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Lookaround:
    """A condition on the text ahead or `behind`, which matches no character."""

    alternatives: tuple[Nodes, ...]
    negative: bool
    behind: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Conditional:
    """The first of `alternatives` where another group has matched, else the second, where there is one."""

    alternatives: tuple[Nodes, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The text that the group of this number has matched."""

    number: int


@dataclass(frozen=True, slots=True)
class Anchor:
    """A position, such as `^` or a word boundary, as it is written."""

    source: str = field(default="", compare=False)


Node = Character | Repeat | Group | Lookaround | Conditional | Reference | Anchor

_QUANTIFIER = re.compile(r"(?:([*+?])|\{(\d*)(?:(,)(\d*))?(?<!\{)\})([?+]?)")
_BOUNDS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_CLASS = re.compile(r"\[\^?\]?(?:[^\\\]]|\\.)*\]", re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:(?P<anchor>[AZbB])|(?P<octal>0[0-7]{0,2}|[0-7]{3})|(?P<reference>[1-9][0-9]?)"
    r"|(?P<symbol>[^0-9A-Za-z])|(?P<code>x..|u.{4}|U.{8}|N\{[^}]*\}|.))",
    re.DOTALL,
)
_OPENING = re.compile(
    r"\(\?P=(?P<reference>\w+)\)|(?P<comment>\(\?#[^)]*\))|\(\?<?(?P<lookaround>[=!])|(?P<atomic>\(\?>)"
    r"|\(\?\((?P<conditional>\w+)\)|\(\?P<(?P<name>\w+)>|\(\?(?P<on>[a-zA-Z]*)-?(?P<off>[a-z]*)(?P<scope>[:)])|(?P<plain>\()"
)
_BLANK = re.compile(r"(?:\s|#[^\n]*)+")


def read(expression: re.Pattern[str]) -> tuple[Nodes, ...]:
    """The alternatives of an expression, each a sequence of nodes. Raises RecursionError where groups nest too deeply."""
    return _Reader(expression).alternatives()


def children(node: Node) -> tuple[Nodes, ...]:
    """The sequences inside a node."""
    if isinstance(node, Repeat):
        return ((node.node,),)
    return node.alternatives if isinstance(node, Group | Lookaround | Conditional) else ()


class _Reader:
    def __init__(self, expression: re.Pattern[str]) -> None:
        self._text = expression.pattern
        self._at = 0
        self._groups = 0
        self._numbers = expression.groupindex
        self._verbose = bool(expression.flags & re.VERBOSE)

    def alternatives(self) -> tuple[Nodes, ...]:
        """Sequences up to a closing parenthesis or the end."""
        sequences = [self._sequence()]
        while self._text.startswith("|", self._at):
            self._at += 1
            sequences.append(self._sequence())
        return tuple(sequences)

    def _sequence(self) -> Nodes:
        nodes: list[Node] = []
        while True:
            if self._verbose:
                self._take(_BLANK)
            if self._at == len(self._text) or self._text[self._at] in "|)":
                return tuple(nodes)
            if quantifier := self._take(_QUANTIFIER):
                nodes[-1] = _repeat(nodes[-1], quantifier)
            elif node := self._node():
                nodes.append(node)

    def _node(self) -> Node | None:
        """The next node; None for a comment and for flags, which match nothing."""
        if opening := self._take(_OPENING):
            return self._group(opening)
        if escape := self._take(_ESCAPE):
            return self._escape(escape)
        if characters := self._take(_CLASS):
            single = len(characters[0]) == 3  # such as [.]
            return Character(characters[0][1], literal=True) if single else Character(characters[0])
        character = self._text[self._at]
        self._at += 1
        return Anchor(character) if character in "^$" else Character(character, literal=character != ".")

    def _escape(self, escape: re.Match[str]) -> Node:
        if escape["anchor"]:
            return Anchor(escape[0])
        if escape["reference"]:
            return Reference(int(escape["reference"]))
        return Character(escape["symbol"], literal=True) if escape["symbol"] else Character(escape[0])

    def _group(self, opening: re.Match[str]) -> Node | None:
        if opening["comment"] or opening["scope"] == ")":
            return None
        if opening["reference"]:
            return Reference(self._numbers[opening["reference"]])
        number = None
        if opening["name"] or opening["plain"]:
            number = self._groups = self._groups + 1
        verbose = self._verbose
        self._verbose = (verbose or "x" in (opening["on"] or "")) and "x" not in (opening["off"] or "")
        alternatives = self.alternatives()
        self._verbose = verbose
        self._at += 1  # the closing parenthesis
        if opening["lookaround"]:
            return Lookaround(alternatives, opening["lookaround"] == "!", behind="<" in opening[0])
        return Conditional(alternatives) if opening["conditional"] else Group(alternatives, number, bool(opening["atomic"]))

    def _take(self, syntax: re.Pattern[str]) -> re.Match[str] | None:
        match = syntax.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return match


def _repeat(node: Node, quantifier: re.Match[str]) -> Repeat:
    sign, least, comma, most, suffix = quantifier.groups()
    if sign:
        return Repeat(node, *_BOUNDS[sign], suffix == "+", lazy=suffix == "?")
    bounds = int(least or 0), (int(most) if most else None) if comma else int(least)
    return Repeat(node, *bounds, suffix == "+", lazy=suffix == "?")
