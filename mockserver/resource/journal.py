"""Every exchange, kept by reference and bounded: what was asked, what was answered, which rule decided, and what came near."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

if TYPE_CHECKING:
    from mockserver.gateway.headers import ResponseHead
    from mockserver.model.prompt import Prompt

Json = Any


@dataclass(slots=True)
class Exchange:
    """One request and its answer.

    `at` is the resource's time in Unix seconds; `ms` the real time spent before the first byte left. `operation` is an
    operationId, "" for a path outside the surface. `rule` names the scripted rule that answered, None where none did.
    `frames` holds a streamed answer's events as sent; `hung_up` says that the client left before the end; `dated`
    that it called the old way, by a dated path. `prompt` is what the script saw of the body, None where no model is asked.

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
    dated: bool = False
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

    def row(self) -> dict[str, Json]:
        """This exchange as the control API shows it. Credentials are left out."""
        shown = {name: value for name, value in self.headers.items() if name not in ("api-key", "authorization")}
        return {
            "number": self.number,
            "at": self.at,
            "ms": round(self.ms, 3),
            "resource": self.resource,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "operation": self.operation,
            "dated": self.dated,
            "deployment": self.deployment,
            "rule": self.rule,
            "status": self.status,
            "request": {"headers": shown, "body": self._shown(self.request_body, self.request)},
            "response": {
                "headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in self.response_headers},
                "body": self._shown(self.response_body, self.response),
                "events": [frame.decode("utf-8", "replace") for frame in self.frames] if self.frames is not None else None,
            },
            "hung_up": self.hung_up,
            "fault": self.fault,
            "error": self.error,
            "near_misses": self.near_misses,
        }

    @staticmethod
    def _shown(body: bytes, parsed: Json) -> Json:
        if parsed is not None or not body:
            return parsed
        return body[:10_000].decode("utf-8", "replace")


class Journal:
    """The last exchanges of one resource, oldest first."""

    def __init__(self, limit: int = 1_000) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=limit)
        self.dropped = 0

    def __iter__(self) -> Iterator[Exchange]:
        return iter(list(self._exchanges))

    def __len__(self) -> int:
        return len(self._exchanges)

    def add(self, exchange: Exchange) -> None:
        """Keep an exchange; the oldest goes where the journal is full."""
        if len(self._exchanges) == self._exchanges.maxlen:
            self.dropped += 1
        self._exchanges.append(exchange)

    def find(self, accepts: Callable[[Exchange], bool] | None = None, limit: int | None = None) -> list[Exchange]:
        """The exchanges that `accepts` takes, oldest first; of these the last `limit`."""
        found = [exchange for exchange in self._exchanges if accepts is None or accepts(exchange)]
        return found if limit is None else found[max(0, len(found) - limit) :]

    def clear(self) -> None:
        """Forget everything."""
        self._exchanges.clear()
        self.dropped = 0


def _json(body: bytes) -> Json:
    try:
        return from_json(body) if body else None
    except ValueError:
        return None
