"""The log of `mockserver serve`: the time of day and one line for each request."""

from __future__ import annotations

import logging
from typing import TextIO

LEVELS = ("debug", "info", "warning", "error")


class Line(logging.Formatter):
    """The time of day and the message. The time is formatted once a second, not for every line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")
        self._second, self._time = 0, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        """The record's time."""
        second = int(record.created)
        if second != self._second:
            self._second, self._time = second, super().formatTime(record, datefmt)
        return self._time


def log_to(stream: TextIO, level: str) -> None:
    """Write the package's log to a stream. What its lines do not show, such as threads, is not looked up either."""
    for name in ("logThreads", "logProcesses", "logMultiprocessing", "logAsyncioTasks"):
        setattr(logging, name, False)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line())
    log = logging.getLogger("mockserver")
    log.addHandler(handler)
    log.setLevel(level.upper())
    log.propagate = False
