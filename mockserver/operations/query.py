"""A URL's query: parameters by name, and their values as what they should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import parse_qsl

from mockserver import errors

Choice = TypeVar("Choice", bound=str)
_LONGEST_NUMBER = 18  # digits, so that no number is beyond 64 bits


class Query(dict[str, list[str]]):
    """The values of every parameter, in their order; `name[]` and `name` are the same parameter."""

    @classmethod
    def of(cls, text: str) -> Query:
        """The query that a URL's text spells."""
        query = cls()
        for name, value in parse_qsl(text, keep_blank_values=True):
            query.setdefault(name.removesuffix("[]"), []).append(value)
        return query

    def last(self, name: str) -> str | None:
        """The last value of a parameter, None where it is absent or empty."""
        values = self.get(name)
        return values[-1] if values and values[-1] else None

    def flag(self, name: str, *, default: bool) -> bool:
        """A boolean. Raises ApiError 400 for anything but `true` and `false`."""
        value = (self.last(name) or "").lower()
        if value not in ("", "true", "false"):
            raise errors.invalid_type(name, "a boolean", "a string")
        return value == "true" if value else default

    def integer(self, name: str, default: int) -> int:
        """A whole number. Raises ApiError 400 for anything else."""
        value = self.last(name)
        if value is None:
            return default
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdecimal()) or len(digits) > _LONGEST_NUMBER:
            raise errors.invalid_type(name, "an integer", "a string")
        return int(value)

    def choice(self, name: str, choices: Sequence[Choice], default: Choice) -> Choice:
        """One of `choices`. Raises ApiError 400 for another value."""
        value = self.last(name) or default
        for choice in choices:
            if choice == value:
                return choice
        raise errors.unsupported_choice(name, value, list(choices))

    def choices(self, name: str, choices: Sequence[str]) -> list[str]:
        """Any number of `choices`. Raises ApiError 400 for another value."""
        values = self.get(name, [])
        for at, value in enumerate(values):
            if value not in choices:
                raise errors.unsupported_choice(f"{name}[{at}]", value, list(choices))
        return values

    def members(self, name: str) -> dict[str, str]:
        """The members of an object that is spread over parameters: `metadata[key]=value`."""
        opening = f"{name}["
        return {key[len(opening) : -1]: self[key][-1] for key in self if key.startswith(opening) and key.endswith("]")}
