"""Recorded answers about stored objects, reduced to the shapes of their bodies: no text, name or id that stood in them is left.

`objects.jsonl` holds them; `scripts/derive_objects.py` makes it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Json = Any
OBJECTS = Path(__file__).with_name("objects.jsonl")
_FAMILIES = re.compile(r"/(containers|conversations|evals|fine_tuning|vector_stores|chat/completions/\{)")
_OF_AZURE = ("/fine_tuning", "/vector_stores")
_PARAMETER = re.compile(r"\{[^}]+\}")
_WORDS = ("anchor", "object", "role", "source", "status", "type")
"""Members whose strings are words of the protocol."""
_MAPS = ("datasource_item", "item", "metadata", "properties")
"""Members whose own members are a caller's."""


@dataclass(frozen=True)
class Recorded:
    """One answer: `path` is a template without names (`/containers/{}`), `shape` what `shape_of` makes of its body.

    `ordered` is whether the keys stand as the service wrote them; `content_type` is None where it was not kept.
    """

    id: str
    method: str
    path: str
    status: int
    content_type: str | None
    ordered: bool
    shape: Json


def nameless(path: str) -> str:
    """A path template without its parameters' names."""
    return _PARAMETER.sub("{}", path)


def shape_of(value: Json, name: str = "") -> Json:
    """What kind of value it is: of objects the members in their order, of lists the first element, of strings only words."""
    if isinstance(value, dict):
        return "map" if name in _MAPS else {key: shape_of(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape_of(value[0], name)] if value else []
    if isinstance(value, str):
        return f"'{value}'" if name in _WORDS else "string"
    if isinstance(value, bool):
        return "boolean"
    return "null" if value is None else "number"


def reduced(material: Path) -> list[dict[str, Json]]:
    """The recorded answers of these families that no hand has made up."""
    with material.open(encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    rows = [_reduced(raw) for raw in found if _FAMILIES.match(raw["endpoint"]) and _genuine(raw)]
    unique = {json.dumps({**row, "id": ""}): row for row in reversed(rows)}
    return sorted(unique.values(), key=lambda row: (row["path"], row["method"], row["id"]))


def _genuine(raw: dict[str, Json]) -> bool:
    """One project's exchanges are invented; another's are the answers of a gateway in between.

    Of vector stores and fine-tuning there are exchanges with Azure's own surface, from whose objects the sister service's differ.
    """
    if raw["endpoint"].startswith(_OF_AZURE) and not raw["provider"].startswith("azure"):
        return False
    if "/openai/" not in raw["path"] and raw["provider"].startswith("azure"):
        return False  # a path outside the surface
    agent = (raw.get("request_headers") or {}).get("User-Agent", "")
    return agent != "Ruby" and raw["response_body_format"] != "parsed-sorted" and raw["status"] != 401


def _reduced(raw: dict[str, Json]) -> dict[str, Json]:
    headers = {name.lower(): value for name, value in (raw.get("response_headers") or {}).items()}
    return {
        "id": raw["id"],
        "method": raw["method"],
        "path": nameless(raw["endpoint"]),
        "status": raw["status"],
        "content_type": headers.get("content-type"),
        # The project route is another service, which writes everything anew.
        "ordered": raw["surface"] != "project",
        "shape": shape_of(raw.get("response_body")),
    }


@cache
def recorded() -> tuple[Recorded, ...]:
    """The answers that are checked in; the line before them names their source."""
    _, *lines = OBJECTS.read_text(encoding="utf-8").splitlines()
    return tuple(Recorded(**json.loads(line)) for line in lines)


def differences(ours: Json, theirs: Json, *, ordered: bool, place: str = "") -> list[str]:
    """Where two shapes differ. A null says nothing about what else a member can be, nor does an empty list about its elements."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = [f"{place}.{name} is absent" for name in theirs if name not in ours]
        found += [f"{place}.{name} is added" for name in ours if name not in theirs]
        mine, told = [name for name in ours if name in theirs], [name for name in theirs if name in ours]
        if ordered and mine != told:
            found.append(f"{place} is in the order {mine}, not {told}")
        return found + [
            one for name in told for one in differences(ours[name], theirs[name], ordered=ordered, place=f"{place}.{name}")
        ]
    if isinstance(ours, list) and isinstance(theirs, list):
        pairs = zip(ours, theirs, strict=False)
        return [one for mine, told in pairs for one in differences(mine, told, ordered=ordered, place=f"{place}[]")]
    return [] if ours == theirs or "null" in (ours, theirs) else [f"{place} is {ours}, not {theirs}"]
