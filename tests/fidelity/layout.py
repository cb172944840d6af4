"""How a JSON text is written: in one line or indented, with which characters escaped, and what ends it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

Json = Any


@dataclass(frozen=True)
class Layout:
    """A way to write JSON; the known ones are `LAYOUTS`. `name` says it for people."""

    name: str
    indent: int | None = None
    ascii_only: bool = False
    angles_escaped: bool = False
    ending: str = ""

    def write(self, document: Json) -> str:
        """The document as text."""
        separators = (",", ":") if self.indent is None else None
        text = json.dumps(document, ensure_ascii=self.ascii_only, indent=self.indent, separators=separators)
        if self.angles_escaped:
            text = text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
        return text + self.ending

    def __str__(self) -> str:
        return f"{self.name}, ending in {self.ending!r}"


LAYOUTS = tuple(
    Layout(f"{name}{escapes}", indent, ascii_only=escapes == ", ASCII only", angles_escaped=escapes == ", <>& escaped")
    for name, indent in (("one line", None), ("indented by two", 2))
    for escapes in ("", ", ASCII only", ", <>& escaped")
)


def layout_of(text: str) -> Layout | None:
    """How a JSON text is written; the first that fits, and None if it is in a way of its own."""
    document, bare = json.loads(text), text.rstrip("\n")
    found = next((layout for layout in LAYOUTS if layout.write(document) == bare), None)
    return found and replace(found, ending=text[len(bare) :])


def spelling(text: str) -> str:
    """The same for people, and to compare."""
    return str(layout_of(text) or f"some other way: {text[:80]!r}")
