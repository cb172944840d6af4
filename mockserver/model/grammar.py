"""Examples of what a Lark grammar takes, for custom tools whose input has one (documented: `syntax` `lark`).

Read are rules and terminals with alternatives, groups, options, repeats, strings, ranges and regular expressions, `%import` from
`common` and `%ignore`; templates, `%declare`, `%override` and `%extend` are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from mockserver.model.json_schema.patterns import make_match
from mockserver.state.chance import Chance

_COMMON = {
    "CNAME": "[a-z][a-z_0-9]{0,7}",
    "CR": "\r",
    "DIGIT": "[0-9]",
    "ESCAPED_STRING": '"[a-z ]{0,12}"',
    "FLOAT": r"[0-9]{1,3}\.[0-9]{1,2}",
    "HEXDIGIT": "[0-9a-f]",
    "INT": "[1-9][0-9]{0,2}",
    "LCASE_LETTER": "[a-z]",
    "LETTER": "[a-z]",
    "LF": "\n",
    "NEWLINE": "\n",
    "NUMBER": r"[1-9][0-9]{0,2}(\.[0-9])?",
    "SIGNED_FLOAT": r"-?[0-9]{1,3}\.[0-9]{1,2}",
    "SIGNED_INT": "-?[1-9][0-9]{0,2}",
    "SIGNED_NUMBER": r"-?[1-9][0-9]{0,2}(\.[0-9])?",
    "UCASE_LETTER": "[A-Z]",
    "WORD": "[a-z]{1,8}",
    "WS": " ",
    "WS_INLINE": " ",
}
_STATEMENT = re.compile(r"[!?]*([A-Za-z_]\w*)(?:\.-?\d+)?\s*:(?!:)|%(\w+)")
_TOKEN = re.compile(
    r"""\s+|//[^\n]*|(?P<string>"(?:\\.|[^"\\\n])*")i?|(?P<pattern>/(?:\\.|[^/\\\n])+/)(?P<flags>[imslux]*)|"""
    r"""(?P<alias>->\s*\w+)|(?P<range>\.\.)|(?P<name>[!?]?[A-Za-z_]\w*)|(?P<count>~\s*\d+(?:\s*\.\.\s*\d+)?)|(?P<sign>[|()\[\]*+?])"""
)
_DEPTH = 12  # rules inside rules; deeper, the shortest way out is taken
_LONGEST = 2_000  # characters of a sentence
_LONGEST_GRAMMAR = 20_000  # characters
_MOST_RULES = 500
_MOST_STEPS = 20_000
_LONGEST_TERMINAL = 200
_NEVER = 10**6


class GrammarError(ValueError):
    """A grammar that cannot be read, or that takes nothing."""


