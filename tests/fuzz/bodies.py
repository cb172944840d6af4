"""Valid request bodies: from the official document's shapes, and those that the conformance suite sends."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from fidelity import matrix
from fidelity.shapes import table
from support.examples import MESSAGE

Json = Any
DEPLOYMENTS = (
    "gpt-4o",
    "gpt-5-mini",
    "o4-mini",
    "grok-3-mini",
    "DeepSeek-R1",
    "text-embedding-3-small",
    "gpt-35-turbo-instruct",
)
_WORDS = (
    "a",
    "Hello, say json",
    "Grüße 🙂",
    "call_1",
    "user",
    "auto",
    '{"a": 1}',
    "0.5",
    "2024-10-21",
    "https://example.com/x.png",
)
_DEEPEST = 7
_MOST = 3  # elements of a list
CASES: dict[str, list[dict[str, Json]]] = {
    "createChatCompletion": [case.body for case in matrix.CHAT],
    "createResponse": [case.body for case in matrix.RESPONSES],
    "createEmbedding": [case.body for case in matrix.EMBEDDINGS],
    "createCompletion": [case.body for case in matrix.COMPLETIONS],
    "createConversation": [{"items": [MESSAGE], "metadata": {"a": "b"}}],
    "createConversationItems": [{"items": [MESSAGE]}],
}


def shape_of(method: str, path: str) -> dict[str, Json]:
    """The official operation, {} for one that the document does not have."""
    found: dict[str, Json] = table()["operations"].get(f"{method} {path}", {})
    return found


class Maker:
    """Makes values of shapes. `ids` are of objects that exist."""

    def __init__(self, chance: Random, ids: list[str]) -> None:
        self._chance, self._ids = chance, ids

    def body(self, operation_id: str, shape: Json) -> Json:
        """A body: one that the conformance suite sends, or one of the official shape."""
        cases = CASES.get(operation_id)
        if cases and self._chance.random() < 0.6:
            return json.loads(json.dumps(self._chance.choice(cases)))
        return self.value(shape) if shape is not None else {}

    def value(self, shape: Json, name: str = "", depth: int = 0) -> Json:
        """A value of a shape; `name` is the member that it is for."""
        if isinstance(shape, list):
            return self.value(self._branch(shape, depth), name, depth)
        if isinstance(shape, str):
            return (
                self.value(table()["types"][shape[1:]], name, depth) if shape[0] == "#" else self._plain({"type": shape}, name)
            )
        if "enum" in shape:
            return self._chance.choice(shape["enum"])
        if shape.get("cases") and depth < _DEEPEST:
            kind = self._chance.choice(sorted(shape["cases"]))
            inner = self.value(shape["cases"][kind], name, depth + 1)
            return {shape["by"]: kind, **inner} if isinstance(inner, dict) else inner
        if "items" in shape:
            most = 0 if depth >= _DEEPEST else _MOST
            return [self.value(shape["items"], name.removesuffix("s"), depth + 1) for _ in range(self._chance.randint(0, most))]
        if shape.keys() & {"members", "rest", "by"}:
            return self._object(shape, depth)
        return self._plain(shape, name)

    def _branch(self, branches: list[Json], depth: int) -> Json:
        if depth >= _DEEPEST:
            return next((one for one in branches if one == "null" or (isinstance(one, str) and one[0] != "#")), branches[0])
        return self._chance.choice(branches)

    def _object(self, shape: dict[str, Json], depth: int) -> dict[str, Json]:
        members = shape.get("members", {}).items()
        share = 0.5 if depth == 0 else 0.3
        wanted = [pair for pair in members if not pair[0].endswith("?") or (depth < _DEEPEST and self._chance.random() < share)]
        made = {name.removesuffix("?"): self.value(inner, name.removesuffix("?"), depth + 1) for name, inner in wanted}
        if "rest" in shape and depth < _DEEPEST:
            made |= {self._chance.choice(_WORDS): self.value(shape["rest"], "", depth + 1)}
        return made

    def _plain(self, shape: dict[str, Json], name: str) -> Json:
        kind, chance = shape["type"], self._chance
        if kind == "boolean":
            return chance.random() < 0.5
        if kind == "integer":
            least = int(shape.get("minimum", 0))
            return chance.randint(least, int(shape.get("maximum", least + 100)))
        if kind == "number":
            return round(chance.uniform(shape.get("minimum", 0), shape.get("maximum", 2)), 2)
        if kind in ("null", "any"):
            return None if kind == "null" else chance.choice((None, {}, [], "x", {"type": "object", "properties": {}}))
        return self._text(name)

    def _text(self, name: str) -> str:
        if name == "model":
            return self._chance.choice(DEPLOYMENTS)
        if self._ids and (name.endswith("_id") or name in ("conversation", "container")):
            return self._chance.choice(self._ids)
        return self._chance.choice(_WORDS)
