"""Calls of a running server's own API, with every way to fail as one error in one line."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

Json = Any
TIMEOUT = 10.0
LONGEST = 64 * 1024 * 1024


class RemoteError(Exception):
    """The server gave no answer that can be used, for the reason in the message."""


def call(url: str, path: str, key: str | None = None, body: Json = None) -> Json:
    """What the server at `url` answers below its own paths: to a GET, or to a POST of `body`. Raises RemoteError.

    A path in the URL is ignored.
    """
    place = urlsplit(url)
    if place.scheme not in ("http", "https") or not place.hostname:
        raise RemoteError(f"{url!r} is not a URL such as http://127.0.0.1:4650")
    data = None if body is None else json.dumps(body).encode()
    headers = {"api-key": key} if key else {}
    request = Request(f"{place.scheme}://{place.netloc}/_mock{path}", data, headers | {"content-type": "application/json"})
    try:
        with _opener(place.hostname).open(request, timeout=TIMEOUT) as answer:
            return json.loads(answer.read(LONGEST))
    except HTTPError as error:
        with error:
            raise RemoteError(f"{url} answered {error.code}: {_reason(error.read(LONGEST))}") from None
    except URLError as error:
        raise RemoteError(f"{url} cannot be reached: {error.reason}. Is `mockserver serve` running there?") from None
    except (OSError, ValueError, HTTPException) as error:
        raise RemoteError(f"{url} returned nothing that can be read: {error or type(error).__name__}") from None


def _opener(host: str) -> OpenerDirector:
    """An opener that uses no proxy for this machine."""
    local = host in ("localhost", "::1") or host.startswith("127.")
    return build_opener(ProxyHandler({})) if local else build_opener()


def _reason(body: bytes) -> str:
    try:
        answer = json.loads(body)
        return str(answer["error_description"] if "error_description" in answer else answer["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "this is not a mockserver"
