"""Python graders: what they return, and what becomes of sources that mean harm."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from mockserver.model.grade import Means, Outcome, UnavailableError, programs, run
from mockserver.model.grade.graders import Python

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no limits to set")
Json = Any


def _nobody(_: Any) -> Any:
    raise AssertionError("no model is asked")


def grade(source: str, item: Json = None, sample: Json = None) -> Outcome:
    return run(Python("mine", source), item or {}, sample or {"output_text": "Paris"}, Means(_nobody, python=True))


def body(text: str) -> str:
    """A source whose function does this, and returns 1."""
    return "def grade(sample, item):\n" + "".join(f"    {line}\n" for line in text.splitlines()) + "    return 1.0\n"


def details(outcome: Outcome) -> str:
    assert (outcome.reward, outcome.errors.python_grader_runtime_error) == (0, True)
    assert outcome.errors.python_grader_runtime_error_details
    return outcome.errors.python_grader_runtime_error_details


def test_a_source_gets_the_sample_and_the_item() -> None:
    outcome = grade("def grade(sample, item):\n    return len(sample['output_text']) / item['most']", {"most": 10})
    assert (outcome.reward, bool(outcome.errors)) == (0.5, False)


def test_the_standard_library_is_there_and_what_is_printed_is_ignored() -> None:
    source = (
        "import json, re, math, difflib, collections, statistics, fractions, decimal, datetime, string, textwrap, unicodedata\n"
    )
    assert (
        grade(source + body("print('x' * 100_000)\nopen('own', 'w').write('x')\nassert open('own').read() == 'x'")).reward == 1
    )


@pytest.mark.parametrize(
    ("value", "reward"), [("1", 1), ("True", 1), ("-2.5", -2.5), ("__import__('fractions').Fraction(1, 2)", None)]
)
def test_numbers_are_rewards(value: str, reward: float | None) -> None:
    outcome = grade(f"def grade(sample, item):\n    return {value}")
    assert (outcome.reward if not outcome.errors else None) == reward


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("grade = 1", "it defines no function grade"),
        ("def grade(sample): return 1", "TypeError"),
        ("def grade(sample, item): return None", "grade returns NoneType, not a number"),
        ("def grade(sample, item): return '1'", "grade returns str, not a number"),
        ("def grade(sample, item): return float('nan')", "it gives no number"),
        ("def grade(sample, item): return float('inf')", "it gives no number"),
        ("def grade(sample, item): return 10 ** 400", "OverflowError"),
        ("def grade(sample, item): return sample['nothing']", "KeyError: 'nothing'"),
        ("def grade(sample, item): raise SystemExit(3)", "SystemExit: 3"),
        ("def grade(sample, item): raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def grade(sample, item): return grade(sample, item)", "RecursionError"),
        ("def grade(", "SyntaxError"),
        ("\x00 grade", "null bytes"),
        ("raise ValueError('x' * 10_000)", "ValueError: xxx"),
    ],
)
def test_what_gives_no_number_is_a_runtime_error(source: str, problem: str) -> None:
    found = details(grade(source))
    assert problem in found
    assert len(found) <= 1_000


@pytest.mark.parametrize(
    "harm",
    [
        "open('/etc/passwd').read()",
        "open('../escaped', 'w')",
        f"open({os.__file__!r}, 'a')",
        "__import__('os').listdir('/')",
        "__import__('os').remove('/nowhere')",
        "__import__('os').symlink('/etc/passwd', 'link')",
        "__import__('os').open('own', 65)",
        "__import__('os').chdir('/')",
        "__import__('os').link('/etc/passwd', 'link')",
        "__import__('os').mkdir('/tmp/escaped')",
        "open('own/../../escaped', 'w')",
        "open(b'/etc/passwd')",
        "open(type('Path', (str,), {'startswith': lambda *_: True, 'split': lambda *_: []})('/etc/passwd'))",
        "__import__('pathlib').Path('/etc/passwd').read_text()",
        "__import__(type('Name', (str,), {'__hash__': lambda _: 1, '__eq__': lambda *_: False})('_posixsubprocess'))",
        "import builtins, os\nbuiltins.isinstance = lambda *_: False\nos.fspath = os.path.realpath = str\nopen('/etc/passwd')",
        "__import__('os').system('true')",
        "__import__('os').fork()",
        "__import__('os').kill(__import__('os').getppid(), 9)",
        "__import__('os').execv('/bin/true', ['true'])",
        "__import__('os').posix_spawn('/bin/true', ['true'], {})",
        "__import__('pathlib').Path('/tmp').rename('/tmp2')",
        "__import__('shutil').copy('/etc/passwd', 'own')",
        "__import__('subprocess').run(['true'])",
        "__import__('_posixsubprocess')",
        "__import__('ctypes')",
        "__import__('socket').create_connection(('127.0.0.1', 9))",
        "__import__('socket').getaddrinfo('example.com', 80)",
        "__import__('urllib.request').request.urlopen('http://127.0.0.1:9')",
        "__import__('resource').setrlimit(6, (-1, -1))",
        "__import__('gc').get_objects()",
        "__import__('signal').pthread_kill(1, 9)",
    ],
)
def test_a_source_reaches_nothing_outside(harm: str) -> None:
    assert "a grader has no access to" in details(grade(body(harm)))


def test_a_source_cannot_ask_itself_in_place_of_the_hook() -> None:
    assert (
        grade(
            body(
                "import sys\nseen = []\nsys.addaudithook(lambda *event: seen.append(event))\nopen('own', 'w')\nassert seen == []"
            )
        ).reward
        == 1
    )


def test_what_python_does_not_ask_about_is_not_there() -> None:
    for function in ("os.pidfd_open(os.getppid())", "signal.pidfd_send_signal(3, 9)", "os.chroot('.')", "os.mkfifo('x')"):
        assert "has no attribute" in details(grade(body(f"import os, signal\n{function}")))


def test_a_process_that_cannot_be_started_is_the_servers_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    outcome = grade(body("pass"))
    assert outcome.errors.python_grader_server_error
    assert outcome.errors.python_grader_server_error_type == "FileNotFoundError"
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(UnavailableError, match="POSIX"):
        grade(body("pass"))


def test_neither_the_environment_nor_packages_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "x")
    assert grade("import os\n" + body("assert 'SECRET_KEY' not in os.environ and 'PATH' not in os.environ")).reward == 1
    assert "ModuleNotFoundError" in details(grade(body("import pydantic")))
    assert "ModuleNotFoundError" in details(grade(body("import mockserver")))


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        ("bytearray(1 << 31)", "MemoryError"),
        ("open('large', 'wb').write(bytes(1 << 22))", "File too large"),
        ("files = [open(f'{at}', 'w') for at in range(100)]", "Too many open files"),
        ("for at in range(1_000): open(f'{at}', 'w').close()", "a grader has no access to any more files"),
        ("__import__('os')._exit(0)", "it ended without an answer (status 0)"),
        ("__import__('os').abort()", "it ended without an answer (SIGABRT)"),
        ("__import__('sys').stdin.close()\n__import__('os').closerange(0, 99)", "it ended without an answer"),
    ],
)
def test_limits_hold(harm: str, problem: str) -> None:
    assert problem in details(grade(body(harm)))


def test_garbage_in_place_of_an_answer_is_no_answer() -> None:
    assert "it ended without an answer" in details(
        grade(body("import os\nfor at in range(3, 9):\n  try: os.write(at, b'garbage')\n  except OSError: pass"))
    )


@pytest.mark.parametrize("harm", ["while True: pass", "__import__('time').sleep(60)"])
def test_a_source_that_does_not_end_is_ended(harm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "SECONDS", 1)
    found = details(grade(body(harm)))
    assert found in (
        "it takes more than 1 seconds",
        "it ended without an answer (SIGKILL)",
        "it ended without an answer (SIGXCPU)",
    )


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert grade(body("open('own', 'w').write('x')")).reward == 1
    assert [*tmp_path.iterdir()] == []


def test_python_is_off_by_default() -> None:
    with pytest.raises(UnavailableError, match="python_graders"):
        run(Python("mine", body("pass")), {}, {}, Means(_nobody))
