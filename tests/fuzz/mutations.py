"""What goes wrong in requests: values of other kinds, missing and unknown members, depth, size, odd characters, broken bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

Json = Any
Path = tuple[str | int, ...]
DEEP = 100_000
_NESTED = "nested deeply: "
_STAND_IN = re.compile(f'"{_NESTED}([0-9]+)"')
ODD_TEXTS = (
    "", " ", "\x00", "\ud800", "\udc00\ud800", "a\u0301\u202e", "\x1b[31m", "\r\n", "🙂" * 50, "x" * 70_000, "٣", "-1", "1e999", "NaN",
    "null", "true", "../../etc/passwd", "%00", "{{ 1 }}", "{% for", "data:image/png;base64,", "data:,", "http://[", "(", "[", "\\",
    "(a+)+$", "{", '{"a":', "[1", "auto", "function", "gpt-5", "system", "tool", "assistant", "message", "file_search", "\u2028",
)  # fmt: skip
ODD_NUMBERS = (
    0,
    -1,
    1,
    2,
    3.5,
    -0.0,
    1e308,
    5e-324,
    10**18,
    -(10**18),
    2**63,
    2**64,
    10**40,
    10**400,
    1e22,
    128,
    4097,
    100_001,
)
ODD_VALUES: tuple[Json, ...] = (
    None, True, False, [], {}, [[]], [{}], [None], {"": None}, {"type": None}, {"type": []}, {"type": {}}, {"type": "object"}, [1, "a", None],
    {"a": {"b": [{}]}}, [[[[[]]]]], {"type": "function", "function": []}, {"type": "text", "text": 5}, {"role": 5}, {"id": [], "type": "x"},
)  # fmt: skip
ODD_TYPES = (
    "", "text/plain", "application/json; charset=utf-16", "application/x-www-form-urlencoded", "multipart/form-data",
    "multipart/form-data; boundary=", "multipart/form-data; boundary=x", "application/octet-stream", "APPLICATION/JSON", ";", "\xff",
    "multipart/mixed; boundary=x", "multipart/form-data; boundary=\"a b\"; boundary=c", "application/json, text/plain",
)  # fmt: skip
ODD_QUERY_VALUES = (
    "--5", "٣", "+5", " 5", "1_0", "5.0", "", "0", "-1", "9" * 400, "1e3", "0x10", "²", "true", "null", "asc", "desc", "\x00", "\ud800",
    "a" * 5_000, "[]", "{}", "%", "&", "=", "resp_x", "5", "20", "True", "inf", "nan",
)  # fmt: skip


def paths(document: Json, at: Path = ()) -> list[Path]:
    """The paths of all values inside a document, outer ones first."""
    found = [at]
    inner = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for key, value in inner:
        found += paths(value, (*at, key))
    return found


def get(document: Json, path: Path) -> Json:
    """The value at a path."""
    for key in path:
        document = document[key]
    return document


def put(document: Json, path: Path, value: Json) -> Json:
    """The document with another value at a path."""
    if not path:
        return value
    get(document, path[:-1])[path[-1]] = value
    return document


def delete(document: Json, path: Path) -> Json:
    """The document without the value at a path."""
    if path:
        del get(document, path[:-1])[path[-1]]
    return document


def odd_value(chance: Random) -> Json:
    """A value that is seldom expected."""
    return deepcopy(chance.choice((chance.choice(ODD_TEXTS), chance.choice(ODD_NUMBERS), chance.choice(ODD_VALUES))))


def mutate(document: Json, chance: Random) -> Json:
    """A document with one change, in place where it can be."""
    everywhere = paths(document)
    path, other = chance.choice(everywhere), chance.choice(everywhere)
    value = get(document, path)
    changes: tuple[Callable[[], Json], ...] = (
        lambda: put(document, path, odd_value(chance)),
        lambda: put(document, path, odd_value(chance)),
        lambda: delete(document, path),
        lambda: put(document, path, deepcopy(get(document, other))),
        lambda: put(document, path, [value]),
        lambda: put(document, path, {"type": value}),
        lambda: put(document, path, [deepcopy(value) for _ in range(chance.choice((2, 5, 130)))]),
        lambda: put(document, path, str(value) if not isinstance(value, str) else _number(value)),
        lambda: put(
            document, path, {**value, chance.choice(ODD_TEXTS): odd_value(chance)} if isinstance(value, dict) else value
        ),
        lambda: put(document, path, f"{_NESTED}{chance.choice((5, 60, 110, 190))}"),
    )
    return chance.choice(changes)()


def _number(text: str) -> float | str:
    try:
        return int(text)
    except ValueError:
        return len(text)


def spell(document: Json, *, ascii_only: bool = True) -> str:
    """A document as JSON. What is nested deeply stands in it as a text, since Python could not copy it."""
    return _STAND_IN.sub(lambda found: _nested(int(found[1])), json.dumps(document, ensure_ascii=ascii_only))


def _nested(levels: int) -> str:
    return '{"items": [{"properties": {"a": ' * (levels // 4) + '{"type": "array"}' + "}}]}" * (levels // 4)


def encode(document: Json, chance: Random) -> bytes:
    """A document as bytes, which are seldom broken too."""
    text = spell(document, ascii_only=chance.random() < 0.7)
    raw = text.encode("utf-8", "surrogatepass")
    if chance.random() > 0.08:
        return raw
    at = chance.randint(0, len(raw))
    broken: tuple[Callable[[], bytes], ...] = (
        lambda: raw[:at],
        lambda: raw[:at] + bytes([chance.randint(0, 255)]) + raw[at + 1 :],
        lambda: raw + raw,
        lambda: b"\xef\xbb\xbf" + raw,
        lambda: text.encode("utf-16", "surrogatepass"),
        lambda: b"[" * DEEP,
        lambda: b'{"messages":' * DEEP,
        lambda: raw[:-1] + b',"a":' + b"[" * DEEP + b"]" * DEEP + b"}",
        lambda: raw.replace(b":", b":NaN,", 1),
        lambda: raw[:-1] + b',"model":"gpt-4o"}',
        lambda: b"",
        lambda: b" " * 1_000 + raw,
        lambda: raw.replace(b'"', b"'"),
        lambda: raw[:-1] + b',"n":' + b"9" * 5_000 + b"}",
    )
    return chance.choice(broken)()
