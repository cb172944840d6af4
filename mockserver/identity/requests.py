"""What the identity routes have in common: an endpoint that no page of somewhere else can use, forms, and JSON bodies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mockserver.errors import ApiError
from mockserver.gateway import origin
from mockserver.identity.issuer import Issuer, UnavailableError

Json = Any
Handler = Callable[[Issuer, Request], Awaitable[Json]]
LOGIN_HOST = "login.microsoftonline.com"
_LONGEST = 64 * 1024  # bytes of a body


class RefusedError(Exception):
    """A request that is refused, with the status and the body of the answer."""

    def __init__(self, status: int, body: Json, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, headers


def route(issuer: Issuer, path: str, method: str, handler: Handler) -> Route:
    """A route whose handler returns JSON, or raises RefusedError."""

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        try:
            origin.check(request.headers, [*issuer.resources.allowed_hosts, LOGIN_HOST])
            return _response(200, await handler(issuer, request))
        except RefusedError as refused:
            return _response(refused.status, refused.body, refused.headers)
        except UnavailableError as error:
            return _response(501, _ours("not_available", str(error)))
        except ApiError as error:
            return _response(error.status, _ours("forbidden", error.detail["message"]))

    return Route(path, endpoint, methods=[method])


def key_required() -> RefusedError:
    """No key of a resource, on a server that other machines can reach. Azure never sends it: it is ours."""
    hint = "send a resource's key as X-IDENTITY-HEADER, as client_secret or as api-key"
    return RefusedError(401, _ours("unauthorized", f"tokens require a key when other machines can reach the server; {hint}"))


async def form(request: Request) -> dict[str, str]:
    """The fields of a form; of several with the same name, the last. Raises RefusedError for one that is too large."""
    return dict(parse_qsl((await limited(request)).decode("utf-8", "replace"), keep_blank_values=True))


async def limited(request: Request) -> bytes:
    """The body of a request. Raises RefusedError for one that is too large."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            raise RefusedError(413, _ours("too_large", f"a request for a token has at most {_LONGEST} bytes"))
    return body


def _ours(error: str, description: str) -> Json:
    return {"error": error, "error_description": f"mockserver: {description}"}


def _response(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse(body, status, {"cache-control": "no-store", **(headers or {})})
