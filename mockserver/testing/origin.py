"""Where in the user's code a call comes from, and for which URL: read from the stacks, whatever the library.

`sys._getframe` and `sys._current_frames` are documented functions of Python in spite of their names.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

_OURS = str(Path(__file__).parent.parent) + os.sep
_LIBRARIES = (_OURS, *(path + os.sep for name, path in sysconfig.get_paths().items() if name.endswith(("lib", "stdlib"))))
# Variables of httpx, urllib3, urllib and aiohttp that hold the URL of a request, or a request that has one.
_URL_VARIABLES = ("request", "req", "url", "fullurl", "str_or_url")


def trace(host: str) -> tuple[str, str]:
    """The URL of the call to `host` that this thread is making, and the line of the user's code; "" for what is unknown.

    For an asynchronous call the name is looked up in another thread; then the tasks that wait are searched.
    """
    stack = list(_outer_frames(sys._getframe(1)))
    inner = _within_loop(stack)
    line = _user_line(inner)
    if line:
        return _url(inner, host), line
    candidates = [_Candidate(_url(other, host), _user_line(other), _in_library(other[0])) for other in _other_stacks() if other]
    located = [candidate for candidate in candidates if candidate.line]
    # Best a task that has the URL; else one that waits within a library, as the caller does; else any.
    likely = [one for one in located if one.url] or [one for one in located if one.in_library] or located
    lines = dict.fromkeys(candidate.line for candidate in likely)
    url = _url(stack, host) or next((candidate.url for candidate in likely if candidate.url), "")
    return url, " or ".join(list(lines)[:3]) or _user_line(stack)


class _Candidate(NamedTuple):
    """What the stack of a waiting task or another thread says of the call."""

    url: str
    line: str
    in_library: bool


def _loop_of(frame: FrameType) -> asyncio.AbstractEventLoop | None:
    """The event loop that this frame runs. uvloop's has no frame, so its tasks are not searched."""
    loop = frame.f_locals.get("self") if frame.f_code.co_name == "run_forever" else None
    return loop if isinstance(loop, asyncio.AbstractEventLoop) else None


def _within_loop(stack: list[FrameType]) -> list[FrameType]:
    """The part of a stack that runs in an event loop; all of it where none does."""
    return stack[: next((depth for depth, frame in enumerate(stack) if _loop_of(frame) is not None), len(stack))]


def _outer_frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _in_library(frame: FrameType) -> bool:
    path = frame.f_code.co_filename
    return path.startswith((*_LIBRARIES, "<frozen")) or "site-packages" in path or "dist-packages" in path


def _user_line(stack: list[FrameType]) -> str:
    """The innermost line that is neither a library's nor ours."""
    for frame in stack:
        if not _in_library(frame):
            return f"{_short(frame.f_code.co_filename)}:{frame.f_lineno} in {frame.f_code.co_name}"
    return ""


def _short(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def _url(stack: list[FrameType], host: str) -> str:
    """The URL at `host` in a variable of a library's function on the stack, without its query, which may hold secrets."""
    for frame in filter(_in_library, stack):
        variables = frame.f_locals
        for value in (variables[name] for name in _URL_VARIABLES if name in variables):
            text = str(getattr(value, "full_url", None) or getattr(value, "url", value))
            if f"//{host}" in text.lower():
                return text.partition("?")[0]
    return ""


def _other_stacks() -> Iterator[list[FrameType]]:
    """The stacks of all running event loops' tasks, innermost frame first; a task that is running is on its thread's stack."""
    loops: list[asyncio.AbstractEventLoop] = []
    for frame in sys._current_frames().values():
        stack = list(_outer_frames(frame))
        within = _within_loop(stack)
        if len(within) < len(stack):
            yield within
        loops += filter(None, map(_loop_of, stack))
    for loop in loops:
        for task in asyncio.all_tasks(loop):
            yield list(_awaited_frames(task.get_coro()))[::-1]


def _awaited_frames(awaited: Any) -> Iterator[FrameType]:
    """The frames of a coroutine and of everything that it awaits, outermost first."""
    while awaited is not None:
        prefix = _frame_prefix(awaited)
        if prefix is None:  # such as an asynchronous generator's `asend()`: only the garbage collector can look into it
            awaited = next((one for one in gc.get_referents(awaited) if _frame_prefix(one) is not None), None)
            continue
        frame = getattr(awaited, f"{prefix}_frame")
        if frame is not None:
            yield frame
        awaited = getattr(awaited, "gi_yieldfrom" if prefix == "gi" else f"{prefix}_await")


def _frame_prefix(awaited: Any) -> str | None:
    """The prefix of the frame's attribute: of a coroutine, a generator, or an asynchronous generator."""
    return next((prefix for prefix in ("cr", "gi", "ag") if hasattr(awaited, f"{prefix}_frame")), None)
