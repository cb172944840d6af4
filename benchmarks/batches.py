"""What a batch of 10,000 lines costs, and for how long at a time it keeps others waiting."""

from __future__ import annotations

import gc
import json
import resource
import time
from typing import Any

from benchmarks import workload
from benchmarks.budget import BATCH, TURN, Figure, Findings
from mockserver import create_app
from mockserver.gateway.headers import RequestHeaders
from mockserver.gateway.pipeline import Pending, begin, respond
from mockserver.gateway.rendering import Request
from mockserver.resource.files import add
from mockserver.state.chance import Chance

Json = Any
_HEADERS = RequestHeaders([(b"authorization", b"Bearer " + workload.KEY.encode()), (b"content-type", b"application/json")])
_ROOT = "/openai/v1"


def lines(count: int) -> Findings:
    """A batch of `count` chats that all differ, taken turn by turn as a server takes it."""
    resources = create_app(workload.scenario()).state.resources
    content = b"".join([_line(number) for number in range(count)])
    file = add(
        resources.default,
        filename="in.jsonl",
        purpose="batch",
        content=content,
        size=len(content),
        chance=Chance("benchmark"),
        now=time.time(),
    )
    body = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    batch = respond(resources, Request("POST", f"{_ROOT}/batches", "", _HEADERS, json.dumps(body).encode())).json()
    before = _peak_memory()
    seconds, longest = _run(resources, f"{_ROOT}/batches/{batch['id']}")
    scale = 10_000 / count
    grown = f"{(_peak_memory() - before) / 1_000:.0f} MB more memory for {len(content) / 1_000_000:.1f} MB of lines"
    return Findings([Figure(BATCH, seconds * scale * 1e3, grown), Figure(TURN, longest * 1e3)])


def _line(number: int) -> bytes:
    line = {"custom_id": str(number), "method": "POST", "url": "/v1/chat/completions"}
    return json.dumps(line | {"body": json.loads(workload.numbered(workload.WEATHER, number))}).encode() + b"\n"


def _run(resources: Any, path: str) -> tuple[float, float]:
    """The CPU time until a look at a batch is answered, and that of the longest turn, in seconds."""
    gc.freeze()  # as the command does
    begun, longest = time.process_time(), 0.0
    response = begin(resources, Request("GET", path, "", _HEADERS))
    while isinstance(response, Pending):
        more = True
        while more:
            turn = time.process_time()
            more = response.take_turn()
            longest = max(longest, time.process_time() - turn)
        response = response.resume()
    seconds = time.process_time() - begun
    if response.json()["status"] != "completed":
        raise RuntimeError(f"the batch did not run: {response.json()}")
    return seconds, longest


def _peak_memory() -> int:
    """The most memory that this process has had, in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
