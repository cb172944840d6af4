"""Exchanges with the real service, recorded by the test suites of public projects; they are kept outside this repository."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

Json = Any
RECORDED = Path(__file__).parents[3] / "shared" / "traffic" / "recorded.jsonl"
_SURFACES = re.compile(r"/(chat/completions|completions|embeddings|responses)(/|$)")
_CREATED = re.compile(r'"created(?:_at)?": ?([1-9]\d{8,})')


@dataclass(frozen=True, eq=False)
class Row:
    """One recorded exchange. `exact` is whether `text` is the body as it was spelled; else only its values are known.

    `day` is when it was recorded (`2026-08-19`), `created` the Unix time in the answer, `headers` None where the recorder kept none.
    """

    id: str
    day: str
    created: int | None
    method: str
    endpoint: str
    path: str
    stream: bool
    request_headers: dict[str, str]
    request: Json
    status: int
    headers: dict[str, str] | None
    text: str
    body: Json
    exact: bool

    @property
    def family(self) -> str:
        """`chat`, `completions`, `embeddings` or `responses`."""
        return self.endpoint.split("/")[1]

    @property
    def model(self) -> str:
        """The model that the service says has answered; the empty string in an error."""
        return (
            str(self.events[-1].get("model", "")) if self.stream and self.family == "chat" else str(self.told.get("model", ""))
        )

    @property
    def told(self) -> dict[str, Json]:
        """The object that was answered; of a Responses stream, the one in its last event."""
        found: dict[str, Json] = self.events[-1].get("response", {}) if self.stream else self.body
        return found

    @property
    def events(self) -> list[dict[str, Json]]:
        """The data of a stream's events, less `[DONE]`."""
        return [data for _, data in events(self.text)]


def events(text: str) -> list[tuple[str, dict[str, Json]]]:
    """The events of a stream: each one's name and data."""
    found = []
    for block in text.rstrip("\n").split("\n\n"):
        name, _, data = block.rpartition("data: ")
        if data != "[DONE]":
            found.append((name.removeprefix("event: ").strip(), json.loads(data)))
    return found


@cache
def rows() -> tuple[Row, ...]:
    """The recorded Azure exchanges of the inference surfaces, on the resource's own host."""
    if not RECORDED.exists():
        return ()
    with RECORDED.open(encoding="utf-8") as lines:
        found = [_row(json.loads(line)) for line in lines if '"provider": "azure-' in line]
    return tuple(sorted((row for row in found if row is not None), key=lambda row: (row.endpoint, row.day, row.id)))


def _row(raw: dict[str, Json]) -> Row | None:
    if raw["surface"] != "resource" or raw["provider"] == "azure-inference" or not _SURFACES.match(raw["endpoint"]):
        return None
    assert not raw.get("hand_edited"), raw["id"]
    body = raw["response_body"]
    text = body if isinstance(body, str) else raw.get("response_body_raw", json.dumps(body, ensure_ascii=False))
    headers = raw.get("response_headers")
    length = (headers or {}).get("Content-Length", "")
    if isinstance(body, dict) and length == str(len(text.encode()) + 1):
        text += "\n"  # which the recorder dropped
    shown = _CREATED.search(text)
    created = int(shown[1]) if shown is not None else None
    return Row(
        id=raw["id"],
        day=_day(created, headers or {}),
        created=created,
        method=raw["method"],
        endpoint=raw["endpoint"],
        path=raw["path"],
        stream=bool(raw["stream"]) and isinstance(body, str),
        request_headers={name.lower(): value for name, value in (raw.get("request_headers") or {}).items()},
        request=raw.get("request_body"),
        status=raw["status"],
        headers={name.lower(): value for name, value in headers.items()} if headers is not None else None,
        text=text,
        body=body,
        exact=isinstance(body, str) or "response_body_raw" in raw,
    )


def _day(created: int | None, headers: dict[str, str]) -> str:
    date = next((value for name, value in headers.items() if name.lower() == "date"), None)
    if date is not None:
        return datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").date().isoformat()
    return datetime.fromtimestamp(created, UTC).date().isoformat() if created is not None else ""
