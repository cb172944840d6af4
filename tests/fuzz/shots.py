"""The requests that are fired: one after the other from one seed, so that a run can be had again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote

import yaml
from support.examples import EXAMPLES, Caller, Ids, make, prefixes

from fuzz import mutations
from fuzz.bodies import DEPLOYMENTS, Maker, shape_of
from mockserver.operations.table import TABLE, Operation

Json = Any
SCRATCH = "scratch"  # the resource whose script and clock the control API may change: its answers can be errors on purpose
_SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))
_BOUNDARY = "a-boundary"
_LEGACY = {"createChatCompletion": "chat/completions", "createCompletion": "completions", "createEmbedding": "embeddings"}
_TOKENS = (
    "eyJhbGciOiJub25lIn0.e30.x",
    "eyJ.eyJleHAiOnRydWV9.",
    "eyJ.eyJleHAiOjFlOTk5LCJhdWQiOltbXV19.x",
    "eyJ.!.x",
    "eyJ.W10.x",
    "x" * 9_000,
)


@dataclass(frozen=True)
class Shot:
    """One request. `target` is the raw path with its query; `document` the JSON that its body was made of, None for others."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    document: Json = None

    def __str__(self) -> str:
        body = f"{self.body[:3_000]!r}" + (f" … {len(self.body):,} bytes in all" if len(self.body) > 3_000 else "")
        headers = "".join(f"\n  {name}: {value[:200]!a}" for name, value in self.headers)
        return f"{self.method} {self.target[:2_000]!a}{headers}\n\n  {body}"

    def with_document(self, document: Json) -> Shot:
        """The same with another JSON body."""
        return replace(self, document=document, body=mutations.spell(document).encode())


