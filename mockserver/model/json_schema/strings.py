"""The strings of an instance: by pattern, by format, from the context, by the property's name, else random words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mockserver.model.json_schema.context import Context
from mockserver.model.json_schema.hints import text_kind
from mockserver.model.json_schema.keywords import LONGEST, Node, limit
from mockserver.model.json_schema.patterns import make_match, matcher
from mockserver.state.chance import Chance

_GIVEN_FORMATS = ("email", "uri", "date", "date-time", "uuid", "ipv4")
_LISTS = {
    "currency": ("USD", "EUR", "GBP", "CHF", "JPY"),
    "language": ("en", "de", "fr", "es", "it"),
    "timezone": ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC"),
    "color": ("red", "green", "blue", "yellow", "black", "white"),
    "status": ("active", "pending", "completed"),
    "level": ("low", "medium", "high"),
    "country_code": ("US", "DE", "FR", "GB", "JP"),
    "filename": ("report.pdf", "notes.txt", "data.csv", "summary.md"),
}


@dataclass(slots=True)
class StringWriter:
    """Writes the strings of one instance."""

    chance: Chance
    context: Context
    faker_generator: Any = None

    def string(self, node: Node, name: str) -> str:
        """A string for a property of this name. Its length stays within the limits, except for a format."""
        least, most = limit(node, "minLength", 0), limit(node, "maxLength", LONGEST)
        given = self.given(node, name)
        if given is not None:
            return given
        pattern, format_name = node.get("pattern"), node.get("format")
        if isinstance(pattern, str):
            match = make_match(pattern, least, most, self.chance)
            if match is not None:
                return match
        if isinstance(format_name, str) and format_name in _FORMATS:
            return _FORMATS[format_name](self)
        kind = text_kind(name)
        return self.fit(self.quoted(kind) or self.of_kind(kind) or self.words(1 + self.chance.below(3)), least, most)

    def given(self, node: Node, name: str, peek: bool = False) -> str | None:
        """What the context gives for a property, where that keeps to its schema."""
        if not self.context.text:
            return None
        least, most = limit(node, "minLength", 0), limit(node, "maxLength", LONGEST)
        pattern, format_name, description = node.get("pattern"), node.get("format"), node.get("description")
        if isinstance(format_name, str) and (isinstance(pattern, str) or format_name not in _GIVEN_FORMATS):
            return None
        shape = format_name if isinstance(format_name, str) else "pattern" if isinstance(pattern, str) else None
        matches = matcher(pattern) if isinstance(pattern, str) else bool
        about = description if isinstance(description, str) else ""
        return self.context.string(name, about, lambda text: least <= len(text) <= most and matches(text), shape, peek)

    def quoted(self, kind: str | None) -> str:
        """A quotation of the context: all of it for a `query`, "red" for a `color` in "a red car"."""
        if kind == "query":
            return " ".join(self.context.text[:200].split())
        options = _LISTS.get(kind or "", ()) if kind in ("currency", "color", "status", "level") else ()
        return next((option for option in options if re.search(rf"\b{option}\b", self.context.text)), "")

    def of_kind(self, kind: str | None) -> str:
        """A text of a kind that a property's name suggests, "" for None."""
        if kind is None:
            return ""
        if kind in _LISTS:
            return self.chance.choice(_LISTS[kind])
        return _FORMATS[kind](self) if kind in _FORMATS else str(getattr(self.faker(), kind)())

    def fit(self, text: str, least: int, most: int) -> str:
        while len(text) < least:
            text += " " + self.words(min(1 + (least - len(text)) // 4, 200))
        if len(text) <= most:
            return text
        cut = text[:most].rstrip()
        return cut if len(cut) >= least else text[:most]

    def words(self, count: int) -> str:
        from mockserver.model.prose import write_words

        return write_words(count, self.chance)

    def sentence(self) -> str:
        from mockserver.model.prose import write_sentence

        return write_sentence(self.chance)

    def faker(self) -> Any:
        """Faker, built for each instance that needs it: it draws from a seed of its own."""
        if self.faker_generator is None:
            from faker import Factory

            kinds = ("person", "address", "company", "phone_number", "job")
            self.faker_generator = Factory.create("en_US", providers=[f"faker.providers.{kind}" for kind in kinds])
            self.faker_generator.seed_instance(self.chance.below(1 << 53))
        return self.faker_generator

    def email(self) -> str:
        names = (self.faker().first_name(), self.faker().last_name())
        return ".".join(re.sub("[^a-z]", "", name.lower()) for name in names) + "@example.com"

    def date(self) -> str:
        return f"{2024 + self.chance.below(3)}-{1 + self.chance.below(12):02}-{1 + self.chance.below(28):02}"

    def time(self) -> str:
        return f"{self.chance.below(24):02}:{self.chance.below(60):02}:{self.chance.below(60):02}Z"

    def url(self) -> str:
        return "https://www.example.com/" + (re.sub("[^a-z0-9]+", "-", self.words(2).lower()).strip("-") or "page")


# The formats of JSON Schema, and the kinds of text that only a property's name suggests.
_FORMATS: dict[str, Callable[[StringWriter], str]] = {
    "date-time": lambda write: f"{write.date()}T{write.time()}",
    "date": StringWriter.date,
    "time": StringWriter.time,
    "duration": lambda write: f"PT{1 + write.chance.below(12)}H{5 + write.chance.below(50)}M",
    "email": StringWriter.email,
    "hostname": lambda write: write.chance.choice(("www", "api", "mail", "shop", "docs")) + ".example.com",
    "ipv4": lambda write: f"192.0.2.{1 + write.chance.below(254)}",
    "ipv6": lambda write: f"2001:db8::{1 + write.chance.below(65_535):x}",
    "uuid": lambda write: write.chance.uuid(),
    "uri": StringWriter.url,
    "clock": lambda write: f"{write.chance.below(24):02}:{5 * write.chance.below(12):02}",
    "query": lambda write: write.words(4),
    "address": lambda write: f"{write.faker().street_address()}, {write.faker().city()}",
    "identifier": lambda write: write.chance.hex(12),
    "title": lambda write: write.words(3).title(),
    "sentence": StringWriter.sentence,
    "reply": StringWriter.sentence,
    "amount": lambda write: f"{1 + write.chance.below(500)}.{write.chance.below(100):02}",
    "user": lambda write: write.email().partition("@")[0],
}
