"""Splits a text into words, by the patterns that the encodings are published with."""

from __future__ import annotations

import re

# The published patterns, over stand-ins: every character outside ASCII is first replaced by one of its class (`_Classes`).
_BOTH_CASES, _MARK = "\x00", "\x01"
_STAND_INS = {"Lu": "A", "Lt": "A", "Ll": "a", "Lm": _BOTH_CASES, "Lo": _BOTH_CASES, "M": _MARK, "N": "0"}
_LETTER = rf"A-Za-z{_BOTH_CASES}"
_UPPER, _LOWER = rf"[A-Z{_BOTH_CASES}{_MARK}]", rf"[a-z{_BOTH_CASES}{_MARK}]"
_SPACE, _OTHER, _BEFORE = r"[\t-\r ]", rf"[^\t-\r 0-9{_LETTER}]", rf"[^\r\n0-9{_LETTER}]"
_CONTRACTION = "'(?i:[sdmt]|ll|ve|re)"
_PATTERNS = {
    "o200k_base": (
        rf"{_BEFORE}?{_UPPER}*{_LOWER}+(?:{_CONTRACTION})?|{_BEFORE}?{_UPPER}+{_LOWER}*(?:{_CONTRACTION})?|[0-9]{{1,3}}"
        rf"| ?{_OTHER}+[\r\n/]*|{_SPACE}*[\r\n]+|{_SPACE}+(?![^\t-\r ])|{_SPACE}+"
    ),
    "cl100k_base": (
        rf"{_CONTRACTION}|{_BEFORE}?[{_LETTER}]+|[0-9]{{1,3}}| ?{_OTHER}+[\r\n]*"
        rf"|{_SPACE}+\Z|{_SPACE}*[\r\n]|{_SPACE}+(?![^\t-\r ])|{_SPACE}"
    ),
}


class Splitter:
    """Splits texts by the pattern of an encoding."""

    __slots__ = ("_classes", "_pattern")

    def __init__(self, encoding: str) -> None:
        self._pattern = re.compile(_PATTERNS[encoding])
        self._classes = _Classes()

    def split(self, text: str) -> list[str]:
        """The words of `text`; joined, they are `text` again."""
        if text.isascii() and _BOTH_CASES not in text and _MARK not in text:
            return self._pattern.findall(text)
        ends = [match.end() for match in self._pattern.finditer(text.translate(self._classes))]
        return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


class _Classes(dict[int, str]):
    """A table for `str.translate` from every character to its stand-in; it fills with the characters that texts have."""

    def __missing__(self, code: int) -> str:
        stand_in = self[code] = self._stand_in(chr(code))
        return stand_in

    @staticmethod
    def _stand_in(character: str) -> str:
        from unicodedata import category

        if character.isascii():
            return "!" if character in (_BOTH_CASES, _MARK) else character
        if character == "\u017f":
            return "s"  # The long s folds to it, so it ends a contraction.
        if character.isspace():
            return "\t"
        kind = category(character)
        return _STAND_INS.get(kind) or _STAND_INS.get(kind[0], "!")
