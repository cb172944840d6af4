"""What must be true of every answer, and the least request that still breaks it."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy

from fuzz.firing import Answer
from fuzz.mutations import delete, get, paths, put
from fuzz.shots import SCRATCH, Shot

SLOWEST = 5.0  # seconds; what takes longer grows faster than its input
_TRIES = 400


def problem(shot: Shot, answer: Answer) -> str | None:
    """What is wrong with an answer, in a line and more; None for nothing."""
    if answer.logged:
        return "an exception was logged:\n" + answer.logged[0]
    scripted = SCRATCH in str(shot.headers) and "/_mock" not in shot.target
    if not 200 <= answer.status < 600 or (answer.status >= 500 and answer.status != 501 and not scripted):
        return f"the status is {answer.status}: {answer.body[:300]!r}"
    if answer.seconds > SLOWEST:
        return f"it took {answer.seconds:.1f} s"
    return None if scripted or shot.method == "HEAD" else _shape(answer)


def _shape(answer: Answer) -> str | None:
    """Whether errors are objects with a message, and JSON is JSON."""
    is_json = "json" in answer.headers.get("content-type", "") or answer.status >= 400
    if not is_json or not answer.body:
        return None if answer.body or answer.status < 400 else f"a {answer.status} has no body"
    try:
        document = json.loads(answer.body)
    except ValueError:
        return f"a {answer.status} is not JSON: {answer.body[:300]!r}"
    error = document.get("error", document) if isinstance(document, dict) else document
    if answer.status >= 400 and not (isinstance(error, dict) and isinstance(error.get("message"), str)):
        return f"a {answer.status} has no message: {answer.body[:300]!r}"
    return None


def least(shot: Shot, fails: Callable[[Shot], bool]) -> Shot:
    """The smallest request that still fails, as far as leaving things out leads there."""
    tries = 0

    def still(candidate: Shot) -> bool:
        nonlocal tries
        tries += 1
        return tries <= _TRIES and fails(candidate)

    path, _, query = shot.target.partition("?")
    for target in (path, *(f"{path}?{one}" for one in query.split("&"))):
        if query and still(smaller := Shot(shot.method, target, shot.headers, shot.body, shot.document)):
            shot = smaller
            break
    if shot.document is not None and still(plain := shot.with_document(shot.document)):
        shot = _least_document(plain, still)
    return shot


def _least_document(shot: Shot, still: Callable[[Shot], bool]) -> Shot:
    shrunk = True
    while shrunk:
        shrunk = False
        for path in paths(shot.document)[1:]:
            try:
                value = get(shot.document, path)
                smaller = shot.with_document(delete(deepcopy(shot.document), path))
                if not still(smaller):
                    if not isinstance(value, str) or len(value) < 20:
                        continue
                    smaller = shot.with_document(put(deepcopy(shot.document), path, value[: len(value) // 2]))
                    if not still(smaller):
                        continue
            except (KeyError, IndexError, TypeError):
                continue  # an outer value went before
            shot, shrunk = smaller, True
            break
    return shot
