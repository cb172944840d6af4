"""Kills a serving process many times: `python killed.py FILE ROUNDS`. Prints what was acknowledged, and every fault that was found.

One process loads the package and forks a server for each round, since starting Python anew would take most of the time.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from mockserver import create_app
from mockserver.gateway.headers import RequestHeaders
from mockserver.gateway.pipeline import respond
from mockserver.gateway.rendering import Request
from mockserver.resource.resources import Resources
from mockserver.state.store import Store

HEADERS = RequestHeaders([(b"api-key", b"mock-key"), (b"content-type", b"application/json")])
TEXT = "many words " * 2_000
CONTENT = b"0123456789abcdef" * 8_192


def create(resources: Resources, at: int) -> str:
    """Have a response created; return its id."""
    body = json.dumps({"model": "gpt-4.1-nano", "input": f"{at} {TEXT}"}).encode()
    response = respond(resources, Request("POST", "/openai/v1/responses", "", HEADERS, body))
    assert response.status == 200
    return str(response.json()["id"])


def serve(path: str, acknowledged: int) -> None:
    """Store responses and files for ever, writing the key of each to a pipe once it is acknowledged."""
    resources = create_app(state=path).state.resources
    store, at = resources.default.store, 0
    while True:
        at += 1
        os.write(acknowledged, f"response {create(resources, at)}\n".encode())
        name = f"{store.generation}-{at}"
        with store.transaction:
            store.put("file", name, {"id": name}, content=CONTENT)
            store.put("part", name, {"id": name}, parent=("file", name), names=["all"])
        os.write(acknowledged, f"file {name}\n".encode())


def one_round(path: str, count: int) -> list[list[str]]:
    """Kill a server at its acknowledgement number `count`; return the keys of all that it gave."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            serve(path, writing)
        finally:
            os._exit(1)
    os.close(writing)
    with open(reading, "rb") as pipe:
        lines = [pipe.readline() for _ in range(count)]
        os.kill(child, signal.SIGKILL)
        lines += pipe.readlines()
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    return [line.decode().split() for line in lines]


def faults(store: Store, keys: list[list[str]]) -> list[str]:
    """What is lost of the acknowledged objects, and what is half of all."""
    found = [f"lost: {key}" for key in keys if store.get(key[0], key[1]) is None]
    for response in store.documents("response"):
        items = store.get("response.items", response["id"])
        if items is None or not items["output"] or not items["input"][0]["content"][0]["text"].endswith(TEXT):
            found.append(f"half: {response['id']}")
    for file in store.documents("file"):
        blob = store.blob("file", file["id"])
        if blob is None or store.count("part", ("file", file["id"])) != 1 or blob.open().read() != CONTENT:
            found.append(f"half: {file['id']}")
    if len(store.find("part", "all")) != store.count("file"):
        found.append("parts without files")
    return found


def main(path: str, rounds: int) -> dict[str, Any]:
    create(create_app().state.resources, 0)  # what the first request loads is there for all rounds
    acknowledged, found = 0, []
    for at in range(rounds):
        keys = one_round(path, 1 + at % 7)
        acknowledged += len(keys)
        resources = create_app(state=path).state.resources
        found += faults(resources.default.store, keys)
        resources.default.store.clear()  # so that what each round looks through stays small
        resources.close()
    return {"acknowledged": acknowledged, "faults": found}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
