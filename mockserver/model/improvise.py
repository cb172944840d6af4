"""Replies to calls that no script answers: plausible, valid, and the same for the same prompt and chance."""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterator
from typing import Any

from mockserver.model.json_schema import make_instance
from mockserver.model.prompt import Grammar, Prompt, Tool, Turn, parse_json
from mockserver.model.reply import Audio, Part, Reasoning, Reply, Text, ToolCall
from mockserver.state.chance import Chance

Json = Any

# Fewest and most reasoning tokens by effort, in units of 64.
_EFFORTS = {"minimal": (0, 0), "low": (1, 1), "medium": (1, 3), "high": (4, 8), "xhigh": (8, 16)}
_SUMMARIES = (
    ("Considering the request", "I'm looking at what is being asked and at which details matter for a good answer."),
    (
        "Weighing the options",
        "There is more than one way to go about this, so I compare them and keep the simplest that works.",
    ),
    ("Checking the details", "Before I answer I want to be sure that nothing in the question has been overlooked."),
    ("Planning the answer", "A short and direct answer seems best here, with the main point first and the rest after it."),
)
_FUNCTION_WORDS = """the and for with that this from what how you can get please use tool are was will would could about into not
all any has have its their your our when where which who why give tell show need want return call"""
_COMMON = frozenset(_FUNCTION_WORDS.split())
_LONGEST_INPUT = 400  # characters
_SAMPLE_RATE = 24_000
_SAMPLES_PER_CHARACTER = 48  # far shorter than speech, so that a mock's answer stays small
_ANNOUNCED = re.compile(
    r"\b(?:output|respon[ds]e?|returns?|reply|answers?|formats?|formatted|following|schema|examples?|produce|provide|"
    r"json object|as json|in json)\b[^{}]*$",
    re.IGNORECASE,
)
_KEYS_FOLLOW = re.compile(r"\b(?:keys?|fields?|property|properties|attributes?)\b(.{1,300})", re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r"[`\"'“]([A-Za-z_][\w-]*)[`\"'”]")
_KEY_AND_COLON = re.compile(r"[`\"'“]?([A-Za-z_][\w-]*)[`\"'”]?\s*:")
_PLACEHOLDER = re.compile(r"\.\.\.|…|<.*>|^\s*(?:string|text|your .*)?\s*$", re.IGNORECASE | re.DOTALL)


def improvise(prompt: Prompt, chance: Chance) -> Reply:
    """Reply to a prompt as a model could: with a tool call, or else in the format and modality that the prompt demands.

    A forced tool is called; where several are allowed, one not yet called since the last user turn, so that forced loops
    end. With `auto` the tool that has most words in common with the user's text (else the first) is called once; the reply
    to its results repeats them. Of the built-in tools `file_search` alone is used. A model that reasons does so first, in steps
    of 64 tokens. Limits (`max_tokens`, `stop`) are applied later. All of it is inferred: a model is free to answer as it likes.
    """
    thoughts = _thoughts(prompt, chance.fork("thoughts"))
    tool = _tool_to_call(prompt)
    if tool is not None:
        return Reply([*thoughts, _call(tool, prompt, chance.fork("call"))])
    answer = _answer(prompt, chance.fork("answer"))
    if not any(tool.kind == "file_search" for tool in prompt.tools):
        return Reply([*thoughts, answer])
    from mockserver.model.grounding import grounded

    return Reply([*thoughts, *grounded(prompt, answer)])


def _thoughts(prompt: Prompt, chance: Chance) -> list[Part]:
    model = prompt.model
    effort = prompt.effort or model.default_effort or "medium"
    shows_reasoning = model.dialect != "openai" and model.thinking
    if effort == "none" or not (shows_reasoning or model.reasons):
        return []
    least, most = _EFFORTS.get(effort, _EFFORTS["medium"])
    tokens = 64 * (least + chance.below(most - least + 1))
    summary = _summary(prompt.summary, chance) if prompt.summary and tokens else ()
    if not shows_reasoning:
        return [Reasoning(summary=summary, tokens=tokens)]
    quotation = f'The user wrote "{_shorten(prompt.user, 80)}". ' if prompt.user.strip() else ""
    return [Reasoning(summary=summary, text=f"{quotation}{chance.choice(_SUMMARIES)[1]}")]


def _summary(detail: str, chance: Chance) -> tuple[str, ...]:
    count = {"concise": 1, "detailed": 2}.get(detail) or 1 + chance.below(2)
    start = chance.below(len(_SUMMARIES))
    chosen = [_SUMMARIES[(start + offset) % len(_SUMMARIES)] for offset in range(count)]
    return tuple(f"**{title}**\n\n{sentence}" for title, sentence in chosen)


def _tool_to_call(prompt: Prompt) -> Tool | None:
    choice = prompt.tool_choice
    tools = [tool for tool in prompt.tools if tool.kind in ("function", "custom")]
    if choice.names:
        tools = [tool for tool in tools if tool.name in choice.names]
    if choice.mode == "none" or not tools:
        return None
    if choice.mode == "required":
        return _least_called(tools, prompt)
    if _results(prompt):
        return None
    words = _keywords(prompt.user)
    return max(tools, key=lambda tool: len(words & _keywords(f"{tool.name} {tool.description or ''}")))


def _least_called(tools: list[Tool], prompt: Prompt) -> Tool:
    """The tool called least since the last user turn; of equals the latest called (a retry), else the first offered."""
    called: list[str] = []
    for turn in prompt.turns:
        called = [] if turn.role == "user" else called + [use.name for use in turn.tool_calls]
    latest = {name: position for position, name in enumerate(called)}
    return min(tools, key=lambda tool: (called.count(tool.name), -latest.get(tool.name, -1)))


