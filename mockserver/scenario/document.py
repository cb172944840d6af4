"""Reads a scenario's text: YAML 1.2 (of which JSON is a part), with the position of every value for messages."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

Json = Any
Path = Sequence[str | int]

# Far beyond what people write, and small enough that no file takes seconds or gigabytes to read. Aliases count at every use.
LONGEST = 4_000_000  # characters
DEEPEST = 60  # mappings and lists inside each other
MOST_VALUES = 200_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTANTS: dict[str, Json] = {"": None, "~": None} | {
    spelling: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for spelling in (word, word.title(), word.upper())
}
# The lengths are bounded because int() and float() take long for thousands of digits, and refuse more than 4,300.
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_BASED = re.compile(r"0o[0-7]{1,80}|0x[0-9a-fA-F]{1,80}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufffe\uffff]")  # allowed in JSON, but not in YAML
_HALF_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})")


@dataclass(slots=True)
class Position:
    """Line and column (from 1) of a value and, if it is a mapping or list, of its keys and of the values inside it."""

    line: int
    column: int
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    items: dict[str | int, Position] = field(default_factory=dict)


@dataclass(slots=True)
class Document:
    """A scenario as plain JSON values. `name` stands for it in messages; `root` is None where it comes from Python."""

    name: str
    value: Json
    root: Position | None = None

    def problem(self, path: Path, message: str, *, at_key: bool = False) -> str:
        """One line about the value at `path`, or about its key: `file:line:column: key.path: message`."""
        keys = dotted(path)
        return f"{self.place(path, at_key=at_key)}: {keys}: {message}" if keys else f"{self.place(path)}: {message}"

    def place(self, path: Path, *, at_key: bool = False) -> str:
        """`file:line:column` of the value at `path`; only the name of the document where it has no positions."""
        if self.root is None:
            return self.name
        line, column = self.position(path, at_key=at_key)
        return f"{self.name}:{line}:{column}"

    def position(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Line and column of the value at `path` or of its key, else of the closest value around it that the file has."""
        position = self.root
        if position is None:
            return 0, 0
        for item in path[:-1] if at_key else path:
            inner = position.items.get(item)
            if inner is None:
                return position.line, position.column
            position = inner
        if at_key and path and path[-1] in position.keys:
            return position.keys[str(path[-1])]
        return position.line, position.column


def dotted(path: Path) -> str:
    """A path as users write it: `rules[0].respond.text`."""
    text = ""
    for item in path:
        text += f"[{item}]" if isinstance(item, int) else f".{item}" if text else item
    return text


class UnreadableError(Exception):
    """The text is not usable YAML. `problems` are whole messages, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read(text: str, name: str) -> Document:
    """Parse a scenario's text. Raises UnreadableError for anything but one YAML document of plain values."""
    if len(text) > LONGEST:
        raise UnreadableError([f"{name}: is longer than {LONGEST:,} characters"])
    if text.lstrip().startswith("{"):
        text = _NOT_IN_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", _SURROGATE_PAIR.sub(_join_surrogates, text))
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
    """A document of Python values, with tuples as lists and mappings as dicts. Raises UnreadableError for what is not JSON."""
    problems: list[str] = []

    def plain(value: Json, path: list[str | int]) -> Json:
        if len(path) > DEEPEST:
            problems.append(f"{name}: is nested more than {DEEPEST} levels deep")
        elif isinstance(value, Mapping):
            problems.extend(
                f"{name}: {dotted(path)}: the key {key!r:.60} is not text"
                for key in value
                if not (isinstance(key, str) and _is_json(key))
            )
            return {key: plain(inner, [*path, str(key)]) for key, inner in value.items()}
        elif isinstance(value, (list, tuple)):
            return [plain(inner, [*path, index]) for index, inner in enumerate(value)]
        elif not _is_json(value):
            problems.append(f"{name}: {dotted(path)}: {value!r:.60} is not a JSON value")
        return value

    document = Document(name, plain(value, []))
    if problems:
        raise UnreadableError(problems[:20])  # a large object of some other kind would give a line for each of its parts
    return document


def _is_json(value: Json) -> bool:
    if isinstance(value, str):
        return value.isascii() or not _HALF_SURROGATE.search(value)
    return value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and abs(value) < float("inf"))


