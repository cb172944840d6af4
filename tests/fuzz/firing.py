"""Where requests go: to the application in this process, or over a socket, kept alive and pipelined."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

import httptools
import httpx2
from support.examples import Caller

from fuzz.shots import SCRATCH, Shot
from mockserver import MockServer

KEY = "fuzz-key"
_SLOW = 20.0  # seconds without a byte, after which a server hangs


@dataclass
class Answer:
    """What came back, and how many seconds that took; `logged` are exceptions in the log."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    logged: list[str] = field(default_factory=list)


class Exceptions(logging.Handler):
    """Collects what is logged with an exception."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record's message and traceback."""
        if record.exc_info:
            self.texts.append(logging.Formatter().format(record)[-6_000:])

    def take(self) -> list[str]:
        """What has come since the last call."""
        texts, self.texts = self.texts, []
        return texts


class Range:
    """A server with two resources, and who fires at it."""

    def __init__(self, mock: MockServer, http: httpx2.Client, exceptions: Exceptions) -> None:
        self.mock, self._exceptions = mock, exceptions
        self.caller = Caller(http, mock.base_url, KEY)

    def renew(self) -> None:
        """Forget what was stored and scripted."""
        for resource in self.mock.resources:
            resource.reset(rules=True)
            resource.script.replace(())

    def fire(self, shot: Shot) -> Answer:
        """Send one request to the application, without a socket."""
        begun = time.perf_counter()
        answer = asyncio.run(asyncio.wait_for(_in_process(self.mock.app, shot), _SLOW))
        answer.seconds, answer.logged = time.perf_counter() - begun, self._exceptions.take()
        return answer

    def fire_over_socket(self, shots: Sequence[Shot], *, pipelined: bool) -> list[Answer]:
        """Send several requests on one connection; pipelined, all of them before the first answer is read."""
        with socket.create_connection(("127.0.0.1", urlsplit(self.mock.endpoint).port), timeout=_SLOW) as connection:
            together = [shots] if pipelined else [[shot] for shot in shots]
            answers = [answer for some in together for answer in _exchange(connection, some)]
        if answers:
            answers[-1].logged = self._exceptions.take()
        return answers

    def is_well(self) -> bool:
        """Whether a plain call still gets its answer."""
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
        return self.caller.send("POST", "/chat/completions", json=body).status_code == 200


@contextmanager
def firing_range() -> Iterator[Range]:
    """A server to fire at."""
    exceptions, log = Exceptions(), logging.getLogger("mockserver")
    scenarios: list[Any] = [
        {"resource": {"name": name, "keys": [key]}} for name, key in ((None, KEY), (SCRATCH, f"{KEY}-{SCRATCH}"))
    ]
    scenarios[0]["resource"].pop("name")
    log.addHandler(exceptions)
    propagate, log.propagate = log.propagate, False
    try:
        with MockServer(scenarios, journal_limit=20, journal_bytes="8 MiB") as mock, httpx2.Client(timeout=_SLOW) as http:
            yield Range(mock, http, exceptions)
    finally:
        log.removeHandler(exceptions)
        log.propagate = propagate


async def _in_process(app: Any, shot: Shot) -> Answer:
    answer, chunks, sent = Answer(), [], False
    raw_path, _, query = shot.target.partition("?")

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.Event().wait()
        sent = True
        return {"type": "http.request", "body": shot.body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
        else:
            chunks.append(bytes(message.get("body", b"")))

    scope = {
        "type": "http", "http_version": "1.1", "method": shot.method, "scheme": "http", "root_path": "", "raw_path": raw_path.encode(),
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"), "query_string": query.encode("latin-1", "replace"), "state": {},
        "headers": [(name.encode(), value.encode("latin-1", "replace")) for name, value in shot.headers], "asgi": {"version": "3.0"},
    }  # fmt: skip
    await app(scope, receive, send)
    answer.body = b"".join(chunks)
    return answer


def wire(shot: Shot) -> bytes:
    """A request as it goes over a socket."""
    method = shot.method.replace("HEAD", "GET")  # the reader takes every answer to have a body
    lines = [f"{method} {shot.target} HTTP/1.1", *(f"{name}: {value}" for name, value in shot.headers)]
    return "\r\n".join([*lines, f"content-length: {len(shot.body)}", "", ""]).encode("latin-1", "replace") + shot.body


class _Reader:
    """Reads answers; httptools calls the methods that begin with `on_`."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.whole = 0
        self.parser = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        self.answers.append(Answer())

    def on_header(self, name: bytes, value: bytes) -> None:
        self.answers[-1].headers[name.decode().lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self.answers[-1].body += body

    def on_message_complete(self) -> None:
        self.answers[-1].status = self.parser.get_status_code()
        self.whole += 1


def _exchange(connection: socket.socket, shots: Sequence[Shot]) -> list[Answer]:
    """Send the requests at once, and read as many answers; fewer where the server closes the connection."""
    reader, begun = _Reader(), time.perf_counter()
    try:
        connection.sendall(b"".join(map(wire, shots)))
        while reader.whole < len(shots) and (received := connection.recv(1 << 20)):
            reader.parser.feed_data(received)
    except (BrokenPipeError, ConnectionResetError):
        pass  # a refused request closes the connection, perhaps under what comes behind it
    answers = reader.answers[: reader.whole]
    for answer in answers:
        answer.seconds = time.perf_counter() - begun
    return answers
