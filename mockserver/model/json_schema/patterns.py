"""Strings that a regular expression matches, found by walking through it and choosing at every turn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mockserver.state.chance import Chance

_ALPHABETS = (b"abcdefghijklmnopqrstuvwxyz0123456789", range(32, 127), range(160, 1_000))  # code points, the plainest first
_WITHOUT_WIDTH = ("AT", "ASSERT", "ASSERT_NOT", "GROUPREF_EXISTS")
_LONGEST_CHECKED = 500  # characters; a search through more could backtrack for long


def matching(pattern: str, least: int, most: int, chance: Chance) -> str | None:
    """A string of `least` to `most` characters that a regular expression finds; None where no way to one is known."""
    from re import _parser as parser  # type: ignore[attr-defined]

    try:
        parsed, compiled = parser.parse(pattern), re.compile(pattern)
        for attempt, extra in enumerate(_extras(parsed, least, most, chance)):
            text = _Walk(chance, extra, most, attempt % 2 == 1).all(parsed)
            fits = least <= len(text) <= most and not any("\ud800" <= letter <= "\udfff" for letter in text)
            if fits and (len(text) > _LONGEST_CHECKED or compiled.search(text)):
                return text
    except (re.error, OverflowError, RecursionError, Warning):
        pass
    return None


def _extras(parsed: Any, least: int, most: int, chance: Chance) -> Iterator[int | None]:
    """How often to repeat beyond the least: at random first, then just as often as the length asks for."""
    yield from [None] * 8
    short, longer = (len(_Walk(chance, extra, most).all(parsed)) for extra in (0, 1))
    needed = (least - short) // max(1, longer - short)
    yield from (extra for extra in (needed, needed + 1, *range(30)) if extra >= 0)


@dataclass(slots=True)
class _Walk:
    """One walk through a parsed regular expression.

    `extra` None repeats at random, up to three times more; `room` is how many characters may still be repeated. `spells`
    writes out what a lookahead asks for, which satisfies the usual `(?=.*[A-Z])(?=.*[0-9]).{8,}`.
    """

    chance: Chance
    extra: int | None
    room: int
    spells: bool = False
    groups: dict[int, str] = field(default_factory=dict)

    def all(self, parsed: Any) -> str:
        return "".join([self.one(operation.name, argument) for operation, argument in parsed])

    def one(self, operation: str, argument: Any) -> str:
        if operation.endswith("REPEAT"):
            return self.repeated(*argument)
        if operation == "SUBPATTERN":
            if argument[0] is None:  # a group with flags has no number to be remembered by
                return self.all(argument[3])
            return self.groups.setdefault(argument[0], self.all(argument[3]))
        if operation == "BRANCH":
            return self.all(self.chance.choice(argument[1]))
        if operation == "ATOMIC_GROUP":
            return self.all(argument)
        if operation == "ASSERT" and self.spells:
            return self.all(argument[1])
        if operation == "GROUPREF":
            return self.groups.get(argument, "")
        return "" if operation in _WITHOUT_WIDTH else self.letter(operation, argument)

    def repeated(self, least: int, most: int, parsed: Any) -> str:
        wished = self.chance.below(4) if self.extra is None else self.extra
        pieces: list[str] = []
        for _ in range(min(int(most), int(least) + wished)):
            piece = self.all(parsed)
            self.room -= max(1, len(piece))
            if self.room < 0:
                break
            pieces.append(piece)
        return "".join(pieces)

    def letter(self, operation: str, argument: Any) -> str:
        if operation == "LITERAL":
            return chr(argument)
        wanted = argument if operation == "IN" else [(operation, argument)]
        told = [(str(getattr(kind, "name", kind)), of) for kind, of in wanted]
        for alphabet in _ALPHABETS:
            possible = [letter for letter in map(chr, alphabet) if _allowed(letter, told)]
            if possible:
                return self.chance.choice(possible)
        listed = [of if kind == "LITERAL" else of[0] for kind, of in told if kind in ("LITERAL", "RANGE")]
        return chr(listed[0]) if listed else ""


def _allowed(letter: str, told: list[tuple[str, Any]]) -> bool:
    negated = told[0][0] == "NEGATE"
    return any(_is_in(letter, kind, of) for kind, of in told[negated:]) != negated


def _is_in(letter: str, kind: str, of: Any) -> bool:
    if kind == "CATEGORY":
        name = of.name.removeprefix("CATEGORY_")
        letters = {"DIGIT": letter.isdigit(), "SPACE": letter.isspace(), "WORD": letter.isalnum() or letter == "_"}
        return not letters[name[4:]] if name.startswith("NOT_") else letters[name]
    if kind == "RANGE":
        return bool(of[0] <= ord(letter) <= of[1])
    return letter != "\n" if kind == "ANY" else (ord(letter) == of) == (kind == "LITERAL")
