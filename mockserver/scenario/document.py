"""Reading a scenario's text: YAML 1.2 (of which JSON is a part) with the place of every value kept for error messages."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

Json = Any
Path = Sequence[str | int]

LONGEST = 4_000_000
DEEPEST = 60
MOST_VALUES = 200_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: dict[str, Json] = {"": None, "~": None} | {
    spelling: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for spelling in (word, word.title(), word.upper())
}
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_BASED = re.compile(r"0o[0-7]{1,80}|0x[0-9a-fA-F]{1,80}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_NO_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_HALF_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")


@dataclass(slots=True)
class Place:
    """Where a value stands (1-based), where its keys stand, and the places of the values inside it."""

    line: int
    column: int
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    items: dict[str | int, Place] = field(default_factory=dict)


@dataclass(slots=True)
class Document:
    """A scenario's plain value, the name that messages call it by, and the places of its parts (None for Python values)."""

    name: str
    value: Json
    root: Place | None = None

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> str:
        """One line about the value at `path`, or about its key: `file:line:column: key.path: message`."""
        where = dotted(path)
        return f"{self.where(path, at_key=at_key)}: {where}: {message}" if where else f"{self.where(path)}: {message}"

    def where(self, path: Path, *, at_key: bool = False) -> str:
        """`file:line:column` of the value at `path`; only the name where there are no places."""
        if self.root is None:
            return self.name
        line, column = self.position(path, at_key=at_key)
        return f"{self.name}:{line}:{column}"

    def position(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `path`, or of the closest thing around it that has a place."""
        place = self.root
        if place is None:
            return 0, 0
        line, column = place.line, place.column
        for depth, item in enumerate(path, start=1):
            if depth == len(path) and at_key and item in place.keys:
                line, column = place.keys[str(item)]
            inner = place.items.get(item)
            if inner is None or (depth == len(path) and at_key):
                break
            place = inner
            line, column = place.line, place.column
        return line, column


def dotted(path: Path) -> str:
    """A path as users write it: `rules[0].respond.text`."""
    text = ""
    for item in path:
        text += f"[{item}]" if isinstance(item, int) else f".{item}" if text else item
    return text


class UnreadableError(Exception):
    """The text is no usable YAML. `problems` are finished lines."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read(text: str, name: str) -> Document:
    """Parse a scenario's text. Raises UnreadableError for anything but one YAML document made of plain values."""
    if len(text) > LONGEST:
        raise UnreadableError([f"{name}: is longer than {LONGEST:,} characters"])
    if text.lstrip().startswith("{"):
        text = _NO_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", _SURROGATES.sub(_joined, text))
    reader = _Reader(name)
    try:
        value, root = reader.document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        _refuse_deep_nesting(text, error, name)
        raise UnreadableError([_syntax(error, text, name)]) from None
    except (yaml.reader.ReaderError, UnicodeError) as error:
        raise UnreadableError([_unprintable(error, text, name)]) from None
    if reader.problems:
        raise UnreadableError(reader.problems)
    return Document(name, value, root)


def _refuse_deep_nesting(text: str, error: yaml.MarkedYAMLError, name: str) -> None:
    # Scanners read up to 1,024 characters ahead of the events, in case what they read turns out to be a key. So libyaml (from
    # PyYAML 6.0.4) can stop at its own limit of 1,000 levels before we see the 61st: read what stands before that point.
    if error.problem_mark is not None:
        with contextlib.suppress(yaml.YAMLError):
            _Reader(name).document(yaml.parse(text[: error.problem_mark.index], Loader=_LOADER))


def from_python(value: Json, name: str) -> Document:
    """A document of Python values: tuples as lists, mappings as dicts. Raises UnreadableError for what is not JSON."""
    problems: list[str] = []

    def plain(value: Json, path: list[str | int]) -> Json:
        if len(path) > DEEPEST:
            problems.append(f"{name}: is nested more than {DEEPEST} levels deep")
        elif isinstance(value, Mapping):
            problems.extend(
                f"{name}: {dotted(path)}: the key {key!r:.60} is not text" for key in value if not isinstance(key, str)
            )
            return {key: plain(inner, [*path, str(key)]) for key, inner in value.items()}
        elif isinstance(value, (list, tuple)):
            return [plain(inner, [*path, index]) for index, inner in enumerate(value)]
        elif not _is_json(value):
            problems.append(f"{name}: {dotted(path)}: {value!r:.60} is no JSON value")
        return value

    document = Document(name, plain(value, []))
    if problems:
        raise UnreadableError(problems[:20])
    return document


def _is_json(value: Json) -> bool:
    if isinstance(value, str):
        return value.isascii() or not _HALF_SURROGATE.search(value)
    return value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and abs(value) < float("inf"))


def _joined(found: re.Match[str]) -> str:
    # YAML has no surrogate pairs; json.dumps writes every emoji as one.
    code = found[2]
    return found[1] + bytes.fromhex(code[2:6] + code[8:12]).decode("utf-16-be")


