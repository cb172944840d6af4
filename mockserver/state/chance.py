"""The only source of chance: seeded, equal on every platform, and independent of the order of concurrent requests."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")
_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_BLOCK = 64
_TO_ALNUM = bytes(ord(_ALNUM[byte % 62]) for byte in range(256))


class Chance:
    """A stream of chance that is wholly decided by its key (a resource's seed, an operation, a body, the how-manieth)."""

    __slots__ = ("_at", "_block", "_key", "_pool")

    def __init__(self, key: bytes | str) -> None:
        self._key = key.encode() if isinstance(key, str) else key
        self._block = 0
        self._pool = blake2b(self._key).digest()
        self._at = 0

    def bytes(self, count: int) -> bytes:
        """The next `count` bytes of the stream."""
        at, pool = self._at, self._pool
        end = at + count
        if end > len(pool):
            missing = -(-(end - len(pool)) // _BLOCK)
            more = [blake2b(self._key + b"/%d" % (self._block + one)).digest() for one in range(1, missing + 1)]
            self._block += missing
            pool = self._pool = b"".join([pool[at:], *more])
            at, end = 0, count
        self._at = end
        return pool[at:end]

    def hex(self, count: int) -> str:
        """`count` lower-case hexadecimal digits."""
        return self.bytes((count + 1) // 2).hex()[:count]

    def alnum(self, count: int) -> str:
        """`count` letters and digits."""
        return self.bytes(count).translate(_TO_ALNUM).decode()

    def uuid(self) -> str:
        """A version-4 UUID in its usual spelling."""
        digits = self.bytes(16).hex()
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{_VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return int.from_bytes(self.bytes(7), "big") % limit

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number from `low` up to but not including `high`."""
        return low + (high - low) * (int.from_bytes(self.bytes(7), "big") >> 3) / (1 << 53)

    def choice(self, options: Sequence[T]) -> T:
        """One of `options`."""
        return options[self.below(len(options))]

    def fork(self, name: str) -> Chance:
        """A stream of its own that depends on this one's key and `name`, but not on how much was drawn from this one."""
        return Chance(self._key + b"\x00" + name.encode())