@dataclass(frozen=True, slots=True)
class Literal:
    """These very characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a regular expression matches."""

    source: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A rule or terminal by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`node` from `least` to `most` times."""

    node: Node
    least: int
    most: int


Node = Literal | Pattern | Reference | Sequence | Choice | Repeat


def make_sentence(grammar: str, chance: Chance) -> str:
    """A text that a Lark grammar takes, at most 2,000 characters long. Raises GrammarError where there is none or it is not found."""
    if len(grammar) > _LONGEST_GRAMMAR:
        raise GrammarError("the grammar is too long")
    try:
        rules, ignored = _read(grammar)
        text = _Speaker(rules, ignored, chance).say("start")
    except RecursionError:
        raise GrammarError("the grammar is nested too deeply") from None
    if len(text) > _LONGEST:
        raise GrammarError("the grammar has no short sentence")
    return text


def _read(grammar: str) -> tuple[dict[str, Node], list[str]]:
    """The rules and terminals of a grammar by name, and the terminals that it ignores."""
    rules: dict[str, Node] = {}
    ignored: list[str] = []
    for name, directive, text in _statements(grammar):
        if directive == "import":
            _import(text, rules)
        elif directive == "ignore":
            rules[f"%ignore {len(ignored)}"] = _Reader(text).choice()
            ignored.append(f"%ignore {len(ignored)}")
        elif directive is not None:
            raise GrammarError(f"%{directive} is not read")
        else:
            reader = _Reader(text)
            rules[name] = reader.choice()
            reader.end()
    if len(rules) > _MOST_RULES:
        raise GrammarError("the grammar has too many rules")
    return rules, ignored


def _statements(grammar: str) -> Iterator[tuple[str, str | None, str]]:
    """Name, directive and text of each statement, which goes on until a line that begins another."""
    found: list[tuple[str, str | None, list[str]]] = []
    for line in grammar.splitlines():
        head = _STATEMENT.match(line)
        if head is not None:
            found.append((head[1] or "", head[2], [line[head.end() :]]))
        elif found:
            found[-1][2].append(line)
    for name, directive, lines in found:
        yield name, directive, "\n".join(lines)


def _import(text: str, rules: dict[str, Node]) -> None:
    """`common.INT`, `common.INT -> NUMBER` or `common (INT, WS)`."""
    several = re.fullmatch(r"\s*common\s*\(([\w\s,]*)\)\s*", text)
    one = re.fullmatch(r"\s*common\.(\w+)\s*(?:->\s*(\w+))?\s*", text)
    if several is not None:
        wanted = {name.strip(): name.strip() for name in several[1].split(",") if name.strip()}
    elif one is not None:
        wanted = {one[2] or one[1]: one[1]}
    else:
        raise GrammarError(f"the import {text.strip()!r:.60} is not read")
    for name, original in wanted.items():
        if original not in _COMMON:
            raise GrammarError(f"common has no {original!r:.60}")
        rules[name] = Pattern(_COMMON[original])


class _Reader:
    """Reads the right side of a rule."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise GrammarError(f"{text[at : at + 20]!r} is not read")
            if match.lastgroup is not None:
                kind = "pattern" if match["pattern"] else match.lastgroup
                self._tokens.append((kind, _pattern(match) if kind == "pattern" else match[match.lastgroup]))
            at = match.end()
        self._at = 0

    def end(self) -> None:
        """Raise GrammarError where something is left."""
        if self._at < len(self._tokens):
            raise GrammarError(f"{self._tokens[self._at][1]!r} is not expected")

    def choice(self) -> Node:
        """Alternatives."""
        nodes = [self._sequence()]
        while self._takes("|"):
            nodes.append(self._sequence())
        return nodes[0] if len(nodes) == 1 else Choice(tuple(nodes))

    def _takes(self, text: str) -> bool:
        here = self._at < len(self._tokens) and self._tokens[self._at] == ("sign", text)
        self._at += here
        return here

    def _sequence(self) -> Node:
        nodes: list[Node] = []
        while self._at < len(self._tokens) and self._tokens[self._at] not in (("sign", "|"), ("sign", ")"), ("sign", "]")):
            if self._tokens[self._at][0] == "alias":
                self._at += 1
                continue
            nodes.append(self._repeated(self._atom()))
        return nodes[0] if len(nodes) == 1 else Sequence(tuple(nodes))

    def _atom(self) -> Node:
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind == "string":
            return self._range(_unescaped(text))
        if kind == "pattern":
            return Pattern(text)
        if kind == "name":
            return Reference(text.lstrip("!?"))
        if text in ("(", "["):
            inner = self.choice()
            if not self._takes(")" if text == "(" else "]"):
                raise GrammarError(f"{text!r} is not closed")
            return inner if text == "(" else Repeat(inner, 0, 1)
        raise GrammarError(f"{text!r} is not expected")

    def _range(self, first: str) -> Node:
        if self._at + 1 < len(self._tokens) and self._tokens[self._at][0] == "range":
            last = _unescaped(self._tokens[self._at + 1][1])
            self._at += 2
            return Pattern(f"[{re.escape(first)}-{re.escape(last)}]")
        return Literal(first)

    def _repeated(self, node: Node) -> Node:
        while self._at < len(self._tokens):
            kind, text = self._tokens[self._at]
            if text in _REPEATS and kind == "sign":
                node = Repeat(node, *_REPEATS[text])
            elif kind == "count":
                counts = [int(number) for number in re.findall(r"\d+", text)]
                node = Repeat(node, min(counts[0], _LONGEST + 1), min(counts[-1], _LONGEST + 1))
            else:
                break
            self._at += 1
        return node


_REPEATS = {"?": (0, 1), "*": (0, 3), "+": (1, 3)}


def _pattern(match: re.Match[str]) -> str:
    flags = "".join(sorted(set(match["flags"]) - {"l", "u"}))
    source = match["pattern"][1:-1].replace("\\/", "/")
    return f"(?{flags}:{source})" if flags else source


