"""Every exchange, bounded by count and by bytes: the request, the response, which rule answered, and which came near."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from sys import getsizeof
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from mockserver.settings import SETTINGS

if TYPE_CHECKING:
    from mockserver.gateway.headers import ResponseHead
    from mockserver.model.prompt import Prompt

Json = Any
_OVERHEAD = 2_048  # bytes that an exchange takes beside its bodies, roughly
_OF_TURN = 256  # bytes that a turn of a prompt takes beside its texts
_OF_FRAME = 48  # bytes that an event takes beside its content


@dataclass(slots=True)
class Exchange:
    """One request and its response.

    `at` is the resource's time in Unix seconds; `ms` the real time spent before the first byte left. `operation` is an
    operationId, "" for a path outside the surface. `rule` names the scripted rule that answered, None where none did.
    `frames` holds a stream's events as sent; `hung_up` says that the client left before the end; `legacy_api` that the path is
    one of the legacy API, where `api-version` is a date. `prompt` is what the script saw of the body, None where no model
    answers. `parent` is the number of the exchange whose operation sent this request, None for one from outside.

    A body that is a form is kept as the JSON of its fields, with each file's name, type, size and digest in its place; one that
    is neither JSON nor text, or too large to keep, as the JSON of its size and digest.

    `begun` and `ended` are the real instants (of `state.clock.stopwatch`, in seconds) at which the request arrived and the
    last byte left or the client was gone; `ended_at` is the latter by the resource's clock. Both ends are 0.0 while the
    answer is under way. `stayed` is for how many real seconds a client that hung up had waited for more.
    """

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    query: str = ""
    at: float = 0.0
    resource: str = ""
    operation: str = ""
    legacy_api: bool = False
    deployment: str = ""
    rule: str | None = None
    status: int = 0
    ms: float = 0.0
    request_body: bytes = b""
    head: ResponseHead | None = None
    response_body: bytes = b""
    frames: list[bytes] | None = None
    hung_up: bool = False
    fault: str | None = None
    error: str | None = None
    near_misses: str | None = None
    prompt: Prompt | None = None
    parent: int | None = None
    begun: float = 0.0
    ended: float = 0.0
    ended_at: float = 0.0
    stayed: float | None = None

    @property
    def request(self) -> Json:
        """The request's body as JSON, None where it has none or is not JSON."""
        return _json(self.request_body)

    @property
    def response(self) -> Json:
        """The answer's body as JSON, None where it is a stream or not JSON."""
        return _json(self.response_body)

    @property
    def response_headers(self) -> list[tuple[bytes, bytes]]:
        """The answer's headers, without those that the server adds."""
        return self.head.pairs if self.head is not None else []

    @property
    def streamed(self) -> bool:
        """Whether the answer was a stream of events."""
        return self.frames is not None

    @property
    def dated(self) -> bool:
        """`legacy_api` by its deprecated name."""
        return self.legacy_api

    @property
    def source(self) -> str:
        """Where the answer came from, for a person: a rule, an error, or the improviser."""
        return (self.rule and f"rule {self.rule!r}") or self.error or "improvised"

    def row(self) -> dict[str, Json]:
        """This exchange as the control API shows it. Credentials are left out."""
        sent = {name: value for name, value in self.headers.items() if name not in ("api-key", "authorization")}
        return {
            "number": self.number,
            "parent": self.parent,
            "at": self.at,
            "ms": round(self.ms, 3),
            "resource": self.resource,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "operation": self.operation,
            "legacy_api": self.legacy_api,
            "dated": self.legacy_api,  # deprecated name
            "deployment": self.deployment,
            "rule": self.rule,
            "status": self.status,
            "request": {"headers": sent, "body": self._visible(self.request_body, self.request)},
            "response": {
                "headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in self.response_headers},
                "body": self._visible(self.response_body, self.response),
                "events": [frame.decode("utf-8", "replace") for frame in self.frames] if self.frames is not None else None,
            },
            "hung_up": self.hung_up,
            "fault": self.fault,
            "error": self.error,
            "near_misses": self.near_misses,
        }

    @staticmethod
    def _visible(body: bytes, parsed: Json) -> Json:
        if parsed is not None or not body:
            return parsed
        return body[:10_000].decode("utf-8", "replace")


def _size(exchange: Exchange) -> int:
    size = _OVERHEAD + len(exchange.request_body) + len(exchange.response_body) + _prompt_size(exchange)
    return size if exchange.frames is None else size + sum(map(len, exchange.frames)) + _OF_FRAME * len(exchange.frames)


def _prompt_size(exchange: Exchange) -> int:
    """What a prompt takes: the texts of the request once more, and with them those of the stored conversation that it goes on."""
    size = 0
    for turn in exchange.prompt.turns if exchange.prompt is not None else ():
        size += _OF_TURN + getsizeof(turn.text)  # a single emoji makes every character of a text four bytes
        for media in turn.media:
            size += len(media.reference)
    return max(len(exchange.request_body), size)


def _shorten(exchange: Exchange, longest: int) -> None:
    if _prompt_size(exchange) > longest:
        exchange.prompt = None
    if len(exchange.request_body) > longest:
        exchange.request_body = _summary(exchange.request_body)
    if len(exchange.response_body) > longest:
        exchange.response_body = _summary(exchange.response_body)


def _summary(body: bytes) -> bytes:
    return to_json({"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()})


class Journal:
    """The last exchanges of one resource, oldest first: at most `limit`, and at most about `most_bytes` bytes of bodies."""

    def __init__(
        self, limit: int = SETTINGS["journal_limit"].default, most_bytes: int = SETTINGS["journal_bytes"].default
    ) -> None:
        self._exchanges: deque[tuple[Exchange, int]] = deque()
        self._limit, self._most_bytes = limit, most_bytes
        self._bytes = 0
        self.dropped = 0

    def __iter__(self) -> Iterator[Exchange]:
        return iter([exchange for exchange, _ in self._exchanges])

    def __len__(self) -> int:
        return len(self._exchanges)

    def add(self, exchange: Exchange) -> None:
        """Keep an exchange; the oldest make room for it. A body that alone is an eighth of the room is kept as its summary."""
        size = _size(exchange)
        if size > self._most_bytes // 8:
            _shorten(exchange, self._most_bytes // 8)
            size = _size(exchange)
        self._exchanges.append((exchange, size))
        self._bytes += size
        while len(self._exchanges) > self._limit or (self._bytes > self._most_bytes and len(self._exchanges) > 1):
            self._bytes -= self._exchanges.popleft()[1]
            self.dropped += 1

    def find(self, accepts: Callable[[Exchange], bool] | None = None, limit: int | None = None) -> list[Exchange]:
        """The exchanges that `accepts` takes, oldest first; of these the last `limit`."""
        found = [exchange for exchange in self if accepts is None or accepts(exchange)]
        return found if limit is None else found[max(0, len(found) - limit) :]

    def clear(self) -> None:
        """Forget everything."""
        self._exchanges.clear()
        self._bytes = self.dropped = 0


def _json(body: bytes) -> Json:
    try:
        return from_json(body) if body else None
    except ValueError:
        return None
