"""Python graders: a source that defines `grade(sample, item)`, run in a process of its own, with limits.

The process is Python without its environment, its site packages and its current folder (`-I -S`), in an empty temporary folder.
`process.py`, which it runs, says what it is kept from. POSIX only: elsewhere there are no limits to set.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from pydantic_core import from_json

from mockserver.model.grade.graders import Python
from mockserver.model.grade.outcome import Errors, Means, Outcome, UnavailableError, UngradedError

Json = Any
SECONDS = 10  # of computing, and of waiting; the service allows two minutes
MEMORY = 1 << 30  # bytes of address space; the service allows 2 GB
OUTPUT = 1 << 20  # bytes of any file that it writes, its answer among them
LONGEST_SOURCE = 256_000  # bytes (documented)
_PROCESS = Path(__file__).with_name("process.py")


def score(grader: Python, scope: Mapping[str, Json], means: Means) -> Outcome:
    """What the function returns. Raises UnavailableError unless Python graders are on."""
    if not means.python:
        raise UnavailableError("Python graders are not run here: turn on the setting `python_graders`")
    if os.name != "posix" or not sys.executable:
        raise UnavailableError("Python graders need a POSIX system, and Python as a program of its own")
    try:
        answer = _run({"source": grader.source, "seconds": SECONDS, "memory": MEMORY, "output": OUTPUT, **scope})
    except OSError as error:
        errors = Errors(python_grader_server_error=True, python_grader_server_error_type=type(error).__name__)
        raise UngradedError(f"no Python process can be started: {error}", errors) from None
    reward = answer.get("reward")
    if not isinstance(reward, (int, float)) or not math.isfinite(reward):
        raise _failed(str(answer.get("error", "it gives no number"))[:1_000])
    return Outcome(float(reward))


def _run(request: Json) -> dict[str, Json]:
    import subprocess  # here, since few servers ever need them
    import tempfile

    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as output:
        with subprocess.Popen(
            [sys.executable, "-I", "-S", str(_PROCESS)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={},
            start_new_session=True,
        ) as process:
            try:
                process.communicate(json.dumps(request).encode(), timeout=SECONDS)
            except subprocess.TimeoutExpired:
                raise _failed(f"it takes more than {SECONDS} seconds") from None
            finally:
                with suppress(ProcessLookupError):  # whatever it has started ends with it
                    os.killpg(process.pid, signal.SIGKILL)
        return _answer(output, process.returncode)


def _answer(output: IO[bytes], status: int) -> dict[str, Json]:
    output.seek(0)
    try:
        answer = from_json(output.read(OUTPUT))
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return answer
    reason = signal.Signals(-status).name if status < 0 else f"status {status}"
    raise _failed(f"it ended without an answer ({reason})")


def _failed(details: str) -> UngradedError:
    errors = Errors(python_grader_runtime_error=True, python_grader_runtime_error_details=details)
    return UngradedError(f"the Python grader failed: {details}", errors)
