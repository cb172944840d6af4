"""What a deployment may use in a minute: requests and estimated tokens, as the service counts them.

Tokens are estimated on receipt from the prompt's characters and the answer's limit, not billed ones (docs; wire: an 18-token
prompt of 31 characters took 7 off). Calls that fail later count too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Json = Any
MINUTE = 60.0
DEFAULT_RPM = 10_000
DEFAULT_TPM = 10_000_000


@dataclass(slots=True)
class Quota:
    """A deployment's minute. Limits that nobody declared are sent in headers but never refuse a call."""

    rpm: int = DEFAULT_RPM
    tpm: int = DEFAULT_TPM
    enforced: bool = False
    started: float = float("-inf")
    requests: int = 0
    tokens: int = 0

    def take(self, now: float, tokens: int) -> tuple[Literal["call", "token"], float] | None:
        """Count a call. Return None, or what is used up and in how many seconds it is refilled."""
        if not 0 <= now - self.started < MINUTE:
            self.started, self.requests, self.tokens = now, 0, 0
        refused: Literal["call", "token"] | None = None
        if self.enforced:
            refused = "call" if self.requests >= self.rpm else "token" if self.tokens + tokens > self.tpm else None
        self.requests += 1
        if refused is None:
            self.tokens += tokens
            return None
        return refused, self.started + MINUTE - now

    @property
    def remaining_requests(self) -> int:
        """Requests left in this minute."""
        return max(0, self.rpm - self.requests)

    @property
    def remaining_tokens(self) -> int:
        """Estimated tokens left in this minute."""
        return max(0, self.tpm - self.tokens)

    def reset(self) -> None:
        """Begin a fresh minute."""
        self.started, self.requests, self.tokens = float("-inf"), 0, 0


def estimate(document: dict[str, Json]) -> int:
    """Tokens as the gateway guesses them on receipt: a quarter of the prompt's characters, and the limit that was set."""
    member = document.get
    prompt = member("messages") or member("input") or member("prompt") or ""
    limit = member("max_completion_tokens") or member("max_output_tokens") or member("max_tokens")
    return _characters(prompt) // 4 + (limit if isinstance(limit, int) and 0 < limit < 10_000_000 else 0)


def _characters(prompt: Json) -> int:
    """The characters of a text, of a message's content, or of a list of these."""
    if isinstance(prompt, str):
        return len(prompt)
    if isinstance(prompt, dict):
        return _characters(prompt.get("content") or prompt.get("text") or prompt.get("output") or "")
    if not isinstance(prompt, list):
        return 0
    total = 0
    for part in prompt:
        text = part.get("content") if isinstance(part, dict) else part
        total += len(text) if isinstance(text, str) else _characters(part)
    return total
