"""JSON that only the words of a prompt describe: by a schema, an example, a sketch, or the names of its members."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mockserver.model.json_schema import make_instance
from mockserver.model.prompt import Prompt, parse_json
from mockserver.state.chance import Chance

Json = Any

_ANNOUNCED = re.compile(
    r"\b(?:output|respon[ds]e?|returns?|reply|answers?|formats?|formatted|following|schema|examples?|produce|provide|"
    r"json object|as json|in json)\b[^{}]*$",
    re.IGNORECASE,
)
# What makes a schema in a prompt a demand, and no piece of data.
_DEMANDED = re.compile(
    r"\b(?:conform|compatible|match|adher|follow|compl(?:y|ies)|output|respond|return|instance)", re.IGNORECASE
)
_NAMES = r"(?:keys?|fields?|propert(?:y|ies)|attributes?|members?)"
_QUOTED = re.compile(r"[`\"'“]([A-Za-z_][\w-]*)[`\"'”]")
_KEYS_FOLLOW = re.compile(rf"\b{_NAMES}\b(.{{1,300}})", re.IGNORECASE | re.DOTALL)
_KEYS_BEFORE = re.compile(rf"((?:[`\"'“][A-Za-z_][\w-]*[`\"'”](?:,? and |, | & )?){{1,30}}) {_NAMES}\b", re.IGNORECASE)
_PLAIN_KEYS = re.compile(
    rf"\b{_NAMES}(?: are| named| called)?:? ([A-Za-z_]\w*(?:(?:,? and |, )[A-Za-z_]\w*){{1,30}})", re.IGNORECASE
)
_LISTED_KEYS = re.compile(r"^[ \t]*(?:[-*•]|\d+\.)[ \t]*[`\"'*]{0,3}([A-Za-z_]\w*)[`\"'*]{0,3}[ \t]*(?:[:(–-]|$)", re.MULTILINE)
_KEY_AND_COLON = re.compile(r"[`\"'“]?([A-Za-z_][\w-]*)[`\"'”]?\s*:")
_PLACEHOLDER = re.compile(r"\.\.\.|…|<.*>|^\s*(?:string|text|your .*)?\s*$", re.IGNORECASE | re.DOTALL)


def data(prompt: Prompt, without_braces: bool = False) -> str:
    """What a structured answer is about: the user's text, and the results of tools that were called for it.

    `without_braces` is for texts that hold a schema, which is no data.
    """
    user = prompt.user
    for _, braced in _find_braced(user) if without_braces else ():
        user = user.replace(braced, " ") if '"properties"' in braced else user
    return "\n".join([user, *[result.text for result in prompt.unanswered_results]])


def demanded_schema(prompt: Prompt) -> dict[str, Json] | None:
    """The JSON schema in a prompt's words that the answer has to follow; None where they have none."""
    for text in (prompt.system, prompt.user):
        if '"properties"' not in text or not _DEMANDED.search(text):
            continue
        for before, braced in reversed(list(_find_braced(text))):
            schema = _read(braced)
            if _ANNOUNCED.search(before) and _is_schema(schema):
                return dict(schema)
    return None


def make_object(prompt: Prompt, chance: Chance) -> dict[str, Json]:
    """A JSON object for JSON mode.

    It follows a schema, an example or a sketch in the instructions, else it has the members that they name, else `answer`. What the
    prompt gives for its members goes into them.
    """
    for text in (prompt.system, prompt.user):
        for braced in reversed([braced for before, braced in _find_braced(text) if _ANNOUNCED.search(before)]):
            value = _follow(braced, data(prompt).replace(braced, " "), chance)
            if value is not None:
                return value
    for text in (prompt.system, prompt.user):
        if keys := _named_keys(text):
            return _fill(dict.fromkeys(keys, True), chance, data(prompt))
    from mockserver.model.prose import write_answer

    return {"answer": write_answer(prompt.user, chance)}


