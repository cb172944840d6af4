"""Findings about how a client reads streams: broken ones taken for complete, and Azure's first chunk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mockserver.verdict import transcript
from mockserver.verdict.attempts import Attempts, failed, target
from mockserver.verdict.findings import Finding

if TYPE_CHECKING:
    from mockserver.model.prompt import Prompt
    from mockserver.resource.journal import Exchange

# A client that fails on a chunk leaves within this time; one whose read timeout expires has waited longer.
CRASH_SECONDS = 0.1


def truncated_stream_accepted(exchanges: Sequence[Exchange]) -> list[Finding]:
    """Streams that broke and whose text, tool call or response a later request continues from."""
    found = []
    for exchange in exchanges:
        if exchange.fault is None or not exchange.frames:
            continue
        partial = _PartialResponse(exchange)
        later = next((other for other in exchanges if other.begun >= exchange.ended and partial.precedes(other.prompt)), None)
        if later is not None:
            message = (
                f"A stream of {target(exchange)} broke off after {len(exchange.frames)} events ({exchange.fault}), and a later "
                "request continued from what had arrived."
            )
            found.append(Finding("truncated_stream_accepted", message, (exchange.number, later.number)))
    return found


def empty_choices_crash(requests: Sequence[Attempts]) -> list[Finding]:
    """Streams that the client left right after the chunk without choices, if it never read the same to the end.

    Only paced streams show it: any other has been sent before the client can leave.
    """
    found = []
    for attempts in requests:
        left = [exchange for exchange in attempts.exchanges if _left_after_first_chunk(exchange)]
        if left and failed(attempts.last):
            seconds = left[0].stayed or 0.0
            message = (
                f"The client of {target(left[0])} left the stream {seconds * 1000:.0f} ms after its first chunk, which has no "
                "choices."
            )
            found.append(Finding("empty_choices_crash", message, tuple(exchange.number for exchange in left)))
    return found


def _left_after_first_chunk(exchange: Exchange) -> bool:
    left = exchange.hung_up and exchange.fault is None
    if not left or exchange.stayed is None or exchange.stayed > CRASH_SECONDS:
        return False
    events = transcript.events(exchange)
    without_choices = bool(events) and events[0].get("choices") == []
    return without_choices and not transcript.text(exchange) and not transcript.tool_calls(exchange)


class _PartialResponse:
    """What a broken stream had sent, by which a later request that continues from it is recognised."""

    def __init__(self, exchange: Exchange) -> None:
        self._user = exchange.prompt.user if exchange.prompt is not None else ""
        self._text = transcript.text(exchange).strip()
        self._call_ids = {call.id for call in transcript.tool_calls(exchange)} - {""}
        responses = [event.get("response") for event in transcript.events(exchange)]
        self._response_ids = {response.get("id") for response in responses if isinstance(response, dict)}

    def precedes(self, prompt: Prompt | None) -> bool:
        """Whether a conversation contains it."""
        if prompt is None:
            return False
        if prompt.previous is not None and prompt.previous in self._response_ids:
            return True
        user = ""
        for turn in prompt.turns:
            if turn.role == "user":
                user = turn.text
            elif turn.role == "assistant":
                # The same text after another question may be a complete response to that one.
                same = bool(self._text) and turn.text.strip() == self._text and user == self._user
                if same or any(call.id in self._call_ids for call in turn.tool_calls):
                    return True
        return False
