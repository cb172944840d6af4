"""JSON schemas: plausible instances of them, and what the service objects to in a strict one.

Covers the structured-outputs subset of JSON Schema and its everyday surroundings (`oneOf`, `allOf`, `prefixItems`, string
and number limits). `not`, `if`, `contains`, `patternProperties` and `dependent…` do not shape an instance.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from math import ceil, floor, inf, isfinite
from typing import Any, TypeVar
from urllib.parse import unquote

from mockserver.state.chance import Chance

Json = Any
Path = tuple[str, ...]
T = TypeVar("T")

_PLENTY = 300  # nodes after which an instance only gets what its schema demands
_MOST = 10_000  # nodes after which an unsatisfiable schema is given up
_DEEPEST = 40  # containers inside each other; far beyond the ten that strict mode allows
_LONGEST = 100_000  # characters of one string
_LARGEST = 1_000  # items of one array
_HEARD = 4_000  # characters at the end of a context that are looked at
_LEVELS = 10
_PROPERTIES = 5_000
_TYPES: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}
_IMPLIED = {
    "object": ("properties", "required", "additionalProperties", "minProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
_HIGHER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_LOWER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")


def instance(schema: Json, chance: Chance, context: str = "") -> Json:
    """Make a plausible value that is valid for `schema`, the same one for the same chance.

    Every property is filled, optional ones too, in the order of `properties`. A recursion ends after a few rounds in null,
    an empty array or the least demanding branch; past some hundred values only what is required is made. `context` is the
    text that the value answers: an enum member, or a place for a `city` or `location`, that it names is preferred. Any JSON
    value is accepted as a schema and nothing is raised: one that nothing satisfies gets a best effort.
    """
    return _Maker(schema, chance, context[-_HEARD:]).value(schema)


@dataclass(slots=True)
class _Maker:
    """The making of one instance. `opened` are the references inside which it stands, `spent` counts nodes."""

    root: Json
    chance: Chance
    context: str
    spent: int = 0
    depth: int = 0
    opened: list[str] = field(default_factory=lambda: ["#"])
    heights: dict[str, float] | None = None
    fake: Any = None

    @property
    def rounds(self) -> int:
        """How often a reference has led back to where it already stands."""
        return len(self.opened) - len(set(self.opened))

    @property
    def frugal(self) -> bool:
        """Whether it is time to end, because of too many rounds or because there is plenty already."""
        return self.spent > _PLENTY or self.rounds > 1

    def value(self, schema: Json, name: str = "") -> Json:
        self.spent += 1
        if self.spent > _MOST or self.depth > _DEEPEST or not (schema is True or isinstance(schema, dict)):
            return None
        entered = len(self.opened)
        self.depth += 1
        made = self.of_kind(self.settle(schema), name)
        self.depth -= 1
        del self.opened[entered:]
        return made

    def of_kind(self, node: dict[str, Json], name: str) -> Json:
        if "const" in node:
            return _copied(node["const"])
        options = node.get("enum")
        if isinstance(options, list) and options:
            return self.option(options, _declared(node))
        kind = self.kind(node, name)
        if kind in ("integer", "number"):
            return _number(node, name, kind == "integer", self.chance)
        if kind in ("null", "boolean"):
            return self.chance.below(2) == 1 if kind == "boolean" else None
        makers: dict[str, Callable[[dict[str, Json], str], Json]] = {"array": self.array, "object": self.object}
        return makers.get(kind, self.string)(node, name)

    def kind(self, node: dict[str, Json], name: str) -> str:
        kinds = _declared(node)
        if not kinds:
            return _implied(node, name)
        if self.frugal:
            return min(kinds, key=list(_TYPES).index)
        return self.mostly_not_null(kinds, [kind for kind in kinds if kind != "null"])

    def mostly_not_null(self, choices: list[T], others: list[T]) -> T:
        """One of the `others`, which are not null; every sixth time the null that is among the choices."""
        rare = not others or (len(others) < len(choices) and self.chance.below(6) == 0)
        return self.chance.choice([one for one in choices if one not in others] if rare else others)

    def option(self, options: list[Json], kinds: list[str]) -> Json:
        fitting = [option for option in options if not kinds or any(_is(option, kind) for kind in kinds)] or options
        said = _plain_words(self.context)
        named = [option for option in fitting if isinstance(option, str) and _plain_words(option).strip()]
        named = [option for option in named if _plain_words(option) in said]
        return _copied(self.chance.choice(named[:1] or fitting))

    def settle(self, schema: Json) -> dict[str, Json]:
        """One plain node: references followed, `allOf` merged, a branch of `anyOf` or `oneOf` taken."""
        node = schema if isinstance(schema, dict) else {}
        while self.spent <= _MOST:
            rest = dict(node)
            if isinstance(reference := rest.pop("$ref", None), str):
                self.spent += 1
                self.opened.append(reference)
                node = _merged(rest, _resolve(self.root, reference))
            elif isinstance(parts := rest.pop("allOf", None), list):
                node = reduce(_merged, [self.part(part) for part in parts], rest)
            elif branches := rest.pop("anyOf", None) or rest.pop("oneOf", None):
                node = _merged(rest, self.branch(branches, rest))
            else:
                break
        return node

    def part(self, schema: Json) -> dict[str, Json]:
        self.spent += 1
        self.depth += 1
        node = self.settle(schema) if self.depth <= _DEEPEST else {}
        self.depth -= 1
        return node

    def branch(self, branches: Json, rest: dict[str, Json]) -> Json:
        known = branches if isinstance(branches, list) else []
        fitting = [branch for branch in known if _agree(branch, rest)] or known or [{}]
        if self.frugal:
            return min(fitting, key=self.height)
        return self.mostly_not_null(fitting, [branch for branch in fitting if not _is_null(branch)])

    def height(self, schema: Json) -> float:
        """How many containers the least instance nests; infinite where it would never end."""
        if self.heights is None:
            self.heights = _heights(self.root)
        return _height(schema, self.heights)

    def object(self, node: dict[str, Json], name: str) -> dict[str, Json]:
        properties, required = _mapping(node, "properties"), _required(node)
        most = _count(node.get("maxProperties"), _LARGEST)
        rest = node.get("additionalProperties", True)
        optional = [key for key, schema in properties.items() if key not in required and schema is not False]
        chosen = {*required, *([] if self.frugal else optional[: max(0, most - len(required))])}
        ordered = [key for key in properties if key in chosen] + [key for key in required if key not in properties]
        made = {key: self.value(properties.get(key, rest or True), key) for key in ordered}
        least = _count(node.get("minProperties"), 0)
        if isinstance(rest, dict) and not properties and not self.frugal:
            least = max(least, min(2, most))
        for number in range(min(least, _LARGEST) - len(made)):
            made[self.key(node, made, number)] = self.value(rest or True)
        return made

    def key(self, node: dict[str, Json], taken: dict[str, Json], number: int) -> str:
        """A name for an entry that the schema leaves open."""
        names = node.get("propertyNames")
        for _ in range(20):
            key = self.value({"type": "string", **names}) if isinstance(names, dict) else self.words(1)
            if isinstance(key, str) and key not in taken:
                return key
        return f"{key}_{number + 1}"

    def array(self, node: dict[str, Json], name: str) -> list[Json]:
        items = node.get("items", True)
        prefix = node.get("prefixItems", items)
        prefix = prefix if isinstance(prefix, list) else []
        rest = node.get("additionalItems", True) if isinstance(items, list) else items
        size = self.size(node, len(prefix), rest is False)
        made: list[Json] = []
        seen: set[str] = set()
        unique = node.get("uniqueItems") is True
        for _ in range(20 * size + 20 if unique else size):
            if len(made) == size:
                break
            value = self.value(prefix[len(made)] if len(made) < len(prefix) else rest, name)
            told = json.dumps(value, sort_keys=True) if unique else ""
            if told not in seen:
                made.append(value)
                seen |= {told} if unique else set()
        return made

    def size(self, node: dict[str, Json], prefix: int, closed: bool) -> int:
        least, most = _count(node.get("minItems"), 0), _count(node.get("maxItems"), _LARGEST)
        usual = 0 if self.frugal else prefix or 1 + self.chance.below(3 - self.rounds)
        return min(max(least, usual), most, prefix if closed else _LARGEST)

    def string(self, node: dict[str, Json], name: str) -> str:
        least, most = min(_count(node.get("minLength"), 0), _LONGEST), _count(node.get("maxLength"), _LONGEST)
        pattern, wanted = node.get("pattern"), node.get("format")
        if isinstance(pattern, str):
            made = _matching(pattern, least, most, self.chance)
            if made is not None:
                return made
        if isinstance(wanted, str) and wanted in _FORMATS:
            return _FORMATS[wanted](self)
        return self.fitted(self.told(name) or self.hinted(name) or self.words(1 + self.chance.below(3)), least, most)

    def told(self, name: str) -> str:
        """What the context says: all of it for a `query`, "Paris" for a `city` in "the weather in Paris?"."""
        kind = _hint(name, _HINTS)
        if kind == "query":
            return " ".join(self.context[:200].split())
        if kind != "city":
            return ""
        places = re.findall(r"\b(?:in|at|to|from|near|of) ((?:[A-Z][\w'’-]+)(?: [A-Z][\w'’-]+){0,3})", self.context)
        return next((place for place in places if place.lower() not in _NO_PLACES), "")

    def hinted(self, name: str) -> str:
        """A value of the kind that the property's name suggests, or ""."""
        kind = _hint(name, _HINTS)
        if kind is None:
            return ""
        if kind in _LISTS:
            return self.chance.choice(_LISTS[kind])
        return _FORMATS[kind](self) if kind in _FORMATS else str(getattr(self.faker(), kind)())

    def words(self, count: int) -> str:
        from mockserver.model.prose import words

        return words(count, self.chance)

    def sentence(self) -> str:
        from mockserver.model.prose import sentence

        return sentence(self.chance)

    def fitted(self, text: str, least: int, most: int) -> str:
        while len(text) < least:
            text += " " + self.words(min(1 + (least - len(text)) // 4, 200))
        if len(text) <= most:
            return text
        cut = text[:most].rstrip()
        return cut if len(cut) >= least else text[:most]

    def faker(self) -> Any:
        """Faker, built once for each instance, since it draws from a seed of its own."""
        if self.fake is None:
            from faker import Factory

            kinds = ("person", "address", "company", "phone_number", "job")
            self.fake = Factory.create("en_US", providers=[f"faker.providers.{kind}" for kind in kinds])
            self.fake.seed_instance(self.chance.below(1 << 53))
        return self.fake

    def email(self) -> str:
        names = (self.faker().first_name(), self.faker().last_name())
        return ".".join(re.sub("[^a-z]", "", name.lower()) for name in names) + "@example.com"

    def date(self) -> str:
        return f"{2024 + self.chance.below(3)}-{1 + self.chance.below(12):02}-{1 + self.chance.below(28):02}"

    def time(self) -> str:
        return f"{self.chance.below(24):02}:{self.chance.below(60):02}:{self.chance.below(60):02}Z"

    def url(self) -> str:
        return "https://www.example.com/" + (re.sub("[^a-z0-9]+", "-", self.words(2).lower()).strip("-") or "page")


_FORMATS: dict[str, Callable[[_Maker], str]] = {
    "date-time": lambda make: f"{make.date()}T{make.time()}",
    "date": _Maker.date,
    "time": _Maker.time,
    "duration": lambda make: f"PT{1 + make.chance.below(12)}H{5 + make.chance.below(50)}M",
    "email": _Maker.email,
    "hostname": lambda make: make.chance.choice(("www", "api", "mail", "shop", "docs")) + ".example.com",
    "ipv4": lambda make: f"192.0.2.{1 + make.chance.below(254)}",
    "ipv6": lambda make: f"2001:db8::{1 + make.chance.below(65_535):x}",
    "uuid": lambda make: make.chance.uuid(),
    "uri": _Maker.url,
    "clock": lambda make: f"{make.chance.below(24):02}:{5 * make.chance.below(12):02}",
    "query": lambda make: make.words(4),
    "address": lambda make: f"{make.faker().street_address()}, {make.faker().city()}",
    "identifier": lambda make: make.chance.hex(12),
    "title": lambda make: make.words(3).title(),
    "sentence": _Maker.sentence,
    "amount": lambda make: f"{1 + make.chance.below(500)}.{make.chance.below(100):02}",
    "user": lambda make: make.email().partition("@")[0],
}
_LISTS = {
    "currency": ("USD", "EUR", "GBP", "CHF", "JPY"),
    "language": ("en", "de", "fr", "es", "it"),
    "timezone": ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC"),
    "color": ("red", "green", "blue", "yellow", "black", "white"),
    "status": ("active", "pending", "completed"),
    "level": ("low", "medium", "high"),
    "country_code": ("US", "DE", "FR", "GB", "JP"),
    "filename": ("report.pdf", "notes.txt", "data.csv", "summary.md"),
}
_KINDS = {
    "name": "name full_name author customer person owner assignee attendee participant recipient sender",
    "first_name": "first_name given_name",
    "last_name": "last_name surname family_name",
    "user": "username user_name login handle",
    "email": "email mail email_address",
    "city": "city town location place destination origin",
    "country": "country nationality",
    "country_code": "country_code",
    "state": "state province region",
    "address": "address",
    "street_address": "street street_address address_line",
    "postcode": "zip zip_code postal_code postcode",
    "company": "company company_name organization organisation employer vendor supplier manufacturer brand",
    "phone_number": "phone phone_number mobile telephone",
    "job": "job job_title occupation profession",
    "uri": "url uri link website homepage href",
    "date": "date birthday deadline",
    "clock": "time",
    "date-time": "datetime timestamp at",
    "duration": "duration",
    "identifier": "id identifier token",
    "uuid": "uuid guid",
    "currency": "currency currency_code",
    "language": "language locale language_code",
    "timezone": "timezone time_zone",
    "color": "color colour",
    "status": "status",
    "level": "priority severity level difficulty",
    "filename": "filename file_name file path",
    "title": "title headline subject heading",
    "sentence": "description summary comment reason explanation answer content text message body note review bio "
    "thought thinking reasoning rationale response output feedback detail instruction",
    "query": "query search_query search search_term question prompt",
    "amount": "price amount cost total",
    "hostname": "host hostname domain",
    "ipv4": "ip ip_address",
}
_NAMES_OF_OTHER_THINGS = """json xml csv yaml html markdown english german french spanish italian japanese chinese celsius
fahrenheit kelvin january february march april may june july august september october november december monday tuesday
wednesday thursday friday saturday sunday"""
_NO_PLACES = frozenset(_NAMES_OF_OTHER_THINGS.split())
_HINTS = {name: kind for kind, names in _KINDS.items() for name in names.split()}
_RANGES = {
    "age": (18, 90),
    "year": (1990, 2029),
    "month": (1, 12),
    "day": (1, 28),
    "hour": (0, 23),
    "minute": (0, 59),
    "quantity": (1, 10),
    "count": (1, 10),
    "price": (5, 500),
    "amount": (5, 500),
    "cost": (5, 500),
    "total": (5, 500),
    "score": (1, 5),
    "rating": (1, 5),
    "stars": (1, 5),
    "confidence": (0, 1),
    "probability": (0, 1),
    "likelihood": (0, 1),
    "percentage": (0, 100),
    "latitude": (-60, 70),
    "longitude": (-180, 180),
    "temperature": (-5, 35),
}


def _hint(name: str, table: dict[str, Any]) -> Any:
    """The entry for the longest ending of a name: `shippingAddress` and `home_addresses` both find `address`."""
    words = [word.lower() for word in re.findall("[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]
    for start in range(len(words)):
        key = "_".join(words[start:])
        for known in (key, re.sub("ies$", "y", key), re.sub("s$", "", key), re.sub("es$", "", key)):
            if known in table:
                return table[known]
    return None


def _copied(value: Json) -> Json:
    """A deep copy of a JSON value, however deep it goes."""
    outer = [value]
    waiting: list[Any] = [outer]
    while waiting:
        holder = waiting.pop()
        for key, inner in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(inner, dict | list):
                holder[key] = inner.copy()
                waiting.append(holder[key])
    return outer[0]


def _plain_words(text: str) -> str:
    """A text's words in lower case between single spaces, so that `in` finds whole words only."""
    return " ".join(["", *re.findall(r"[^\W_]+", text.lower()), ""])


def _declared(node: dict[str, Json]) -> list[str]:
    kinds = node.get("type")
    return [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str) and kind in _TYPES]


def _implied(node: dict[str, Json], name: str) -> str:
    for kind, keywords in _IMPLIED.items():
        if any(keyword in node for keyword in keywords):
            return kind
    if re.match("(?:is|has|can|should)[_A-Z]", name):
        return "boolean"
    return "integer" if _hint(name, _RANGES) else "string"


def _is(value: Json, kind: str) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _is_null(schema: Json) -> bool:
    return isinstance(schema, dict) and (schema.get("type") == "null" or schema.get("const", ...) is None)


def _agree(branch: Json, rest: dict[str, Json]) -> bool:
    """Whether a branch's types can go with those beside it."""
    if not isinstance(branch, dict):
        return branch is True
    ours, theirs = _declared(rest), _declared(branch)
    return not ours or not theirs or any(kind in theirs or (kind == "integer" and "number" in theirs) for kind in ours)


def _mapping(node: dict[str, Json], key: str) -> dict[str, Json]:
    found = node.get(key)
    return found if isinstance(found, dict) else {}


def _required(node: dict[str, Json]) -> list[str]:
    found = node.get("required")
    return list(dict.fromkeys(key for key in found if isinstance(key, str))) if isinstance(found, list) else []


def _count(limit: Json, default: int) -> int:
    return min(int(limit), _LONGEST) if _real(limit) is not None and limit >= 0 else default


def _real(value: Json) -> Fraction | None:
    """A JSON number exactly as it is written, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value)) if isfinite(value) else None


def _resolve(root: Json, reference: str) -> Json:
    """What a reference inside the document points at, {} where it points nowhere or outside."""
    if not reference.startswith("#"):
        return {}
    found = root
    for step in unquote(reference[1:]).split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and re.fullmatch("[0-9]{1,6}", key) and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, dict) and key in found:
            found = found[key]
        else:
            return {}
    return found


def _merged(first: dict[str, Json], second: Json) -> dict[str, Json]:
    """A schema that asks what both ask, as far as keywords can be joined."""
    if not isinstance(second, dict):
        return first
    merged = {**first, **second}
    apart: list[Json] = []
    for key in first:
        if key in ("$ref", "anyOf", "oneOf") and key in second:
            apart.append({key: first[key]})
        elif key in second:
            merged[key] = _joined(key, first[key], second[key])
    if apart:
        merged["allOf"] = [*(merged.get("allOf") or []), *apart]
    return merged


def _joined(key: str, first: Json, second: Json) -> Json:
    if isinstance(first, dict) and isinstance(second, dict):
        if key == "properties":
            return {**first, **{name: _both(first[name], of) if name in first else of for name, of in second.items()}}
        return _both(first, second) if key in ("items", "additionalProperties") else second
    if key in ("required", "allOf") and isinstance(first, list) and isinstance(second, list):
        return first + [one for one in second if one not in first]
    if key in ("type", "enum"):
        ours = first if isinstance(first, list) else [first]
        return [one for one in ours if one in (second if isinstance(second, list) else [second])] or second
    if key in (*_HIGHER, *_LOWER) and _real(first) is not None and _real(second) is not None:
        return max(first, second) if key in _HIGHER else min(first, second)
    return first if first is False else second


def _both(first: Json, second: Json) -> Json:
    return first if first == second else {"allOf": [first, second]}


def _heights(root: Json) -> dict[str, float]:
    """The height of every reference of a document, by relaxation: `_DEEPEST` rounds find all that matter."""
    references: dict[str, float] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            references[node["$ref"]] = inf
        waiting.extend(node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
    for _ in range(_DEEPEST):
        found = {reference: _height(_resolve(root, reference), references) for reference in references}
        if found == references:
            break
        references = found
    return references


def _height(schema: Json, known: dict[str, float], depth: int = 0) -> float:
    if depth > _DEEPEST or not (schema is True or isinstance(schema, dict)):
        return inf
    if schema is True or "const" in schema or "enum" in schema:
        return 0
    reference = schema.get("$ref")
    tallest = known.get(reference, inf) if isinstance(reference, str) else 0
    for key in ("allOf", "anyOf", "oneOf"):
        parts = schema.get(key)
        if isinstance(parts, list) and parts:
            all_of_them = [_height(part, known, depth + 1) for part in parts]
            tallest = max(tallest, max(all_of_them) if key == "allOf" else min(all_of_them))
    return max(tallest, _own_height(schema, known, depth))


def _own_height(schema: dict[str, Json], known: dict[str, float], depth: int) -> float:
    kinds = _declared(schema) or [_implied(schema, "")]
    if any(kind not in ("array", "object") for kind in kinds):
        return 0
    inner: list[Json] = []
    if "object" in kinds:
        properties = _mapping(schema, "properties")
        inner = [properties.get(key, True) for key in _required(schema)]
    elif _count(schema.get("minItems"), 0):
        inner = [schema.get("items", True)]
    return 1 + max((_height(part, known, depth + 1) for part in inner), default=-1)


def _number(node: dict[str, Json], name: str, whole: bool, chance: Chance) -> int | float:
    low, high = _range(node, name)
    multiple = _real(node.get("multipleOf"))
    multiple = multiple if multiple is not None and multiple > 0 else None
    step = _step(multiple, whole, high - low)
    first, last = ceil(low / step), floor(high / step)
    first += first * step == _real(node.get("exclusiveMinimum"))
    last -= last * step == _real(node.get("exclusiveMaximum"))
    if first > last:
        return _plain((low + high) / 2 if low < high else low, whole)
    for _ in range(20):
        value = _plain(step * (first + chance.below(last - first + 1)), whole)
        if multiple is None or (value / node["multipleOf"]) % 1 == 0:
            return value
    return value


def _range(node: dict[str, Json], name: str) -> tuple[Fraction, Fraction]:
    """The bounds to stay in: the schema's own, where it leaves one open what the name suggests, else a hundred numbers."""
    lows = [low for key in _HIGHER[:2] if (low := _real(node.get(key))) is not None]
    highs = [high for key in _LOWER[:2] if (high := _real(node.get(key))) is not None]
    usual = tuple(Fraction(bound) for bound in _hint(name, _RANGES) or (1, 100))
    if lows and highs:
        return max(lows), min(highs)
    if lows:
        low = max(lows)
        return (max(low, usual[0]), usual[1]) if low < usual[1] else (low, low + 100)
    if highs:
        high = min(highs)
        return (usual[0], min(high, usual[1])) if high > usual[0] else (high - 100, high)
    return usual[0], usual[1]


def _step(multiple: Fraction | None, whole: bool, span: Fraction) -> Fraction:
    """The distance between the numbers to choose from: hundredths, or finer where the range is narrow."""
    if whole:
        return Fraction(multiple.numerator if multiple else 1)
    step = multiple or Fraction(1, 100)
    while multiple is None and 0 < span < 10 * step:
        step /= 10
    return step


def _plain(value: Fraction, whole: bool) -> int | float:
    try:
        return ceil(value) if whole else float(value)
    except OverflowError:
        return ceil(value)


def _matching(pattern: str, least: int, most: int, chance: Chance) -> str | None:
    """A string of `least` to `most` characters that a regular expression finds; None where no way to one is known."""
    from re import _parser as parser  # type: ignore[attr-defined]

    try:
        parsed, compiled = parser.parse(pattern), re.compile(pattern)
        for attempt, extra in enumerate(_extras(parsed, least, most, chance)):
            text = _Walk(chance, extra, most, attempt % 2 == 1).all(parsed)
            fits = least <= len(text) <= most and not any("\ud800" <= letter <= "\udfff" for letter in text)
            if fits and (len(text) > 500 or compiled.search(text)):
                return text
    except (re.error, OverflowError, RecursionError, Warning):
        pass
    return None


def _extras(parsed: Any, least: int, most: int, chance: Chance) -> Iterator[int | None]:
    """How often to repeat beyond the least: at random first, then just as often as the length asks for."""
    yield from [None] * 8
    short, longer = (len(_Walk(chance, extra, most).all(parsed)) for extra in (0, 1))
    needed = (least - short) // max(1, longer - short)
    yield from (extra for extra in (needed, needed + 1, *range(30)) if extra >= 0)


@dataclass(slots=True)
class _Walk:
    """One walk through a parsed regular expression.

    `extra` None repeats at random, up to three times more. `spells` writes out what a lookahead asks for, which satisfies
    the usual `(?=.*[A-Z])(?=.*[0-9]).{8,}`.
    """

    chance: Chance
    extra: int | None
    room: int
    spells: bool = False
    groups: dict[int, str] = field(default_factory=dict)

    def all(self, parsed: Any) -> str:
        return "".join([self.one(operation.name, argument) for operation, argument in parsed])

    def one(self, operation: str, argument: Any) -> str:
        if operation.endswith("REPEAT"):
            return self.repeated(*argument)
        if operation == "SUBPATTERN":
            return self.groups.setdefault(argument[0], self.all(argument[3]))
        if operation == "BRANCH":
            return self.all(self.chance.choice(argument[1]))
        if operation == "ATOMIC_GROUP":
            return self.all(argument)
        if operation == "ASSERT" and self.spells:
            return self.all(argument[1])
        if operation == "GROUPREF":
            return self.groups.get(argument, "")
        return "" if operation in ("AT", "ASSERT", "ASSERT_NOT", "GROUPREF_EXISTS") else self.letter(operation, argument)

    def repeated(self, least: int, most: int, parsed: Any) -> str:
        wished = self.chance.below(4) if self.extra is None else self.extra
        pieces: list[str] = []
        for _ in range(min(int(most), int(least) + wished)):
            piece = self.all(parsed)
            self.room -= max(1, len(piece))
            if self.room < 0:
                break
            pieces.append(piece)
        return "".join(pieces)

    def letter(self, operation: str, argument: Any) -> str:
        if operation == "LITERAL":
            return chr(argument)
        wanted = argument if operation == "IN" else [(operation, argument)]
        told = [(str(getattr(kind, "name", kind)), of) for kind, of in wanted]
        for letters in ("abcdefghijklmnopqrstuvwxyz0123456789", map(chr, range(32, 127)), map(chr, range(160, 1_000))):
            possible = [letter for letter in letters if _allowed(letter, told)]
            if possible:
                return self.chance.choice(possible)
        listed = [of if kind == "LITERAL" else of[0] for kind, of in told if kind in ("LITERAL", "RANGE")]
        return chr(listed[0]) if listed else ""


def _allowed(letter: str, told: list[tuple[str, Any]]) -> bool:
    negated = told[0][0] == "NEGATE"
    return any(_is_in(letter, kind, of) for kind, of in told[negated:]) != negated


def _is_in(letter: str, kind: str, of: Any) -> bool:
    if kind == "CATEGORY":
        name = of.name.removeprefix("CATEGORY_")
        letters = {"DIGIT": letter.isdigit(), "SPACE": letter.isspace(), "WORD": letter.isalnum() or letter == "_"}
        return not letters[name[4:]] if name.startswith("NOT_") else letters[name]
    if kind == "RANGE":
        return bool(of[0] <= ord(letter) <= of[1])
    return letter != "\n" if kind == "ANY" else (ord(letter) == of) == (kind == "LITERAL")


_REFUSED = ("oneOf", "allOf", "if", "propertyNames", "contains", "uniqueItems", "minLength", "maxLength")
_ONCE = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
_DEFINITIONS = ("$defs", "definitions")
_NAMED = ("properties", "patternProperties", "dependentSchemas", *_DEFINITIONS)
_STRICT_FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid")


def strict_problem(schema: Json) -> str | None:
    """What the service says of a schema that breaks the rules of `strict: true`; None where it breaks none.

    The text follows "Invalid schema for function 'f': " or "Invalid schema for response_format 'x': ". The first problem is
    told, parents before their children (wire: a missing required key was reported before a keyword deeper down).

    The wordings are known from the wire (a missing required key) and from third-party reports of 2024 to 2026, several of
    them from Azure: additionalProperties (bytedance/trae-agent#173), required (vercel/ai#6484), no type
    (apexive/odoo-llm#212), no properties (github/github-mcp-server#1548), the top level (langchain-ai/langchainjs#9804),
    "is not permitted" (jina-ai/node-DeepResearch#79, 567-labs/instructor#1074); the rest is quoted in public code. Azure's
    page still lists `pattern`, `format`, `minimum`, `maxItems` … and five levels as limits, but reports since 2025 see those
    accepted and ten as the limit, so that only the keywords in `_REFUSED` are refused. `default` is accepted too, and so is
    a nested `not`, of whose refusal the whole wording is unknown. How levels are counted (objects and arrays, references
    not followed) and what is told first within one schema are inferred.
    """
    if problem := _root_problem(schema):
        return problem
    waiting: list[tuple[Path, Json, int]] = [((), schema, 0)]
    levels = properties = 0
    while waiting:
        path, node, level = waiting.pop()
        if problem := _node_problem(path, node, schema):
            return problem
        level += any(kind in ("object", "array") for kind in _declared(node))
        levels, properties = max(levels, level), properties + len(_mapping(node, "properties"))
        inner = [((*path, *step), child, 0 if step[0] in _DEFINITIONS else level) for step, child in _children(node)]
        waiting += inner[::-1]
    if levels > _LEVELS:
        return f"{levels} levels of nesting exceeds limit of {_LEVELS}."
    return f"{properties} parameters exceeds limit of {_PROPERTIES}." if properties > _PROPERTIES else None


def normalised_strict(schema: Json) -> Json:
    """A copy in which every object that says nothing of additional properties forbids them.

    This is what Azure echoes for the parameters of a function whose caller left `strict` out (wire).
    """
    normalised = _copied(schema)
    waiting = [normalised]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "object" in _declared(node) or ("type" not in node and isinstance(node.get("properties"), dict)):
                node.setdefault("additionalProperties", False)
            waiting += [child for _, child in _children(node)]
    return normalised


def _children(node: dict[str, Json]) -> Iterator[tuple[Path, Json]]:
    """The schemas inside a schema, with the steps that lead to them."""
    for key, value in node.items():
        if key in _NAMED and isinstance(value, dict):
            yield from (((key, name), child) for name, child in value.items())
        elif key in _LISTED and isinstance(value, list):
            yield from (((key, str(index)), child) for index, child in enumerate(value))
        elif key in _ONCE and isinstance(value, dict):
            yield (key,), value


def _root_problem(schema: Json) -> str | None:
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind != "object":
        return f"schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{kind}\"'."
    if any(key in schema for key in ("anyOf", "enum", "not")):
        return "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level."
    return None


def _node_problem(path: Path, node: Json, root: Json) -> str | None:
    context = f"context={path!r}, "
    if not isinstance(node, dict):
        return f"In {context}schema must have a 'type' key."
    if "$ref" in node:
        return _reference_problem(context, node, root)
    refused = next((key for key in _REFUSED if key in node), None)
    if refused:
        return f"In {context}'{refused}' is not permitted."
    if "type" not in node and "anyOf" not in node:
        return f"In {context}schema must have a 'type' key."
    if isinstance(wanted := node.get("format"), str) and wanted not in _STRICT_FORMATS:
        return f"In {context}'{wanted}' is not a valid format."
    if "array" in _declared(node) and "items" not in node:
        return f"In {context}array schema missing items."
    problem = _object_problem(node) if "object" in _declared(node) else None
    return f"In {context}{problem}" if problem else None


def _reference_problem(context: str, node: dict[str, Json], root: Json) -> str | None:
    others = [repr(key) for key in node if key != "$ref"]
    if others:
        return f"{context}$ref cannot have keywords {{{', '.join(others)}}}."
    reference = str(node["$ref"])
    top = re.fullmatch(r"#/(\$defs|definitions)/[^/]+", reference)
    if reference == "#" or (top and _resolve(root, reference) != {}):
        return None
    return f"In {context}reference can only point to definitions defined at the top level of the schema."


def _object_problem(node: dict[str, Json]) -> str | None:
    if node.get("additionalProperties") is not False:
        return "'additionalProperties' is required to be supplied and to be false."
    if not isinstance(node.get("properties"), dict):
        return "object schema missing properties."
    listed = "'required' is required to be supplied and to be an array including every key in properties."
    properties, required = node["properties"], dict.fromkeys(_required(node))
    missing = next((key for key in properties if key not in required), None)
    if missing is not None:
        return f"{listed} Missing '{missing}'."
    extra = next((key for key in required if key not in properties), None)
    return None if extra is None else f"{listed} Extra required key '{extra}' supplied."
