"""Strings that a regular expression matches, built by walking through it and choosing at random wherever it leaves a choice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from mockserver.model import regex
from mockserver.model.bounded_regex import searcher
from mockserver.model.regex import Character, Group, Lookaround, Node, Nodes, Reference, Repeat
from mockserver.state.chance import Chance

# Characters to choose from, the plainest first.
_ALPHABETS = tuple(
    "".join(map(chr, codes)) for codes in (b"abcdefghijklmnopqrstuvwxyz0123456789", range(32, 127), range(160, 1_000))
)
_SURROGATES = range(0xD800, 0xE000)
_LONGEST_CHECKED = 500  # characters; a search through more could backtrack for long


def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a regular expression is found in a text of some hundred characters; in none where it cannot be looked for."""
    try:
        expression = re.compile(pattern)
        search = searcher(expression, regex.read(expression), _LONGEST_CHECKED, _LONGEST_CHECKED**2).search
    except (re.error, ValueError, OverflowError, RecursionError, Warning):
        return lambda text: False
    return lambda text: len(text) <= _LONGEST_CHECKED and search(text, 0, len(text)) is not None


def make_match(pattern: str, least: int, most: int, chance: Chance) -> str | None:
    """A string of `least` to `most` characters in which a regular expression is found; None where the walk finds none.

    None too for an expression that could take too long to look for: it is a client's.
    """
    try:
        expression = re.compile(pattern)
        alternatives = regex.read(expression)
        search = searcher(expression, alternatives, _LONGEST_CHECKED, _LONGEST_CHECKED**2).search
        for attempt, extra in enumerate(_extra_rounds(alternatives, least, most, chance)):
            text = _Walk(chance, extra, most, attempt % 2 == 1).choose(alternatives)
            fits = least <= len(text) <= most and not any(ord(character) in _SURROGATES for character in text)
            if fits and (len(text) > _LONGEST_CHECKED or search(text, 0, len(text))):
                return text
    except (re.error, ValueError, OverflowError, RecursionError, Warning):
        pass
    return None


def _extra_rounds(alternatives: tuple[Nodes, ...], least: int, most: int, chance: Chance) -> Iterator[int | None]:
    """How often to repeat beyond the minimum: at random first, then as often as the length needs."""
    yield from [None] * 8
    short, longer = (len(_Walk(chance, extra, most).choose(alternatives)) for extra in (0, 1))
    needed = (least - short) // max(1, longer - short)
    yield from (extra for extra in (needed, needed + 1, *range(30)) if extra >= 0)


@dataclass(slots=True)
class _Walk:
    """One walk through an expression.

    `extra` None repeats at random, up to three times more than the minimum; `room` is how many characters may still be
    repeated. `looks_ahead` writes out what a lookahead demands, which satisfies the usual `(?=.*[A-Z])(?=.*[0-9]).{8,}`.
    """

    chance: Chance
    extra: int | None
    room: int
    looks_ahead: bool = False
    captures: dict[int, str] = field(default_factory=dict)

    def choose(self, alternatives: tuple[Nodes, ...]) -> str:
        return self.write(self.chance.choice(alternatives) if len(alternatives) > 1 else alternatives[0])

    def write(self, nodes: Nodes) -> str:
        return "".join([self.write_node(node) for node in nodes])

    def write_node(self, node: Node) -> str:
        match node:
            case Character(source, literal):
                return source if literal else self.character(source)
            case Repeat(inner, least, most):
                return self.repeat(inner, least, most)
            case Group(alternatives, number):
                text = self.choose(alternatives)
                # The first text of a capturing group is the text of all its rounds, so that references to it hold.
                return text if number is None else self.captures.setdefault(number, text)
            case Lookaround(alternatives, negative=False) if self.looks_ahead:
                return self.choose(alternatives)
            case Reference(number):
                return self.captures.get(number, "")
        return ""

    def repeat(self, node: Node, least: int, most: int | None) -> str:
        extra = self.chance.below(4) if self.extra is None else self.extra
        rounds: list[str] = []
        for _ in range(least + extra if most is None else min(most, least + extra)):
            text = self.write_node(node)
            self.room -= max(1, len(text))
            if self.room < 0:
                break
            rounds.append(text)
        return "".join(rounds)

    def character(self, source: str) -> str:
        """A character that a class or an escape matches; "" where there is none."""
        for alphabet in _ALPHABETS:
            possible: list[str] = re.findall(source, alphabet)
            if possible:
                return self.chance.choice(possible)
        return _rare_character(source)


@lru_cache(maxsize=64)  # to look through all of Unicode takes a tenth of a second, and every round of a walk would do so
def _rare_character(source: str) -> str:
    for start in range(0, 0x110000, 0x800):
        block = "".join(map(chr, range(start, start + 0x800))) if start not in _SURROGATES else ""
        if match := re.search(source, block):
            return match[0]
    return ""
