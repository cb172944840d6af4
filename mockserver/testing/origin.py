"""Where in the user's code a call comes from, and which URL it is for: read from the stacks, whatever library it goes through."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

_OURS = str(Path(__file__).parent.parent) + os.sep
_FOREIGN = (_OURS, *(path + os.sep for name, path in sysconfig.get_paths().items() if name.endswith(("lib", "stdlib"))))
_NAMES = ("request", "req", "url", "fullurl", "str_or_url")


def trace(host: str) -> tuple[str, str]:
    """The URL and the place of the call to `host` that is being made in this thread; "" for what cannot be told.

    Names are looked up in threads of their own where the call is asynchronous: then the tasks that wait are searched.
    """
    stack = list(_outwards(sys._getframe(1)))
    near = _within_loop(stack)
    place = _place(near)
    if place:
        return _url(near, host), place
    waiting = [(_url(other, host), _place(other), _foreign(other[0])) for other in _elsewhere() if other]
    placed = [one for one in waiting if one[1]]
    chosen = [one for one in placed if one[0]] or [one for one in placed if one[2]] or placed
    places = dict.fromkeys(place for _, place, _ in chosen)
    url = _url(stack, host) or next((url for url, _, _ in chosen if url), "")
    return url, " or ".join(list(places)[:3]) or _place(stack)


def _loop_of(frame: FrameType) -> asyncio.AbstractEventLoop | None:
    """The event loop that this frame runs."""
    loop = frame.f_locals.get("self") if frame.f_code.co_name == "run_forever" else None
    return loop if isinstance(loop, asyncio.AbstractEventLoop) else None


def _within_loop(stack: list[FrameType]) -> list[FrameType]:
    """The part of a stack that runs in an event loop; all of it where none does."""
    return stack[: next((depth for depth, frame in enumerate(stack) if _loop_of(frame) is not None), len(stack))]


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _foreign(frame: FrameType) -> bool:
    path = frame.f_code.co_filename
    return path.startswith((*_FOREIGN, "<frozen")) or "site-packages" in path or "dist-packages" in path


def _place(stack: list[FrameType]) -> str:
    """The innermost frame that is neither a library's nor ours."""
    for frame in stack:
        if not _foreign(frame):
            return f"{_short(frame.f_code.co_filename)}:{frame.f_lineno} in {frame.f_code.co_name}"
    return ""


def _short(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return path


def _url(stack: list[FrameType], host: str) -> str:
    """The URL at `host` that a library's function on the stack has at hand, without its query."""
    for frame in filter(_foreign, stack):
        variables = frame.f_locals
        for value in (variables[name] for name in _NAMES if name in variables):
            text = str(getattr(value, "full_url", None) or getattr(value, "url", value))
            if f"//{host}" in text.lower():
                return text.partition("?")[0]
    return ""


def _elsewhere() -> Iterator[list[FrameType]]:
    """The stacks, innermost frame first, of all tasks of all event loops that run; one that is at work is on its thread's."""
    loops: list[asyncio.AbstractEventLoop] = []
    for frame in sys._current_frames().values():
        stack = list(_outwards(frame))
        within = _within_loop(stack)
        if len(within) < len(stack):
            yield within
        loops += filter(None, map(_loop_of, stack))
    for loop in loops:
        for task in asyncio.all_tasks(loop):
            yield list(_inwards(task.get_coro()))[::-1]


def _inwards(awaited: Any) -> Iterator[FrameType]:
    while awaited is not None:
        kind = _kind(awaited)
        if kind is None:  # a wrapper that says nothing about what it drives
            awaited = next((one for one in gc.get_referents(awaited) if _kind(one) is not None), None)
            continue
        frame = getattr(awaited, f"{kind}_frame")
        if frame is not None:
            yield frame
        awaited = getattr(awaited, "gi_yieldfrom" if kind == "gi" else f"{kind}_await")


def _kind(awaited: Any) -> str | None:
    return next((one for one in ("cr", "gi", "ag") if hasattr(awaited, f"{one}_frame")), None)
