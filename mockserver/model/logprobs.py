"""Log probabilities of an answer's tokens: the shape is the service's (spec, wire), the numbers are chance."""

from __future__ import annotations

import math
from typing import Any, Literal

from mockserver.model import tokens
from mockserver.model.prose import WORDS
from mockserver.state.chance import Chance

Json = Any
_LEAST_LIKELY = 0.55
_SHARE_OF_REST = 0.6
_DIGITS = 8


def logprobs(
    text: str, top: int, chance: Chance, encoding: str = "o200k_base", order: Literal["chat", "responses"] = "chat"
) -> list[dict[str, Json]]:
    """One entry a token, `{"bytes", "logprob", "token", "top_logprobs"}`; the tokens join to `text`.

    `top_logprobs` has `top` entries, likeliest first; the token itself, never less likely than 55 %, leads. Keys are in
    alphabetical order for `chat` (wire), and `token, bytes, logprob, top_logprobs` for `responses`. A character that takes
    several tokens has one entry.
    """
    return [_entry(piece, top, chance, order) for piece in tokens.pieces(text, encoding)]


def _entry(piece: str, top: int, chance: Chance, order: str) -> dict[str, Json]:
    likelihood = chance.uniform(_LEAST_LIKELY, 1.0)
    own = _candidate(piece, likelihood, order)
    if not top:
        return own | {"top_logprobs": []}
    others, rest = _alternatives(piece, top - 1, chance), 1.0 - likelihood
    ranked = [_candidate(other, rest * _SHARE_OF_REST * (1 - _SHARE_OF_REST) ** at, order) for at, other in enumerate(others)]
    return own | {"top_logprobs": [own, *ranked]}


def _candidate(token: str, likelihood: float, order: str) -> dict[str, Json]:
    spelt = list(token.encode("utf-8", "surrogatepass"))
    logprob = round(math.log(max(likelihood, 1e-9)), _DIGITS)
    if order == "responses":
        return {"token": token, "bytes": spelt, "logprob": logprob}
    return {"bytes": spelt, "logprob": logprob, "token": token}


def _alternatives(piece: str, count: int, chance: Chance) -> list[str]:
    """Other words that could stand there, spaced and capitalised like the token."""
    space, capital = " " if piece[:1].isspace() else "", piece.lstrip()[:1].isupper()
    start, found = chance.below(len(WORDS)), list[str]()
    for at in range(len(WORDS)):
        if len(found) == count:
            break
        word = WORDS[(start + at) % len(WORDS)]
        other = space + (word.capitalize() if capital else word)
        if other != piece:
            found.append(other)
    return found
