"""Plausible values for a schema: every keyword that shapes them is kept to, and the rest is a matter of chance."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import TypeVar

from mockserver.model.json_schema.depth import DEEPEST, height, reference_heights
from mockserver.model.json_schema.keywords import (
    TYPES,
    Json,
    Node,
    copied,
    declared_types,
    implied_type,
    is_null,
    is_of_type,
    limit,
    properties,
    required,
    resolve,
)
from mockserver.model.json_schema.merging import agree, merged
from mockserver.model.json_schema.numbers import number
from mockserver.model.json_schema.strings import Writer
from mockserver.state.chance import Chance

T = TypeVar("T")

_PLENTY = 300  # nodes after which an instance only gets what its schema demands
_MOST = 10_000  # nodes after which an unsatisfiable schema is given up
_LARGEST = 1_000  # items of one array
_HEARD = 4_000  # characters at the end of a context that are looked at


def instance(schema: Json, chance: Chance, context: str = "") -> Json:
    """Make a plausible value that is valid for `schema`, the same one for the same chance.

    Every property is filled, optional ones too, in the order of `properties`. A recursion ends after a few rounds in null,
    an empty array or the least demanding branch; past some hundred values only what is required is made. `context` is the
    text that the value answers: an enum member, or a place for a `city` or `location`, that it names is preferred. Any JSON
    value is accepted as a schema and nothing is raised: one that nothing satisfies gets a best effort.
    """
    return _Maker(schema, chance, Writer(chance, context[-_HEARD:])).value(schema)


@dataclass(slots=True)
class _Maker:
    """The making of one instance. `opened` are the references inside which it stands, `spent` counts nodes."""

    root: Json
    chance: Chance
    writer: Writer
    spent: int = 0
    depth: int = 0
    opened: list[str] = field(default_factory=lambda: ["#"])
    heights: dict[str, float] | None = None

    @property
    def rounds(self) -> int:
        """How often a reference has led back to where it already stands."""
        return len(self.opened) - len(set(self.opened))

    @property
    def frugal(self) -> bool:
        """Whether it is time to end, because of too many rounds or because there is plenty already."""
        return self.spent > _PLENTY or self.rounds > 1

    def value(self, schema: Json, name: str = "") -> Json:
        """A value for a schema; `name` is that of the property which holds it, or holds the array it is in."""
        self.spent += 1
        if self.spent > _MOST or self.depth > DEEPEST or not (schema is True or isinstance(schema, dict)):
            return None
        entered = len(self.opened)
        self.depth += 1
        made = self.plain_value(self.settle(schema), name)
        self.depth -= 1
        del self.opened[entered:]
        return made

    def plain_value(self, node: Node, name: str) -> Json:
        if "const" in node:
            return copied(node["const"])
        options = node.get("enum")
        if isinstance(options, list) and options:
            return self.option(options, declared_types(node))
        match self.type_of(node, name):
            case "null":
                return None
            case "boolean":
                return self.chance.below(2) == 1
            case "integer" | "number" as kind:
                return number(node, name, kind == "integer", self.chance)
            case "array":
                return self.array(node, name)
            case "object":
                return self.object(node)
        return self.writer.string(node, name)

    def type_of(self, node: Node, name: str) -> str:
        kinds = declared_types(node)
        if not kinds:
            return implied_type(node, name)
        if self.frugal:
            return min(kinds, key=TYPES.index)
        return self.mostly_not_null(kinds, lambda kind: kind == "null")

    def mostly_not_null(self, choices: list[T], null: Callable[[T], bool]) -> T:
        """One of the choices that are not null, but every sixth time one that is."""
        nulls = [choice for choice in choices if null(choice)]
        others = [choice for choice in choices if not null(choice)]
        if nulls and (not others or self.chance.below(6) == 0):
            return self.chance.choice(nulls)
        return self.chance.choice(others)

    def option(self, options: list[Json], kinds: list[str]) -> Json:
        """A member of an enum, rather one that the context names."""
        fitting = [option for option in options if not kinds or any(is_of_type(option, kind) for kind in kinds)] or options
        said = _plain_words(self.writer.context)
        named = [option for option in fitting if isinstance(option, str) and _plain_words(option).strip()]
        named = [option for option in named if _plain_words(option) in said]
        return copied(self.chance.choice(named[:1] or fitting))

    def settle(self, schema: Json) -> Node:
        """One plain node: references followed, `allOf` merged, a branch of `anyOf` or `oneOf` taken."""
        node = schema if isinstance(schema, dict) else {}
        while self.spent <= _MOST:
            rest = dict(node)
            if isinstance(reference := rest.pop("$ref", None), str):
                self.spent += 1
                self.opened.append(reference)
                node = merged(rest, resolve(self.root, reference))
            elif isinstance(parts := rest.pop("allOf", None), list):
                node = reduce(merged, [self.part(part) for part in parts], rest)
            elif branches := rest.pop("anyOf", None) or rest.pop("oneOf", None):
                node = merged(rest, self.branch(branches, rest))
            else:
                break
        return node

    def part(self, schema: Json) -> Node:
        self.spent += 1
        self.depth += 1
        node = self.settle(schema) if self.depth <= DEEPEST else {}
        self.depth -= 1
        return node

    def branch(self, branches: Json, rest: Node) -> Json:
        known = branches if isinstance(branches, list) else []
        fitting = [branch for branch in known if agree(branch, rest)] or known or [{}]
        return min(fitting, key=self.height) if self.frugal else self.mostly_not_null(fitting, is_null)

    def height(self, schema: Json) -> float:
        if self.heights is None:
            self.heights = reference_heights(self.root)
        return height(schema, self.heights)

    def object(self, node: Node) -> dict[str, Json]:
        known, needed = properties(node), required(node)
        most = limit(node, "maxProperties", _LARGEST)
        rest = node.get("additionalProperties", True)
        optional = [key for key, schema in known.items() if key not in needed and schema is not False]
        chosen = {*needed, *([] if self.frugal else optional[: max(0, most - len(needed))])}
        ordered = [key for key in known if key in chosen] + [key for key in needed if key not in known]
        made = {key: self.value(known.get(key, rest or True), key) for key in ordered}
        least = limit(node, "minProperties", 0)
        if isinstance(rest, dict) and not known and not self.frugal:
            least = max(least, min(2, most))
        for index in range(min(least, _LARGEST) - len(made)):
            made[self.key(node, made, index)] = self.value(rest or True)
        return made

    def key(self, node: Node, taken: dict[str, Json], index: int) -> str:
        """A name for an entry that the schema leaves open."""
        names = node.get("propertyNames")
        for _ in range(20):
            key = self.value({"type": "string", **names}) if isinstance(names, dict) else self.writer.words(1)
            if isinstance(key, str) and key not in taken:
                return key
        return f"{key}_{index + 1}"

    def array(self, node: Node, name: str) -> list[Json]:
        first, rest = _item_schemas(node)
        size = self.size(node, len(first), rest is False)
        unique = node.get("uniqueItems") is True
        made: dict[str, Json] = {}
        for attempt in range(20 * size + 20 if unique else size):
            if len(made) == size:
                break
            value = self.value(first[len(made)] if len(made) < len(first) else rest, name)
            made.setdefault(json.dumps(value, sort_keys=True) if unique else f"{attempt}", value)
        return list(made.values())

    def size(self, node: Node, first: int, closed: bool) -> int:
        least, most = limit(node, "minItems", 0), limit(node, "maxItems", _LARGEST)
        usual = 0 if self.frugal else first or 1 + self.chance.below(3 - self.rounds)
        return min(max(least, usual), most, first if closed else _LARGEST)


def _item_schemas(node: Node) -> tuple[list[Json], Json]:
    """The schemas of an array's first items, in the newer or the older spelling, and that of the others."""
    items = node.get("items", True)
    first = node.get("prefixItems", items)
    rest = node.get("additionalItems", True) if isinstance(items, list) else items
    return (first if isinstance(first, list) else []), rest


def _plain_words(text: str) -> str:
    """A text's words in lower case between single spaces, so that `in` finds whole words only."""
    return " ".join(["", *re.findall(r"[^\W_]+", text.lower()), ""])
