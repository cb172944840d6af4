"""Operations of the official document that have no handler yet: refused by name (501) and counted in the coverage table.

Landing an operation drops its row. A row is the method, the path, the operationId and the preview header that it asks for.
"""

from __future__ import annotations

Row = tuple[str, str, str, str | None]

NOT_YET: dict[str, tuple[Row, ...]] = {
    "realtime": (
        ("POST", "/realtime/calls", "createRealtimeCall", None),
        ("POST", "/realtime/calls/{call_id}/accept", "acceptRealtimeCall", None),
        ("POST", "/realtime/calls/{call_id}/hangup", "hangupRealtimeCall", None),
        ("POST", "/realtime/calls/{call_id}/refer", "referRealtimeCall", None),
        ("POST", "/realtime/calls/{call_id}/reject", "rejectRealtimeCall", None),
        ("POST", "/realtime/client_secrets", "createRealtimeClientSecret", None),
        ("POST", "/realtime/sessions", "createRealtimeSession", None),
        ("POST", "/realtime/transcription_sessions", "createRealtimeTranscriptionSession", None),
    ),
    "threads": (
        ("POST", "/threads", "createThread", None),
        ("POST", "/threads/runs", "createThreadAndRun", None),
        ("DELETE", "/threads/{thread_id}", "deleteThread", None),
        ("GET", "/threads/{thread_id}", "retrieveThread", None),
        ("POST", "/threads/{thread_id}", "modifyThread", None),
        ("GET", "/threads/{thread_id}/messages", "listMessages", None),
        ("POST", "/threads/{thread_id}/messages", "createMessage", None),
        ("DELETE", "/threads/{thread_id}/messages/{message_id}", "deleteMessage", None),
        ("GET", "/threads/{thread_id}/messages/{message_id}", "retrieveMessage", None),
        ("POST", "/threads/{thread_id}/messages/{message_id}", "modifyMessage", None),
        ("POST", "/threads/{thread_id}/runs", "createRun", None),
        ("GET", "/threads/{thread_id}/runs", "listRuns", None),
        ("GET", "/threads/{thread_id}/runs/{run_id}", "retrieveRun", None),
        ("POST", "/threads/{thread_id}/runs/{run_id}", "modifyRun", None),
        ("POST", "/threads/{thread_id}/runs/{run_id}/cancel", "cancelRun", None),
        ("GET", "/threads/{thread_id}/runs/{run_id}/steps", "listRunSteps", None),
        ("GET", "/threads/{thread_id}/runs/{run_id}/steps/{step_id}", "getRunStep", None),
        ("POST", "/threads/{thread_id}/runs/{run_id}/submit_tool_outputs", "submitToolOutputsToRun", None),
    ),
}
