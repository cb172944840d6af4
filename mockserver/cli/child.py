"""A program that runs inside a command: its signals, and how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from mockserver.cli.loading import fail

_NOT_EXECUTABLE, _NOT_FOUND, _KILLED = 126, 127, 128  # as shells report them; the last plus the signal's number
_FROM_KEYS = {signal.SIGINT, getattr(signal, "SIGQUIT", None)}
_PASSED_ON = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2")


def run_to_end(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a program until it ends, and return its exit code as a shell reports it. It gets the signals that come meanwhile.

    Exits with 127 where there is no such program, with 126 where it cannot be run.
    """
    with _signals() as arriving:
        try:
            child = subprocess.Popen([_found(command[0], environment), *command[1:]], env=environment)
        except FileNotFoundError:
            fail(f"There is no program {command[0]!r}.", _NOT_FOUND)
        except OSError as error:
            fail(f"{command[0]!r} cannot be run: {error.strerror}.", _NOT_EXECUTABLE)
        arriving.pass_on(child)
        code = child.wait()
    return code if code >= 0 else _KILLED - code


@contextmanager
def until_signal() -> Iterator[threading.Event]:
    """What Ctrl-C and SIGTERM set while the context lasts, in place of ending this process."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait(stop: threading.Event) -> None:
    """Wait until it is set."""
    while not stop.wait(timeout=60):  # without an end, Windows would not let a signal through
        pass


class _Arriving:
    """The signals that this process gets: passed on to its child, the early ones as soon as there is one."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if self._child is None:
            self._early.append(number)
        elif not (number in _FROM_KEYS and _terminal_sends_to_all()):
            with suppress(OSError):
                self._child.send_signal(number)

    def pass_on(self, child: subprocess.Popen[bytes]) -> None:
        """Pass all on to this child, from now on."""
        self._child = child
        while self._early:
            self.handle(self._early.pop(0), None)


@contextmanager
def _signals() -> Iterator[_Arriving]:
    """The signals that arrive while the context lasts."""
    arriving = _Arriving()
    numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
    before = {number: signal.signal(number, arriving.handle) for number in numbers}
    try:
        yield arriving
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _terminal_sends_to_all() -> bool:
    """Whether Ctrl-C reaches the child by itself, since a terminal sends it to everything in its foreground."""
    if os.name == "nt":
        return True
    for descriptor in (0, 1, 2):
        with suppress(OSError):
            return os.tcgetpgrp(descriptor) == os.getpgrp()
    return False


def _found(program: str, environment: Mapping[str, str]) -> str:
    """A program's path: Windows itself would find `npm.exe`, but not `npm.cmd`."""
    return shutil.which(program, path=environment.get("PATH")) or program
