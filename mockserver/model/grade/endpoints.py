"""Endpoint graders: a web server of the caller's is sent the sample and the item, and answers with a score.

The exchange is documented: `{"sample", "item", "trace_id"}` by POST, and `{"score": number}` in return. Nothing is sent to a host
that the setting `grader_hosts` does not name. Unlike the service, nothing is tried again, and `rate_limit` has no effect.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from mockserver.model.grade.graders import Endpoint
from mockserver.model.grade.outcome import Errors, Means, Outcome, UnavailableError, UngradedError

Json = Any
LONGEST = 1_000_000  # bytes of a request and of a reply (documented)
SECONDS = 10.0  # to wait for a reply; the service waits for ten minutes


def score(grader: Endpoint, scope: Mapping[str, Json], means: Means) -> Outcome:
    """The score that the endpoint gives. Raises UnavailableError where its host may not be called."""
    host = urlsplit(grader.url).hostname or ""
    if host not in means.hosts:
        raise UnavailableError(f"the endpoint grader's host {host!r} is not called: add it to the setting `grader_hosts`")
    body = json.dumps({**scope, "trace_id": means.trace}).encode()
    if len(body) > LONGEST:
        raise UngradedError(f"an endpoint gets at most {LONGEST:,} bytes", Errors(other_error=True))
    try:
        reply = (means.post or post)(grader.url, {"Content-Type": "application/json", **grader.headers}, body)
    except (OSError, ValueError) as error:
        raise UngradedError(f"the endpoint gives no answer: {error}", Errors(unresponsive_reward_error=True)) from None
    return Outcome(_score(reply))


def _score(reply: bytes) -> float:
    try:
        value = from_json(reply)["score"]
        number = math.nan if isinstance(value, (bool, str)) else float(value)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise UngradedError(f"the endpoint gives no score: {reply[:200]!r}", Errors(unresponsive_reward_error=True))
    return number


def post(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Send a body by HTTPS, follow no redirect, and return the reply's. Raises OSError."""
    from http.client import HTTPException
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            """A redirect would lead to a host that nobody has allowed."""

    try:
        with build_opener(Stay).open(Request(url, body, dict(headers)), timeout=SECONDS) as reply:
            content: bytes = reply.read(LONGEST + 1)
    except HTTPException as error:
        raise OSError(f"its answer is not HTTP: {error!r}") from None
    if len(content) > LONGEST:
        raise OSError(f"its answer has more than {LONGEST:,} bytes")
    return content
