"""Azure's response headers, family by family (recordings of 2026 unless said otherwise).

What is the same for all answers of a region, a store or a deployment is encoded once and kept by the values that it depends on;
ids and remaining counts are added for each answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mockserver.gateway.versions import VERSIONS
from mockserver.state.chance import Chance

if TYPE_CHECKING:
    from mockserver.errors import HeaderSet
    from mockserver.operations.table import Headers
    from mockserver.resource.deployment import Deployment

HeaderList = list[tuple[bytes, bytes]]
_CONNECTION = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")


class RequestHeaders(Mapping[str, str]):
    """A request's headers by their names in lower case; decoded from the wire's bytes on demand."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._raw = dict(raw)

    def __getitem__(self, name: str) -> str:
        return self._raw[name.encode()].decode("latin-1")

    def get(self, name: str, default: Any = None) -> Any:
        """The value of one header; as a mapping does it, but without raising what it then catches."""
        value = self._raw.get(name.encode())
        return default if value is None else value.decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def __repr__(self) -> str:
        return repr(dict(self))


class StaticHeaders:
    """Headers that many answers share: as pairs, and as the lines that go over the wire."""

    __slots__ = ("lines", "pairs")

    def __init__(self, pairs: Iterable[tuple[bytes, bytes]] = ()) -> None:
        self.pairs = tuple(pairs)
        self.lines = _lines(self.pairs)


class ResponseHead:
    """An answer's headers, kept as the lines that go over the wire: those that it shares with others, then its own.

    `length` is the body's in bytes, None where it is not sent. The connection's headers stand apart, for the server to obey.
    `reason` is the status line's reason phrase where that is not the usual one.
    """

    __slots__ = ("_connection", "_own", "_static", "length", "reason")

    def __init__(self, static: StaticHeaders, own: bytes) -> None:
        self._static, self._own = static, own
        self._connection: HeaderList = []
        self.length: int | None = None
        self.reason: str | None = None

    def add(self, pairs: HeaderList) -> None:
        """Add what a script, an error or a handler brings with it."""
        self._connection += [pair for pair in pairs if pair[0] in _CONNECTION]
        self._own += _lines([pair for pair in pairs if pair[0] not in _CONNECTION])

    def set_type(self, content_type: str) -> None:
        """Add the body's content type."""
        self._own += _type_line(content_type)

    @property
    def lines(self) -> bytes:
        """The lines of all headers but those of the framing."""
        return self._static.lines + self._own

    @property
    def framing(self) -> HeaderList:
        """The headers that say how long the answer is and what becomes of the connection."""
        length = [] if self.length is None else [(b"content-length", b"%d" % self.length)]
        return [*self._connection, *length] if self._connection else length

    @property
    def pairs(self) -> HeaderList:
        """All headers, as ASGI has them."""
        split = [line.partition(b": ") for line in self._own.split(b"\r\n")[:-1]]
        return [*self._static.pairs, *[(name, value) for name, _, value in split], *self.framing]


@lru_cache(maxsize=64)  # there are few types, and every answer has one
def _type_line(content_type: str) -> bytes:
    return b"content-type: %b\r\n" % _safe(content_type)


def _lines(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % pair for pair in pairs])


