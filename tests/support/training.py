"""Training files: examples in every format, and files of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

Json = Any
WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu")


def chat(word: str, **members: Json) -> dict[str, Json]:
    """A chat about a word, which the answer names."""
    messages = [
        {"role": "system", "content": "Be curt."},
        {"role": "user", "content": f"Which letter is {word}?"},
        {"role": "assistant", "content": f"It is {word}."},
    ]
    return {"messages": messages} | members


def preference(word: str) -> dict[str, Json]:
    """Two answers about a word, of which the first is preferred."""
    return {
        "input": {"messages": [{"role": "user", "content": f"Which letter is {word}?"}]},
        "preferred_output": [{"role": "assistant", "content": f"Preferred: {word}."}],
        "non_preferred_output": [{"role": "assistant", "content": "No idea."}],
    }


def rewarded(word: str) -> dict[str, Json]:
    """A question about a word, and the item that a grader needs."""
    return {"messages": [{"role": "user", "content": f"Which letter is {word}?"}], "reference": word}


def jsonl(examples: Iterable[Json]) -> bytes:
    """A file with an example on each line."""
    return b"".join(json.dumps(example, ensure_ascii=False).encode() + b"\n" for example in examples)


def chats(count: int = 10) -> bytes:
    """A file of chats."""
    return jsonl(chat(word) for word in WORDS[:count])
