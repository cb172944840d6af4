"""Replies to calls that no script answers: plausible, valid, and the same for the same prompt and chance."""

from __future__ import annotations

import base64
import json
import re
import struct
from typing import Any

from mockserver.model.json_mode import data, demanded_schema, make_object
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
    if prompt.unanswered_results:
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


def _keywords(text: str) -> set[str]:
    """The words of a text or of a tool's name, in the singular and without function words."""
    words = [word.lower() for word in re.findall(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+", text)]
    return {word[:-1] if word.endswith("s") else word for word in words if len(word) > 2 and word not in _COMMON}


def _call(tool: Tool, prompt: Prompt, chance: Chance) -> ToolCall:
    if tool.kind == "custom":
        return ToolCall(tool.name, _free_input(tool, chance), kind="custom")
    arguments = make_instance(tool.parameters, chance, data(prompt)) if tool.parameters else {}
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
        return Text(_compact(make_instance(prompt.output.schema or {"type": "object"}, chance, data(prompt))))
    if prompt.output.kind == "json_object":
        return Text(_compact(make_object(prompt, chance)))
    if (schema := demanded_schema(prompt)) is not None:
        return Text(_compact(make_instance(schema, chance, data(prompt, without_braces=True))))
    results = prompt.unanswered_results
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