def _join_surrogates(match: re.Match[str]) -> str:
    # YAML has no surrogate pairs; json.dumps writes every emoji as one.
    pair = match[2]
    return match[1] + bytes.fromhex(pair[2:6] + pair[8:12]).decode("utf-16-be")


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
    """Turns parse events into values and positions. It goes on after a mistake, so that all of them are reported at once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[str] = []
        self._anchors: dict[str, tuple[Json, Position, int]] = {}  # by name: value, position, and how many values it holds
        self._values = 0

    def document(self, events: Iterator[Any]) -> tuple[Json, Position]:
        value, position, documents = None, Position(1, 1), 0
        for event in events:
            if isinstance(event, yaml.NodeEvent):
                documents += 1
                if documents > 1:
                    self._report(event, "a second document starts here; a scenario is one document")
                    break
                value, position = self._node(event, events, 1)
        if not documents:
            self.problems.append(f"{self.name}:1:1: is empty; write resource, deployments or rules")
        return value, position

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> tuple[Json, Position]:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._count(event, 1)
        before = self._values
        if depth > DEEPEST:
            raise UnreadableError([*self.problems, self._line(event, f"is nested more than {DEEPEST} levels deep")])
        position = Position(*_line_and_column(event))
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(event, events, position, depth)
        else:
            value = self._mapping(event, events, position, depth)
        if event.anchor:
            self._anchors[event.anchor] = (value, position, self._values - before + 1)
        return value, position

    def _alias(self, event: Any) -> tuple[Json, Position]:
        if event.anchor not in self._anchors:
            self._report(event, f"there is no anchor &{event.anchor} before this")
            return None, Position(*_line_and_column(event))
        value, position, size = self._anchors[event.anchor]
        self._count(event, size)
        return value, position

    def _sequence(self, event: Any, events: Iterator[Any], position: Position, depth: int) -> list[Json]:
        self._check_tag(event, "tag:yaml.org,2002:seq")
        values: list[Json] = []
        for inner in events:
            if isinstance(inner, yaml.SequenceEndEvent):
                break
            value, position.items[len(values)] = self._node(inner, events, depth + 1)
            values.append(value)
        return values

    def _mapping(self, event: Any, events: Iterator[Any], position: Position, depth: int) -> dict[str, Json]:
        self._check_tag(event, "tag:yaml.org,2002:map")
        values: dict[str, Json] = {}
        for inner in events:
            if isinstance(inner, yaml.MappingEndEvent):
                break
            key = self._key(inner, events, depth)
            value, value_position = self._node(next(events), events, depth + 1)
            if key is None:
                continue
            if key in values:
                self._report(inner, f"the key {key!r} is a duplicate; it is already on line {position.keys[key][0]}")
            values[key] = value
            position.keys[key] = _line_and_column(inner)
            position.items[key] = value_position
        return values

    def _key(self, event: Any, events: Iterator[Any], depth: int) -> str | None:
        key, _ = self._node(event, events, depth + 1)
        if isinstance(key, str):
            return key
        hint = "a value that starts with {{ or [ needs quotes" if isinstance(key, (dict, list)) else "put it in quotes"
        self._report(event, f"a key must be text; {hint}")
        return None

    def _scalar(self, event: Any) -> Json:
        if event.style or not event.implicit[0]:
            self._check_tag(event, "tag:yaml.org,2002:str")
            return event.value
        try:
            return resolve(event.value)
        except ValueError as error:
            self._report(event, str(error))
            return None

    def _check_tag(self, event: Any, allowed: str) -> None:
        if event.tag not in (None, "!", allowed):
            self._report(event, f"the tag {event.tag} is not supported")

    def _count(self, event: Any, values: int) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise UnreadableError(
                [*self.problems, self._line(event, f"holds more than {MOST_VALUES:,} values, counting every use of an alias")]
            )

    def _report(self, event: Any, message: str) -> None:
        self.problems.append(self._line(event, message))

    def _line(self, event: Any, message: str) -> str:
        line, column = _line_and_column(event)
        return f"{self.name}:{line}:{column}: {message}"


def _line_and_column(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def resolve(text: str) -> Json:
    """The value of an unquoted YAML 1.2 scalar: null, a boolean, a number, else text (so `no`, `12:30` and dates are text).

    Raises ValueError for a number that JSON cannot carry.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
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
