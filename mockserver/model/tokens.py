"""Exact token counts without a network: of texts, of their pieces in a stream, and of prompts.

Nothing is loaded before the first count. Text that looks like a special token (`<|endoftext|>`) is ordinary text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mockserver.model.tokenizer import load_tokenizer
from mockserver.model.vocabulary import ENCODINGS as ENCODINGS
from mockserver.model.vocabulary import LARGEST as LARGEST

if TYPE_CHECKING:
    from mockserver.model.prompt import OutputFormat, Prompt, Tool

Json = Any

# Tokens beside those of texts; the recipe is explained in `count_prompt`.
_PER_MESSAGE = 3
_PER_ROLE = 1
_PER_NAME = 1
_PER_TOOL_CALL = 10
_PRIMING = 3
_IMAGE = 85
_LONGEST_CACHED_TEXT = 1_000  # characters
_LONGEST_COUNTED_TEXT = 1_000_000  # characters: without spaces these take seconds, in which nobody else is answered
_DEEPEST_TYPE = 12


Segment = tuple[str, int, str]
"""A text that the model reads, how many tokens there are around it, and its kind, such as `user` or `tools`."""


def count(text: str, encoding: str = "o200k_base") -> int:
    """How many tokens `text` has. Raises ValueError for an unknown encoding.

    Of a text beyond a million characters the first million is counted, and the rest taken to be like it.
    """
    if len(text) <= _LONGEST_CACHED_TEXT:
        return _cached_count(text, encoding)
    tokenizer = load_tokenizer(encoding)
    if len(text) <= _LONGEST_COUNTED_TEXT:
        return tokenizer.count(text)
    return round(tokenizer.count(text[:_LONGEST_COUNTED_TEXT]) * len(text) / _LONGEST_COUNTED_TEXT)


def count_words(text: str, encoding: str) -> Iterator[tuple[str, int]]:
    """The words of `text`, which join to it again, each with its number of tokens."""
    return load_tokenizer(encoding).count_words(text)


def pieces(text: str, encoding: str) -> tuple[list[str], list[int]]:
    """Pieces of a few characters each, which join to `text` again, and their numbers of tokens: the quickest way to measure a text."""
    return load_tokenizer(encoding).count_pieces(text)


def split(text: str, encoding: str = "o200k_base") -> list[str]:
    """`text` cut at its token boundaries; joined, the pieces are `text` again.

    A character whose bytes are spread over several tokens stays in one piece, so there can be fewer pieces than tokens.
    """
    if len(text) <= _LONGEST_CACHED_TEXT:
        return list(_cached_pieces(text, encoding))
    return load_tokenizer(encoding).split(text)


def truncate(text: str, limit: int, encoding: str = "o200k_base") -> str:
    """The first `limit` tokens of `text`; a character that would be cut in two is left out."""
    return load_tokenizer(encoding).truncate(text, limit)


def decode(tokens: Iterable[int], encoding: str = "cl100k_base") -> str:
    """The text of token ids. Raises ValueError for an id that the vocabulary does not have."""
    return load_tokenizer(encoding).decode(tokens)


def count_prompt(prompt: Prompt) -> int:
    """The input tokens of a prompt, by the recipe that the docs give for chat.

    Three tokens a message and three that prime the answer (two on reasoning models: wire) are exact for text. Approximate are
    tools and output schemas, which the service writes into the prompt in its own way (inferred: a TypeScript-like declaration,
    and JSON), tool calls, and images, each counted as a low-detail one (docs: 85 tokens). Sound and files are not counted:
    their content is not at hand.
    """
    encoding = prompt.model.encoding
    total = _PRIMING - prompt.model.reasons
    for text, overhead, _ in segments(prompt):
        total += count(text, encoding) + overhead
    return total


def segments(prompt: Prompt) -> Iterator[Segment]:
    """Everything that the model reads, in order."""
    if prompt.tools:
        yield _declare(prompt.tools), 0, "tools"
    if prompt.output.schema is not None:
        yield _describe_schema(prompt.output), 0, "schema"
    if prompt.instructions:
        yield prompt.instructions, _PER_MESSAGE + _PER_ROLE, "instructions"
    for turn in prompt.turns:
        yield turn.text, _PER_MESSAGE + _PER_ROLE, turn.role
        if turn.name and turn.role != "tool":
            yield turn.name, _PER_NAME, "name"
        for use in turn.tool_calls:
            yield use.name, _PER_TOOL_CALL, "call"
            yield use.arguments, 0, "arguments"
        for media in turn.media:
            yield "", _IMAGE if media.kind == "image" else 0, media.reference


# Every call of a conversation repeats its system prompt, its tools and its earlier turns.
@lru_cache(maxsize=2_048)
def _cached_count(text: str, encoding: str) -> int:
    return load_tokenizer(encoding).count(text)


# A rule streams the same text to every call that it answers.
@lru_cache(maxsize=512)
def _cached_pieces(text: str, encoding: str) -> tuple[str, ...]:
    return tuple(load_tokenizer(encoding).split(text))


def _describe_schema(output: OutputFormat) -> str:
    schema = json.dumps(output.schema, ensure_ascii=False, separators=(",", ":"), default=str)
    return f"# Response Formats\n\n## {output.name or ''}\n\n{schema}"


def _declare(tools: Sequence[Tool]) -> str:
    declarations = "\n\n".join([_declare_tool(tool) for tool in tools])
    return f"# Tools\n\n## functions\n\nnamespace functions {{\n\n{declarations}\n\n}} // namespace functions\n\n"


def _declare_tool(tool: Tool) -> str:
    comment = f"// {tool.description}\n" if tool.description else ""
    fields = _declare_fields(tool.parameters, 0)
    return f"{comment}type {tool.name} = ({f'_: {fields}' if fields else ''}) => any;"


def _declare_fields(schema: Json, depth: int) -> str:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or not properties or depth > _DEEPEST_TYPE:
        return ""
    required = schema.get("required")
    lines = ["{"]
    for name, field in properties.items():
        comment = field.get("description") if isinstance(field, dict) else None
        lines += [f"// {comment}"] if comment else []
        optional = "" if isinstance(required, list) and name in required else "?"
        lines.append(f"{name}{optional}: {_declare_type(field, depth + 1)},")
    return "\n".join([*lines, "}"])


def _declare_type(schema: Json, depth: int) -> str:
    if not isinstance(schema, dict) or depth > _DEEPEST_TYPE:
        return "any"
    if isinstance(options := schema.get("enum"), list):
        return " | ".join([json.dumps(option, ensure_ascii=False, default=str) for option in options])
    if isinstance(branches := schema.get("anyOf"), list):
        return " | ".join([_declare_type(branch, depth + 1) for branch in branches])
    kind = schema.get("type")
    if kind == "array":
        return f"{_declare_type(schema.get('items'), depth + 1)}[]"
    if kind == "object":
        return _declare_fields(schema, depth) or "object"
    names = kind if isinstance(kind, list) else [kind]
    return " | ".join(["number" if name == "integer" else str(name or "any") for name in names])
