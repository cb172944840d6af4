"""Stand-ins for what people and models said, and for names and ids: what stays are the protocol's words, and what is alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

Json = Any

_WORDS = re.compile(
    "background|code|context|country|effort|encoding_format|finish_reason|include|mode|moderation|object|output_format|param|phase"
    "|prompt_cache_retention|purpose|quality|ranker|reasoning_effort|role|search_content_types|search_context_size|service_tier|severity"
    "|size|source_type|status|summary|tool_choice|truncation|type|verbosity"
)
"""Members whose strings are words of the protocol."""
_TEXTS = re.compile(
    "content|delta|description|input|output|prompt|queries|reasoning_content|revised_prompt|stop|text|title|user"
)
"""Members whose strings are a person's or a model's."""
_IDS = re.compile("call_id|file_id|first_id|id|item_id|last_id|message|system_fingerprint|tool_call_id|vector_store_ids")
"""Members that are an id or, like the message of the service's error, can have one in them."""
_PIXEL = "iVBORw0KGgo="
_VECTOR = [0.5, -0.5, 0.5, 0.5]
_FIXED = {
    "embedding": "AAAAPwAAAL8AAAA/AAAAPw==",  # the same vector
    "encrypted_content": "gAAAAABlbmNyeXB0ZWQ=",
    "obfuscation": "",
    "partial_image_b64": _PIXEL,
    "result": _PIXEL,
    "url": f"data:image/png;base64,{_PIXEL}",
}
_MODELS = re.compile(r"(gpt|text-embedding|grok|embed)-[\w.-]+|o\d-mini[\w.-]*|davinci-002|ada", re.IGNORECASE)
_ITEMS = "resp|msg|rs|fc|ws|ci|ig|fs"
_ID = re.compile(
    r"(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    rf"|(?P<item>(?:{_ITEMS})_)(?P<start>[0-9a-f]{{16}})(?P<stored>0[01])[0-9a-f]{{12}}81[0-9a-f]{{18}}"
    rf"|(?P<prefix>(?:chatcmpl|cmpl|assistant)-|file-(?=[0-9a-f]{{32}}\b)|(?:{_ITEMS}|fp|call|vs)_)(?P<rest>[0-9A-Za-z]{{8,}})"
)
_SIGNS = ((r"[\x80-\uffff]", "é"), (r"[^\x00-\uffff]", "🙂"), (r"[<>&]", "<&>"), (r"\n", "\n"), (r'"', '"'))
"""Characters that are written in a way of their own, and what stands for them."""


class StandIns:
    """One for all exchanges, so that a text, a name or an id which two of them share stays one."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        self._members: dict[str, str] = {}
        self._midnight = 0
        self._others = {"model": self.model, "name": self._name, "arguments": self._arguments, "filename": self._filename}

    def begin(self, midnight: int, request: Json) -> None:
        """Begin an exchange of the day that begins at `midnight`, in Unix seconds."""
        self._midnight = midnight
        self._members = {name: f"member_{at:02}" for at, name in enumerate(sorted(set(_properties(request))))}

    def _number(self, kind: str, value: str) -> int:
        known = self._numbers.setdefault(kind, {})
        return known.setdefault(value, len(known) + 1)

    def value(self, value: Json, key: str = "") -> Json:
        """A JSON value with stand-ins; `key` is the member that it is of."""
        if isinstance(value, dict):
            schema = key in ("parameters", "schema")
            return self._schema(value) if schema else {name: self.value(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return _VECTOR if key == "embedding" else [self.value(inner, key) for inner in value]
        if isinstance(value, str):
            return self.string(value, key)
        if isinstance(value, int) and value > 1_000_000_000:
            return self._midnight
        return type(value)(1) if key.endswith("_ms") and value is not None else value

    def string(self, value: str, key: str) -> str:
        """What stands for a string that is of the member `key`; a member that is not known ends the program."""
        if not value or _WORDS.fullmatch(key):
            return value
        if key in _FIXED:
            return _FIXED[key]
        if _TEXTS.fullmatch(key):
            return self._text(value)
        if _IDS.fullmatch(key):
            return self.ids(value)
        if key in self._others:
            return self._others[key](value)
        raise SystemExit(f"neither a word of the protocol nor a text: {key!r} with {value!r}")

    def _arguments(self, value: str) -> str:
        return json.dumps({"text": self._text(value)}, ensure_ascii=False)

    def _filename(self, value: str) -> str:
        return self._text(value) + PurePosixPath(value).suffix

    def _name(self, value: str) -> str:
        return f"tool_{self._number('tool', value)}"

    def _text(self, value: str) -> str:
        return "".join([f"text {self._number('text', value)}", *(sign for kind, sign in _SIGNS if re.search(kind, value))])

    def model(self, name: str) -> str:
        """The names of models stay; those that people gave to deployments do not."""
        return name if _MODELS.fullmatch(name) else f"deployment-{self._number('deployment', name)}"

    def ids(self, text: str) -> str:
        """Ids of the same form; which of them are the same, or have a beginning in common, stays so."""
        return _ID.sub(self._id, text)

    def _id(self, found: re.Match[str]) -> str:
        if found["uuid"]:
            return f"00000000-0000-4000-8000-{self._number('id', found[0]):012}"
        if found["item"]:
            start, end = self._number("start", found["start"]), self._number("id", found[0])
            return f"{found['item']}{start:016}{found['stored']}{0:012}81{end:018}"
        number = self._number("id", found[0])  # in front, since what old ids have in common is at their end
        return found["prefix"] + f"{number:08}".ljust(len(found["rest"]), "0")

    def _schema(self, value: Json, key: str = "") -> Json:
        """A JSON Schema whose members have names of ours, in the same alphabetical order."""
        if isinstance(value, dict) and key == "properties":
            return {self._members[name]: self._schema(inner) for name, inner in value.items()}
        if isinstance(value, dict):
            return {name: self._schema(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._members[one] if key == "required" else self._schema(one, key) for one in value]
        return self._text(value) if isinstance(value, str) and key != "type" else value


def _properties(schema: Json) -> Iterator[str]:
    """The names of all members that the schemas in a value describe."""
    if isinstance(schema, dict):
        for name, inner in schema.items():
            yield from inner if name == "properties" else ()
            yield from _properties(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _properties(inner)
