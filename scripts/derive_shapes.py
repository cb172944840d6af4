"""Derive a table of shapes from Azure's OpenAPI document: operations, types and members, and none of its prose.

    python scripts/derive_shapes.py azure-v1-2026-03.yaml > tests/fidelity/shapes.json

A shape is one of
    "string" "integer" "number" "boolean" "null" "object" "array" "bytes" "any"
    "#Name"                                       a type of the table
    [shape, …]                                    any one of these
    {"enum": [value, …]}                          one of these values
    {"type": "integer", "minimum": 1, …}          a plain type with its bounds, or its format
    {"items": shape, "minItems": 1, …}            an array
    {"members": {"id": shape, "name?": shape}}    an object; "?" marks what may be absent, "rest" is the shape of further
                                                  members, "cases" are more members, by the value of the member "by"
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Json = Any
PREFIX = "#/components/schemas/"
METHODS = ("get", "post", "put", "patch", "delete")
BOUNDS = ("minimum", "maximum", "minLength", "maxLength", "pattern", "format")
COUNTS = ("minItems", "maxItems")
DESCRIBED = {
    "type",
    "properties",
    "required",
    "items",
    "enum",
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
    "discriminator",
    "contentMediaType",
}
UNDESCRIBED = {"unevaluatedProperties", "additionalProperties", *BOUNDS, *COUNTS}
PROSE = {"description", "title", "default", "example", "deprecated", "contentEncoding"}


class Deriver:
    """The shapes of one document."""

    def __init__(self, document: dict[str, Json]) -> None:
        self.document = document
        self.schemas: dict[str, Json] = document["components"]["schemas"]

    def table(self) -> dict[str, Json]:
        """All operations and types."""
        types = {name: self.type(schema) for name, schema in sorted(self.schemas.items())}
        return {"operations": dict(self.operations()), "types": types}

    def operations(self) -> Iterator[tuple[str, Json]]:
        """Each operation by `METHOD /path`: its id, query, headers, bodies by content type, and answers by status."""
        for path, methods in self.document["paths"].items():
            for method in (one for one in METHODS if one in methods):
                yield f"{method.upper()} {path}", self.operation(methods[method])

    def operation(self, found: dict[str, Json]) -> dict[str, Json]:
        described: dict[str, Json] = {"id": found["operationId"]}
        for place in ("query", "header"):
            named = {marked(one["name"], one.get("required")): self.shape(one["schema"]) for one in parameters(found, place)}
            described |= {place: named} if named else {}
        if "requestBody" in found:
            described["request"] = self.bodies(found["requestBody"])
        answers = {str(status): self.bodies(answer) for status, answer in found["responses"].items()}
        return described | {"responses": answers}

    def bodies(self, found: dict[str, Json]) -> dict[str, Json]:
        """Shapes by content type."""
        return {kind: self.body(media) for kind, media in found.get("content", {}).items()}

    def body(self, media: dict[str, Json]) -> Json:
        if "itemSchema" not in media:
            return self.shape(media["schema"])
        branches = [one["properties"] for one in media["itemSchema"]["oneOf"]]
        named = [one for one in branches if "event" in one]  # the others are terminal events, which the document leaves open
        return {"events": {one["event"]["const"]: self.shape(one["data"]["contentSchema"]) for one in named}}

    def type(self, schema: Json) -> Json:
        """A type of the table. One that extends a type with cases gets that one's members, or it would be its own case."""
        base = self.base(schema)
        extends = base is not None and "discriminator" in base
        return self.object(schema) if extends else self.shape(schema)

    def shape(self, schema: Json) -> Json:
        check(schema)
        if "$ref" in schema:
            return "#" + schema["$ref"].removeprefix(PREFIX)
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return flat([self.shape(one) for one in branches(schema, schema[union])])
        if "enum" in schema:
            return {"enum": schema["enum"]}
        if "allOf" in schema and "properties" not in schema:
            return self.shape(*schema["allOf"])
        return self.plain(schema)

    def plain(self, schema: Json) -> Json:
        if "contentMediaType" in schema:
            return "bytes"
        kind = schema.get("type", "object" if "properties" in schema else "any")
        if kind == "object":
            return self.object(schema)
        if kind == "array" and "items" in schema:
            return {"items": self.shape(schema["items"])} | among(schema, COUNTS)
        bounds = among(schema, BOUNDS) if kind == "string" else {name: schema[name] for name in BOUNDS[:2] if name in schema}
        return {"type": kind, **bounds} if bounds else kind

    def object(self, schema: Json) -> Json:
        members = self.members(schema)
        shape: dict[str, Json] = {"members": members} if members else {}
        for name in ("unevaluatedProperties", "additionalProperties"):
            if schema.get(name):
                shape["rest"] = self.shape(schema[name])
        if "discriminator" in schema:
            found = schema["discriminator"]
            cases = {value: "#" + ref.removeprefix(PREFIX) for value, ref in found.get("mapping", {}).items()}
            shape |= {"by": found["propertyName"], "cases": cases} if cases else {}
        return shape or "object"

    def members(self, schema: Json) -> dict[str, Json]:
        """The members of an object, after those of the type that it extends; its own word on one counts."""
        base = self.base(schema)
        inherited = self.members(base) if base is not None else {}
        required = {*schema.get("required", ()), *(name for name in inherited if not name.endswith("?"))}
        own = {name: self.shape(inner) for name, inner in schema.get("properties", {}).items()}
        shapes = {name.removesuffix("?"): inner for name, inner in inherited.items()} | own
        return {marked(name, name in required): shape for name, shape in shapes.items()}

    def base(self, schema: Json) -> Json:
        """The type that an object extends; None where there is none."""
        (extended,) = schema.get("allOf", (None,))
        return self.schemas[extended["$ref"].removeprefix(PREFIX)] if extended is not None else None


