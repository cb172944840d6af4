"""What two answers differ by, once all that chance, time and the network decide is set aside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Json = Any
Kind = Literal["absent", "added", "order", "value", "spelling"]


@dataclass(frozen=True)
class Difference:
    """One difference: `absent` is what only the recording has, `added` what only this server sends. In `path` lists have no index."""

    kind: Kind
    path: str
    ours: Json = None
    theirs: Json = None

    def __str__(self) -> str:
        values = "" if self.kind in ("absent", "added") else f"\n    ours:   {self.ours!r}\n    theirs: {self.theirs!r}"
        return f"{self.kind} {self.path}{values}"


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MASKED = re.compile(r"[A-Z-]+-XXX|REDACTED|MASKED|Sanitized|<[A-Z_]+>")
_SESSION = re.compile(r"d\d{14}-[0-9a-f]{8}([0-9a-f]{4}){0,2}|d\d{3}-\d{14}|[a-z]{1,2}[0-9a-f]{11,12}-\d+|turbo-\d+-\d+")
DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT")
_COUNTED = re.compile(
    r"x-ratelimit-remaining-(requests|tokens)|content-length|openai-processing-ms|x-envoy-upstream-service-time|num-(chars|tokens)"
    r"|(prompt|sampling)-token-len"
)


def headers_differ(ours: dict[str, str], theirs: dict[str, str], sent: dict[str, str]) -> Iterator[Difference]:
    """What two sets of headers differ by; `sent` are those of the request."""
    yield from (Difference("absent", f"header.{name}", theirs=theirs[name]) for name in theirs if name not in ours)
    yield from (Difference("added", f"header.{name}", ours[name]) for name in ours if name not in theirs)
    for name in ours.keys() & theirs.keys():
        mine, told = _header(name, ours, sent), _header(name, theirs, sent)
        if mine != told:
            yield Difference("value", f"header.{name}", mine, told)


def _header(name: str, headers: dict[str, str], sent: dict[str, str]) -> str:
    value = headers[name]
    if name == "x-ms-client-request-id" and value in (sent.get(name), headers["apim-request-id"]):
        return "<as sent>" if value == sent.get(name) else "<as apim-request-id>"
    if _MASKED.fullmatch(value):
        return "<masked>"
    if _UUID.fullmatch(value):
        return "<uuid>"
    if _COUNTED.fullmatch(name) and value.isdigit():
        return "<count>"
    if name == "azureml-model-session":
        return "<session>" if _SESSION.fullmatch(value) else value
    return "<date>" if name == "date" and DATE.fullmatch(value) else value


_PREFIXES = "resp|msg|rs|fc|ws|ci|ig|fs"
_IDS = (
    (re.compile(r"(chatcmpl|cmpl)-[0-9A-Za-z]{29}"), r"<\1>"),
    (re.compile(rf"({_PREFIXES})_[0-9a-f]{{16}}(0[01])[0-9a-f]{{12}}81[0-9a-f]{{18}}"), r"<\1 \2>"),
    (re.compile(rf"({_PREFIXES})_[0-9a-f]{{48}}"), r"<\1 of 48>"),
    (re.compile(r"(assistant)-[0-9A-Za-z]{22,24}"), r"<\1>"),
    (re.compile(r"(file)-[0-9a-f]{32}"), r"<\1>"),
    (re.compile(r"fp_[0-9a-f]{10}"), "<fingerprint>"),
    (_UUID, "<uuid>"),
    (re.compile(r"(?<![-\w])[0-9a-f]{32}\b"), "<32 digits>"),
)
_TIMES = ("created", "created_at", "completed_at")
_HIDDEN = {"obfuscation": re.compile(r"[A-Za-z0-9]*"), "encrypted_content": re.compile(r"gAAAAA[\w-]+={0,2}")}
_COUNTS = ("sequence_number", "end_offset")


def plain(value: Json, times: range, name: str = "") -> Json:
    """A JSON value with ids, times, obfuscation and encrypted content replaced by what kind of thing they are.

    That is as far as they are of their kind: `times` are the seconds in which the answer may have been made.
    """
    if isinstance(value, dict):
        return {key: plain(inner, times, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner, times) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return _plain_number(value, times, name)
    return _plain_text(value, name) if isinstance(value, str) else value


def _plain_number(value: int, times: range, name: str) -> int | str:
    if name in _TIMES and value in times:
        return "<time>"
    if name in _COUNTS and value >= 0:
        return "<count>"
    return "<milliseconds>" if name.endswith("_ms") and value >= 0 else value


def _plain_text(value: str, name: str) -> str:
    if name in _HIDDEN and _HIDDEN[name].fullmatch(value):
        return f"<{name}>"
    if name not in ("text", "content", "arguments", "result"):
        for pattern, label in _IDS:
            value = pattern.sub(label, value)
    return value


def diff(path: str, ours: Json, theirs: Json) -> Iterator[Difference]:
    """What two JSON values differ by, member by member, and in the order of these."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        shared = [name for name in theirs if name in ours]
        yield from (Difference("absent", f"{path}.{name}", theirs=theirs[name]) for name in theirs if name not in ours)
        yield from (Difference("added", f"{path}.{name}", ours[name]) for name in ours if name not in theirs)
        if shared != [name for name in ours if name in theirs]:
            yield Difference("order", path, list(ours), list(theirs))
        for name in shared:
            yield from diff(f"{path}.{name}", ours[name], theirs[name])
    elif (
        isinstance(ours, list) and isinstance(theirs, list) and (len(ours) == len(theirs)) and any(map(_nested, ours + theirs))
    ):
        for mine, told in zip(ours, theirs, strict=True):
            yield from diff(f"{path}[]", mine, told)
    elif ours != theirs or type(ours) is not type(theirs):
        yield Difference("value", path, ours, theirs)


def _nested(value: Json) -> bool:
    return isinstance(value, (dict, list))