def _unescaped(text: str) -> str:
    inner = text[1:-1]
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t", "r": "\r"}.get(match[1], match[1]), inner)


class _Speaker:
    """Says what a grammar takes. Between tokens there is a space where spaces are ignored."""

    def __init__(self, rules: Mapping[str, Node], ignored: list[str], chance: Chance) -> None:
        self._rules = rules
        self._chance = chance
        self._depths = dict.fromkeys(rules, _NEVER)
        self._settle()
        self._space = " " if any(self._ignores_space(name) for name in ignored) else ""
        self._length = self._steps = 0

    def _settle(self) -> None:
        """How many rules deep the shortest sentence of each rule is: from none known until nothing changes any more."""
        changed = True
        while changed:
            changed = False
            for name, node in self._rules.items():
                depth = min(_NEVER, 1 + self._depth(node))
                if depth < self._depths[name]:
                    self._depths[name], changed = depth, True

    def _depth(self, node: Node) -> int:
        if isinstance(node, Reference):
            return self._depths.get(node.name, _NEVER)
        if isinstance(node, Choice):
            return min(self._depth(inner) for inner in node.nodes)
        if isinstance(node, Sequence):
            return max((self._depth(inner) for inner in node.nodes), default=0)
        return self._depth(node.node) if isinstance(node, Repeat) and node.least else 0

    def _ignores_space(self, name: str) -> bool:
        if self._depths[name] >= _NEVER:
            return False
        return any(re.fullmatch(pattern, " ") for pattern in islice(self._patterns(self._rules[name]), _LONGEST_TERMINAL))

    def _patterns(self, node: Node) -> Iterator[str]:
        if isinstance(node, Reference):
            yield from self._patterns(self._rules[node.name]) if node.name in self._rules else ()
        elif isinstance(node, (Choice, Sequence)):
            for inner in node.nodes:
                yield from self._patterns(inner)
        elif isinstance(node, Repeat):
            yield from self._patterns(node.node)
        else:
            yield re.escape(node.text) if isinstance(node, Literal) else node.source

    def say(self, name: str) -> str:
        """A text of a rule. Raises GrammarError where the rule takes none."""
        if self._depths.get(name, _NEVER) >= _NEVER:
            raise GrammarError(f"the rule {name!r} takes nothing")
        return self._space.join([token for token in self._tokens(Reference(name), 0) if token])

    def _tokens(self, node: Node, depth: int) -> Iterator[str]:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise GrammarError("the grammar has no short sentence")
        if isinstance(node, Reference):
            yield from self._named(node.name, depth)
        elif isinstance(node, Choice):
            yield from self._tokens(self._chosen(node, depth), depth)
        elif isinstance(node, Sequence):
            for inner in node.nodes:
                yield from self._tokens(inner, depth)
        elif isinstance(node, Repeat):
            for _ in range(self._times(node, depth)):
                yield from self._tokens(node.node, depth)
        else:
            yield self._counted(node.text if isinstance(node, Literal) else self._match(node.source))

    def _named(self, name: str, depth: int) -> Iterator[str]:
        """The tokens of a rule; a terminal, whose name has no small letters, is one token."""
        tokens = self._tokens(self._rules[name], depth + 1)
        if name.upper() == name:
            yield "".join(tokens)
        else:
            yield from tokens

    def _chosen(self, node: Choice, depth: int) -> Node:
        possible = [inner for inner in node.nodes if self._depth(inner) < _NEVER]
        if depth < _DEPTH and self._length < _LONGEST // 4:
            return self._chance.choice(possible)
        return min(possible, key=self._depth)

    def _times(self, node: Repeat, depth: int) -> int:
        most = node.most if depth < _DEPTH and self._length < _LONGEST // 4 and self._depth(node.node) < _NEVER else node.least
        return node.least + self._chance.below(min(most, node.least + 3) - node.least + 1)

    def _match(self, source: str) -> str:
        text = make_match(rf"^(?:{source})\Z", 0, _LONGEST_TERMINAL, self._chance)
        if text is None:
            raise GrammarError(f"no text is found for /{source:.60}/")
        return text

    def _counted(self, text: str) -> str:
        self._length += len(text)
        if self._length > _LONGEST:
            raise GrammarError("the grammar has no short sentence")
        return text
