"""The only source of chance: seeded, equal on every platform, and independent of the order of concurrent requests."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")
_ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_BLOCK = 64
_REMEMBERED = 16_384
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


class ChanceSource:
    """The chance of all calls of a resource: decided by its seed, the operation, the path, the body, and how often these came before.

    So a call draws the same whatever else comes in between. `generation` counts the lives of a state that survives: what was
    drawn in one of them does not come again in the next.
    """

    __slots__ = ("_earlier", "_forgotten", "_key", "_recent")

    def __init__(self, seed: str, generation: int = 0) -> None:
        self._key = seed.encode() if generation == 0 else b"%s#%d" % (seed.encode(), generation)
        self.clear()

    def clear(self) -> None:
        """Forget which calls came before."""
        self._recent: dict[bytes, int] = {}
        self._earlier: dict[bytes, int] = {}
        self._forgotten = 0

    def draw(self, operation_id: str, body: bytes, path: str = "") -> Chance:
        """The chance of the next such call; `path` is what its URL says beyond the operation, if anything."""
        hashed = blake2b(body, digest_size=16, person=operation_id.encode()[:16])
        if path:
            hashed.update(b"\x00" + path.encode("utf-8", "surrogatepass"))
        digest = hashed.digest()
        count = self._recent.get(digest)
        if count is None:
            count = self._earlier.get(digest, self._forgotten)
            self._make_room()
        self._recent[digest] = count + 1
        return Chance(b"%s/%s/%d" % (self._key, digest, count + 1))

    def _make_room(self) -> None:
        """Keep the counts bounded, a half at a time: dropping them one by one costs more than all the rest of a draw.

        A call that is forgotten may come again and must not draw what it drew before, so it goes on from the highest count.
        """
        if len(self._recent) >= _REMEMBERED // 2:
            self._forgotten = max(self._forgotten, max(self._earlier.values(), default=0))
            self._earlier, self._recent = self._recent, {}
