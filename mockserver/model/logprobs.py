"""Log probabilities of an answer's tokens: their form is the service's (spec, wire), their values are random."""

from __future__ import annotations

import math
from typing import Any, Literal

from mockserver.model import tokens
from mockserver.model.prose import WORDS
from mockserver.state.chance import Chance

Json = Any
_LEAST_LIKELY = 0.55  # above one half, so that the token itself is always the likeliest
_SHARE_OF_REST = 0.6  # of what is left, for each alternative in turn
_DIGITS = 8


def make_logprobs(
    text: str, top: int, chance: Chance, encoding: str = "o200k_base", order: Literal["chat", "responses"] = "chat"
) -> list[dict[str, Json]]:
    """One entry a token, `{"bytes", "logprob", "token", "top_logprobs"}`; the tokens join to `text`.

    `top_logprobs` has `top` entries, likeliest first; the token itself, never less likely than 55 %, leads. Keys are in
    alphabetical order for `chat` (wire), and `token, bytes, logprob, top_logprobs` for `responses`. A character that takes
    several tokens has one entry.
    """
    return [_entry(piece, top, chance, order) for piece in tokens.split(text, encoding)]


def _entry(piece: str, top: int, chance: Chance, order: str) -> dict[str, Json]:
    likelihood = chance.uniform(_LEAST_LIKELY, 1.0)
    own = _candidate(piece, likelihood, order)
    if not top:
        return own | {"top_logprobs": []}
    others, rest = _alternatives(piece, top - 1, chance), 1.0 - likelihood
    ranked = [_candidate(other, rest * _SHARE_OF_REST * (1 - _SHARE_OF_REST) ** at, order) for at, other in enumerate(others)]
    return own | {"top_logprobs": [own, *ranked]}


def _candidate(token: str, likelihood: float, order: str) -> dict[str, Json]:
    encoded = list(token.encode("utf-8", "surrogatepass"))
    logprob = round(math.log(max(likelihood, 1e-9)), _DIGITS)
    if order == "responses":
        return {"token": token, "bytes": encoded, "logprob": logprob}
    return {"bytes": encoded, "logprob": logprob, "token": token}


def _alternatives(piece: str, count: int, chance: Chance) -> list[str]:
    """Other words in place of the token, with its space and capital."""
    space, capital = " " if piece[:1].isspace() else "", piece.lstrip()[:1].isupper()
    start, others = chance.below(len(WORDS)), list[str]()
    for at in range(len(WORDS)):
        if len(others) == count:
            break
        word = WORDS[(start + at) % len(WORDS)]
        other = space + (word.capitalize() if capital else word)
        if other != piece:
            others.append(other)
    return others
