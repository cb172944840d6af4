"""Judgements on how a client reads streams: broken ones taken for whole, and Azure's first chunk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mockserver.verdict import transcript
from mockserver.verdict.attempts import Attempts, failed, named
from mockserver.verdict.findings import Finding

if TYPE_CHECKING:
    from mockserver.model.prompt import Prompt
    from mockserver.resource.journal import Exchange

# A client whose patience ends waits for longer; one that fails over a chunk is gone at once.
PROMPTLY = 0.1


def truncated_and_accepted(exchanges: Sequence[Exchange]) -> list[Finding]:
    """Streams that broke and whose text, tool call or response a later request goes on from."""
    found = []
    for one in exchanges:
        if one.fault is None or not one.frames:
            continue
        part = _Part(one)
        later = next((other for other in exchanges if other.begun >= one.ended and part.is_in(other.prompt)), None)
        if later is not None:
            message = (
                f"{named(one)} broke off after {len(one.frames)} events ({one.fault}), and the conversation went on from it."
            )
            found.append(Finding("truncated_stream_accepted", message, (one.number, later.number)))
    return found


def crashed_on_empty_choices(requests: Sequence[Attempts]) -> list[Finding]:
    """Streams that the client left right after the chunk without choices, and of which it never read another to the end.

    Only a paced stream shows it: another has been sent before the client can leave.
    """
    found = []
    for attempts in requests:
        left = [one for one in attempts.exchanges if _left_at_once(one)]
        if left and failed(attempts.last):
            message = f"{named(left[0])} was left {_milliseconds(left[0])} after its first chunk, whose choices are empty."
            found.append(Finding("empty_choices_crash", message, tuple(one.number for one in left)))
    return found


def _left_at_once(one: Exchange) -> bool:
    if not one.hung_up or one.fault is not None or one.stayed is None or one.stayed > PROMPTLY:
        return False
    told = transcript.events(one)
    return bool(told) and told[0].get("choices") == [] and not transcript.text(one) and not transcript.tool_calls(one)


def _milliseconds(one: Exchange) -> str:
    return f"{(one.stayed or 0.0) * 1000:.0f} ms"


class _Part:
    """What a broken stream had told, by which a later request is known to go on from it."""

    def __init__(self, exchange: Exchange) -> None:
        self._asked = exchange.prompt.user if exchange.prompt is not None else ""
        self._text = transcript.text(exchange).strip()
        self._calls = {call.id for call in transcript.tool_calls(exchange)} - {""}
        responses = [event.get("response") for event in transcript.events(exchange)]
        self._ids = {response.get("id") for response in responses if isinstance(response, dict)}

    def is_in(self, prompt: Prompt | None) -> bool:
        """Whether a conversation holds it."""
        if prompt is None:
            return False
        if prompt.previous is not None and prompt.previous in self._ids:
            return True
        asked = ""
        for turn in prompt.turns:
            if turn.role == "user":
                asked = turn.text
            elif turn.role == "assistant":
                same = bool(self._text) and turn.text.strip() == self._text and asked == self._asked
                if same or any(call.id in self._calls for call in turn.tool_calls):
                    return True
        return False
