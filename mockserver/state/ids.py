"""Identifiers in the forms that Azure gives them (recorded)."""

from __future__ import annotations

from mockserver.state.chance import Chance


class ResponseIds:
    """The ids of one response and its items: `resp_`, `rs_`, `msg_`, … and 50 hex digits.

    The first 18 digits are shared: 16 of chance, then `00` for a stored response or `01` for one that is not. Then come 8 of
    the creation time, 4 of chance, `81` and 18 of chance (wire: 85 of 85 Azure rows since October 2025).
    """

    __slots__ = ("_chance", "_created", "_shared")

    def __init__(self, chance: Chance, created: int, *, stored: bool) -> None:
        self._chance = chance
        self._shared = chance.hex(16) + ("00" if stored else "01")
        self._created = f"{created & 0xFFFFFFFF:08x}"

    def new(self, prefix: str) -> str:
        """The next id, for instance of prefix `msg`."""
        return f"{prefix}_{self._shared}{_timed(self._chance, self._created)}"


class SharedIds:
    """The ids of objects inside another, which end like its own: 32 digits of theirs and the last 16 of `owner`.

    So do a container and a conversation without an owner end in chance (recorded on the sister service; Azure's containers alike).
    """

    __slots__ = ("_chance", "_created", "_shared")

    def __init__(self, chance: Chance, created: int, owner: str | None = None) -> None:
        self._chance = chance
        self._created = created
        self._shared = owner[-16:] if owner is not None else chance.hex(16)

    def new(self, prefix: str) -> str:
        """The next id, for instance of prefix `msg`."""
        return timed_id(prefix, self._chance, self._created) + self._shared


def timed_id(prefix: str, chance: Chance, created: int) -> str:
    """A prefix and 32 hex digits: 8 of the creation time, 4 of chance, `81` and 18 of chance (recorded on the sister service)."""
    return f"{prefix}_{_timed(chance, f'{created & 0xFFFFFFFF:08x}')}"


def _timed(chance: Chance, created: str) -> str:
    digits = chance.hex(22)
    return f"{created}{digits[:4]}81{digits[4:]}"


def dated_id(chance: Chance, prefix: str, created: int) -> str:
    """An id that carries its time, such as an upload's: the prefix, an underscore and 32 hex digits, 8 of them the time in Unix seconds."""
    digits = chance.hex(22)
    return f"{prefix}_{created & 0xFFFFFFFF:08x}{digits[:4]}81{digits[4:]}"


def call_id(chance: Chance, *, digits: bool = False) -> str:
    """A tool call's id: `call_` and 24 letters and digits, or eight `digits` (recorded with Grok)."""
    return f"call_{chance.below(10**8):08}" if digits else "call_" + chance.alnum(24)


def completion_id(chance: Chance, prefix: str = "chatcmpl") -> str:
    """A chat completion's or completion's id: the prefix, a hyphen, and 29 letters and digits."""
    return f"{prefix}-{chance.alnum(29)}"
