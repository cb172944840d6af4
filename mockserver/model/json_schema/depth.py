"""How deep the smallest instance of a schema nests: the branch of least depth is the one that ends a recursion."""

from __future__ import annotations

from math import inf

from mockserver.model.json_schema.keywords import Json, Node, declared_types, implied_type, limit, properties, required, resolve

DEEPEST = 40  # objects and arrays inside each other; far beyond the ten that strict mode allows


def reference_depths(root: Json) -> dict[str, float]:
    """The depth of every reference of a document. Depths only fall from round to round, and `DEEPEST` rounds find all in use."""
    depths = dict.fromkeys(_references(root), inf)
    for _ in range(DEEPEST):
        refined = {reference: depth_of(resolve(root, reference), depths) for reference in depths}
        if refined == depths:
            break
        depths = refined
    return depths


def depth_of(schema: Json, references: dict[str, float], level: int = 0) -> float:
    """How many objects and arrays the smallest instance nests, given the depths of references; infinite if it never ends."""
    if level > DEEPEST or not (schema is True or isinstance(schema, dict)):
        return inf
    if schema is True or "const" in schema or "enum" in schema:
        return 0
    reference = schema.get("$ref")
    depth = references.get(reference, inf) if isinstance(reference, str) else 0
    for key, choose in (("allOf", max), ("anyOf", min), ("oneOf", min)):
        parts = schema.get(key)
        if isinstance(parts, list) and parts:
            depth = max(depth, choose([depth_of(part, references, level + 1) for part in parts]))
    return max(depth, _own_depth(schema, references, level))


def _own_depth(node: Node, references: dict[str, float], level: int) -> float:
    """The depth that follows from a schema's type, without its references and branches."""
    types = declared_types(node) or [implied_type(node)]
    if any(kind not in ("array", "object") for kind in types):
        return 0
    inner: list[Json] = []
    if "object" in types:
        inner = [properties(node).get(key, True) for key in required(node)]
    elif limit(node, "minItems", 0):
        inner = [node.get("items", True)]
    return 1 + max((depth_of(part, references, level + 1) for part in inner), default=-1)


def _references(root: Json) -> list[str]:
    references: list[str] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            references.append(node["$ref"])
        waiting.extend(node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
    return references
