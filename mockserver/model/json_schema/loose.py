"""The rules for schemas of functions without `strict`: any JSON Schema will do, but it has to be one, and that of an object."""

from __future__ import annotations

from mockserver.model.json_schema.keywords import TYPES, Json, Node, declared_types, is_missing
from mockserver.model.json_schema.strict import children, missing_definition, not_an_object

_COMBINING = ("oneOf", "anyOf", "allOf", "enum", "not")


def loose_problem(schema: Json) -> str | None:
    """The service's message for a function's schema that it takes in no mode; None for one that it takes.

    The text follows "Invalid schema for function 'f': " and is about the first problem, parents before their children. The
    wordings are reported: the root (langchain-ai/langchainjs#9804), properties (github/github-mcp-server#1548), items
    (sigoden/aichat#1049), types and references in public code that quotes them. A type that does not exist is the only one
    without its place, and is looked for first: that is the check of the schema as such, by a library. That only the root needs
    its `properties` is inferred: objects with any members are common further down.
    """
    if problem := _unknown_type(schema) or not_an_object(schema, _COMBINING):
        return problem
    waiting: list[tuple[tuple[str, ...], Json]] = [((), schema)]
    while waiting:
        path, node = waiting.pop()
        if not isinstance(node, dict):
            continue  # true and false are schemas too
        if problem := _problem(node, schema, root=not path):
            return f"In context={path!r}, {problem}"
        waiting += reversed([((*path, *step), child) for step, child in children(node)])
    return None


def _unknown_type(schema: Json) -> str | None:
    waiting = [schema]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict):
            continue
        kind = node.get("type")
        kinds = kind if isinstance(kind, list) else [kind]
        if kind is not None and len(declared_types(node)) < len(kinds):
            wrong = kind if isinstance(kind, list) else next(one for one in kinds if one not in TYPES)
            return f"{wrong!r} is not valid under any of the given schemas."
        waiting += reversed([child for _, child in children(node)])
    return None


def _problem(node: Node, schema: Json, *, root: bool) -> str | None:
    reference = node.get("$ref")
    if isinstance(reference, str) and is_missing(schema, reference):
        return missing_definition(reference)
    types = declared_types(node)
    if "array" in types and not ("items" in node or "prefixItems" in node):
        return "array schema missing items."
    return "object schema missing properties." if root and not isinstance(node.get("properties"), dict) else None
