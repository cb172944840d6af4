"""Improvised answers that rest on files: what the tool `file_search` finds for the user is quoted, with its source."""

from __future__ import annotations

import re

from mockserver.model.prompt import Passage, Prompt
from mockserver.model.reply import Audio, BuiltInCall, Part, Text
from mockserver.model.search.words import content_words

_LONGEST_QUOTE = 400  # characters
_SENTENCE_ENDS = re.compile(r"(?<=[.!?。！？])\s+|\n+")


def grounded(prompt: Prompt, answer: Text | Audio) -> list[Part]:
    """The parts of an answer: a search and a quotation in place of `answer` where the search finds something.

    The tool is used wherever it is offered and finds a passage with words of the question, and where the caller demands it. The
    surface fills in the queries and results. Only plain text quotes; JSON stays as it is.
    """
    found = [passage for passage in prompt.passages() if passage.score > 0] if _searches(prompt) else []
    if not found and not _demanded(prompt):
        return [answer]
    use = BuiltInCall({"type": "file_search_call"})
    if not found or not isinstance(answer, Text) or prompt.output.kind != "text":
        return [use, answer]
    return [use, quotation(found[0], prompt.user)]


def quotation(passage: Passage, question: str) -> Text:
    """The sentence of a passage that answers a question best, and its citation, which stands before the full stop (recorded)."""
    sentence = best_sentence(passage.text, question)
    text = f"According to {passage.filename}: {sentence.rstrip('.')}."
    citation = {"type": "file_citation", "file_id": passage.file_id, "filename": passage.filename, "index": len(text) - 1}
    return Text(text, [citation])


def best_sentence(text: str, question: str) -> str:
    """The sentence that has most words in common with a question, the first of equals; at most 400 characters, on one line."""
    wanted = set(content_words(question))
    sentences = [sentence for sentence in _SENTENCE_ENDS.split(text) if sentence.strip()]
    best = max(sentences, key=lambda sentence: len(wanted & set(content_words(sentence))), default=text)
    line = " ".join(best.split())
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1].rstrip() + "…"


def _searches(prompt: Prompt) -> bool:
    """Whether the tool is offered and may be used. What other tools returned is answered first."""
    choice = prompt.tool_choice
    if choice.mode == "none" or not any(tool.kind == "file_search" for tool in prompt.tools):
        return False
    return _demanded(prompt) or (not prompt.tool_results and (not choice.names or "file_search" in choice.names))


def _demanded(prompt: Prompt) -> bool:
    choice = prompt.tool_choice
    kinds = [tool.kind for tool in prompt.tools if not choice.names or tool.name in choice.names]
    return choice.mode == "required" and bool(kinds) and set(kinds) == {"file_search"}