def _follow(braced: str, context: str, chance: Chance) -> dict[str, Json] | None:
    """An object like the one in braces, which may be a schema, an example, a sketch, or none of them."""
    example = _read(braced)
    if _is_schema(example):
        value = make_instance(example, chance, context)
        return value if isinstance(value, dict) else {}
    if isinstance(example, dict):
        return {key: _imitate(key, value, chance, context) for key, value in example.items()} or None
    return _fill(_read_sketch(braced), chance, context) if _KEY_AND_COLON.search(braced) else None


def _read(braced: str) -> Json:
    """The value of JSON in braces, also where a template has left them doubled; else the text."""
    doubled = braced.startswith("{{") and braced.endswith("}}")
    return parse_json(braced.replace("{{", "{").replace("}}", "}") if doubled else braced)


def _is_schema(value: Json) -> bool:
    if not isinstance(value, dict):
        return False
    return isinstance(value.get("properties"), dict) or isinstance(value.get("$defs"), dict)


def _named_keys(text: str) -> list[str]:
    """The members that a text names: in quotation marks or as a list, beside a word such as `keys`."""
    for named in _KEYS_BEFORE.findall(text):
        return list(_QUOTED.findall(named))
    for following in _KEYS_FOLLOW.findall(text):
        if keys := _QUOTED.findall(following) or _LISTED_KEYS.findall(following):
            return list(keys)
    return [key for named in _PLAIN_KEYS.findall(text)[:1] for key in re.split(",? and |, ", named)]


def _fill(properties: dict[str, Json], chance: Chance, context: str) -> dict[str, Json]:
    value = make_instance({"type": "object", "properties": properties}, chance, context)
    return value if isinstance(value, dict) else {}


def _find_braced(text: str) -> Iterator[tuple[str, str]]:
    """Every outermost `{…}` of a text, after the 160 characters before it, which may announce it."""
    depth = start = 0
    for match in re.finditer("[{}]", text):
        if match[0] == "{":
            start = start if depth else match.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                yield text[max(0, start - 160) : start], text[start : match.end()]


def _imitate(key: str, example: Json, chance: Chance, context: str) -> Json:
    """A value like the one in an example. Numbers and short words stay the same, since they are sure to be allowed."""
    if isinstance(example, dict):
        return {name: _imitate(name, value, chance, context) for name, value in example.items()}
    if isinstance(example, list):
        return [_imitate(key, value, chance, context) for value in example]
    if isinstance(example, str) and (_PLACEHOLDER.search(example) or len(example.split()) > 3):
        return _fill({key: {"type": "string"}}, chance, context)[key]
    return example


def _read_sketch(sketch: str) -> dict[str, Json]:
    """Properties from a sketch that is not JSON, such as `{"score": <1-5>, "passed": true/false, "why": "…"}`."""
    keys = list(_KEY_AND_COLON.finditer(sketch))
    ends = [key.start() for key in keys[1:]] + [len(sketch)]
    return {key[1]: _read_hint(sketch[key.end() : end].strip(" ,\n}")) for key, end in zip(keys, ends, strict=True)}


def _read_hint(hint: str) -> Json:
    """The schema of a value that a sketch describes: a range, alternatives, or the name of a type."""
    span = re.search(r"(\d{1,9})\s*(?:-|–|to|\.\.+|and)\s*(\d{1,9})", hint)
    if span:
        return {"type": "integer", "minimum": int(span[1]), "maximum": int(span[2])}
    if re.search(r"\b(?:true|false|bool(?:ean)?)\b", hint, re.IGNORECASE):
        return {"type": "boolean"}
    if hint.startswith("["):
        return {"type": "array", "items": True}
    if re.search(r"\b(?:int|integer|number|float)\b|^\d", hint, re.IGNORECASE):
        return {"type": "integer"}
    options = (
        re.findall(r"[\w-]+", hint) if re.fullmatch(r"[<\"']?[\w-]+[\"']?(?:\s*[|/]\s*[\"']?[\w-]+[\"']?)+>?", hint) else []
    )
    return {"type": "string", "enum": options} if options else True
