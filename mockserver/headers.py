"""Azure's response headers, family by family (recordings of 2026 unless said otherwise).

What never changes for a deployment is made once and kept; ids and remaining counts are added per answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mockserver.state.chance import Chance

if TYPE_CHECKING:
    from mockserver.deployment import Deployment
    from mockserver.errors import HeaderSet
    from mockserver.operations import Headers

HeaderList = list[tuple[bytes, bytes]]
_CLIENT_ID = b"x-ms-client-request-id"
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")

_SECURITY: HeaderList = [
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains; preload"),
    (b"x-content-type-options", b"nosniff"),
]


def of_model(deployment: Deployment, kind: Headers, chance: Chance, client_id: str | None, *, streamed: bool) -> HeaderList:
    """The headers of an answer that a deployment gave, less type and length."""
    static = deployment.headers.get((kind, streamed))
    if static is None:
        static = deployment.headers[kind, streamed] = _of_model(deployment, kind, streamed=streamed)
    quota = deployment.quota
    head = [
        *static,
        (b"x-ratelimit-remaining-requests", b"%d" % quota.remaining_requests),
        (b"x-ratelimit-remaining-tokens", b"%d" % quota.remaining_tokens),
        (b"apim-request-id", chance.uuid().encode()),
        (b"x-request-id", chance.uuid().encode()),
    ]
    return _echoed(head, client_id)


def of_stored(always: HeaderList, chance: Chance) -> HeaderList:
    """The headers of stored objects, less type and length; the caller's request id is not among them (recorded)."""
    return [
        *always,
        (b"openai-processing-ms", b"%d" % (20 + chance.below(180))),
        (b"x-ms-middleware-request-id", chance.uuid().encode()),
        (b"apim-request-id", chance.uuid().encode()),
        (b"x-request-id", chance.uuid().encode()),
    ]


def of_gateway(region: HeaderList, kind: HeaderSet, chance: Chance, client_id: str | None) -> HeaderList:
    """The headers of an answer that the gateway gave before a model or a store was asked (recorded)."""
    head = [] if kind == "bare" else list(_SECURITY if kind == "gateway" else region)
    head.append((b"apim-request-id", chance.uuid().encode()))
    return head if kind == "bare" else _echoed(head, client_id)


def _echoed(head: HeaderList, client_id: str | None) -> HeaderList:
    """`head` with the caller's own request id, which it then gets back; until early 2026 answers had one in any case."""
    if client_id is not None:
        head.append((_CLIENT_ID, _safe(client_id)))
    return head


def encoded(named: Mapping[str, str]) -> HeaderList:
    """Headers as the server wants them. Control characters, which would split or spoil the answer, become spaces."""
    return [(_safe(name).lower(), _safe(value)) for name, value in named.items()]


def _safe(text: str) -> bytes:
    """A header's text as bytes. Control characters, which would split or break an answer, become spaces."""
    return _CONTROL.sub(" ", text).strip().encode("latin-1", "replace")


def of_store(resource: str, region: HeaderList) -> HeaderList:
    """What every stored object of a resource carries: the organisation behind it, and the store's version."""
    organization = Chance(f"organization/{resource}").hex(32)
    return [*region, (b"openai-organization", organization.encode()), (b"openai-version", b"2020-10-01")]


def of_resource(region: str) -> HeaderList:
    """What every answer of a resource carries."""
    return [*_SECURITY, (b"x-ms-region", _safe(region))]


def _of_model(deployment: Deployment, kind: Headers, *, streamed: bool) -> HeaderList:
    name, model, quota = _safe(deployment.name), deployment.model, deployment.quota
    session = Chance(f"session/{deployment.name}").hex(12)
    limits: HeaderList = [
        (b"x-ratelimit-limit-requests", b"%d" % quota.rpm),
        (b"x-ratelimit-limit-tokens", b"%d" % quota.tpm),
    ]
    if kind == "embeddings":
        return [
            *deployment.region_headers,
            (b"access-control-allow-origin", b"*"),
            (b"azureml-model-session", f"d20260330170902-{session}".encode()),
            (b"x-ms-deployment-name", name),
            *limits,
        ]
    common = [
        *deployment.region_headers,
        *limits,
        (b"x-ratelimit-key", name),
        (b"x-ratelimit-abusepenalty-active", b"False"),
        (b"x-ratelimit-renewalperiod-requests", b"60"),
        (b"x-ratelimit-renewalperiod-tokens", b"60"),
        (b"x-ratelimit-reset-requests", b"%d" % (60 // quota.rpm if quota.rpm else 60)),
        (b"x-ratelimit-reset-tokens", b"0"),
        (b"x-ms-served-model", _safe(model.snapshot)),
        (b"x-ms-is-spilled-over", b"false"),
        (b"azureai-fe-is-streaming", b"True" if streamed else b"False"),
        (b"skip-error-remapping", b"true"),
    ]
    if kind == "responses":
        return [*common, (b"azureai-fe-offer-type", b"paygo"), (b"x-ms-aoai-configured-data-retention-days", b"30")]
    return [
        *common,
        (b"azureml-model-session", f"d20260330170902-{session}".encode()),
        (b"x-ms-deployment-name", name),
        (b"x-ms-rai-invoked", b"true"),
        (b"x-accel-buffering", b"no"),
    ]