class Shots:
    """Makes requests to a server whose objects have `ids`, by the path that leads to them. `key` opens its first resource."""

    def __init__(self, chance: Random, ids: Mapping[str, Ids], key: str, only: str | None = None) -> None:
        self._chance, self._ids, self._key, self._base, self._only = chance, ids, key, "/openai/v1", only
        self._operations = [one for one in TABLE.all() if one.emulated and only in (None, one.id)]
        self._absent = [one for one in TABLE.all() if not one.emulated]
        self._known = sorted({value for one in ids.values() for value in one.values()})
        self._maker = Maker(chance, self._known)

    def next(self) -> Shot:
        """The next request; of the operation `only`, where that is set."""
        roll = self._chance.random() if self._only is None else 1.0
        if roll < 0.12:
            return self._control()
        operations = self._absent if roll < 0.14 and self._absent else self._operations
        return self._call(self._chance.choice(operations))

    # -- the surface

    def _call(self, operation: Operation) -> Shot:
        chance, shape = self._chance, shape_of(operation.method, operation.path)
        headers = self._headers(operation)
        target = self._base + self._path(operation) + self._query(operation, shape)
        if operation.id in _LEGACY and chance.random() < 0.15:
            target = f"/openai/deployments/{quote(chance.choice(DEPLOYMENTS))}/{_LEGACY[operation.id]}?api-version=2024-10-21"
        method = (
            operation.method if chance.random() < 0.97 else chance.choice(("GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS"))
        )
        types = shape.get("request", {})
        if operation.body is None and chance.random() < 0.9:
            return Shot(method, target, headers)
        if "multipart/form-data" in types and chance.random() < 0.85:
            return Shot(method, target, *self._form(headers, types["multipart/form-data"]))
        document = self._maker.body(operation.id, types.get("application/json"))
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 8))):
            document = mutations.mutate(document, chance)
        body = mutations.encode(document, chance)
        kind = "application/json" if chance.random() < 0.9 else chance.choice(mutations.ODD_TYPES)
        return Shot(method, target, (*headers, ("content-type", kind)), body, document)

    def _headers(self, operation: Operation | None) -> tuple[tuple[str, str], ...]:
        chance, headers = self._chance, [("host", "localhost")]
        if chance.random() < 0.97:
            headers.append(("api-key", self._key))
        else:
            headers.append(("authorization", f"Bearer {chance.choice(_TOKENS)}"))
        if operation is not None and operation.preview and chance.random() < 0.9:
            headers.append((operation.preview, "preview"))
        if chance.random() < 0.05:
            name = chance.choice(
                ("x-ms-client-request-id", "idempotency-key", "accept", "openai-organization", "range", "host")
            )
            headers.append((name, chance.choice(("", "x" * 3_000, "\x80\xff", "a, b", "bytes=0-", "contoso.openai.azure.com"))))
        return tuple(headers)

    def _path(self, operation: Operation) -> str:
        chance, path = self._chance, operation.path
        ids = self._ids.get(operation.path, {})
        for _, name in prefixes(operation.path):
            value = ids.get(name, chance.choice(DEPLOYMENTS))
            if chance.random() < 0.12:
                value = chance.choice((*self._known, *mutations.ODD_TEXTS, ".", ".."))[:5_000] or "x"
            path = path.replace(f"{{{name}}}", quote(value, safe="", errors="surrogatepass"))
        return path if chance.random() < 0.98 else path.replace("/", "//", 1) + "/"

    def _query(self, operation: Operation, shape: Json) -> str:
        chance = self._chance
        names = [name.removesuffix("?") for name in shape.get("query", {})]
        if chance.random() < 0.1:
            names += [
                "limit",
                "after",
                "before",
                "order",
                "include[]",
                "api-version",
                "stream",
                "starting_after",
                "metadata[a]",
                "filter",
            ]
        parts = []
        for name in names:
            while chance.random() < 0.4:
                value = chance.choice((*mutations.ODD_QUERY_VALUES, *self._known))
                parts.append(f"{quote(name)}={quote(value, errors='surrogatepass') if chance.random() < 0.95 else '%FF%'}")
        return "?" + "&".join(parts) if parts else ""

    def _form(self, headers: tuple[tuple[str, str], ...], shape: Json) -> tuple[tuple[tuple[str, str], ...], bytes]:
        chance, document = self._chance, self._maker.value(shape)
        fields = [(name, value) for name, value in document.items() if chance.random() < 0.95]
        if chance.random() < 0.3:
            odd = (
                "a[b][c]",
                "a[",
                "[]",
                "",
                "file",
                "purpose",
                "expires_after[anchor]",
                "expires_after.seconds",
                "purpose[x]",
                "a" * 20_000,
            )
            fields.append((chance.choice(odd), chance.choice(mutations.ODD_TEXTS)))
        parts = [self._part(name, value) for name, value in fields]
        body = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
        if chance.random() < 0.1:
            at = chance.randint(0, len(body))
            body = chance.choice(
                (body[:at], body[:at] + b"\x00" + body[at:], body.replace(b"\r\n", b"\n"), body + body, body[2:])
            )
        kind = f"multipart/form-data; boundary={_BOUNDARY}" if chance.random() < 0.93 else chance.choice(mutations.ODD_TYPES)
        return (*headers, ("content-type", kind)), body

    def _part(self, name: str, value: Json) -> bytes:
        chance = self._chance
        text = value if isinstance(value, str) else json.dumps(value)
        if chance.random() < 0.2:
            text = str(mutations.odd_value(chance))
        is_file = name in ("file", "data") if chance.random() < 0.95 else chance.random() < 0.5
        filename = (
            f'; filename="{chance.choice(("a.txt", "a.jsonl", "b.pdf", "", "../x", "ü🙂.md", "a" * 300))}"' if is_file else ""
        )
        disposition = "form-data" if chance.random() < 0.97 else chance.choice(("", "attachment", "form-data; name"))
        head = f'--{_BOUNDARY}\r\ncontent-disposition: {disposition}; name="{name}"{filename}\r\n'
        head += "content-type: text/plain\r\n" if is_file and chance.random() < 0.5 else ""
        return f"{head}\r\n{text}\r\n".encode("utf-8", "surrogatepass")

    # -- the control API

    def _control(self) -> Shot:
        chance = self._chance
        headers, kind = (("host", "localhost"),), ("content-type", "application/json")
        if chance.random() < 0.05:
            headers = (chance.choice((("host", "evil.example"), ("host", "["), ("origin", "null"), ("origin", "http://["))),)
        method, path = chance.choice(
            (
                ("PUT", "scenario"), ("PUT", "scenario"), ("POST", "scenario"), ("GET", "scenario"), ("GET", "journal"), ("GET", "verdict"),
                ("POST", "clock"), ("GET", "clock"), ("POST", "reset"), ("PUT", "state"), ("GET", "state"), ("GET", "health"), ("PATCH", "x"),
            )
        )  # fmt: skip
        target = f"/_mock/{path}?resource={SCRATCH}" + self._control_query()
        document = self._control_body(path)
        for _ in range(chance.choice((0, 1, 1, 2, 5))):
            document = mutations.mutate(document, chance)
        if method == "GET":
            return Shot(method, target, headers)
        if chance.random() < 0.2:
            # What the script now says, and what the clock now reads, must answer calls as well.
            call = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello weather retry"}], "store": True}
            scratch = (*headers, ("api-key", f"{self._key}-{SCRATCH}"), kind)
            return Shot("POST", f"{self._base}/chat/completions", scratch, json.dumps(call).encode(), call)
        return Shot(method, target, (*headers, kind), mutations.encode(document, chance), document)

    def _control_query(self) -> str:
        if self._chance.random() < 0.7:
            return ""
        name = self._chance.choice(("limit", "status", "operation", "x", "resource"))
        return f"&{name}={quote(self._chance.choice(mutations.ODD_QUERY_VALUES), errors='surrogatepass')}"

    def _control_body(self, path: str) -> Json:
        chance = self._chance
        if path == "scenario":
            return yaml.safe_load(chance.choice(_SCENARIOS).read_text(encoding="utf-8"))
        if path == "clock":
            return chance.choice(
                ({"freeze": True}, {"freeze": 1e9}, {"advance": "24h"}, {"resume": True}, {"advance": 3600, "freeze": True})
            )
        if path == "state":
            return {"resources": {SCRATCH: {"generation": 1, "documents": [{"kind": "file", "id": "file-1", "document": {}}]}}}
        return {"what": chance.choice(("all", "state", "journal"))}


def make_ids(caller: Caller) -> dict[str, Ids]:
    """An example of every stored object: by path template, what its parameters stand for."""
    ids: dict[str, Ids] = {}
    for operation in TABLE.all():
        known = all(prefix in EXAMPLES for prefix, _ in prefixes(operation.path))
        if operation.emulated and known and operation.path not in ids and prefixes(operation.path):
            ids[operation.path] = make(caller, operation.path) or {}
    return ids