def parameters(operation: dict[str, Json], place: str) -> list[Json]:
    return [one for one in operation["parameters"] if one["in"] == place and one["name"] not in ("api-version", "accept")]


def marked(name: str, required: Json) -> str:
    return name if required else f"{name}?"


def among(schema: Json, names: tuple[str, ...]) -> dict[str, Json]:
    return {name: schema[name] for name in names if name in schema}


def branches(schema: Json, union: list[Json]) -> list[Json]:
    """The branches of a union, with the bounds that stand beside it.

    Times have `type: integer` beside a union of a date and null: no value could be both. The type is what is sent, or null.
    """
    if "type" in schema:
        union = [{"type": schema["type"]}, *(one for one in union if one.get("type") == "null")]
    bounds = among(schema, BOUNDS[:-1])
    return [one if one.get("type") == "null" else one | bounds for one in union]


def flat(shapes: list[Json]) -> list[Json]:
    """A union without unions in it, and nothing twice."""
    found: list[Json] = []
    for shape in shapes:
        found += [one for one in (shape if isinstance(shape, list) else [shape]) if one not in found]
    return found


def check(schema: Json) -> None:
    """Stop at what this script has no notation for, rather than leave it out."""
    unknown = {name for name in schema if name not in DESCRIBED | UNDESCRIBED | PROSE and not name.startswith("x-")}
    if unknown or len(schema.get("allOf", [0])) != 1:
        raise SystemExit(f"no notation for {sorted(unknown) or 'an allOf of several'} in {json.dumps(schema)[:200]}")


def derive(path: Path) -> str:
    """The table as text: an operation or a type a line, so that a change of the document shows as one."""
    content = path.read_bytes()
    table = Deriver(yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))).table()
    head = {"source": path.name, "sha256": hashlib.sha256(content).hexdigest()}
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    return "{\n" + ",\n".join([*parts, *(f"{json.dumps(name)}: {lines(rows)}" for name, rows in table.items())]) + "\n}\n"


def lines(rows: dict[str, Json]) -> str:
    return (
        "{\n"
        + ",\n".join(f"{json.dumps(name)}: {json.dumps(row, separators=(',', ':'))}" for name, row in rows.items())
        + "\n}"
    )


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("document", type=Path)
    sys.stdout.write(derive(arguments.parse_args().document))