def _results(prompt: Prompt) -> list[Turn]:
    """The tool results that no assistant turn has answered yet, even where a user turn follows them."""
    results: list[Turn] = []
    for turn in reversed(prompt.turns):
        if turn.role == "assistant":
            break
        if turn.role == "tool":
            results.append(turn)
    return results[::-1]


def _keywords(text: str) -> set[str]:
    """The words of a text or of a tool's name, in the singular and without function words."""
    words = [word.lower() for word in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+", text)]
    return {word[:-1] if word.endswith("s") else word for word in words if len(word) > 2 and word not in _COMMON}


def _call(tool: Tool, prompt: Prompt, chance: Chance) -> ToolCall:
    if tool.kind == "custom":
        return ToolCall(tool.name, _free_input(tool, chance), kind="custom")
    arguments = make_instance(tool.parameters, chance, prompt.user) if tool.parameters else {}
    return ToolCall(tool.name, _compact(arguments if isinstance(arguments, dict) else {}))


def _free_input(tool: Tool, chance: Chance) -> str:
    """Input for a custom tool: what its grammar takes, where it has one and an example is found; else words."""
    example = _example(tool.grammar, chance) if tool.grammar is not None else None
    if example is not None:
        return example
    from mockserver.model.prose import write_words

    return write_words(6, chance)


def _example(grammar: Grammar, chance: Chance) -> str | None:
    if grammar.syntax == "regex":
        from mockserver.model.json_schema.patterns import make_match

        return make_match(rf"^(?:{grammar.definition})\Z", 0, _LONGEST_INPUT, chance)
    from mockserver.model.grammar import GrammarError, make_sentence

    try:
        return make_sentence(grammar.definition, chance)
    except GrammarError:
        return None


def _answer(prompt: Prompt, chance: Chance) -> Text | Audio:
    if prompt.output.kind == "json_schema":
        return Text(_compact(make_instance(prompt.output.schema or {"type": "object"}, chance, prompt.user)))
    if prompt.output.kind == "json_object":
        return Text(_compact(_object(prompt, chance)))
    results = _results(prompt)
    text = " ".join(_report(result) for result in results) if results else _prose(prompt, chance)
    return Audio(text, _silence(text)) if "audio" in prompt.modalities else Text(text)


def _prose(prompt: Prompt, chance: Chance) -> str:
    from mockserver.model.prose import write_answer

    return write_answer(prompt.user, chance)


def _report(result: Turn) -> str:
    """A sentence with a tool's result."""
    name = result.name or "the tool"
    value = parse_json(result.text)
    if isinstance(value, dict):
        value = ", ".join(f"{key}: {inner if isinstance(inner, str) else _compact(inner)}" for key, inner in value.items())
    text = _shorten(value if isinstance(value, str) else _compact(value), 200)
    return f"According to {name}: {text.rstrip('.')}." if text else f"{name[:1].upper()}{name[1:]} returned nothing."


def _shorten(text: str, limit: int) -> str:
    """A text on one line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _silence(transcript: str) -> str:
    """A silent WAV file (16-bit mono, 24 kHz) in base64, as long as the transcript demands."""
    sound = bytes(2 * _SAMPLES_PER_CHARACTER * max(1, len(transcript)))
    layout = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, _SAMPLE_RATE, 2 * _SAMPLE_RATE, 2, 16)
    body = b"WAVE" + layout + struct.pack("<4sI", b"data", len(sound)) + sound
    return base64.b64encode(struct.pack("<4sI", b"RIFF", len(body)) + body).decode()


def _object(prompt: Prompt, chance: Chance) -> dict[str, Json]:
    """A JSON object for JSON mode: like an example or sketch in the instructions, else with keys that they name or `answer`."""
    for text in (prompt.system, prompt.user):
        for braced in reversed([braced for before, braced in _find_braced(text) if _ANNOUNCED.search(before)]):
            example = parse_json(braced)
            if isinstance(example, dict) and example:
                return {key: _imitate(key, value, chance) for key, value in example.items()}
            if not isinstance(example, dict) and _KEY_AND_COLON.search(braced):
                return _fill(_read_sketch(braced), chance, prompt.user)
    for text in (prompt.system, prompt.user):
        keys = [key for list_of_keys in _KEYS_FOLLOW.findall(text) for key in _QUOTED.findall(list_of_keys)]
        if keys:
            return _fill(dict.fromkeys(keys, True), chance, prompt.user)
    return {"answer": _prose(prompt, chance)}


def _fill(properties: dict[str, Json], chance: Chance, context: str) -> dict[str, Json]:
    value = make_instance({"type": "object", "properties": properties}, chance, context)
    return value if isinstance(value, dict) else {}


def _find_braced(text: str) -> Iterator[tuple[str, str]]:
    """Every outermost `{…}` of a text, after the 160 characters before it, which may announce it."""
    depth = start = 0
    for position, character in enumerate(text):
        if character == "{":
            start = start if depth else position
            depth += 1
        elif character == "}" and depth:
            depth -= 1
            if not depth:
                yield text[max(0, start - 160) : start], text[start : position + 1]


def _imitate(key: str, example: Json, chance: Chance) -> Json:
    """A value like the one in an example. Numbers and short words stay the same, since they are sure to be allowed."""
    if isinstance(example, dict):
        return {name: _imitate(name, value, chance) for name, value in example.items()}
    if isinstance(example, list):
        return [_imitate(key, value, chance) for value in example]
    if isinstance(example, str) and (_PLACEHOLDER.search(example) or len(example.split()) > 3):
        return _fill({key: {"type": "string"}}, chance, "")[key]
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
