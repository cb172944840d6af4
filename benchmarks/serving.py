"""A server in a process of its own that reports what it has used on request: `python -m benchmarks.serving NAME`.

It writes its port on the first line, and for each line it reads the CPU seconds that it has used so far, and the most memory
that it ever had, in bytes; it ends with its input.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from benchmarks.process import Process

if TYPE_CHECKING:
    import uvicorn


class Serving(Process):
    """A server process, from outside: `ours`, `ours-logging`, `bare` without a script, or an application of `benchmarks.floors`."""

    def __init__(self, name: str) -> None:
        super().__init__("benchmarks.serving", name)
        self.port = int(self.line())

    def cpu(self) -> float:
        """The CPU seconds, user and system, that the process has used."""
        return self._used()[0]

    def peak_memory(self) -> float:
        """The most memory that the process ever had, in bytes."""
        return self._used()[1]

    def _used(self) -> list[float]:
        self.write("used")
        return [float(number) for number in self.line().split()]


def serve(name: str) -> None:
    """Serve until the input ends."""
    ours = name.startswith("ours") or name == "bare"
    server, listener = _ours(logs=name.endswith("logging"), scripted=name != "bare") if ours else _floor(name)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_report, daemon=True).start()
    asyncio.run(server.serve(sockets=[listener]))


def _ours(*, logs: bool, scripted: bool) -> tuple[uvicorn.Server, socket.socket]:
    from benchmarks.workload import scenario
    from mockserver import create_app
    from mockserver.cli.logs import log_to
    from mockserver.server.server import Server, listen

    if logs:
        log_to(open(os.devnull, "w", encoding="utf-8"), "info")  # noqa: SIM115 - open as long as the process
    return Server(create_app(*([scenario()] if scripted else []))), listen("127.0.0.1", 0)


def _floor(name: str) -> tuple[uvicorn.Server, socket.socket]:
    import uvicorn

    from benchmarks import floors

    app: Any = getattr(floors, name)
    config = uvicorn.Config(app, http="httptools", loop="asyncio", ws="none", lifespan="off", access_log=False, log_config=None)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    return uvicorn.Server(config), listener


def _report() -> None:
    unit = 1 if sys.platform == "darwin" else 1024
    while sys.stdin.readline():
        print(time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, flush=True)
    os._exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
