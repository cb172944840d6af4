"""`python -m benchmarks.soak`: mixed traffic for some minutes, in which the memory and the open files of the server must stay flat.

Every client makes calls of all kinds, valid and wrong, deletes what it stored, and leaves in the middle of streams now and then; the
virtual clock moves on an hour every second. After a third of the time, in which caches fill, memory is compared by its means.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.serving import Serving
from benchmarks.workload import KEY

Json = Any
MIB = 1024 * 1024
_CLIENTS = 8
_GROWTH = 1.05  # of the last third over the second, beside the megabytes that a mean varies by
_NOISE = 4 * MIB
_JSON = {"api-key": KEY, "content-type": "application/json"}
_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
_TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": _PARAMETERS}}]
_FORM = (
    b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n%b\r\n--b--\r\n'
)


@dataclass
class Sample:
    """The server at one moment: resident memory in bytes, open files."""

    memory: int
    files: int


@dataclass
class Traffic:
    """What all clients together have done."""

    until: float
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


class Client:
    """One caller with a connection of its own."""

    def __init__(self, port: int, number: int, traffic: Traffic) -> None:
        self._port, self._number, self._traffic = port, number, traffic
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def run(self) -> None:
        """Call until it is time to end. What goes wrong is noted, and ends it."""
        try:
            for turn in itertools.count():
                if time.monotonic() > self._traffic.until:
                    break
                self._turn(f"{self._number}/{turn}", turn)
        except Exception as error:
            self._traffic.failures.append(f"{type(error).__name__}: {error}")
        finally:
            self._connection.close()

    def _turn(self, name: str, turn: int) -> None:
        messages = [{"role": "user", "content": f"What is the weather in {name}?" + " and so on" * (turn % 50)}]
        chat = {"model": "gpt-4o", "messages": messages}
        self._send("POST", "/chat/completions", chat)
        self._send("POST", "/chat/completions", chat | {"stream": True, "tools": _TOOLS})
        self._send("POST", "/chat/completions", chat | {"temperature": 9})
        self._send("POST", "/embeddings", {"model": "text-embedding-3-small", "input": [name, "hello"]})
        self._send("GET", "/responses/resp_unknown")
        self._send("GET", f"/models?limit={name}")
        first = self._send("POST", "/responses", {"model": "gpt-5-mini", "input": name, "background": turn % 3 == 0})
        second = self._send(
            "POST", "/responses", {"model": "gpt-5-mini", "input": "go on", "previous_response_id": first["id"]}
        )
        stored = self._send("POST", "/chat/completions", chat | {"store": True})
        conversation = self._send("POST", "/conversations", {"items": messages})
        self._send("POST", "/responses", {"model": "gpt-4o", "input": name, "conversation": conversation["id"], "store": False})
        uploaded = self._send(
            "POST", "/files", _FORM % (name.encode() * 2_000), {"content-type": "multipart/form-data; boundary=b"}
        )
        self._send("GET", f"/files/{uploaded['id']}/content")
        for kind, one in (("responses", first), ("responses", second), ("conversations", conversation), ("files", uploaded)):
            self._send("DELETE", f"/{kind}/{one['id']}")
        self._send("DELETE", f"/chat/completions/{stored['id']}")
        if turn % 20 == 0:
            self._leave(chat | {"stream": True})

    def _send(self, method: str, path: str, body: Json = None, headers: dict[str, str] | None = None) -> Json:
        content = body if body is None or isinstance(body, bytes) else json.dumps(body)
        self._connection.request(method, f"/openai/v1{path}", content, _JSON | (headers or {}))
        response = self._connection.getresponse()
        received = response.read()
        self._traffic.statuses[response.status] += 1
        if response.status >= 500:
            self._traffic.failures.append(f"{method} {path}: {response.status} {received[:200]!r}")
        is_json = response.headers.get_content_type() == "application/json"
        return json.loads(received) if is_json else {}

    def _leave(self, body: Json) -> None:
        self._connection.request("POST", "/openai/v1/chat/completions", json.dumps(body), _JSON)
        self._connection.close()


def soak(minutes: float, note: bool = True) -> tuple[list[Sample], Traffic]:
    """Let clients call for so many minutes; return what the server took every two seconds, and what they did."""
    samples: list[Sample] = []
    with Serving("bare") as server:
        traffic = Traffic(time.monotonic() + minutes * 60)
        clients = [threading.Thread(target=Client(server.port, number, traffic).run) for number in range(_CLIENTS)]
        _advance(server.port, "1s")  # imports the control API
        samples.append(sample(server.pid))
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients):
            time.sleep(2)
            _advance(server.port, "2h")
            samples.append(sample(server.pid))
            if note and len(samples) % 15 == 0:
                print(
                    f"{samples[-1].memory / MIB:6.1f} MiB, {samples[-1].files} files, {traffic.statuses.total():,} answers",
                    flush=True,
                )
        for client in clients:
            client.join()
        time.sleep(1)
        samples.append(sample(server.pid))  # when all have left
    return samples, traffic


def sample(pid: int) -> Sample:
    """What a process takes now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return Sample(pages * 4096, len(list(Path(f"/proc/{pid}/fd").iterdir())))


def _advance(port: int, duration: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", "/_mock/clock", json.dumps({"advance": duration}))
    connection.getresponse().read()
    connection.close()


def main() -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10)")
    samples, traffic = soak(parser.parse_args().minutes)
    third = len(samples) // 3
    second, last = (fmean(one.memory for one in some) for some in (samples[third : 2 * third], samples[2 * third : -1]))
    grew, left = last > second * _GROWTH + _NOISE, samples[-1].files - samples[0].files
    statuses = ", ".join(f"{count:,} × {status}" for status, count in sorted(traffic.statuses.items()))
    print(f"{traffic.statuses.total():,} answers: {statuses}")
    print(f"memory: {second / MIB:.1f} MiB in the second third, {last / MIB:.1f} MiB in the last")
    print(f"open files: {samples[-1].files} when all clients had left, {left} more than before them")
    print("\n".join(traffic.failures[:10]))
    return 1 if grew or left > 2 or traffic.failures else 0


if __name__ == "__main__":
    sys.exit(main())