NONE = StaticHeaders()
_SECURITY = StaticHeaders(
    [
        (b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"),
        (b"x-content-type-options", b"nosniff"),
    ]
)
_OF_MODEL = (
    b"x-ratelimit-remaining-requests: %d\r\nx-ratelimit-remaining-tokens: %d\r\napim-request-id: %b\r\nx-request-id: %b\r\n"
)
_OF_NEW_JOBS = b"x-ms-middleware-request-id: %b\r\n"
_OF_MACHINE_LEARNING = b"mise-correlation-id: %b\r\napim-request-id: %b\r\nx-request-time: %d.%03d\r\n"
_OF_JOBS = b"x-envoy-upstream-service-time: %d\r\n"
_API_VERSIONS = ",".join([*VERSIONS, "1"]).encode()
_OF_STORED = b"openai-processing-ms: %d\r\nx-ms-middleware-request-id: %b\r\napim-request-id: %b\r\nx-request-id: %b\r\n"


def of_model(
    deployment: Deployment, region: str, kind: Headers, chance: Chance, client_id: str | None, *, streamed: bool
) -> ResponseHead:
    """The headers of an answer that a deployment gave, less type and length."""
    quota, model = deployment.quota, deployment.model
    static = _deployment(deployment.name, model.snapshot, quota.rpm, quota.tpm, region, kind, streamed)
    remaining = (quota.remaining_requests, quota.remaining_tokens)
    ids = (chance.uuid().encode(), chance.uuid().encode())
    return ResponseHead(static, _OF_MODEL % (*remaining, *ids) + _echo(client_id))


def of_stored(kind: Headers, resource: str, region: str, chance: Chance, *, created: bool) -> ResponseHead:
    """The headers of stored objects, less type and length; the caller's request id is not among them (recorded).

    The service behind jobs and their files has a set of its own, which differs for a file that has just been `created`.
    """
    ids = [chance.uuid().encode() for _ in range(3)]
    ms = 20 + chance.below(180)
    if kind == "machine-learning":
        return ResponseHead(_machine_learning(region), _OF_MACHINE_LEARNING % (ids[0], ids[1], ms // 1000, ms % 1000))
    if kind not in ("authoring", "training"):
        return ResponseHead(_store(kind, resource, region), _OF_STORED % (ms, *ids))
    own = _OF_NEW_JOBS % ids[0] if created and kind == "authoring" else _OF_JOBS % ms
    return ResponseHead(_authoring(region), own + b"apim-request-id: %b\r\n" % ids[1])


def of_gateway(region: str, kind: HeaderSet, chance: Chance, client_id: str | None) -> ResponseHead:
    """The headers of an answer that the gateway gave before it reached a model or a store (recorded)."""
    own = b"apim-request-id: %b\r\n" % chance.uuid().encode()
    if kind == "bare":
        return ResponseHead(NONE, own)
    return ResponseHead(_SECURITY if kind == "gateway" else _region(region), own + _echo(client_id))


def encoded(named: Mapping[str, str]) -> HeaderList:
    """Headers as the server takes them."""
    return [(_safe(name).lower(), _safe(value)) for name, value in named.items()]


def _echo(client_id: str | None) -> bytes:
    """The caller's own request id, which it gets back; until early 2026 answers had one in any case."""
    return b"" if client_id is None else b"x-ms-client-request-id: %b\r\n" % _safe(client_id)


def _safe(text: str) -> bytes:
    """A header's text as bytes. Control characters, which would split or break an answer, become spaces."""
    return _CONTROL.sub(" ", text).strip().encode("latin-1", "replace")


# -- headers by the values that they depend on; bounded, since deployments and resources come and go


@lru_cache(maxsize=256)
def _region(region: str) -> StaticHeaders:
    """What every answer of a resource carries."""
    return StaticHeaders([*_SECURITY.pairs, (b"x-ms-region", _safe(region))])


@lru_cache(maxsize=256)
def _store(kind: Headers, resource: str, region: str) -> StaticHeaders:
    """What every stored object of a resource carries: the organisation behind it (not for files), and the store's version."""
    organization = Chance(f"organization/{resource}").hex(32).encode()
    own = (b"access-control-allow-origin", b"*") if kind == "files" else (b"openai-organization", organization)
    return StaticHeaders([*_region(region).pairs, own, (b"openai-version", b"2020-10-01")])


@lru_cache(maxsize=256)
def _authoring(region: str) -> StaticHeaders:
    """What everything of the service behind jobs carries."""
    return StaticHeaders([*_region(region).pairs, (b"api-supported-versions", _API_VERSIONS)])


@lru_cache(maxsize=256)
def _machine_learning(region: str) -> StaticHeaders:
    """What everything of the machine-learning service, which runs batches and evaluations, carries."""
    cluster = f"vienna-{region.lower().replace(' ', '')}-02"
    own = [(b"request-context", b"appId="), (b"vary", b"Accept-Encoding"), (b"x-aml-cluster", _safe(cluster))]
    return StaticHeaders([*_region(region).pairs, *own, (b"x-ms-response-type", b"standard")])


@lru_cache(maxsize=1024)
def _deployment(
    deployment: str, snapshot: str, rpm: int, tpm: int, region: str, kind: Headers, streamed: bool
) -> StaticHeaders:
    """What every answer of a deployment carries, by family."""
    name, session = _safe(deployment), f"d20260330170902-{Chance(f'session/{deployment}').hex(12)}".encode()
    limits: HeaderList = [(b"x-ratelimit-limit-requests", b"%d" % rpm), (b"x-ratelimit-limit-tokens", b"%d" % tpm)]
    if kind == "embeddings":
        return StaticHeaders(
            [
                *_region(region).pairs,
                (b"access-control-allow-origin", b"*"),
                (b"azureml-model-session", session),
                (b"x-ms-deployment-name", name),
                *limits,
            ]
        )
    common = [
        *_region(region).pairs,
        *limits,
        (b"x-ratelimit-key", name),
        (b"x-ratelimit-abusepenalty-active", b"False"),
        (b"x-ratelimit-renewalperiod-requests", b"60"),
        (b"x-ratelimit-renewalperiod-tokens", b"60"),
        (b"x-ratelimit-reset-requests", b"%d" % (60 // rpm if rpm else 60)),
        (b"x-ratelimit-reset-tokens", b"0"),
        (b"x-ms-served-model", _safe(snapshot)),
        (b"x-ms-is-spilled-over", b"false"),
        (b"azureai-fe-is-streaming", b"True" if streamed else b"False"),
        (b"skip-error-remapping", b"true"),
    ]
    if kind == "responses":
        return StaticHeaders(
            [*common, (b"azureai-fe-offer-type", b"paygo"), (b"x-ms-aoai-configured-data-retention-days", b"30")]
        )
    return StaticHeaders(
        [
            *common,
            (b"azureml-model-session", session),
            (b"x-ms-deployment-name", name),
            (b"x-ms-rai-invoked", b"true"),
            (b"x-accel-buffering", b"no"),
        ]
    )
