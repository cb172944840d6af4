"""The requests that the servers get, and what ours is scripted to answer."""

from __future__ import annotations

import json
from typing import Any

Json = Any
KEY = "mock-key"
MODEL = "gpt-4o"
EVENTS = 400
EVENTS_PER_SECOND = 500
DOZEN = "The capital of France is Paris, on the Seine, naturally."
PLAIN = "It is 18 degrees and sunny in Paris; a light jacket will do for the evening."
COUNTER = b"000000"


def scenario(rules: int = 3) -> Json:
    """A scenario of so many rules, of which the last ones answer the requests below."""
    others = [_rule(f"other {number}", f"question number {number}", f"Answer {number}.") for number in range(rules - 3)]
    paced = {"text": "tick" + " tock" * (EVENTS - 1), "stream": {"tokens_per_second": EVENTS_PER_SECOND}}
    scripted = [_rule("paced", "tick", paced), _rule("dozen", "capital", DOZEN), _rule("plain", "weather", PLAIN)]
    return {"deployments": {MODEL: {"model": MODEL}}, "rules": others + scripted}


def _rule(name: str, user: str, answer: Json) -> Json:
    return {"name": name, "when": {"operation": "createChatCompletion", "user": user}, "respond": answer}


def chat(question: str, *, stream: bool = False) -> bytes:
    """The body of a chat completion request."""
    messages = [
        {"role": "system", "content": "You are a helpful assistant that answers in one sentence."},
        {"role": "user", "content": question},
    ]
    document = {"model": MODEL, "messages": messages, "temperature": 0.2, "max_completion_tokens": 500}
    return json.dumps(document | ({"stream": True} if stream else {})).encode()


WEATHER = chat("What is the weather in Paris today, on visit 000000?")
CAPITAL = chat("What is the capital of France, in case 000000?", stream=True)
TICK = chat("Go tick for a while.", stream=True)


def repeated(body: bytes) -> bytes:
    """A body in which no number is counted up."""
    return body.replace(COUNTER, b"one")


def numbered(body: bytes, number: int) -> bytes:
    """A body with its number, so that no two are the same."""
    return body.replace(COUNTER, b"%06d" % number)


def http(body: bytes, *, connection: str = "keep-alive") -> bytes:
    """A chat completion request as a lean client writes it, ready for a socket."""
    head = [
        "POST /openai/v1/chat/completions HTTP/1.1",
        "host: 127.0.0.1",
        f"connection: {connection}",
        f"authorization: Bearer {KEY}",
        "accept: application/json",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    return "\r\n".join([*head, "\r\n"]).encode() + body
