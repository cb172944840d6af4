"""What a large file costs in memory on its way in and out."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator

from benchmarks import workload
from benchmarks.budget import UPLOAD, Figure, Findings
from benchmarks.serving import Serving

_MB = 1_000_000
_HEAD = (
    "{method} /openai/v1/files{path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\nauthorization: Bearer {key}\r\n"
    "content-type: multipart/form-data; boundary=b\r\ncontent-length: {length}\r\n\r\n"
)
_OPENING = (
    b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
    b'--b\r\ncontent-disposition: form-data; name="file"; filename="large.txt"\r\n\r\n'
)
_CLOSING = b"\r\n--b--\r\n"


def memory(size: int) -> Findings:
    """By how much a server's peak memory grows while a file of `size` bytes is sent to it and read back."""
    with Serving("ours") as server:
        _round_trip(server.port, _MB)
        before = server.peak_memory()
        _round_trip(server.port, size)
        grown = server.peak_memory() - before
    return Findings([Figure(UPLOAD, grown / _MB, f"from {before / _MB:.0f} MB")])


def _round_trip(port: int, size: int) -> None:
    answer = b"".join(_answer(port, "POST", "", _form(size), len(_OPENING) + size + len(_CLOSING)))
    found = re.search(rb'"id": "([^"]+)"', answer)
    if found is None:
        raise RuntimeError(f"the upload was refused: {answer!r}")
    received = sum(map(len, _answer(port, "GET", f"/{found[1].decode()}/content")))
    if received < size:
        raise RuntimeError(f"of {size} bytes only {received} came back")


def _form(size: int) -> Iterator[bytes]:
    yield _OPENING
    for _ in range(size // _MB):
        yield bytes(_MB)
    yield _CLOSING


def _answer(port: int, method: str, path: str, body: Iterable[bytes] = (), length: int = 0) -> Iterator[bytes]:
    """What comes back, head included, while it comes."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(_HEAD.format(method=method, path=path, key=workload.KEY, length=length).encode())
        for chunk in body:
            connection.sendall(chunk)
        while received := connection.recv(_MB):
            yield received
