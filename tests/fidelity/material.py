"""Exchanges with the real service as the test suites of public projects recorded them; they are kept outside this repository."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fidelity.diff import DATE
from fidelity.layout import LAYOUTS

Json = Any
Record = dict[str, Json]
_SURFACES = re.compile(r"/(chat/completions|completions|embeddings|responses)(/|$)")
_FILES = "/files"
_CREATED = re.compile(r'"created(?:_at)?": ?([1-9]\d{8,})')


def records(material: Path) -> list[Record]:
    """The recorded Azure exchanges of the inference surfaces and of files, as members of `recorded.Row`.

    They are of the resource's own host; only for files there are some of a project's too. Downloads are none of them.
    """
    with material.open(encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines if '"provider": "azure-' in line]
    return sorted(map(_record, filter(_emulated, found)), key=lambda one: (one["endpoint"], one["day"], one["id"]))


def _emulated(raw: Record) -> bool:
    if raw["endpoint"] in (_FILES, f"{_FILES}/{{file}}"):
        return True
    return raw["surface"] == "resource" and raw["provider"] != "azure-inference" and bool(_SURFACES.match(raw["endpoint"]))


def _record(raw: Record) -> Record:
    assert not raw.get("hand_edited"), raw["id"]
    body, headers = raw["response_body"], raw.get("response_headers")
    text = body if isinstance(body, str) else raw.get("response_body_raw", LAYOUTS[0].write(body))
    if isinstance(body, dict) and (headers or {}).get("Content-Length", "") == str(len(text.encode()) + 1):
        text += "\n"  # which the recorder dropped
    written = _written(raw) if raw["endpoint"].startswith(_FILES) else None
    return {
        "id": raw["id"],
        "day": _day(text, headers or {}),
        "method": raw["method"],
        "endpoint": raw["endpoint"],
        "path": raw["path"],
        "stream": bool(raw["stream"]) and isinstance(body, str),
        "request_headers": {name.lower(): value for name, value in (raw.get("request_headers") or {}).items()},
        "request": _uploaded(body) if raw["endpoint"] == _FILES else raw.get("request_body"),
        "status": raw["status"],
        "headers": {name.lower(): value for name, value in headers.items()} if headers is not None else None,
        "text": written or text,
        "exact": isinstance(body, str) or "response_body_raw" in raw or written is not None,
    }


def _uploaded(file: dict[str, Json]) -> dict[str, Json]:
    """What was uploaded, as far as the answer says it: recorders left forms out, or cut them."""
    return {name: file[name] for name in ("purpose", "filename", "bytes")}


def _written(raw: Record) -> str | None:
    """A body that was parsed, in the one way of writing it that has the recorded length; None where no length was recorded."""
    texts = (layout.write(raw["response_body"]) + ending for layout in LAYOUTS for ending in ("", "\n"))
    return next((text for text in texts if str(len(text)) == raw["response_headers"].get("Content-Length")), None)


def _day(text: str, headers: dict[str, str]) -> str:
    date = next((value for name, value in headers.items() if name.lower() == "date"), "")
    if DATE.fullmatch(date):  # recorders mask some
        return datetime.strptime(date, "%a, %d %b %Y %H:%M:%S GMT").date().isoformat()
    created = _CREATED.search(text)
    return datetime.fromtimestamp(int(created[1]), UTC).date().isoformat() if created is not None else ""
