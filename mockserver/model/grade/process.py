"""The process of a Python grader: run by its path, alone, with the standard library and nothing else.

It takes a request as JSON on its standard input and writes one line of JSON: `{"reward": …}` or `{"error": …}`. What holds it is,
first, the kernel: limits on computing time, memory, the size and number of files, and processes (not for root). Second, a hook
that Python asks before it opens files or sockets, or starts anything; code that knows CPython's insides may get around that one.
"""

import json
import os
import resource
import sys
from typing import Any

_MODULES = frozenset(  # of C, which Python does not ask about what they do
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
_READ = ("open", "os.listdir", "os.scandir", "os.chdir", "os.fwalk", "os.walk", "glob.glob")
_FORBIDDEN = (
    "socket.",
    "subprocess.",
    "ctypes.",
    "resource.",
    "signal.",
    "syslog.",
    "mmap.",
    "pty.",
    "gc.",
    "cpython.run",
    "sys.addaudithook",
    "sys.remote_exec",
    "os.system",
    "os.exec",
    "os.spawn",
    "os.posix_spawn",
    "os.fork",
    "os.kill",
    "os.putenv",
    "os.unsetenv",
    "os.chroot",
)


def main() -> None:
    """Grade what the standard input holds."""
    request = json.loads(sys.stdin.buffer.read())
    report = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what the source prints is of no interest
    _limit(request["seconds"], request["memory"], request["output"])
    _restrict(os.path.realpath(os.getcwd()))
    os.write(report, json.dumps(_answer(request)).encode())
    os._exit(0)  # no handler that the source has registered runs


def _limit(seconds: int, memory: int, output: int) -> None:
    limits = {"CPU": seconds, "AS": memory, "FSIZE": output, "NOFILE": 64, "NPROC": 0, "CORE": 0}
    for name, most in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is not None:
            resource.setrlimit(kind, (most, most))


def _restrict(folder: str) -> None:
    """Have Python refuse the network, other programs, and files outside of `folder` (the library's may be read)."""
    library = tuple({os.path.realpath(os.path.dirname(os.__file__)), *map(os.path.realpath, sys.path)})
    reads, forbidden, modules, resolve, absolute, text = _READ, _FORBIDDEN, _MODULES, os.path.realpath, os.fspath, (str, bytes)
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    decode, inside, is_a, any_of = os.fsdecode, os.path.commonpath, isinstance, any

    def below(path: str | bytes, roots: tuple[str, ...]) -> bool:
        place = resolve(decode(absolute(path)))
        return any_of(inside((place, root)) == root for root in roots)

    def ask(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(forbidden) or (event == "import" and arguments[0] in modules):
            raise PermissionError(f"a grader has no access to {arguments[0] if event == 'import' else event}")
        if event == "open" or event.startswith(("os.", "shutil.", "tempfile.", "glob.")):
            reading = event in reads and not (event == "open" and (arguments[2] or 0) & writing)
            roots = (folder, *library) if reading else (folder,)
            for path in arguments:
                if is_a(path, text) and path and not below(path, roots) and not (event == "open" and path is arguments[1]):
                    raise PermissionError("a grader has no access to other folders")

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