def _syntax(error: yaml.MarkedYAMLError, text: str, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    message = f"this is not YAML: {error.problem or error.context}"
    if mark is None:
        return f"{name}: {message}"
    lines = text.split("\n")
    if mark.line >= len(lines):
        return f"{name}:{len(lines)}:{len(lines[-1]) + 1}: {message}"
    if lines[mark.line][mark.column : mark.column + 1] == "\t":
        message = "YAML is indented with spaces, not with tabs"
    elif "mapping values are not allowed" in message:
        message += "; put a text that contains ': ' in quotes"
    return f"{name}:{mark.line + 1}:{mark.column + 1}: {message}"


def _unprintable(error: Exception, text: str, name: str) -> str:
    position = getattr(error, "position", None)
    position = min(error.start if isinstance(error, UnicodeEncodeError) else position or 0, len(text))
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return f"{name}:{line}:{column}: this is not text: control characters and unpaired surrogates are not allowed"


class _Reader:
    """Turns parse events into values and places; keeps going after a fault, so that all of them can be told at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []
        self._anchors: dict[str, tuple[Json, Place, int]] = {}
        self._values = 0

    def document(self, events: Iterator[Any]) -> tuple[Json, Place]:
        value, place, documents = None, Place(1, 1), 0
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                documents += 1
                if documents > 1:
                    self._fault(event, "a second document starts here; a scenario is one document")
                    break
                value, place = self._node(event, events, 1)
        if not documents:
            self.problems.append(f"{self.name}:1:1: is empty; write resource, deployments or rules")
        return value, place

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> tuple[Json, Place]:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._count(event, 1)
        before = self._values
        if depth > DEEPEST:
            raise UnreadableError([*self.problems, self._line(event, f"is nested more than {DEEPEST} levels deep")])
        place = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(event, events, place, depth)
        else:
            value = self._mapping(event, events, place, depth)
        if event.anchor:
            self._anchors[event.anchor] = (value, place, self._values - before + 1)
        return value, place

    def _alias(self, event: Any) -> tuple[Json, Place]:
        if event.anchor not in self._anchors:
            self._fault(event, f"there is no anchor &{event.anchor} before this")
            return None, Place(event.start_mark.line + 1, event.start_mark.column + 1)
        value, place, size = self._anchors[event.anchor]
        self._count(event, size)
        return value, place

    def _sequence(self, event: Any, events: Iterator[Any], place: Place, depth: int) -> list[Json]:
        self._check_tag(event, "tag:yaml.org,2002:seq")
        values: list[Json] = []
        for inner in events:
            if isinstance(inner, yaml.SequenceEndEvent):
                break
            value, place.items[len(values)] = self._node(inner, events, depth + 1)
            values.append(value)
        return values

    def _mapping(self, event: Any, events: Iterator[Any], place: Place, depth: int) -> dict[str, Json]:
        self._check_tag(event, "tag:yaml.org,2002:map")
        values: dict[str, Json] = {}
        for inner in events:
            if isinstance(inner, yaml.MappingEndEvent):
                break
            key = self._key(inner, events, depth)
            value, value_place = self._node(next(events), events, depth + 1)
            if key is None:
                continue
            if key in values:
                self._fault(inner, f"the key {key!r} stands here twice; it was given on line {place.keys[key][0]}")
            values[key] = value
            place.keys[key] = (inner.start_mark.line + 1, inner.start_mark.column + 1)
            place.items[key] = value_place
        return values

    def _key(self, event: Any, events: Iterator[Any], depth: int) -> str | None:
        key, _ = self._node(event, events, depth + 1)
        if isinstance(key, str):
            return key
        hint = "a value that starts with {{ or [ needs quotes" if isinstance(key, (dict, list)) else "put it in quotes"
        self._fault(event, f"a key must be text; {hint}")
        return None

    def _scalar(self, event: Any) -> Json:
        if event.style or not event.implicit[0]:
            self._check_tag(event, "tag:yaml.org,2002:str")
            return event.value
        try:
            return resolve(event.value)
        except ValueError as error:
            self._fault(event, str(error))
            return None

    def _check_tag(self, event: Any, allowed: str) -> None:
        if event.tag not in (None, "!", allowed):
            self._fault(event, f"the tag {event.tag} is not supported")

    def _count(self, event: Any, values: int) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise UnreadableError(
                [*self.problems, self._line(event, f"holds more than {MOST_VALUES:,} values, counting every use of an alias")]
            )

    def _fault(self, event: Any, message: str) -> None:
        self.problems.append(self._line(event, message))

    def _line(self, event: Any, message: str) -> str:
        return f"{self.name}:{event.start_mark.line + 1}:{event.start_mark.column + 1}: {message}"


def resolve(text: str) -> Json:
    """What an unquoted YAML 1.2 scalar means: null, a boolean, a number, else text (so `no`, `12:30` and dates are text).

    Raises ValueError for a number that JSON cannot carry.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789":
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    if not _FLOAT.fullmatch(text):
        return text
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:20]} is too large")
    return number
