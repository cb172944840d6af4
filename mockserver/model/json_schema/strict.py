"""The rules of `strict: true`: the service's messages for schemas that break them, and its normal form of others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mockserver.model.json_schema.keywords import Json, Node, copy_json, declared_types, is_missing, properties, required

Path = tuple[str, ...]

_LEVELS = 10
_PROPERTIES = 5_000
_REFUSED = ("oneOf", "allOf", "if", "propertyNames", "contains", "uniqueItems", "minLength", "maxLength")
_FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")
_DEFINITIONS = ("$defs", "definitions")
_WITH_ONE_SCHEMA = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_WITH_LIST = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
_WITH_MAPPING = ("properties", "patternProperties", "dependentSchemas", *_DEFINITIONS)


def strict_problem(schema: Json) -> str | None:
    """The service's message for a schema that breaks the rules of `strict: true`; None where it breaks none.

    The text follows "Invalid schema for function 'f': " or "Invalid schema for response_format 'x': ". It is about the first
    problem, parents before their children (wire: a missing required key was reported before a keyword deeper down).

    The wordings are known from the wire (a missing required key) and from third-party reports of 2024 to 2026, several of
    them from Azure: additionalProperties (bytedance/trae-agent#173), required (vercel/ai#6484), no type
    (apexive/odoo-llm#212), no properties (github/github-mcp-server#1548), the top level (langchain-ai/langchainjs#9804),
    "is not permitted" (jina-ai/node-DeepResearch#79, 567-labs/instructor#1074); the rest is quoted in public code. Azure's
    page still lists `pattern`, `format`, `minimum`, `maxItems` … and five levels as limits, but reports since 2025 see those
    accepted and ten as the limit, so that only the keywords in `_REFUSED` are refused. `default` is accepted too, and so is
    a nested `not`, of whose refusal the whole wording is unknown. How levels are counted (objects and arrays, references
    not followed) and which problem of one schema comes first are inferred.
    """
    if problem := not_an_object(schema, ("anyOf", "enum", "not")):
        return problem
    waiting: list[tuple[Path, Json, int]] = [((), schema, 0)]
    levels = count = 0
    while waiting:
        path, node, level = waiting.pop()
        if problem := _node_problem(path, node, schema):
            return problem
        level += any(kind in ("object", "array") for kind in declared_types(node))
        levels, count = max(levels, level), count + len(properties(node))
        inner = [((*path, *step), child, 0 if step[0] in _DEFINITIONS else level) for step, child in children(node)]
        waiting += reversed(inner)
    if levels > _LEVELS:
        return f"{levels} levels of nesting exceeds limit of {_LEVELS}."
    return f"{count} parameters exceeds limit of {_PROPERTIES}." if count > _PROPERTIES else None


def normalise_strict(schema: Json) -> Json:
    """A copy in which every object without `additionalProperties` forbids them.

    This is what Azure echoes for the parameters of a function whose caller left `strict` out (wire).
    """
    normalised = copy_json(schema)
    waiting = [normalised]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "object" in declared_types(node) or ("type" not in node and isinstance(node.get("properties"), dict)):
                node.setdefault("additionalProperties", False)
            waiting += [child for _, child in children(node)]
    return normalised


def children(node: Node) -> Iterator[tuple[Path, Json]]:
    """The schemas inside a schema, with the steps that lead to them."""
    for key, value in node.items():
        if key in _WITH_MAPPING and isinstance(value, dict):
            yield from (((key, name), child) for name, child in value.items())
        elif key in _WITH_LIST and isinstance(value, list):
            yield from (((key, str(index)), child) for index, child in enumerate(value))
        elif key in _WITH_ONE_SCHEMA and isinstance(value, dict):
            yield (key,), value


def not_an_object(schema: Json, combining: Sequence[str]) -> str | None:
    """The message for a root that is no object, or has a keyword that combines others; None for one that is in order."""
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
    if any(key in schema for key in combining):
        return "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level."
    return None


def _node_problem(path: Path, node: Json, root: Json) -> str | None:
    context = f"context={path!r}, "
    if not isinstance(node, dict):
        return f"In {context}schema must have a 'type' key."
    if "$ref" in node:
        return _reference_problem(context, node, root)
    problem = _keyword_problem(node) or ("object" in declared_types(node) and _object_problem(node))
    return f"In {context}{problem}" if problem else None


def _keyword_problem(node: Node) -> str | None:
    refused = next((key for key in _REFUSED if key in node), None)
    if refused:
        return f"'{refused}' is not permitted."
    if "type" not in node and "anyOf" not in node:
        return "schema must have a 'type' key."
    if isinstance(name := node.get("format"), str) and name not in _FORMATS:
        return f"'{name}' is not a valid format."
    return "array schema missing items." if "array" in declared_types(node) and "items" not in node else None


def _object_problem(node: Node) -> str | None:
    if node.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false."
    if not isinstance(node.get("properties"), dict):
        return "object schema missing properties."
    complaint = "'required' is required to be supplied and to be an array including every key in properties."
    schemas, needed = properties(node), dict.fromkeys(required(node))
    missing = next((key for key in schemas if key not in needed), None)
    if missing is not None:
        return f"{complaint} Missing '{missing}'."
    extra = next((key for key in needed if key not in schemas), None)
    return None if extra is None else f"{complaint} Extra required key '{extra}' supplied."


def missing_definition(reference: str) -> str:
    """What is wrong with a reference that points nowhere."""
    return f"reference to component {reference!r} which was not found in the schema."


def _reference_problem(context: str, node: Node, root: Json) -> str | None:
    others = [repr(key) for key in node if key != "$ref"]
    if others:
        return f"{context}$ref cannot have keywords {{{', '.join(others)}}}."
    reference = str(node["$ref"])
    top = re.fullmatch(r"#/(\$defs|definitions)/[^/]+", reference)
    if reference == "#":
        return None
    if top:
        return f"In {context}{missing_definition(reference)}" if is_missing(root, reference) else None
    return f"In {context}reference can only point to definitions defined at the top level of the schema."
