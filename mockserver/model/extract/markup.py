"""The text between the tags of HTML and XML. It is read in one pass, without a parser that could be led astray."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import BinaryIO

from mockserver.model.extract import plain

_NAME = re.compile(r"/?([A-Za-z][A-Za-z0-9]*)")
_HIDDEN = ("script", "style", "template", "noscript")
_INLINE_TEXT = """
a abbr b bdi bdo cite code data dfn em font i kbd label mark q s samp small span strong sub sup time tt u var wbr
"""
_INLINE = frozenset(_INLINE_TEXT.split())
_MOST_BYTES = 16 * 1024 * 1024  # a part for each tag takes several times as much
_BLANK = re.compile(r"[ \t\r\f]+")
_LINES = re.compile(r" *\n[ \n]*")


def read_html(file: BinaryIO) -> str:
    """The text that a page shows: no scripts, styles and comments; a line for each block. Raises UnreadableError."""
    return _tidy("".join(_texts(plain.read(file, _MOST_BYTES), _HIDDEN, _INLINE)))


def read_xml(file: BinaryIO) -> str:
    """The text of all elements. Raises UnreadableError."""
    return _tidy("".join(_texts(plain.read(file, _MOST_BYTES), (), frozenset())))


def _texts(source: str, hidden: tuple[str, ...], inline: frozenset[str]) -> Iterator[str]:
    """The text between tags, with a new line for each tag that is not `inline`, and without what is in `hidden` ones."""
    first, *parts = source.split("<")
    yield unescape(first)
    until = ""  # what ends a part that is not shown
    for part in parts:
        if until:
            ended, part = _after(part, until)
            if not ended:
                continue
            until = ""
            yield unescape(part)
        elif part.startswith("![CDATA["):
            yield part.removeprefix("![CDATA[").replace("]]>", "")
        elif part.startswith("!DOCTYPE") and "[" in part:
            ended, rest = _after(part, "]>")
            until = "" if ended else "]>"
            yield unescape(rest)
        elif part.startswith("!--"):
            ended, rest = _after(part[3:], "-->")
            until = "" if ended else "-->"
            yield unescape(rest)
        elif (name := _NAME.match(part)) is not None or part.startswith(("!", "?")):
            tag = name[1].lower() if name is not None else ""
            until = f"/{tag}" if tag in hidden and not part.startswith("/") else ""
            yield "" if tag in inline else "\n"
            yield "" if until else unescape(part.partition(">")[2])
        else:
            yield unescape(f"<{part}")


def _after(part: str, end: str) -> tuple[bool, str]:
    """Whether something that is not shown ends in a part, and what comes after it."""
    at = part.lower().find(end)
    if at < 0 or (end.startswith("/") and at > 0):
        return False, ""
    rest = part[at + len(end) :]
    return True, rest.partition(">")[2] if end.startswith("/") else rest


def _tidy(text: str) -> str:
    return _LINES.sub("\n", _BLANK.sub(" ", text)).strip()
