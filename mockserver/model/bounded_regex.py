"""Regular expressions that are matched in a time that grows no faster than the text, whatever the text.

Python's `re` tries every way in which repeats can share a text between them, which for two that can match the same takes the square
of its length, and for nested ones doubles with every character. The matcher here tries the same ways in the same order, but none of
them from the same place twice: what failed there once fails again. That holds where nothing depends on how the place was reached, so
backreferences, conditions, atomic groups and lookbehinds are not for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from mockserver.model.backtracking import is_cheap
from mockserver.model.regex import Anchor, Character, Group, Lookaround, Node, Nodes, Repeat

_MOST_STEPS = 1_500_000  # of one search, each a microsecond or less: places in a text times steps of an expression
_LONGEST_PROGRAM = 4_000
_SCOPED_FLAGS = re.compile(r"\(\?[a-zA-Z]*-?[a-z]*:")
Saved = tuple[int, ...]
Test = Callable[[str, int, int], int]
"""Whether a step fits at a place of a text that ends somewhere: the place behind what it matches, -1 where it does not fit."""


@dataclass(frozen=True, slots=True)
class Split:
    """Go on at `first`, and where that fails at `second`."""

    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Save:
    """Note the place as the beginning or the end of a group."""

    slot: int


@dataclass(frozen=True, slots=True)
class Look:
    """Go on where another program matches from here, or where `negative` does not. `number` counts the lookaheads."""

    number: int
    program: Program
    negative: bool


Step = Split | Save | Look | Test
Program = list[Step]


class Match:
    """What `re.Match` has, as far as templates use it."""

    def __init__(self, text: str, saved: Saved, names: dict[str, int]) -> None:
        self._groups = [
            None if saved[at] < 0 or saved[at + 1] < 0 else text[saved[at] : saved[at + 1]] for at in range(0, len(saved), 2)
        ]
        self._names = names

    def __getitem__(self, group: int) -> str | None:
        return self._groups[group]

    def groups(self) -> tuple[str | None, ...]:
        """The texts of all groups."""
        return tuple(self._groups[1:])

    def groupdict(self) -> dict[str, str | None]:
        """The texts of the named groups."""
        return {name: self._groups[number] for name, number in self._names.items()}


class BoundedPattern:
    """A compiled expression, with those members of `re.Pattern` that rules use.

    Raises ValueError for one that holds what cannot be matched so, or is too long when its repeats are written out.
    """

    def __init__(self, original: re.Pattern[str], alternatives: tuple[Nodes, ...]) -> None:
        self.pattern = original.pattern
        if _SCOPED_FLAGS.search(self.pattern.replace("(?:", "")):
            raise ValueError("flags that are only for a group")
        self._flags = original.flags & (re.IGNORECASE | re.DOTALL | re.ASCII | re.MULTILINE)
        self._groups, self._names = original.groups, dict(original.groupindex)
        self._steps = self._looks = 0
        self._program: Program = []
        self._program = self._compiled(alternatives)

    def search(self, text: str, start: int, end: int) -> Match | None:
        """The first match in the text from `start` on and before `end`.

        A long expression sees less of a text; one whose lookaheads take too many steps finds nothing.
        """
        search = _Search(text, min(end, len(text), _MOST_STEPS // (self._steps + 1)))
        saved = (-1, -1) * (self._groups + 1)
        for at in range(start, search.end + 1):
            found = search.run(self._program, at, saved, 0)
            if found is not None:
                return Match(text, (at, *found[1:]), self._names)
            if search.steps_left < 0:
                break
        return None

    # -- from the tree to steps

    def _compiled(self, alternatives: tuple[Nodes, ...]) -> Program:
        outer, self._program = self._program, []
        self._alternatives(alternatives)
        program, self._program = self._program, outer
        return program

    def _alternatives(self, alternatives: tuple[Nodes, ...]) -> None:
        ends = []
        for nodes in alternatives[:-1]:
            fork = self._add(Split(0, 0))
            for node in nodes:
                self._node(node)
            ends.append(self._add(Split(0, 0)))
            self._program[fork] = Split(fork + 1, len(self._program))
        for node in alternatives[-1]:
            self._node(node)
        for end in ends:
            self._program[end] = Split(len(self._program), len(self._program))

    def _node(self, node: Node) -> None:
        if isinstance(node, Character):
            self._add(_character(node.source, self._flags, literal=node.literal))
        elif isinstance(node, Anchor):
            self._add(_anchor(node.source, self._flags))
        elif isinstance(node, Lookaround) and not node.behind:
            self._looks += 1
            self._add(Look(self._looks, self._compiled(node.alternatives), node.negative))
        elif isinstance(node, Repeat) and not node.possessive:
            self._repeat(node)
        elif isinstance(node, Group) and not node.atomic:
            self._group(node)
        else:
            raise ValueError(f"a {type(node).__name__.lower()}")

    def _group(self, node: Group) -> None:
        if node.number is not None:
            self._add(Save(2 * node.number))
        self._alternatives(node.alternatives)
        if node.number is not None:
            self._add(Save(2 * node.number + 1))

    def _repeat(self, node: Repeat) -> None:
        for _ in range(node.least):
            self._node(node.node)
        if node.most is None:
            fork = self._add(Split(0, 0))
            self._node(node.node)
            self._add(Split(fork, fork))
            self._fork(fork, node)
            return
        forks = []
        for _ in range(node.most - node.least):
            forks.append(self._add(Split(0, 0)))
            self._node(node.node)
        for fork in forks:
            self._fork(fork, node)

    def _fork(self, fork: int, node: Repeat) -> None:
        """Go into a repeat or past it, in the order in which it prefers them."""
        inside, behind = fork + 1, len(self._program)
        self._program[fork] = Split(behind, inside) if node.lazy else Split(inside, behind)

    def _add(self, step: Step) -> int:
        self._program.append(step)
        self._steps += 1
        if self._steps > _LONGEST_PROGRAM:
            raise ValueError(f"more than {_LONGEST_PROGRAM:,} steps")
        return len(self._program) - 1


class _Search:
    """One search: the text up to its `end`, and for each program the steps and places from which there is no match."""

    def __init__(self, text: str, end: int) -> None:
        self.text, self.end, self.steps_left = text, end, _MOST_STEPS
        self._seen: dict[int, bytearray] = {}

    def run(self, program: Program, start: int, saved: Saved, number: int) -> Saved | None:
        """The places of a match that begins at `start`, its end as the second; `number` is the program's."""
        text, end, size = self.text, self.end, self.end + 1
        seen = self._seen.get(number)
        if seen is None:
            seen = self._seen[number] = bytearray(len(program) * size)
        waiting: list[tuple[int, int, Saved]] = [(0, start, saved)]
        while waiting:
            step, at, saved = waiting.pop()
            while step < len(program):
                self.steps_left -= 1
                if seen[step * size + at] or self.steps_left < 0:
                    break
                seen[step * size + at] = 1
                what = program[step]
                step += 1
                if isinstance(what, Split):
                    waiting.append((what.second, at, saved))
                    step = what.first
                elif isinstance(what, Save):
                    saved = (*saved[: what.slot], at, *saved[what.slot + 1 :])
                elif isinstance(what, Look):
                    if self._fits(what, at, saved) is what.negative:
                        break
                else:
                    at = what(text, at, end)
                    if at < 0:
                        break
            else:
                return (saved[0], at, *saved[2:])
        return None

    def _fits(self, look: Look, at: int, saved: Saved) -> bool:
        if self.run(look.program, at, saved, look.number) is None:
            return False
        del self._seen[look.number]  # what it has seen did not all fail
        return True


def _character(source: str, flags: int, *, literal: bool) -> Test:
    fits = re.compile(re.escape(source) if literal else source, flags).match
    one = lru_cache(maxsize=1_024)(lambda character: fits(character) is not None)  # by character: texts have few different ones
    return lambda text, at, end: at + 1 if at < end and one(text[at]) else -1


def _anchor(source: str, flags: int) -> Test:
    fits = re.compile(source, flags).match
    return lambda text, at, end: at if fits(text, at, end) is not None else -1


def searcher(
    expression: re.Pattern[str], alternatives: tuple[Nodes, ...], length: int, most_ways: int
) -> re.Pattern[str] | BoundedPattern:
    """What searches for an expression in texts of this length without taking long.

    That is `re` itself where it has at most so many ways to try from each place. Raises ValueError where neither can.
    """
    return expression if is_cheap(alternatives, length, most_ways) else BoundedPattern(expression, alternatives)
