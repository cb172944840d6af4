"""The process of a Python grader: run by its path, alone, with the standard library and nothing else.

It takes a request as JSON on its standard input and writes one line of JSON: `{"reward": …}` or `{"error": …}`. What holds it is,
first, the kernel: limits on computing time, memory, the size and number of files, and processes (not for root). Second, a hook
that Python asks before it opens files or sockets, or starts anything; what Python does not ask about is taken away. Code that knows
CPython's insides may still get around these.
"""

import json
import os
import resource
import sys
from typing import Any

_READS = frozenset(("open", "os.listdir", "os.scandir", "os.walk", "os.fwalk"))
_FORBIDDEN = (
    *("socket.", "subprocess.", "ctypes.", "resource.", "signal.", "syslog.", "mmap.", "pty.", "gc.", "cpython.run"),
    *("sys.addaudithook", "sys.remote_exec", "os.system", "os.exec", "os.spawn", "os.posix_spawn"),
    *("os.fork", "os.kill", "os.putenv", "os.unsetenv"),
    *("os.chdir", "os.link", "os.symlink"),  # so that the text of a path says where it leads
)
_MODULES = frozenset(
    (
        "_posixsubprocess",
        "_ctypes",
        "ctypes",
        "_posixshmem",
        "_multiprocessing",
        "_xxsubinterpreters",
        "_interpreters",
        "_testcapi",
    )
)
_FUNCTIONS = ("pidfd_open", "pidfd_send_signal", "chroot", "fchdir", "mkfifo", "mknod", "setuid", "setgid", "setns", "unshare")
_CHANGES = 256  # files that may be written or changed: each is limited in size, but not all of them together
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def main() -> None:
    """Grade what the standard input holds."""
    request = json.loads(sys.stdin.buffer.read())
    report = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the source prints is of no interest
    _limit(request["seconds"], request["memory"], request["output"])
    _restrict(os.getcwd())
    os.write(report, json.dumps(_answer(request)).encode())
    os._exit(0)  # no handler that the source has registered runs


def _limit(seconds: int, memory: int, output: int) -> None:
    limits = {"CPU": seconds, "AS": memory, "FSIZE": output, "NOFILE": 64, "NPROC": 0, "CORE": 0}
    for name, most in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            resource.setrlimit(kind, (most, most))


def _restrict(folder: str) -> None:
    """Have Python refuse the network, other programs, and files outside of `folder` (the library's may be read).

    The hook uses nothing that a source could replace: no names of modules, and the methods of `str` itself, not a subclass's.
    """
    for module in (os, sys.modules["posix"], sys.modules.get("_signal")):
        for name in _FUNCTIONS:
            if hasattr(module, name):
                delattr(module, name)
    inner = (f"{folder}/",)
    readable = (*inner, *{f"{place.rstrip('/')}/" for place in (os.path.dirname(os.__file__), *sys.path) if place})
    reads, forbidden, modules, writing, left = _READS, _FORBIDDEN, _MODULES, _WRITING, [_CHANGES]
    is_a, text, octets, number, refusal = isinstance, str, bytes, int, PermissionError
    plain, starts, split, decode = str.__str__, str.startswith, str.split, bytes.decode
    no_paths = (int, float, tuple, type(None))

    def is_below(path: Any, roots: tuple[str, ...]) -> bool:
        if not is_a(path, (text, octets)):
            return False
        path = decode(path, "utf-8", "surrogateescape") if is_a(path, octets) else plain(path)
        return ".." not in split(path, "/") and (not starts(path, "/") or starts(path + "/", roots))

    def paths_of(event: str, arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], bool]:
        """What an event is about, and whether it changes that."""
        if event == "open":
            path, mode, flags = arguments
            if mode is None and not is_a(path, number):  # of os.open, whose path can be relative to another folder
                raise refusal("a grader has no access to os.open")
            return (path,), (flags or 0) & writing != 0
        if event in reads:
            return arguments[:1], False
        return (arguments, True) if starts(event, "os.") else ((), False)

    def ask(event: str, arguments: tuple[Any, ...]) -> None:
        if starts(event, forbidden) or (event == "import" and plain(arguments[0]) in modules):
            raise refusal(f"a grader has no access to {arguments[0] if event == 'import' else event}")
        paths, changes = paths_of(event, arguments)
        left[0] -= changes
        if left[0] < 0:
            raise refusal("a grader has no access to any more files")
        for path in paths:
            if not is_a(path, no_paths) and not is_below(path, inner if changes else readable):
                raise refusal("a grader has no access to other folders")

    sys.addaudithook(ask)


def _answer(request: dict[str, str]) -> dict[str, object]:
    try:
        names: dict[str, object] = {"__name__": "grader"}
        exec(compile(request["source"], "grader.py", "exec"), names)
        grade = names.get("grade")
        if not callable(grade):
            return {"error": "it defines no function grade(sample, item)"}
        value = grade(request["sample"], request["item"])
        if not isinstance(value, (int, float)):
            return {"error": f"grade returns {type(value).__name__}, not a number"}
        return {"reward": float(value)}
    except BaseException as error:
        return {"error": f"{type(error).__name__}: {error}"[:1000]}


if __name__ == "__main__":
    main()
