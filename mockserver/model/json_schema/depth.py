"""How deep the least instance of a schema nests, which tells the branches that end a recursion from those that go on."""

from __future__ import annotations

from math import inf

from mockserver.model.json_schema.keywords import Json, Node, declared_types, implied_type, limit, properties, required, resolve

DEEPEST = 40  # containers inside each other; far beyond the ten that strict mode allows


def reference_heights(root: Json) -> dict[str, float]:
    """The height of every reference of a document, by relaxation: `DEEPEST` rounds find all that matter."""
    heights = dict.fromkeys(_references(root), inf)
    for _ in range(DEEPEST):
        found = {reference: height(resolve(root, reference), heights) for reference in heights}
        if found == heights:
            break
        heights = found
    return heights


def height(schema: Json, known: dict[str, float], depth: int = 0) -> float:
    """How many containers the least instance nests, given those of the references; infinite where it would never end."""
    if depth > DEEPEST or not (schema is True or isinstance(schema, dict)):
        return inf
    if schema is True or "const" in schema or "enum" in schema:
        return 0
    reference = schema.get("$ref")
    tallest = known.get(reference, inf) if isinstance(reference, str) else 0
    for key, choose in (("allOf", max), ("anyOf", min), ("oneOf", min)):
        parts = schema.get(key)
        if isinstance(parts, list) and parts:
            tallest = max(tallest, choose([height(part, known, depth + 1) for part in parts]))
    return max(tallest, _own_height(schema, known, depth))


def _own_height(node: Node, known: dict[str, float], depth: int) -> float:
    """The height by a schema's own type, that is without its references and branches."""
    kinds = declared_types(node) or [implied_type(node)]
    if any(kind not in ("array", "object") for kind in kinds):
        return 0
    inner: list[Json] = []
    if "object" in kinds:
        inner = [properties(node).get(key, True) for key in required(node)]
    elif limit(node, "minItems", 0):
        inner = [node.get("items", True)]
    return 1 + max((height(part, known, depth + 1) for part in inner), default=-1)


def _references(root: Json) -> list[str]:
    found: list[str] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            found.append(node["$ref"])
        waiting.extend(node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
    return found
