"""The text that an instance answers, and what of it goes into which property."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import TypeVar

from mockserver.model.json_schema.hints import mentioned_kind, number_limits, number_range, text_kind
from mockserver.model.json_schema.keywords import Json, declared_types
from mockserver.model.json_schema.mentions import Mention, find_mentions, singular

Value = TypeVar("Value")
Fits = Callable[[str], bool]

_EXAMINED = 4_000  # characters at the end of a text
_GENERIC = frozenset(["id", "name", "number", "no", "code", "key", "date", "count", "amount", "value", "text"])
_SYNONYMS = {
    "age": ("aged", "year"),
    "name": ("named", "called"),
    "origin": ("from",),
    "sender": ("from",),
    "destination": ("to",),
    "recipient": ("to",),
}
_SOURCES = {
    "name": ("person", "text"),
    "first_name": (),
    "last_name": (),
    "user": ("text",),
    "city": ("place",),
    "identifier": ("code", "number"),
    "amount": ("number",),
    "language": ("language",),
    "reply": (),
}
_CLAIMED = ("number", "text", "person", "code")
_TYPED = ("email", "uri", "date", "date-time", "uuid", "ipv4", "phone_number", "clock", "filename")


class Context:
    """What a text mentions, of which each mention is taken once.

    A mention that stands beside a property's name ("age 36", "3 days", "city: Paris") is that property's. The others go, in the
    order of the text, to the properties whose type, limits and name they fit.
    """

    __slots__ = ("_claims", "_halves", "_mentions", "_used", "taken", "text")

    def __init__(self, text: str) -> None:
        self.text = text[-_EXAMINED:]
        self.taken = 0
        self._mentions: dict[str, list[Mention]] = {}
        self._claims: dict[int, str] = {}
        self._halves: dict[str, int] = {}  # how many first names and last names have been taken
        self._used: set[int] = set()

    def claim(self, schemas: Mapping[str, Json]) -> None:
        """Keep what stands beside the names of these properties for them; a quoted name is no value.

        Objects claim nothing: what stands beside their names is for the properties inside them.
        """
        kinds = {name: _claimed_kinds(schema) for name, schema in schemas.items()} if self.text else {}
        for kind in _CLAIMED if kinds else ():
            known = [(mention, set(mention.labels)) for mention in self._of(kind)]
            for name in [name for name, claimed in kinds.items() if kind in claimed] if known else ():
                labels = _labels(name)
                for mention, beside in known:
                    if not beside.isdisjoint(labels):
                        self._claims.setdefault(mention.start, name)
        self._used |= {mention.start for mention in self._of("text") if mention.text in kinds}

    def number(self, name: str, fits: Callable[[int | float], bool], peek: bool = False) -> int | float | None:
        """The number for a property of this name; None where the text has none that fits. `peek` takes nothing."""
        low, high = number_limits(name)
        for mention in self._candidates(name, ("number",)):
            value = _number(mention.text)
            usual = low <= value <= high and not (number_range(name) and mention.counts)
            if (usual or self._is_labelled(mention, name)) and fits(value):
                return self._take(mention, value, peek)
        return None

    def string(self, name: str, description: str, fits: Fits, shape: str | None = None, peek: bool = False) -> str | None:
        """The text for a property; `shape` is its format, or "pattern" where it has one. None where the text has none that fits."""
        if not self.text:
            return None
        kind = shape or mentioned_kind(name) or text_kind(_subject(description))
        for mention in self._of_kind(name, kind):
            if fits(mention.text):
                return self._take(mention, mention.text, peek)
        if kind == "city":  # one place is the place of everything
            return next((mention.text for mention in self._of("place") if fits(mention.text)), None)
        return self._half(kind, fits, peek) if kind in ("first_name", "last_name") else None

    def truth(self, name: str) -> bool | None:
        """What "name: yes" says, or "name = false"; None where nothing does."""
        words = {"true": True, "yes": True, "false": False, "no": False}
        stated = [words.get(mention.text.lower()) for mention in self._of("stated") if self._is_labelled(mention, name)]
        return next((value for value in stated if value is not None), None)

    def count(self, *names: str) -> int | None:
        """How many things of one of these names are wanted: 3 for `facts` in "3 facts"."""
        units = {_words(name)[-1] for name in names if name}
        for mention in self._free("number") if units else ():
            if mention.counts and mention.labels[-1] in units and _number(mention.text) in range(21):
                return self._take(mention, int(mention.text), False)
        return None

    def _half(self, kind: str, fits: Fits, peek: bool) -> str | None:
        """The first or the last name of the next person whose other half may have been taken."""
        people, at = self._of("person"), self._halves.get(kind, 0)
        words = people[at].text.split(" ") if at < len(people) else []
        half = words[0] if words and kind == "first_name" else words[-1] if len(words) > 1 else ""
        if not half or not fits(half):
            return None
        if not peek:
            self._halves[kind] = at + 1
            self.taken += 1
        return half

    def _of_kind(self, name: str, kind: str | None) -> Iterator[Mention]:
        """The mentions to try for a text of a kind, the best first."""
        if kind in _TYPED:
            yield from self._candidates(name, (kind,))
        elif kind == "pattern":
            yield from self._labelled(name, ("stated", "text", "code", "number"))
            yield from self._candidates(name, ("code", "text", "number", "person"))
        elif kind != "query":
            yield from self._labelled(name, ("text", "stated", *_SOURCES.get(kind or "", ())))
            for source in _SOURCES.get(kind or "", ("text",)):
                yield from self._candidates(name, (source,))

    def _candidates(self, name: str, kinds: tuple[str, ...]) -> Iterator[Mention]:
        yield from self._labelled(name, kinds)
        for kind in kinds:
            yield from (one for one in self._free(kind) if self._claims.get(one.start, name) == name)

    def _labelled(self, name: str, kinds: tuple[str, ...]) -> Iterator[Mention]:
        labels = _labels(name)
        for label in labels:
            for kind in kinds:
                yield from (one for one in self._free(kind) if label in one.labels)

    def _is_labelled(self, mention: Mention, name: str) -> bool:
        return any(label in mention.labels for label in _labels(name))

    def _free(self, kind: str) -> list[Mention]:
        return [one for one in self._of(kind) if one.start not in self._used]

    def _of(self, kind: str) -> list[Mention]:
        if kind not in self._mentions:
            self._mentions[kind] = find_mentions(self.text, kind)
        return self._mentions[kind]

    def _take(self, mention: Mention, value: Value, peek: bool) -> Value:
        if not peek:
            self._used.add(mention.start)
            self.taken += 1
        return value


def _claimed_kinds(schema: Json) -> tuple[str, ...]:
    """The kinds of mentions that a property can be given: numbers only, all kinds, or none."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return ()
    types = declared_types(schema)
    if "array" in types:
        return _claimed_kinds(schema.get("items"))
    if "object" in types or "properties" in schema:
        return ()
    return ("number",) if types and not set(types) - {"integer", "number", "null"} else _CLAIMED


def _words(name: str) -> list[str]:
    return [singular(word) for word in re.findall(r"[^\W\d_A-Z]+|[A-Z]+[^\W\d_A-Z]*", name)] or [name.lower()]


def _labels(name: str) -> tuple[str, ...]:
    """What a property of this name is called in a text, the most exact first."""
    words = _words(name)
    labels = [" ".join(words[-3:])]
    if len(words) > 1:
        labels += [" ".join(words[:-1][-3:])] if words[-1] in _GENERIC else [words[-1]]
    return (*labels, *_SYNONYMS.get(words[-1], ()))


def _subject(description: str) -> str:
    """What a description is about: "city" for "The city to look in" and for "Name of the city, such as Oslo"."""
    start = re.sub(r"^(?:the |an? )?(?:names? of )?(?:the |an? )?", "", description[:80].lower())
    return re.split(r"\b(?:of|to|for|in|where|that|which|and|or|from|as)\b|[,.;:(]", start)[0].strip().replace(" ", "_")


def _number(text: str) -> int | float:
    exact = Fraction(text)
    return int(exact) if exact.denominator == 1 and "." not in text else float(text)
