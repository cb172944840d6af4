"""How soon the first answer comes: from a cold process, and from a server in a process that has all imported."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import workload
from benchmarks.budget import COLD, START, STOP, Figure, Findings, median
from benchmarks.process import ROOT, Process, environment

_REQUEST = workload.http(workload.WEATHER, connection="close")
_IMPORT = "import time; begun = time.perf_counter(); import openai; print(time.perf_counter() - begun)"


def cold_processes(count: int) -> Findings:
    """The time from a process's birth to its first answer, scenario file included, beside `import openai`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "scenario.yaml")
        file.write_text(json.dumps(workload.scenario()), encoding="utf-8")
        measures: list[Callable[[], float]] = [lambda: _served(file), lambda: _in_thread(file), _imported]
        for measure in measures:
            measure()
        rounds = [[measure() for measure in measures] for _ in range(count)]
    served, in_thread, imported = map(min, zip(*rounds, strict=True))
    return Findings(
        [Figure(COLD, served / imported, f"{served * 1e3:.0f} ms / {imported * 1e3:.0f} ms, by `mockserver serve FILE`")],
        [f"cold process to first answer by MockServer in Python: {in_thread / imported:.2f}x ({in_thread * 1e3:.0f} ms)"],
    )


def _served(scenario: Path) -> float:
    begun = time.perf_counter()
    command = [sys.executable, "-m", "mockserver", "serve", str(scenario), "--port", "0", "--log-level", "warning"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment()) as process:
        assert process.stdout is not None
        address = next(filter(None, (re.search(r"127\.0\.0\.1:(\d+)", line) for line in process.stdout)))
        first_answer(int(address[1]))
        taken = time.perf_counter() - begun
        process.terminate()
    return taken


def _in_thread(scenario: Path) -> float:
    begun = time.perf_counter()
    with Process("benchmarks.startup", str(scenario)) as process:
        process.line()
        return time.perf_counter() - begun


def _imported() -> float:
    answer = subprocess.run([sys.executable, "-c", _IMPORT], stdout=subprocess.PIPE, check=True, cwd=ROOT, env=environment())
    return float(answer.stdout)


def first_answer(port: int) -> None:
    """Ask once, over a socket of its own. Raises RuntimeError for anything but a 200."""
    received = b""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(_REQUEST)
        while part := connection.recv(65_536):
            received += part
    if not received.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"unexpected answer: {received[:200]!r}")


def servers(count: int) -> Findings:
    """Starts and stops of servers in one process."""
    from mockserver import MockServer

    scenario = workload.scenario()
    starts, stops = [], []
    for _ in range(count + 3):
        begun = time.perf_counter()
        server = MockServer(scenario).start()
        first_answer(int(server.endpoint.rpartition(":")[2]))
        answered = time.perf_counter()
        server.stop()
        starts.append((answered - begun) * 1e3)
        stops.append((time.perf_counter() - answered) * 1e3)
    return Findings([Figure(START, median(starts[3:])), Figure(STOP, median(stops[3:]))])


def main() -> None:
    """A process that answers one request and ends."""
    from mockserver import MockServer

    with MockServer(sys.argv[1]) as server:
        first_answer(int(server.endpoint.rpartition(":")[2]))
        print("answered", flush=True)


if __name__ == "__main__":
    main()
