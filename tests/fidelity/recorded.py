"""Exchanges with the real service, reduced to what is compared.

`recordings.jsonl` holds them; `scripts/derive_recordings.py` makes it, and puts stand-ins of ours for every text, name and id.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Json = Any
RECORDINGS = Path(__file__).with_name("recordings.jsonl")
_CREATED = re.compile(r'"created(?:_at)?": ?([1-9]\d{8,})')


@dataclass(frozen=True, eq=False)
class Row:
    """One recorded exchange. `exact` is whether `text` is the body as it was written; else only its values are known.

    `day` is when it was recorded (`2026-08-19`); `headers` are None where the recorder kept none.
    """

    id: str
    day: str
    method: str
    endpoint: str
    path: str
    stream: bool
    request_headers: dict[str, str]
    request: Json
    status: int
    headers: dict[str, str] | None
    text: str
    exact: bool

    @property
    def family(self) -> str:
        """`chat`, `completions`, `embeddings`, `files` or `responses`."""
        return self.endpoint.split("/")[1]

    @property
    def created(self) -> int | None:
        """The Unix time in the answer."""
        found = _CREATED.search(self.text)
        return int(found[1]) if found is not None else None

    @property
    def model(self) -> str:
        """The model that the service says has answered; the empty string in an error."""
        last = self.events[-1] if self.stream and self.family != "responses" else self.answered
        return str(last.get("model", ""))

    @property
    def body(self) -> dict[str, Json]:
        """The body of an answer that is no stream."""
        found: dict[str, Json] = json.loads(self.text)
        return found

    @property
    def answered(self) -> dict[str, Json]:
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
    """The exchanges that are checked in; the line before them names their source."""
    _, *lines = RECORDINGS.read_text(encoding="utf-8").splitlines()
    return tuple(Row(**json.loads(line)) for line in lines)
