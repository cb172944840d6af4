"""Plausible values for a schema: they satisfy every keyword that is supported, and chance decides the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import itemgetter
from typing import TypeVar

from mockserver.model.json_schema.context import Context
from mockserver.model.json_schema.depth import DEEPEST, depth_of, reference_depths
from mockserver.model.json_schema.keywords import (
    TYPES,
    Json,
    Node,
    copy_json,
    declared_types,
    implied_type,
    is_null,
    is_number,
    is_of_type,
    limit,
    properties,
    required,
    resolve,
)
from mockserver.model.json_schema.merging import merge, types_agree
from mockserver.model.json_schema.numbers import make_number, number_fits
from mockserver.model.json_schema.strings import StringWriter
from mockserver.state.chance import Chance

T = TypeVar("T")

_PLENTY = 300  # nodes after which an instance only gets what its schema requires
_MOST = 10_000  # nodes after which an unsatisfiable schema is given up
_LARGEST = 1_000  # items of one array
_MOST_GIVEN = 50  # items of one array that the context gives


def make_instance(schema: Json, chance: Chance, context: str = "") -> Json:
    """Make a plausible value that is valid for `schema`, the same one for the same chance.

    Every property is filled, optional ones too, in the order of `properties`. A recursion ends after a few rounds in null,
    an empty array or the branch that requires least; after some hundred values only what is required is made. `context` is
    the text that the value answers: what it mentions goes into the properties that it fits (see `Context`). Any JSON
    value is accepted as a schema and nothing is raised: one that nothing satisfies gets a best effort.
    """
    return _Maker(schema, chance, StringWriter(chance, Context(context))).value(schema)


@dataclass(slots=True)
class _Maker:
    """The state of making one instance: the current depth, the references that are being followed, and the nodes so far.

    `reference_depths` is computed when a recursion first has to end.
    """

    root: Json
    chance: Chance
    strings: StringWriter
    nodes: int = 0
    depth: int = 0
    followed: list[str] = field(default_factory=lambda: ["#"])
    reference_depths: dict[str, float] | None = None

    @property
    def rounds(self) -> int:
        """How many of the followed references lead back to one that is already being followed."""
        return len(self.followed) - len(set(self.followed))

    @property
    def context(self) -> Context:
        """What the text says that the instance answers."""
        return self.strings.context

    @property
    def frugal(self) -> bool:
        """Whether only what is required is still made: after too many rounds, or with plenty of nodes."""
        return self.nodes > _PLENTY or self.rounds > 1

    def value(self, schema: Json, name: str = "") -> Json:
        """A value for a schema; `name` is that of the property that holds it, or that holds the array around it."""
        self.nodes += 1
        if self.nodes > _MOST or self.depth > DEEPEST or not (schema is True or isinstance(schema, dict)):
            return None
        outer = len(self.followed)
        self.depth += 1
        value = self.plain_value(self.simplify(schema, name), name)
        self.depth -= 1
        del self.followed[outer:]
        return value

    def plain_value(self, node: Node, name: str) -> Json:
        if "const" in node:
            return copy_json(node["const"])
        options = node.get("enum")
        if isinstance(options, list) and options:
            return self.option(options, declared_types(node), name)
        match self.type_of(node, name):
            case "null":
                return None
            case "boolean":
                stated = self.context.truth(name)
                return self.chance.below(2) == 1 if stated is None else stated
            case "integer" | "number" as kind:
                given = self.given_number(node, name, kind == "integer")
                return make_number(node, name, kind == "integer", self.chance) if given is None else given
            case "array":
                return self.array(node, name)
            case "object":
                return self.object(node)
        return self.strings.string(node, name)

    def type_of(self, node: Node, name: str) -> str:
        types = declared_types(node)
        if not types:
            return implied_type(node, name)
        if self.frugal:
            return min(types, key=TYPES.index)
        given = [kind for kind in types if len(types) > 1 and self.is_given(node, name, kind)]
        return min(given, key=TYPES.index) if given else self.mostly_not_null(types, lambda kind: kind == "null")

    def given_number(self, node: Node, name: str, whole: bool, peek: bool = False) -> int | float | None:
        if self.frugal:
            return None
        return self.context.number(name, lambda value: number_fits(node, value, whole), peek)

    def is_given(self, node: Node, name: str, kind: str) -> bool:
        """Whether the context gives a value of this type."""
        if kind in ("integer", "number"):
            return self.given_number(node, name, kind == "integer", peek=True) is not None
        return kind == "string" and self.strings.given(node, name, peek=True) is not None

    def mostly_not_null(self, choices: list[T], null: Callable[[T], bool]) -> T:
        """One of the choices, and only every sixth time a null one: callers seldom test for null."""
        nulls = [choice for choice in choices if null(choice)]
        others = [choice for choice in choices if not null(choice)]
        if nulls and (not others or self.chance.below(6) == 0):
            return self.chance.choice(nulls)
        return self.chance.choice(others)

    def option(self, options: list[Json], types: list[str], name: str) -> Json:
        """A member of an enum, by preference one that the context names."""
        fitting = [option for option in options if not types or any(is_of_type(option, kind) for kind in types)] or options
        context = _plain_words(self.context.text)
        named = [option for option in fitting if isinstance(option, str) and _plain_words(option).strip()]
        named = [option for option in named if _plain_words(option) in context]
        number = self.context.number(name, fitting.__contains__) if any(is_number(option) for option in fitting) else None
        if number is not None and not named:
            return next(option for option in fitting if is_number(option) and option == number)
        return copy_json(self.chance.choice(named[:1] or fitting))

    def simplify(self, schema: Json, name: str) -> Node:
        """The schema without references, `allOf`, `anyOf` and `oneOf`: followed, merged, and one branch chosen."""
        node = schema if isinstance(schema, dict) else {}
        while self.nodes <= _MOST:
            rest = dict(node)
            if isinstance(reference := rest.pop("$ref", None), str):
                self.nodes += 1
                self.followed.append(reference)
                node = merge(rest, resolve(self.root, reference))
            elif isinstance(parts := rest.pop("allOf", None), list):
                node = reduce(merge, [self.part(part, name) for part in parts], rest)
            elif branches := rest.pop("anyOf", None) or rest.pop("oneOf", None):
                node = merge(rest, self.branch(branches, rest, name))
            else:
                break
        return node

    def part(self, schema: Json, name: str) -> Node:
        self.nodes += 1
        self.depth += 1
        node = self.simplify(schema, name) if self.depth <= DEEPEST else {}
        self.depth -= 1
        return node

    def branch(self, branches: Json, rest: Node, name: str) -> Json:
        listed = branches if isinstance(branches, list) else []
        fitting = [branch for branch in listed if types_agree(branch, rest)] or listed or [{}]
        if self.frugal:
            return min(fitting, key=self.depth_of)
        typed = [(kind, branch) for branch in fitting for kind in _types(branch)] if len(fitting) > 1 else []
        given = [(TYPES.index(kind), branch) for kind, branch in typed if self.is_given(branch, name, kind)]
        return min(given, key=itemgetter(0))[1] if given else self.mostly_not_null(fitting, is_null)

    def depth_of(self, schema: Json) -> float:
        if self.reference_depths is None:
            self.reference_depths = reference_depths(self.root)
        return depth_of(schema, self.reference_depths)

    def object(self, node: Node) -> dict[str, Json]:
        schemas, needed = properties(node), required(node)
        most = limit(node, "maxProperties", _LARGEST)
        rest = node.get("additionalProperties", True)
        optional = [key for key, schema in schemas.items() if key not in needed and schema is not False]
        chosen = {*needed, *([] if self.frugal else optional[: max(0, most - len(needed))])}
        ordered = [key for key in schemas if key in chosen] + [key for key in needed if key not in schemas]
        self.context.claim({} if self.frugal else {key: schemas.get(key) for key in ordered[:_PLENTY]})
        members = {key: self.value(schemas.get(key, rest or True), key) for key in ordered}
        least = limit(node, "minProperties", 0)
        if isinstance(rest, dict) and not schemas and not self.frugal:
            least = max(least, min(2, most))  # a mapping of the caller's own keys is more useful with some
        before = self.context.taken
        for index in range(min(least, _LARGEST) - len(members)):
            taken = self.context.taken
            key = self.key(node, members, index)
            if before < taken == self.context.taken and len(members) >= limit(node, "minProperties", 0):
                break  # the context has given some keys, and has no more
            members[key] = self.value(rest or True)
        return members

    def key(self, node: Node, taken: dict[str, Json], index: int) -> str:
        """A key that `taken` does not have, for an additional property."""
        names = node.get("propertyNames")
        given = None if isinstance(names, dict) else self.context.string("", "", lambda text: text not in taken)
        if given is not None:
            return given
        for _ in range(20):
            key = self.value({"type": "string", **names}) if isinstance(names, dict) else self.strings.words(1)
            if isinstance(key, str) and key not in taken:
                return key
        return f"{key}_{index + 1}"

    def array(self, node: Node, name: str) -> list[Json]:
        first, rest = _item_schemas(node)
        size, least, most = self.sizes(node, name, len(first), rest is False)
        unique = node.get("uniqueItems") is True
        items: dict[str, Json] = {}  # by their JSON where they must be unique
        before, attempt = self.context.taken, 0
        while len(items) < size and attempt < (20 * size + 20 if unique else size):
            taken, attempt = self.context.taken, attempt + 1
            value = self.value(first[len(items)] if len(items) < len(first) else rest, name)
            given = self.context.taken > taken
            if not given and taken > before and len(items) >= least:
                break  # the context has given some items, and has no more
            items.setdefault(json.dumps(value, sort_keys=True) if unique else f"{attempt}", value)
            size = min(max(size, len(items) + 1), most, _MOST_GIVEN) if given and len(items) == size else size
        return list(items.values())

    def sizes(self, node: Node, name: str, first: int, closed: bool) -> tuple[int, int, int]:
        """How many items an array gets unless the context gives more or less, and the least and the most that it can have."""
        least = limit(node, "minItems", 0)
        most = min(limit(node, "maxItems", _LARGEST), first if closed else _LARGEST)
        wanted = None if self.frugal or first else self.context.count(name, _title(node))
        if wanted is not None:
            least = most = min(max(least, wanted), most)
        usual = 0 if self.frugal else first or 1 + self.chance.below(3 - self.rounds)
        return min(max(least, usual), most), max(least, first), most


def _title(node: Node) -> str:
    """What an array's items are called."""
    items = node.get("items")
    title = (items.get("title") or items.get("$ref")) if isinstance(items, dict) else None
    return title.rpartition("/")[2] if isinstance(title, str) else ""


def _types(branch: Json) -> list[str]:
    return declared_types(branch) if isinstance(branch, dict) and not {"enum", "const"} & branch.keys() else []


def _item_schemas(node: Node) -> tuple[list[Json], Json]:
    """The schemas of an array's first items, in the keywords of the newer or the older drafts, and that of the others."""
    items = node.get("items", True)
    first = node.get("prefixItems", items)
    rest = node.get("additionalItems", True) if isinstance(items, list) else items
    return (first if isinstance(first, list) else []), rest


def _plain_words(text: str) -> str:
    """A text's words in lower case between single spaces, so that `in` finds whole words only."""
    return " ".join(["", *re.findall(r"[^\W_]+", text.lower()), ""])
